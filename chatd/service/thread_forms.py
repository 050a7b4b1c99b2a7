"""What becomes of a thread's form: from what a client sent to the thread that is stored, if the asker may.

Docs: resources/channel, "Start Thread" and "Modify Channel"; topics/threads, "Editing & Deleting Threads".
"""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    MISSING_PERMISSIONS,
    NO_TAGS_FOR_MEMBERS,
    TAG_REQUIRED,
    THREAD_LOCKED,
    TOO_MANY_PINNED_THREADS,
    UNKNOWN_TAG,
    WRONG_CHANNEL_TYPE,
)
from chatd.model.objects.channel import FORUM_TYPES, Channel, ChannelOrThreadPatch, ChannelType
from chatd.model.objects.thread import Thread, ThreadFlags, ThreadMetadata
from chatd.model.objects.thread_requests import ThreadFromMessage
from chatd.model.wire import Snowflake, timestamp
from chatd.service import thread_rules
from chatd.service.access import GuildChannel, ThreadPlace
from chatd.service.actors import Actor
from chatd.service.core import Core

# Where neither the client nor the channel says anything.
AUTO_ARCHIVE_MINUTES = 1440

_METADATA = frozenset(("archived", "auto_archive_duration", "locked", "invitable"))
# What a thread has of the form; null leaves it as it is, and switches slowmode off.
_FIELDS = _METADATA | {"name", "rate_limit_per_user", "flags", "applied_tags"}
# What its owner may not change.
_MODERATED = frozenset(("locked", "rate_limit_per_user", "flags"))


def new(
    core: Core,
    me: Actor,
    parent: GuildChannel,
    id_: int,
    kind: ChannelType,
    body: ThreadFromMessage,
    *,
    invitable: bool | UnsetType = UNSET,
    applied_tags: tuple[Snowflake, ...] | UnsetType = UNSET,
) -> Thread:
    defaults = parent.channel
    slowmode = body.rate_limit_per_user
    if slowmode is None:
        slowmode = defaults.default_thread_rate_limit_per_user or 0
    now = timestamp(core.clock_ms())
    return Thread(
        id=Snowflake(id_),
        type=int(kind),
        guild_id=defaults.guild_id,
        parent_id=defaults.id,
        owner_id=me.user.id,
        name=body.name,
        last_message_id=None,
        rate_limit_per_user=slowmode,
        flags=0,
        thread_metadata=ThreadMetadata(
            archived=False,
            auto_archive_duration=body.auto_archive_duration
            or defaults.default_auto_archive_duration
            or AUTO_ARCHIVE_MINUTES,
            archive_timestamp=now,
            locked=False,
            create_timestamp=now,
            invitable=invitable,
        ),
        message_count=0,
        member_count=0,
        total_message_sent=0,
        applied_tags=applied_tags,
    )


def tags(
    forum: Channel, wanted: Sequence[Snowflake], old: Sequence[Snowflake], may_manage: bool
) -> tuple[Snowflake, ...]:
    """Raises UNKNOWN_TAG, MISSING_PERMISSIONS for one that only moderators give or take, TAG_REQUIRED."""
    known = {tag.id: tag for tag in forum.available_tags or ()}
    if any(tag_id not in known and tag_id not in old for tag_id in wanted):
        raise UNKNOWN_TAG()
    if not may_manage:
        touched = set(wanted) ^ set(old)
        if any(known[tag_id].moderated for tag_id in touched if tag_id in known):
            raise MISSING_PERMISSIONS()
    if forum.flags & ThreadFlags.REQUIRE_TAG and not wanted and known:
        if not may_manage and all(tag.moderated for tag in known.values()):
            raise NO_TAGS_FOR_MEMBERS()
        raise TAG_REQUIRED()
    return tuple(dict.fromkeys(tag_id for tag_id in wanted if tag_id in known))


def changed(core: Core, me: Actor, here: ThreadPlace, body: ChannelOrThreadPatch) -> Thread:
    """Raises THREAD_IS_ARCHIVED unless that is changed as well, MISSING_PERMISSIONS, THREAD_LOCKED, and what the
    fields are refused for.
    """
    old, metadata = here.channel, here.channel.thread_metadata
    given = {name: value for name in _FIELDS if (value := getattr(body, name)) is not UNSET and value is not None}
    if body.rate_limit_per_user is None:
        given["rate_limit_per_user"] = 0
    unarchives = metadata.archived and given.get("archived") is False
    if given and not unarchives:
        thread_rules.check_is_active(here)
    _check_may_change(me, here, given, unarchives)
    forum = here.guild.channels[old.parent_id]
    if forum.type not in FORUM_TYPES:
        given.pop("applied_tags", None)
    if old.type != ChannelType.PRIVATE_THREAD:
        given.pop("invitable", None)
    if "applied_tags" in given:
        may_manage = bool(here.permissions & p.MANAGE_THREADS)
        given["applied_tags"] = tags(forum, given["applied_tags"], old.applied_tags or (), may_manage)
    if "flags" in given:
        given["flags"] = _flags(here.guild, forum, old, given["flags"])
    new_metadata = replace(metadata, **{name: given.pop(name) for name in _METADATA & given.keys()})
    if (new_metadata.archived, new_metadata.auto_archive_duration) != (
        metadata.archived,
        metadata.auto_archive_duration,
    ):
        new_metadata = replace(new_metadata, archive_timestamp=timestamp(core.clock_ms()))
    made = replace(old, **given, thread_metadata=new_metadata)
    return replace(made, flags=made.flags & ~ThreadFlags.PINNED) if new_metadata.archived else made


def _check_may_change(me: Actor, here: ThreadPlace, given: dict[str, Any], unarchives: bool) -> None:
    if unarchives:
        thread_rules.check_room(here.guild)
    if here.permissions & p.MANAGE_THREADS or not given:
        return
    if not here.permissions & p.SEND_MESSAGES:
        raise MISSING_PERMISSIONS()
    if here.channel.thread_metadata.locked:
        raise THREAD_LOCKED()
    others = given.keys() - {"archived"} if unarchives else given.keys()
    if others & _MODERATED or (others and me.id != here.channel.owner_id):
        raise MISSING_PERMISSIONS()


def _flags(guild: GuildState, forum: Channel, old: Thread, wanted: int) -> int:
    pinned = wanted & ThreadFlags.PINNED
    if pinned and forum.type not in FORUM_TYPES:
        raise WRONG_CHANNEL_TYPE()
    if pinned and not old.flags & ThreadFlags.PINNED:
        others = [t for t in guild.threads.active.values() if t.parent_id == forum.id]
        if sum(1 for other in others if other.thread.flags & ThreadFlags.PINNED) >= limits.PINNED_THREADS:
            raise TOO_MANY_PINNED_THREADS()
    return int(old.flags & ~ThreadFlags.PINNED | pinned)
