"""The job that deletes the messages of deleted channels."""

import trio

from chatd.service.core import Core
from chatd.store import discarded as store

# Messages in one transaction, for which posts wait a few milliseconds; and between two of them. So many a second, 500,
# are also out of the search index before the next ones come.
BATCH = 32
PAUSE_S = 0.06


async def sweep(core: Core) -> None:
    """Until none is left. What a crash interrupts goes on after it."""
    while (channel_id := await core.db.read(store.oldest)) is not None:
        await core.db.write(store.delete_some, channel_id, BATCH)
        await trio.sleep(PAUSE_S)
