"""What happened, in the order of commits, for sessions that come back after a restart.

Posted messages are their own entries: the id of a message is its position. Beside them the journal keeps edits and
deletions (with the message as it was, when its posting may have to be told again), events that no row tells of
(reactions), and marks for every other change that sessions hear of. A mark says that something happened here which
cannot be told again; a session that has not heard of it has to start anew. A bar is a mark ahead of everything: while
it is there, sessions know of something in the stream that a crash would undo.
"""

import msgspec

from chatd.model.wire import Object, Snowflake, decoder, encode
from chatd.store.db import Row, Tx, cols
from chatd.store.messages import MessageRow
from chatd.store.rows import BAR

MARK = ""
POSTED, EDITED, DELETED = "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"
# Their entries hold the row of the message; all others hold their event.
OF_ROWS = frozenset((POSTED, EDITED, DELETED))


class Entry(Row):
    position: int
    stream: int
    name: str
    body: str

    def row(self) -> MessageRow:
        return _decode(self.body)

    def channel_id(self) -> int:
        """0 for an event of the whole guild."""
        return _place(self.body).channel_id


class _Place(Object, frozen=True, kw_only=True):
    channel_id: Snowflake = Snowflake(0)


_decode = msgspec.json.Decoder(MessageRow).decode
_place = decoder(_Place).decode
_encode = msgspec.json.Encoder().encode


def mark(tx: Tx, position: int, streams: frozenset[int]) -> None:
    """Nobody who has not heard of this commit may resume in these streams."""
    for stream in streams:
        _insert(tx, Entry(position, stream, MARK, ""))


def bar(tx: Tx, stream: int) -> None:
    """After a crash nobody may resume in this stream, unless the bar is lifted before it."""
    tx.run(
        f"INSERT INTO journal ({cols(Entry)}) VALUES (?, ?, ?, ?) ON CONFLICT (stream, position) DO NOTHING",
        BAR,
        stream,
        MARK,
        "",
    )


def lift(tx: Tx, stream: int) -> None:
    tx.run("DELETE FROM journal WHERE stream = ? AND position = ?", stream, BAR)


def lift_all(tx: Tx) -> None:
    tx.run("DELETE FROM journal WHERE position = ?", BAR)


def lower_bars(tx: Tx, position: int) -> None:
    """After a crash: what the bars were about is over, and they become marks at this position."""
    tx.run("UPDATE journal SET position = ? WHERE position = ?", position, BAR)


def keep_edit(tx: Tx, position: int, stream: int, before: MessageRow, after: MessageRow) -> None:
    keep_posting(tx, stream, before)
    _insert(tx, Entry(position, stream, EDITED, _encode(after).decode()))


def keep_deletion(tx: Tx, position: int, stream: int, message: MessageRow) -> None:
    keep_posting(tx, stream, message)
    _insert(tx, Entry(position, stream, DELETED, _encode(message).decode()))


def keep_posting(tx: Tx, stream: int, message: MessageRow) -> None:
    """To be called before a message changes for the first time."""
    tx.run(
        f"INSERT INTO journal ({cols(Entry)}) VALUES (?, ?, ?, ?) ON CONFLICT (stream, position) DO NOTHING",
        message.id,
        stream,
        POSTED,
        _encode(message).decode(),
    )


def keep_event(tx: Tx, position: int, stream: int, name: str, event: Object) -> None:
    _insert(tx, Entry(position, stream, name, encode(event).decode()))


def of_guild(tx: Tx, guild_id: int, after: int, limit: int) -> list[Entry]:
    """The newest `limit` entries behind `after`, oldest first, and every mark among them."""
    posted = tx.rows(
        MessageRow,
        f"SELECT {cols(MessageRow, 'm')} FROM messages m JOIN channels c ON c.id = m.channel_id"
        " WHERE m.id > ? AND c.guild_id = ? ORDER BY m.id DESC LIMIT ?",
        after,
        guild_id,
        limit,
    )
    return _merge(tx, guild_id, after, limit, posted)


def of_direct(tx: Tx, channel_id: int, after: int, limit: int) -> list[Entry]:
    """As `of_guild`, for a direct channel."""
    posted = tx.rows(
        MessageRow,
        f"SELECT {cols(MessageRow)} FROM messages WHERE channel_id = ? AND id > ? ORDER BY id DESC LIMIT ?",
        channel_id,
        after,
        limit,
    )
    return _merge(tx, channel_id, after, limit, posted)


def last_mark(tx: Tx, stream: int) -> int:
    """The position of the newest mark, 0 when there is none."""
    return tx.scalar("SELECT MAX(position) FROM journal WHERE stream = ? AND name = ?", stream, MARK) or 0


def prune(tx: Tx, before: int) -> int:
    """Forget what is older than any session; the number of entries forgotten."""
    return tx.run("DELETE FROM journal WHERE position < ?", before)


def surplus(tx: Tx, limit: int) -> int:
    """The position of the newest entry that is beyond the newest `limit`, 0 when there is none."""
    return tx.scalar("SELECT position FROM journal ORDER BY position DESC LIMIT 1 OFFSET ?", limit) or 0


def cut(tx: Tx, position: int) -> int:
    """Forget what is not behind the position, but for the newest of each stream, which becomes a mark: nobody resumes
    across what is missing. The number of entries forgotten.
    """
    forgotten = tx.run(
        "DELETE FROM journal WHERE position <= ? AND position <"
        " (SELECT MAX(newer.position) FROM journal newer WHERE newer.stream = journal.stream AND newer.position <= ?)",
        position,
        position,
    )
    tx.run("UPDATE journal SET name = ?, body = '' WHERE position <= ? AND name <> ?", MARK, position, MARK)
    return forgotten


def _merge(tx: Tx, stream: int, after: int, limit: int, posted: list[MessageRow]) -> list[Entry]:
    kept = tx.rows(
        Entry,
        f"SELECT {cols(Entry)} FROM journal WHERE stream = ? AND position > ? ORDER BY position DESC LIMIT ?",
        stream,
        after,
        limit,
    )
    entries = {row.id: Entry(row.id, stream, POSTED, _encode(row).decode()) for row in posted}
    # What the journal has of a posting is the message as it was then.
    entries.update((entry.position, entry) for entry in kept)
    newest = sorted(entries.values(), key=lambda entry: entry.position)[-limit:]
    # Each of the two was cut off at its own end: behind the later cut both are complete.
    cuts = [rows[-1] for rows in ([row.id for row in posted], [e.position for e in kept]) if len(rows) == limit]
    return [entry for entry in newest if entry.position >= max(cuts, default=0)]


def _insert(tx: Tx, entry: Entry) -> None:
    tx.run(
        f"INSERT INTO journal ({cols(Entry)}) VALUES (?, ?, ?, ?)",
        entry.position,
        entry.stream,
        entry.name,
        entry.body,
    )
