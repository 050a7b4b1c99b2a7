"""Memberships that an invite has granted for as long as the member is there."""

from collections.abc import Sequence

from chatd.store.db import Row, Tx, cols, marks


class TemporaryMember(Row):
    guild_id: int
    user_id: int


def insert(tx: Tx, guild_id: int, user_id: int) -> None:
    """For somebody who has just become a member. The row ends with the membership."""
    tx.run("INSERT INTO temporary_members (guild_id, user_id) VALUES (?, ?)", guild_id, user_id)


def of_users(tx: Tx, user_ids: Sequence[int]) -> list[TemporaryMember]:
    sql = f"SELECT {cols(TemporaryMember)} FROM temporary_members WHERE user_id IN ({marks(len(user_ids))})"
    return tx.rows(TemporaryMember, sql, *user_ids)
