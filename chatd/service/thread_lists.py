"""Which threads there are: a guild's active ones, a channel's archived ones. Docs: topics/threads, "Enumerating".

Active threads are in memory; archived ones are read page by page.
"""

from collections.abc import Callable

from msgspec import UNSET

from chatd.model import permissions as p
from chatd.model.objects.thread import Thread
from chatd.model.objects.thread_requests import ArchivedQuery, JoinedArchivedQuery, ThreadList
from chatd.model.validate import form_error
from chatd.model.wire import MAX_STRING_INT, Snowflake, parse_timestamp
from chatd.service import access
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import threads as store
from chatd.store.db import Tx


async def active(core: Core, me: Actor, guild_id: Snowflake) -> ThreadList:
    """Those that the asker sees, the youngest first. Docs: resources/guild, "List Active Guild Threads"."""
    guild = await access.guild(core, me, guild_id)
    threads = guild.visible_threads(me.id)
    members = [thread.member(me.id) for thread in threads if me.id in thread.members]
    return ThreadList(threads=tuple(thread.view() for thread in threads), members=tuple(members))


async def public_archived(core: Core, me: Actor, channel_id: Snowflake, query: ArchivedQuery) -> ThreadList:
    """Those archived last come first. Docs: resources/channel, "List Public Archived Threads"."""
    here = await access.guild_channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
    before_ms = _before_ms(query)
    return await _page(core, me, query.limit, lambda tx, limit: store.archived(tx, here.id, False, before_ms, limit))


async def private_archived(core: Core, me: Actor, channel_id: Snowflake, query: ArchivedQuery) -> ThreadList:
    """As `public_archived`, for moderators. Docs: resources/channel, "List Private Archived Threads"."""
    here = await access.guild_channel(core, me, channel_id, p.READ_MESSAGE_HISTORY | p.MANAGE_THREADS)
    before_ms = _before_ms(query)
    return await _page(core, me, query.limit, lambda tx, limit: store.archived(tx, here.id, True, before_ms, limit))


async def joined_archived(core: Core, me: Actor, channel_id: Snowflake, query: JoinedArchivedQuery) -> ThreadList:
    """The youngest first. Docs: resources/channel, "List Joined Private Archived Threads"."""
    here = await access.guild_channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
    before = MAX_STRING_INT if query.before is UNSET else query.before
    return await _page(
        core, me, query.limit, lambda tx, limit: store.joined_archived(tx, here.id, me.id, before, limit)
    )


async def _page(core: Core, me: Actor, limit: int, find: Callable[[Tx, int], list[Thread]]) -> ThreadList:
    def read(tx: Tx) -> ThreadList:
        found = find(tx, limit + 1)
        threads = found[:limit]
        members = store.memberships(tx, me.id, [thread.id for thread in threads])
        return ThreadList(threads=tuple(threads), members=tuple(members), has_more=len(found) > limit)

    return await core.db.read(read)


def _before_ms(query: ArchivedQuery) -> int:
    if query.before is UNSET:
        return MAX_STRING_INT
    try:
        return parse_timestamp(query.before)
    except ValueError as error:
        raise form_error("before", "DATE_TIME_TYPE_PARSE", str(error)) from None
