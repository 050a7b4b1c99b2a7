"""Stickers (resources/sticker). There are no standard ones, hence no packs."""

from enum import IntEnum
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.user import User
from chatd.model.wire import FormParams, Object, Params, Snowflake, length


class StickerFormat(IntEnum):
    """Sticker Format Types. Lottie, 3, is for guilds that Discord has verified."""

    PNG = 1
    APNG = 2
    GIF = 4


class StickerExtra(Object, frozen=True, gc=False, kw_only=True):
    """The part of a sticker that no query looks at; stored as JSON."""

    description: str | None
    tags: str
    format_type: int


class Sticker(StickerExtra, frozen=True, kw_only=True):
    """A sticker of a guild. `user`, who made it, is shown to some askers only."""

    id: Snowflake
    name: str
    guild_id: Snowflake
    type: int = 2
    available: bool = True
    user: User | UnsetType = UNSET


class StickerItem(Object, frozen=True, gc=False, kw_only=True):
    """A sticker as a message shows it."""

    id: Snowflake
    name: str
    format_type: int


class StickerPacks(Object, frozen=True, kw_only=True):
    """List Sticker Packs."""

    sticker_packs: tuple[()] = ()


class GuildStickersUpdate(Object, frozen=True, kw_only=True):
    """GUILD_STICKERS_UPDATE: all that there are now."""

    guild_id: Snowflake
    stickers: tuple[Sticker, ...]


StickerName = Annotated[str, length(limits.STICKER_NAME_LENGTH)]
# Empty, or 2 to 100 characters.
StickerDescription = Annotated[str, Meta(max_length=limits.STICKER_DESCRIPTION_LENGTH[1], pattern=r"(?s)^(..+)?\Z")]
StickerTags = Annotated[str, Meta(min_length=1, max_length=limits.STICKER_TAGS_LENGTH)]


class StickerCreate(FormParams, kw_only=True):
    """Create Guild Sticker."""

    name: StickerName
    tags: StickerTags
    file: bytes
    description: StickerDescription | None = None


class StickerPatch(Params, kw_only=True):
    """Modify Guild Sticker."""

    name: StickerName | UnsetType = UNSET
    description: StickerDescription | UnsetType | None = UNSET
    tags: StickerTags | UnsetType = UNSET
