"""The end of files by the age of their messages, a batch at a time: an edit takes them away, and what would be empty
without them is deleted. The files themselves are the collector's once no message names them (`orphans`).
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from chatd.service import access, backpressure, expired_messages, message_events, render, without_files
from chatd.service.access import Here
from chatd.service.core import Core
from chatd.store import attachments, journal
from chatd.store import messages as message_store
from chatd.store import retention as store
from chatd.store.db import Tx
from chatd.store.messages import MessageRow, Page
from chatd.store.retention import Due

# Messages in one transaction; each is an event of its own.
BATCH = 10


async def expire(core: Core, channel: Due) -> int:
    """How many there were."""
    return await _delete(core, channel) + await _edit(core, channel)


async def _delete(core: Core, channel: Due) -> int:
    """The messages that are nothing without their files; how many files."""
    files = 0

    def find(tx: Tx) -> list[MessageRow]:
        nonlocal files
        rows = [row for row in store.with_expired_files(tx, channel, BATCH) if without_files.of(row) is None]
        files = attachments.release(tx, [row.id for row in rows])
        return rows

    await expired_messages.delete(core, channel, find)
    return files


# --- messages that stay ----------------------------------------------------------------------------------------------


class _Edited(NamedTuple):
    files: int
    positions: list[int]
    page: Page


async def _edit(core: Core, channel: Due) -> int:
    """How many files they had."""
    here = await access.nobodys(core, channel.channel_id)
    if here is None:
        return 0
    await backpressure.room(core, here.bus_key)
    edit = partial(_take_files, core.ids.next, here.bus_key, channel)
    return await core.db.write(edit, then=partial(_told, core, here))


def _take_files(new_id: Callable[[], int], stream: int, channel: Due, tx: Tx) -> _Edited:
    rows, positions = [], []
    for before in store.with_expired_files(tx, channel, BATCH):
        row = without_files.of(before)
        if row is None:
            continue
        message_store.update(tx, row)
        positions.append(new_id())
        journal.keep_edit(tx, positions[-1], stream, before, row)
        rows.append(row)
    files = attachments.release(tx, [row.id for row in rows])
    return _Edited(files, positions, message_store.with_context(tx, rows, render.named_users, render.replied_to))


def _told(core: Core, here: Here, edited: _Edited) -> int:
    for position, message in zip(edited.positions, render.messages(core, edited.page), strict=True):
        core.live.bus.horizon = position
        message_events.publish(core, here, "MESSAGE_UPDATE", message)
    return edited.files
