"""How long messages and their files are kept, and which of them are due."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from chatd.model.snowflake import EPOCH_MS
from chatd.store.db import Param, Row, Tx, cols
from chatd.store.messages import MessageRow

# The scope of all channels without a rule of their own.
EVERYWHERE = 0


class Rule(Row):
    scope: int  # a channel, or EVERYWHERE
    messages_s: int | None  # None: for ever
    files_s: int | None  # likewise
    keep_pinned: int


class Due(Row):
    """A channel or thread with messages that are to go, or with files."""

    channel_id: int
    guild_id: int | None
    keep_pinned: int
    messages_before: int  # those with a lower id go
    files_before: int  # those of messages with a lower id go
    oldest: int  # message with something that is to go


# A channel's own rule, or that of the nearest it is in (a thread's channel, its category), or the one for everywhere.
_RULED = (
    "channels c"
    " LEFT JOIN retention own ON own.scope = c.id"
    " LEFT JOIN retention parent ON parent.scope = c.parent_id"
    " LEFT JOIN channels up ON up.id = c.parent_id"
    " LEFT JOIN retention category ON category.scope = up.parent_id"
    " JOIN retention r ON r.scope = COALESCE(own.scope, parent.scope, category.scope, 0)"
)
# What is due begins with the oldest message that is not kept. Subqueries for each channel: PostgreSQL would join with
# all messages at once.
_DUE = (
    "SELECT id, guild_id, keep_pinned, messages_before, files_before,"
    " CASE WHEN oldest < messages_before THEN oldest ELSE oldest_with_files END"
    " FROM (SELECT c.id, c.guild_id, r.keep_pinned,"
    " COALESCE((? - r.messages_s * 1000) * 4194304, 0) AS messages_before,"
    " COALESCE((? - r.files_s * 1000) * 4194304, 0) AS files_before,"
    " (SELECT m.id FROM messages m WHERE m.channel_id = c.id AND (r.keep_pinned = 0 OR m.pinned_ms IS NULL)"
    " ORDER BY m.id LIMIT 1) AS oldest,"
    " (SELECT a.message_id FROM attachments a JOIN messages m ON m.id = a.message_id"
    " WHERE a.channel_id = c.id AND (r.keep_pinned = 0 OR m.pinned_ms IS NULL)"
    " ORDER BY a.message_id LIMIT 1) AS oldest_with_files"
    f" FROM {_RULED} WHERE c.id > ?) AS channel"
    " WHERE oldest < messages_before OR oldest_with_files < files_before ORDER BY id LIMIT ?"
)
_EXPIRED = "channel_id = ? AND id < ? AND (? = 0 OR pinned_ms IS NULL)"
# Those of messages that are to go themselves go with these.
_EXPIRED_FILES = (
    "attachments a JOIN messages m ON m.id = a.message_id"
    " WHERE a.channel_id = ? AND a.message_id >= ? AND a.message_id < ? AND (? = 0 OR m.pinned_ms IS NULL)"
)


def rules(tx: Tx) -> list[Rule]:
    return tx.rows(Rule, f"SELECT {cols(Rule)} FROM retention ORDER BY scope")


def change(tx: Tx, scope: int, said: Mapping[str, int | None]) -> Rule:
    """The scope's own rule, of which all that is not said is as it has been there. Raises Missing for a channel that is
    not there.
    """
    rule = replace(_holding(tx, scope), scope=scope, **said)
    tx.run(
        f"INSERT INTO retention (channel_id, {cols(Rule)}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (scope) DO UPDATE SET"
        " messages_s = excluded.messages_s, files_s = excluded.files_s, keep_pinned = excluded.keep_pinned",
        None if scope == EVERYWHERE else scope,
        rule.scope,
        rule.messages_s,
        rule.files_s,
        rule.keep_pinned,
    )
    return rule


def _holding(tx: Tx, scope: int) -> Rule:
    everywhere = f"SELECT {cols(Rule)} FROM retention WHERE scope = ?"
    channel = f"SELECT {cols(Rule, 'r')} FROM {_RULED} WHERE c.id = ?"
    found = tx.row(Rule, everywhere if scope == EVERYWHERE else channel, scope)
    return found or Rule(scope, messages_s=None, files_s=None, keep_pinned=1)


def remove(tx: Tx, scope: int) -> bool:
    """Whether there was one."""
    return bool(tx.run("DELETE FROM retention WHERE scope = ?", scope))


def due(tx: Tx, now_ms: int, after: int, limit: int) -> list[Due]:
    """By id, behind `after`."""
    return tx.rows(Due, _DUE, now_ms - EPOCH_MS, now_ms - EPOCH_MS, after, limit)


def count(tx: Tx, channel: Due) -> int:
    sql = f"SELECT COUNT(*) FROM messages WHERE {_EXPIRED}"
    return int(tx.scalar(sql, channel.channel_id, channel.messages_before, channel.keep_pinned))


def count_files(tx: Tx, channel: Due) -> int:
    return int(tx.scalar(f"SELECT COUNT(*) FROM {_EXPIRED_FILES}", *_files(channel)))


def expired(tx: Tx, channel: Due, limit: int) -> Sequence[MessageRow]:
    """The oldest ones."""
    sql = f"SELECT {cols(MessageRow)} FROM messages WHERE {_EXPIRED} ORDER BY id LIMIT ?"
    return tx.rows(MessageRow, sql, channel.channel_id, channel.messages_before, channel.keep_pinned, limit)


def with_expired_files(tx: Tx, channel: Due, limit: int) -> Sequence[MessageRow]:
    """The oldest ones."""
    found = f"SELECT a.message_id FROM {_EXPIRED_FILES} GROUP BY a.message_id ORDER BY a.message_id LIMIT ?"
    sql = f"SELECT {cols(MessageRow)} FROM messages WHERE id IN ({found}) ORDER BY id"
    return tx.rows(MessageRow, sql, *_files(channel), limit)


def _files(channel: Due) -> tuple[Param, ...]:
    return channel.channel_id, channel.messages_before, channel.files_before, channel.keep_pinned
