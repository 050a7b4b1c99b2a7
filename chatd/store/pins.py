"""Pinned messages."""

from chatd.store.db import Row, Tx, cols
from chatd.store.messages import MessageRow


class LastPin(Row):
    channel_id: int
    pinned_ms: int | None


def put(tx: Tx, message_id: int, pinned_ms: int | None) -> None:
    """Pin the message, or with None take the pin away."""
    tx.run("UPDATE messages SET pinned_ms = ? WHERE id = ?", pinned_ms, message_id)


def count(tx: Tx, channel_id: int) -> int:
    return int(tx.scalar("SELECT COUNT(*) FROM messages WHERE channel_id = ? AND pinned_ms IS NOT NULL", channel_id))


def last(tx: Tx, channel_id: int) -> int | None:
    """When the last one was pinned, of those that are."""
    found = tx.scalar("SELECT MAX(pinned_ms) FROM messages WHERE channel_id = ? AND pinned_ms IS NOT NULL", channel_id)
    return None if found is None else int(found)


def before(tx: Tx, channel_id: int, pinned_ms: int, limit: int) -> list[MessageRow]:
    """The last pinned ones before the time, the last one first."""
    return tx.rows(
        MessageRow,
        f"SELECT {cols(MessageRow)} FROM messages WHERE channel_id = ? AND pinned_ms < ?"
        " ORDER BY pinned_ms DESC LIMIT ?",
        channel_id,
        pinned_ms,
        limit,
    )


def last_of_guild(tx: Tx, guild_id: int) -> dict[int, int]:
    """Channel -> when its last message was pinned, for those that have one."""
    found = tx.rows(
        LastPin,
        "SELECT c.id, (SELECT MAX(m.pinned_ms) FROM messages m WHERE m.channel_id = c.id AND m.pinned_ms IS NOT NULL)"
        " FROM channels c WHERE c.guild_id = ?",
        guild_id,
    )
    return {row.channel_id: row.pinned_ms for row in found if row.pinned_ms is not None}
