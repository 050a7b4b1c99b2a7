"""Guilds and their members (resources/guild)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.channel import Channel, ChannelCreate
from chatd.model.objects.emoji import Emoji
from chatd.model.objects.presence import PresenceUpdate
from chatd.model.objects.role import Color, Role, RoleColorsParams, UnicodeEmoji
from chatd.model.objects.scheduled_event import ScheduledEventView
from chatd.model.objects.sticker import Sticker
from chatd.model.objects.thread import Thread
from chatd.model.objects.user import User
from chatd.model.objects.voice import VoiceState
from chatd.model.wire import ImageParams, Object, Params, Permissions, Snowflake, length

# What Discord gives to boosted or partnered guilds, and this server to every guild.
GRANTED_FEATURES = (
    "ANIMATED_BANNER",
    "ANIMATED_ICON",
    "BANNER",
    "INVITE_SPLASH",
    "NEWS",
    "ROLE_ICONS",
    "VANITY_URL",
    "VIP_REGIONS",
)
COMMUNITY, DISCOVERABLE, INVITES_DISABLED = "COMMUNITY", "DISCOVERABLE", "INVITES_DISABLED"
RAID_ALERTS_DISABLED, WELCOME_SCREEN_ENABLED = "RAID_ALERTS_DISABLED", "WELCOME_SCREEN_ENABLED"
# What Modify Guild may switch ("Mutable Guild Features").
MUTABLE_FEATURES = frozenset((COMMUNITY, DISCOVERABLE, INVITES_DISABLED, RAID_ALERTS_DISABLED))


class GuildExtra(Object, frozen=True, kw_only=True):
    """The part of a guild that no query looks at; stored as JSON."""

    icon: str | None = None
    description: str | None = None
    home_header: str | None = None
    splash: str | None = None
    discovery_splash: str | None = None
    features: tuple[str, ...] = GRANTED_FEATURES
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
    premium_progress_bar_enabled: bool = False
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
    nsfw: bool = False
    incidents_data: None = None


class GuildView(Guild, frozen=True, kw_only=True):
    """A guild over REST."""

    roles: tuple[Role, ...]
    emojis: tuple[Emoji, ...]
    stickers: tuple[Sticker, ...]
    approximate_member_count: int | UnsetType = UNSET
    approximate_presence_count: int | UnsetType = UNSET


class GuildPreview(Object, frozen=True, kw_only=True):
    """What those who are no members may see of a discoverable guild."""

    id: Snowflake
    name: str
    icon: str | None
    description: str | None
    home_header: str | None
    splash: str | None
    discovery_splash: str | None
    features: tuple[str, ...]
    approximate_member_count: int
    approximate_presence_count: int
    emojis: tuple[()] = ()
    stickers: tuple[()] = ()


class VanityUrl(Object, frozen=True, kw_only=True):
    """Get Guild Vanity URL."""

    code: str | None
    uses: int


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
    threads: tuple[Thread, ...] = ()
    stage_instances: tuple[()] = ()
    guild_scheduled_events: tuple[ScheduledEventView, ...] = ()
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


GuildName = Annotated[str, length(limits.GUILD_NAME_LENGTH)]


class RoleTemplate(Params, kw_only=True):
    """A role of Create Guild; `id` is a placeholder that the channels' overwrites may name."""

    id: Snowflake
    name: Annotated[str, Meta(max_length=limits.ROLE_NAME_LENGTH[1])] = "new role"
    permissions: Permissions | None = None
    color: Color = 0
    colors: RoleColorsParams | None = None
    hoist: bool = False
    unicode_emoji: UnicodeEmoji | None = None
    mentionable: bool = False


class ChannelTemplate(ChannelCreate, kw_only=True):
    """A channel of Create Guild; `id` is a placeholder that `parent_id` may name.

    Overwrites name the placeholders of roles. The order of the channels makes their positions.
    """

    id: Snowflake | UnsetType = UNSET


GuildRegion = Annotated[str, Meta(max_length=100)]
VerificationLevel = Literal[0, 1, 2, 3, 4]
Notifications = Literal[0, 1]
ContentFilter = Literal[0, 1, 2]
AfkTimeout = Literal[60, 300, 900, 1800, 3600]  # seconds
SystemChannelFlags = Annotated[int, Meta(ge=0, le=2**31 - 1)]
# Docs: reference, "Locales".
Locale = Literal[
    "ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "he", "hi", "hr", "hu", "id",
    "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th", "tr", "uk", "vi", "zh-CN", "zh-TW",
]  # fmt: skip


class GuildCreateParams(ImageParams, kw_only=True):
    """Create Guild (POST /guilds), kept although Discord closed it to bots in 2025."""

    name: GuildName
    region: GuildRegion | None = None
    icon: str | None = None
    verification_level: VerificationLevel = 0
    default_message_notifications: Notifications = 0
    explicit_content_filter: ContentFilter = 0
    roles: Annotated[list[RoleTemplate], Meta(max_length=limits.GUILD_ROLES)] = []
    channels: Annotated[list[ChannelTemplate], Meta(max_length=limits.GUILD_CHANNELS)] = []
    afk_channel_id: Snowflake | None = None
    afk_timeout: AfkTimeout = 300
    system_channel_id: Snowflake | None = None
    system_channel_flags: SystemChannelFlags = 0


class GuildPatch(ImageParams, kw_only=True):
    """Modify Guild. Null is the setting's default."""

    name: GuildName | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=300)] | UnsetType | None = UNSET
    region: GuildRegion | UnsetType | None = UNSET
    icon: str | UnsetType | None = UNSET
    verification_level: VerificationLevel | UnsetType | None = UNSET
    default_message_notifications: Notifications | UnsetType | None = UNSET
    explicit_content_filter: ContentFilter | UnsetType | None = UNSET
    preferred_locale: Locale | UnsetType | None = UNSET
    afk_timeout: AfkTimeout | UnsetType | None = UNSET
    afk_channel_id: Snowflake | UnsetType | None = UNSET
    system_channel_id: Snowflake | UnsetType | None = UNSET
    owner_id: Snowflake | UnsetType = UNSET
    splash: str | UnsetType | None = UNSET
    banner: str | UnsetType | None = UNSET
    system_channel_flags: SystemChannelFlags | UnsetType | None = UNSET
    features: Annotated[list[str], Meta(max_length=200)] | UnsetType | None = UNSET
    discovery_splash: str | UnsetType | None = UNSET
    home_header: str | UnsetType | None = UNSET
    rules_channel_id: Snowflake | UnsetType | None = UNSET
    safety_alerts_channel_id: Snowflake | UnsetType | None = UNSET
    public_updates_channel_id: Snowflake | UnsetType | None = UNSET
    premium_progress_bar_enabled: bool | UnsetType | None = UNSET


class VanityUrlPatch(Params, kw_only=True):
    """What Discord's client sends to change the code; null or an empty one takes it away."""

    code: Annotated[str, Meta(pattern="^([A-Za-z0-9-]{2,32})?$")] | None
