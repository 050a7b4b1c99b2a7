"""Members over the gateway, in chunks. Docs: events/gateway-events, "Request Guild Members".

A session's requests are answered one after the other by one task, which outlives the socket, and in steps of about a
millisecond: a chunk is encoded, or a slice of the names looked at, while it holds `live.turn`. Each chunk has a commit
of its own: it is counted, and cannot be told again.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.live.presence import OFFLINE
from chatd.live.presence import update as presence_update
from chatd.live.sessions import Session
from chatd.model import intents, limits
from chatd.model.errors import CLOSE_RATE_LIMITED, whole_ms
from chatd.model.objects.gateway import MemberRequestMeta, MembersChunk, Op, RateLimited, RequestGuildMembers
from chatd.model.objects.guild import Member
from chatd.model.objects.presence import PresenceUpdate
from chatd.model.ratelimit import Rule
from chatd.model.wire import Snowflake
from chatd.service import access
from chatd.service.commits import mark
from chatd.service.core import Core

# Requests of a session that may wait: as many as a connection may send in a minute. One more closes it.
WAITING = limits.GATEWAY_SENDS
# Names that are looked at in a step.
SCAN = 1000

_FULL_LIST = Rule(1, limits.FULL_MEMBER_REQUEST_WINDOW_S)


def ask(session: Session, body: RequestGuildMembers) -> bool:
    """Queue a request; whether there was none, so that the caller has to start `answer`.

    Raises GatewayClose 4008 with `WAITING` before it, which a client gets to that does not read its answers.
    """
    if len(session.member_requests) >= WAITING:
        raise CLOSE_RATE_LIMITED()
    session.member_requests.append(body)
    return len(session.member_requests) == 1


async def answer(core: Core, session: Session) -> None:
    """Answer what waits, until nothing does or the session has ended."""
    try:
        while session.member_requests and session in core.live.sessions:
            await _answer(core, session, session.member_requests[0])
            session.member_requests.pop(0)
    finally:
        session.member_requests.clear()


async def _answer(core: Core, session: Session, body: RequestGuildMembers) -> None:
    """One guild's chunks, one at least; none for a guild that the user is not in. Of several guilds the first."""
    guild_id = next(_ids(body.guild_id), 0)
    guild = await access.guild_of_session(core, session, guild_id)
    if guild is None:
        return
    # A longer nonce is ignored.
    is_valid = body.nonce is not None and len(body.nonce.encode()) <= limits.MEMBER_REQUEST_NONCE_BYTES
    nonce = body.nonce if is_valid and body.nonce is not None else UNSET
    asked = None if body.user_ids is None else _asked(body.user_ids)
    if asked is None and not body.query and not body.limit:
        wait_s = _wait_s(core, session, guild_id)
        if wait_s:
            meta = MemberRequestMeta(guild_id=guild.guild.id, nonce=nonce)
            refusal = RateLimited(opcode=Op.REQUEST_GUILD_MEMBERS, retry_after=whole_ms(wait_s), meta=meta)
            await mark(core, (session.user.id,), lambda: core.live.push(session, "RATE_LIMITED", refusal))
            return
    found = await _select(core, session, guild, body, asked)
    not_found = tuple(Snowflake(id_) for id_ in asked or () if id_ not in guild.members)
    with_presences = bool(body.presences and session.intents & intents.GUILD_PRESENCES)
    chunk_count = max(1, -(-len(found) // limits.MEMBERS_PER_CHUNK))
    for index in range(chunk_count):
        ids = found[index * limits.MEMBERS_PER_CHUNK :][: limits.MEMBERS_PER_CHUNK]
        chunk = MembersChunk(
            guild_id=guild.guild.id,
            members=(),
            chunk_index=index,
            chunk_count=chunk_count,
            not_found=not_found if index == 0 else (),
            nonce=nonce,
        )
        await session.drained()
        if session not in core.live.sessions:
            return
        async with core.live.turn:
            await mark(core, (session.user.id,), partial(_send, core, session, guild, ids, chunk, with_presences))


def _send(
    core: Core, session: Session, guild: GuildState, ids: list[int], chunk: MembersChunk, with_presences: bool
) -> None:
    if session.user.id not in guild.members:
        return
    # As they are now: events about what has changed since have been sent already.
    members = tuple(guild.members[id_] for id_ in ids if id_ in guild.members)
    presences = _presences(core, guild.id, members) if with_presences else UNSET
    # Past the bus, where nobody could wait for it: it may overtake events whose outcome it has.
    core.live.push(session, "GUILD_MEMBERS_CHUNK", replace(chunk, members=members, presences=presences))


def _ids(given: str | int | Sequence[str | int]) -> Iterator[int]:
    """Whatever the library sent; what is no number names nobody."""
    many = [given] if isinstance(given, str | int) else given
    return (int(id_) for id_ in many if isinstance(id_, int) or (id_.isascii() and id_.isdigit()))


def _asked(given: str | int | Sequence[str | int]) -> list[int]:
    return list(dict.fromkeys(itertools.islice(_ids(given), limits.MEMBER_REQUEST_IDS)))


def _wait_s(core: Core, session: Session, guild_id: int) -> float:
    """How long the bot must wait before it may have the guild's whole list again; counts this request if 0."""
    if not core.config.limits.rate_limits:
        return 0.0
    verdict = core.limiter.hit(("member list", session.user.id, guild_id), _FULL_LIST, core.clock_ms() / 1000)
    return 0.0 if verdict.allowed else verdict.reset_after_s


async def _select(
    core: Core, session: Session, guild: GuildState, body: RequestGuildMembers, asked: list[int] | None
) -> list[int]:
    """The ids of those who are meant."""
    if asked is not None:
        return [id_ for id_ in asked if id_ in guild.members]
    limit = min(body.limit or limits.MEMBER_REQUEST_PREFIX_MATCHES, limits.MEMBER_REQUEST_PREFIX_MATCHES)
    if body.query:
        return await _search(core, guild, body.query.lower(), limit)
    if not session.intents & intents.GUILD_MEMBERS:
        return []
    return list(itertools.islice(guild.members, limit if body.limit else None))


async def _search(core: Core, guild: GuildState, prefix: str, limit: int) -> list[int]:
    everyone, found = list(guild.members), list[int]()
    for start in range(0, len(everyone), SCAN):
        async with core.live.turn:
            for id_ in everyone[start : start + SCAN]:
                if id_ in guild.members and _name_starts_with(guild.members[id_], prefix):
                    found.append(id_)
                    if len(found) == limit:
                        return found
    return found


def _name_starts_with(member: Member, prefix: str) -> bool:
    nick = member.nick
    return member.user.username.lower().startswith(prefix) or (nick is not None and nick.lower().startswith(prefix))


def _presences(core: Core, guild_id: int, chunk: Iterable[Member]) -> tuple[PresenceUpdate, ...]:
    """Of those who are online."""
    return tuple(
        presence_update(guild_id, member.user, shown)
        for member in chunk
        if (shown := core.live.presence_of(member.user.id)) is not OFFLINE
    )
