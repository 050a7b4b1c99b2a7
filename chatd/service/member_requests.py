"""Members over the gateway, in chunks. Docs: events/gateway-events, "Request Guild Members"."""

import itertools
from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.live.presence import update as presence_update
from chatd.live.sessions import Session
from chatd.model import intents
from chatd.model.objects.gateway import MembersChunk, RequestGuildMembers
from chatd.model.objects.guild import Member
from chatd.model.objects.presence import PresenceUpdate
from chatd.model.wire import Snowflake
from chatd.service.commits import mark
from chatd.service.core import Core

CHUNK_MEMBERS = 1000
# A longer nonce is ignored.
NONCE_BYTES = 32


async def answer(core: Core, session: Session, body: RequestGuildMembers) -> None:
    """Answer with chunks; a guild that the user is not in gets none. Docs: events/gateway-events."""
    nonce = UNSET if body.nonce is None or len(body.nonce.encode()) > NONCE_BYTES else body.nonce
    for guild_id in _ids(body.guild_id):
        guild = core.live.guilds.get(guild_id)
        if guild is None or session not in guild.sessions:
            continue
        asked = _ids(body.user_ids) if body.user_ids is not None else None
        found = _select(guild.members, body, asked, bool(session.intents & intents.GUILD_MEMBERS))
        not_found = tuple(Snowflake(id_) for id_ in asked or () if id_ not in guild.members)
        with_presences = bool(body.presences and session.intents & intents.GUILD_PRESENCES)
        chunks = [found[i : i + CHUNK_MEMBERS] for i in range(0, len(found), CHUNK_MEMBERS)] or [[]]
        for index, selected in enumerate(chunks):
            await session.drained()
            chunk = MembersChunk(
                guild_id=guild.guild.id,
                members=(),
                chunk_index=index,
                chunk_count=len(chunks),
                not_found=not_found if index == 0 else (),
                nonce=nonce,
            )
            await mark(core, (session.user.id,), partial(_send, core, session, guild, selected, chunk, with_presences))


def _send(
    core: Core, session: Session, guild: GuildState, selected: list[Member], chunk: MembersChunk, with_presences: bool
) -> None:
    # What has changed since they were selected: events about it have been sent already.
    members = tuple(guild.members[id_] for m in selected if (id_ := m.user.id) in guild.members)
    presences = _presences(core, guild.id, members) if with_presences else UNSET
    # Past the bus, where nobody could wait for it. It may overtake events whose outcome it has.
    core.live.push(session, "GUILD_MEMBERS_CHUNK", replace(chunk, members=members, presences=presences))


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
