"""Deleting what somebody has posted, wherever in a guild."""

from chatd.store import threads
from chatd.store.db import Row, Tx, marks


class Posted(Row):
    id: int
    channel_id: int


def of_authors(tx: Tx, guild_id: int, author_ids: tuple[int, ...], after: int, limit: int) -> list[Posted]:
    """Delete the oldest `limit` messages of the authors that are newer than `after`; which they were, oldest first."""
    found = tx.rows(
        Posted,
        "SELECT m.id, m.channel_id FROM channels c JOIN messages m ON m.channel_id = c.id"
        f" WHERE c.guild_id = ? AND m.id > ? AND m.author_id IN ({marks(len(author_ids))}) ORDER BY m.id LIMIT ?",
        guild_id,
        after,
        *author_ids,
        limit,
    )
    if found:
        tx.run(f"DELETE FROM messages WHERE id IN ({marks(len(found))})", *(row.id for row in found))
    for row in found:
        threads.uncount(tx, row.channel_id, row.id)
    return found
