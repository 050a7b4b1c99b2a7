"""How long messages are kept, and which of them are due."""

from collections.abc import Sequence

from chatd.model.snowflake import EPOCH_MS
from chatd.store.db import Row, Tx, cols
from chatd.store.messages import MessageRow

# The scope of all channels without a rule of their own.
EVERYWHERE = 0


class Rule(Row):
    scope: int  # a channel, or EVERYWHERE
    messages_s: int | None  # None: for ever
    keep_pinned: int


class Due(Row):
    """A channel or thread with messages that are to go."""

    channel_id: int
    guild_id: int | None
    before: int  # those with a lower id
    keep_pinned: int
    oldest: int  # of them


# A channel's own rule, or that of the nearest it is in (a thread's channel, its category), or the one for everywhere.
# What is due begins with the oldest message that is not kept. A subquery for each channel: PostgreSQL would join with
# all messages at once.
_DUE = (
    "SELECT * FROM (SELECT c.id, c.guild_id, (? - r.messages_s * 1000) * 4194304 AS before, r.keep_pinned,"
    " (SELECT m.id FROM messages m WHERE m.channel_id = c.id AND (r.keep_pinned = 0 OR m.pinned_ms IS NULL)"
    " ORDER BY m.id LIMIT 1) AS oldest"
    " FROM channels c"
    " LEFT JOIN retention own ON own.scope = c.id"
    " LEFT JOIN retention parent ON parent.scope = c.parent_id"
    " LEFT JOIN channels up ON up.id = c.parent_id"
    " LEFT JOIN retention category ON category.scope = up.parent_id"
    " JOIN retention r ON r.scope = COALESCE(own.scope, parent.scope, category.scope, 0)"
    " WHERE c.id > ? AND r.messages_s IS NOT NULL) AS channel"
    " WHERE oldest < before ORDER BY id LIMIT ?"
)
_EXPIRED = "channel_id = ? AND id < ? AND (? = 0 OR pinned_ms IS NULL)"


def rules(tx: Tx) -> list[Rule]:
    return tx.rows(Rule, f"SELECT {cols(Rule)} FROM retention ORDER BY scope")


def put(tx: Tx, rule: Rule) -> None:
    """Raises Missing for a channel that is not there."""
    tx.run(
        "INSERT INTO retention (scope, channel_id, messages_s, keep_pinned) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (scope) DO UPDATE SET messages_s = excluded.messages_s, keep_pinned = excluded.keep_pinned",
        rule.scope,
        None if rule.scope == EVERYWHERE else rule.scope,
        rule.messages_s,
        rule.keep_pinned,
    )


def remove(tx: Tx, scope: int) -> bool:
    """Whether there was one."""
    return bool(tx.run("DELETE FROM retention WHERE scope = ?", scope))


def due(tx: Tx, now_ms: int, after: int, limit: int) -> list[Due]:
    """By id, behind `after`."""
    return tx.rows(Due, _DUE, now_ms - EPOCH_MS, after, limit)


def count(tx: Tx, channel: Due) -> int:
    sql = f"SELECT COUNT(*) FROM messages WHERE {_EXPIRED}"
    return int(tx.scalar(sql, channel.channel_id, channel.before, channel.keep_pinned))


def expired(tx: Tx, channel: Due, limit: int) -> Sequence[MessageRow]:
    """The oldest ones."""
    sql = f"SELECT {cols(MessageRow)} FROM messages WHERE {_EXPIRED} ORDER BY id LIMIT ?"
    return tx.rows(MessageRow, sql, channel.channel_id, channel.before, channel.keep_pinned, limit)
