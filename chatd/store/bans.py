"""Bans."""

from msgspec import UNSET

from chatd.model.objects.member import Ban, BansQuery
from chatd.store.db import Row, Tx
from chatd.store.rows import users


class BanRow(Row):
    user_id: int
    reason: str | None


def insert(tx: Tx, guild_id: int, user_id: int, reason: str | None) -> bool:
    """False, and no change, when the user is banned already."""
    return bool(
        tx.run(
            "INSERT INTO bans (guild_id, user_id, reason) VALUES (?, ?, ?) ON CONFLICT (guild_id, user_id) DO NOTHING",
            guild_id,
            user_id,
            reason,
        )
    )


def delete(tx: Tx, guild_id: int, user_id: int) -> bool:
    """False when there is none."""
    return bool(tx.run("DELETE FROM bans WHERE guild_id = ? AND user_id = ?", guild_id, user_id))


def exists(tx: Tx, guild_id: int, user_id: int) -> bool:
    return tx.scalar("SELECT 1 FROM bans WHERE guild_id = ? AND user_id = ?", guild_id, user_id) is not None


def get(tx: Tx, guild_id: int, user_id: int) -> Ban | None:
    sql = "SELECT user_id, reason FROM bans WHERE guild_id = ? AND user_id = ?"
    return next(iter(_bans(tx, tx.rows(BanRow, sql, guild_id, user_id))), None)


def page(tx: Tx, guild_id: int, query: BansQuery) -> list[Ban]:
    """By user id; those right before `before`, or after `after`. With both, `before` counts."""
    where, bound, order = "user_id > ?", 0 if query.after is UNSET else query.after, "ASC"
    if query.before is not UNSET:
        where, bound, order = "user_id < ?", query.before, "DESC"
    sql = f"SELECT user_id, reason FROM bans WHERE guild_id = ? AND {where} ORDER BY user_id {order} LIMIT ?"
    rows = tx.rows(BanRow, sql, guild_id, bound, query.limit)
    return _bans(tx, sorted(rows, key=lambda row: row.user_id))


def _bans(tx: Tx, rows: list[BanRow]) -> list[Ban]:
    banned = users(tx, tuple(row.user_id for row in rows))
    return [Ban(user=banned[row.user_id], reason=row.reason) for row in rows]
