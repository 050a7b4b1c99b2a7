"""Messages are deleted when they are as old as the operator wants them to become.

A channel's rule holds for it and its threads, a category's for its channels, another for all without one. What is due
goes in batches, each a short transaction and an event of its own, with pauses for whoever posts. Whatever ends a round,
the next goes on with what is left. Files go once no message names them any more, as all do.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import trio

from chatd import log
from chatd.service import access, backpressure, deletions, message_events
from chatd.service.access import DirectAccess
from chatd.service.core import Core
from chatd.store import journal
from chatd.store import messages as message_store
from chatd.store import retention as store
from chatd.store.db import Tx
from chatd.store.messages import MessageRow
from chatd.store.retention import Due

logger = log.get(__name__)

# The least that a rule may say: by then, whoever is there has seen the message.
SHORTEST_S = 60

# Channels that are looked up at a time.
PAGE = 100
# Between two batches of the periodic job. What sessions keep for RESUME lasts longer than a minute at that pace.
PAUSE_S = 0.1
# What an operator waits for goes faster, and in parts, so that the command line can tell how far it is.
SHORT_PAUSE_S = 0.02
PART = 2000
# One answer counts the messages of several channels, until there are so many: about a second.
COUNTED = 2_000_000


async def keep(core: Core) -> None:
    """One round of the periodic job."""
    deleted = await _expire(core, PAUSE_S)
    if deleted:
        logger.info("messages have expired", count=deleted)


async def run_some(core: Core) -> int:
    """Delete a part of what is due; how many there were, 0 when all is done."""
    return await _expire(core, SHORT_PAUSE_S, PART)


async def due(core: Core, after: int) -> list[tuple[Due, int]]:
    """The next channels behind `after` with messages that are due, and how many there are."""
    return await core.db.read(_due, core.clock_ms(), after)


def _due(tx: Tx, now_ms: int, after: int) -> list[tuple[Due, int]]:
    counted: list[tuple[Due, int]] = []
    for channel in store.due(tx, now_ms, after, PAGE):
        counted.append((channel, store.count(tx, channel)))
        if sum(count for _, count in counted) >= COUNTED:
            break
    return counted


async def _expire(core: Core, pause_s: float, limit: int | None = None) -> int:
    """Delete what is due, about `limit` messages at most; how many there were."""
    deleted = after = 0
    while channels := await core.db.read(store.due, core.clock_ms(), after, PAGE):
        for channel in channels:
            while batch := await _delete_batch(core, channel):
                deleted += batch
                if limit is not None and deleted >= limit:
                    return deleted
                await trio.sleep(pause_s)
        after = channels[-1].channel_id
    return deleted


async def _delete_batch(core: Core, channel: Due) -> int:
    """How many there were."""
    await backpressure.room(core, channel.guild_id or channel.channel_id)
    find = partial(_find, channel)
    if channel.guild_id is not None:
        guild = await access.load_guild(core, channel.guild_id)
        return 0 if guild is None else await deletions.purge(core, guild, (channel.channel_id,), find)
    direct = await access.load_direct(core, channel.channel_id)
    if direct is None:
        return 0
    delete = partial(_delete_direct, core.ids.next, find)
    return await core.db.write(delete, then=partial(_told_direct, core, DirectAccess(direct)))


def _find(channel: Due, tx: Tx) -> Sequence[MessageRow]:
    return store.expired(tx, channel, deletions.BATCH)


# --- direct channels: there every deletion is told alone (events/gateway, "List of Intents") --------------------------


class _Gone(NamedTuple):
    position: int
    message_id: int


def _delete_direct(new_id: Callable[[], int], find: Callable[[Tx], Sequence[MessageRow]], tx: Tx) -> list[_Gone]:
    rows = find(tx)
    if rows:
        message_store.delete(tx, [row.id for row in rows])
    gone = []
    for row in rows:
        gone.append(_Gone(new_id(), row.id))
        journal.keep_deletion(tx, gone[-1].position, row.channel_id, row)
    return gone


def _told_direct(core: Core, here: DirectAccess, gone: list[_Gone]) -> int:
    """How many there were."""
    audience = here.audience(core, "MESSAGE_DELETE")
    for position, message_id in gone:
        core.live.bus.horizon = position
        event = message_events.deletion(here, message_id)
        core.live.to_audience(here.bus_key, "MESSAGE_DELETE", event, audience)
    return len(gone)
