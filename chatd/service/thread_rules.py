"""What a locked or an archived thread forbids. Docs: topics/threads, "Locked Threads", "Active & Archived Threads"."""

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import THREAD_IS_ARCHIVED, THREAD_LOCKED, TOO_MANY_THREADS
from chatd.service.access import DirectAccess, GuildPlace, ThreadPlace


def check_is_active(here: ThreadPlace) -> None:
    """Raises THREAD_IS_ARCHIVED."""
    if here.channel.thread_metadata.archived:
        raise THREAD_IS_ARCHIVED()


def check_may_write(here: ThreadPlace) -> None:
    """Raises THREAD_LOCKED; THREAD_IS_ARCHIVED where it is that as well."""
    if here.channel.thread_metadata.locked and not here.permissions & p.MANAGE_THREADS:
        check_is_active(here)
        raise THREAD_LOCKED()


def check_is_open(here: GuildPlace | DirectAccess) -> None:
    """For a change of what is in a thread. Raises THREAD_LOCKED, THREAD_IS_ARCHIVED; nothing outside of threads."""
    if isinstance(here, ThreadPlace):
        check_may_write(here)
        check_is_active(here)


def check_may_delete_messages(here: ThreadPlace) -> None:
    """Raises THREAD_IS_ARCHIVED: locked threads allow it as long as they are active."""
    if here.channel.thread_metadata.archived:
        check_may_write(here)


def check_room(guild: GuildState) -> None:
    """For one more active thread. Raises TOO_MANY_THREADS."""
    if len(guild.threads.active) >= limits.ACTIVE_THREADS:
        raise TOO_MANY_THREADS()
