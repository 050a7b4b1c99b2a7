"""What comes in floods waits for room on the bus before its transaction, and is refused where there is none."""

import trio

from chatd.model.errors import OVERLOADED
from chatd.service.core import Core

# How long it waits before it is refused.
ROOM_S = 5.0


async def room(core: Core, stream: int) -> None:
    """Raises OVERLOADED."""
    if core.live.bus.has_room(stream):
        return
    with trio.move_on_after(ROOM_S) as waiting:
        await core.live.bus.room(stream)
    if waiting.cancelled_caught:
        raise OVERLOADED()
