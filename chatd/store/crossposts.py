"""Published messages on their way to the followers of their channel, and the copies that have arrived.

The rows are the list of what is left to do; who deletes a message, in whatever way, adds to it.
"""

from collections.abc import Sequence

from chatd.store.db import Row, Tx, cols
from chatd.store.discarded import NOT_DISCARDED


class Delivery(Row):
    source_id: int
    webhook_id: int


class Copy(Row):
    copy_id: int
    source_id: int | None  # None: deleted
    guild_id: int


# Not of or in deleted channels, whose messages are on their way out.
_DUE = f"crosspost_deliveries d JOIN messages m ON m.id = d.source_id WHERE m.channel_id {NOT_DISCARDED}"
_WAITING = (
    "crossposts x JOIN messages m ON m.id = x.copy_id JOIN channels c ON c.id = m.channel_id"
    " WHERE x.source_id IS NULL OR x.stale = 1"
)


def publish(tx: Tx, source_id: int, channel_id: int) -> None:
    """To everyone who follows the channel now."""
    tx.run(
        "INSERT INTO crosspost_deliveries (source_id, webhook_id) SELECT ?, id FROM webhooks WHERE source_id = ?",
        source_id,
        channel_id,
    )


def is_anything_left(tx: Tx) -> bool:
    return tx.scalar(f"SELECT 1 WHERE EXISTS (SELECT 1 FROM {_DUE}) OR EXISTS (SELECT 1 FROM {_WAITING})") is not None


def undelivered(tx: Tx, limit: int) -> list[Delivery]:
    """Oldest first."""
    sql = f"SELECT {cols(Delivery, 'd')} FROM {_DUE} ORDER BY d.source_id, d.webhook_id LIMIT ?"
    return tx.rows(Delivery, sql, limit)


def delivered(tx: Tx, copies: Sequence[tuple[int, Delivery]]) -> None:
    """`copies`: each with its id."""
    tx.insert_many("crossposts", ("copy_id", "source_id"), [(copy_id, it.source_id) for copy_id, it in copies])
    for _, it in copies:
        sql = "DELETE FROM crosspost_deliveries WHERE source_id = ? AND webhook_id = ?"
        tx.run(sql, it.source_id, it.webhook_id)


def waiting(tx: Tx, limit: int) -> list[Copy]:
    """Copies that are not as their sources are, oldest first."""
    return tx.rows(Copy, f"SELECT x.copy_id, x.source_id, c.guild_id FROM {_WAITING} ORDER BY x.copy_id LIMIT ?", limit)


def changed(tx: Tx, source_id: int) -> None:
    """To be called when a published message is edited."""
    tx.run("UPDATE crossposts SET stale = 1 WHERE source_id = ?", source_id)


def done(tx: Tx, copy: Copy) -> None:
    """The copy is as its source is; one whose source is deleted stays as it is from now on."""
    if copy.source_id is None:
        tx.run("DELETE FROM crossposts WHERE copy_id = ?", copy.copy_id)
    else:
        tx.run("UPDATE crossposts SET stale = 0 WHERE copy_id = ?", copy.copy_id)
