"""Fan-out: order, joining, fairness between shards, and what happens when a queue is full."""

from itertools import pairwise

import pytest
import trio
import trio.testing

from chatd.live.bus import JOIN_BYTES, JOIN_EVENTS, SLICE, Audience, Bus
from chatd.live.formats import FORMATS
from chatd.live.frames import Event
from chatd.live.sessions import Session
from chatd.model import intents
from tests.support.live import Wire, session

# Keys of two shards of a bus with two: the shard is chosen by the timestamp of an id.
EVEN, ODD = 2 << 22, 3 << 22


def event(n: int, size: int = 0) -> Event:
    return Event("NAME", b'{"n":%d,"pad":"%b"}' % (n, b"x" * size))


def numbers(wire: Wire) -> list[int]:
    return [d["n"] for _, _, d in wire.dispatches()]


@pytest.fixture
async def bus(nursery: trio.Nursery) -> Bus:
    bus = Bus(shards=2, capacity=8)
    nursery.start_soon(bus.run)
    await trio.testing.wait_all_tasks_blocked()
    return bus


async def test_events_arrive_in_order_with_consecutive_numbers(bus: Bus) -> None:
    wires = [Wire(format_) for format_ in range(len(FORMATS))]
    audience = Audience([session(n, wire) for n, wire in enumerate(wires)])
    for n in range(1, 101):
        bus.publish(EVEN, event(n), audience)
        if n % 7 == 0:
            await bus.flush()
    await bus.flush()
    for wire in wires:
        assert [(seq, d["n"]) for seq, _, d in wire.dispatches()] == [(n, n) for n in range(1, 101)]


async def test_a_lone_event_leaves_at_once(bus: Bus) -> None:
    wire = Wire()
    audience = Audience([session(1, wire)])
    for n in range(3):
        bus.publish(EVEN, event(n), audience)
        await bus.flush()
    assert len(wire.pushes) == 3


async def test_events_that_wait_are_joined_up_to_a_bound(bus: Bus) -> None:
    wire = Wire()
    audience = Audience([session(1, wire)])
    for n in range(JOIN_EVENTS * 2 + 1):
        bus.publish(EVEN, event(n), audience)
    await bus.flush()
    assert numbers(wire) == list(range(JOIN_EVENTS * 2 + 1))
    assert len(wire.pushes) == 3


async def test_large_events_are_not_joined_without_end(bus: Bus) -> None:
    wire = Wire()
    audience = Audience([session(1, wire)])
    for n in range(9):
        bus.publish(EVEN, event(n, JOIN_BYTES // 3), audience)
    await bus.flush()
    assert numbers(wire) == list(range(9))
    assert len(wire.pushes) == 3


async def test_only_neighbours_for_the_same_audience_are_joined(bus: Bus) -> None:
    wire = Wire()
    it = session(1, wire)
    one, other = Audience([it]), Audience([it])
    for n, audience in enumerate((one, one, other, one)):
        bus.publish(EVEN, event(n), audience)
    await bus.flush()
    assert numbers(wire) == [0, 1, 2, 3]
    assert len(wire.pushes) == 3


async def test_volatile_events_carry_the_number_before_them_and_are_not_kept(bus: Bus) -> None:
    wire = Wire()
    it = session(1, wire)
    audience = Audience([it])
    typing = Event("TYPING_START", b'{"n":0}')
    for each in (event(1), typing, typing, event(2), typing):
        bus.publish(EVEN, each, audience)
    await bus.flush()
    assert [(seq, name) for seq, name, _ in wire.dispatches()] == [
        (1, "NAME"),
        (1, "TYPING_START"),
        (1, "TYPING_START"),
        (2, "NAME"),
        (2, "TYPING_START"),
    ]
    assert (it.seq, [each.name for each in it.ring]) == (2, ["NAME", "NAME"])


async def test_sessions_at_the_same_number_get_the_very_same_bytes(bus: Bus) -> None:
    # More than compress for themselves.
    wires = [Wire(format_) for format_ in range(len(FORMATS)) for _ in range(10)]
    bus.publish(EVEN, event(1), Audience([session(n, wire) for n, wire in enumerate(wires)]))
    await bus.flush()
    for first in range(0, len(wires), 10):
        assert len({id(wire.pushes[-1]) for wire in wires[first : first + 10]}) == 1


async def test_sessions_at_different_numbers_go_on_from_their_own(bus: Bus) -> None:
    wires = [Wire(format_) for format_ in range(len(FORMATS)) for _ in range(10)]
    audience = Audience([session(n, wire, seq=n * 9) for n, wire in enumerate(wires)])
    for n in range(3):
        bus.publish(EVEN, event(n), audience)
    await bus.flush()
    for n, wire in enumerate(wires):
        assert [(seq, d["n"]) for seq, _, d in wire.dispatches()] == [(n * 9 + 1, 0), (n * 9 + 2, 1), (n * 9 + 3, 2)]


async def test_sessions_without_a_socket_keep_events_for_later(bus: Bus) -> None:
    away = session(1, ring_events=3)
    audience = Audience([away])
    for n in range(5):
        bus.publish(EVEN, event(n), audience)
    await bus.flush()
    assert away.seq == 5
    assert not away.can_replay(1)
    wire = Wire()
    wire.push(away.replay(2, wire, 10_000)[1])
    assert numbers(wire) == [2, 3, 4]


@pytest.mark.parametrize("count", [1, 5], ids=["alone", "joined"])
@pytest.mark.parametrize("crowd", [1, 20], ids=["few", "many"])
async def test_content_goes_to_those_who_may_see_it(bus: Bus, count: int, crowd: int) -> None:
    blind = intents.ALL & ~intents.MESSAGE_CONTENT
    full, lean, named = ([Wire(format_) for format_ in range(len(FORMATS)) for _ in range(crowd)] for _ in range(3))
    audience = Audience(
        [session(1, wire) for wire in full],
        [session(2, wire, intents=blind) for wire in lean] + [session(3, wire, intents=blind) for wire in named],
    )
    for n in range(count):
        reveal = frozenset({3}) if n % 2 == 0 else frozenset()
        bus.publish(EVEN, Event("MESSAGE_CREATE", b'"secret"', lean=b'""', reveal=reveal), audience)
    await bus.flush()
    expected = [(seq, "secret" if seq % 2 else "") for seq in range(1, count + 1)]
    for wire in full:
        assert [(seq, d) for seq, _, d in wire.dispatches()] == [(seq, "secret") for seq, _ in expected]
    for wire in lean:
        assert [(seq, d) for seq, _, d in wire.dispatches()] == [(seq, "") for seq, _ in expected]
    for wire in named:
        assert [(seq, d) for seq, _, d in wire.dispatches()] == expected


async def test_the_audience_is_that_of_the_moment_of_publishing(bus: Bus) -> None:
    early, late = Wire(), Wire()
    sessions = [session(1, early)]
    bus.publish(EVEN, event(1), Audience(sessions))
    sessions[:] = [session(2, late)]
    await bus.flush()
    assert (numbers(early), numbers(late)) == ([1], [])


async def test_an_event_for_nobody_costs_nothing(bus: Bus) -> None:
    bus.publish(EVEN, event(1), Audience())
    assert bus.backlog() == 0


async def test_a_large_audience_lets_others_run_between_slices(bus: Bus) -> None:
    received = 0

    class Counter(Wire):
        def push(self, data: bytes) -> None:
            nonlocal received
            received += 1
            seen_at.append(len(small.pushes))

    seen_at: list[int] = []  # of the small audience, by what the crowd has got
    crowd, small = Audience([session(n, Counter()) for n in range(SLICE * 3)]), Wire()
    bus.publish(EVEN, event(1), crowd)
    bus.publish(ODD, event(2), Audience([session(1, small)]))
    await bus.flush()
    assert received == len(crowd)
    assert seen_at[-1] == 1, "the other shard had to wait"


async def test_what_comes_while_an_audience_is_served_is_joined_for_those_who_wait(bus: Bus) -> None:
    first, last = Wire(), Wire()
    audience = Audience([session(1, first), *(session(n, Wire()) for n in range(2, SLICE * 3)), session(0, last)])
    bus.publish(EVEN, event(1), audience)
    while not first.pushes:
        await trio.lowlevel.checkpoint()
    for n in (2, 3):
        bus.publish(EVEN, event(n), audience)
    await bus.flush()
    assert (len(first.pushes), len(last.pushes)) == (2, 1)
    for wire in (first, last):
        assert [(seq, d["n"]) for seq, _, d in wire.dispatches()] == [(1, 1), (2, 2), (3, 3)]


async def test_an_endless_flood_holds_up_neither_another_audience_nor_who_waits_for_an_event(bus: Bus) -> None:
    crowd, other = Audience([session(n, Wire()) for n in range(1, SLICE * 3)]), Wire()
    published = 0

    async def flood(until: Wire) -> None:
        nonlocal published
        while not until.pushes:
            await bus.room(EVEN)
            bus.publish(EVEN, event(published), crowd)
            published += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(flood, other)
        while published < 100:  # so delivery goes on although there is always more
            await trio.lowlevel.checkpoint()
        await bus.flush()
        bus.publish(EVEN, event(0), Audience([session(0, other)]))


async def test_a_small_audience_waits_for_no_crowd_that_it_has_nobody_in_common_with(bus: Bus) -> None:
    received, seen = 0, []

    class Counter(Wire):
        def push(self, data: bytes) -> None:
            nonlocal received
            received += 1

    class Small(Wire):
        def push(self, data: bytes) -> None:
            super().push(data)
            seen.append(received)

    both, apart = session(1, Small()), session(2, Small())
    crowd = Audience([*(session(n, Counter()) for n in range(3, SLICE * 3)), both])
    bus.publish(EVEN, event(1), crowd)
    bus.publish(EVEN, event(2), Audience([apart]))
    await bus.flush()
    assert seen[0] <= SLICE
    assert received == len(crowd) - 1, "flush waits for all, although what came last went first"
    bus.publish(EVEN, event(3), crowd)
    bus.publish(EVEN, event(4), Audience([apart, both]))
    await bus.flush()
    assert [(seq, d["n"]) for seq, _, d in both.connection.dispatches()] == [(1, 1), (2, 3), (3, 4)]
    assert [(seq, d["n"]) for seq, _, d in apart.connection.dispatches()] == [(1, 2), (2, 4)]


async def test_what_is_served_in_between_counts_for_the_turn(bus: Bus, nursery: trio.Nursery) -> None:
    received, seen = 0, [0]

    class Counter(Wire):
        def push(self, data: bytes) -> None:
            nonlocal received
            received += 1

    async def others() -> None:
        while True:
            seen.append(received)
            await trio.lowlevel.checkpoint()

    served = Audience([session(1, Counter())])
    between = Audience([session(n, Counter()) for n in range(2, SLICE + 2)])
    for n in range(20):
        bus.publish(EVEN, event(n), between if n % 2 else served)
    nursery.start_soon(others)
    await bus.flush()
    at_once = max(after - before for before, after in pairwise([*seen, received]))
    # Trio may run two tasks in one order and then in the other, so that one of them has two turns at a time.
    assert at_once <= 2 * (SLICE + 1)
    assert received == 10 * (SLICE + 1)


async def test_writers_wait_for_room_and_nothing_is_dropped(bus: Bus) -> None:
    wire = Wire()
    audience = Audience([session(1, wire)])
    await bus.room(EVEN)
    for n in range(10):  # two above the capacity: committed already, so they are taken
        bus.publish(EVEN, event(n), audience)
    assert bus.backlog() == 10
    await bus.room(ODD)  # another shard is not held up
    assert bus.backlog() < 10 or not wire.pushes
    await bus.room(EVEN)
    await bus.flush()
    assert numbers(wire) == list(range(10))
    assert bus.backlog() == 0


async def test_room_is_waited_for_while_nothing_is_delivered() -> None:
    bus = Bus(shards=2, capacity=1)  # which does not run
    bus.publish(EVEN, event(1), Audience([session(1, Wire())]))
    with trio.move_on_after(0) as patience:
        await bus.room(EVEN)
    assert patience.cancelled_caught
    await bus.room(ODD)


async def test_flush_returns_after_the_last_delivery(bus: Bus) -> None:
    await bus.flush()  # at once: there is nothing
    wires = [Wire() for _ in range(SLICE * 2)]
    bus.publish(EVEN, event(1), Audience([session(n, wire) for n, wire in enumerate(wires)]))
    bus.publish(ODD, event(2), Audience([session(1, Wire())]))
    await bus.flush()
    assert all(len(wire.pushes) == 1 for wire in wires)


# --- sessions that span shards ---------------------------------------------------------------------------------------


def ordered(bus: Bus, user_id: int, wire: Wire | None = None) -> Session:
    made = session(user_id, wire)
    assert not bus.follow(made, EVEN), "its first shard"
    assert not bus.follow(made, EVEN)
    assert bus.follow(made, ODD)
    assert not bus.follow(made, ODD), "it has become an ordered one before"
    return made


async def test_an_audience_keeps_ordered_sessions_apart(bus: Bus) -> None:
    one, blind = session(1), session(2)
    both = [ordered(bus, 3), ordered(bus, 4)]
    audience = Audience([one, both[0]], [blind, both[1]])
    assert (audience.full, audience.lean, audience.ordered) == ((one,), (blind,), tuple(both))
    assert set(audience) == {one, blind, *both}
    assert len(audience) == 4
    assert Audience([], [both[0]]).has_lean


async def test_a_quiet_shard_takes_along_what_a_flooded_one_has_pending(bus: Bus) -> None:
    quiet, crowd = Wire(), [Wire() for _ in range(SLICE * 3)]
    it = ordered(bus, 1, quiet)
    waiting = []

    class Last(Wire):
        def push(self, data: bytes) -> None:
            waiting.append(len(quiet.pushes))

    bus.publish(EVEN, event(1), Audience([*(session(2, wire) for wire in crowd), session(3, Last()), it]))
    bus.publish(ODD, event(2), Audience([it]))
    await bus.flush()
    assert [(seq, d["n"]) for seq, _, d in quiet.dispatches()] == [(1, 1), (2, 2)]
    assert waiting == [1], "it got both before the crowd was through"


async def test_ordered_sessions_for_which_the_same_waits_get_the_very_same_bytes(bus: Bus) -> None:
    wires = [Wire(format_) for format_ in range(len(FORMATS)) for _ in range(10)]
    audience = Audience([ordered(bus, n, wire) for n, wire in enumerate(wires)])
    bus.publish(EVEN, event(1), audience)
    bus.publish(ODD, event(2), audience)
    await bus.flush()
    for first in range(0, len(wires), 10):
        assert len({id(wire.pushes[-1]) for wire in wires[first : first + 10]}) == 1
        assert numbers(wires[first]) == [1, 2]
