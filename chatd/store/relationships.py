"""Friends, requests and blocks, from each side."""

from chatd.store.db import Row, Tx, cols


class RelationshipRow(Row):
    user_id: int
    other_id: int
    type: int
    since_ms: int


def of_user(tx: Tx, user_id: int) -> list[RelationshipRow]:
    sql = f"SELECT {cols(RelationshipRow)} FROM relationships WHERE user_id = ? ORDER BY other_id"
    return tx.rows(RelationshipRow, sql, user_id)


def kind(tx: Tx, user_id: int, other_id: int) -> int | None:
    """The type of the relationship as this user has it."""
    found = tx.scalar("SELECT type FROM relationships WHERE user_id = ? AND other_id = ?", user_id, other_id)
    return None if found is None else int(found)


def count(tx: Tx, user_id: int) -> int:
    return int(tx.scalar("SELECT COUNT(*) FROM relationships WHERE user_id = ?", user_id))


def put(tx: Tx, row: RelationshipRow) -> None:
    tx.run(
        f"INSERT INTO relationships ({cols(RelationshipRow)}) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (user_id, other_id) DO UPDATE SET type = excluded.type, since_ms = excluded.since_ms",
        row.user_id,
        row.other_id,
        row.type,
        row.since_ms,
    )


def remove(tx: Tx, user_id: int, other_id: int) -> None:
    tx.run("DELETE FROM relationships WHERE user_id = ? AND other_id = ?", user_id, other_id)
