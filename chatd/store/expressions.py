"""What emojis and stickers have in common: somebody made them."""

from collections.abc import Collection
from typing import Literal

from chatd.model.objects.user import User
from chatd.store.db import Row, Tx
from chatd.store.rows import users

Table = Literal["emojis", "stickers"]


class MadeRow(Row):
    id: int
    user_id: int


def makers(tx: Tx, table: Table, ids: Collection[int]) -> dict[int, User]:
    """Who made each of those that are there."""
    if not ids:
        return {}
    made = tx.rows(MadeRow, f"SELECT id, user_id FROM {table} WHERE id IN ({', '.join('?' * len(ids))})", *ids)
    found = users(tx, tuple({row.user_id for row in made}))
    return {row.id: found[row.user_id] for row in made}
