"""PostgreSQL through psycopg, blocking, on the store's threads.

A lost connection is replaced when the next transaction begins. What a loss means for the transaction at hand is the
writer's business: before COMMIT nothing has happened, during COMMIT nobody knows.
"""

import functools
import itertools
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import ForeignKeyViolation, LockNotAvailable, QueryCanceled, UniqueViolation
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper

from chatd.store.db import Conflict, Missing, Param, RowT, StoreFailed, Taken, TooSlow

# libpq's defaults wait for ever; what the URL says itself comes first.
NETWORK = {
    "connect_timeout": 5,  # s
    "tcp_user_timeout": 15_000,  # ms until sent data must be acknowledged
    "keepalives_idle": 10,  # s; a dead peer is noticed after idle + interval × count
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "application_name": "chatd",
}
# As above, for the other end of a connection that holds the lock: by itself it waits two hours for a dead machine.
KEEPALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 2"
LOCK = "SELECT pg_advisory_lock(7166094, hashtext(current_schema()))"
STATEMENT_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 5_000

log = logging.getLogger(__name__)


def connect(url: str, readonly: bool, claim: bool) -> "PostgresConnection":
    return PostgresConnection(url, readonly, claim)


class PostgresConnection:
    dialect = "postgres"

    def __init__(self, url: str, readonly: bool, claim: bool) -> None:
        self._readonly = readonly
        self._claim = claim
        self._conninfo: dict[str, Any] = {**NETWORK, **_parse(url)}
        level = b"REPEATABLE READ READ ONLY" if readonly else b"READ COMMITTED"
        self._begin = b"BEGIN ISOLATION LEVEL " + level
        self._open()

    def run(self, sql: str, *params: Param) -> int:
        return self._execute(sql, params).rowcount

    def row(self, row: type[RowT], sql: str, *params: Param) -> RowT | None:
        found = self._execute(sql, params).fetchone()
        return None if found is None else row(*found)

    def rows(self, row: type[RowT], sql: str, *params: Param) -> list[RowT]:
        return list(itertools.starmap(row, self._execute(sql, params).fetchall()))

    def scalar(self, sql: str, *params: Param) -> Any:
        found = self._execute(sql, params).fetchone()
        return None if found is None else found[0]

    def insert_many(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Param, ...]]) -> None:
        if not rows:
            return
        key = (table, *columns)
        if key not in self._types:
            self._types[key] = [self._type(table, column) for column in columns]
        types = self._types[key]
        arrays = [_array(kind, values) for kind, values in zip(types, zip(*rows, strict=True), strict=True)]
        unnest = ", ".join(f"?::{kind}[]" for kind in types)
        self._execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({unnest})", tuple(arrays))

    def allow(self, seconds: float) -> None:
        self.script(f"SET LOCAL statement_timeout = {seconds * 1000:.0f}")

    def begin(self) -> None:
        self._mark = b"SAVEPOINT call"
        if self._connection.closed:
            self._open()
        try:
            self._control(self._begin)
        except StoreFailed:
            # The server restarted while the connection was idle. Nothing of this transaction has run yet.
            self._connection.close()
            self._open()
            self._control(self._begin)

    def in_transaction(self) -> bool:
        return self._connection.pgconn.transaction_status == TransactionStatus.INTRANS

    def savepoint(self) -> None:
        self._control(self._mark)
        self._mark = b"RELEASE call; SAVEPOINT call"

    def rollback_to(self) -> None:
        self._control(b"ROLLBACK TO call")

    def commit(self) -> None:
        answer = self._control(b"COMMIT")
        if answer != b"COMMIT":  # PostgreSQL answers ROLLBACK when a statement had failed
            raise StoreFailed(f"COMMIT was answered with {answer!r}")

    def rollback(self) -> None:
        try:
            self._control(b"ROLLBACK")
        except StoreFailed:
            self._connection.close()  # the server rolls back when it loses a client

    def maintain(self) -> None:
        """Nothing to do: PostgreSQL has processes of its own for this."""

    def script(self, sql: str) -> None:
        try:
            self._cursor.execute(sql.encode())
        except psycopg.Error as error:
            _raise(error)

    def abandon(self) -> None:
        """Nothing to do: the server's disk is the server's business."""

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> None:
        try:
            # Autocommit: psycopg sends no BEGIN of its own.
            self._connection = psycopg.connect(**self._conninfo, autocommit=True)
        except psycopg.Error as error:
            raise StoreFailed(f"PostgreSQL: {error}") from error
        for kind in (int, bool):  # one type for all ints keeps statements prepared; bools are 0 and 1
            self._connection.adapters.register_dumper(kind, Int8BinaryDumper)
        self._connection.adapters.register_loader("numeric", _IntegralNumeric)
        self._cursor = self._connection.cursor()
        self._types: dict[tuple[str, ...], list[str]] = {}  # by table and columns
        self.script(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}; SET lock_timeout = {LOCK_TIMEOUT_MS}")
        if not self._readonly:
            self._check_durability()
        if self._claim:
            self._take()

    def _take(self) -> None:
        """Hold a lock for as long as the connection lives, on the schema, of which a database may have several.

        Who held it may be about to end: a server that restarts, or this one before it lost its connection.
        """
        try:
            self._cursor.execute(KEEPALIVE)
            self._cursor.execute(LOCK)
        except LockNotAvailable:
            self._connection.close()
            raise Taken("PostgreSQL: another chatd server uses this database") from None
        except psycopg.Error as error:
            _raise(error)

    def _check_durability(self) -> None:
        if self.scalar("SHOW synchronous_commit") == "off":
            self._connection.close()
            raise StoreFailed("PostgreSQL: synchronous_commit is off, so a crash would lose acknowledged messages")
        if self.scalar("SHOW fsync") == "off":
            log.warning("PostgreSQL runs with fsync=off: a power failure can lose acknowledged messages")

    def _execute(self, sql: str, params: tuple[Param, ...]) -> psycopg.Cursor[tuple[Any, ...]]:
        try:
            return self._cursor.execute(_rewrite(sql), params)
        except psycopg.Error as error:
            _raise(error)

    def _control(self, sql: bytes) -> bytes:
        """The command's tag. Past psycopg, which would forget its prepared statements at every ROLLBACK."""
        try:
            result = self._connection.pgconn.exec_(sql)
        except psycopg.Error as error:
            raise StoreFailed(f"PostgreSQL: {error}") from error
        if result.status != ExecStatus.COMMAND_OK:
            raise StoreFailed(f"PostgreSQL: {result.get_error_message()}")
        return result.command_status or b""

    def _type(self, table: str, column: str) -> str:
        found: str = self.scalar(
            "SELECT data_type FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ? AND column_name = ?",
            table,
            column,
        )
        return found


def _parse(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.Error as error:
        # What follows the colon is out of the URL, where a password is too.
        raise StoreFailed(f"PostgreSQL: the URL is wrong: {str(error).partition(':')[0].strip()}") from None


class _IntegralNumeric(Loader):
    """There are no numeric columns, but the SUM of integers is numeric."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


@functools.lru_cache(maxsize=1024)  # IN (?, ?, ...) has many lengths
def _rewrite(sql: str) -> bytes:
    if "%" in sql:
        raise ValueError(f"SQL with a literal %: {sql}")
    return sql.replace("?", "%s").encode()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_ELEMENT: dict[str, Callable[[Any], str]] = {
    "bigint": "{:d}".format,
    "double precision": repr,
    "text": _quoted,
    "bytea": lambda value: f'"\\\\x{value.hex()}"',
}


def _array(kind: str, values: Iterable[Param]) -> str:
    """An array literal. psycopg's own guesses types from the size of numbers and takes eight times as long."""
    element = _ELEMENT[kind]
    return "{" + ",".join(["NULL" if value is None else element(value) for value in values]) + "}"


def _raise(error: psycopg.Error) -> NoReturn:
    if isinstance(error, UniqueViolation):
        # "Key (guild_id, user_id)=(1, 2) already exists."
        found = re.search(r"\((.+?)\)=", error.diag.message_detail or "")
        columns = tuple(found[1].split(", ")) if found else ()
        raise Conflict(error.diag.table_name or "", columns) from error
    if isinstance(error, ForeignKeyViolation):
        raise Missing(str(error)) from error
    if isinstance(error, QueryCanceled):
        raise TooSlow(f"PostgreSQL: {error}") from error
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        raise StoreFailed(f"PostgreSQL: {error}") from error
    raise error
