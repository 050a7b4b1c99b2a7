"""Schema migrations: numbered pairs of SQL files, applied and taken back in order, each in one transaction.

`NNNN_name.up.sql` and `NNNN_name.down.sql` are written in SQLite's types and translated; where the databases must
differ, `NNNN_name.sqlite.up.sql` and `NNNN_name.postgres.up.sql` (and `.down.sql`) are taken as they are. A file that
was applied must not change any more: its checksum is kept. Everything here blocks; it is for start-up and the command
line, and works while a server runs.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from msgspec.structs import astuple

from chatd.store.connect import connect
from chatd.store.db import Connection, Row, cols, marks

_FILE = re.compile(r"(?P<version>\d{4})_(?P<name>\w+)(?:\.(?P<dialect>sqlite|postgres))?\.(?P<way>up|down)\.sql")

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_ms BIGINT NOT NULL
)
"""

# Before the transaction. SQLite rebuilds tables by dropping them, which with foreign keys on would empty the tables
# that refer to them; they are checked at the end instead. Building an index may take PostgreSQL long.
_PREPARE = {"sqlite": "PRAGMA foreign_keys = OFF", "postgres": "SET statement_timeout = 0"}
# First in the transaction: one process at a time. SQLite's BEGIN IMMEDIATE is that lock already.
_LOCK = {"sqlite": "", "postgres": "SELECT pg_advisory_xact_lock(7166093)"}
# Last in the transaction: rows that refer to nothing.
_VERIFY = {"sqlite": "SELECT COUNT(*) FROM pragma_foreign_key_check", "postgres": "SELECT 0"}

_TYPES = {"INTEGER": "BIGINT", "BLOB": "BYTEA", "REAL": "DOUBLE PRECISION"}
_OPTION = r"(?:STRICT|WITHOUT\s+ROWID)"
_SQL_TOKEN = re.compile(
    r"(?P<keep>--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")"
    rf"|\b(?P<type>{'|'.join(_TYPES)})\b"
    rf"|\)\s*{_OPTION}(?:\s*,\s*{_OPTION})*",
    re.IGNORECASE | re.DOTALL,
)


class MigrationError(Exception):
    """The database and the files do not fit together."""


class Script(msgspec.Struct, frozen=True):
    sql: str
    checksum: str  # of the file as it is, before translation


class Migration(msgspec.Struct, frozen=True):
    version: int
    name: str
    up: Script
    down: Script


class Applied(Row):
    version: int
    name: str
    checksum: str
    applied_ms: int


class State(msgspec.Struct, frozen=True):
    version: int
    name: str
    applied_ms: int | None  # None: pending


def migrations_dir() -> Path:
    """Inside an installed package, or beside the package in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def status(url: str, *, directory: Path | None = None) -> list[State]:
    """Every known migration, oldest first. Raises MigrationError, StoreFailed."""
    with _opened(url, directory) as (connection, known):
        connection.begin()
        try:
            applied = _applied(connection, known)
        finally:
            connection.rollback()
    times = [row.applied_ms for row in applied]
    pending = [None] * (len(known) - len(applied))
    return [State(it.version, it.name, time_ms) for it, time_ms in zip(known, [*times, *pending], strict=True)]


def up(
    url: str, *, now_ms: int, target: int | None = None, directory: Path | None = None, claim: bool = False
) -> list[Migration]:
    """Apply what is pending, up to and including version `target`; what was applied. Raises as status() does.

    With `claim` also Taken: a server uses the database.
    """
    done: list[Migration] = []
    with _opened(url, directory, claim) as (connection, known):
        while True:
            with _transaction(connection, known) as applied:
                migration = next(iter(known[len(applied) : target]), None)
                if migration is None:
                    return done
                connection.script(migration.up.sql)
                row = Applied(migration.version, migration.name, migration.up.checksum, now_ms)
                insert = f"INSERT INTO schema_migrations ({cols(Applied)}) VALUES ({marks(Applied)})"
                connection.run(insert, *astuple(row))
                _verify(connection, migration)
            done.append(migration)


def down(url: str, *, steps: int = 1, directory: Path | None = None) -> list[Migration]:
    """Take back the newest `steps` migrations; what was taken back. Raises as status() does."""
    done: list[Migration] = []
    with _opened(url, directory) as (connection, known):
        for _ in range(steps):
            with _transaction(connection, known) as applied:
                if not applied:
                    return done
                migration = known[len(applied) - 1]
                connection.script(migration.down.sql)
                connection.run("DELETE FROM schema_migrations WHERE version = ?", migration.version)
                _verify(connection, migration)
            done.append(migration)
    return done


@contextmanager
def _opened(url: str, directory: Path | None, claim: bool = False) -> Iterator[tuple[Connection, list[Migration]]]:
    with closing(connect(url, claim=claim)) as connection:
        connection.script(_PREPARE[connection.dialect])
        yield connection, load(connection.dialect, directory or migrations_dir())


@contextmanager
def _transaction(connection: Connection, known: list[Migration]) -> Iterator[list[Applied]]:
    connection.begin()
    try:
        yield _applied(connection, known)
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _applied(connection: Connection, known: list[Migration]) -> list[Applied]:
    """What is applied, checked against the files. From here on no other process migrates."""
    connection.script(_LOCK[connection.dialect])
    connection.script(_TABLE)
    applied = connection.rows(Applied, f"SELECT {cols(Applied)} FROM schema_migrations ORDER BY version")
    if len(applied) > len(known):
        raise MigrationError(
            f"the database has schema version {applied[-1].version}, this chatd knows {len(known)}: use a newer chatd"
        )
    for row, migration in zip(applied, known, strict=False):
        if row.checksum != migration.up.checksum:
            raise MigrationError(f"{migration.version:04}_{migration.name} is not the file that was applied")
    return applied


def _verify(connection: Connection, migration: Migration) -> None:
    if connection.scalar(_VERIFY[connection.dialect]):
        raise MigrationError(f"{migration.version:04}_{migration.name} leaves rows that refer to missing rows")


def load(dialect: str, directory: Path) -> list[Migration]:
    """All migrations for a dialect, by version. Raises MigrationError when a file is misnamed or missing."""
    scripts: dict[tuple[int, str, str], Script] = {}
    # Shared files first, so that a file of the dialect's own replaces them.
    for path in sorted(directory.glob("*.sql"), key=lambda path: path.name.count(".")):
        found = _FILE.fullmatch(path.name)
        if found is None:
            raise MigrationError(f"{path.name}: not named NNNN_name.up.sql or NNNN_name.down.sql")
        if found["dialect"] in (None, dialect):
            text = path.read_text(encoding="utf-8")
            sql = translate(text) if dialect == "postgres" and found["dialect"] is None else text
            checksum = hashlib.sha256(text.encode()).hexdigest()
            scripts[int(found["version"]), found["name"], found["way"]] = Script(sql, checksum)
    names = sorted({(version, name) for version, name, _ in scripts})
    if [version for version, _ in names] != list(range(1, len(names) + 1)) or len(scripts) != 2 * len(names):
        raise MigrationError(f"{directory}: needs an up and a down file for each version from 0001 on")
    return [
        Migration(version, name, scripts[version, name, "up"], scripts[version, name, "down"])
        for version, name in names
    ]


def translate(sql: str) -> str:
    """SQLite's types and table options in PostgreSQL's words; comments, strings and quoted names stay."""
    return _SQL_TOKEN.sub(_word, sql)


def _word(token: re.Match[str]) -> str:
    if token["keep"]:
        return token["keep"]
    return _TYPES[token["type"].upper()] if token["type"] else ")"
