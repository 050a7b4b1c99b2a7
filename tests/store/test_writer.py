"""Group commit, the same on both databases."""

import logging
import random
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from chatd.store import open_database
from chatd.store.db import Conflict, Database, Overloaded, StoreFailed, Tx
from chatd.store.writer import JOIN_LIMIT
from tests.store.things import add, add_many, count, held_writer, ids


async def test_write_returns_the_result(things: Database) -> None:
    assert await things.write(add, 7) == 7
    assert await things.read(ids) == [7]


async def test_write_returns_what_then_returns(things: Database) -> None:
    assert await things.write(add, 7, then=str) == "7"
    assert await things.append(add_many, 8, then=str) == "8"


async def test_callbacks_run_in_commit_order(things: Database) -> None:
    committed: list[int] = []
    called: list[int] = []

    def write_one(tx: Tx, thing_id: int) -> int:
        committed.append(thing_id)
        return add(tx, thing_id)

    def append_all(tx: Tx, thing_ids: list[int]) -> list[int]:
        committed.extend(thing_ids)
        return add_many(tx, thing_ids)

    async with trio.open_nursery() as nursery:
        for thing_id in range(300):
            if random.Random(thing_id).random() < 0.3:
                nursery.start_soon(partial(things.write, write_one, thing_id, then=called.append))
            else:
                nursery.start_soon(partial(things.append, append_all, thing_id, then=called.append))

    assert sorted(called) == list(range(300))
    assert called == committed
    assert await things.read(count) == 300


async def test_callback_runs_before_the_task_goes_on(things: Database) -> None:
    seen: list[str] = []
    await things.write(add, 1, then=lambda _: seen.append("callback"))
    seen.append("task")
    assert seen == ["callback", "task"]


def add_and_raise(tx: Tx, thing_id: int) -> None:
    add(tx, thing_id)
    raise LookupError(thing_id)


async def test_raising_undoes_a_lone_write(things: Database) -> None:
    with pytest.raises(LookupError):
        await things.write(add_and_raise, 1)
    assert await things.write(add, 2) == 2
    assert await things.read(ids) == [2]


async def test_raising_undoes_only_its_own_write(things: Database) -> None:
    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        nursery.start_soon(things.write, add, 1)
        nursery.start_soon(expect, LookupError, partial(things.write, add_and_raise, 2))
        nursery.start_soon(things.write, add, 3)
        nursery.start_soon(expect, Conflict, partial(things.write, add_twice, 4))
        nursery.start_soon(things.write, add, 5)
        await wait_all_tasks_blocked()
    assert await things.read(ids) == [1, 3, 5]


def add_twice(tx: Tx, thing_id: int) -> None:
    add(tx, thing_id)
    add(tx, thing_id)


async def expect(error: type[Exception], call: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(error):
        await call()


async def test_appends_of_one_turn_of_the_event_loop_become_one_call(things: Database) -> None:
    calls: list[list[int]] = []

    def append_all(tx: Tx, thing_ids: list[int]) -> list[int]:
        calls.append(thing_ids)
        return add_many(tx, thing_ids)

    async def append_one(thing_id: int) -> None:
        # The turn lasts, and the writer's thread could begin with those that have asked already.
        time.sleep(0.01)  # noqa: ASYNC251
        await things.append(append_all, thing_id)

    async with trio.open_nursery() as nursery:
        for thing_id in range(5):
            nursery.start_soon(append_one, thing_id)
    assert [sorted(call) for call in calls] == [[0, 1, 2, 3, 4]]


async def test_waiting_appends_become_one_call(things: Database) -> None:
    calls: list[list[int]] = []
    results: dict[int, str] = {}

    def append_all(tx: Tx, thing_ids: list[int]) -> list[str]:
        calls.append(thing_ids)
        return [str(thing_id) for thing_id in add_many(tx, thing_ids)]

    async def append_one(thing_id: int) -> None:
        results[thing_id] = await things.append(append_all, thing_id)

    total = JOIN_LIMIT + 10
    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        for thing_id in range(total):
            nursery.start_soon(append_one, thing_id)
        await wait_all_tasks_blocked()

    assert [len(call) for call in calls] == [JOIN_LIMIT, 10]
    assert results == {thing_id: str(thing_id) for thing_id in range(total)}
    assert await things.read(count) == total


async def test_joining_keeps_the_order_of_the_queue(things: Database) -> None:
    calls: list[object] = []

    def append_all(tx: Tx, names: list[str]) -> list[None]:
        calls.append(names)
        return [None] * len(names)

    def append_others(tx: Tx, names: list[str]) -> list[None]:
        return append_all(tx, names)

    def write_one(tx: Tx, name: str) -> None:
        calls.append(name)

    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        for call in (
            partial(things.append, append_all, "a"),
            partial(things.append, append_all, "b"),
            partial(things.write, write_one, "c"),
            partial(things.append, append_all, "d"),
            partial(things.append, append_others, "e"),
            partial(things.append, append_others, "f"),
        ):
            nursery.start_soon(call)
            await wait_all_tasks_blocked()  # one after the other into the queue

    assert calls == [["a", "b"], "c", ["d"], ["e", "f"]]


@pytest.mark.parametrize("others", [0, 1])
async def test_only_the_guilty_append_fails(things: Database, others: int) -> None:
    await things.write(add, 2)
    called: list[int] = []
    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        for thing_id in (1, 2, 3):
            call = partial(things.append, add_many, thing_id, then=called.append)
            nursery.start_soon(partial(expect, Conflict, call) if thing_id == 2 else call)
            await wait_all_tasks_blocked()
        for number in range(others):  # with them the joined call is not alone in its transaction
            nursery.start_soon(things.write, add, 10 + number)
        await wait_all_tasks_blocked()
    assert called == [1, 3]
    assert await things.read(ids) == [1, 2, 3, *range(10, 10 + others)]


async def test_wrong_number_of_results_fails_the_call(things: Database) -> None:
    def forget(tx: Tx, thing_ids: list[int]) -> list[int]:
        add_many(tx, thing_ids)
        return []

    with pytest.raises(ValueError, match="zip"):
        await things.append(forget, 1)
    assert await things.read(count) == 0


async def test_cancelled_task_still_learns_its_outcome(things: Database) -> None:
    called: list[int] = []
    outcomes: list[int] = []

    def acknowledge(thing_id: int) -> int:
        called.append(thing_id)
        return thing_id

    async def write(scope: trio.CancelScope) -> None:
        with scope:
            outcomes.append(await things.write(add, 1, then=acknowledge))

    scope = trio.CancelScope()
    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        nursery.start_soon(write, scope)
        await wait_all_tasks_blocked()
        scope.cancel()
        await wait_all_tasks_blocked()
        assert outcomes == []
    assert called == outcomes == [1]
    assert await things.read(ids) == [1]


async def test_cancelled_before_it_is_queued(things: Database) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await things.write(add, 1)
    assert scope.cancelled_caught
    assert await things.read(count) == 0


async def test_full_queue_refuses_at_once(things_url: str) -> None:
    async with open_database(things_url, waiting_limit=3) as things:
        async with trio.open_nursery() as nursery, held_writer(things, nursery):
            nursery.start_soon(things.write, add, 1)
            nursery.start_soon(things.append, add_many, 2)
            await wait_all_tasks_blocked()
            with pytest.raises(Overloaded):
                await things.write(add, 3)
        await things.write(add, 4)
        assert await things.read(ids) == [1, 2, 4]


async def test_failing_callback_hurts_nobody_else(things: Database, caplog: pytest.LogCaptureFixture) -> None:
    called: list[int] = []

    def fail(result: int) -> None:
        raise LookupError(result)

    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        nursery.start_soon(partial(things.write, add, 1, then=called.append))
        nursery.start_soon(expect, LookupError, partial(things.write, add, 2, then=fail))
        nursery.start_soon(partial(things.write, add, 3, then=called.append))
        await wait_all_tasks_blocked()
    assert sorted(called) == [1, 3]
    assert await things.read(ids) == [1, 2, 3]
    assert [record.levelno for record in caplog.records if record.name == "chatd.store.writer"] == [logging.ERROR]


async def test_closing_finishes_what_is_queued(things_url: str) -> None:
    async with open_database(things_url) as things:
        async with trio.open_nursery() as nursery, held_writer(things, nursery):
            for thing_id in range(5):
                nursery.start_soon(things.write, add, thing_id)
            await wait_all_tasks_blocked()
            nursery.start_soon(things.aclose)
            await wait_all_tasks_blocked()
            with pytest.raises(StoreFailed):
                await things.write(add, 9)
        with pytest.raises(StoreFailed):
            await things.read(count)
    async with open_database(things_url) as things:
        assert await things.read(ids) == [0, 1, 2, 3, 4]


async def test_call_that_ignores_a_failed_statement_is_never_acknowledged_falsely(things: Database) -> None:
    """PostgreSQL dooms the transaction; SQLite goes on. What is acknowledged must be there either way."""

    def ignore(tx: Tx, thing_id: int) -> int:
        try:
            add_twice(tx, thing_id)
        except Conflict:
            return thing_id
        raise AssertionError

    acknowledged: list[int] = []

    async def write(thing_id: int) -> None:
        with suppress(StoreFailed):
            acknowledged.append(await things.write(ignore, thing_id))

    await write(1)  # alone
    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        nursery.start_soon(write, 2)
        nursery.start_soon(things.write, add, 3)
        await wait_all_tasks_blocked()
    assert not things.failed.is_set()
    assert await things.read(ids) == sorted([*acknowledged, 3])


async def test_threads_end_with_the_database(things_url: str, dialect: str) -> None:
    async with open_database(things_url, readers=2):
        threads = sum(thread.name.startswith("store-") for thread in threading.enumerate())
        assert threads == (4 if dialect == "postgres" else 3)  # PostgreSQL has another writer, aside
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("store-")]


async def test_what_is_written_aside_waits_for_nothing_on_postgres(things: Database, dialect: str) -> None:
    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        if dialect == "postgres":
            await things.write_aside(add, 1)
            assert await things.read(ids) == [1]
        else:
            nursery.start_soon(things.write_aside, add, 1)
            await wait_all_tasks_blocked()
    assert await things.read(ids) == [1]
