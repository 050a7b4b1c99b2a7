"""A client that breaks off anywhere and resumes has every event once, in order, however they came."""

from hypothesis import given
from hypothesis import strategies as st

from chatd.live.delivery import deliver
from chatd.live.formats import FORMATS
from chatd.live.frames import Event
from chatd.live.sessions import Session
from tests.support.live import Wire, session

formats = st.integers(0, len(FORMATS) - 1)

# So many events at once, or one of so many bytes to this session alone; the socket is lost with so many unread; the
# client is back and takes pieces of this size.
steps = st.lists(
    st.tuples(st.just("events"), st.integers(1, 6))
    | st.tuples(st.just("push"), st.integers(1, 200))
    | st.tuples(st.just("break"), st.integers(0, 5))
    | st.tuples(st.just("resume"), st.integers(1, 300)),
    max_size=30,
)


class Client:
    """What has been read on all of its connections. Breaking off loses the last `unread` of what was pushed."""

    def __init__(self, format_: int) -> None:
        self.format = format_
        self.wire = Wire(format_)
        self.events: list[int] = []

    def read(self, unread: int = 0) -> None:
        seen = self.wire.dispatches()
        for seq, _, n in seen[: len(seen) - unread] if unread else seen:
            assert seq == len(self.events) + 1, "a hole, or an event twice"
            self.events.append(n)
        self.wire = Wire(self.format)


def resume(it: Session, client: Client, limit_bytes: int) -> bool:
    seq = len(client.events)
    if not it.can_replay(seq):
        return False
    while True:
        seq, data = it.replay(seq, client.wire, limit_bytes)
        client.wire.push(data)
        if seq == it.seq:
            it.connection = client.wire
            return True


@given(steps, formats, st.integers(1, 40), st.booleans())
def test_resuming_leaves_no_hole(history: list[tuple[str, int]], format_: int, ring_events: int, few: bool) -> None:
    client = Client(format_)
    it = session(1, client.wire, ring_events=ring_events)
    published = 0
    for step, count in [*history, ("break", 0), ("resume", 50)]:
        if step == "events":
            made = [Event("NAME", b"%d" % n) for n in range(published, published + count)]
            published += count
            deliver(made, [it], lean=False, few=few)
        elif step == "push":
            it.push(Event("NAME", b"%d" % published + b" " * count))
            published += 1
        elif step == "break" and it.connection is not None:
            it.connection = None
            client.read(unread=count)
        elif step == "resume" and it.connection is None and not resume(it, client, count):
            # Only if what it lacks is more than the ring holds.
            assert published - len(client.events) > ring_events
            return
    client.read()
    assert client.events == list(range(published))
    assert it.seq == published


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 20), st.data())
def test_what_can_be_replayed_is_exactly_what_is_kept(
    batches: list[int], ring_events: int, data: st.DataObject
) -> None:
    it = session(ring_events=ring_events)
    for count in batches:
        if count:
            deliver([Event("NAME", b"1") for _ in range(count)], [it], lean=False, few=True)
    seq = data.draw(st.integers(-3, it.seq + 3))
    assert it.can_replay(seq) is (max(0, sum(batches) - ring_events) <= seq <= sum(batches))
