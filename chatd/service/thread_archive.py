"""Threads that nobody has used for long are archived. Docs: topics/threads, "Active & Archived Threads".

Guilds that are not in memory wait until somebody needs them.
"""

from collections.abc import Mapping

import trio
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.live.threads import ThreadState
from chatd.model.wire import timestamp
from chatd.service import commits, thread_events
from chatd.service.core import Core
from chatd.store import threads as store
from chatd.store.db import Tx

# Threads in one transaction: a few milliseconds, so that no message waits long behind them.
BATCH = 100


async def archive_idle(core: Core) -> None:
    """All that are due, guild by guild."""
    for guild in tuple(core.live.guilds.values()):
        if _idle(core, guild):
            async with guild.lock:
                idle = _idle(core, guild)
                for start in range(0, len(idle), BATCH):
                    await _archive(core, guild, idle[start : start + BATCH])
        await trio.lowlevel.checkpoint()


def _idle(core: Core, guild: GuildState) -> list[ThreadState]:
    now_ms = core.clock_ms()
    return [thread for thread in guild.threads.active.values() if thread.is_idle(now_ms)]


async def _archive(core: Core, guild: GuildState, idle: list[ThreadState]) -> None:
    now_ms = core.clock_ms()
    # A millisecond apart: lists are paged by this time, and no page may end between two of the same.
    times = {thread.id: now_ms - place for place, thread in enumerate(idle)}
    newest = {thread.id: thread.last_message_id or 0 for thread in idle}

    def archived(done: list[int]) -> None:
        for thread in idle:
            if thread.id in done:
                metadata = replace(
                    thread.thread.thread_metadata, archived=True, archive_timestamp=timestamp(times[thread.id])
                )
                thread.thread = replace(thread.thread, thread_metadata=metadata)
                core.live.thread_put(guild, thread)
                thread_events.updated(core, guild, thread)

    await commits.change(core, (guild.id,), _write, times, newest, then=archived)


def _write(tx: Tx, times: Mapping[int, int], newest: Mapping[int, int]) -> list[int]:
    """Those that were archived: one that was written in meanwhile is not."""
    return [id_ for id_, ms in times.items() if store.archive_idle(tx, id_, ms, newest[id_])]
