"""Channels (resources/channel)."""

from enum import IntEnum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Permissions, Snowflake


class ChannelType(IntEnum):
    """The kinds that this server knows."""

    GUILD_TEXT = 0
    DM = 1
    GUILD_VOICE = 2
    GUILD_CATEGORY = 4
    GUILD_ANNOUNCEMENT = 5
    GUILD_STAGE_VOICE = 13


VOICE_TYPES: frozenset[int] = frozenset((ChannelType.GUILD_VOICE, ChannelType.GUILD_STAGE_VOICE))

# Kinds that hold messages: a voice channel has a text chat of its own.
MESSAGE_TYPES = frozenset((ChannelType.GUILD_TEXT, ChannelType.DM, ChannelType.GUILD_ANNOUNCEMENT, *VOICE_TYPES))


class OverwriteType(IntEnum):
    ROLE = 0
    MEMBER = 1


class Overwrite(Object, frozen=True, gc=False, kw_only=True):
    id: Snowflake
    type: int
    allow: Permissions
    deny: Permissions


class ChannelExtra(Object, frozen=True, gc=False, kw_only=True):
    """The part of a guild channel that no query looks at; stored as JSON."""

    topic: str | None = None
    nsfw: bool = False
    rate_limit_per_user: int = 0
    bitrate: int | UnsetType = UNSET
    user_limit: int | UnsetType = UNSET
    rtc_region: str | UnsetType | None = UNSET
    flags: int = 0


# What a new voice channel has where its maker says nothing.
VOICE_DEFAULTS = ChannelExtra(bitrate=64000, user_limit=0, rtc_region=None)


class Channel(Object, frozen=True, kw_only=True):
    """A channel of a guild."""

    id: Snowflake
    type: int
    guild_id: Snowflake
    position: int
    permission_overwrites: tuple[Overwrite, ...]
    name: str
    parent_id: Snowflake | None
    topic: str | None
    nsfw: bool
    last_message_id: Snowflake | None
    rate_limit_per_user: int
    flags: int
    bitrate: int | UnsetType = UNSET
    user_limit: int | UnsetType = UNSET
    rtc_region: str | UnsetType | None = UNSET


class DirectChannel(Object, frozen=True, kw_only=True):
    """A DM as one of the two sees it: `recipients` is the other one."""

    id: Snowflake
    type: Literal[1]
    recipients: tuple[User, ...]
    last_message_id: Snowflake | None = None
    flags: int = 0


class OverwriteParams(Params, kw_only=True):
    id: Snowflake
    type: Literal[0, 1]
    allow: Permissions = Permissions(0)
    deny: Permissions = Permissions(0)


ChannelName = Annotated[str, Meta(min_length=1, max_length=100)]
Topic = Annotated[str, Meta(max_length=1024)]
Slowmode = Annotated[int, Meta(ge=0, le=21600)]
Bitrate = Annotated[int, Meta(ge=8000, le=384000)]
UserLimit = Annotated[int, Meta(ge=0, le=99)]
Region = Annotated[str, Meta(max_length=100)]
Position = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class ChannelCreate(Params, kw_only=True):
    """Create Guild Channel."""

    name: ChannelName
    type: Literal[0, 2, 4, 5, 13] = 0
    topic: Topic | None = None
    bitrate: Bitrate | None = None
    user_limit: UserLimit | None = None
    rate_limit_per_user: Slowmode | None = None
    position: Position | None = None
    permission_overwrites: Annotated[list[OverwriteParams], Meta(max_length=1000)] | None = None
    parent_id: Snowflake | None = None
    nsfw: bool | None = None
    rtc_region: Region | None = None


class ChannelPatch(Params, kw_only=True):
    """Modify Channel."""

    name: ChannelName | UnsetType = UNSET
    type: Literal[0, 5] | UnsetType = UNSET  # text and announcement channels may turn into one another
    position: Position | UnsetType | None = UNSET
    topic: Topic | UnsetType | None = UNSET
    nsfw: bool | UnsetType | None = UNSET
    rate_limit_per_user: Slowmode | UnsetType | None = UNSET
    bitrate: Bitrate | UnsetType | None = UNSET
    user_limit: UserLimit | UnsetType | None = UNSET
    permission_overwrites: Annotated[list[OverwriteParams], Meta(max_length=1000)] | UnsetType | None = UNSET
    parent_id: Snowflake | UnsetType | None = UNSET
    rtc_region: Region | UnsetType | None = UNSET
