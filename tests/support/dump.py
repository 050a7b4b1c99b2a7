"""Everything that is in a database, past all of chatd: for tests that must show that nothing has changed."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import apsw
import psycopg

Tables = dict[str, list[str]]

TABLES = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table'",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


@contextmanager
def dumping(url: str) -> Iterator[Callable[[], Tables]]:
    """A function that gives every row of every table, as text."""
    kind, connection = _connect(url)
    with closing(connection):
        names = [name for (name,) in connection.execute(TABLES[kind]).fetchall()]

        def dump() -> Tables:
            return {name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}").fetchall())) for name in names}

        yield dump


def _connect(url: str) -> tuple[str, Any]:
    if url.startswith("sqlite://"):
        return "sqlite", apsw.Connection(url.removeprefix("sqlite://"), flags=apsw.SQLITE_OPEN_READONLY)
    return "postgres", psycopg.connect(url, autocommit=True)
