"""Channels (resources/channel)."""

from enum import IntEnum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from chatd.model import limits
from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Permissions, Snowflake, length


class ChannelType(IntEnum):
    """The kinds that this server knows."""

    GUILD_TEXT = 0
    DM = 1
    GUILD_VOICE = 2
    GUILD_CATEGORY = 4
    GUILD_ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    GUILD_STAGE_VOICE = 13
    GUILD_FORUM = 15
    GUILD_MEDIA = 16


# Kinds that hold messages: a voice channel has a text chat of its own, a forum holds only threads.
MESSAGE_TYPES = frozenset(
    (
        ChannelType.GUILD_TEXT,
        ChannelType.DM,
        ChannelType.GUILD_VOICE,
        ChannelType.GUILD_ANNOUNCEMENT,
        ChannelType.GUILD_STAGE_VOICE,
        ChannelType.ANNOUNCEMENT_THREAD,
        ChannelType.PUBLIC_THREAD,
        ChannelType.PRIVATE_THREAD,
    )
)
VOICE_TYPES = frozenset((ChannelType.GUILD_VOICE, ChannelType.GUILD_STAGE_VOICE))
FORUM_TYPES = frozenset((ChannelType.GUILD_FORUM, ChannelType.GUILD_MEDIA))
# Kinds that have threads.
PARENT_TYPES = FORUM_TYPES | {ChannelType.GUILD_TEXT, ChannelType.GUILD_ANNOUNCEMENT}
# Kinds that webhooks post to.
WEBHOOK_TYPES = PARENT_TYPES | VOICE_TYPES


class OverwriteType(IntEnum):
    ROLE = 0
    MEMBER = 1


class Overwrite(Object, frozen=True, gc=False, kw_only=True):
    id: Snowflake
    type: int
    allow: Permissions
    deny: Permissions


class ForumTag(Object, frozen=True, gc=False, kw_only=True):
    """A tag that the posts of a forum may have. Its emoji is a guild's own (id) or a unicode one (name), or neither."""

    id: Snowflake
    name: str
    moderated: bool
    emoji_id: Snowflake | None
    emoji_name: str | None


class DefaultReaction(Object, frozen=True, gc=False, kw_only=True):
    emoji_id: Snowflake | None
    emoji_name: str | None


class ChannelExtra(Object, frozen=True, kw_only=True):
    """The part of a guild channel that no query looks at; stored as JSON. What a kind does not have is UNSET."""

    topic: str | None = None
    nsfw: bool = False
    rate_limit_per_user: int = 0
    flags: int = 0
    bitrate: int | UnsetType = UNSET
    user_limit: int | UnsetType = UNSET
    rtc_region: str | UnsetType | None = UNSET
    video_quality_mode: int | UnsetType = UNSET
    default_auto_archive_duration: int | UnsetType = UNSET
    default_thread_rate_limit_per_user: int | UnsetType = UNSET
    available_tags: tuple[ForumTag, ...] | UnsetType = UNSET
    default_reaction_emoji: DefaultReaction | UnsetType | None = UNSET
    default_sort_order: int | UnsetType | None = UNSET
    default_forum_layout: int | UnsetType = UNSET


_VOICE = ChannelExtra(bitrate=64000, user_limit=0, rtc_region=None)
_MEDIA = ChannelExtra(available_tags=(), default_reaction_emoji=None, default_sort_order=None)

# What a new channel has where its maker says nothing, and what setting null goes back to.
DEFAULTS: dict[int, ChannelExtra] = {
    ChannelType.GUILD_TEXT: ChannelExtra(),
    ChannelType.GUILD_VOICE: _VOICE,
    ChannelType.GUILD_CATEGORY: ChannelExtra(),
    ChannelType.GUILD_ANNOUNCEMENT: ChannelExtra(),
    ChannelType.GUILD_STAGE_VOICE: _VOICE,
    ChannelType.GUILD_FORUM: replace(_MEDIA, default_forum_layout=0),
    ChannelType.GUILD_MEDIA: _MEDIA,
}

_COMMON = frozenset(("topic", "nsfw", "rate_limit_per_user", "flags"))
_THREADED = _COMMON | {"default_auto_archive_duration", "default_thread_rate_limit_per_user"}
_WITH_TAGS = _THREADED | {"available_tags", "default_reaction_emoji", "default_sort_order"}
_WITH_VOICE = _COMMON | {"bitrate", "user_limit", "rtc_region", "video_quality_mode"}

# The fields of `ChannelExtra` that each kind has (resources/channel, "Modify Channel").
FIELDS: dict[int, frozenset[str]] = {
    ChannelType.GUILD_TEXT: _THREADED,
    ChannelType.GUILD_VOICE: _WITH_VOICE,
    ChannelType.GUILD_CATEGORY: _COMMON,
    ChannelType.GUILD_ANNOUNCEMENT: _THREADED,
    ChannelType.GUILD_STAGE_VOICE: _WITH_VOICE,
    ChannelType.GUILD_FORUM: _WITH_TAGS | {"default_forum_layout"},
    ChannelType.GUILD_MEDIA: _WITH_TAGS,
}


class Channel(ChannelExtra, frozen=True, kw_only=True):
    """A channel of a guild."""

    id: Snowflake
    type: int
    guild_id: Snowflake
    position: int
    permission_overwrites: tuple[Overwrite, ...]
    name: str
    parent_id: Snowflake | None
    # The newest one that there was: it may be deleted.
    last_message_id: Snowflake | None
    last_pin_timestamp: str | UnsetType = UNSET


class DirectChannel(Object, frozen=True, kw_only=True):
    """A DM as one of the two sees it: `recipients` is the other one."""

    id: Snowflake
    type: Literal[1]
    recipients: tuple[User, ...]
    last_message_id: Snowflake | None = None
    last_pin_timestamp: str | UnsetType = UNSET
    flags: int = 0


class OverwriteParams(Params, kw_only=True):
    id: Snowflake
    type: Literal[0, 1]
    allow: Permissions | None = None
    deny: Permissions | None = None


class OverwritePut(Params, kw_only=True):
    """Edit Channel Permissions."""

    type: Literal[0, 1] | None = None
    allow: Permissions | None = None
    deny: Permissions | None = None


ChannelName = Annotated[str, length(limits.CHANNEL_NAME_LENGTH)]
Topic = Annotated[str, Meta(max_length=limits.FORUM_TOPIC_LENGTH)]  # shorter where it is no forum's
Slowmode = Annotated[int, Meta(ge=0, le=limits.SLOWMODE_S)]
Bitrate = Annotated[int, Meta(ge=8000, le=384000)]
UserLimit = Annotated[int, Meta(ge=0, le=10_000)]  # 99 where it is no stage's
Region = Annotated[str, Meta(max_length=100)]
Position = Annotated[int, Meta(ge=0, le=2**31 - 1)]
VideoQuality = Literal[1, 2]
AutoArchive = Literal[60, 1440, 4320, 10080]
SortOrder = Literal[0, 1]
ForumLayout = Literal[0, 1, 2]
AppliedTags = Annotated[list[Snowflake], Meta(max_length=limits.FORUM_POST_TAGS)]


class EmojiParams(Params, kw_only=True):
    emoji_id: Snowflake | None = None
    emoji_name: Annotated[str, Meta(max_length=100)] | None = None


class ForumTagParams(EmojiParams, kw_only=True):
    """A new tag, or with the id of one that is there, what becomes of it."""

    name: Annotated[str, length(limits.FORUM_TAG_NAME_LENGTH)]
    id: Snowflake | None = None
    moderated: bool | None = None


Overwrites = Annotated[list[OverwriteParams], Meta(max_length=limits.CHANNEL_OVERWRITES)]
Tags = Annotated[list[ForumTagParams], Meta(max_length=limits.FORUM_TAGS)]


class ChannelCreate(Params, kw_only=True):
    """Create Guild Channel. What the kind does not have is ignored."""

    name: ChannelName
    type: Literal[0, 2, 4, 5, 13, 15, 16] | None = None
    topic: Topic | None = None
    bitrate: Bitrate | None = None
    user_limit: UserLimit | None = None
    rate_limit_per_user: Slowmode | None = None
    position: Position | None = None
    permission_overwrites: Overwrites | None = None
    parent_id: Snowflake | None = None
    nsfw: bool | None = None
    rtc_region: Region | None = None
    video_quality_mode: VideoQuality | None = None
    default_auto_archive_duration: AutoArchive | None = None
    default_thread_rate_limit_per_user: Slowmode | None = None
    available_tags: Tags | None = None
    default_reaction_emoji: EmojiParams | None = None
    default_sort_order: SortOrder | None = None
    default_forum_layout: ForumLayout | None = None


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
    permission_overwrites: Overwrites | UnsetType | None = UNSET
    parent_id: Snowflake | UnsetType | None = UNSET
    rtc_region: Region | UnsetType | None = UNSET
    video_quality_mode: VideoQuality | UnsetType | None = UNSET
    default_auto_archive_duration: AutoArchive | UnsetType | None = UNSET
    default_thread_rate_limit_per_user: Slowmode | UnsetType | None = UNSET
    flags: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType | None = UNSET
    available_tags: Tags | UnsetType | None = UNSET
    default_reaction_emoji: EmojiParams | UnsetType | None = UNSET
    default_sort_order: SortOrder | UnsetType | None = UNSET
    default_forum_layout: ForumLayout | UnsetType | None = UNSET


class ChannelOrThreadPatch(ChannelPatch, kw_only=True):
    """Modify Channel with what only threads have; null leaves it as it is. What the kind does not have is ignored."""

    archived: bool | UnsetType | None = UNSET
    auto_archive_duration: AutoArchive | UnsetType | None = UNSET
    locked: bool | UnsetType | None = UNSET
    invitable: bool | UnsetType | None = UNSET
    applied_tags: AppliedTags | UnsetType | None = UNSET


class ChannelPosition(Params, kw_only=True):
    """An entry of Modify Guild Channel Positions."""

    id: Snowflake
    position: Position | UnsetType | None = UNSET
    lock_permissions: bool | None = None
    parent_id: Snowflake | UnsetType | None = UNSET
