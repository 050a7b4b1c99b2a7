"""The store's seam: what a transaction may do (`Tx`), what a database offers (`Database`), and how both fail.

Query modules declare rows and write functions `fn(tx, ...)` in one SQL that both databases understand; everything
that differs between them is in the two adapters. No SQL and no thread is in this module.

The portable subset. Use: upsert with `excluded`, `RETURNING`, row values, CTEs, `IN (?, ?)`, bit operators,
`LIKE ... ESCAPE`, `bot = 1` (there are no boolean columns). Avoid: `ILIKE`, arrays, JSON operators, `FOR UPDATE`,
date functions, upper-case identifiers, a literal `?` or `%` (pass it as a parameter), and ordering by text, which
follows the database's own collation. PostgreSQL stores no NUL character in TEXT.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar, TypeVarTuple, dataclass_transform, overload

import msgspec
import trio

Param: TypeAlias = int | float | str | bytes | None  # a bool is bound as 0 or 1


@dataclass_transform(frozen_default=True)  # for type checkers: row Structs are frozen without saying so
class Row(msgspec.Struct, frozen=True, gc=False):
    """Base of row Structs: one field per selected column, in the order of the columns. Ids stay plain ints."""


RowT = TypeVar("RowT", bound=Row)
T = TypeVar("T")
R = TypeVar("R")
Item = TypeVar("Item")
Ts = TypeVarTuple("Ts")


@functools.cache
def cols(row: type[Row], table: str = "") -> str:
    """The column list of a row: `id, name`, or `m.id, m.name` for the table alias `m`."""
    return ", ".join(f"{table}.{name}" if table else name for name in row.__struct_fields__)


@functools.cache
def marks(row: type[Row] | int) -> str:
    """The placeholders of a row, or of a number of values: `?, ?, ?`."""
    return ", ".join("?" * (row if isinstance(row, int) else len(row.__struct_fields__)))


class StoreError(Exception):
    """Base of what a database refuses or suffers; anything else that a transaction raises is a defect."""


class Conflict(StoreError):
    """A unique constraint refused the row. `columns` are those of the constraint."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        super().__init__(f"{table} ({', '.join(columns)})")
        self.table = table
        self.columns = columns


class Missing(StoreError):
    """A foreign key refused the change: the row referred to is not there, or the row to delete is still referred to."""


class Overloaded(StoreError):
    """Too many calls wait already; this one was not queued."""


class StoreFailed(StoreError):
    """The database is unreachable, busy for too long, or stopped after a commit of unknown outcome."""


class Taken(StoreFailed):
    """Another process has the database to itself, and this one wants it so."""


class TooSlow(StoreFailed):
    """A statement took longer than its transaction allows."""


class Tx(Protocol):
    """One open transaction. SQL takes its parameters as `?`.

    A statement that fails ends the call: raise on, never go on with the same transaction (PostgreSQL refuses). Where a
    conflict is an ordinary answer, ask for it: `ON CONFLICT DO NOTHING`, then look at the number of rows.
    """

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgres`; for full-text search and migrations only."""
        ...

    def run(self, sql: str, *params: Param) -> int:
        """How many rows an INSERT, UPDATE or DELETE touched."""
        ...

    def row(self, row: type[RowT], sql: str, *params: Param) -> RowT | None:
        """The first row."""
        ...

    def rows(self, row: type[RowT], sql: str, *params: Param) -> list[RowT]: ...

    def scalar(self, sql: str, *params: Param) -> Any:
        """The first column of the first row, None without a row."""
        ...

    def insert_many(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Param, ...]]) -> None:
        """Insert all rows with as few statements as the database allows."""
        ...

    def allow(self, seconds: float) -> None:
        """A statement of this transaction that is not done by then raises TooSlow."""
        ...


class Connection(Tx, Protocol):
    """What an adapter provides: a `Tx`, and the control over its transactions. One thread at a time uses it."""

    def begin(self) -> None:
        """Open a transaction, on a new connection where the old one is lost. Raises StoreFailed."""
        ...

    def in_transaction(self) -> bool:
        """Whether the open transaction can still be committed."""
        ...

    def savepoint(self) -> None:
        """Mark the place that `rollback_to` returns to; replaces the mark before it."""
        ...

    def rollback_to(self) -> None: ...

    def commit(self) -> None:
        """Durable when it returns. When it raises, the outcome is unknown."""
        ...

    def rollback(self) -> None:
        """End the transaction without a trace; nothing of it is committed, whatever state the connection is in."""
        ...

    def maintain(self) -> None:
        """Housekeeping between transactions of the writer, after their outcomes are reported."""
        ...

    def script(self, sql: str) -> None:
        """Run several statements without parameters or results, for migrations."""
        ...

    def abandon(self) -> None:
        """A sync has failed: close() may not tidy up, for that would sync again and believe the answer."""
        ...

    def close(self) -> None: ...


class Database(Protocol):
    """Transactions for Trio tasks. All of its calls raise Overloaded and StoreFailed."""

    failed: trio.Event
    """Set after a commit of unknown outcome: nothing is written any more, and the process has to end."""

    async def read(self, fn: Callable[[Tx, *Ts], T], *args: *Ts) -> T:
        """`fn(tx, *args)` on a consistent snapshot."""
        ...

    @overload
    async def write(self, fn: Callable[[Tx, *Ts], T], *args: *Ts) -> T: ...
    @overload
    async def write(self, fn: Callable[[Tx, *Ts], T], *args: *Ts, then: Callable[[T], R]) -> R:
        """`fn(tx, *args)` in a transaction that is durable when this returns; raising in `fn` undoes it.

        1. `then(result)` runs on the Trio thread after the commit, in commit order over all writes and appends, and
           what it returns is what write() returns.
        2. Once queued, the call can't be cancelled, so that nobody is left not knowing its outcome; `then` runs in
           any case. An exception of `then` is logged and raised here; the commit stands.
        """
        ...

    @property
    def is_busy(self) -> bool:
        """Whether writes wait, those that are aside not counted."""
        ...

    async def write_aside(self, fn: Callable[[Tx, *Ts], T], *args: *Ts) -> T:
        """write() for what is derived from other rows and may lag behind them. PostgreSQL does it on a connection of
        its own, where nothing else waits for it: it has no place in the order of commits.
        """
        ...

    @overload
    async def append(self, fn: Callable[[Tx, list[Item]], list[T]], item: Item) -> T: ...
    @overload
    async def append(self, fn: Callable[[Tx, list[Item]], list[T]], item: Item, then: Callable[[T], R]) -> R:
        """write() for what comes in floods: consecutive waiting calls with the same `fn` become one `fn(tx, items)`,
        which returns the results in the order of the items. When it raises, it is undone and each item tried alone.
        """
        ...

    async def aclose(self) -> None:
        """Finish what is queued, then close; later calls raise StoreFailed."""
        ...
