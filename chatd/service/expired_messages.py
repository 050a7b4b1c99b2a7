"""The end of messages by their age, a batch at a time. Clients are told as of any other deletion."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from chatd.service import access, backpressure, deletions, message_events
from chatd.service.access import DirectAccess
from chatd.service.core import Core
from chatd.store import journal
from chatd.store import messages as message_store
from chatd.store import retention as store
from chatd.store.db import Tx
from chatd.store.messages import MessageRow
from chatd.store.retention import Due

Find = Callable[[Tx], Sequence[MessageRow]]


async def expire(core: Core, channel: Due) -> int:
    """How many there were."""
    return await delete(core, channel, partial(_find, channel))


def _find(channel: Due, tx: Tx) -> Sequence[MessageRow]:
    return store.expired(tx, channel, deletions.BATCH)


async def delete(core: Core, channel: Due, find: Find) -> int:
    """Delete what is found, at most a batch of the channel's messages; how many there were."""
    await backpressure.room(core, channel.guild_id or channel.channel_id)
    if channel.guild_id is not None:
        guild = await access.load_guild(core, channel.guild_id)
        return 0 if guild is None else await deletions.purge(core, guild, (channel.channel_id,), find)
    direct = await access.load_direct(core, channel.channel_id)
    if direct is None:
        return 0
    delete = partial(_delete_direct, core.ids.next, find)
    return await core.db.write(delete, then=partial(_told_direct, core, DirectAccess(direct)))


# --- direct channels: there every deletion is told alone (events/gateway, "List of Intents") --------------------------


class _Gone(NamedTuple):
    position: int
    message_id: int


def _delete_direct(new_id: Callable[[], int], find: Find, tx: Tx) -> list[_Gone]:
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
