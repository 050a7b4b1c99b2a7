"""The threads that read, each with a connection of its own, on one bounded queue.

A cancelled read is abandoned: its task goes on at once, the thread finishes and drops the result.
"""

import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

import trio

from chatd.store.db import Connection, Overloaded, StoreFailed
from chatd.store.job import Job


class Readers:
    """`limit` bounds the calls whose outcome is not reported yet; the one above it gets Overloaded."""

    def __init__(self, connections: Sequence[Connection], limit: int) -> None:
        self._limit = limit
        self._unreported = 0
        self._closed = False
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._trio = trio.lowlevel.current_trio_token()
        self._threads = [
            threading.Thread(target=self._run, args=(connection,), name=f"store-reader-{number}", daemon=True)
            for number, connection in enumerate(connections)
        ]
        for thread in self._threads:
            thread.start()

    async def submit(self, job: Job) -> Any:
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise StoreFailed("the database is closed")
        if self._unreported >= self._limit:
            raise Overloaded(f"{self._limit} reads wait already")
        self._unreported += 1
        self._queue.put(job)
        return await job.outcome(cancellable=True)

    def close(self) -> None:
        """Take no more; what is queued is still read."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)

    def join(self) -> None:
        """Wait, on a thread of its own, until the threads have ended."""
        for thread in self._threads:
            thread.join()

    def _report(self, job: Job) -> None:
        self._unreported -= 1
        job.report()

    def _run(self, connection: Connection) -> None:
        while (job := self._queue.get()) is not None:
            try:
                connection.begin()
                try:
                    job.result = job.fn(connection, *job.args)
                finally:
                    connection.rollback()
            except BaseException as error:  # whatever it is, no task may be left waiting
                job.error = error
            self._trio.run_sync_soon(self._report, job)
