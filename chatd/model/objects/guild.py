"""Guilds and their members (resources/guild)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model.objects.channel import Channel, ChannelName
from chatd.model.objects.emoji import Emoji
from chatd.model.objects.presence import PresenceUpdate
from chatd.model.objects.role import Role
from chatd.model.objects.sticker import Sticker
from chatd.model.objects.user import User
from chatd.model.objects.voice import VoiceState
from chatd.model.wire import ImageParams, Object, Params, Permissions, Snowflake


class GuildExtra(Object, frozen=True, kw_only=True):
    """The part of a guild that no query looks at; stored as JSON."""

    icon: str | None = None
    description: str | None = None
    home_header: str | None = None
    splash: str | None = None
    discovery_splash: str | None = None
    features: tuple[str, ...] = ()
    banner: str | None = None
    region: str = "local"
    afk_channel_id: Snowflake | None = None
    afk_timeout: int = 300
    system_channel_id: Snowflake | None = None
    system_channel_flags: int = 0
    widget_enabled: bool = False
    widget_channel_id: Snowflake | None = None
    verification_level: int = 0
    default_message_notifications: int = 0
    mfa_level: int = 0
    explicit_content_filter: int = 0
    vanity_url_code: str | None = None
    preferred_locale: str = "en-US"
    rules_channel_id: Snowflake | None = None
    safety_alerts_channel_id: Snowflake | None = None
    public_updates_channel_id: Snowflake | None = None
    nsfw_level: int = 0


class Guild(GuildExtra, frozen=True, kw_only=True):
    """A guild, without what belongs to it by other tables."""

    id: Snowflake
    name: str
    owner_id: Snowflake
    application_id: None = None
    max_presences: None = None
    max_members: int = 500_000
    max_stage_video_channel_users: int = 50
    max_video_channel_users: int = 25
    premium_tier: int = 0
    premium_subscription_count: int = 0
    premium_progress_bar_enabled: bool = False
    nsfw: bool = False
    incidents_data: None = None


class GuildView(Guild, frozen=True, kw_only=True):
    """A guild over REST."""

    roles: tuple[Role, ...]
    emojis: tuple[Emoji, ...]
    stickers: tuple[Sticker, ...]
    approximate_member_count: int | UnsetType = UNSET
    approximate_presence_count: int | UnsetType = UNSET


class UnavailableGuild(Object, frozen=True, kw_only=True):
    id: Snowflake
    unavailable: Literal[True] = True


class MemberExtra(Object, frozen=True, gc=False, kw_only=True):
    """The part of a membership that no query looks at; stored as JSON."""

    nick: str | None = None
    avatar: str | None = None
    banner: str | None = None
    premium_since: str | None = None
    deaf: bool = False
    mute: bool = False
    flags: int = 0
    pending: bool = False
    communication_disabled_until: str | None = None  # ISO 8601


class MessageMember(Object, frozen=True, kw_only=True):
    """A member beside its user (MESSAGE_CREATE and its like), hence without it."""

    roles: tuple[Snowflake, ...]
    joined_at: str
    nick: str | None
    avatar: str | None
    banner: str | None
    premium_since: str | None
    deaf: bool
    mute: bool
    flags: int
    pending: bool
    communication_disabled_until: str | None


class Member(MessageMember, frozen=True, kw_only=True):
    user: User


class GuildCreate(Guild, frozen=True, kw_only=True):
    """GUILD_CREATE: the guild with everything a session needs to start from."""

    roles: tuple[Role, ...]
    joined_at: str
    large: bool
    member_count: int
    members: tuple[Member, ...]
    channels: tuple[Channel, ...]
    presences: tuple[PresenceUpdate, ...]
    emojis: tuple[Emoji, ...]
    stickers: tuple[Sticker, ...]
    unavailable: bool | UnsetType = UNSET  # false after READY; absent when the user has just joined
    voice_states: tuple[VoiceState, ...] = ()
    threads: tuple[()] = ()
    stage_instances: tuple[()] = ()
    guild_scheduled_events: tuple[()] = ()
    soundboard_sounds: tuple[()] = ()


class MyGuild(Object, frozen=True, kw_only=True):
    """Get Current User Guilds."""

    id: Snowflake
    name: str
    icon: str | None
    banner: str | None
    owner: bool
    permissions: Permissions
    features: tuple[str, ...]
    approximate_member_count: int | UnsetType = UNSET
    approximate_presence_count: int | UnsetType = UNSET


GuildName = Annotated[str, Meta(min_length=2, max_length=100)]


class RoleTemplate(Params, kw_only=True):
    """A role of Create Guild; `id` is a placeholder that the channels' overwrites may name."""

    id: Snowflake
    name: Annotated[str, Meta(max_length=100)] = "new role"
    permissions: Permissions | None = None
    color: Annotated[int, Meta(ge=0, le=0xFFFFFF)] = 0
    hoist: bool = False
    mentionable: bool = False


class ChannelTemplate(Params, kw_only=True):
    """A channel of Create Guild; `id` is a placeholder that `parent_id` may name."""

    name: ChannelName
    type: Literal[0, 2, 4, 5] = 0
    id: Snowflake | UnsetType = UNSET
    parent_id: Snowflake | None = None
    topic: Annotated[str, Meta(max_length=1024)] | None = None


class GuildCreateParams(ImageParams, kw_only=True):
    """Create Guild (POST /guilds), kept although Discord closed it to bots in 2025."""

    name: GuildName
    region: Annotated[str, Meta(max_length=100)] | None = None
    icon: str | None = None
    verification_level: Literal[0, 1, 2, 3, 4] = 0
    default_message_notifications: Literal[0, 1] = 0
    explicit_content_filter: Literal[0, 1, 2] = 0
    roles: Annotated[list[RoleTemplate], Meta(max_length=250)] = []
    channels: Annotated[list[ChannelTemplate], Meta(max_length=500)] = []
    afk_channel_id: Snowflake | None = None
    afk_timeout: Literal[60, 300, 900, 1800, 3600] = 300
    system_channel_id: Snowflake | None = None
    system_channel_flags: int = 0
