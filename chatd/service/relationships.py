"""Friends and blocks of people. Both sides change in one transaction, and each side hears of its own.

While either of two people blocks the other, neither can write to the other directly.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from chatd.model import limits
from chatd.model.errors import (
    ALREADY_FRIENDS,
    BOTS_CANNOT_USE_THIS,
    BOTS_HAVE_NO_FRIENDS,
    FRIEND_REQUEST_BLOCKED,
    NO_FRIEND_OF_ONESELF,
    NO_SUCH_TAG,
    TOO_MANY_FRIENDS,
    UNKNOWN_USER,
)
from chatd.model.objects.relationship import (
    FriendRequest,
    Relationship,
    RelationshipParams,
    RelationshipRemove,
    RelationshipType,
)
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake, timestamp
from chatd.service.actors import Actor
from chatd.service.commits import change
from chatd.service.core import Core
from chatd.store import accounts, channels
from chatd.store import relationships as store
from chatd.store.db import Tx
from chatd.store.relationships import RelationshipRow
from chatd.store.rows import users

FRIEND, BLOCKED = RelationshipType.FRIEND, RelationshipType.BLOCKED
INCOMING, OUTGOING = RelationshipType.INCOMING_REQUEST, RelationshipType.OUTGOING_REQUEST

Kinds = tuple[int | None, int | None]  # of the asker, of the other


async def mine(core: Core, me: Actor) -> list[Relationship]:
    """Raises BOTS_CANNOT_USE_THIS."""
    _check_person(me)
    return await core.db.read(_load, me.id)


async def put(core: Core, me: Actor, user_id: Snowflake, body: RelationshipParams) -> None:
    """Block the user, or ask it to be friends, or accept that it has asked.

    Raises UNKNOWN_USER, NO_FRIEND_OF_ONESELF, BOTS_HAVE_NO_FRIENDS, FRIEND_REQUEST_BLOCKED, ALREADY_FRIENDS,
    TOO_MANY_FRIENDS.
    """
    await _change(core, me, user_id, _block if body.type == BLOCKED else _ask)


async def ask_by_name(core: Core, me: Actor, body: FriendRequest) -> None:
    """Ask a person to be friends. Raises NO_SUCH_TAG, and what `put` does."""
    _check_person(me)
    found = await core.db.read(accounts.id_of, body.username)
    if found is None:
        raise NO_SUCH_TAG()
    await _change(core, me, found, _ask)


async def remove(core: Core, me: Actor, user_id: Snowflake) -> None:
    """End a friendship, take back or refuse a request, or lift a block; where there is nothing, nothing happens."""
    await _change(core, me, user_id, _remove)


# --- what becomes of two people --------------------------------------------------------------------------------------


def _ask(mine: int | None, theirs: int | None) -> Kinds:
    if theirs == BLOCKED:
        raise FRIEND_REQUEST_BLOCKED()
    if mine == FRIEND:
        raise ALREADY_FRIENDS()
    return (FRIEND, FRIEND) if mine == INCOMING else (OUTGOING, INCOMING)


def _block(_: int | None, theirs: int | None) -> Kinds:
    return BLOCKED, BLOCKED if theirs == BLOCKED else None


def _remove(_: int | None, theirs: int | None) -> Kinds:
    return None, BLOCKED if theirs == BLOCKED else None


# --- one transaction -------------------------------------------------------------------------------------------------


class _Side(NamedTuple):
    """What has changed for one of the two."""

    user_id: int
    other: User
    before: int | None
    after: int | None


class _Changed(NamedTuple):
    sides: list[_Side]
    direct_id: int | None  # the channel between the two
    is_blocked: bool


async def _change(core: Core, me: Actor, user_id: int, decide: Callable[[int | None, int | None], Kinds]) -> None:
    _check_person(me)
    now_ms = core.clock_ms()
    apply = partial(_apply, me.id, user_id, decide, now_ms)
    await change(core, (me.id, user_id), apply, then=partial(_applied, core, now_ms))


def _apply(
    my_id: int, other_id: int, decide: Callable[[int | None, int | None], Kinds], now_ms: int, tx: Tx
) -> _Changed:
    if my_id == other_id:
        raise NO_FRIEND_OF_ONESELF()
    known = users(tx, (my_id, other_id))
    if other_id not in known:
        raise UNKNOWN_USER()
    if known[other_id].bot is True and decide is _ask:
        raise BOTS_HAVE_NO_FRIENDS()
    before = store.kind(tx, my_id, other_id), store.kind(tx, other_id, my_id)
    after = decide(*before)
    sides = [
        _Side(my_id, known[other_id], before[0], after[0]),
        _Side(other_id, known[my_id], before[1], after[1]),
    ]
    sides = [side for side in sides if side.before != side.after]
    for side in sides:
        if side.after is None:
            store.remove(tx, side.user_id, side.other.id)
            continue
        if side.before is None and store.count(tx, side.user_id) >= limits.RELATIONSHIPS:
            raise TOO_MANY_FRIENDS()
        store.put(tx, RelationshipRow(side.user_id, side.other.id, side.after, now_ms))
    return _Changed(sides, channels.direct_between(tx, my_id, other_id), BLOCKED in after)


def _applied(core: Core, now_ms: int, changed: _Changed) -> None:
    direct = None if changed.direct_id is None else core.live.directs.get(changed.direct_id)
    if direct is not None:
        direct.is_blocked = changed.is_blocked
    for side in changed.sides:
        if side.after is not None:
            core.live.to_user(side.user_id, "RELATIONSHIP_ADD", _relationship(side.other, side.after, now_ms))
        elif side.before is not None:
            gone = RelationshipRemove(id=side.other.id, type=side.before)
            core.live.to_user(side.user_id, "RELATIONSHIP_REMOVE", gone)


def _load(tx: Tx, user_id: int) -> list[Relationship]:
    rows = store.of_user(tx, user_id)
    others = users(tx, tuple(row.other_id for row in rows))
    return [_relationship(others[row.other_id], row.type, row.since_ms) for row in rows]


def _relationship(other: User, kind: int, since_ms: int) -> Relationship:
    return Relationship(id=other.id, type=kind, user=other, since=timestamp(since_ms))


def _check_person(me: Actor) -> None:
    if me.is_bot:
        raise BOTS_CANNOT_USE_THIS()
