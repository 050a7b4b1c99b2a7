"""What a message can be found by beside its words: `FACETS`, one line for each filter of a search.

A facet's values are hashed to terms, both when a message is indexed and when it is searched for. A facet that is added
here, or that finds more than before, holds for messages indexed from then on; `REVISION` has all indexed anew.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import UNSET

from chatd.model.objects.embed import Embed
from chatd.model.objects.message import MessageExtra
from chatd.store.search_index import Source

_LINK = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
# Discord's words for kinds of embeds differ from the embeds' own (resources/message, "Search Embed Types").
_EMBED_TYPES = {"image": "image", "video": "video", "gifv": "gif", "audio": "sound", "article": "article"}


class Document(NamedTuple):
    """A message as facets see it."""

    source: Source
    extra: MessageExtra
    replied_to_user_id: int | None


def fold(text: str) -> str:
    """Texts that people take for the same become the same: upper and lower case, full and half width."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def terms(document: Document) -> tuple[int, ...]:
    """Each once."""
    guild_id = document.source.guild_id or 0
    found = {term(guild_id, kind, value) for kind, values in FACETS.items() for value in values(document)}
    return tuple(found)


def term(guild_id: int, kind: str, value: object) -> int:
    """63 bits: two that mean different things are the same about never."""
    digest = blake2b(f"{guild_id} {kind} {value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def _has(it: Document) -> Iterator[str]:
    return (what for what, check in HAS.items() if check(it))


def _links(it: Document) -> list[str]:
    """The hosts of the links in the message."""
    if "://" not in it.source.content:
        return []
    return [host for link in _LINK.findall(it.source.content) if (host := _host(link))]


def _host(link: str) -> str | None:
    try:
        return urlsplit(link).hostname
    except ValueError:  # say a bracket that is never closed
        return None


def _shows_picture(embed: Embed) -> bool:
    return embed.type == "image" or embed.image is not UNSET or embed.thumbnail is not UNSET


HAS: dict[str, Callable[[Document], bool]] = {
    "embed": lambda it: bool(it.extra.embeds),
    "image": lambda it: any(map(_shows_picture, it.extra.embeds)),
    "link": lambda it: bool(_links(it)),
    "video": lambda it: any(embed.type == "video" for embed in it.extra.embeds),
}

# Parameter of MessageSearch -> the values of a message.
FACETS: dict[str, Callable[[Document], Iterable[object]]] = {
    "embed_type": lambda it: [_EMBED_TYPES[e.type] for e in it.extra.embeds if e.type in _EMBED_TYPES],
    "has": _has,
    "link_hostname": _links,
    "mention_everyone": lambda it: [True] if it.extra.mention_everyone else [],
    "mentions": lambda it: it.extra.mentions,
    "mentions_role_id": lambda it: it.extra.mention_roles,
    "replied_to_message_id": lambda it: _reply(it),
    "replied_to_user_id": lambda it: [] if it.replied_to_user_id is None else [it.replied_to_user_id],
}
