"""How far a person has read each channel, and how many of the messages after that call it. See docs/clients.md.

A message in a guild calls whom it mentions, as it was posted; one in a direct channel calls the other person. What is
older than a membership counts as read, and so does everything up to the user's newest own message.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import trio
from msgspec import UNSET

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import BOTS_CANNOT_USE_THIS, ApiError
from chatd.model.objects.message import Message
from chatd.model.objects.read_state import (
    Acknowledged,
    AckParams,
    BulkAckParams,
    MentionsQuery,
    MessageAck,
    ReadState,
)
from chatd.model.snowflake import lowest_at
from chatd.model.wire import MAX_STRING_INT, Snowflake, parse_timestamp
from chatd.service import access, render
from chatd.service.access import DirectAccess, Here, ThreadPlace
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import channels, journal
from chatd.store import messages as message_store
from chatd.store import read_states as store
from chatd.store.db import Tx
from chatd.store.read_states import Mark, MentionRow, ReadRow

# The most that READY lists, those read last: some 200 KB.
LISTED = 2_000
# Candidates that are looked at for one page of mentions, since some of them may not be seen any more.
CANDIDATES = 1_000


class Place(NamedTuple):
    """Where messages are counted in the same way: channels of one guild, or direct channels."""

    targets: tuple[int, ...]  # whom a message has to mention; in direct channels it need not: empty
    since: int  # what is older counts as read
    newest: dict[int, int]  # channel -> its newest message; not those without any


async def load(core: Core, me: Actor) -> tuple[ReadState, ...]:
    """What READY lists, as it was a moment before: channels that the user has read in, and those that call it.

    Brings the user's guilds into memory.
    """
    places = []
    for guild_id in sorted(await access.load_memberships(core, me.id)):
        guild = await access.load_guild(core, guild_id)
        if guild is not None and me.id in guild.members:
            seen = {id_: last for id_, last in guild.last_message_ids.items() if _sees(guild, id_, me.id)}
            places.append(_guild_place(guild, me.id, seen))
        await trio.lowlevel.checkpoint()  # permissions in 500 channels take a while
    directs = [await access.load_direct(core, id_) for id_ in await core.db.read(channels.directs_of, me.id)]
    newest = {direct.id: direct.last_message_id for direct in directs if direct is not None}
    places.append(_direct_place({id_: last for id_, last in newest.items() if last is not None}))
    return tuple(await core.db.read(_load, me.id, places, core.live.own_posts.of_user(me.id)))


async def acknowledge(
    core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, body: AckParams
) -> Acknowledged:
    """The user has read up to this message. It never moves back, so that two devices may say it in any order, unless
    the user itself marks as unread what comes after (`manual`). Raises BOTS_CANNOT_USE_THIS, UNKNOWN_CHANNEL.
    """
    await _acknowledge(core, me, {channel_id: message_id}, back=bool(body.manual))
    return Acknowledged()


async def acknowledge_all(core: Core, me: Actor, body: BulkAckParams) -> None:
    """As `acknowledge` for several channels: all of them or, when one cannot be seen, none."""
    await _acknowledge(core, me, {it.channel_id: it.message_id for it in body.read_states}, back=False)


async def mentions(core: Core, me: Actor, query: MentionsQuery) -> list[Message]:
    """Messages that mention the user, of those that it can read now, newest first. Raises UNKNOWN_GUILD."""
    _check_person(me)
    if query.guild_id is UNSET:
        ids = sorted(await access.load_memberships(core, me.id))
    else:
        ids = [(await access.guild(core, me, query.guild_id)).id]
    targets = [me.id]
    for guild_id in ids:
        guild = await access.load_guild(core, guild_id)
        if guild is not None and me.id in guild.members:
            targets += [guild_id] if query.everyone else []
            targets += guild.members[me.id].roles if query.roles else []
    before = MAX_STRING_INT if query.before is UNSET else query.before
    only = None if query.guild_id is UNSET else query.guild_id
    candidates = await core.db.read(store.newest_mentions, me.id, targets, before, only, CANDIDATES)
    wanted: list[MentionRow] = []
    for row in candidates:
        if len(wanted) < query.limit and await _can_read(core, me, row.channel_id):
            wanted.append(row)
    return render.messages(core, await core.db.read(_page, me.id, [row.message_id for row in wanted]))


async def write_down(core: Core) -> None:
    """Store what has been read by posting."""
    marks = core.live.own_posts.marks()
    for start in range(0, len(marks), store.MARKS):
        batch = marks[start : start + store.MARKS]
        await core.db.write(store.mark, batch, then=partial(_written, core, batch))


# --- acknowledging: one transaction ----------------------------------------------------------------------------------


class _Acked(NamedTuple):
    states: list[ReadState]  # those that have changed
    position: int | None  # None: none has


async def _acknowledge(core: Core, me: Actor, read: Mapping[int, int], back: bool) -> None:
    _check_person(me)
    places = []
    marks = []
    for channel_id, message_id in read.items():
        here = await access.channel(core, me, channel_id)
        newest = _newest(here)
        if newest is not None:
            # There is nothing to read beyond the newest message, whatever the client says.
            marks.append(Mark(me.id, channel_id, min(message_id, newest)))
            places.append(_place(here, me.id, newest))
    if not marks:
        return
    posted = core.live.own_posts.of_user(me.id)
    own = [Mark(me.id, channel_id, posted[channel_id]) for channel_id in read if channel_id in posted]
    ack = partial(_ack, core.ids.next, me.id, places, own, marks, back)
    await core.db.write(ack, then=partial(_acked, core, me.id, own))


def _ack(
    new_id: Callable[[], int],
    user_id: int,
    places: Sequence[Place],
    own: Sequence[Mark],
    marks: Sequence[Mark],
    back: bool,
    tx: Tx,
) -> _Acked:
    store.mark(tx, own)  # they came first
    changed = {row.channel_id: row for row in store.mark(tx, marks, back)}
    if not changed:
        return _Acked([], None)
    position = new_id()
    journal.mark(tx, position, frozenset((user_id,)))
    touched = [place for place in places if changed.keys() & place.newest.keys()]
    return _Acked(_states(tx, user_id, touched, changed), position)


def _acked(core: Core, user_id: int, own: Sequence[Mark], acked: _Acked) -> None:
    core.live.own_posts.written(own)
    if acked.position is None:
        return
    core.live.bus.horizon = acked.position
    for state in acked.states:
        event = MessageAck(
            channel_id=state.id,
            message_id=state.last_message_id,
            mention_count=state.mention_count,
            version=state.version,
        )
        core.live.to_user(user_id, "MESSAGE_ACK", event)


def _written(core: Core, marks: Sequence[Mark], _: object) -> None:
    core.live.own_posts.written(marks)


# --- counting --------------------------------------------------------------------------------------------------------


def _load(tx: Tx, user_id: int, places: Sequence[Place], posted: Mapping[int, int]) -> list[ReadState]:
    rows = {row.channel_id: row for row in store.of_user(tx, user_id)}
    for channel_id, message_id in posted.items():
        before = rows.get(channel_id, ReadRow(channel_id, 0, 0))
        rows[channel_id] = ReadRow(channel_id, max(before.last_message_id, message_id), before.version)
    states = _states(tx, user_id, places, rows)
    return sorted(states, key=lambda state: state.last_message_id, reverse=True)[:LISTED]


def _states(tx: Tx, user_id: int, places: Iterable[Place], rows: Mapping[int, ReadRow]) -> list[ReadState]:
    """Of the channels that have a row, and of those that call the user."""
    states = []
    for place in places:
        read = {id_: max(place.since, rows[id_].last_message_id if id_ in rows else 0) for id_ in place.newest}
        unread = {id_: last_read for id_, last_read in read.items() if last_read < place.newest[id_]}
        counts: dict[int, int] = {}
        if unread and place.targets:
            counts = store.mentions(tx, user_id, place.targets, unread)
        elif unread:
            counts = store.messages(tx, user_id, unread)
        states += [
            ReadState(
                id=Snowflake(id_),
                last_message_id=Snowflake(last_read),
                mention_count=counts.get(id_, 0),
                version=rows[id_].version if id_ in rows else 0,
            )
            for id_, last_read in read.items()
            if id_ in rows or id_ in counts
        ]
    return states


def _place(here: Here, user_id: int, newest: int) -> Place:
    if isinstance(here, DirectAccess):
        return _direct_place({here.id: newest})
    return _guild_place(here.guild, user_id, {here.id: newest})


def _guild_place(guild: GuildState, user_id: int, newest: dict[int, int]) -> Place:
    member = guild.members[user_id]
    return Place((user_id, guild.id, *member.roles), lowest_at(parse_timestamp(member.joined_at)), newest)


def _direct_place(newest: dict[int, int]) -> Place:
    return Place((), 0, newest)


def _newest(here: Here) -> int | None:
    if isinstance(here, DirectAccess):
        return here.direct.last_message_id
    if isinstance(here, ThreadPlace):
        return here.state.last_message_id
    return here.guild.last_message_ids.get(here.id)


# --- who may ---------------------------------------------------------------------------------------------------------


def _check_person(me: Actor) -> None:
    if me.is_bot:
        raise BOTS_CANNOT_USE_THIS()


def _sees(guild: GuildState, channel_id: int, user_id: int) -> bool:
    return bool(guild.permissions_in(channel_id, user_id) & p.VIEW_CHANNEL)


async def _can_read(core: Core, me: Actor, channel_id: int) -> bool:
    try:
        await access.channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
    except ApiError:
        return False
    return True


def _page(tx: Tx, asker_id: int, message_ids: Sequence[int]) -> message_store.Page:
    rows = message_store.by_ids(tx, message_ids)
    return message_store.with_context(tx, rows, render.named_users, render.replied_to, asker_id)
