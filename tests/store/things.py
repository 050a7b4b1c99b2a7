"""Transactions over the table `things`, and a way to make them wait for each other."""

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio

from chatd.store.db import Database, Row, Tx, cols

# How long a store thread may be held before the test has failed; never waited for when it passes.
HELD_S = 20.0


class Thing(Row):
    id: int
    name: str | None
    parent_id: int | None
    data: bytes | None
    weight: float | None


def add(tx: Tx, thing_id: int, name: str | None = None, parent_id: int | None = None) -> int:
    tx.run("INSERT INTO things (id, name, parent_id) VALUES (?, ?, ?)", thing_id, name, parent_id)
    return thing_id


def add_many(tx: Tx, ids: Sequence[int]) -> list[int]:
    tx.insert_many("things", ("id",), [(thing_id,) for thing_id in ids])
    return list(ids)


def ids(tx: Tx) -> list[int]:
    return [thing.id for thing in tx.rows(Thing, f"SELECT {cols(Thing)} FROM things ORDER BY id")]


def count(tx: Tx) -> int:
    found: int = tx.scalar("SELECT COUNT(*) FROM things")
    return found


@asynccontextmanager
async def held_writer(database: Database, nursery: trio.Nursery) -> AsyncIterator[None]:
    """The writer is busy inside the block, so that what is written there waits together."""
    started, release = trio.Event(), threading.Event()
    token = trio.lowlevel.current_trio_token()

    def hold(tx: Tx) -> None:
        trio.from_thread.run_sync(started.set, trio_token=token)
        assert release.wait(HELD_S)

    nursery.start_soon(database.write, hold)
    await started.wait()
    try:
        yield
    finally:
        release.set()
