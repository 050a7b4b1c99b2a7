"""Reactions: who reacted with what, and how many did.

Counts are not stored: there is nothing that could disagree with the rows.
"""

from collections.abc import Sequence

from chatd.model.objects.reaction import Reaction, ReactionCounts, partial_emoji
from chatd.model.objects.user import User
from chatd.store.db import Row, Tx, cols, marks
from chatd.store.rows import users


class ReactionRow(Row):
    message_id: int
    emoji: str
    user_id: int
    burst: int
    position: int


class EmojiName(Row):
    emoji: str


class UserId(Row):
    user_id: int


class _Count(Row):
    message_id: int
    emoji: str
    normal: int
    burst: int
    mine: int  # how many of the normal ones are the asker's
    mine_burst: int


def exists(tx: Tx, message_id: int, emoji: str) -> bool:
    """Whether anybody has reacted with this."""
    sql = "SELECT 1 FROM reactions WHERE message_id = ? AND emoji = ? LIMIT 1"
    return tx.scalar(sql, message_id, emoji) is not None


def emojis(tx: Tx, message_id: int) -> list[str]:
    """All the different ones."""
    found = tx.rows(EmojiName, "SELECT DISTINCT emoji FROM reactions WHERE message_id = ?", message_id)
    return [row.emoji for row in found]


def add(tx: Tx, row: ReactionRow) -> bool:
    """False when the user has reacted with this already."""
    sql = (
        f"INSERT INTO reactions ({cols(ReactionRow)}) VALUES ({marks(ReactionRow)})"
        " ON CONFLICT (message_id, emoji, user_id) DO NOTHING"
    )
    return bool(tx.run(sql, row.message_id, row.emoji, row.user_id, row.burst, row.position))


def remove(tx: Tx, message_id: int, emoji: str, user_id: int) -> bool | None:
    """Whether it was a super reaction; None when there was none."""
    sql = "DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ? RETURNING burst"
    burst = tx.scalar(sql, message_id, emoji, user_id)
    return None if burst is None else bool(burst)


def clear(tx: Tx, message_id: int) -> bool:
    """False when there were none."""
    return bool(tx.run("DELETE FROM reactions WHERE message_id = ?", message_id))


def clear_emoji(tx: Tx, message_id: int, emoji: str) -> bool:
    """False when there were none."""
    return bool(tx.run("DELETE FROM reactions WHERE message_id = ? AND emoji = ?", message_id, emoji))


def users_after(tx: Tx, message_id: int, emoji: str, burst: int, user_id: int, limit: int) -> list[User]:
    """Who reacted with this, the first ones after the user, in the order of their ids."""
    found = tx.rows(
        UserId,
        "SELECT user_id FROM reactions WHERE message_id = ? AND emoji = ? AND burst = ? AND user_id > ?"
        " ORDER BY user_id LIMIT ?",
        message_id,
        emoji,
        burst,
        user_id,
        limit,
    )
    return list(users(tx, tuple(row.user_id for row in found)).values())


def of_messages(tx: Tx, message_ids: Sequence[int], asker_id: int) -> dict[int, tuple[Reaction, ...]]:
    """The reactions of those messages that have any, as the asker sees them, in the order of their first ones."""
    if not message_ids:
        return {}
    found: dict[int, list[Reaction]] = {}
    for row in tx.rows(
        _Count,
        "SELECT message_id, emoji, COUNT(*) - SUM(burst), SUM(burst),"
        " SUM(CASE WHEN user_id = ? THEN 1 - burst ELSE 0 END), SUM(CASE WHEN user_id = ? THEN burst ELSE 0 END)"
        f" FROM reactions WHERE message_id IN ({marks(len(message_ids))})"
        " GROUP BY message_id, emoji ORDER BY message_id, MIN(position)",
        asker_id,
        asker_id,
        *message_ids,
    ):
        found.setdefault(row.message_id, []).append(_reaction_from(row))
    return {message_id: tuple(reactions) for message_id, reactions in found.items()}


def _reaction_from(row: _Count) -> Reaction:
    normal, burst = int(row.normal), int(row.burst)  # PostgreSQL's sums are no plain integers
    emoji = partial_emoji(row.emoji)
    assert emoji is not None  # it was one when it was written
    return Reaction(
        emoji=emoji,
        count=normal + burst,
        count_details=ReactionCounts(burst=burst, normal=normal),
        me=row.mine > 0,
        me_burst=row.mine_burst > 0,
    )
