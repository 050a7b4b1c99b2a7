"""Failing databases, failed in earnest: a sync that the file system refuses, a server that cuts the connection."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import apsw
import psycopg
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from chatd.store import open_database, postgres, sqlite
from chatd.store.connect import connect
from chatd.store.db import Database, StoreFailed, Taken, Tx
from tests.store.things import HELD_S, add, add_many, count, held_writer, ids

on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("dialect", ["postgres"], indirect=True)


REAL_DISK = apsw.vfs_names()[0]  # the default comes first


class FaultyDisk(apsw.VFS):
    """The default file system, until syncs of the kind of file in `broken` fail."""

    def __init__(self) -> None:
        self.broken = 0
        super().__init__("faulty", base=REAL_DISK, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 (apsw's name)
        return FaultyFile(self, name, flags)


class FaultyFile(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._kind = flags[0]
        super().__init__(REAL_DISK, name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802 (apsw's name)
        if self._kind & self._disk.broken:
            raise apsw.IOError("sync refused")
        super().xSync(flags)


@contextmanager
def faulty_disk() -> Iterator[FaultyDisk]:
    disk = FaultyDisk()
    try:
        yield disk
    finally:
        disk.unregister()


async def expect_stopped(things: Database, called: list[int]) -> None:
    """The database refuses to write, `called` says what it acknowledged before."""
    with trio.fail_after(HELD_S):
        await things.failed.wait()
    acknowledged = list(called)
    with pytest.raises(StoreFailed):
        await things.write(add, 100, then=called.append)
    with pytest.raises(StoreFailed):
        await things.append(add_many, 101, then=called.append)
    assert called == acknowledged


async def write_group(things: Database, called: list[int]) -> None:
    """Three calls that wait together; none may be acknowledged."""

    async def refused(call: Callable[[], Awaitable[object]]) -> None:
        with pytest.raises(StoreFailed):
            await call()

    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        nursery.start_soon(refused, partial(things.write, add, 2, then=called.append))
        nursery.start_soon(refused, partial(things.append, add_many, 3, then=called.append))
        nursery.start_soon(refused, partial(things.append, add_many, 4, then=called.append))
        await wait_all_tasks_blocked()


@on_sqlite
async def test_failed_sync_of_a_commit_stops_the_database(things_url: str) -> None:
    called: list[int] = []
    with faulty_disk() as disk:
        async with open_database(things_url) as things:
            await things.write(add, 1, then=called.append)
            disk.broken = apsw.SQLITE_OPEN_WAL
            await write_group(things, called)
            disk.broken = 0  # a disk that claims to be well again is not believed
            await expect_stopped(things, called)
    assert called == [1]


@on_sqlite
async def test_failed_sync_of_a_checkpoint_stops_the_database(things_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "CHECKPOINT_PAGES", 1)
    called: list[int] = []
    with faulty_disk() as disk:
        async with open_database(things_url) as things:
            disk.broken = apsw.SQLITE_OPEN_MAIN_DB
            await things.write(add, 1, then=called.append)  # safe in the log before the checkpoint fails
            await expect_stopped(things, called)
    assert called == [1]
    async with open_database(things_url) as things:
        assert await things.read(ids) == [1]


@on_sqlite
async def test_log_is_moved_into_the_file_while_running(things_url: str) -> None:
    path = things_url.removeprefix("sqlite://")
    page_bytes = 4096
    limit_bytes = 2 * sqlite.CHECKPOINT_PAGES * page_bytes

    def grow(tx: Tx, thing_id: int) -> None:
        tx.run("INSERT INTO things (id, data) VALUES (?, ?)", thing_id, bytes(250 * page_bytes))

    async with open_database(things_url) as things:
        for thing_id in range(20):
            await things.write(grow, thing_id)
            await things.read(count)
        file, log = trio.Path(path), trio.Path(f"{path}-wal")
        assert (await file.stat()).st_size > limit_bytes
        assert (await log.stat()).st_size < limit_bytes


@on_sqlite
async def test_writes_wait_for_another_process(things_url: str, things: Database) -> None:
    other = connect(things_url)
    other.begin()
    add(other, 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(things.write, add, 2)
        await wait_all_tasks_blocked()
        assert await things.read(count) == 0
        other.commit()
    other.close()
    assert await things.read(ids) == [1, 2]


@on_sqlite
async def test_writes_are_refused_while_another_process_does_not_finish(
    things_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 1)
    async with open_database(things_url) as things:
        other = connect(things_url)
        other.begin()
        with pytest.raises(StoreFailed):
            await things.write(add, 1)
        other.rollback()
        other.close()
        assert await things.write(add, 2) == 2
        assert not things.failed.is_set()


@on_postgres
async def test_loss_during_commit_stops_the_database(things_url: str, things: Database) -> None:
    with psycopg.connect(things_url) as admin:
        admin.execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END'"
        )
        admin.execute(
            "CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW WHEN (NEW.id = 4) EXECUTE FUNCTION die()"
        )
    called: list[int] = []
    await things.write(add, 1, then=called.append)
    await write_group(things, called)
    await expect_stopped(things, called)
    assert called == [1]


def lose_connection(tx: Tx) -> None:
    tx.scalar("SELECT pg_terminate_backend(pg_backend_pid())")


@on_postgres
async def test_loss_before_commit_fails_the_group_and_no_more(things: Database) -> None:
    refused: list[int] = []

    async def write(thing_id: int) -> None:
        try:
            await things.write(add, thing_id)
        except StoreFailed:
            refused.append(thing_id)

    async def lose() -> None:
        with pytest.raises(StoreFailed):
            await things.write(lose_connection)

    async with trio.open_nursery() as nursery, held_writer(things, nursery):
        nursery.start_soon(write, 1)
        nursery.start_soon(lose)
        nursery.start_soon(write, 2)
        await wait_all_tasks_blocked()
    assert sorted(refused) == [1, 2]
    await lose()  # alone in its transaction
    assert await things.write(add, 3) == 3
    assert await things.read(ids) == [3]
    assert not things.failed.is_set()


@on_postgres
async def test_lost_reader_is_replaced(things: Database) -> None:
    for _ in range(6):
        with pytest.raises(StoreFailed):
            await things.read(lose_connection)
        assert await things.read(count) == 0


@on_postgres
async def test_connections_lost_while_idle_are_replaced_unnoticed(things_url: str, things: Database) -> None:
    await things.write(add, 1)
    with psycopg.connect(things_url) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chatd'")
    assert await things.write(add, 2) == 2
    for _ in range(6):
        assert await things.read(count) == 2


@on_postgres
async def test_statement_that_takes_too_long_is_stopped(things_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "STATEMENT_TIMEOUT_MS", 20)
    async with open_database(things_url) as things:
        with pytest.raises(StoreFailed, match="timeout"):
            await things.write(lambda tx: tx.scalar("SELECT 1 FROM pg_sleep(60)"))
        assert await things.write(add, 1) == 1


@on_postgres
async def test_asynchronous_commit_is_refused(things_url: str) -> None:
    with psycopg.connect(things_url, autocommit=True) as admin:
        admin.execute("ALTER ROLE chatd IN DATABASE " + admin.info.dbname + " SET synchronous_commit = off")
    with pytest.raises(StoreFailed, match="synchronous_commit"):
        connect(things_url)


def test_rolling_back_twice_is_harmless(things_url: str) -> None:
    connection = connect(things_url)
    for _ in range(2):
        connection.begin()
        add(connection, 1)
        connection.rollback()
        connection.rollback()
    connection.close()


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:///nonexistent/directory/chatd.db", "/nonexistent/chatd.db"]
)
async def test_unreachable_database(url: str) -> None:
    with pytest.raises(StoreFailed):
        async with open_database(url):
            pass


def test_unknown_kind_of_database() -> None:
    with pytest.raises(ValueError, match="mysql"):
        connect("mysql://127.0.0.1/chatd")


@on_postgres
async def test_a_database_that_another_process_has_is_not_opened(
    things_url: str, things: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT_MS", 50)
    with pytest.raises(Taken):
        async with open_database(things_url):
            pass
    await things.write(add, 1)
    connect(things_url).close()  # for commands that may work beside it


@on_postgres
async def test_one_that_was_taken_while_the_connection_was_lost_is_written_no_more(
    things_url: str, things: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[int] = []
    await things.write(add, 1, then=called.append)
    with psycopg.connect(things_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        other.execute(postgres.LOCK)
        monkeypatch.setattr(postgres, "LOCK_TIMEOUT_MS", 50)
        with pytest.raises(StoreFailed):
            await things.write(add, 2, then=called.append)
        await expect_stopped(things, called)


@on_postgres
async def test_a_lost_connection_takes_the_lock_again(
    things_url: str, things: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await things.write(add, 1)
    with psycopg.connect(things_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
    await things.write(add, 2)
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT_MS", 50)
    with pytest.raises(Taken):
        async with open_database(things_url):
            pass
