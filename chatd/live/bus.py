"""The fan-out bus: published events leave for their audiences, in order, as fast as the machine can write.

Guilds are spread over shards; each shard is one task with one queue, so that one guild's flood does not hold up the
others: a shard yields every SLICE sessions. Within a shard, order of publication is order of delivery to each session.

Every session's events are numbered in the order of publication, which is that of the commits. For most sessions that
happens at delivery, for all of an audience in one go; for those that follow streams of several shards (`ordered`) at
publication, and the first shard that comes to one of them sends what waits for it, from whichever shard.

`publish` is synchronous and is called between a commit and the next await. The audience is a snapshot taken at that
moment: who came later has the change in the snapshot that it started from, and who lost sight of the channel later
may still see what was committed before.

A lone event leaves at once. Events that wait for the same audience are joined into one write for each session, and
those that come while it is served are joined for whoever's turn it is next: the audience is served in rounds, and each
part of it gets all that there is. A small audience that has nobody in common with it is served in between, so that a
small guild does not wait for a large one.

When a shard's queue is full nothing is dropped: writers wait in `room` before their transaction, and are refused
there after a deadline. An event that is already committed is always taken.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain

import trio

from chatd.live.delivery import deliver, deliver_ordered, number
from chatd.live.frames import Event
from chatd.live.sessions import Session

# What is sent between two looks at the rest of the world: about a millisecond of system calls, of which large ones take
# longer.
SLICE = 200
SLICE_BYTES = 512 * 1024
# The most that is joined into one write: past this a system call's share of the cost is small.
JOIN_EVENTS = 32
JOIN_BYTES = 65536
# Up to so many sessions compress for themselves, several times better: past this they share what is compressed once.
FEW = 8


class Audience:
    """The sessions that get an event: those that see message content, and those that do not (`lean`).

    Ordered sessions of either kind are apart. An audience is to be used in the step in which it was asked for.
    """

    __slots__ = ("_members", "full", "has_lean", "lean", "ordered")

    def __init__(self, full: Sequence[Session] = (), lean: Sequence[Session] = ()) -> None:
        self.full = tuple([session for session in full if not session.ordered])
        self.lean = tuple([session for session in lean if not session.ordered])
        self.ordered = tuple([session for session in chain(full, lean) if session.ordered])
        self.has_lean = bool(lean)
        self._members: frozenset[Session] | None = None

    def __len__(self) -> int:
        return len(self.full) + len(self.lean) + len(self.ordered)

    def __iter__(self) -> Iterator[Session]:
        return chain(self.full, self.lean, self.ordered)

    def __contains__(self, session: object) -> bool:
        return session in self.full or session in self.lean or session in self.ordered

    def is_apart(self, other: "Audience") -> bool:
        """Whether nobody is in both. Cheap for a small one and the same other one again and again."""
        if other._members is None:
            other._members = frozenset(other)
        return other._members.isdisjoint(self)

    def with_order(self, session: Session) -> "Audience":
        """As it is now that this session of it is ordered."""
        return Audience(self.full + self.ordered, self.lean)


class Bus:
    def __init__(self, shards: int, capacity: int) -> None:
        self._shards = tuple(_Shard(capacity) for _ in range(shards))
        # The position of the newest commit whose callback has begun: events tell of this one.
        self.horizon = 0

    def publish(self, key: int, event: Event, audience: Audience) -> None:
        """Queue an event for delivery. `key` is the id of the guild, or of the channel outside of guilds."""
        if audience:
            event.position = self.horizon
            if not event.volatile:
                number(event, audience.ordered)
            self._shard(key).put(event, audience)

    def follow(self, session: Session, key: int) -> bool:
        """To be called before the session is in an audience of this key for the first time.

        Returns whether that makes it an ordered one, so that audiences with it are to be made anew.
        """
        shard = self.shard_of(key)
        if session.home is None:
            session.home = shard
        return session.home != shard and self.order(session)

    def order(self, session: Session) -> bool:
        """Number the session's events when they are published; it follows something. Returns as `follow`."""
        if session.ordered or session.home is None:
            return False
        session.ordered = True
        self._shards[session.home].number_waiting(session)
        return True

    def has_room(self, key: int) -> bool:
        """Whether the key's shard takes what the caller is about to commit."""
        return self._shard(key).has_room()

    async def room(self, key: int) -> None:
        """Return once there is room. The caller sets the deadline."""
        await self._shard(key).room()

    @property
    def published(self) -> int:
        """Events that anybody gets, since the start."""
        return sum(shard.published for shard in self._shards)

    def backlog(self) -> int:
        """Events that wait, over all shards."""
        return sum(len(shard.queue) for shard in self._shards)

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with trio.open_nursery() as nursery:
            for number, shard in enumerate(self._shards):
                nursery.start_soon(shard.run, name=f"bus/{number}")

    async def flush(self) -> None:
        """Return once everything published so far has been handed to its sessions, whatever has come since."""
        for shard, published in [(shard, shard.published) for shard in self._shards]:
            await shard.delivery_of(published)

    def shard_of(self, key: int) -> int:
        """Streams in the same shard keep their order among each other."""
        return (key >> 22) % len(self._shards)

    def _shard(self, key: int) -> "_Shard":
        return self._shards[self.shard_of(key)]


class _Part:
    """Sessions of the audience that is being served; `mark` counts the events that they have got."""

    __slots__ = ("give", "mark", "sessions")

    def __init__(self, give: Callable[[list[Event], Sequence[Session]], None], sessions: Sequence[Session]) -> None:
        self.give = give
        self.sessions = sessions
        self.mark = 0


class _Shard:
    __slots__ = (
        "_asides",
        "_capacity",
        "_delivered",
        "_drained",
        "_events",
        "_filled",
        "_parts",
        "_taken",
        "published",
        "queue",
    )

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._filled = trio.lowlevel.ParkingLot()
        self._drained = trio.lowlevel.ParkingLot()
        self._delivered = 0
        # Of the audience that is being served: the events that not everybody has got, how many were taken so far, and
        # the sessions in turn. The next part has waited longest and has none of these events.
        self._events: list[Event] = []
        self._taken = 0
        self._parts: deque[_Part] = deque()
        # What was delivered in between, by how many events had been taken then: counted once these are delivered.
        self._asides: deque[int] = deque()
        self.published = 0
        self.queue: deque[tuple[Event, Audience]] = deque()

    def put(self, event: Event, audience: Audience) -> None:
        self.queue.append((event, audience))
        self.published += 1
        self._filled.unpark()

    def has_room(self) -> bool:
        return len(self.queue) < self._capacity

    async def room(self) -> None:
        while not self.has_room():
            await self._drained.park()

    async def delivery_of(self, number: int) -> None:
        while self._delivered < number:
            await self._drained.park()

    async def run(self) -> None:
        sent = sent_bytes = 0  # since the last turn of the others
        while True:
            while self.queue:
                audience = self.queue[0][1]
                self._taken = 0
                self._parts.extend(_parts(audience))
                while self._take(audience):
                    # Small audiences share a turn: one for each of them would be one for as many new messages.
                    for count, size in (self._serve(), self._serve_aside(audience)):
                        sent += count
                        sent_bytes += size
                    if sent >= SLICE or sent_bytes >= SLICE_BYTES:
                        sent = sent_bytes = 0
                        await trio.lowlevel.checkpoint()
                self._parts.clear()
            sent = sent_bytes = 0
            await self._filled.park()

    def _take(self, audience: Audience) -> bool:
        """Join what has come for the same audience in the same way; whether there is something to serve."""
        queue, events = self.queue, self._events
        size = sum(len(event.body) for event in events)
        while queue and len(events) < JOIN_EVENTS and size < JOIN_BYTES:
            event, its_audience = queue[0]
            if its_audience is not audience or (events and event.volatile is not events[0].volatile):
                break
            queue.popleft()
            events.append(event)
            self._taken += 1
            size += len(event.body)
        return bool(events)

    def _serve(self) -> tuple[int, int]:
        """The part that has waited longest; how many sessions that was, and how many bytes."""
        part, events = self._parts.popleft(), self._events
        size = sum(len(event.body) for event in events)
        length = SLICE_BYTES // size + 1
        if length < len(part.sessions):
            rest = _Part(part.give, part.sessions[length:])
            rest.mark = part.mark
            self._parts.appendleft(rest)
            part.sessions = part.sessions[:length]
        part.give(events, part.sessions)
        part.mark = self._taken
        self._parts.append(part)
        if done := len(events) - (self._taken - self._parts[0].mark):  # everybody has got these
            del events[:done]
            self._count(done)
        return len(part.sessions), size * len(part.sessions)

    def _serve_aside(self, served: Audience) -> tuple[int, int]:
        """The next event, if its audience is small and apart; returns as `_serve`."""
        if not self.queue:
            return 0, 0
        event, audience = self.queue[0]
        if audience is served or len(audience) > SLICE or not audience.is_apart(served):
            return 0, 0
        self.queue.popleft()
        for part in _parts(audience):
            part.give([event], part.sessions)
        self._asides.append(self._taken)
        self._count(0)
        return len(audience), len(event.body) * len(audience)

    def _count(self, delivered: int) -> None:
        self._delivered += delivered
        while self._asides and self._asides[0] <= self._taken - len(self._events):
            self._asides.popleft()
            self._delivered += 1
        self._drained.unpark_all()

    def number_waiting(self, session: Session) -> None:
        """The session has become an ordered one: number what waits for it here, in this order."""
        for part in self._parts:
            if session in part.sessions:
                if part.mark < self._taken:  # of the oldest: now is its turn
                    part.give(self._events[part.mark - self._taken :], (session,))
                part.sessions = tuple(other for other in part.sessions if other is not session)
        audiences = {audience for _, audience in self.queue}
        made = {audience: audience.with_order(session) for audience in audiences if session in audience}
        for index, (event, audience) in enumerate(self.queue):
            if audience in made:
                self.queue[index] = event, made[audience]
                if not event.volatile:
                    number(event, (session,))


def _parts(audience: Audience) -> Iterator[_Part]:
    few = len(audience) <= FEW
    for sessions, give in (
        (audience.full, partial(deliver, lean=False, few=few)),
        (audience.lean, partial(deliver, lean=True, few=few)),
        (audience.ordered, partial(deliver_ordered, few=few)),
    ):
        for at in range(0, len(sessions), SLICE):
            yield _Part(give, sessions[at : at + SLICE])
