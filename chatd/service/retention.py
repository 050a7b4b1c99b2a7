"""Messages are deleted when they are as old as the operator wants them to become, and so are their files.

A channel's rule holds for it and its threads, a category's for its channels, another for all without one. What is due
goes in batches, each a short transaction, with pauses for whoever posts. Whatever ends a round, the next goes on with
what is left. `expired_messages` and `expired_files` do it.
"""

import math
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import trio

from chatd import log
from chatd.service import expired_files, expired_messages
from chatd.service.core import Core
from chatd.store import retention as store
from chatd.store.db import Tx
from chatd.store.retention import Due

logger = log.get(__name__)

# The least that a rule may say: by then, whoever is there has seen the message.
SHORTEST_S = 60
# The most, 68 years: an id from so long ago is still a 64-bit number.
LONGEST_S = 2**31 - 1

# Channels that are looked up at a time.
PAGE = 100
# Between two batches of the periodic jobs: ten events a second, with which what sessions keep for RESUME lasts longer
# than a minute.
PAUSE_S = 0.1
FILES_PAUSE_S = 0.1 * expired_files.BATCH
# What an operator waits for goes faster, and in parts, so that the command line can tell how far it is.
SHORT_PAUSE_S = 0.02
PART = 2000
FILES_PART = 500
# One answer counts the messages and files of several channels, until there are so many: about a second.
COUNTED = 2_000_000


class Count(NamedTuple):
    messages: int
    files: int  # of other messages than these


async def keep(core: Core) -> None:
    """One round of the periodic job for messages."""
    deleted = await _expire(core, expired_messages.expire, PAUSE_S)
    if deleted:
        logger.info("messages have expired", count=deleted)


async def keep_files(core: Core) -> None:
    """One round of that for files, which takes longer: each message is told of."""
    deleted = await _expire(core, expired_files.expire, FILES_PAUSE_S)
    if deleted:
        logger.info("files have expired", count=deleted)


async def run_some(core: Core) -> Count:
    """Delete a part of what is due, messages first; how much there was, nothing when all is done."""
    messages = await _expire(core, expired_messages.expire, SHORT_PAUSE_S, PART)
    files = 0 if messages else await _expire(core, expired_files.expire, SHORT_PAUSE_S, FILES_PART)
    return Count(messages, files)


async def due(core: Core, after: int) -> list[tuple[Due, Count]]:
    """The next channels behind `after` with something that is due, and how much it is."""
    return await core.db.read(_due, core.clock_ms(), after)


def _due(tx: Tx, now_ms: int, after: int) -> list[tuple[Due, Count]]:
    counted: list[tuple[Due, Count]] = []
    for channel in store.due(tx, now_ms, after, PAGE):
        counted.append((channel, Count(store.count(tx, channel), store.count_files(tx, channel))))
        if sum(sum(count) for _, count in counted) >= COUNTED:
            break
    return counted


async def _expire(
    core: Core, batch: Callable[[Core, Due], Awaitable[int]], pause_s: float, limit: float = math.inf
) -> int:
    """Delete what is due, about `limit` at most; how many there were."""
    deleted = after = 0
    while channels := await core.db.read(store.due, core.clock_ms(), after, PAGE):
        for channel in channels:
            while count := await batch(core, channel):
                deleted += count
                if deleted >= limit:
                    return deleted
                await trio.sleep(pause_s)
        after = channels[-1].channel_id
    return deleted
