"""Threads and who is in them: a row of `channels` with one of `threads` beside it.

Counts: `message_count` holds for the messages up to `counted_id`, and reading adds those behind it. Posting a message
touches no row of these; `update` brings the count up to date, and `uncount` tells of a deleted message.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from chatd.model.objects.channel import ChannelType
from chatd.model.objects.thread import (
    PUBLIC_TYPES,
    SHOWN_MEMBERS,
    Thread,
    ThreadExtra,
    ThreadMember,
    ThreadMetadata,
)
from chatd.model.wire import Snowflake, decoder, parse_timestamp, timestamp
from chatd.store import discarded
from chatd.store.db import Param, Row, Tx, marks
from chatd.store.rows import to_text


class ThreadRow(Row):
    id: int
    guild_id: int
    type: int
    name: str
    parent_id: int
    owner_id: int
    archived: int
    archive_ms: int
    first_id: int
    message_count: int
    deleted_count: int
    last_message_id: int | None
    member_count: int
    extra: str


class MemberRow(Row):
    channel_id: int
    user_id: int
    joined_ms: int


class LoadedThread(NamedTuple):
    """What `live` keeps of a thread: its members with the time at which they joined (Unix ms), and the message that it
    began with, which does not count; 0 for none.
    """

    thread: Thread
    members: dict[int, int]
    first_id: int


_extra = decoder(ThreadExtra)

_SELECT = (
    "SELECT c.id, c.guild_id, c.type, c.name, c.parent_id, t.owner_id, t.archived, t.archive_ms, t.first_id,"
    " t.message_count + (SELECT COUNT(*) FROM messages m WHERE m.channel_id = c.id AND m.id > t.counted_id),"
    " t.deleted_count,"
    " (SELECT MAX(m.id) FROM messages m WHERE m.channel_id = c.id),"
    " (SELECT COUNT(*) FROM thread_members tm WHERE tm.channel_id = c.id),"
    " c.extra FROM threads t JOIN channels c ON c.id = t.channel_id "
)


def insert(tx: Tx, thread: Thread) -> None:
    """The row of `channels` comes with it."""
    discarded.clear(tx, thread.id)
    tx.run(
        "INSERT INTO channels (id, guild_id, type, name, position, parent_id, extra) VALUES (?, ?, ?, ?, 0, ?, ?)",
        thread.id,
        thread.guild_id,
        thread.type,
        thread.name,
        thread.parent_id,
        to_text(_extra_of(thread)),
    )
    tx.run(
        "INSERT INTO threads (channel_id, guild_id, parent_id, owner_id, archived, archive_ms, first_id, message_count,"
        " deleted_count, counted_id) VALUES (?, ?, ?, ?, 0, ?, 0, 0, 0, 0)",
        thread.id,
        thread.guild_id,
        thread.parent_id,
        thread.owner_id,
        parse_timestamp(thread.thread_metadata.archive_timestamp),
    )


def begin(tx: Tx, thread_id: int, message_id: int) -> None:
    """The message is what the thread begins with."""
    sql = "UPDATE threads SET first_id = ?, counted_id = ? WHERE channel_id = ?"
    tx.run(sql, message_id, message_id, thread_id)


def update(tx: Tx, thread: Thread) -> None:
    """Write what may change of a thread."""
    extra = to_text(_extra_of(thread))
    tx.run("UPDATE channels SET name = ?, extra = ? WHERE id = ?", thread.name, extra, thread.id)
    tx.run(
        "UPDATE threads SET archived = ?, archive_ms = ? WHERE channel_id = ?",
        thread.thread_metadata.archived,
        parse_timestamp(thread.thread_metadata.archive_timestamp),
        thread.id,
    )
    _count(tx, thread.id)


def archive_idle(tx: Tx, thread_id: int, archive_ms: int, last_message_id: int) -> bool:
    """Archive the thread unless it has a message younger than `last_message_id`; whether it was done."""
    done = tx.run(
        "UPDATE threads SET archived = 1, archive_ms = ? WHERE channel_id = ? AND archived = 0"
        " AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.channel_id = ? AND m.id > ?)",
        archive_ms,
        thread_id,
        thread_id,
        last_message_id,
    )
    if done:
        _count(tx, thread_id)
    return bool(done)


def uncount(tx: Tx, thread_id: int, message_id: int) -> None:
    """A message is deleted in this transaction. Where the channel is no thread, nothing happens."""
    tx.run(
        "UPDATE threads SET deleted_count = deleted_count + 1,"
        " message_count = message_count - CASE WHEN counted_id >= ? THEN 1 ELSE 0 END"
        " WHERE channel_id = ? AND first_id <> ?",
        message_id,
        thread_id,
        message_id,
    )


def delete(tx: Tx, thread_id: int) -> None:
    """Its messages go later (`discarded`)."""
    tx.run("DELETE FROM channels WHERE id = ?", thread_id)


def get(tx: Tx, thread_id: int) -> LoadedThread | None:
    found = _load(tx, "WHERE t.channel_id = ?", thread_id)
    return found[0] if found else None


def active(tx: Tx, guild_id: int) -> list[LoadedThread]:
    return _load(tx, "WHERE t.guild_id = ? AND t.archived = 0", guild_id)


def shown(tx: Tx, thread_ids: Sequence[int]) -> dict[int, Thread]:
    """Those that exist."""
    if not thread_ids:
        return {}
    return {thread.id: thread for thread in _find(tx, f"WHERE t.channel_id IN ({marks(len(thread_ids))})", *thread_ids)}


def archived(tx: Tx, parent_id: int, private: bool, before_ms: int, limit: int) -> list[Thread]:
    """Those archived last come first."""
    kinds = (ChannelType.PRIVATE_THREAD,) if private else tuple(PUBLIC_TYPES)
    return _find(
        tx,
        f"WHERE t.parent_id = ? AND t.archived = 1 AND t.archive_ms < ? AND c.type IN ({marks(len(kinds))})"
        " ORDER BY t.archive_ms DESC, t.channel_id DESC LIMIT ?",
        parent_id,
        before_ms,
        *(int(kind) for kind in kinds),
        limit,
    )


def joined_archived(tx: Tx, parent_id: int, user_id: int, before_id: int, limit: int) -> list[Thread]:
    """Private ones that the user is in, the youngest first."""
    return _find(
        tx,
        "JOIN thread_members mine ON mine.channel_id = t.channel_id AND mine.user_id = ?"
        " WHERE t.parent_id = ? AND t.archived = 1 AND c.type = ? AND t.channel_id < ?"
        " ORDER BY t.channel_id DESC LIMIT ?",
        user_id,
        parent_id,
        int(ChannelType.PRIVATE_THREAD),
        before_id,
        limit,
    )


def newest_of_parents(tx: Tx, parent_ids: Iterable[int]) -> dict[int, int]:
    """Parent -> its youngest thread, for those that have one."""
    found = {
        parent_id: tx.scalar("SELECT MAX(channel_id) FROM threads WHERE parent_id = ?", parent_id)
        for parent_id in parent_ids
    }
    return {parent_id: thread_id for parent_id, thread_id in found.items() if thread_id is not None}


# --- members ---------------------------------------------------------------------------------------------------------


def add_members(tx: Tx, thread: Thread, joined: Mapping[int, int]) -> None:
    """`joined` is user -> when (Unix ms). Raises Missing for who is no member of the guild."""
    rows = [(thread.id, user_id, thread.guild_id, joined_ms) for user_id, joined_ms in joined.items()]
    tx.insert_many("thread_members", ("channel_id", "user_id", "guild_id", "joined_ms"), rows)


def remove_member(tx: Tx, thread_id: int, user_id: int) -> None:
    tx.run("DELETE FROM thread_members WHERE channel_id = ? AND user_id = ?", thread_id, user_id)


def memberships(tx: Tx, user_id: int, thread_ids: Sequence[int]) -> list[ThreadMember]:
    """The user's, of those threads that it is in."""
    if not thread_ids:
        return []
    found = tx.rows(
        MemberRow,
        "SELECT channel_id, user_id, joined_ms FROM thread_members"
        f" WHERE user_id = ? AND channel_id IN ({marks(len(thread_ids))}) ORDER BY channel_id DESC",
        user_id,
        *thread_ids,
    )
    return [
        ThreadMember(
            id=Snowflake(row.channel_id), user_id=Snowflake(row.user_id), join_timestamp=timestamp(row.joined_ms)
        )
        for row in found
    ]


# --- rows ------------------------------------------------------------------------------------------------------------


def _count(tx: Tx, thread_id: int) -> None:
    tx.run(
        "UPDATE threads SET message_count = message_count"
        " + (SELECT COUNT(*) FROM messages m WHERE m.channel_id = threads.channel_id AND m.id > threads.counted_id),"
        " counted_id = COALESCE((SELECT MAX(m.id) FROM messages m WHERE m.channel_id = threads.channel_id"
        " AND m.id > threads.counted_id), counted_id) WHERE channel_id = ?",
        thread_id,
    )


def _find(tx: Tx, rest: str, *params: Param) -> list[Thread]:
    return [_thread_from(row) for row in tx.rows(ThreadRow, _SELECT + rest, *params)]


def _load(tx: Tx, rest: str, *params: Param) -> list[LoadedThread]:
    """With all members; `rest` may only look at `t`."""
    members: dict[int, dict[int, int]] = {}
    for row in tx.rows(
        MemberRow,
        "SELECT tm.channel_id, tm.user_id, tm.joined_ms FROM thread_members tm"
        f" JOIN threads t ON t.channel_id = tm.channel_id {rest} ORDER BY tm.channel_id, tm.user_id",
        *params,
    ):
        members.setdefault(row.channel_id, {})[row.user_id] = row.joined_ms
    found = tx.rows(ThreadRow, _SELECT + rest, *params)
    return [LoadedThread(_thread_from(row), members.get(row.id, {}), row.first_id) for row in found]


def _thread_from(row: ThreadRow) -> Thread:
    extra = _extra.decode(row.extra)
    return Thread(
        id=Snowflake(row.id),
        type=row.type,
        guild_id=Snowflake(row.guild_id),
        parent_id=Snowflake(row.parent_id),
        owner_id=Snowflake(row.owner_id),
        name=row.name,
        last_message_id=None if row.last_message_id is None else Snowflake(row.last_message_id),
        rate_limit_per_user=extra.rate_limit_per_user,
        flags=extra.flags,
        thread_metadata=ThreadMetadata(
            archived=bool(row.archived),
            auto_archive_duration=extra.auto_archive_duration,
            archive_timestamp=timestamp(row.archive_ms),
            locked=extra.locked,
            create_timestamp=extra.create_timestamp,
            invitable=extra.invitable,
        ),
        message_count=row.message_count,
        member_count=min(row.member_count, SHOWN_MEMBERS),
        total_message_sent=row.message_count + row.deleted_count,
        applied_tags=extra.applied_tags,
    )


def _extra_of(thread: Thread) -> ThreadExtra:
    metadata = thread.thread_metadata
    return ThreadExtra(
        auto_archive_duration=metadata.auto_archive_duration,
        locked=metadata.locked,
        create_timestamp=metadata.create_timestamp,
        rate_limit_per_user=thread.rate_limit_per_user,
        flags=thread.flags,
        invitable=metadata.invitable,
        applied_tags=thread.applied_tags,
    )
