"""Empty databases at the current schema, of either kind."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatd.store import migrate
from tests.support.postgres import fresh_database


@contextmanager
def empty(database: str) -> Iterator[tuple[Path, str]]:
    """A data directory, and the URL of a database: "postgres" its own, "sqlite" none, for the file in the directory."""
    with tempfile.TemporaryDirectory(prefix="chatd-test-") as directory:
        if database == "postgres":
            with fresh_database(_migrate) as url:
                yield Path(directory), url
        else:
            yield Path(directory), ""


def _migrate(url: str) -> None:
    migrate.up(url, now_ms=0)
