"""What the bus does for a part of an audience: number the events, keep them for RESUME, and send them as one write.

Sessions at the same sequence number get the very same bytes, unless they are few and compress for themselves. First all
of them are counted, then all are written to: a system call leaves little of the interpreter in the processor's caches,
and whatever is done between two of them takes several times as long.
"""

from collections.abc import Sequence

from chatd.live.frames import Event
from chatd.live.sessions import Session

# The most that a shard sends an ordered session in one write. No fewer than are joined: so a session has nothing left
# once the shards have come to it for every event, and in a flood no more waits for it than in the shards' queues.
CATCH_UP_EVENTS = 128


def number(event: Event, sessions: Sequence[Session]) -> None:
    """Number an event for ordered sessions and keep it for RESUME; it is sent when a shard comes to them."""
    for session in sessions:
        session.seq += 1
        session.ring.append(event)
        session.pending.append(event)


def deliver_ordered(events: list[Event], sessions: Sequence[Session], few: bool) -> None:
    """Send what waits for ordered sessions, these events or others, and `events` themselves if they are volatile."""
    if few:
        for session in sessions:
            session.catch_up(CATCH_UP_EVENTS)
    else:
        _catch_up_shared(sessions)
    if events[0].volatile:
        for session in sessions:
            session.push_joined(events, session.seq - len(session.pending), 0)


def _catch_up_shared(sessions: Sequence[Session]) -> None:
    alike: dict[tuple[int, int, bool, tuple[Event, ...]], list[Session]] = {}
    for session in sessions:
        if not session.pending:
            continue
        waiting = tuple(session.pending[:CATCH_UP_EVENTS])
        before = session.seq - len(session.pending)
        del session.pending[:CATCH_UP_EVENTS]
        if session.push_data is None:
            continue
        if session.lean and any(session.user.id in event.reveal for event in waiting):
            session.push_joined(waiting, before + 1, 1)
            continue
        if session.context is not None:
            session.context.interrupt()
        alike.setdefault((before, session.format, session.lean, waiting), []).append(session)
    for (before, format_, lean, waiting), group in alike.items():
        _send(_frames(waiting, before, format_, lean), group)


def deliver(events: list[Event], sessions: Sequence[Session], lean: bool, few: bool) -> None:
    """Number the events for each session, keep them for RESUME, and send them."""
    if events[0].volatile:
        for session in sessions:
            session.push_joined(events, session.seq, 0)
    elif few:
        for session in sessions:
            session.seq += len(events)
            session.ring.extend(events)
            session.push_joined(events, session.seq - len(events) + 1, 1)
    else:
        _deliver_shared(events, sessions, lean)


def _deliver_shared(events: list[Event], sessions: Sequence[Session], lean: bool) -> None:
    """The innermost loop of the server. Neighbours mostly stand at the same number, so that it is looked at first."""
    count, event = len(events), events[0]
    revealed = frozenset[int]().union(*(event.reveal for event in events)) if lean else frozenset[int]()
    alike: dict[tuple[int, int], list[Session]] = {}
    group: list[Session] = []
    before, after, format_ = -1, -1, -1
    for session in sessions:
        if session.seq != before:
            before, after, format_ = session.seq, session.seq + count, -1
        session.seq = after  # the same object for all of them
        if count == 1:
            session.ring.append(event)
        else:
            session.ring.extend(events)
        if session.push_data is None:
            continue
        if revealed and session.user.id in revealed:
            session.push_joined(events, before + 1, 1)
            continue
        if session.format != format_:
            format_ = session.format
            group = alike.setdefault((before, format_), [])
        if session.context is not None:
            session.context.interrupt()
        group.append(session)
    for (before, format_), group in alike.items():
        _send(_frames(events, before, format_, lean), group)


def _frames(events: Sequence[Event], before: int, format_: int, lean: bool) -> bytes:
    return b"".join([event.frame(seq, format_, lean) for seq, event in enumerate(events, before + 1)])


def _send(data: bytes, sessions: Sequence[Session]) -> None:
    """Write the same whole frames to each."""
    size = len(data)
    for session in sessions:
        send, sent = session.send, 0
        if send is not None:
            try:
                sent = send(data)
            except OSError:  # full, or gone: `push_data` finds out which
                sent = 0
        if sent != size and session.push_data is not None:
            session.push_data(data[sent:])
