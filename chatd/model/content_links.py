"""Links in message content, as Discord's clients see them."""

import re

# Of one message, those are looked at; the others stay plain.
LIMIT = 5

_CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`", re.DOTALL)
_LINK = re.compile(r"(<?)(https?://[^\s<>\"`|\\^{}]+)(>?)", re.IGNORECASE)
_CLOSING = {")": "(", "]": "["}


def links(content: str) -> tuple[str, ...]:
    """The first ones, each once: not those in code, nor those that <https://…> keeps plain."""
    found: dict[str, None] = {}
    for opening, url, closing in _LINK.findall(_CODE.sub(" ", content)):
        if not (opening and closing):
            found[_without_punctuation(url)] = None
    return tuple(found)[:LIMIT]


def _without_punctuation(url: str) -> str:
    """What ends a sentence or a style is not the link's, nor is a bracket that was opened before it."""
    while (last := url[-1]) in ".,:;!?'*_~" or (last in _CLOSING and url.count(last) > url.count(_CLOSING[last])):
        url = url[:-1]
    return url
