"""Messages: appending, paging, editing, deleting.

Ids are taken inside the transaction, on the writer thread, so that the order of ids is the order of commits and a
reader that polls `after=<last id>` never skips one.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chatd.model.objects.attachment import StoredAttachment
from chatd.model.objects.message import MessageFlags
from chatd.model.objects.poll import PollAnswerCount
from chatd.model.objects.reaction import Reaction
from chatd.model.objects.thread import Thread
from chatd.model.objects.user import User
from chatd.model.wire import MAX_STRING_INT
from chatd.store import attachments, crossposts, polls, reactions, threads
from chatd.store.db import Row, Tx, cols, marks
from chatd.store.rows import users


class MessageRow(Row):
    id: int
    channel_id: int
    author_id: int
    type: int
    flags: int
    content: str
    edited_ms: int | None
    nonce: str | None
    extra: str  # MessageExtra
    pinned_ms: int | None = None


class Draft(NamedTuple):
    """A message that has no id yet. `new_id` is asked for one inside the transaction."""

    new_id: Callable[[], int]
    channel_id: int
    author_id: int
    type: int
    flags: int
    content: str
    nonce: str | None
    extra: str
    attachments: tuple[StoredAttachment, ...] = ()
    mentioned: tuple[int, ...] = ()  # users, roles, and the guild for @everyone; each once
    poll_ends_ms: int | None = None


class Page(NamedTuple):
    """Messages, newest first, and everyone that they name (authors, mentions), where the account still exists.

    `reactions` and `votes` are those of the messages and of what they reply to; empty where nobody asks for himself.
    """

    rows: list[MessageRow]
    references: dict[int, MessageRow]
    users: dict[int, User]
    threads: dict[int, Thread]  # by the message that each began with
    reactions: dict[int, tuple[Reaction, ...]]
    votes: dict[int, tuple[PollAnswerCount, ...]]  # of every poll


class RecentNonce(Row):
    id: int
    channel_id: int
    author_id: int
    nonce: str


class Author(Row):
    author_id: int


# Plain integers: an operation on Python's flags takes ten times as long, for every row of a page.
_HAS_THREAD, _CROSSPOSTED = int(MessageFlags.HAS_THREAD), int(MessageFlags.CROSSPOSTED)

_COLUMNS = ("id", "channel_id", "author_id", "type", "flags", "content", "edited_ms", "nonce", "extra")


def append(tx: Tx, drafts: list[Draft]) -> list[int]:
    """Insert in one statement, and mentions and attachments in others; the new ids, in the order of the drafts.

    Raises Missing for a deleted channel.
    """
    ids = [draft.new_id() for draft in drafts]
    tx.insert_many(  # a trigger looks for the channels
        "messages",
        _COLUMNS,
        [
            (id_, d.channel_id, d.author_id, d.type, d.flags, d.content, None, d.nonce, d.extra)
            for id_, d in zip(ids, drafts, strict=True)
        ],
    )
    tx.insert_many(
        "mentions",
        ("target_id", "channel_id", "message_id", "author_id"),
        [
            (target, d.channel_id, id_, d.author_id)
            for id_, d in zip(ids, drafts, strict=True)
            for target in d.mentioned
        ],
    )
    named = [(d.channel_id, id_, file) for id_, d in zip(ids, drafts, strict=True) for file in d.attachments]
    if named:
        attachments.insert(tx, named)
    polls.start(tx, [(id_, d.poll_ends_ms) for id_, d in zip(ids, drafts, strict=True) if d.poll_ends_ms is not None])
    return ids


def get(tx: Tx, channel_id: int, message_id: int) -> MessageRow | None:
    return tx.row(
        MessageRow, f"SELECT {cols(MessageRow)} FROM messages WHERE id = ? AND channel_id = ?", message_id, channel_id
    )


def by_ids(tx: Tx, message_ids: Sequence[int]) -> list[MessageRow]:
    """Those that exist, newest first."""
    if not message_ids:
        return []
    sql = f"SELECT {cols(MessageRow)} FROM messages WHERE id IN ({marks(len(message_ids))}) ORDER BY id DESC"
    return tx.rows(MessageRow, sql, *message_ids)


def update_attachments(
    tx: Tx, row: MessageRow, old: Sequence[StoredAttachment], new: Sequence[StoredAttachment]
) -> None:
    """Of the files that the message names, beside `update` for what it says of them."""
    before, after = {file.id for file in old}, {file.id for file in new}
    attachments.delete(tx, row.id, [*before - after])
    attachments.insert(tx, [(row.channel_id, row.id, file) for file in new if file.id not in before])


def update(tx: Tx, row: MessageRow) -> None:
    """Write back what an edit may change."""
    tx.run(
        "UPDATE messages SET flags = ?, content = ?, extra = ?, edited_ms = ? WHERE id = ?",
        row.flags,
        row.content,
        row.extra,
        row.edited_ms,
        row.id,
    )
    if row.flags & _CROSSPOSTED:
        crossposts.changed(tx, row.id)


def mark_thread(tx: Tx, message_id: int, has_thread: bool) -> None:
    """Whether a thread has begun with the message (resources/message, "Message Flags")."""
    sql = "UPDATE messages SET flags = (flags | ?) - ? WHERE id = ?"
    tx.run(sql, _HAS_THREAD, 0 if has_thread else _HAS_THREAD, message_id)


def delete(tx: Tx, message_ids: Sequence[int]) -> None:
    tx.run(f"DELETE FROM messages WHERE id IN ({marks(len(message_ids))})", *message_ids)


def before(tx: Tx, channel_id: int, message_id: int, limit: int) -> list[MessageRow]:
    """Newest first, strictly older than `message_id`."""
    return tx.rows(
        MessageRow,
        f"SELECT {cols(MessageRow)} FROM messages WHERE channel_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        channel_id,
        message_id,
        limit,
    )


def after(tx: Tx, channel_id: int, message_id: int, limit: int) -> list[MessageRow]:
    """Newest first, the `limit` oldest of those strictly younger than `message_id`."""
    found = tx.rows(
        MessageRow,
        f"SELECT {cols(MessageRow)} FROM messages WHERE channel_id = ? AND id > ? ORDER BY id LIMIT ?",
        channel_id,
        message_id,
        limit,
    )
    return found[::-1]


def around(tx: Tx, channel_id: int, message_id: int, limit: int) -> list[MessageRow]:
    """Newest first, as many younger as older ones, with the message itself in the middle where it exists."""
    older = before(tx, channel_id, min(message_id + 1, MAX_STRING_INT), limit // 2 + 1)
    return after(tx, channel_id, message_id, limit - limit // 2 - 1) + older


def of_authors(tx: Tx, guild_id: int, author_ids: tuple[int, ...], after: int, limit: int) -> list[MessageRow]:
    """Oldest first, the `limit` oldest of what they posted in the guild after `after`."""
    return tx.rows(
        MessageRow,
        f"SELECT {cols(MessageRow, 'm')} FROM channels c JOIN messages m ON m.channel_id = c.id"
        f" WHERE c.guild_id = ? AND m.id > ? AND m.author_id IN ({marks(len(author_ids))}) ORDER BY m.id LIMIT ?",
        guild_id,
        after,
        *author_ids,
        limit,
    )


def recent_nonces(tx: Tx, since_id: int) -> list[RecentNonce]:
    """The enforced nonces of messages younger than `since_id`."""
    return tx.rows(
        RecentNonce,
        "SELECT id, channel_id, author_id, nonce FROM messages WHERE id > ? AND nonce IS NOT NULL ORDER BY id",
        since_id,
    )


def with_context(
    tx: Tx,
    rows: list[MessageRow],
    named: Callable[[MessageRow], Sequence[int]],
    replied_to: Callable[[MessageRow], int],
    asker_id: int | None = None,
) -> Page:
    """Add what rendering the rows needs: the messages they reply to, the users of both, the rows' threads, and for an
    asker the reactions and votes.
    """
    references = {row.id: row for row in by_ids(tx, tuple({replied_to(row) for row in rows} - {0}))}
    user_ids = dict.fromkeys(
        user_id for row in (*rows, *references.values()) for user_id in (row.author_id, *named(row))
    )
    started = [row.id for row in rows if row.flags & _HAS_THREAD]
    reacted: dict[int, tuple[Reaction, ...]] = {}
    votes: dict[int, tuple[PollAnswerCount, ...]] = {}
    if asker_id is not None:
        reacted = reactions.of_messages(tx, tuple({row.id for row in rows} | references.keys()), asker_id)
        # Within a text of the JSON its quotes would be escaped.
        with_poll = {row.id for row in (*rows, *references.values()) if '"poll":' in row.extra}
        votes = polls.counts(tx, with_poll, asker_id)
    return Page(rows, references, users(tx, tuple(user_ids)), threads.shown(tx, started), reacted, votes)


def authors_since(tx: Tx, guild_id: int, message_id: int) -> set[int]:
    """Who has written in the guild with this id or a younger one."""
    found = tx.rows(
        Author,
        "SELECT DISTINCT m.author_id FROM channels c JOIN messages m ON m.channel_id = c.id"
        " WHERE c.guild_id = ? AND m.id >= ?",
        guild_id,
        message_id,
    )
    return {row.author_id for row in found}
