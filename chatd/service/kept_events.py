"""Events that no row of the database tells of: the journal keeps them whole, so that sessions resume across them.

Each has a position of its own, taken in the transaction of its change. See ADR 6.
"""

from collections.abc import Callable
from typing import NamedTuple

from chatd.live.bus import Audience
from chatd.live.frames import Event
from chatd.model.wire import Object
from chatd.service.core import Core
from chatd.store import journal
from chatd.store.db import Tx


class Kept(NamedTuple):
    position: int
    name: str
    event: Object


def keep(tx: Tx, new_id: Callable[[], int], stream: int, name: str, event: Object) -> Kept:
    """To be told with `tell` once it is committed, in the order in which they were kept."""
    kept = Kept(new_id(), name, event)
    journal.keep_event(tx, kept.position, stream, name, event)
    return kept


def tell(core: Core, stream: int, kept: Kept, audience: Audience) -> None:
    core.live.bus.horizon = kept.position
    core.live.to_audience(stream, kept.name, kept.event, audience)


def told_again(entry: journal.Entry) -> Event:
    """The event of a journal entry as it was kept."""
    event = Event(entry.name, entry.body.encode())
    event.position = entry.position
    return event
