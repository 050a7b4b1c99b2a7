"""Sessions that survive a restart: where each stands is written down, and told from the journal what it missed.

A row says: event number `seq` is the one at `position`, and whatever was committed up to there has been counted. After
a stop in order that holds for every session. After a crash a row may be a moment old; what was committed since is
counted now, as the bus would have done, and the client, which may have got some of it, says in RESUME how far it came.

That works for messages and what becomes of them, in one bus shard: there, delivery is in the order of commits. Where it
cannot be known what the client was told, the session is not restored, and RESUME answers with op 9:

- a mark lies behind the row: a change of a guild, a membership, a profile (`commits.change`)
- after a crash, when the session follows streams of several shards, which pass each other
"""

from collections.abc import Iterable, Sequence
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
from chatd.model.wire import decoder, encode
from chatd.service import access, message_events, render
from chatd.service.access import DirectAccess, GuildPlace
from chatd.service.core import Core
from chatd.store import channels, journal
from chatd.store import messages as message_store
from chatd.store import sessions as store
from chatd.store.db import Tx
from chatd.store.journal import Entry
from chatd.store.rows import users
from chatd.store.sessions import SessionRow

logger = log.get(__name__)

# Rows in one transaction: a few milliseconds, so that no message waits long behind them.
BATCH = 500
# A session at rest is written once in this time, to say that it still has its connection.
SEEN_MS = 60_000

_presence = decoder(Presence).decode


class Checkpoints:
    """Writes down where sessions stand, those that have moved since the last time."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._saved: dict[str, tuple[int, int, int, bool]] = {}

    async def save(self, clean: bool = False) -> None:
        """`clean`: the server has stopped, and every event has been counted."""
        sessions = {session.id: session for session in self._core.live.sessions if session.base_position is not None}
        ended = [id_ for id_ in self._saved if id_ not in sessions]
        moved = [session for session in sessions.values() if self._mark(session, clean) != self._saved.get(session.id)]
        for start in range(0, max(len(moved), len(ended)), BATCH):
            batch = [session for session in moved[start : start + BATCH] if session in self._core.live.sessions]
            self._saved.update((session.id, self._mark(session, clean)) for session in batch)
            rows = [self._row(session, clean) for session in batch]
            gone = ended[start : start + BATCH]
            await self._core.db.write(store.save, rows, gone)
            for id_ in gone:
                self._saved.pop(id_, None)

    def _mark(self, session: Session, clean: bool) -> tuple[int, int, int, bool]:
        return session.seq, session.position(), self._seen_ms(session) // SEEN_MS, clean

    def _seen_ms(self, session: Session) -> int:
        away_s = trio.current_time() - session.detached_at if session.connection is None else 0.0
        return self._core.clock_ms() - int(away_s * 1000)

    def _row(self, session: Session, clean: bool) -> SessionRow:
        return SessionRow(
            session.id,
            session.user.id,
            session.intents,
            *session.shard,
            session.version,
            session.seq,
            self._core.live.bus.horizon if clean else session.position(),
            session.base_position or 0,
            int(clean),
            self._seen_ms(session),
            encode(session.presence).decode(),
        )


class Stream(NamedTuple):
    """The latest of a guild or a direct channel."""

    shard: int
    last_mark: int
    entries: list[Entry]  # oldest first
    is_cut: bool  # there are older ones
    events: dict[int, Event]  # by position


async def restore(core: Core) -> int:
    """The sessions of the server's last run, as far as it is sure what they were told; how many there are."""
    seen_after = core.clock_ms() - int(core.config.gateway.resume_window_s * 1000)
    rows = await core.db.write(store.load, seen_after)
    streams: dict[int, Stream] = {}
    restored = 0
    for row in rows:
        try:
            restored += await _restore(core, row, streams)
        except Exception:  # one session is no reason not to start
            logger.exception("session not restored", session=row.id)
    if rows:
        logger.info("sessions restored", restored=restored, lost=len(rows) - restored)
    return restored


async def _restore(core: Core, row: SessionRow, streams: dict[int, Stream]) -> bool:
    user = (await core.db.read(users, (row.user_id,))).get(row.user_id)
    if user is None:
        return False
    session = Session(
        id_=row.id,
        token="",
        user=user,
        intents=row.intents,
        shard=(row.shard_id, row.shard_count),
        version=row.version,
        ring_events=core.config.gateway.ring_events,
        presence=_presence(row.presence),
    )
    guilds = [await access.load_guild(core, id_) for id_ in await access.load_memberships(core, user.id)]
    mine = [guild for guild in guilds if guild is not None and session.serves(guild.id)]
    directs: list[DirectState] = []
    if row.shard_id == 0:
        found = [await access.load_direct(core, id_) for id_ in await core.db.read(channels.directs_of, user.id)]
        directs = [direct for direct in found if direct is not None]
    followed: list[GuildState | DirectState] = [*mine, *directs]
    for state in followed:
        if state.id not in streams:
            streams[state.id] = await _stream(core, state)
    marked = max((streams[state.id].last_mark for state in followed), default=0)
    marked = max(marked, await core.db.read(journal.last_mark, user.id))
    if marked > row.position or (marked == row.position and not row.clean):
        return False

    told = _told(core, session, mine, directs, streams)
    since = [event for event, _ in told if event.position > row.position]
    if not row.clean and len({shard for event, shard in told if event.position > row.base_position}) > 1:
        return False
    before = _unbroken([it for it in told if max(row.base_position, marked) < it[0].position <= row.position])
    cut = max((streams[state.id].entries[0].position for state in followed if streams[state.id].is_cut), default=0)
    session.ring.extend([event for event in before if event.position >= cut][-row.seq :])
    session.ring.extend(since)
    session.seq = row.seq + len(since)
    session.base_position = row.base_position
    session.detached_at = trio.current_time() - (core.clock_ms() - row.seen_ms) / 1000
    core.live.sessions.add(session)
    for guild in mine:
        guild.add_session(session)
    return True


async def _stream(core: Core, state: GuildState | DirectState) -> Stream:
    read = journal.of_guild if isinstance(state, GuildState) else journal.of_direct
    limit = core.config.gateway.ring_events
    entries = [it for it in await core.db.read(read, state.id, 0, limit) if it.name != journal.MARK]
    page = await core.db.read(_context, [entry.row() for entry in entries])
    events: dict[int, Event] = {}
    for entry, row in zip(entries, page.rows, strict=True):
        here = await _here(core, state, row.channel_id)
        if here is not None:
            events[entry.position] = message_events.told_again(here, entry, page._replace(rows=[row]))
    last_mark = await core.db.read(journal.last_mark, state.id)
    return Stream(core.live.bus.shard_of(state.id), last_mark, entries, len(entries) >= limit, events)


def _context(tx: Tx, rows: list[message_store.MessageRow]) -> message_store.Page:
    return message_store.with_context(tx, rows, render.named_users, render.replied_to)


async def _here(core: Core, state: GuildState | DirectState, channel_id: int) -> GuildPlace | DirectAccess | None:
    if isinstance(state, DirectState):
        return DirectAccess(state)
    if channel_id not in state.channels:
        await access.load_thread(core, state, channel_id)
    return access.place(state, channel_id)


def _told(
    core: Core,
    session: Session,
    guilds: Iterable[GuildState],
    directs: Iterable[DirectState],
    streams: dict[int, Stream],
) -> list[tuple[Event, int]]:
    """The events that the session gets of its streams, in the order of commits, each with its shard."""
    told: list[tuple[Event, int]] = []
    for guild in guilds:
        stream = streams[guild.id]
        told += [
            (stream.events[entry.position], stream.shard)
            for entry in stream.entries
            if entry.position in stream.events
            and session.intents & GATES[entry.name][0]
            and guild.permissions_in(entry.row().channel_id, session.user.id) & p.VIEW_CHANNEL
        ]
    for direct in directs:
        stream = streams[direct.id]
        told += [
            (stream.events[entry.position], stream.shard)
            for entry in stream.entries
            if session.intents & GATES[entry.name][1]
        ]
    return sorted(told, key=lambda it: it[0].position)


def _unbroken(told: Sequence[tuple[Event, int]]) -> list[Event]:
    """The newest of them, as far back as they are of one shard: shards pass each other."""
    events: list[Event] = []
    for event, shard in reversed(told):
        if shard != told[-1][1]:
            break
        events.append(event)
    return events[::-1]
