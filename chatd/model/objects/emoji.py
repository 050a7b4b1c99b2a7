"""Custom emojis (resources/emoji)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.user import User
from chatd.model.wire import ImageParams, Object, Params, Snowflake


class EmojiExtra(Object, frozen=True, kw_only=True):
    """The part of an emoji that no query looks at; stored as JSON."""

    roles: tuple[Snowflake, ...] = ()  # who may use it; empty: everyone. Those that were deleted still keep others out
    animated: bool = False


class Emoji(EmojiExtra, frozen=True, kw_only=True):
    """An emoji of a guild or of an application. `user`, who made it, is shown to some askers only."""

    id: Snowflake
    name: str
    require_colons: bool = True
    managed: bool = False
    available: bool = True
    user: User | UnsetType = UNSET


class ApplicationEmojis(Object, frozen=True, kw_only=True):
    """List Application Emojis."""

    items: tuple[Emoji, ...]


class GuildEmojisUpdate(Object, frozen=True, kw_only=True):
    """GUILD_EMOJIS_UPDATE: all that there are now."""

    guild_id: Snowflake
    emojis: tuple[Emoji, ...]


# Discord takes no other characters.
EmojiName = Annotated[
    str,
    Meta(min_length=limits.EMOJI_NAME_LENGTH[0], max_length=limits.EMOJI_NAME_LENGTH[1], pattern=r"^[A-Za-z0-9_]+\Z"),
]
EmojiRoles = Annotated[list[Snowflake], Meta(max_length=limits.GUILD_ROLES)]


class ApplicationEmojiCreate(ImageParams, kw_only=True):
    name: EmojiName
    image: str


class ApplicationEmojiPatch(Params, kw_only=True):
    name: EmojiName | UnsetType = UNSET


class EmojiCreate(ApplicationEmojiCreate, kw_only=True):
    """Create Guild Emoji."""

    roles: EmojiRoles | None = None


class EmojiPatch(ApplicationEmojiPatch, kw_only=True):
    """Modify Guild Emoji."""

    roles: EmojiRoles | UnsetType | None = UNSET
