"""Sessions as data: their ring, replay, and what their presences add up to."""

import pytest

from chatd.live.delivery import deliver
from chatd.live.formats import FORMATS, JSON
from chatd.live.frames import Event
from chatd.live.presence import Presence
from chatd.live.sessions import Session, Sessions
from chatd.model import intents
from tests.support.live import Wire, session


def fill(it: Session, count: int) -> None:
    for _ in range(count):
        it.push(Event("NAME", b"%d" % (it.seq + 1)))


def replayed(it: Session, seq: int, limit_bytes: int = 10**9, format_: int = JSON) -> tuple[int, list[int]]:
    wire = Wire(format_)
    seq, data = it.replay(seq, wire, limit_bytes)
    wire.push(data)
    return seq, [s for s, _, _ in wire.dispatches()]


def test_events_are_numbered_from_one_and_sent_at_once() -> None:
    wire = Wire()
    fill(session(1, wire), 3)
    assert wire.dispatches() == [(1, "NAME", 1), (2, "NAME", 2), (3, "NAME", 3)]
    assert len(wire.pushes) == 3


def test_without_a_socket_events_wait_in_the_ring() -> None:
    it = session()
    fill(it, 3)
    assert it.seq == 3
    assert replayed(it, 0) == (3, [1, 2, 3])


@pytest.mark.parametrize(
    ("seq", "can"), [(-1, False), (0, False), (5, False), (6, True), (9, True), (10, True), (11, False), (2**70, False)]
)
def test_replay_reaches_back_as_far_as_the_ring(seq: int, can: bool) -> None:
    it = session(ring_events=4)
    fill(it, 10)
    assert it.can_replay(seq) is can
    if can:
        assert replayed(it, seq) == (10, list(range(seq + 1, 11)))


def test_a_full_ring_of_a_young_session_reaches_back_to_its_start() -> None:
    it = session(ring_events=4)
    assert it.can_replay(0)
    fill(it, 4)
    assert it.can_replay(0)
    fill(it, 1)
    assert not it.can_replay(0)


def test_what_is_pushed_is_bounded_in_bytes() -> None:
    it = session(ring_bytes=100)
    for size in (40, 40, 40, 10):
        it.push(Event("NAME", b"1" * size))
    assert (it.seq, len(it.ring)) == (4, 3)
    assert not it.can_replay(0)
    assert it.can_replay(1)


def test_events_older_than_a_pushed_one_go_with_it() -> None:
    it = session(ring_bytes=100)
    it.push(Event("NAME", b"1" * 60))
    deliver([Event("NAME", b"1" * 500) for _ in range(3)], [it], lean=False, few=False)
    assert it.can_replay(0), "what the bus delivers is not counted"
    it.push(Event("NAME", b"1" * 60))
    assert [len(event.body) for event in it.ring] == [500, 500, 500, 60]
    it.push(Event("NAME", b"1" * 60))
    assert [len(event.body) for event in it.ring] == [60]


def test_the_newest_event_stays_however_large_it_is() -> None:
    it = session(ring_bytes=100)
    for number in range(1, 4):
        it.push(Event("NAME", b"1" * 1000))
        assert (len(it.ring), it.can_replay(number - 1)) == (1, True)


def test_what_has_fallen_out_of_the_ring_counts_no_more() -> None:
    it = session(ring_events=2, ring_bytes=100)
    for _ in range(3):
        it.push(Event("NAME", b"1" * 50))
        fill(it, 2)
    assert len(it.ring) == 2


@pytest.mark.parametrize("format_", range(len(FORMATS)))
def test_replay_comes_in_pieces_of_about_the_given_size(format_: int) -> None:
    it = session()
    fill(it, 20)
    wire = Wire(format_)
    seq, pieces = 7, 0
    while seq < it.seq:
        before = seq
        seq, data = it.replay(seq, wire, 100)
        assert seq > before
        assert len(data) < 250
        wire.push(data)
        pieces += 1
    assert wire.dispatches() == [(n, "NAME", n) for n in range(8, 21)]
    assert pieces > 2


def test_a_piece_has_one_event_at_least() -> None:
    it = session()
    fill(it, 3)
    assert replayed(it, 1, limit_bytes=0) == (2, [2])


def test_replay_of_nothing_is_nothing() -> None:
    it = session()
    fill(it, 3)
    assert it.replay(3, Wire(), 100) == (3, b"")


def test_content_is_kept_from_who_may_not_see_it_in_replay_as_well() -> None:
    blind = intents.ALL & ~intents.MESSAGE_CONTENT
    event = Event("MESSAGE_CREATE", b'"secret"', lean=b'""', reveal=frozenset({2}))
    seen = {}
    for user_id, its_intents in ((1, blind), (2, blind), (3, intents.ALL)):
        wire = Wire()
        it = session(user_id, wire, intents=its_intents)
        it.push(event)
        wire.push(it.replay(0, wire, 1000)[1])
        seen[user_id] = [d for _, _, d in wire.dispatches()]
    assert seen == {1: ["", ""], 2: ["secret", "secret"], 3: ["secret", "secret"]}


@pytest.mark.parametrize(
    ("shard", "serves"), [((0, 1), [0, 1, 2, 3]), ((0, 2), [0, 2]), ((1, 2), [1, 3]), ((3, 4), [3])]
)
def test_a_guild_belongs_to_one_shard(shard: tuple[int, int], serves: list[int]) -> None:
    it = session(shard=shard)
    assert [n for n in range(4) if it.serves(n << 22 | 0x3FFFFF)] == serves


def test_sessions_are_found_by_id_and_by_user() -> None:
    sessions = Sessions()
    one, two, other = session(1, Wire()), session(1, Wire()), session(2, Wire())
    for each in (one, two, other):
        sessions.add(each)
    assert len(sessions) == 3
    assert set(sessions) == {one, two, other}
    assert sessions.get(one.id) is one
    assert sessions.get("unknown") is None
    assert list(sessions.of_user(1)) == [one, two]
    sessions.remove(one)
    assert one not in sessions
    assert list(sessions.of_user(1)) == [two]
    assert list(sessions.of_user(3)) == []


def test_a_user_is_online_while_any_session_says_so() -> None:
    sessions = Sessions()
    assert sessions.presence_of(1).status == "offline"
    first, second = session(1, Wire(), presence=Presence(status="idle")), session(1, Wire())
    sessions.add(first)
    assert sessions.presence_of(1).status == "idle"
    sessions.add(second)
    assert sessions.presence_of(1).status == "online"
    sessions.set_presence(second, Presence(status="invisible"))
    assert sessions.presence_of(1).status == "idle"
    sessions.remove(first)
    assert sessions.presence_of(1).status == "offline"
    sessions.remove(second)
    assert sessions.presence_of(1).status == "offline"


def test_many_sessions_that_say_the_same_count_one_by_one() -> None:
    sessions = Sessions()
    many = [session(1, Wire()) for _ in range(5)]
    for each in many:
        sessions.add(each)
    for each in many[:4]:
        sessions.set_presence(each, Presence(status="dnd"))
    assert sessions.presence_of(1).status == "online"
    sessions.remove(many[4])
    assert sessions.presence_of(1).status == "dnd"
