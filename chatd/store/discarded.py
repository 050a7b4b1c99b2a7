"""What deleted channels leave behind: messages, of which there may be millions, and whoever writes waits for deletions.

So a channel goes at once, with all that is little, and its messages in batches; a trigger notes it here. Nobody sees
them any more: the way to a message is through its channel, and what does not take it (search, files, polls that end,
copies of what was published) leaves these channels out.
"""

from chatd.store.db import Tx

# Behind a column with the ids of channels, in whatever does not begin with a channel.
NOT_DISCARDED = "NOT IN (SELECT id FROM discarded_channels)"


def oldest(tx: Tx) -> int | None:
    found = tx.scalar("SELECT MIN(id) FROM discarded_channels")
    return None if found is None else int(found)


def delete_some(tx: Tx, channel_id: int, limit: int) -> None:
    """Delete so many of the channel's messages at most, and forget it after the last of them."""
    ids = (
        "SELECT m.id FROM discarded_channels d JOIN messages m ON m.channel_id = d.id"
        " WHERE d.id = ? ORDER BY m.id LIMIT ?"
    )
    if tx.run(f"DELETE FROM messages WHERE id IN ({ids})", channel_id, limit) < limit:
        tx.run("DELETE FROM discarded_channels WHERE id = ?", channel_id)


def clear(tx: Tx, channel_id: int) -> None:
    """To be called before a channel is made that one may have been before: a thread, begun anew at its message."""
    if tx.run("DELETE FROM discarded_channels WHERE id = ?", channel_id):
        tx.run("DELETE FROM messages WHERE channel_id = ?", channel_id)
