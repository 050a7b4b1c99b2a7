"""Gateway sessions from IDENTIFY to their end. Docs: events/gateway.

A session is made here and lives in `live.sessions`; it ends when its client says goodbye, or when nobody has resumed
it within the window. Sockets are `chatd.gateway`'s.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from msgspec import UNSET

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
    Ready,
    ReadyApplication,
    Resume,
    SessionStartLimit,
)
from chatd.model.objects.guild import UnavailableGuild
from chatd.model.objects.presence import PresenceParams
from chatd.model.ratelimit import Rule
from chatd.model.wire import Snowflake
from chatd.service import access, auth, membership
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.presence import announce, platform_of, presence_from
from chatd.service.ready import load_personal, whole_guilds

DAY_S = 86400
# IDENTIFYs are counted in windows of this length (events/gateway, "Rate Limiting").
IDENTIFY_WINDOW_S = 5


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

    The guilds that are not in it follow by `feed`. Raises GatewayClose 4004, 4010, 4013, 4014.
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
    personal = await load_personal(core, me)
    session = Session(
        id_=secrets.token_hex(16),
        token=me.token,
        user=me.user,
        intents=wanted,
        shard=shard,
        version=version,
        ring_events=core.config.gateway.ring_events,
        presence=presence_from(core, me.user, body.presence or PresenceParams(), platform_of(body.properties)),
        ring_bytes=core.config.gateway.ring_bytes,
        large_threshold=body.large_threshold,
    )
    session.identified_at = trio.current_time()
    member_of = core.live.memberships[me.id]
    # No await from here: who joins a guild from now on finds the session, and so does a logout.
    if core.actors.get(me.token, core.clock_ms()) is None:
        raise CLOSE_AUTHENTICATION_FAILED()
    before = core.live.presence_of(me.id)
    core.live.sessions.add(session)
    announce(core, me.user, before)
    mine = [guild_id for guild_id in sorted(member_of) if session.serves(guild_id)]
    stubs = tuple(UnavailableGuild(id=Snowflake(guild_id)) for guild_id in mine)
    ready = Ready(
        v=version,
        user=personal.user,
        guilds=stubs if me.is_bot else whole_guilds(core, session, mine),
        session_id=session.id,
        resume_gateway_url=url(core, host),
        private_channels=personal.private_channels if shard[0] == 0 else (),
        read_state=personal.read_state,
        relationships=personal.relationships,
        shard=UNSET if body.shard is None else shard,
        application=ReadyApplication(id=me.user.id, flags=me.application_flags)
        if me.application_flags is not None
        else UNSET,
    )
    core.live.push(session, "READY", ready)
    return session


async def feed(core: Core, session: Session, turns: trio.Semaphore) -> None:
    """Send GUILD_CREATE for every guild that READY announced as unavailable, as fast as the client takes them.

    Each takes one of the `turns`, which a slow client does not hold while it is waited for.
    """
    for guild_id in sorted(await access.load_memberships(core, session.user.id)):
        if not session.serves(guild_id):
            continue
        await session.drained()
        async with _turn(turns):
            guild = await access.load_guild(core, guild_id)
            if session not in core.live.sessions:
                return
            if guild is not None and session.user.id in guild.members:
                membership.subscribe(core, session, guild, unavailable=False)
    horizon = core.live.bus.horizon
    await core.live.bus.flush()
    session.base_position = horizon  # up to here it has counted everything
    core.live.begun.add(session)


@asynccontextmanager
async def _turn(turns: trio.Semaphore) -> AsyncIterator[None]:
    """As `async with turns`, which goes once around the event loop even when nobody is ahead."""
    try:
        turns.acquire_nowait()
    except trio.WouldBlock:
        await turns.acquire()
    try:
        yield
    finally:
        turns.release()


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
    core.live.departed.add(session.user.id)
    for guild_id in tuple(session.guild_ids):
        core.live.guilds[guild_id].remove_session(session)
    announce(core, session.user, before)


async def sweep(core: Core) -> None:
    """End the sessions that nobody came back for."""
    oldest = trio.current_time() - core.config.gateway.resume_window_s
    for session in core.live.sessions:
        if session.connection is None and session.detached_at < oldest:
            end(core, session)


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
