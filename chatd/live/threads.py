"""A guild's threads as they are right now: all that are active, and archived ones that somebody asked for lately.

Who may see a thread is `guilds`' business.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from chatd.model.objects.channel import ChannelType
from chatd.model.objects.thread import SHOWN_MEMBERS, Thread, ThreadFlags, ThreadMember
from chatd.model.snowflake import created_ms
from chatd.model.wire import UNSET, Snowflake, parse_timestamp, timestamp

# Archived threads that a guild keeps in memory. With more, the least recently used is forgotten, and loaded again when
# it is asked for. More than requests can be under way, so that none loses its thread.
ARCHIVED = 2000


class ThreadState:
    """`thread` is what changes by commits of its own; counts and members are beside it."""

    __slots__ = ("first_id", "last_message_id", "members", "message_count", "thread", "total_message_sent")

    def __init__(self, thread: Thread, members: dict[int, int], first_id: int = 0) -> None:
        self.thread = thread
        self.first_id = first_id  # the message that it began with, which does not count
        self.members = members  # user -> when it joined (Unix ms)
        self.message_count = thread.message_count
        self.total_message_sent = thread.total_message_sent
        self.last_message_id: int | None = thread.last_message_id

    @property
    def id(self) -> int:
        return self.thread.id

    @property
    def parent_id(self) -> int:
        return self.thread.parent_id

    @property
    def is_private(self) -> bool:
        return self.thread.type == ChannelType.PRIVATE_THREAD

    @property
    def is_archived(self) -> bool:
        return self.thread.thread_metadata.archived

    def view(self, user_id: int = 0) -> Thread:
        """The thread as it is now, with the user's membership if it has one."""
        return replace(
            self.thread,
            last_message_id=None if self.last_message_id is None else Snowflake(self.last_message_id),
            message_count=self.message_count,
            member_count=self.shown_members,
            total_message_sent=self.total_message_sent,
            member=self.member(user_id) if user_id in self.members else UNSET,
        )

    @property
    def shown_members(self) -> int:
        return min(len(self.members), SHOWN_MEMBERS)

    def member(self, user_id: int) -> ThreadMember:
        """Raises KeyError."""
        joined = timestamp(self.members[user_id])
        return ThreadMember(id=self.thread.id, user_id=Snowflake(user_id), join_timestamp=joined)

    def began(self, message_id: int) -> None:
        self.first_id = self.last_message_id = message_id

    def posted(self, message_id: int) -> None:
        self.last_message_id = message_id
        self.message_count += 1
        self.total_message_sent += 1

    def unposted(self, message_id: int) -> None:
        if message_id != self.first_id:
            self.message_count -= 1

    def is_idle(self, now_ms: int) -> bool:
        """Whether it is to be archived: no activity for its `auto_archive_duration`, and not pinned."""
        metadata = self.thread.thread_metadata
        if self.thread.flags & ThreadFlags.PINNED:
            return False
        last_ms = parse_timestamp(metadata.archive_timestamp)
        if self.last_message_id is not None:
            last_ms = max(last_ms, created_ms(self.last_message_id))
        return now_ms >= last_ms + metadata.auto_archive_duration * 60_000


class Threads:
    def __init__(self, loaded: Iterable[ThreadState] = ()) -> None:
        self.active: dict[int, ThreadState] = {}
        self._archived: dict[int, ThreadState] = {}  # the least recently used first
        for thread in loaded:
            self.put(thread)

    def get(self, thread_id: int) -> ThreadState | None:
        found = self.active.get(thread_id)
        if found is None and thread_id in self._archived:
            found = self._archived[thread_id] = self._archived.pop(thread_id)
        return found

    def put(self, thread: ThreadState) -> int | None:
        """Add a thread, or note that it is archived or active now; the id of the one that is forgotten for it."""
        self.pop(thread.id)
        if not thread.is_archived:
            self.active[thread.id] = thread
            return None
        self._archived[thread.id] = thread
        if len(self._archived) <= ARCHIVED:
            return None
        oldest = next(iter(self._archived))
        del self._archived[oldest]
        return oldest

    def pop(self, thread_id: int) -> None:
        self.active.pop(thread_id, None)
        self._archived.pop(thread_id, None)

    def all(self) -> list[ThreadState]:
        """Those in memory."""
        return [*self.active.values(), *self._archived.values()]

    def of_parent(self, parent_id: int) -> list[ThreadState]:
        """Those in memory."""
        return [thread for thread in self.all() if thread.parent_id == parent_id]
