"""Gateway sessions as data. A session outlives its socket: what it missed waits in its ring until it RESUMEs.

Who may resume what is `service.gateway`'s business, how bytes leave is the connection's.
"""

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import trio

from chatd.live.compress import Context
from chatd.live.frames import Event
from chatd.live.presence import OFFLINE, Presence, Shown, aggregate
from chatd.live.stream import Borrower
from chatd.model import limits
from chatd.model.intents import MESSAGE_CONTENT
from chatd.model.objects.gateway import RequestGuildMembers
from chatd.model.objects.user import User

# What events that were pushed to one session may take of its ring.
RING_BYTES = 4 * 1024 * 1024


class ConnectionFigures(NamedTuple):
    """What an operator may want to know of a connection. Times are Trio's."""

    address: str  # of the socket's other end
    encoding: str
    compression: str  # "" for none
    connected_at: float
    beat_at: float  # the last heartbeat, or IDENTIFY or RESUME before the first
    waiting_bytes: int  # written, and not yet taken by the kernel


class Connection(Protocol):
    """The socket end of a session."""

    format: int  # index into formats.FORMATS
    context: Context | None  # of its compressed stream

    def push(self, data: bytes) -> None:
        """Write or buffer whole frames; never blocks, never raises for a slow or dead peer."""
        ...

    def lend(self, borrower: Borrower | None) -> None:
        """See `ClientStream.lend`."""
        ...

    async def drained(self) -> None:
        """Return once nothing waits to be written, or the connection is gone."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; nothing is pushed after it."""
        ...

    def figures(self) -> ConnectionFigures: ...


class Session:
    """One logical connection of a client.

    `seq` is the number of the newest event; `ring` holds the newest events, the last of them numbered `seq`. The ring
    is bounded in events and, for what only this session gets, in bytes (`_bound`): a client that comes back for an
    event that has fallen out of it must IDENTIFY anew.

    Events are numbered in the order of commits. While all of them come through one shard of the bus, that is the order
    of delivery, and they are numbered then. A session that follows streams of several shards is `ordered`: its events
    are numbered when they are published, and wait in `pending` until a shard comes to this session.
    """

    __slots__ = (
        "_connection",
        "_pushed",
        "_pushed_bytes",
        "base_position",
        "context",
        "detached_at",
        "format",
        "guild_ids",
        "home",
        "id",
        "identified_at",
        "intents",
        "large_threshold",
        "lean",
        "member_requests",
        "ordered",
        "pending",
        "presence",
        "push_data",
        "ring",
        "ring_bytes",
        "send",
        "seq",
        "shard",
        "token",
        "user",
        "version",
    )

    def __init__(
        self,
        id_: str,
        token: str,
        user: User,
        intents: int,
        shard: tuple[int, int],
        version: int,
        ring_events: int,
        presence: Presence,
        ring_bytes: int = RING_BYTES,
        large_threshold: int = limits.LARGE_THRESHOLD_DEFAULT,
    ) -> None:
        self.id = id_
        self.token = token
        self.user = user
        self.intents = intents
        self.lean = not intents & MESSAGE_CONTENT
        self.shard = shard
        self.version = version
        self.presence = presence
        self.ring_bytes = ring_bytes
        self.large_threshold = large_threshold
        self.member_requests: list[RequestGuildMembers] = []  # those that wait for an answer
        self.seq = 0
        self.ring: deque[Event] = deque(maxlen=ring_events)
        self._pushed: list[tuple[int, int]] = []  # number and size of what `push` has put into the ring
        self._pushed_bytes = 0
        self.guild_ids: set[int] = set()
        self.home: int | None = None  # the shard of the bus that its first stream is in
        self.ordered = False
        self.pending: list[Event] = []  # numbered, not sent; only of an ordered session
        # What delivery needs of the connection is kept here, because it touches nothing that it need not: with
        # thousands of sessions every object is a cache miss.
        self.push_data: Callable[[bytes], None] | None
        self.send: Callable[[bytes], int] | None = None
        self.format: int
        self.context: Context | None
        self._connection: Connection | None = None
        self.connection = None
        # What happened up to here is not told again after a restart; None until the session has its guilds.
        self.base_position: int | None = None
        self.detached_at = 0.0  # trio time at which the last socket was lost
        self.identified_at: float | None = None  # trio time of IDENTIFY; None: before the server's start

    def newest_position(self) -> int:
        """That of the newest event, or where the session began."""
        return max(self.base_position or 0, self.ring[-1].position if self.ring else 0)

    @property
    def connection(self) -> Connection | None:
        """Where events go; None while they are kept for RESUME."""
        return self._connection

    @connection.setter
    def connection(self, connection: Connection | None) -> None:
        if self._connection is not None:
            self._connection.lend(None)
        self._connection = connection
        self.push_data = None if connection is None else connection.push
        self.pending.clear()  # a new connection has been sent everything
        self.format = 0 if connection is None else connection.format
        self.context = None if connection is None else connection.context
        if connection is not None:
            connection.lend(self)

    def serves(self, guild_id: int) -> bool:
        """Whether this session's shard gets the guild's events (topics/gateway, "Sharding")."""
        shard_id, shard_count = self.shard
        return (guild_id >> 22) % shard_count == shard_id

    def push(self, event: Event) -> None:
        """Number one event, keep it and send it: the slow path, for events with an audience of one."""
        self.catch_up()
        if not event.volatile:
            self.seq += 1
            self.ring.append(event)
            self._bound(len(event.body))
        if self.push_data is not None:
            self.push_data(self._frame(event, self.seq, self.format, self.context))

    def _bound(self, size: int) -> None:
        """Keep what was pushed within `ring_bytes`: the oldest events go, pushed or not, but never the newest.

        Delivery by the bus counts nothing: its events are small and shared by their audience, while a pushed one
        (a guild, a thousand members) is this session's alone. `size` is that of the body; its frame may take as much
        again.
        """
        self._pushed.append((self.seq, size))
        self._pushed_bytes += size
        oldest = self.seq - len(self.ring) + 1
        while self._pushed[0][0] < oldest or (self._pushed_bytes > self.ring_bytes and len(self._pushed) > 1):
            seq, its_size = self._pushed.pop(0)
            self._pushed_bytes -= its_size
            while oldest <= seq:
                self.ring.popleft()
                oldest += 1

    def catch_up(self, limit: int | None = None) -> None:
        """Send the oldest `limit` events that are numbered and not sent."""
        if self.pending:
            events, first = self.pending[:limit], self.seq - len(self.pending) + 1
            del self.pending[:limit]
            self.push_joined(events, first, 1)

    def push_joined(self, events: Sequence[Event], first: int, step: int) -> None:
        """Send events that are counted and kept already as one write of this session's own frames.

        They are numbered from `first` on; volatile ones (`step` 0) all carry the number of the event before them.
        """
        if self.push_data is not None:
            numbered = zip(itertools.count(first, step), events, strict=False)
            self.push_data(b"".join([self._frame(event, seq, self.format, self.context) for seq, event in numbered]))

    def _frame(self, event: Event, seq: int, format_: int, context: Context | None) -> bytes:
        """For this session alone, compressed with the connection's own history where it has one."""
        lean = self.lean and self.user.id not in event.reveal
        return event.frame(seq, format_, lean) if context is None else event.frame_in(context, seq, format_, lean)

    async def drained(self) -> None:
        """Let a slow client take what it was sent, before it is sent more."""
        if self.connection is not None:
            await self.connection.drained()
        else:
            await trio.lowlevel.checkpoint()

    def can_replay(self, seq: int) -> bool:
        """Whether every event after `seq` is still in the ring."""
        return self.seq - len(self.ring) <= seq <= self.seq

    def replay(self, seq: int, connection: Connection, limit_bytes: int) -> tuple[int, bytes]:
        """The frames of the events after `seq`, in order, up to about `limit_bytes`; and the number of the last one.

        Only for a `seq` that `can_replay`.
        """
        frames, size = [], 0
        start = len(self.ring) - (self.seq - seq)
        for event in itertools.islice(self.ring, start, None):
            seq += 1
            frames.append(self._frame(event, seq, connection.format, connection.context))
            size += len(frames[-1])
            if size >= limit_bytes:
                break
        return seq, b"".join(frames)


class Sessions:
    """All sessions, with and without a socket, by id and by user; and what their users' presences add up to."""

    def __init__(self) -> None:
        self._by_id: dict[str, Session] = {}
        self._by_user: dict[int, dict[Session, None]] = {}
        # A bot may have thousands of sessions that all say the same: count, so that none has to ask them all.
        self._presences: dict[int, Counter[Presence]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._by_id.values()))

    def __contains__(self, session: Session) -> bool:
        return session.id in self._by_id

    def get(self, session_id: str) -> Session | None:
        return self._by_id.get(session_id)

    def of_user(self, user_id: int) -> Iterable[Session]:
        return tuple(self._by_user.get(user_id, ()))

    def presence_of(self, user_id: int) -> Shown:
        """What others see of the user."""
        presences = self._presences.get(user_id)
        return OFFLINE if presences is None else aggregate(presences)

    def add(self, session: Session) -> None:
        self._by_id[session.id] = session
        self._by_user.setdefault(session.user.id, {})[session] = None
        self._presences.setdefault(session.user.id, Counter())[session.presence] += 1

    def remove(self, session: Session) -> None:
        user_id = session.user.id
        del self._by_id[session.id]
        del self._by_user[user_id][session]
        self._forget(user_id, session.presence)
        if not self._by_user[user_id]:
            del self._by_user[user_id]
            del self._presences[user_id]

    def set_presence(self, session: Session, presence: Presence) -> None:
        self._forget(session.user.id, session.presence)
        session.presence = presence
        self._presences[session.user.id][presence] += 1

    def _forget(self, user_id: int, presence: Presence) -> None:
        counts = self._presences[user_id]
        counts[presence] -= 1
        if not counts[presence]:
            del counts[presence]
