"""What is true on disk. `open_database` opens it; the query modules beside this one say what can be asked."""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import trio

from chatd.store.connect import connect
from chatd.store.db import Connection, Database, Ts, Tx
from chatd.store.job import Job
from chatd.store.readers import Readers
from chatd.store.writer import Writer

READERS = 3
WAITING_LIMIT = 4096


@asynccontextmanager
async def open_database(
    url: str | Path, *, readers: int = READERS, waiting_limit: int = WAITING_LIMIT
) -> AsyncIterator[Database]:
    """A database at its current schema, for this process alone, closed on leaving. Raises StoreFailed, Taken."""
    database = _Threads(*await trio.to_thread.run_sync(_connect_all, str(url), readers), waiting_limit)
    try:
        yield database
    finally:
        await database.aclose()


def _connect_all(url: str, readers: int) -> tuple[list[Connection], list[Connection]]:
    """Those that write, of which SQLite takes one at a time, and those that read. The first writer makes the file, and
    has the database claimed.
    """
    with ExitStack() as opened:

        def more(count: int, *, readonly: bool = False, claim: bool = False) -> list[Connection]:
            return [opened.enter_context(closing(connect(url, readonly=readonly, claim=claim))) for _ in range(count)]

        writers = more(1, claim=True)
        writers += more(1 if writers[0].dialect == "postgres" else 0)
        connections = writers, more(readers, readonly=True)
        opened.pop_all()
    return connections


class _Threads(Database):
    def __init__(self, writers: list[Connection], readers: list[Connection], waiting_limit: int) -> None:
        self._connections = [*writers, *readers]
        self.failed = trio.Event()
        self._writers = [Writer(connection, waiting_limit, self.failed) for connection in writers]
        self._readers = Readers(readers, waiting_limit)

    async def read(self, fn: Callable[[Tx, *Ts], Any], *args: *Ts) -> Any:
        return await self._readers.submit(Job(fn, args))

    async def write(self, fn: Callable[[Tx, *Ts], Any], *args: *Ts, then: Callable[[Any], Any] | None = None) -> Any:
        return await self._writers[0].submit(Job(fn, args, then))

    @property
    def is_busy(self) -> bool:
        return self._writers[0].waiting > 0

    async def write_aside(self, fn: Callable[[Tx, *Ts], Any], *args: *Ts) -> Any:
        return await self._writers[-1].submit(Job(fn, args))

    async def append(self, fn: Callable[..., Any], item: Any, then: Callable[[Any], Any] | None = None) -> Any:
        return await self._writers[0].submit(Job(fn, (item,), then, joinable=True))

    async def aclose(self) -> None:
        self._readers.close()
        for writer in self._writers:
            writer.close()
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(self._finish)

    def _finish(self) -> None:
        self._readers.join()
        for writer in self._writers:
            writer.join()
        # The writer last: the last connection to an SQLite file moves the log into it, and only the writer does that.
        for connection in reversed(self._connections):
            connection.close()
