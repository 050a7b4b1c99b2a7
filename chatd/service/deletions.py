"""The end of messages: one, several, and all that somebody has posted lately. Docs: resources/message.

Sessions resume across it: the journal has the messages, for who has not heard of them yet, and the events.
`last_message_id` and `last_pin_timestamp` of a channel name what is deleted until something newer comes or the server
starts anew: clients compare them with what was read, and no event tells them otherwise.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    BULK_DELETE_COUNT,
    MISSING_PERMISSIONS,
    NOT_IN_DMS,
    SYSTEM_MESSAGE,
    TOO_OLD_TO_BULK_DELETE,
    UNKNOWN_MESSAGE,
)
from chatd.model.objects.audit_log import AuditLogEvent, AuditLogOptions
from chatd.model.objects.gateway import MessageDeleteBulk
from chatd.model.objects.message import UNDELETABLE_TYPES, BulkDelete, MessageType
from chatd.model.snowflake import lowest_at
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log, checkpoints, kept_events, message_events, thread_rules
from chatd.service.access import DirectAccess, GuildPlace, Here, ThreadPlace
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.kept_events import Kept
from chatd.store import journal, threads
from chatd.store import messages as store
from chatd.store.db import Tx
from chatd.store.messages import MessageRow

# Messages in one transaction, and in one event.
BATCH = limits.BULK_DELETE_MESSAGES[1]
# Deletions of one author's messages by one moderator count in one entry of the audit log.
MERGED_MS = 300_000


async def one(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, reason: str | None) -> None:
    """Delete one's own message, or with MANAGE_MESSAGES any. Docs: resources/message, "Delete Message".

    Raises UNKNOWN_MESSAGE, MISSING_PERMISSIONS.
    """
    await at(core, me, await _place(core, me, channel_id), message_id, reason)


async def several(core: Core, me: Actor, channel_id: Snowflake, body: BulkDelete, reason: str | None) -> None:
    """Those that are there. Docs: resources/message, "Bulk Delete Messages".

    Raises NOT_IN_DMS, MISSING_PERMISSIONS, BULK_DELETE_COUNT, TOO_OLD_TO_BULK_DELETE or a form error.
    """
    here = await _place(core, me, channel_id)
    if isinstance(here, DirectAccess):
        raise NOT_IN_DMS()
    if not here.permissions & p.MANAGE_MESSAGES:
        raise MISSING_PERMISSIONS()
    fewest, most = limits.BULK_DELETE_MESSAGES
    if not fewest <= len(body.messages) <= most:
        raise BULK_DELETE_COUNT()
    if len(set(body.messages)) < len(body.messages):
        raise form_error("messages", "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value")
    if min(body.messages) < lowest_at(core.clock_ms() - limits.BULK_DELETE_AGE_S * 1000):
        raise TOO_OLD_TO_BULK_DELETE()
    since = checkpoints.oldest_position(core)
    delete = partial(_delete_several, core.ids.next, me, here, tuple(body.messages), since, reason)
    await core.db.write(delete, then=partial(_told, core, here.guild))


async def at(core: Core, me: Actor, here: Here, message_id: int, reason: str | None) -> None:
    """As `one`, in a place where messages may be deleted."""
    delete = partial(_delete, core.ids.next, me, here, message_id, reason, lowest_at(core.clock_ms() - MERGED_MS))
    await core.db.write(delete, then=partial(_deleted, core, here))


async def of_authors(core: Core, guild: GuildState, author_ids: Sequence[int], seconds: int) -> None:
    """What they posted in the last `seconds`, in batches, so that nobody waits long behind it.

    Docs: events/gateway-events, "Message Delete Bulk".
    """
    if not seconds or not author_ids:
        return
    after = lowest_at(core.clock_ms() - seconds * 1000)
    rows = await core.db.read(store.of_authors, guild.id, tuple(author_ids), after, BATCH)
    while rows:
        find = partial(store.by_ids, message_ids=[row.id for row in rows])
        await purge(core, guild, {row.channel_id for row in rows}, find)
        rows = await core.db.read(store.of_authors, guild.id, tuple(author_ids), rows[-1].id, BATCH)


async def purge(
    core: Core, guild: GuildState, channel_ids: Iterable[int], find: Callable[[Tx], Sequence[MessageRow]]
) -> int:
    """Delete what is found, at most BATCH messages of these channels, in one transaction; how many there were."""
    for channel_id in channel_ids:
        await access.load_place(core, guild, channel_id)  # only with it in memory it is known who hears of it
    purge = partial(_purge_found, core.ids.next, guild.id, find, checkpoints.oldest_position(core))
    return await core.db.write(purge, then=partial(_told, core, guild))


async def _place(core: Core, me: Actor, channel_id: Snowflake) -> Here:
    here = await access.channel(core, me, channel_id)
    if isinstance(here, ThreadPlace):
        thread_rules.check_may_delete_messages(here)
    return here


# --- one -------------------------------------------------------------------------------------------------------------


class _Deleted(NamedTuple):
    message_id: int
    position: int
    entry: Kept | None  # of the audit log, where one is new


def _delete(
    new_id: Callable[[], int], me: Actor, here: Here, message_id: int, reason: str | None, since: int, tx: Tx
) -> _Deleted:
    row = store.get(tx, here.id, message_id)
    if row is None:
        raise UNKNOWN_MESSAGE()
    # What AutoMod reports in somebody's name is not theirs to remove (resources/message, "Message Types").
    is_mine = row.author_id == me.id and row.type != MessageType.AUTO_MODERATION_ACTION
    if not is_mine and not (here.permissions & p.MANAGE_MESSAGES and isinstance(here, GuildPlace)):
        raise MISSING_PERMISSIONS()
    if row.type in UNDELETABLE_TYPES:
        raise SYSTEM_MESSAGE()
    store.delete(tx, [message_id])
    if isinstance(here, ThreadPlace):
        threads.uncount(tx, here.id, message_id)
    position = new_id()
    journal.keep_deletion(tx, position, here.bus_key, row)
    if is_mine:
        return _Deleted(message_id, position, None)
    options = AuditLogOptions(channel_id=Snowflake(here.id), count="1")
    entry = audit_log.entry(me, AuditLogEvent.MESSAGE_DELETE, row.author_id, reason, options=options)
    return _Deleted(message_id, position, audit_log.count(tx, new_id, here.bus_key, entry, since))


def _deleted(core: Core, here: Here, deleted: _Deleted) -> None:
    core.live.bus.horizon = deleted.position
    here.unposted(deleted.message_id)
    event = message_events.deletion(here, deleted.message_id)
    core.live.to_audience(here.bus_key, "MESSAGE_DELETE", event, here.audience(core, "MESSAGE_DELETE"))
    if deleted.entry is not None and isinstance(here, GuildPlace):
        audit_log.announce(core, here.guild, deleted.entry)


# --- several ---------------------------------------------------------------------------------------------------------


class _Purged(NamedTuple):
    """What is to be told."""

    events: list[tuple[MessageDeleteBulk, Kept]]
    entry: Kept | None = None  # of the audit log


def _delete_several(
    new_id: Callable[[], int],
    me: Actor,
    here: GuildPlace,
    message_ids: Sequence[int],
    since: int,
    reason: str | None,
    tx: Tx,
) -> _Purged:
    found = store.by_ids(tx, message_ids)
    rows = [row for row in found if row.channel_id == here.id and row.type not in UNDELETABLE_TYPES]
    purged = _purge(new_id, here.guild.id, rows, since, tx)
    if not rows:
        return purged
    options = AuditLogOptions(count=str(len(rows)))
    entry = audit_log.entry(me, AuditLogEvent.MESSAGE_BULK_DELETE, here.id, reason, options=options)
    return purged._replace(entry=audit_log.record(tx, new_id, here.guild.id, entry))


def _purge_found(
    new_id: Callable[[], int], guild_id: int, find: Callable[[Tx], Sequence[MessageRow]], since: int, tx: Tx
) -> _Purged:
    return _purge(new_id, guild_id, find(tx), since, tx)


def _purge(new_id: Callable[[], int], guild_id: int, rows: Sequence[MessageRow], since: int, tx: Tx) -> _Purged:
    """Of messages before `since`, no session may have to be told that they were posted."""
    by_channel: dict[int, list[Snowflake]] = defaultdict(list)
    for row in rows:
        if row.id >= since:
            journal.keep_posting(tx, guild_id, row)
        by_channel[row.channel_id].append(Snowflake(row.id))
    if rows:
        store.delete(tx, [row.id for row in rows])
    for row in rows:
        threads.uncount(tx, row.channel_id, row.id)
    events = []
    for channel_id, ids in by_channel.items():
        event = MessageDeleteBulk(
            ids=tuple(sorted(ids)), channel_id=Snowflake(channel_id), guild_id=Snowflake(guild_id)
        )
        events.append((event, kept_events.keep(tx, new_id, guild_id, "MESSAGE_DELETE_BULK", event)))
    return _Purged(events)


def _told(core: Core, guild: GuildState, purged: _Purged) -> int:
    """How many there were."""
    for event, kept in purged.events:
        here = access.place(guild, event.channel_id)
        if here is not None:
            for message_id in event.ids:
                here.unposted(message_id)
            kept_events.tell(core, guild.id, kept, here.audience(core, kept.name))
    if purged.entry is not None:
        audit_log.announce(core, guild, purged.entry)
    return sum(len(event.ids) for event, _ in purged.events)
