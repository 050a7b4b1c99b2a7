"""Sessions that survive a restart: where each stands is written down, and told from the journal what it missed.

A row says: event number `seq` is the one at `position`, and whatever was committed up to there has been counted. After
a stop in order that holds for every session. After a crash a row may be a moment old; what was committed since is
counted now, as the bus would have done, and the client, which may have got some of it, says in RESUME how far it came.

That works for messages and what becomes of them, in one bus shard: there, delivery is in the order of commits. Where it
cannot be known what the client was told, the session is not restored, and RESUME answers with op 9:

- a mark lies behind the row: a change of a guild, a membership, a profile (`commits.change`)
- after a crash, when the session follows streams of several shards, which pass each other
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
from chatd.model.wire import decoder, encode
from chatd.service import access, messages, render
from chatd.service.access import DirectAccess, GuildChannel
from chatd.service.core import Core
from chatd.store import channels, journal
from chatd.store import messages as message_store
from chatd.store import sessions as store
from chatd.store.db import Tx
from chatd.store.guilds import ids_of_user as guild_ids
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


async def bound_journal(core: Core) -> None:
    """Forget what no session needs, and the oldest of what is too much."""
    await core.db.write(journal.prune, _journal_start(core))
    surplus = await core.db.read(journal.surplus, core.config.gateway.journal_entries)
    if surplus:
        forgotten = await core.db.write(journal.cut, surplus)
        logger.info("journal is full: the oldest entries are forgotten", forgotten=forgotten)


def _journal_start(core: Core) -> int:
    """What is older is needed by no session, and forgotten or about to be."""
    return lowest_at(core.clock_ms() - int(core.config.gateway.resume_window_s * 1000))


class Known(NamedTuple):
    """What the database has of a user whose sessions are restored."""

    user: User
    guild_ids: list[int]
    direct_ids: list[int]
    last_mark: int


class Told(NamedTuple):
    """An event as it was published, and what decides who got it."""

    event: Event
    shard: int
    kind: tuple[int, str]  # channel and name


class Stream(NamedTuple):
    """The latest of a guild or a direct channel."""

    last_mark: int
    cut: int  # nothing is known of what was before this position
    told: list[Told]  # oldest first
    kinds: frozenset[tuple[int, str]]


async def restore(core: Core) -> int:
    """The sessions of the server's last run, as far as it is sure what they were told; how many there are."""
    seen_after = core.clock_ms() - int(core.config.gateway.resume_window_s * 1000)
    rows = await core.db.write(store.load, seen_after)
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
    if marked > row.position or (marked == row.position and not row.clean):
        return False

    told = _told(session, followed, streams)
    if not row.clean and len({it.shard for it in told[_behind(told, row.base_position) :]}) > 1:
        return False
    noted = _behind(told, row.position)
    before = _unbroken(told[_behind(told, max(row.base_position, marked)) : noted])
    cut = max((streams[state.id].cut for state in followed), default=0)
    since = [it.event for it in told[noted:]]
    session.ring.extend([it.event for it in before if it.event.position >= cut][-row.seq :])
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
    shard = core.live.bus.shard_of(state.id)
    told = [
        Told(messages.told_again(here, entry, page._replace(rows=[row])), shard, (row.channel_id, entry.name))
        for entry, row in zip(entries, page.rows, strict=True)
        if (here := _here(state, row.channel_id)) is not None
    ]
    last_mark = await core.db.read(journal.last_mark, state.id)
    # Edits and deletions from before the journal's start are not among the entries any more.
    cut = max(entries[0].position if len(entries) >= limit else 0, _journal_start(core))
    return Stream(last_mark, cut, told, frozenset(it.kind for it in told))


def _context(tx: Tx, rows: list[message_store.MessageRow]) -> message_store.Page:
    return message_store.with_context(tx, rows, render.named_users, render.replied_to)


def _here(state: GuildState | DirectState, channel_id: int) -> GuildChannel | DirectAccess | None:
    if isinstance(state, DirectState):
        return DirectAccess(state)
    channel = state.channels.get(channel_id)
    return None if channel is None else GuildChannel(state, channel, 0)


def _told(session: Session, followed: list[GuildState | DirectState], streams: dict[int, Stream]) -> list[Told]:
    """The events that the session gets of its streams, in the order of commits."""
    told: list[Told] = []
    for state in followed:
        stream = streams[state.id]
        gets = {kind for kind in stream.kinds if _gets(session, state, *kind)}
        told += stream.told if len(gets) == len(stream.kinds) else [it for it in stream.told if it.kind in gets]
    return sorted(told, key=_position) if len(followed) > 1 else told


def _gets(session: Session, state: GuildState | DirectState, channel_id: int, name: str) -> bool:
    of_guild, of_direct = GATES[name]
    if isinstance(state, DirectState):
        return bool(session.intents & of_direct)
    return bool(session.intents & of_guild and state.permissions_in(channel_id, session.user.id) & p.VIEW_CHANNEL)


def _position(told: Told) -> int:
    return told.event.position


def _behind(told: list[Told], position: int) -> int:
    """The index of the first event after the position."""
    return bisect_right(told, position, key=_position)


def _unbroken(told: list[Told]) -> list[Told]:
    """The newest of them, as far back as they are of one shard: shards pass each other."""
    for index in range(len(told) - 1, 0, -1):
        if told[index - 1].shard != told[-1].shard:
            return told[index:]
    return told
