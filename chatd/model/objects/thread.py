"""Threads and who is in them (resources/channel, topics/threads). What their routes take is in `thread_requests`."""

from enum import IntFlag

from msgspec import UNSET, UnsetType

from chatd.model.objects.channel import ChannelType
from chatd.model.wire import Object, Snowflake

# A public thread is seen by whoever sees its parent, a private one by its members and those who manage threads.
THREAD_TYPES = frozenset((ChannelType.ANNOUNCEMENT_THREAD, ChannelType.PUBLIC_THREAD, ChannelType.PRIVATE_THREAD))
PUBLIC_TYPES = THREAD_TYPES - {ChannelType.PRIVATE_THREAD}

# `member_count` stops there (topics/threads, "Thread Fields").
SHOWN_MEMBERS = 50


class ThreadFlags(IntFlag):
    PINNED = 1 << 1  # of a thread in a forum or media channel
    REQUIRE_TAG = 1 << 4  # of such a channel


class ThreadMetadata(Object, frozen=True, gc=False, kw_only=True):
    archived: bool
    auto_archive_duration: int  # minutes
    archive_timestamp: str
    locked: bool
    create_timestamp: str
    invitable: bool | UnsetType = UNSET  # of private threads


class ThreadMember(Object, frozen=True, gc=False, kw_only=True):
    id: Snowflake  # the thread's
    user_id: Snowflake
    join_timestamp: str
    flags: int = 0


class Thread(Object, frozen=True, kw_only=True):
    """A thread with its counts as they were when it was read; `member` is the asker's membership."""

    id: Snowflake
    type: int
    guild_id: Snowflake
    parent_id: Snowflake
    owner_id: Snowflake
    name: str
    last_message_id: Snowflake | None
    rate_limit_per_user: int
    flags: int
    thread_metadata: ThreadMetadata
    message_count: int
    member_count: int
    total_message_sent: int
    applied_tags: tuple[Snowflake, ...] | UnsetType = UNSET  # of threads in forum and media channels
    member: ThreadMember | UnsetType = UNSET


class ThreadExtra(Object, frozen=True, gc=False, kw_only=True):
    """The part of a thread that no query looks at; stored as JSON."""

    auto_archive_duration: int
    locked: bool
    create_timestamp: str
    rate_limit_per_user: int
    flags: int
    invitable: bool | UnsetType = UNSET
    applied_tags: tuple[Snowflake, ...] | UnsetType = UNSET
