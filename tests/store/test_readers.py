"""Reading: snapshots, bounds, cancellation, recovery."""

import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from chatd.store import open_database
from chatd.store.db import Database, Overloaded, TooSlow, Tx
from tests.store.things import HELD_S, add, count


async def test_read_sees_one_snapshot(things: Database) -> None:
    started, release = threading.Event(), threading.Event()
    counts: list[tuple[int, int]] = []

    def count_twice(tx: Tx) -> tuple[int, int]:
        first = count(tx)
        started.set()
        assert release.wait(HELD_S)
        return first, count(tx)

    async def read() -> None:
        counts.append(await things.read(count_twice))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        assert await trio.to_thread.run_sync(started.wait, HELD_S)
        await things.write(add, 1)
        release.set()
    assert counts == [(0, 0)]
    assert await things.read(count) == 1


async def test_read_sees_every_finished_write(things: Database) -> None:
    for thing_id in range(20):
        await things.write(add, thing_id)
        assert await things.read(count) == thing_id + 1


async def test_read_cannot_write(things: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        await things.read(add, 1)
    for _ in range(4):  # every reader is usable afterwards
        assert await things.read(count) == 0


async def test_raising_reaches_the_caller(things: Database) -> None:
    def fail(tx: Tx) -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        await things.read(fail)


async def test_reads_are_bounded_and_can_be_abandoned(things_url: str) -> None:
    release = threading.Event()

    def hold(tx: Tx) -> None:
        assert release.wait(HELD_S)

    async with open_database(things_url, readers=1, waiting_limit=2) as things:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(things.read, hold)
            await wait_all_tasks_blocked()  # in this order: Trio starts tasks in any
            nursery.start_soon(things.read, count)
            await wait_all_tasks_blocked()
            with pytest.raises(Overloaded):
                await things.read(count)
            nursery.cancel_scope.cancel()  # both tasks go on though the thread is still held
        release.set()
        while True:
            try:
                assert await things.read(count) == 0
                break
            except Overloaded:  # the abandoned ones are not reported yet
                await trio.lowlevel.checkpoint()


async def test_a_transaction_may_limit_its_time(things: Database) -> None:
    def count_for_ever(tx: Tx) -> None:
        tx.allow(0.01)
        tx.scalar("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT COUNT(*) FROM n")

    for _ in range(4):  # every reader is usable afterwards, and has time again
        with pytest.raises(TooSlow):
            await things.read(count_for_ever)
    for _ in range(4):
        assert await things.read(count) == 0
