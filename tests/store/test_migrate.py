"""Migrations on both databases, and what is refused."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chatd.store import migrate
from chatd.store.connect import connect
from chatd.store.db import Missing, Row
from chatd.store.migrate import MigrationError, translate


class Column(Row):
    table_name: str
    column_name: str


COLUMNS = {
    "sqlite": "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'",
    "postgres": "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
}


def columns(url: str) -> set[Column]:
    connection = connect(url)
    found = connection.rows(Column, COLUMNS[connection.dialect])
    connection.close()
    return set(found)


def write_pair(directory: Path, name: str, up: str, down: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / f"{name}.up.sql").write_text(up)
    (directory / f"{name}.down.sql").write_text(down)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Three small migrations."""
    directory = tmp_path / "migrations"
    write_pair(directory, "0001_a", "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;", "DROP TABLE a;")
    write_pair(directory, "0002_b", "CREATE TABLE b (id INTEGER REFERENCES a (id) ON DELETE CASCADE);", "DROP TABLE b;")
    write_pair(directory, "0003_c", "ALTER TABLE a ADD COLUMN c TEXT;", "ALTER TABLE a DROP COLUMN c;")
    return directory


def applied(url: str, directory: Path) -> list[int]:
    return [state.version for state in migrate.status(url, directory=directory) if state.applied_ms is not None]


def test_both_databases_get_the_same_columns(empty_url: str, tmp_path: Path) -> None:
    reference = f"sqlite://{tmp_path}/reference.db"
    migrate.up(reference, now_ms=1)
    migrate.up(empty_url, now_ms=1)
    assert len(columns(reference)) > 50
    assert columns(empty_url) == columns(reference)


def test_down_and_up_again(empty_url: str) -> None:
    known = migrate.up(empty_url, now_ms=1)
    before = columns(empty_url)
    assert migrate.down(empty_url, steps=99) == known[::-1]
    assert {column.table_name for column in columns(empty_url)} == {"schema_migrations"}
    assert migrate.up(empty_url, now_ms=2) == known
    assert columns(empty_url) == before
    assert migrate.up(empty_url, now_ms=3) == []


REFERENCES = {
    "sqlite": "SELECT COUNT(*) FROM pragma_foreign_key_list('messages') WHERE \"table\" = ?",
    "postgres": "SELECT COUNT(*) FROM pg_constraint WHERE conrelid = 'messages'::regclass AND contype = 'f'"
    " AND confrelid = CAST(? AS TEXT)::regclass",
}


def test_the_foreign_key_of_messages_goes_and_comes_back_with_them_in_place(empty_url: str) -> None:
    migrate.up(empty_url, now_ms=1)
    connection = connect(empty_url)  # stays open, as a server's would

    def references() -> list[int]:
        sql = REFERENCES[connection.dialect]
        return [int(connection.scalar(sql, table)) for table in ("channels", "users")]

    connection.script(
        "INSERT INTO users (id, username, discriminator, bot, extra) VALUES (1, 'a', '0', 0, '{}');"
        "INSERT INTO channels (id, type, position, extra) VALUES (2, 1, 0, '{}'), (3, 1, 0, '{}');"
    )
    message = "INSERT INTO messages (id, channel_id, author_id, type, flags, content, extra)"
    for id_, channel_id in ((4, 2), (5, 3)):
        connection.run(f"{message} VALUES (?, ?, 1, 0, 0, 'kept', '{{}}')", id_, channel_id)
    connection.run("DELETE FROM channels WHERE id = 3")
    assert (references(), connection.scalar("SELECT COUNT(*) FROM messages")) == ([0, 1], 2)
    assert len(migrate.down(empty_url)) == 1
    assert (references(), connection.scalar("SELECT COUNT(*) FROM messages")) == ([1, 1], 1)
    with pytest.raises(Missing):
        connection.run(f"{message} VALUES (6, 99, 1, 0, 0, '', '{{}}')")
    connection.close()
    migrate.up(empty_url, now_ms=2)
    connection = connect(empty_url)
    connection.run("DELETE FROM channels WHERE id = 2")
    assert connection.scalar("SELECT COUNT(*) FROM messages") == 1
    connection.close()


def test_status_touches_nothing(empty_url: str, directory: Path) -> None:
    assert [state.applied_ms for state in migrate.status(empty_url, directory=directory)] == [None, None, None]
    assert columns(empty_url) == set()


def test_targets_and_steps(empty_url: str, directory: Path) -> None:
    assert [it.name for it in migrate.up(empty_url, now_ms=5, target=2, directory=directory)] == ["a", "b"]
    assert [state.applied_ms for state in migrate.status(empty_url, directory=directory)] == [5, 5, None]
    assert migrate.up(empty_url, now_ms=6, target=1, directory=directory) == []
    assert [it.name for it in migrate.up(empty_url, now_ms=7, directory=directory)] == ["c"]
    assert [it.name for it in migrate.down(empty_url, directory=directory)] == ["c"]
    assert [it.name for it in migrate.down(empty_url, steps=2, directory=directory)] == ["b", "a"]
    assert applied(empty_url, directory) == []


def test_changed_file_is_refused(empty_url: str, directory: Path) -> None:
    migrate.up(empty_url, now_ms=1, directory=directory)
    (directory / "0002_b.up.sql").write_text("CREATE TABLE b (id INTEGER);")
    for refused in (
        lambda: migrate.up(empty_url, now_ms=1, directory=directory),
        lambda: migrate.down(empty_url, directory=directory),
        lambda: migrate.status(empty_url, directory=directory),
    ):
        with pytest.raises(MigrationError, match="0002_b"):
            refused()


def test_newer_database_is_refused(empty_url: str, directory: Path) -> None:
    migrate.up(empty_url, now_ms=1, directory=directory)
    for path in directory.glob("0003*"):
        path.unlink()
    with pytest.raises(MigrationError, match="schema version 3, this chatd knows 2"):
        migrate.up(empty_url, now_ms=1, directory=directory)


def test_failing_migration_leaves_nothing(empty_url: str, directory: Path) -> None:
    write_pair(directory, "0004_d", "CREATE TABLE d (id INTEGER); INSERT INTO d VALUES (1, 2);", "DROP TABLE d;")
    with pytest.raises(Exception, match=r"(?i)values|expressions"):
        migrate.up(empty_url, now_ms=1, directory=directory)
    assert applied(empty_url, directory) == [1, 2, 3]
    assert {column.table_name for column in columns(empty_url)} == {"a", "b", "schema_migrations"}


def test_several_at_once_apply_each_migration_once(empty_url: str, directory: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(migrate.up, empty_url, now_ms=1, directory=directory) for _ in range(4)]
    assert sorted(it.version for run in runs for it in run.result()) == [1, 2, 3]


REBUILD = """
CREATE TABLE new (id INTEGER PRIMARY KEY, d TEXT) STRICT;
INSERT INTO new (id) SELECT id FROM a;
DROP TABLE a;
ALTER TABLE new RENAME TO a;
"""


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(tmp_path: Path, directory: Path) -> None:
    """SQLite changes a column by rebuilding its table; PostgreSQL has no need to."""
    url = f"sqlite://{tmp_path}/rebuild.db"
    migrate.up(url, now_ms=1, directory=directory)
    connection = connect(url)
    connection.script("INSERT INTO a (id) VALUES (1); INSERT INTO b (id) VALUES (1)")
    write_pair(directory, "0004_rebuild", REBUILD, "SELECT 1;")
    migrate.up(url, now_ms=1, directory=directory)
    assert connection.scalar("SELECT COUNT(*) FROM a, b WHERE a.id = b.id") == 1

    write_pair(directory, "0005_loses", "DELETE FROM a;", "SELECT 1;")
    with pytest.raises(MigrationError, match="0005_loses"):
        migrate.up(url, now_ms=1, directory=directory)
    assert connection.scalar("SELECT COUNT(*) FROM a") == 1
    connection.close()


def test_file_of_the_dialect_replaces_the_shared_one(empty_url: str, directory: Path, dialect: str) -> None:
    (directory / "0003_c.sqlite.up.sql").write_text("ALTER TABLE a ADD COLUMN only_sqlite TEXT;")
    (directory / "0003_c.postgres.up.sql").write_text("ALTER TABLE a ADD COLUMN only_postgres INTEGER;")
    *_, newest = migrate.up(empty_url, now_ms=1, directory=directory)
    assert Column("a", f"only_{dialect}") in columns(empty_url)
    text = (directory / f"0003_c.{dialect}.up.sql").read_text()
    assert newest.up.sql == text
    assert newest.up.checksum == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("0004_d.up.sql", "up and a down"),
        ("0004_d.down.sql", "up and a down"),
        ("0003_other.up.sql", "up and a down"),
        ("4_d.up.sql", "not named"),
        ("0004_d.sql", "not named"),
        ("0004_d.mysql.up.sql", "not named"),
    ],
)
def test_misnamed_files_are_refused(directory: Path, name: str, complaint: str) -> None:
    (directory / name).write_text("SELECT 1;")
    with pytest.raises(MigrationError, match=complaint):
        migrate.load("sqlite", directory)


def test_gap_in_the_numbers_is_refused(directory: Path) -> None:
    write_pair(directory, "0005_e", "SELECT 1;", "SELECT 1;")
    with pytest.raises(MigrationError, match="each version"):
        migrate.load("sqlite", directory)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("id INTEGER PRIMARY KEY", "id BIGINT PRIMARY KEY"),
        ("data blob, weight Real", "data BYTEA, weight DOUBLE PRECISION"),
        (") STRICT;", ");"),
        (")\nWITHOUT ROWID;", ");"),
        (") STRICT, WITHOUT  ROWID;", ");"),
        (") WITHOUT ROWID ,\n STRICT;", ");"),
        ("-- an INTEGER here) STRICT\nx INTEGER", "-- an INTEGER here) STRICT\nx BIGINT"),
        ("-- it's\nx INTEGER -- isn't\n", "-- it's\nx BIGINT -- isn't\n"),
        ("/* REAL\n) STRICT */ REAL", "/* REAL\n) STRICT */ DOUBLE PRECISION"),
        ("DEFAULT 'INTEGER -- it''s BLOB' BLOB", "DEFAULT 'INTEGER -- it''s BLOB' BYTEA"),
        ('"INTEGER" INTEGER', '"INTEGER" BIGINT'),
        ("integers INTEGER, strict TEXT, is_real TEXT", "integers BIGINT, strict TEXT, is_real TEXT"),
    ],
)
def test_translation(written: str, read: str) -> None:
    assert translate(written) == read


def test_migrations_are_found_in_a_checkout() -> None:
    assert (migrate.migrations_dir() / "0001_initial.up.sql").is_file()
