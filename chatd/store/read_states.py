"""How far people have read, and the messages that call them: counts and the newest ones."""

from collections.abc import Mapping, Sequence

from chatd.store.db import Param, Row, Tx, cols
from chatd.store.discarded import NOT_DISCARDED


class ReadRow(Row):
    channel_id: int
    last_message_id: int
    version: int


class Count(Row):
    channel_id: int
    messages: int


class MentionRow(Row):
    message_id: int
    channel_id: int


class Mark(Row):
    """The user has read the channel up to this message."""

    user_id: int
    channel_id: int
    message_id: int


# Marks in one statement: as many as stay well below any database's limit on parameters.
MARKS = 500


def of_user(tx: Tx, user_id: int) -> list[ReadRow]:
    return tx.rows(ReadRow, f"SELECT {cols(ReadRow)} FROM read_states WHERE user_id = ?", user_id)


def mark(tx: Tx, marks: Sequence[Mark], back: bool = False) -> list[ReadRow]:
    """Move marks forward, with `back` wherever they shall be; the rows that have changed.

    At most MARKS, of different channels for each user. A channel that is gone is passed over.
    """
    if not marks:
        return []
    moved = "<>" if back else "<"
    return tx.rows(
        ReadRow,
        f"WITH mark ({cols(Mark)}) AS (VALUES {_tuples(3, len(marks))})"
        f" INSERT INTO read_states (user_id, {cols(ReadRow)})"
        " SELECT m.user_id, m.channel_id, m.message_id, 1 FROM mark m JOIN channels c ON c.id = m.channel_id"
        " WHERE m.message_id >= 0"  # SQLite needs some WHERE between SELECT and ON CONFLICT
        " ON CONFLICT (user_id, channel_id) DO UPDATE"
        " SET last_message_id = excluded.last_message_id, version = read_states.version + 1"
        f" WHERE read_states.last_message_id {moved} excluded.last_message_id"
        f" RETURNING {cols(ReadRow)}",
        *(value for it in marks for value in (it.user_id, it.channel_id, it.message_id)),
    )


def mentions(tx: Tx, user_id: int, targets: Sequence[int], unread: Mapping[int, int]) -> dict[int, int]:
    """How many messages mention one of the targets, by channel. `unread`: channel -> the message that they come after.

    The user's own are not counted.
    """
    found = tx.rows(
        Count,
        f"WITH unread (channel_id, last_read) AS (VALUES {_tuples(2, len(unread))})"
        " SELECT u.channel_id, COUNT(DISTINCT m.message_id)"
        " FROM unread u JOIN mentions m ON m.channel_id = u.channel_id AND m.message_id > u.last_read"
        f" WHERE m.target_id IN ({', '.join('?' * len(targets))}) AND m.author_id <> ? GROUP BY u.channel_id",
        *_flat(unread),
        *targets,
        user_id,
    )
    return {row.channel_id: row.messages for row in found}


def messages(tx: Tx, user_id: int, unread: Mapping[int, int]) -> dict[int, int]:
    """As `mentions`, of all messages."""
    found = tx.rows(
        Count,
        f"WITH unread (channel_id, last_read) AS (VALUES {_tuples(2, len(unread))})"
        " SELECT u.channel_id, COUNT(*)"
        " FROM unread u JOIN messages m ON m.channel_id = u.channel_id AND m.id > u.last_read"
        " WHERE m.author_id <> ? GROUP BY u.channel_id",
        *_flat(unread),
        user_id,
    )
    return {row.channel_id: row.messages for row in found}


def newest_mentions(
    tx: Tx, user_id: int, targets: Sequence[int], before: int, guild_id: int | None, limit: int
) -> list[MentionRow]:
    """Messages older than `before` that mention one of the targets, newest first; of one guild, or of everywhere."""
    where, params = f" AND channel_id {NOT_DISCARDED}", list[Param]()
    if guild_id is not None:
        where, params = " AND channel_id IN (SELECT id FROM channels WHERE guild_id = ?)", [guild_id]
    return tx.rows(
        MentionRow,
        f"SELECT DISTINCT {cols(MentionRow)} FROM mentions"
        f" WHERE target_id IN ({', '.join('?' * len(targets))}) AND message_id < ? AND author_id <> ?{where}"
        " ORDER BY message_id DESC LIMIT ?",
        *targets,
        before,
        user_id,
        *params,
        limit,
    )


def _tuples(width: int, count: int) -> str:
    return ", ".join([f"({', '.join('?' * width)})"] * count)


def _flat(pairs: Mapping[int, int]) -> list[int]:
    return [value for pair in pairs.items() for value in pair]
