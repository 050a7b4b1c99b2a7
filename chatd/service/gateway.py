"""What a gateway client may do: identify, resume, set its presence, ask for members. Docs: events/gateway.

A session is made here and lives in `live.sessions`; it ends when its client says goodbye, or when nobody has resumed
it within the window. Sockets are `chatd.gateway`'s.
"""

import itertools
import secrets
from collections.abc import Iterable, Sequence

import trio
from msgspec import UNSET

from chatd.live.frames import Event
from chatd.live.presence import Presence
from chatd.live.presence import update as presence_update
from chatd.live.sessions import Session
from chatd.model import intents
from chatd.model.errors import (
    CLOSE_AUTHENTICATION_FAILED,
    CLOSE_DISALLOWED_INTENTS,
    CLOSE_INVALID_INTENTS,
    CLOSE_INVALID_SEQ,
    CLOSE_INVALID_SHARD,
    ApiError,
)
from chatd.model.objects.application import INTENT_FLAGS
from chatd.model.objects.gateway import (
    GatewayBot,
    GatewayUrl,
    Identify,
    MembersChunk,
    Ready,
    ReadyApplication,
    RequestGuildMembers,
    Resume,
    SessionStartLimit,
)
from chatd.model.objects.guild import Member, UnavailableGuild
from chatd.model.objects.presence import Activity, PresenceParams, PresenceUpdate
from chatd.model.ratelimit import Rule
from chatd.model.wire import Snowflake, encode
from chatd.service import access, auth, channels, guilds, users
from chatd.service.actors import Actor
from chatd.service.commits import mark
from chatd.service.core import Core

DAY_S = 86400
# IDENTIFYs are counted in windows of this length (events/gateway, "Rate Limiting").
IDENTIFY_WINDOW_S = 5
CHUNK_MEMBERS = 1000
# A longer nonce is ignored (events/gateway-events, "Request Guild Members").
NONCE_BYTES = 32


def url(core: Core, host: str) -> str:
    """The address that clients open a WebSocket to. `host` is what the request was addressed to."""
    public = core.config.server.public_url
    if public:
        return public.replace("http", "ws", 1).rstrip("/") + "/gateway"
    return f"{'wss' if core.config.server.tls_cert else 'ws'}://{host}/gateway"


async def discover(core: Core, host: str) -> GatewayUrl:
    """Docs: events/gateway, "Get Gateway"."""
    return GatewayUrl(url=url(core, host))


async def discover_bot(core: Core, me: Actor, host: str) -> GatewayBot:
    """Docs: events/gateway, "Get Gateway Bot". One shard is always enough here."""
    verdict = core.limiter.peek(("session_start", me.id), _starts(core), core.clock_ms() / 1000)
    limit = SessionStartLimit(
        total=core.config.gateway.session_starts_per_day,
        remaining=verdict.remaining,
        reset_after=int(verdict.reset_after_s * 1000),
        max_concurrency=core.config.gateway.max_concurrency,
    )
    return GatewayBot(url=url(core, host), shards=1, session_start_limit=limit)


async def identify(core: Core, body: Identify, version: int, host: str) -> Session | None:
    """A new session, with READY as its first event; None when the user has started too many (op 9).

    The guilds follow by `feed`. Raises GatewayClose 4004, 4010, 4013, 4014.
    """
    try:
        me = await auth.authenticate_token(core, body.token)
    except ApiError:
        raise CLOSE_AUTHENTICATION_FAILED() from None
    shard = body.shard or (0, 1)
    if not 0 <= shard[0] < shard[1]:
        raise CLOSE_INVALID_SHARD()
    wanted = _intents(me, body)
    if core.config.limits.rate_limits and not _may_start(core, me, shard[0]):
        return None
    current = await users.me(core, me)
    session = Session(
        id_=secrets.token_hex(16),
        token=me.token,
        user=me.user,
        intents=wanted,
        shard=shard,
        version=version,
        ring_events=core.config.gateway.ring_events,
        presence=_presence(core, body.presence or PresenceParams()),
    )
    private = tuple(await channels.directs(core, me)) if shard[0] == 0 else ()
    member_of = await access.load_memberships(core, me.id)
    # No await from here: who joins a guild from now on finds the session, and so does a logout.
    if core.actors.get(me.token, core.clock_ms()) is None:
        raise CLOSE_AUTHENTICATION_FAILED()
    ready = Ready(
        v=version,
        user=current,
        guilds=tuple(UnavailableGuild(id=Snowflake(id_)) for id_ in sorted(member_of) if session.serves(id_)),
        session_id=session.id,
        resume_gateway_url=url(core, host),
        private_channels=private,
        shard=UNSET if body.shard is None else shard,
        application=ReadyApplication(id=me.user.id, flags=me.application_flags)
        if me.application_flags is not None
        else UNSET,
    )
    before = core.live.presence_of(me.id)
    core.live.sessions.add(session)
    core.live.push(session, "READY", ready)
    _announce(core, session, before)
    return session


async def feed(core: Core, session: Session) -> None:
    """Send GUILD_CREATE for every guild that READY announced, as fast as the client takes them."""
    for guild_id in sorted(await access.load_memberships(core, session.user.id)):
        if not session.serves(guild_id):
            continue
        guild = await access.load_guild(core, guild_id)
        await _drained(session)
        if session not in core.live.sessions:
            return
        if guild is not None and session.user.id in guild.members:
            guilds.subscribe(core, session, guild, unavailable=False)
    horizon = core.live.bus.horizon
    await core.live.bus.flush()
    session.base_position = horizon  # up to here it has counted everything


async def find_resumable(core: Core, body: Resume) -> Session | None:
    """The client's session, which may have lost what comes after `body.seq`; None when there is none (op 9).

    Raises GatewayClose 4004 for a bad token, 4007 for a sequence number from the future.
    """
    try:
        me = await auth.authenticate_token(core, body.token)
    except ApiError:
        raise CLOSE_AUTHENTICATION_FAILED() from None
    session = core.live.sessions.get(body.session_id)
    if session is None or session.user.id != me.id:
        return None
    if body.seq > session.seq:
        raise CLOSE_INVALID_SEQ()
    session.token = me.token
    return session


def is_resumable(core: Core, session: Session, seq: int) -> bool:
    """Whether the session lives, and still has every event after `seq`."""
    return session in core.live.sessions and session.can_replay(seq)


def detach(core: Core, session: Session) -> None:
    """The socket is gone; the session waits for a RESUME."""
    session.connection = None
    session.detached_at = trio.current_time()


def end(core: Core, session: Session) -> None:
    """The session is over: it gets no more events, and its user may be offline now."""
    session.connection = None
    if session not in core.live.sessions:
        return
    before = core.live.presence_of(session.user.id)
    core.live.sessions.remove(session)
    for guild_id in tuple(session.guild_ids):
        core.live.guilds[guild_id].remove_session(session)
    _announce(core, session, before)


async def sweep(core: Core) -> None:
    """End the sessions that nobody came back for."""
    oldest = trio.current_time() - core.config.gateway.resume_window_s
    for session in core.live.sessions:
        if session.connection is None and session.detached_at < oldest:
            end(core, session)


def update_presence(core: Core, session: Session, body: PresenceParams) -> None:
    """Docs: events/gateway-events, "Update Presence"."""
    before = core.live.presence_of(session.user.id)
    core.live.sessions.set_presence(session, _presence(core, body))
    _announce(core, session, before)


async def request_members(core: Core, session: Session, body: RequestGuildMembers) -> None:
    """Answer with chunks; a guild that the user is not in gets none. Docs: events/gateway-events."""
    nonce = UNSET if body.nonce is None or len(body.nonce.encode()) > NONCE_BYTES else body.nonce
    await mark(core, (session.user.id,))
    for guild_id in _ids(body.guild_id):
        guild = core.live.guilds.get(guild_id)
        if guild is None or session not in guild.sessions:
            continue
        asked = _ids(body.user_ids) if body.user_ids is not None else None
        found = _select(guild.members, body, asked, bool(session.intents & intents.GUILD_MEMBERS))
        not_found = tuple(Snowflake(id_) for id_ in asked or () if id_ not in guild.members)
        with_presences = body.presences and session.intents & intents.GUILD_PRESENCES
        chunks = [found[i : i + CHUNK_MEMBERS] for i in range(0, len(found), CHUNK_MEMBERS)] or [[]]
        for index, selected in enumerate(chunks):
            await _drained(session)
            # What has changed since: events about it have been sent already.
            members = tuple(guild.members[id_] for m in selected if (id_ := m.user.id) in guild.members)
            chunk = MembersChunk(
                guild_id=guild.guild.id,
                members=members,
                chunk_index=index,
                chunk_count=len(chunks),
                not_found=not_found if index == 0 else (),
                presences=_presences(core, guild_id, members) if with_presences else UNSET,
                nonce=nonce,
            )
            # Past the bus, where nobody could wait for it. It may overtake events whose outcome it has.
            session.push(Event("GUILD_MEMBERS_CHUNK", encode(chunk)))


async def _drained(session: Session) -> None:
    """Let a slow client take what it was sent, before it is sent more."""
    if session.connection is not None:
        await session.connection.drained()
    else:
        await trio.lowlevel.checkpoint()


# --- limits and intents ----------------------------------------------------------------------------------------------


def _intents(me: Actor, body: Identify) -> int:
    """Raises GatewayClose 4013, 4014."""
    if body.intents is UNSET:
        if me.is_bot:
            raise CLOSE_INVALID_INTENTS()
        return intents.ALL
    if body.intents & ~intents.ALL or body.intents < 0:
        raise CLOSE_INVALID_INTENTS()
    for intent, flags in INTENT_FLAGS.items():
        if body.intents & intent and me.application_flags is not None and not me.application_flags & flags:
            raise CLOSE_DISALLOWED_INTENTS()
    return body.intents


def _starts(core: Core) -> Rule:
    return Rule(core.config.gateway.session_starts_per_day, DAY_S)


def _may_start(core: Core, me: Actor, shard_id: int) -> bool:
    """Docs: events/gateway, "Session Start Limit Object": so many a day, and `max_concurrency` buckets in 5 s."""
    now = core.clock_ms() / 1000
    concurrency = core.config.gateway.max_concurrency
    key = ("identify", me.id, shard_id % concurrency)
    return (
        core.limiter.hit(key, Rule(concurrency, IDENTIFY_WINDOW_S), now).allowed
        and core.limiter.hit(("session_start", me.id), _starts(core), now).allowed
    )


# --- presence --------------------------------------------------------------------------------------------------------


def _presence(core: Core, body: PresenceParams) -> Presence:
    received = body.activities if body.activities is not None else [body.game] if body.game is not None else []
    activities = tuple(
        Activity(
            name=activity.name,
            type=activity.type,
            created_at=core.clock_ms(),
            url=UNSET if activity.url is None else activity.url,
            state=UNSET if activity.state is None else activity.state,
        )
        for activity in received
    )
    return Presence(status=body.status, activities=activities)


def _announce(core: Core, session: Session, before: Presence) -> None:
    """Tell the user's guilds, if others see it differently now."""
    after = core.live.presence_of(session.user.id)
    if after == before:
        return
    for guild_id in core.live.memberships.get(session.user.id, ()):
        guild = core.live.guilds.get(guild_id)
        if guild is not None:
            core.live.to_guild(guild, "PRESENCE_UPDATE", presence_update(guild_id, session.user, after))


# --- members ---------------------------------------------------------------------------------------------------------


def _ids(given: str | int | Sequence[str | int]) -> list[int]:
    """Whatever the library sent; what is no number names nobody."""
    many = [given] if isinstance(given, str | int) else given
    return [int(id_) for id_ in many if isinstance(id_, int) or (id_.isascii() and id_.isdigit())]


def _select(
    members: dict[int, Member], body: RequestGuildMembers, asked: list[int] | None, may_list_all: bool
) -> list[Member]:
    if asked is not None:
        return [members[id_] for id_ in asked[:100] if id_ in members]
    query = "" if body.query is UNSET else body.query.lower()
    if not query and not body.limit:
        return list(members.values()) if may_list_all else []
    limit = min(body.limit or 100, 100)
    matching = (m for m in members.values() if _name_starts_with(m, query))
    return list(itertools.islice(matching, limit))


def _name_starts_with(member: Member, query: str) -> bool:
    return any(name is not None and name.lower().startswith(query) for name in (member.user.username, member.nick))


def _presences(core: Core, guild_id: int, chunk: Iterable[Member]) -> tuple[PresenceUpdate, ...]:
    return tuple(
        presence_update(guild_id, member.user, core.live.presence_of(member.user.id))
        for member in chunk
        if core.live.is_online(member.user.id)
    )
