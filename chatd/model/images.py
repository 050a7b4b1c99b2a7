"""Kinds of images: what each may be, and its path. Docs: reference, "CDN Endpoints".

A path without its extension is also the name under which the image is stored, so a URL leads to a file without asking
the database. Where a path ends in an id, the image of that id never changes.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from chatd.model import limits
from chatd.model.wire import MAX_STRING_INT

Format = Literal["png", "jpeg", "gif", "webp"]

# By a path's extension.
FORMATS: dict[str, Format] = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp", "gif": "gif"}

STILL: frozenset[Format] = frozenset({"png", "jpeg", "webp"})
ANY: frozenset[Format] = STILL | {"gif"}

# Discord takes 10 MiB. Here images come in JSON that is parsed on the event loop, at some 10 ms for each MiB.
LARGE_BYTES = 4 << 20

_ID = re.compile(r"[0-9]{1,19}")
_HASH = re.compile(r"(a_)?[0-9a-f]{32}")


class Kind(NamedTuple):
    template: str  # the path: "{id}" stands for an id, "{hash}" for what rows keep
    max_bytes: int  # of an upload
    served: frozenset[Format]  # with "gif", an animated image stays animated
    resized: bool = True  # whether `?size=` is heeded


ICONS = Kind("icons/{id}/{hash}", LARGE_BYTES, ANY)  # guild
SPLASHES = Kind("splashes/{id}/{hash}", LARGE_BYTES, STILL)  # guild
DISCOVERY_SPLASHES = Kind("discovery-splashes/{id}/{hash}", LARGE_BYTES, STILL)  # guild
HOME_HEADERS = Kind("home-headers/{id}/{hash}", LARGE_BYTES, STILL)  # guild
BANNERS = Kind("banners/{id}/{hash}", LARGE_BYTES, ANY)  # guild or user
AVATARS = Kind("avatars/{id}/{hash}", LARGE_BYTES, ANY)  # user
MEMBER_AVATARS = Kind("guilds/{id}/users/{id}/avatars/{hash}", LARGE_BYTES, ANY)
MEMBER_BANNERS = Kind("guilds/{id}/users/{id}/banners/{hash}", LARGE_BYTES, ANY)
APP_ICONS = Kind("app-icons/{id}/{hash}", LARGE_BYTES, STILL)  # application
ROLE_ICONS = Kind("role-icons/{id}/{hash}", 256 << 10, STILL)
EVENT_COVERS = Kind("guild-events/{id}/{hash}", LARGE_BYTES, STILL)  # scheduled event
EMOJIS = Kind("emojis/{id}", limits.EMOJI_BYTES, ANY)
STICKERS = Kind("stickers/{id}", limits.STICKER_BYTES, frozenset({"png", "gif"}), resized=False)

KINDS = (
    ICONS,
    SPLASHES,
    DISCOVERY_SPLASHES,
    HOME_HEADERS,
    BANNERS,
    AVATARS,
    MEMBER_AVATARS,
    MEMBER_BANNERS,
    APP_ICONS,
    ROLE_ICONS,
    EVENT_COVERS,
    EMOJIS,
    STICKERS,
)


class Found(NamedTuple):
    """What a name says. The hash is empty where there is none."""

    kind: Kind
    ids: tuple[int, ...]
    hash: str


def name_of(kind: Kind, ids: Sequence[int], hash_: str) -> str:
    """The stored name, which is the path without extension."""
    values = iter(ids)
    segments = (str(next(values)) if part == "{id}" else part for part in kind.template.split("/"))
    return "/".join(hash_ if part == "{hash}" else part for part in segments)


def parse_name(name: str) -> Found | None:
    """None for what is no image's name."""
    parts = name.split("/")
    for kind in KINDS:
        template = kind.template.split("/")
        if len(parts) == len(template) and all(map(_fits, template, parts)):
            pairs = list(zip(template, parts, strict=True))
            ids = tuple(int(part) for slot, part in pairs if slot == "{id}")
            if max(ids) > MAX_STRING_INT:
                return None
            return Found(kind, ids, "".join(part for slot, part in pairs if slot == "{hash}"))
    return None


def _fits(slot: str, part: str) -> bool:
    pattern = {"{id}": _ID, "{hash}": _HASH}.get(slot)
    return part == slot if pattern is None else pattern.fullmatch(part) is not None
