"""Sessions that survive a restart: where each stands is written down, and told from the journal what it missed.

A row says: whatever was committed up to `position` has been counted, and with that the session stood at `seq`. A row
may be a moment old; what was committed since is counted now, in the order of commits, as the bus has done (`live.bus`),
and the client, which may have got some of it, says in RESUME how far it came.

That works for messages and what becomes of them, reactions included. Where it cannot be known what the client was told,
the session is not restored, and RESUME answers with op 9:

- a mark lies behind the row: a change of a guild, a membership, a profile (`commits.change`)
- a crash undid what it knows of: who was in voice (`journal.bar`)
- more has happened behind the row than is read back: `gateway.ring_events` of a stream

`checkpoints` writes the rows.
"""

from bisect import bisect_right
from typing import NamedTuple

import trio

from chatd import log
from chatd.live.directs import DirectState
from chatd.live.frames import Event
from chatd.live.guilds import GuildState
from chatd.live.presence import Presence
from chatd.live.sessions import Session
from chatd.model import permissions as p
from chatd.model.intents import GATES
from chatd.model.objects.user import User
from chatd.model.snowflake import lowest_at
from chatd.model.wire import decoder
from chatd.service import access, kept_events, message_events, reactions, render
from chatd.service.access import DirectAccess, Here
from chatd.service.audit_log import ENTRY_CREATE as AUDITED
from chatd.service.checkpoints import window_start_ms
from chatd.service.core import Core
from chatd.store import channels, journal
from chatd.store import messages as message_store
from chatd.store import sessions as store
from chatd.store.db import Tx
from chatd.store.guilds import ids_of_user as guild_ids
from chatd.store.rows import users
from chatd.store.sessions import SessionRow

logger = log.get(__name__)

_presence = decoder(Presence).decode

# Users that are read at a time.
BATCH = 500


class Known(NamedTuple):
    """What the database has of a user whose sessions are restored."""

    user: User
    guild_ids: list[int]
    direct_ids: list[int]
    last_mark: int


class Told(NamedTuple):
    """An event as it was published, and what decides who got it."""

    event: Event
    kind: tuple[int, str]  # channel, 0 where it is about none, and name


class Stream(NamedTuple):
    """The latest of a guild or a direct channel."""

    last_mark: int
    complete_from: int  # of what was before this position, something may be left out
    told: list[Told]  # oldest first
    kinds: frozenset[tuple[int, str]]


async def restore(core: Core) -> int:
    """The sessions of the server's last run, as far as it is sure what they were told; how many there are."""
    await core.db.write(journal.lower_bars, core.ids.next())
    rows = await core.db.write(store.load, window_start_ms(core))
    known: dict[int, Known] = {}
    user_ids = tuple({row.user_id for row in rows})
    for start in range(0, len(user_ids), BATCH):
        known.update(await core.db.read(_known, user_ids[start : start + BATCH]))
    streams: dict[int, Stream] = {}
    restored = 0
    for row in rows:
        try:
            if row.user_id in known:
                restored += await _restore(core, row, known[row.user_id], streams)
        except Exception:  # one session is no reason not to start
            logger.exception("session not restored", session=row.id)
    if rows:
        logger.info("sessions restored", restored=restored, lost=len(rows) - restored)
    return restored


def _known(tx: Tx, user_ids: tuple[int, ...]) -> dict[int, Known]:
    """In one transaction, because thousands of sessions come back after a restart."""
    return {
        id_: Known(user, guild_ids(tx, id_), channels.directs_of(tx, id_), journal.last_mark(tx, id_))
        for id_, user in users(tx, user_ids).items()
    }


async def _restore(core: Core, row: SessionRow, known: Known, streams: dict[int, Stream]) -> bool:
    session = Session(
        id_=row.id,
        token="",
        user=known.user,
        intents=row.intents,
        shard=(row.shard_id, row.shard_count),
        version=row.version,
        ring_events=core.config.gateway.ring_events,
        presence=_presence(row.presence),
        ring_bytes=core.config.gateway.ring_bytes,
    )
    guilds = [await access.load_guild(core, id_) for id_ in known.guild_ids if session.serves(id_)]
    mine = [guild for guild in guilds if guild is not None]
    directs: list[DirectState] = []
    if row.shard_id == 0:
        found = [await access.load_direct(core, id_) for id_ in known.direct_ids]
        directs = [direct for direct in found if direct is not None]
    followed: list[GuildState | DirectState] = [*mine, *directs]
    for state in followed:
        if state.id not in streams:
            streams[state.id] = await _stream(core, state)
    marked = max((known.last_mark, *(streams[state.id].last_mark for state in followed)))
    complete_from = max((streams[state.id].complete_from for state in followed), default=0)
    if marked > row.position or (marked == row.position and not row.exact) or complete_from > row.position:
        return False

    told = _told(core, session, followed, streams)
    noted = bisect_right(told, row.position, key=_position)
    # What came before, as far back as nothing is missing of it.
    missing_to = max(row.base_position, marked, complete_from - 1, lowest_at(window_start_ms(core)) - 1)
    before = told[bisect_right(told, missing_to, key=_position) : noted][-row.seq :]
    session.ring.extend([it.event for it in before])
    session.ring.extend([it.event for it in told[noted:]])
    session.seq = row.seq + len(told) - noted
    session.base_position = row.base_position
    session.detached_at = trio.current_time() - (core.clock_ms() - row.seen_ms) / 1000
    core.live.sessions.add(session)
    core.live.begun.add(session)
    for guild in mine:
        core.live.follow(session, guild.id)
        guild.add_session(session)
    return True


async def _stream(core: Core, state: GuildState | DirectState) -> Stream:
    read = journal.of_guild if isinstance(state, GuildState) else journal.of_direct
    limit = core.config.gateway.ring_events
    found = await core.db.read(read, state.id, 0, limit)
    entries = [entry for entry in found if entry.name != journal.MARK]
    page = await core.db.read(_context, [entry.row() for entry in entries if entry.name in journal.OF_ROWS])
    rows = iter(page.rows)
    told = []
    for entry in entries:
        channel_id = entry.channel_id()
        of_entry = page._replace(rows=[next(rows)] if entry.name in journal.OF_ROWS else [])
        event = _told_again(core, entry, await _here(core, state, channel_id), of_entry)
        if event is not None:
            told.append(Told(event, (channel_id, entry.name)))
    last_mark = await core.db.read(journal.last_mark, state.id)
    complete_from = found[0].position if len(found) == limit else 0
    return Stream(last_mark, complete_from, told, frozenset(it.kind for it in told))


def _context(tx: Tx, rows: list[message_store.MessageRow]) -> message_store.Page:
    return message_store.with_context(tx, rows, render.named_users, render.replied_to)


def _told_again(core: Core, entry: journal.Entry, here: Here | None, page: message_store.Page) -> Event | None:
    """None where the channel is gone by now."""
    if entry.name == AUDITED:
        return kept_events.told_again(entry)
    if here is None:
        return None
    if entry.name == reactions.ADD:
        return reactions.told_again(here, entry)
    return message_events.told_again(core, here, entry, page) if page.rows else kept_events.told_again(entry)


async def _here(core: Core, state: GuildState | DirectState, channel_id: int) -> Here | None:
    if isinstance(state, DirectState):
        return DirectAccess(state)
    return await access.load_place(core, state, channel_id) if channel_id else None


def _told(
    core: Core, session: Session, followed: list[GuildState | DirectState], streams: dict[int, Stream]
) -> list[Told]:
    """The events that the session gets of its streams, in the order of commits."""
    told: list[Told] = []
    for state in followed:
        stream = streams[state.id]
        gets = {kind for kind in stream.kinds if _gets(core, session, state, *kind)}
        told += stream.told if len(gets) == len(stream.kinds) else [it for it in stream.told if it.kind in gets]
    return sorted(told, key=_position) if len(followed) > 1 else told


def _gets(core: Core, session: Session, state: GuildState | DirectState, channel_id: int, name: str) -> bool:
    of_guild, of_direct = GATES[name]
    if isinstance(state, DirectState):
        return bool(session.intents & of_direct)
    if not session.intents & of_guild:
        return False
    if name == AUDITED:
        return bool(access.granted(core, state, session.user.id) & p.VIEW_AUDIT_LOG)
    return bool(state.permissions_in(channel_id, session.user.id) & p.VIEW_CHANNEL)


def _position(told: Told) -> int:
    return told.event.position
