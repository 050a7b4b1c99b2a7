"""Where each session stands, written down while the server runs, so that sessions survive a restart (`recovery`).

A row may be a moment old. Sessions that are new, that a mark concerns, or that have come far are noted soon, not at the
next round: the less has happened behind a row, the likelier the session comes back.
"""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import trio

from chatd import log
from chatd.live.sessions import Session
from chatd.model.snowflake import lowest_at
from chatd.model.wire import encode
from chatd.service.core import Core
from chatd.store import journal
from chatd.store import sessions as store
from chatd.store.sessions import SessionRow

logger = log.get(__name__)

# Rows in one transaction: a millisecond of the loop and one of the writer, which messages wait behind.
BATCH = 100
# How often those are noted that cannot wait, SOON of them at most.
SOON_S = 0.25
SOON = 500
# Who has come half a ring further is noted soon; all are looked at whenever an eighth of a ring has been published.
FAR, LOOK = 2, 8
# Less than a quarter of a ring is little: while no more is published, only every third round is used.
LITTLE, PATIENCE = 4, 3
# A session at rest is written once in this time, to say that it still has its connection.
SEEN_MS = 60_000


class Noted(NamedTuple):
    """What was written about a session."""

    seq: int
    position: int
    seen: int  # in units of SEEN_MS


_NOTHING = Noted(-1, -1, -1)


class Checkpoints:
    """Writes down where sessions stand."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._noted: dict[str, Noted] = {}
        self._due: dict[Session, None] = {}
        self._last_mark = 0
        self._looked_at = 0  # `Bus.published` then
        # When `save` wrote last: the same, the last mark, and the rounds that it has been given since.
        self._saved_at = self._saved_mark = self._rounds = 0

    async def save(self, final: bool = False) -> None:
        """All that have moved since they were last noted, or that a mark may concern; at the end simply all.

        What can be told again can wait a few rounds while it is little.
        """
        self._take_marks()
        self._rounds += 1
        published = self._core.live.bus.published
        is_little = published - self._saved_at < self._core.config.gateway.ring_events // LITTLE
        if is_little and self._last_mark == self._saved_mark and self._rounds < PATIENCE and not final:
            return
        self._saved_at, self._saved_mark, self._rounds = published, self._last_mark, 0
        sessions = self._core.live.sessions
        ended = [id_ for id_ in self._noted if sessions.get(id_) is None]
        for start in range(0, len(ended), BATCH):
            await self._core.db.write(store.save, (), ended[start : start + BATCH])
        for id_ in ended:
            self._noted.pop(id_, None)
        await self._note([session for session in sessions if final or self._has_moved(session)])

    async def save_soon(self) -> None:
        """Those that cannot wait for `save`, SOON at most; the others the next time."""
        self._take_marks()
        live, ring = self._core.live, self._core.config.gateway.ring_events
        self._due.update(dict.fromkeys(live.begun))
        live.begun.clear()
        published = live.bus.published
        if published - self._looked_at >= ring // LOOK:
            self._looked_at = published
            noted_of = self._noted.get
            # Written out, because in a flood this looks at every session several times a second.
            for session in live.sessions:
                if session.seq - noted_of(session.id, _NOTHING).seq > ring // FAR:
                    self._due[session] = None
        await self._note(islice(self._due, SOON))

    async def _note(self, sessions: Iterable[Session]) -> None:
        """In the order of the table, so that the rows of a batch are in one place."""
        ordered = sorted(sessions, key=lambda session: session.id)
        for start in range(0, len(ordered), BATCH):
            await self._note_batch(ordered[start : start + BATCH])

    async def _note_batch(self, sessions: list[Session]) -> None:
        for session in sessions:
            self._due.pop(session, None)
        bus = self._core.live.bus
        horizon = bus.horizon
        await bus.flush()  # whatever was committed up to the horizon has been counted
        alive = [it for it in sessions if it in self._core.live.sessions and it.base_position is not None]
        if not alive:
            return
        rows = [self._row(session, horizon) for session in alive]
        noted = {row.id: Noted(row.seq, row.position, row.seen_ms // SEEN_MS) for row in rows}
        self._noted.update(noted)
        try:
            await self._core.db.write(store.save, rows, ())
        except BaseException:  # they are new still, or as good as new
            self._noted.update(dict.fromkeys(noted, _NOTHING))
            self._due.update(dict.fromkeys(alive))
            raise

    def _take_marks(self) -> None:
        """Note the sessions of the marked streams soon, and whoever is not found by them at the next round."""
        live = self._core.live
        if not live.marked:
            return
        self._last_mark = live.bus.horizon
        for stream in live.marked:
            if stream in live.guilds:
                self._due.update(live.guilds[stream].sessions)
            for user_id in live.directs[stream].users if stream in live.directs else (stream,):
                self._due.update(dict.fromkeys(live.sessions.of_user(user_id)))
        live.marked.clear()

    def _has_moved(self, session: Session) -> bool:
        seq, position, seen = self._noted.get(session.id, _NOTHING)
        return seq != session.seq or position < self._last_mark or seen != self._seen_ms(session) // SEEN_MS

    def _seen_ms(self, session: Session) -> int:
        away_s = trio.current_time() - session.detached_at if session.connection is None else 0.0
        return self._core.clock_ms() - int(away_s * 1000)

    def _row(self, session: Session, flushed: int) -> SessionRow:
        """`flushed`: the position up to which everything has been counted for everybody."""
        counted = self._core.live.bus.horizon if session.ordered else flushed
        newest = session.newest_position()
        return SessionRow(
            session.id,
            session.user.id,
            session.intents,
            *session.shard,
            session.version,
            session.seq,
            max(counted, newest),
            session.base_position or 0,
            int(newest <= counted),
            self._seen_ms(session),
            encode(session.presence).decode(),
        )


async def bound_journal(core: Core) -> None:
    """Forget what no session needs, and the oldest of what is too much."""
    await core.db.write(journal.prune, oldest_position(core))
    surplus = await core.db.read(journal.surplus, core.config.gateway.journal_entries)
    if surplus:
        forgotten = await core.db.write(journal.cut, surplus)
        logger.info("journal is full: the oldest entries are forgotten", forgotten=forgotten)


def oldest_position(core: Core) -> int:
    """What was committed before it, no session has to be told any more."""
    return lowest_at(window_start_ms(core))


def window_start_ms(core: Core) -> int:
    """Sessions that were seen last before this are over, and the journal may have been pruned up to here."""
    return core.clock_ms() - int(core.config.gateway.resume_window_s * 1000)
