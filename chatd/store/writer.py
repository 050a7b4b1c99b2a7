"""The one thread that writes, with group commit: it takes everything that waits, runs it in one transaction, commits
once, and hands all outcomes to the Trio thread together.

A group is never held back to grow: while one is synced to disk the next one gathers, so that the load itself sets the
size. But what tasks ask for in the same turn of the event loop is handed over together, at the turn's end: the thread
would begin with the first of them alone. Each call has a savepoint, so that one that raises takes nobody else along.

After a commit of unknown outcome nothing may be acknowledged and nothing may be tried again: a sync that failed once
reports success the next time without having written (fsync's behaviour on Linux). The thread then refuses everything
and `failed` is set.
"""

import itertools
import logging
import threading
from queue import SimpleQueue
from typing import Any

import trio

from chatd.store.db import Connection, Overloaded, StoreFailed, Taken, Tx
from chatd.store.job import Job

# More appends than this in one call would make one statement, and one retry of it, long.
JOIN_LIMIT = 256

log = logging.getLogger(__name__)


class Writer(trio.abc.Instrument):
    """`limit` bounds the calls whose outcome is not reported yet; the one above it gets Overloaded."""

    def __init__(self, connection: Connection, limit: int, failed: trio.Event) -> None:
        self.failed = failed
        self._connection = connection
        self._limit = limit
        self._unreported = 0  # Trio thread only
        self._closed = False  # Trio thread only
        self._asked: list[Job] = []  # in this turn; Trio thread only
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        self._trio = trio.lowlevel.current_trio_token()
        trio.lowlevel.add_instrument(self)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def submit(self, job: Job) -> Any:
        """The job's outcome. Cancelled before it is queued or not at all."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed or self.failed.is_set():
            raise StoreFailed("the database is closed" if self._closed else "the database has failed")
        if self._unreported >= self._limit:
            raise Overloaded(f"{self._limit} writes wait already")
        self._unreported += 1
        self._asked.append(job)
        return await job.outcome(cancellable=False)

    @property
    def waiting(self) -> int:
        """Calls whose outcome is not reported yet."""
        return self._unreported

    def close(self) -> None:
        """Take no more; what is queued is still written."""
        if not self._closed:
            self._closed = True
            trio.lowlevel.remove_instrument(self)
            self._hand_over()
            self._queue.put(None)

    def join(self) -> None:
        """Wait, on a thread of its own, until all is written and on its way to the Trio thread."""
        self._thread.join()

    def before_io_wait(self, timeout: float) -> None:
        """Called by Trio at the end of every turn: all tasks that could run have run."""
        self._hand_over()

    def _hand_over(self) -> None:
        if self._asked:
            self._queue.put(self._asked)
            self._asked = []

    def _report(self, jobs: list[Job], stopped: bool) -> None:
        """On the Trio thread, in commit order."""
        if stopped:
            self.failed.set()
        self._unreported -= len(jobs)
        for job in jobs:
            if job.then is not None and job.error is None:
                try:
                    job.result = job.then(job.result)
                except Exception as error:
                    log.exception("after a commit, %r raised", job.then)
                    job.error = error
            job.report()

    # From here on: the writer thread.

    def _run(self) -> None:
        group: list[Job] = []
        try:
            while group := self._take():
                self._write(group)
                self._trio.run_sync_soon(self._report, group, False)
                group = []
                self._connection.maintain()
        except BaseException as error:  # whatever it is, no task may be left waiting
            log.critical("the database has failed; nothing more is written", exc_info=error)
            self._connection.abandon()
            self._refuse_all(group, error)

    def _take(self) -> list[Job]:
        """Everything that waits, at least one; empty once the database is closed."""
        jobs: list[Job] = []
        turn = self._queue.get()
        while turn is not None:
            jobs += turn
            if not self._queue.qsize():
                return jobs
            turn = self._queue.get_nowait()
        if jobs:
            self._queue.put(None)
        return jobs

    def _refuse_all(self, unreported: list[Job], cause: BaseException) -> None:
        for group in itertools.chain([unreported], iter(self._take, [])):
            _refuse(group, cause)
            self._trio.run_sync_soon(self._report, group, True)

    def _write(self, group: list[Job]) -> None:
        """Run and commit the group. Raises when it is unknown how its transaction ended."""
        try:
            self._connection.begin()
        except Taken:
            raise  # while the connection was lost, another server has begun to change what is in this one's memory
        except StoreFailed as error:
            return _refuse(group, error)
        try:
            self._call_all(_join(group))
        except StoreFailed as error:  # the transaction is lost with everything in it
            self._connection.rollback()
            return _refuse(group, error)
        self._connection.commit()

    def _call_all(self, calls: list[list[Job]]) -> None:
        for call in calls:
            error = self._attempt(call, savepoint=len(calls) > 1)
            if error is not None and len(call) == 1:
                call[0].error = error
            elif error is not None:
                for job in call:
                    job.error = self._attempt([job], savepoint=True)

    def _attempt(self, call: list[Job], savepoint: bool) -> Exception | None:
        """Run one call; when it raises, undo it and return the exception. Raises StoreFailed when that fails."""
        if savepoint:
            self._connection.savepoint()
        try:
            _run_call(self._connection, call)
            if not self._connection.in_transaction():
                raise StoreFailed("the call went on after a statement that failed")
        except Exception as error:
            if savepoint:
                self._connection.rollback_to()
            else:
                self._connection.rollback()
                self._connection.begin()
            return error
        return None


def _join(group: list[Job]) -> list[list[Job]]:
    """Consecutive appends with the same function become one call; the order stays."""
    calls: list[list[Job]] = []
    for job in group:
        last = calls[-1] if calls else []
        if job.joinable and last and last[0].joinable and last[0].fn == job.fn and len(last) < JOIN_LIMIT:
            last.append(job)
        else:
            calls.append([job])
    return calls


def _run_call(tx: Tx, call: list[Job]) -> None:
    first = call[0]
    if not first.joinable:
        first.result = first.fn(tx, *first.args)
        return
    results = first.fn(tx, [job.args[0] for job in call])
    for job, result in zip(call, results, strict=True):
        job.result = result


def _refuse(group: list[Job], cause: BaseException) -> None:
    """Each job gets an exception of its own, since raising one adds to its traceback."""
    for job in group:
        if job.error is None:
            job.error = StoreFailed(str(cause))
            job.error.__cause__ = cause
