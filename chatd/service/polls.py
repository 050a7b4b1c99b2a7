"""Polls: vote, who has voted, and the end of a poll, by its author or by its time. Docs: resources/poll.

A poll ends in one transaction, whoever ends it: its results become a part of its message, and the system tells them in
another one. Votes are kept; nobody votes any more.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from msgspec import UNSET, Raw
from msgspec.structs import replace

from chatd.model import permissions as p
from chatd.model.errors import (
    BOTS_CANNOT_USE_THIS,
    MISSING_PERMISSIONS,
    NOT_A_POLL,
    NOT_FOUND,
    NOT_YOUR_MESSAGE,
    POLL_EXPIRED,
    POLL_VOTING_BLOCKED,
    UNKNOWN_MESSAGE,
)
from chatd.model.objects.poll import Poll, PollVote, PollVoteParams, PollVoters, PollVotersQuery
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake, encode, timestamp
from chatd.service import access, backpressure, kept_events, message_events, poll_results, render, thread_rules
from chatd.service.access import DirectAccess, GuildPlace, Here
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.kept_events import Kept
from chatd.service.messages import EncodedMessage
from chatd.store import journal, messages
from chatd.store import polls as store
from chatd.store.db import Tx
from chatd.store.messages import MessageRow, Page
from chatd.store.rows import to_text

ADD, REMOVE = "MESSAGE_POLL_VOTE_ADD", "MESSAGE_POLL_VOTE_REMOVE"

# Polls that end in one round of `end_due`; the rest waits for the next.
_DUE_BATCH = 100


async def vote(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, body: PollVoteParams) -> None:
    """Vote for these answers and for no others, as Discord's own client does it.

    Raises BOTS_CANNOT_USE_THIS, UNKNOWN_MESSAGE, NOT_A_POLL, MISSING_PERMISSIONS, POLL_VOTING_BLOCKED, POLL_EXPIRED or
    a form error.
    """
    if me.is_bot:
        raise BOTS_CANNOT_USE_THIS()
    here = await access.channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
    thread_rules.check_is_open(here)
    _check_may_vote(core, me, here)
    await backpressure.room(core, here.bus_key)
    vote = partial(_vote, core.ids.next, me.id, here, message_id, frozenset(map(int, body.answer_ids)), core.clock_ms())
    await core.db.write(vote, then=partial(_voted, core, here))


async def voters(
    core: Core,
    me: Actor,
    channel_id: Snowflake,
    message_id: Snowflake,
    answer_id: Snowflake,
    query: PollVotersQuery,
) -> PollVoters:
    """In the order of their ids. Docs: "Get Answer Voters". Raises UNKNOWN_MESSAGE, NOT_FOUND (no such answer)."""
    here = await access.channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
    return await core.db.read(_voters, here, message_id, answer_id, query)


async def end(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake) -> EncodedMessage:
    """End one's own poll now. Docs: "End Poll".

    Raises UNKNOWN_MESSAGE, NOT_YOUR_MESSAGE, NOT_A_POLL, POLL_EXPIRED.
    """
    here = await access.channel(core, me, channel_id)
    thread_rules.check_is_open(here)
    await backpressure.room(core, here.bus_key)
    end = partial(_end_own, core.ids.next, me.id, here, message_id, core.clock_ms())
    return await core.db.write(end, then=partial(_ended, core, here))


async def end_due(core: Core) -> None:
    """End the polls whose time is over. The database is the schedule: nothing of it is lost with the process.

    None waits for room on the bus: a flood in one guild is no reason for the polls of others to stay open.
    """
    for key in await core.db.read(store.ended, core.clock_ms(), _DUE_BATCH):
        here = await access.nobodys(core, key.channel_id)
        if here is not None:
            end = partial(_end, core.ids.next, None, here, key.message_id, core.clock_ms())
            await core.db.write(end, then=partial(_ended_unless_before, core, here))


def _check_may_vote(core: Core, me: Actor, here: Here) -> None:
    """As for reactions."""
    if isinstance(here, DirectAccess):
        if here.direct.is_blocked:
            raise POLL_VOTING_BLOCKED()
    elif here.permissions != p.ALL and here.guild.is_timed_out(me.id, core.clock_ms()):
        raise MISSING_PERMISSIONS()


# --- reading and changing: each of these is one transaction ----------------------------------------------------------


def _voters(tx: Tx, here: Here, message_id: int, answer_id: int, query: PollVotersQuery) -> PollVoters:
    _, poll = _get(tx, here, message_id)
    if answer_id not in _answer_ids(poll):
        raise NOT_FOUND()
    return PollVoters(users=tuple(store.voters_after(tx, message_id, answer_id, query.after, query.limit)))


def _vote(
    new_id: Callable[[], int],
    user_id: int,
    here: Here,
    message_id: int,
    chosen: frozenset[int],
    now_ms: int,
    tx: Tx,
) -> list[Kept]:
    _, poll = _get(tx, here, message_id)
    _check_choice(poll, chosen)
    if not store.is_open(tx, message_id, now_ms):
        raise POLL_EXPIRED()
    before = store.answers(tx, message_id, user_id)
    kept = []
    for name, write, answer_ids in (
        (REMOVE, store.remove_vote, before - chosen),
        (ADD, store.add_vote, chosen - before),
    ):
        for answer_id in sorted(answer_ids):
            write(tx, message_id, user_id, answer_id)
            event = PollVote(
                user_id=Snowflake(user_id),
                channel_id=Snowflake(here.id),
                message_id=Snowflake(message_id),
                guild_id=here.channel.guild_id if isinstance(here, GuildPlace) else UNSET,
                answer_id=answer_id,
            )
            kept.append(kept_events.keep(tx, new_id, here.bus_key, name, event))
    return kept


def _check_choice(poll: Poll, chosen: frozenset[int]) -> None:
    there = _answer_ids(poll)
    if not chosen <= there:
        choices = ", ".join(map(str, sorted(there)))
        raise form_error("answer_ids", "BASE_TYPE_CHOICES", f"Values must be of {{{choices}}}.")
    if len(chosen) > 1 and not poll.allow_multiselect:
        raise form_error("answer_ids", "BASE_TYPE_MAX_LENGTH", "Must be 1 or fewer in length.")


class _Ended(NamedTuple):
    position: int
    page: Page  # the message with the poll, as the one who has ended it sees it, and the system's


def _end_own(new_id: Callable[[], int], author_id: int, here: Here, message_id: int, now_ms: int, tx: Tx) -> _Ended:
    row, _ = _get(tx, here, message_id)
    if row.author_id != author_id:
        raise NOT_YOUR_MESSAGE()
    ended = _end(new_id, author_id, here, message_id, now_ms, tx)
    if ended is None:
        raise POLL_EXPIRED()
    return ended


def _end(
    new_id: Callable[[], int], asker_id: int | None, here: Here, message_id: int, now_ms: int, tx: Tx
) -> _Ended | None:
    """None for a poll that has ended before, or was deleted."""
    if not store.end(tx, message_id):
        return None
    before, poll = _get(tx, here, message_id)
    counts = store.counts(tx, [message_id])[message_id]
    poll = poll_results.ended(poll, timestamp(now_ms), counts)
    row = replace(before, extra=to_text(replace(render.extra_of(before.extra), poll=poll)))
    messages.update(tx, row)
    position = new_id()
    journal.keep_edit(tx, position, here.bus_key, before, row)
    [notice_id] = messages.append(tx, [poll_results.notice(new_id, here, row, poll, counts)])
    rows = [row, *messages.by_ids(tx, [notice_id])]
    return _Ended(position, messages.with_context(tx, rows, render.named_users, render.replied_to, asker_id))


def _get(tx: Tx, here: Here, message_id: int) -> tuple[MessageRow, Poll]:
    """Raises UNKNOWN_MESSAGE, NOT_A_POLL."""
    row = messages.get(tx, here.id, message_id)
    if row is None:
        raise UNKNOWN_MESSAGE()
    poll = render.extra_of(row.extra).poll
    if poll is UNSET:
        raise NOT_A_POLL()
    return row, poll


def _answer_ids(poll: Poll) -> frozenset[int]:
    return frozenset(answer.answer_id for answer in poll.answers)


# --- after the commit ------------------------------------------------------------------------------------------------


def _voted(core: Core, here: Here, events: list[Kept]) -> None:
    for kept in events:
        kept_events.tell(core, here.bus_key, kept, here.audience(core, kept.name))


def _ended(core: Core, here: Here, ended: _Ended) -> Raw:
    core.live.bus.horizon = ended.position
    [message, notice] = render.messages(core, ended.page)
    message_events.publish(core, here, "MESSAGE_UPDATE", render.for_everybody(message))
    core.live.bus.horizon = notice.id
    here.posted(notice.id)  # but not read by its author, who has not written it
    message_events.publish(core, here, "MESSAGE_CREATE", notice)
    return Raw(encode(message))


def _ended_unless_before(core: Core, here: Here, ended: _Ended | None) -> None:
    if ended is not None:
        _ended(core, here, ended)
