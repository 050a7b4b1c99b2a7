"""Polls: which are open until when, and who voted for what.

Counts are not stored while a poll is open: there is nothing that could disagree with the rows.
"""

from collections.abc import Collection, Sequence

from chatd.model.objects.poll import PollAnswerCount
from chatd.model.objects.user import User
from chatd.store.db import Row, Tx, marks
from chatd.store.discarded import NOT_DISCARDED
from chatd.store.rows import users


class PollKey(Row):
    message_id: int
    channel_id: int


class AnswerId(Row):
    answer_id: int


class UserId(Row):
    user_id: int


class _Count(Row):
    message_id: int
    answer_id: int
    votes: int
    mine: int


def start(tx: Tx, ends: Sequence[tuple[int, int]]) -> None:
    """Polls by their messages, each with the time when it ends."""
    tx.insert_many("open_polls", ("message_id", "ends_ms"), ends)


def is_open(tx: Tx, message_id: int, now_ms: int) -> bool:
    sql = "SELECT 1 FROM open_polls WHERE message_id = ? AND ends_ms > ?"
    return tx.scalar(sql, message_id, now_ms) is not None


def end(tx: Tx, message_id: int) -> bool:
    """False when it has ended before."""
    return bool(tx.run("DELETE FROM open_polls WHERE message_id = ?", message_id))


def ended(tx: Tx, now_ms: int, limit: int) -> list[PollKey]:
    """Those that are past their end and still open, the earliest first."""
    return tx.rows(
        PollKey,
        "SELECT p.message_id, m.channel_id FROM open_polls p JOIN messages m ON m.id = p.message_id"
        f" WHERE p.ends_ms <= ? AND m.channel_id {NOT_DISCARDED} ORDER BY p.ends_ms, p.message_id LIMIT ?",
        now_ms,
        limit,
    )


def answers(tx: Tx, message_id: int, user_id: int) -> set[int]:
    """What the user votes for."""
    sql = "SELECT answer_id FROM poll_votes WHERE message_id = ? AND user_id = ?"
    return {row.answer_id for row in tx.rows(AnswerId, sql, message_id, user_id)}


def add_vote(tx: Tx, message_id: int, user_id: int, answer_id: int) -> None:
    tx.run("INSERT INTO poll_votes (message_id, user_id, answer_id) VALUES (?, ?, ?)", message_id, user_id, answer_id)


def remove_vote(tx: Tx, message_id: int, user_id: int, answer_id: int) -> None:
    sql = "DELETE FROM poll_votes WHERE message_id = ? AND user_id = ? AND answer_id = ?"
    tx.run(sql, message_id, user_id, answer_id)


def voters_after(tx: Tx, message_id: int, answer_id: int, user_id: int, limit: int) -> list[User]:
    """Who votes for the answer, the first ones after the user, in the order of their ids."""
    found = tx.rows(
        UserId,
        "SELECT user_id FROM poll_votes WHERE message_id = ? AND answer_id = ? AND user_id > ?"
        " ORDER BY user_id LIMIT ?",
        message_id,
        answer_id,
        user_id,
        limit,
    )
    return list(users(tx, tuple(row.user_id for row in found)).values())


def counts(tx: Tx, message_ids: Collection[int], asker_id: int = 0) -> dict[int, tuple[PollAnswerCount, ...]]:
    """The votes in the polls of those messages, as the asker sees them, by answer."""
    found: dict[int, list[PollAnswerCount]] = {message_id: [] for message_id in message_ids}
    if not found:
        return {}
    for row in tx.rows(
        _Count,
        "SELECT message_id, answer_id, COUNT(*), SUM(CASE WHEN user_id = ? THEN 1 ELSE 0 END)"
        f" FROM poll_votes WHERE message_id IN ({marks(len(message_ids))})"
        " GROUP BY message_id, answer_id ORDER BY message_id, answer_id",
        asker_id,
        *message_ids,
    ):
        count = PollAnswerCount(id=row.answer_id, count=row.votes, me_voted=row.mine > 0)
        found[row.message_id].append(count)
    return {message_id: tuple(counted) for message_id, counted in found.items()}
