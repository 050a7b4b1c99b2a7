"""A guild's threads in memory: all active ones, and the archived ones that were used lately."""

import pytest
from msgspec.structs import replace

from chatd.live import threads
from chatd.live.threads import Threads, ThreadState
from chatd.model.objects.thread import ThreadFlags
from chatd.model.snowflake import lowest_at
from chatd.model.wire import Snowflake, parse_timestamp
from tests.support.live import thread

PARENT, GUILD = 10, 1000
HOUR_MS = 3_600_000


def made(id_: int, *, archived: bool = False) -> ThreadState:
    return thread(id_, PARENT, GUILD, archived=archived)


def test_the_archived_one_that_is_longest_unused_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "ARCHIVED", 2)
    kept = Threads([made(1), made(2)])
    assert [kept.put(made(id_, archived=True)) for id_ in (3, 4)] == [None, None]
    assert kept.get(3) is not None
    assert kept.put(made(5, archived=True)) == 4
    assert [each.id for each in kept.all()] == [1, 2, 3, 5]
    assert kept.get(4) is None


def test_a_thread_is_active_or_archived() -> None:
    kept = Threads([made(1)])
    kept.put(made(1, archived=True))
    assert not kept.active
    assert [each.id for each in kept.of_parent(PARENT)] == [1]
    kept.put(made(1))
    assert [each.id for each in kept.all()] == [*kept.active] == [1]
    kept.pop(1)
    assert kept.all() == kept.of_parent(PARENT) == []


def test_a_thread_is_idle_after_its_last_activity() -> None:
    state = made(1)
    began_ms = parse_timestamp(state.thread.thread_metadata.archive_timestamp)
    assert not state.is_idle(began_ms + HOUR_MS - 1)
    assert state.is_idle(began_ms + HOUR_MS)
    state.posted(lowest_at(began_ms + 5))
    assert not state.is_idle(began_ms + HOUR_MS)
    assert state.is_idle(began_ms + HOUR_MS + 5)
    state.thread = replace(state.thread, flags=int(ThreadFlags.PINNED))
    assert not state.is_idle(began_ms + 100 * HOUR_MS)


def test_counts() -> None:
    state = made(1)
    state.began(5)
    for message_id in (6, 7):
        state.posted(message_id)
    for message_id in (5, 6):
        state.unposted(message_id)
    state.members.update(dict.fromkeys(range(60), 0))
    shown = state.view(7)
    assert (shown.message_count, shown.total_message_sent, shown.last_message_id) == (1, 2, Snowflake(7))
    assert shown.member_count == 50
    assert shown.member == state.member(7)
