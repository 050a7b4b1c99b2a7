"""What the server has to do again and again, and how often."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import trio

from chatd import log
from chatd.model.limits import AUDIT_AGE_S
from chatd.model.snowflake import lowest_at
from chatd.service import (
    checkpoints,
    crossposts,
    discarded,
    gateway,
    orphans,
    polls,
    presence,
    read_states,
    retention,
    scheduled_events,
    temporary_members,
    thread_archive,
    voice,
)
from chatd.service.checkpoints import Checkpoints
from chatd.service.core import Core
from chatd.store import audit_log
from chatd.store.accounts import delete_expired_logins
from chatd.store.invites import delete_expired as delete_expired_invites

logger = log.get(__name__)

Job = Callable[[], Awaitable[object]]

# After a crash the own posts of so many seconds count as unread for their authors.
OWN_POSTS_S = 5.0
# Often, so that little is forgotten at a time: messages wait behind it.
JOURNAL_S = 5.0
# How long after its deletion a channel's messages begin to go, at most.
DISCARDED_S = 1.0
# How long a message takes to be found, at most, when little is going on.
SEARCH_S = 1.0


def jobs(core: Core, notes: Checkpoints) -> Mapping[str, tuple[float, Job]]:
    """Name -> seconds in between, and what is done."""

    async def forget_limits() -> None:
        core.limiter.sweep(core.clock_ms() / 1000)

    async def forget_audit_log() -> None:
        oldest = core.clock_ms() - AUDIT_AGE_S * 1000
        await core.db.write(audit_log.prune, lowest_at(oldest))

    return {
        "sessions": (1.0, lambda: gateway.sweep(core)),
        "presences": (1.0, lambda: presence.sweep(core)),
        "voice": (1.0, lambda: voice.sweep(core)),
        "checkpoints": (core.config.gateway.checkpoint_s, notes.save),
        "own posts": (OWN_POSTS_S, partial(read_states.write_down, core)),
        "checkpoints soon": (checkpoints.SOON_S, notes.save_soon),
        "crossposts": (1.0, lambda: crossposts.deliver(core)),
        "polls": (1.0, lambda: polls.end_due(core)),
        "scheduled events": (10.0, lambda: scheduled_events.complete_ended(core)),
        "search": (SEARCH_S, core.search_index.catch_up),
        "limits": (60.0, forget_limits),
        "journal": (JOURNAL_S, lambda: checkpoints.bound_journal(core)),
        "invites": (60.0, lambda: core.db.write(delete_expired_invites, core.clock_ms())),
        "temporary members": (5.0, lambda: temporary_members.remove_departed(core)),
        "discarded channels": (DISCARDED_S, lambda: discarded.sweep(core)),
        "retention": (60.0, lambda: retention.keep(core)),
        "retention of files": (60.0, lambda: retention.keep_files(core)),
        "threads": (60.0, lambda: thread_archive.archive_idle(core)),
        "audit log": (3600.0, forget_audit_log),
        "orphans": (3600.0, lambda: orphans.collect(core)),
        "logins": (3600.0, lambda: core.db.write(delete_expired_logins, core.clock_ms())),
    }


async def repeat(name: str, interval_s: float, job: Job) -> None:
    """A failure is logged, and the next round tries again."""
    while True:
        try:
            await job()
        except Exception:
            logger.exception("periodic job failed", job=name)
        await trio.sleep(interval_s)
