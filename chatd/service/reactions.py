"""Reactions to messages. Docs: resources/message.

The path's emoji is one of Unicode, or `name:id`. They come in floods: their events are kept whole in the journal.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.frames import Event
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    MISSING_PERMISSIONS,
    REACTION_BLOCKED,
    TOO_MANY_REACTIONS,
    UNKNOWN_EMOJI,
    UNKNOWN_MESSAGE,
)
from chatd.model.objects.reaction import (
    PartialEmoji,
    ReactionAdd,
    ReactionCreate,
    ReactionPlace,
    ReactionRemove,
    ReactionRemoveEmoji,
    ReactionsQuery,
    ReactionType,
    partial_emoji,
)
from chatd.model.objects.user import User
from chatd.model.unicode_emoji import bare
from chatd.model.wire import Snowflake, decoder, encode
from chatd.service import access, backpressure, kept_events, thread_rules, usable_emojis
from chatd.service.access import DirectAccess, GuildPlace, Here
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.kept_events import Kept
from chatd.store import journal, messages
from chatd.store import reactions as store
from chatd.store.db import Tx
from chatd.store.messages import MessageRow
from chatd.store.reactions import ReactionRow

ADD, REMOVE = "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE"
REMOVE_ALL, REMOVE_EMOJI = "MESSAGE_REACTION_REMOVE_ALL", "MESSAGE_REACTION_REMOVE_EMOJI"


async def add(
    core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, emoji: str, query: ReactionCreate
) -> None:
    """React; a second time with the same emoji changes nothing. Docs: "Create Reaction".

    Raises UNKNOWN_MESSAGE, UNKNOWN_EMOJI, MISSING_PERMISSIONS, TOO_MANY_REACTIONS, REACTION_BLOCKED.
    """
    here = await access.channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
    thread_rules.check_is_open(here)
    named = _parse(emoji)
    _check_may_react(core, me, here)
    fresh = emoji if named.id is None else await _custom(core, me, here, named.id)
    burst = bool(query.type) and not me.is_bot
    await backpressure.room(core, here.bus_key)
    await _commit(core, here, partial(_add, core.ids.next, me.id, here, message_id, named, fresh, burst))


async def remove_mine(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, emoji: str) -> None:
    """Take one's own reaction back, if there is one. Docs: "Delete Own Reaction".

    Raises UNKNOWN_MESSAGE, UNKNOWN_EMOJI.
    """
    here = await access.channel(core, me, channel_id)
    await _remove(core, here, message_id, emoji, me.id)


async def remove(
    core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, emoji: str, user_id: Snowflake
) -> None:
    """As `remove_mine`, anybody's. Docs: "Delete User Reaction". Raises MISSING_PERMISSIONS besides."""
    here = await access.channel(core, me, channel_id)
    if user_id != me.id:
        _check_moderates(here)
    await _remove(core, here, message_id, emoji, user_id)


async def users(
    core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, emoji: str, query: ReactionsQuery
) -> list[User]:
    """Who has reacted with this, in the order of their ids. Docs: "Get Reactions".

    Raises UNKNOWN_MESSAGE, UNKNOWN_EMOJI.
    """
    here = await access.channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
    return await core.db.read(_users, here.id, message_id, _parse(emoji), query)


async def clear(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake) -> None:
    """Docs: "Delete All Reactions". Raises UNKNOWN_MESSAGE, MISSING_PERMISSIONS."""
    here = await access.channel(core, me, channel_id)
    _check_moderates(here)
    await _commit(core, here, partial(_clear, core.ids.next, here, message_id))


async def clear_emoji(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, emoji: str) -> None:
    """Docs: "Delete All Reactions for Emoji". Raises UNKNOWN_MESSAGE, UNKNOWN_EMOJI, MISSING_PERMISSIONS."""
    here = await access.channel(core, me, channel_id)
    _check_moderates(here)
    await _commit(core, here, partial(_clear_emoji, core.ids.next, here, message_id, _parse(emoji)))


def told_again(here: Here, entry: journal.Entry) -> Event:
    """MESSAGE_REACTION_ADD of a journal entry; the member as it is now."""
    event = Event(entry.name, encode(_with_member(here, _added(entry.body))))
    event.position = entry.position
    return event


_added = decoder(ReactionAdd).decode


def _check_may_react(core: Core, me: Actor, here: Here) -> None:
    """A timeout keeps a member from it (topics/permissions, MODERATE_MEMBERS), a block both of a direct channel."""
    if isinstance(here, DirectAccess):
        if here.direct.is_blocked:
            raise REACTION_BLOCKED()
    elif here.permissions != p.ALL and here.guild.is_timed_out(me.id, core.clock_ms()):
        raise MISSING_PERMISSIONS()


def _check_moderates(here: Here) -> None:
    """Nobody does in a direct channel."""
    if not here.permissions & p.MANAGE_MESSAGES:
        raise MISSING_PERMISSIONS()


def _parse(emoji: str) -> PartialEmoji:
    named = partial_emoji(emoji)
    if named is None:
        raise UNKNOWN_EMOJI()
    return named


async def _custom(core: Core, me: Actor, here: Here, emoji_id: int) -> str | None:
    """As it is kept; None when the user has no such emoji."""
    found = await usable_emojis.find(core, me, here, emoji_id)
    return None if found is None else f"{'a:' if found.animated else ''}{found.name}:{found.id}"


# --- the commit, and what follows it ---------------------------------------------------------------------------------


async def _commit(core: Core, here: Here, change: Callable[[Tx], Kept | None]) -> None:
    await core.db.write(change, then=partial(_tell, core, here))


async def _remove(core: Core, here: Here, message_id: int, emoji: str, user_id: int) -> None:
    await _commit(core, here, partial(_take, core.ids.next, here, message_id, _parse(emoji), user_id))


def _tell(core: Core, here: Here, kept: Kept | None) -> None:
    if kept is None:
        return
    if isinstance(kept.event, ReactionAdd):
        kept = kept._replace(event=_with_member(here, kept.event))
    kept_events.tell(core, here.bus_key, kept, here.audience(core, kept.name))


def _with_member(here: Here, event: ReactionAdd) -> ReactionAdd:
    """What the event has in a guild. It is not kept: an older membership must not follow a newer one."""
    member = here.guild.members.get(event.user_id, UNSET) if isinstance(here, GuildPlace) else UNSET
    return replace(event, member=member)


# --- changing: each of these is one transaction; None: nothing has changed -------------------------------------------


def _add(
    new_id: Callable[[], int],
    user_id: int,
    here: Here,
    message_id: int,
    named: PartialEmoji,
    fresh: str | None,
    burst: bool,
    tx: Tx,
) -> Kept | None:
    message = _message(tx, here, message_id)
    emoji = _known(tx, message_id, named) or _new(tx, here, message_id, fresh)
    if not store.add(tx, ReactionRow(message_id, emoji, user_id, burst, new_id())):
        return None
    event = ReactionAdd(
        user_id=Snowflake(user_id),
        emoji=_parse(emoji),
        message_author_id=Snowflake(message.author_id),
        burst=burst,
        burst_colors=() if burst else UNSET,
        type=int(ReactionType.BURST if burst else ReactionType.NORMAL),
        **_place(here, message_id),
    )
    return kept_events.keep(tx, new_id, here.bus_key, ADD, event)


def _take(
    new_id: Callable[[], int], here: Here, message_id: int, named: PartialEmoji, user_id: int, tx: Tx
) -> Kept | None:
    _message(tx, here, message_id)
    known = _known(tx, message_id, named)
    burst = None if known is None else store.remove(tx, message_id, known, user_id)
    if known is None or burst is None:
        return None
    event = ReactionRemove(
        user_id=Snowflake(user_id),
        emoji=_parse(known),
        burst=burst,
        type=int(ReactionType.BURST if burst else ReactionType.NORMAL),
        **_place(here, message_id),
    )
    return kept_events.keep(tx, new_id, here.bus_key, REMOVE, event)


def _clear(new_id: Callable[[], int], here: Here, message_id: int, tx: Tx) -> Kept | None:
    _message(tx, here, message_id)
    if not store.clear(tx, message_id):
        return None
    return kept_events.keep(tx, new_id, here.bus_key, REMOVE_ALL, ReactionPlace(**_place(here, message_id)))


def _clear_emoji(new_id: Callable[[], int], here: Here, message_id: int, named: PartialEmoji, tx: Tx) -> Kept | None:
    _message(tx, here, message_id)
    known = _known(tx, message_id, named)
    if known is None or not store.clear_emoji(tx, message_id, known):
        return None
    event = ReactionRemoveEmoji(emoji=_parse(known), **_place(here, message_id))
    return kept_events.keep(tx, new_id, here.bus_key, REMOVE_EMOJI, event)


def _users(tx: Tx, channel_id: int, message_id: int, named: PartialEmoji, query: ReactionsQuery) -> list[User]:
    if messages.get(tx, channel_id, message_id) is None:
        raise UNKNOWN_MESSAGE()
    known = _known(tx, message_id, named)
    if known is None:
        return []
    return store.users_after(tx, message_id, known, query.type, query.after, query.limit)


def _message(tx: Tx, here: Here, message_id: int) -> MessageRow:
    row = messages.get(tx, here.id, message_id)
    if row is None:
        raise UNKNOWN_MESSAGE()
    return row


def _known(tx: Tx, message_id: int, named: PartialEmoji) -> str | None:
    """The emoji as the first who reacted with it has spelled it; None where nobody has."""
    if named.id is None and named.name is not None and store.exists(tx, message_id, named.name):
        return named.name  # nearly always, in a flood
    return next((it for it in store.emojis(tx, message_id) if _identity(_parse(it)) == _identity(named)), None)


def _identity(emoji: PartialEmoji) -> int | str:
    """The same for all spellings and all names."""
    return bare(emoji.name or "") if emoji.id is None else emoji.id


def _new(tx: Tx, here: Here, message_id: int, fresh: str | None) -> str:
    """The emoji, with which nobody has reacted so far."""
    if fresh is None:
        raise UNKNOWN_EMOJI()
    if not here.permissions & p.ADD_REACTIONS:
        raise MISSING_PERMISSIONS()
    if len(store.emojis(tx, message_id)) >= limits.MESSAGE_REACTIONS:
        raise TOO_MANY_REACTIONS()
    return fresh


def _place(here: Here, message_id: int) -> dict[str, Any]:
    guild_id = here.channel.guild_id if isinstance(here, GuildPlace) else UNSET
    return {"channel_id": Snowflake(here.id), "message_id": Snowflake(message_id), "guild_id": guild_id}
