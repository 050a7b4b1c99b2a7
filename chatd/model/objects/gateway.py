"""The gateway's own payloads (topics/gateway, events/gateway-events)."""

from enum import IntEnum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, UnsetType, field

from chatd.model import limits
from chatd.model.objects.channel import DirectChannel
from chatd.model.objects.guild import Member, UnavailableGuild
from chatd.model.objects.presence import PresenceParams, PresenceUpdate
from chatd.model.objects.read_state import ReadState
from chatd.model.objects.relationship import Relationship
from chatd.model.objects.role import Role
from chatd.model.objects.thread import Thread, ThreadMember
from chatd.model.objects.user import CurrentUser, User
from chatd.model.objects.voice import VoiceState
from chatd.model.wire import Object, Params, Snowflake


class Op(IntEnum):
    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE_UPDATE = 3
    VOICE_STATE_UPDATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_GUILD_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Hello(Object, frozen=True, kw_only=True):
    heartbeat_interval: int  # milliseconds


class SessionStartLimit(Object, frozen=True, kw_only=True):
    total: int
    remaining: int
    reset_after: int  # milliseconds
    max_concurrency: int


class GatewayUrl(Object, frozen=True, kw_only=True):
    url: str


class GatewayBot(Object, frozen=True, kw_only=True):
    url: str
    shards: int
    session_start_limit: SessionStartLimit


class ReadyApplication(Object, frozen=True, kw_only=True):
    id: Snowflake
    flags: int


class Ready(Object, frozen=True, kw_only=True):
    v: int
    user: CurrentUser
    guilds: tuple[UnavailableGuild | Raw, ...]  # whole ones are encoded already
    session_id: str
    resume_gateway_url: str
    private_channels: tuple[DirectChannel, ...] = ()
    read_state: tuple[ReadState, ...] | UnsetType = UNSET  # this and the next are people's only
    relationships: tuple[Relationship, ...] | UnsetType = UNSET
    shard: tuple[int, int] | UnsetType = UNSET
    application: ReadyApplication | UnsetType = UNSET


class ConnectionProperties(Params, kw_only=True):
    """What shows where the user is; names with a dollar are the older form."""

    browser: str | None = None
    dollar_browser: str | None = field(name="$browser", default=None)


class Identify(Params, kw_only=True):
    token: str
    properties: ConnectionProperties | None = None
    # People's clients may leave it out: they see everything that their permissions show.
    intents: int | UnsetType = UNSET
    compress: bool | str | None = None
    shard: tuple[int, int] | None = None
    presence: PresenceParams | None = None
    large_threshold: Annotated[int, Meta(ge=limits.LARGE_THRESHOLD[0], le=limits.LARGE_THRESHOLD[1])] = (
        limits.LARGE_THRESHOLD_DEFAULT
    )


class Resume(Params, kw_only=True):
    token: str
    session_id: str
    seq: int


class RequestGuildMembers(Params, kw_only=True):
    """Request Guild Members (op 8): one id or a list of them, as strings or numbers, whatever the library sends."""

    guild_id: str | int | list[str | int]
    query: str | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=0)] = 0
    presences: bool | None = None
    user_ids: str | int | list[str | int] | None = None
    nonce: str | None = None


class MembersChunk(Object, frozen=True, kw_only=True):
    guild_id: Snowflake
    members: tuple[Member, ...]
    chunk_index: int
    chunk_count: int
    not_found: tuple[Snowflake, ...] = ()
    presences: tuple[PresenceUpdate, ...] | UnsetType = UNSET
    nonce: str | UnsetType = UNSET


class MemberRequestMeta(Object, frozen=True, kw_only=True):
    guild_id: Snowflake
    nonce: str | UnsetType = UNSET


class RateLimited(Object, frozen=True, kw_only=True):
    """RATE_LIMITED: a command was not carried out."""

    opcode: int
    retry_after: float  # seconds
    meta: MemberRequestMeta


class GuildRole(Object, frozen=True, kw_only=True):
    """GUILD_ROLE_CREATE and GUILD_ROLE_UPDATE."""

    guild_id: Snowflake
    role: Role


class GuildMemberAdd(Member, frozen=True, kw_only=True):
    """GUILD_MEMBER_ADD and GUILD_MEMBER_UPDATE."""

    guild_id: Snowflake


class GuildVoiceState(VoiceState, frozen=True, kw_only=True):
    """A voice state by itself: VOICE_STATE_UPDATE, and over REST."""

    guild_id: Snowflake
    member: Member | UnsetType = UNSET


class GuildMemberRemove(Object, frozen=True, kw_only=True):
    guild_id: Snowflake
    user: User


class GuildDelete(Object, frozen=True, kw_only=True):
    """GUILD_DELETE without `unavailable`: the user is no member any more, or the guild is gone."""

    id: Snowflake


class GuildRoleDelete(Object, frozen=True, kw_only=True):
    guild_id: Snowflake
    role_id: Snowflake


class GuildBan(Object, frozen=True, kw_only=True):
    """GUILD_BAN_ADD and GUILD_BAN_REMOVE."""

    guild_id: Snowflake
    user: User


class NewThread(Thread, frozen=True, kw_only=True):
    """THREAD_CREATE of a thread that was not there before."""

    newly_created: Literal[True] = True


class ThreadDelete(Object, frozen=True, kw_only=True):
    id: Snowflake
    guild_id: Snowflake
    parent_id: Snowflake
    type: int


class ThreadListSync(Object, frozen=True, kw_only=True):
    guild_id: Snowflake
    channel_ids: tuple[Snowflake, ...]
    threads: tuple[Thread, ...]
    members: tuple[ThreadMember, ...]


class ThreadMemberUpdate(ThreadMember, frozen=True, kw_only=True):
    guild_id: Snowflake


class AddedThreadMember(ThreadMember, frozen=True, kw_only=True):
    member: Member
    presence: PresenceUpdate | None


class ThreadMembersUpdate(Object, frozen=True, kw_only=True):
    id: Snowflake
    guild_id: Snowflake
    member_count: int
    added_members: tuple[AddedThreadMember, ...] | UnsetType = UNSET
    removed_member_ids: tuple[Snowflake, ...] | UnsetType = UNSET


class MessageDelete(Object, frozen=True, kw_only=True):
    id: Snowflake
    channel_id: Snowflake
    guild_id: Snowflake | UnsetType = UNSET


class MessageDeleteBulk(Object, frozen=True, kw_only=True):
    ids: tuple[Snowflake, ...]
    channel_id: Snowflake
    guild_id: Snowflake | UnsetType = UNSET


class TypingStart(Object, frozen=True, kw_only=True):
    channel_id: Snowflake
    user_id: Snowflake
    timestamp: int  # Unix seconds
    guild_id: Snowflake | UnsetType = UNSET
    member: Member | UnsetType = UNSET
