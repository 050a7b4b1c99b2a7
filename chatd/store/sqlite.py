"""SQLite through apsw, which brings a current SQLite with it.

WAL with synchronous=FULL: a commit is one append to the log and one sync, and readers never wait. Only the writer's
connection moves the log into the database file, between transactions, so that no caller waits for it and a failed sync
there is seen. Other processes (the command line while a server runs) may write too; they wait for each other.
"""

import contextlib
import functools
import itertools
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import apsw

from chatd.store.db import Conflict, Missing, Param, RowT, StoreFailed, TooSlow

BUSY_TIMEOUT_MS = 5_000
CACHE_KIB = 16_384
# Where SQLite's own checkpoint would run: 4 MB of log.
CHECKPOINT_PAGES = 1_000
# The log keeps its size once it has grown; a long reader can make it grow beyond this, and it is cut back afterwards.
LOG_BYTES = 64 * 1024 * 1024
# Rows in one INSERT. Each statement gives up the interpreter lock and has to wait for it again when the loop is busy:
# with one statement per row, 32 rows took twice as long as with one for all.
INSERT_ROWS = 256
# So many and fewer are inserted in one statement, whatever their number; of more, powers of two, so that few different
# statements exist and all stay prepared.
ANY_ROWS = 16
# Between two looks at the clock of a transaction whose time is limited: about a millisecond of SQLite's instructions.
CLOCK_STEPS = 50_000

_UNIQUE = (apsw.SQLITE_CONSTRAINT_UNIQUE, apsw.SQLITE_CONSTRAINT_PRIMARYKEY, apsw.SQLITE_CONSTRAINT_ROWID)
_DAMAGED = (apsw.CorruptError, apsw.NotADBError)
_REFUSED = (apsw.BusyError, apsw.LockedError, apsw.IOError, apsw.FullError, apsw.CantOpenError, apsw.ReadOnlyError)


def connect(url: str, readonly: bool, _claim: bool) -> "SqliteConnection":
    """`url`: a path, or `sqlite://` and a path (with three slashes: an absolute one)."""
    try:
        return SqliteConnection(Path(url.removeprefix("sqlite://")), readonly)
    except apsw.Error as error:
        raise StoreFailed(f"{url}: {error}") from error


class SqliteConnection:
    dialect = "sqlite"

    def __init__(self, path: Path, readonly: bool) -> None:
        self._connection = apsw.Connection(str(path))
        self._connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        # One cursor for all: its next statement resets the one before, so that no half-read SELECT holds a snapshot.
        self._cursor = self._connection.cursor()
        self._begin = "BEGIN" if readonly else "BEGIN IMMEDIATE"
        self._begun = False
        self._log_pages = 0
        self.script(f"PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cache_size = -{CACHE_KIB}")
        if readonly:
            self.script("PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0")
            self.abandon()  # a reader never tidies up
        else:
            if self.scalar("PRAGMA journal_mode = WAL") != "wal":
                raise StoreFailed(f"{path}: this file system can't hold a database (SQLite's WAL is refused)")
            self.script(f"PRAGMA journal_size_limit = {LOG_BYTES}")
            self._connection.set_wal_hook(self._committed)  # replaces the checkpoint inside COMMIT

    def run(self, sql: str, *params: Param) -> int:
        self._execute(sql, params)
        return self._connection.changes()

    def row(self, row: type[RowT], sql: str, *params: Param) -> RowT | None:
        found = self._execute(sql, params).fetchone()
        return None if found is None else row(*found)

    def rows(self, row: type[RowT], sql: str, *params: Param) -> list[RowT]:
        try:
            return list(itertools.starmap(row, self._cursor.execute(sql, params)))
        except apsw.Error as error:
            _raise(error)

    def scalar(self, sql: str, *params: Param) -> Any:
        found = self._execute(sql, params).fetchone()
        return None if found is None else found[0]

    def insert_many(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Param, ...]]) -> None:
        start = 0
        while start < len(rows):
            left = len(rows) - start
            size = left if left <= ANY_ROWS else min(1 << left.bit_length() - 1, INSERT_ROWS)
            values = tuple(itertools.chain.from_iterable(rows[start : start + size]))
            self._execute(_insert(table, tuple(columns), size), values)
            start += size

    def allow(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self._connection.set_progress_handler(lambda: time.monotonic() > deadline, CLOCK_STEPS)

    def begin(self) -> None:
        self._mark = "SAVEPOINT call"
        self._connection.set_progress_handler(None)
        self._control(self._begin)
        self._begun = True

    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def savepoint(self) -> None:
        self._control(self._mark)
        self._mark = "RELEASE call; SAVEPOINT call"

    def rollback_to(self) -> None:
        self._control("ROLLBACK TO call")

    def commit(self) -> None:
        self._control("COMMIT")

    def rollback(self) -> None:
        if self._begun:
            self._begun = False
            self._control("ROLLBACK")  # raises where SQLite has rolled back by itself, after failing to write

    def maintain(self) -> None:
        """Checkpoint when the log is long enough, as far as readers allow."""
        if self._log_pages < CHECKPOINT_PAGES:
            return
        self._log_pages = 0
        with contextlib.suppress(apsw.BusyError):  # another process does it
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def script(self, sql: str) -> None:
        self._execute(sql, ()).fetchall()

    def abandon(self) -> None:
        self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)

    def close(self) -> None:
        self._connection.close()

    def _execute(self, sql: str, params: tuple[Param, ...]) -> apsw.Cursor:
        try:
            return self._cursor.execute(sql, params)
        except apsw.Error as error:
            _raise(error)

    def _control(self, sql: str) -> None:
        try:
            self._cursor.execute(sql)
        except apsw.Error as error:
            raise StoreFailed(f"{sql}: {error}") from error

    def _committed(self, _connection: apsw.Connection, _schema: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK


@functools.cache
def _insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    marks = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * rows)}"


def _raise(error: apsw.Error) -> NoReturn:
    code = getattr(error, "extendedresult", None)
    if code in _UNIQUE:
        # "UNIQUE constraint failed: members.guild_id, members.user_id"
        found = re.findall(r"(\w+)\.(\w+)", str(error))
        raise Conflict(found[0][0] if found else "", tuple(column for _, column in found)) from error
    if code in (apsw.SQLITE_CONSTRAINT_FOREIGNKEY, apsw.SQLITE_CONSTRAINT_TRIGGER):
        raise Missing(str(error)) from error
    if isinstance(error, _DAMAGED):
        raise StoreFailed(f"the database is damaged ({error}): restore a backup; chatd doctor says more") from error
    if isinstance(error, apsw.InterruptError):
        raise TooSlow(str(error)) from error
    if isinstance(error, _REFUSED):
        raise StoreFailed(str(error)) from error
    raise error
