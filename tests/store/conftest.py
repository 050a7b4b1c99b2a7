"""Databases for store tests: each test that asks for one runs on SQLite and on PostgreSQL."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatd.store import migrate, open_database
from chatd.store.db import Database
from tests.support import postgres

# One table with every type there is.
THINGS = """
CREATE TABLE things (
    id INTEGER PRIMARY KEY,
    name TEXT UNIQUE,
    parent_id INTEGER REFERENCES things (id),
    data BLOB,
    weight REAL,
    UNIQUE (parent_id, weight)
) STRICT;
"""


def leave_empty(url: str) -> None:
    """For tests that bring their own schema."""


def create_schema(url: str) -> None:
    migrate.up(url, now_ms=1)


def create_things(url: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "0001_things.up.sql").write_text(THINGS)
        (directory / "0001_things.down.sql").write_text("DROP TABLE things")
        migrate.up(url, now_ms=1, directory=directory)


@contextmanager
def new_database(dialect: str, directory: Path, prepare: Callable[[str], None]) -> Iterator[str]:
    if dialect == "postgres":
        with postgres.fresh_database(prepare) as url:
            yield url
    else:
        url = f"sqlite://{directory}/{prepare.__name__}.db"
        prepare(url)
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def dialect(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def empty_url(dialect: str, tmp_path: Path) -> Iterator[str]:
    with new_database(dialect, tmp_path, leave_empty) as url:
        yield url


@pytest.fixture
async def database(dialect: str, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with chatd's schema, open."""
    with new_database(dialect, tmp_path, create_schema) as url:
        async with open_database(url) as opened:
            yield opened


@pytest.fixture
def things_url(dialect: str, tmp_path: Path) -> Iterator[str]:
    """A database with only the table `things`."""
    with new_database(dialect, tmp_path, create_things) as url:
        yield url


@pytest.fixture
async def things(things_url: str) -> AsyncIterator[Database]:
    async with open_database(things_url) as opened:
        yield opened
