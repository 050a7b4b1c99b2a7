"""The commit of a change of one thread: its fields, who joins it, and the system's messages about it."""

from collections.abc import Mapping, Sequence

from chatd.live.guilds import GuildState
from chatd.live.threads import ThreadState
from chatd.model.errors import UNKNOWN_MEMBER
from chatd.model.objects.audit_log import AuditLogEntry
from chatd.model.objects.thread import Thread
from chatd.service import audit_log, message_events, thread_events
from chatd.service.access import ThreadPlace
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.store import messages
from chatd.store import threads as store
from chatd.store.db import Missing, Tx


async def commit(
    core: Core,
    guild: GuildState,
    thread: ThreadState,
    new: Thread,
    *,
    joining: Sequence[int] = (),
    entries: Sequence[AuditLogEntry] = (),
    notices: Sequence[Composed] = (),
) -> None:
    """The caller holds the guild's lock. Raises UNKNOWN_MEMBER when one of `joining` has left the guild by now."""
    joined = dict.fromkeys(joining, core.clock_ms())

    def committed(message_ids: Sequence[int]) -> None:
        _committed(core, guild, thread, new, joined)
        for notice, message_id in zip(notices, message_ids, strict=True):
            message_events.posted(core, ThreadPlace(guild, new, 0), notice, message_id)

    try:
        await audit_log.change(core, guild, entries, _write, thread.thread, new, joined, notices, then=committed)
    except Missing:
        raise UNKNOWN_MEMBER() from None


def _write(tx: Tx, old: Thread, new: Thread, joined: Mapping[int, int], notices: Sequence[Composed]) -> list[int]:
    if new != old:
        store.update(tx, new)
    store.add_members(tx, new, joined)
    return messages.append(tx, [notice.draft for notice in notices])


def _committed(core: Core, guild: GuildState, thread: ThreadState, new: Thread, joined: Mapping[int, int]) -> None:
    old, thread.thread = thread.thread, new
    thread.members.update(joined)
    core.live.thread_put(guild, thread)
    if new != old:
        thread_events.updated(core, guild, thread)
    if old.thread_metadata.archived and not new.thread_metadata.archived:
        thread_events.unarchived(core, guild, thread)
    if joined:
        thread_events.joined(core, guild, thread, joined)
