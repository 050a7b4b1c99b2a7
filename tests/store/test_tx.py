"""What a transaction's methods do, the same on both databases."""

import pytest

from chatd.store.db import Conflict, Database, Missing, Row, Tx, cols, marks
from tests.store.things import Thing, add, add_many, count

TEXTS = ["", "plain", "it's", 'a "quote"', "back\\slash", "{1,2}", "NULL", "null", " spaces ", "a,b", "\n\t\r", "ü 😀 ‮"]
INTS = [0, -1, 2**15, 2**31, 2**53, 2**63 - 1, -(2**63)]


def thing(number: int, **values: object) -> Thing:
    return Thing(**{"id": number, "name": None, "parent_id": None, "data": None, "weight": None, **values})  # type: ignore[arg-type]


ROWS = [
    *[thing(number, name=text) for number, text in enumerate(TEXTS)],
    *[thing(value, name=f"int {value}") for value in INTS[2:]],
    thing(100, data=b""),
    thing(101, data=bytes(range(256)), parent_id=100),
    thing(102, weight=-1.5e300),
    thing(103, weight=0.1, parent_id=102),
]


def values(row: Thing) -> tuple[int | str | bytes | float | None, ...]:
    return row.id, row.name, row.parent_id, row.data, row.weight


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "insert_many"])
async def test_values_come_back_as_they_went_in(things: Database, together: bool) -> None:
    def insert(tx: Tx) -> None:
        if together:
            tx.insert_many("things", Thing.__struct_fields__, [values(row) for row in ROWS])
            return
        for row in ROWS:
            assert tx.run(f"INSERT INTO things ({cols(Thing)}) VALUES ({marks(Thing)})", *values(row)) == 1

    def read(tx: Tx) -> list[Thing]:
        return tx.rows(Thing, f"SELECT {cols(Thing)} FROM things ORDER BY id")

    await things.write(insert)
    found = await things.read(read)
    assert found == sorted(ROWS, key=lambda row: row.id)
    # Equal is not enough: 1 == 1.0 == True.
    assert [list(map(type, values(row))) for row in found] == [
        list(map(type, values(row))) for row in sorted(ROWS, key=lambda row: row.id)
    ]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 255, 256, 257, 1000])
async def test_insert_many_takes_any_number_of_rows(things: Database, number: int) -> None:
    await things.write(add_many, range(number))
    assert await things.read(count) == number


async def test_bools_are_bound_as_numbers(things: Database) -> None:
    def insert(tx: Tx) -> list[int]:
        tx.run("INSERT INTO things (id) VALUES (?)", True)
        tx.insert_many("things", ("id",), [(False,)])
        return [tx.scalar("SELECT id FROM things WHERE id = ?", flag) for flag in (False, True)]

    assert await things.write(insert) == [0, 1]


async def test_answers_without_rows(things: Database) -> None:
    def ask(tx: Tx) -> tuple[object, ...]:
        sql = f"SELECT {cols(Thing)} FROM things WHERE id = ?"
        return tx.row(Thing, sql, 1), tx.rows(Thing, sql, 1), tx.scalar(sql, 1), tx.scalar("SELECT MAX(id) FROM things")

    assert await things.read(ask) == (None, [], None, None)


async def test_first_of_many_rows(things: Database) -> None:
    def ask(tx: Tx) -> tuple[object, ...]:
        add_many(tx, range(5))
        sql = f"SELECT {cols(Thing)} FROM things ORDER BY id DESC"
        return tx.row(Thing, sql), tx.scalar(sql)

    assert await things.write(ask) == (thing(4), 4)


async def test_run_counts_rows(things: Database) -> None:
    def change(tx: Tx) -> list[int]:
        add_many(tx, range(5))
        return [
            tx.run("UPDATE things SET name = NULL WHERE id < ?", 3),
            tx.run("INSERT INTO things (id) VALUES (?) ON CONFLICT DO NOTHING", 1),
            tx.run("DELETE FROM things WHERE id >= ?", 1),
            tx.run("DELETE FROM things WHERE id >= ?", 1),
        ]

    assert await things.write(change) == [3, 0, 4, 0]


async def test_sum_is_an_int(things: Database) -> None:
    def total(tx: Tx) -> object:
        add_many(tx, range(5))
        return tx.scalar("SELECT SUM(id) FROM things")

    assert type(await things.write(total)) is int


async def test_portable_statements(things: Database) -> None:
    class Pair(Row):
        id: int
        name: str

    def work(tx: Tx) -> list[Pair]:
        upsert = "INSERT INTO things (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name"
        for thing_id, name in [(1, "a"), (2, "b%"), (1, "c")]:
            tx.run(upsert, thing_id, name)
        assert tx.scalar("DELETE FROM things WHERE id = ? RETURNING name", 1) == "c"
        add(tx, 3, "d")
        sql = "WITH t AS (SELECT id, name FROM things) SELECT id, name FROM t WHERE"
        assert tx.scalar(f"{sql} name LIKE ? ESCAPE '!'", "b!%") == 2
        assert tx.scalar(f"{sql} (id, name) > (?, ?) ORDER BY id, name", 2, "b%") == 3
        assert tx.scalar("SELECT id & 2 FROM things WHERE id = ?", 3) == 2
        return tx.rows(Pair, f"SELECT {cols(Pair, 't')} FROM things t WHERE id IN ({marks(2)}) ORDER BY id", 2, 3)

    assert await things.write(work) == [Pair(2, "b%"), Pair(3, "d")]


async def test_conflict_names_table_and_columns(things: Database) -> None:
    await things.write(add, 1, "a")

    with pytest.raises(Conflict) as by_id:
        await things.write(add, 1)
    with pytest.raises(Conflict) as by_name:
        await things.write(add, 2, "a")
    with pytest.raises(Conflict) as by_pair:
        await things.write(
            lambda tx: tx.insert_many("things", ("id", "parent_id", "weight"), [(3, 1, 1.0), (4, 1, 1.0)])
        )
    found = [(caught.value.table, caught.value.columns) for caught in (by_id, by_name, by_pair)]
    assert found == [("things", ("id",)), ("things", ("name",)), ("things", ("parent_id", "weight"))]


async def test_foreign_keys_hold(things: Database) -> None:
    with pytest.raises(Missing):
        await things.write(add, 1, "child", 99)
    with pytest.raises(Missing):
        await things.write(lambda tx: tx.insert_many("things", ("id", "parent_id"), [(1, None), (2, 99)]))
    await things.write(add, 1)
    await things.write(add, 2, None, 1)
    with pytest.raises(Missing):
        await things.write(lambda tx: tx.run("DELETE FROM things WHERE id = ?", 1))


def test_column_lists() -> None:
    class Pair(Row):
        id: int
        name: str

    assert cols(Pair) == "id, name"
    assert cols(Pair, "m") == "m.id, m.name"
    assert marks(Pair) == marks(2) == "?, ?"
