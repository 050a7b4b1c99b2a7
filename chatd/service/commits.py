"""Writes that sessions hear of. Each has a position: a snowflake taken inside the transaction, so that positions are
in the order of the commits, which is the order of the events.

What is not about a single message leaves a mark in the journal: after a crash nobody resumes across it.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar, TypeVarTuple

from chatd.service.core import Core
from chatd.store import journal
from chatd.store.db import Tx

T = TypeVar("T")
R = TypeVar("R")
Ts = TypeVarTuple("Ts")


async def change(
    core: Core, streams: Iterable[int], fn: Callable[[Tx, *Ts], T], *args: *Ts, then: Callable[[T], R]
) -> R:
    """`db.write` for a change of the streams (guilds, direct channels, users) whose events `then` publishes."""
    marked = frozenset(streams)

    def transaction(tx: Tx) -> tuple[int, T]:
        result = fn(tx, *args)
        position = core.ids.next()
        journal.mark(tx, position, marked)
        return position, result

    def committed(outcome: tuple[int, T]) -> R:
        core.live.bus.horizon = outcome[0]
        core.live.marked |= marked
        return then(outcome[1])

    return await core.db.write(transaction, then=committed)


async def mark(core: Core, streams: Iterable[int], then: Callable[[], None]) -> None:
    """For events that no change has made. `then` sends them, so that none of them comes without a commit of its own:
    sessions are noted by positions, and what has none could not be told from what came before it."""
    await change(core, streams, _nothing, then=lambda _: then())


def _nothing(_: Tx) -> None:
    pass
