"""What a message can be found by beside its words: `FACETS`, one line for each filter of a search.

A facet's values are hashed to terms, both when a message is indexed and when it is searched for. Who adds a facet here,
or has one find more than before, adds one to `REVISION`: then a server that starts on an older index makes it anew.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import UNSET

from chatd.model.objects.component import texts
from chatd.model.objects.embed import Embed
from chatd.model.objects.message import MessageExtra, MessageType
from chatd.store import search_words
from chatd.store.search_index import Source

REVISION = 1

_LINK = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_IN_ANY_CASE = frozenset(("attachment_extension", "attachment_filename", "link_hostname"))
# Discord's words for kinds of embeds differ from the embeds' own (resources/message, "Search Embed Types").
_EMBED_TYPES = {"image": "image", "video": "video", "gifv": "gif", "audio": "sound", "article": "article"}


class Document(NamedTuple):
    """A message as facets see it."""

    source: Source
    extra: MessageExtra
    replied_to_user_id: int  # 0 for nobody

    @property
    def embeds(self) -> tuple[Embed, ...]:
        """Those that were sent, and those of links."""
        return self.extra.embeds + self.extra.link_embeds

    @property
    def text(self) -> str:
        """All that the message says."""
        return "\n".join((self.source.content, *texts(self.extra.components)))

    @property
    def replied_to_message_id(self) -> int:
        """0 where the message is no reply."""
        return replied_to(self.source, self.extra)


def replied_to(source: Source, extra: MessageExtra) -> int:
    """The id of the message that this one replies to, or 0."""
    reference = extra.message_reference
    if source.type != MessageType.REPLY or reference is None or reference.message_id is UNSET:
        return 0
    return reference.message_id


def fold(text: str) -> str:
    """Texts that people take for the same become the same: upper and lower case, full and half width."""
    return text.casefold() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def terms(document: Document) -> tuple[int, ...]:
    """Each once."""
    guild_id = document.source.guild_id or 0
    return tuple({term(guild_id, kind, value) for kind, values in FACETS.items() for value in values(document)})


def term(guild_id: int, kind: str, value: object) -> int:
    return search_words.term(guild_id, kind, str(value).casefold() if kind in _IN_ANY_CASE else value)


def _has(it: Document) -> Iterator[str]:
    return (what for what, check in HAS.items() if check(it))


def _links(it: Document) -> list[str]:
    """The hosts of the links in the message."""
    if "://" not in it.text:
        return []
    return [host for link in _LINK.findall(it.text) if (host := _host(link))]


def _host(link: str) -> str | None:
    try:
        return urlsplit(link).hostname
    except ValueError:  # say a bracket that is never closed
        return None


def _shows_picture(embed: Embed) -> bool:
    return embed.type == "image" or embed.image is not UNSET or embed.thumbnail is not UNSET


def _has_file(it: Document, kind: str) -> bool:
    """A file of this kind, the first half of its media type."""
    return any(file.content_type is not UNSET and file.content_type.startswith(kind) for file in it.extra.attachments)


HAS: dict[str, Callable[[Document], bool]] = {
    "embed": lambda it: bool(it.embeds),
    "file": lambda it: bool(it.extra.attachments),
    "image": lambda it: _has_file(it, "image/") or any(map(_shows_picture, it.embeds)),
    "link": lambda it: bool(_links(it)),
    "poll": lambda it: it.extra.poll is not UNSET,
    "snapshot": lambda it: it.extra.snapshot is not None,
    "sound": lambda it: _has_file(it, "audio/"),
    "sticker": lambda it: bool(it.extra.sticker_items),
    "video": lambda it: _has_file(it, "video/") or any(embed.type == "video" for embed in it.embeds),
}

# Parameter of MessageSearch -> the values of a message.
FACETS: dict[str, Callable[[Document], Iterable[object]]] = {
    "attachment_extension": lambda it: [file.filename.rpartition(".")[2] for file in it.extra.attachments],
    "attachment_filename": lambda it: [file.filename for file in it.extra.attachments],
    "embed_provider": lambda it: [embed.provider.name for embed in it.embeds if embed.provider is not UNSET],
    "embed_type": lambda it: [_EMBED_TYPES[embed.type] for embed in it.embeds if embed.type in _EMBED_TYPES],
    "has": _has,
    "link_hostname": _links,
    "mention_everyone": lambda it: [True] if it.extra.mention_everyone else [],
    "mentions": lambda it: it.extra.mentions,
    "mentions_role_id": lambda it: it.extra.mention_roles,
    "pinned": lambda it: [True] if it.source.pinned_ms is not None else [],
    "replied_to_message_id": lambda it: [it.replied_to_message_id] if it.replied_to_message_id else [],
    "replied_to_user_id": lambda it: [it.replied_to_user_id] if it.replied_to_user_id else [],
}
