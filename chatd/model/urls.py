"""Addresses that clients send, and what is wrong with them in Discord's words."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

WEB = ("http", "https")

_BLANK = re.compile(r"[\s\x00-\x1f\x7f]")


class UrlFault(NamedTuple):
    code: str
    message: str


def fault(url: str, schemes: Sequence[str] = WEB) -> UrlFault | None:
    """What keeps the text from being an absolute address with one of the schemes."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.scheme and parts.hostname and parts.port != 0)
    except ValueError:  # of a port or an IPv6 address that is none
        is_whole = False
    if not is_whole or _BLANK.search(url):
        return UrlFault("URL_TYPE_INVALID_URL", "Not a well formed URL.")
    if parts.scheme not in schemes:
        message = f'Scheme "{parts.scheme}" is not supported. Scheme must be one of {tuple(schemes)}.'
        return UrlFault("URL_TYPE_INVALID_SCHEME", message)
    return None
