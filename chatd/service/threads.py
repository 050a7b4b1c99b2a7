"""Threads: start, edit, delete. Docs: resources/channel, topics/threads."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import asdict

from chatd.live.threads import ThreadState
from chatd.model import permissions as p
from chatd.model.errors import (
    SYSTEM_MESSAGE,
    THREAD_EXISTS,
    UNKNOWN_MEMBER,
    UNKNOWN_MESSAGE,
    WRONG_CHANNEL_TYPE,
)
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import AuditLogEvent
from chatd.model.objects.channel import FORUM_TYPES, ChannelOrThreadPatch, ChannelType
from chatd.model.objects.message import AUTHORED_TYPES, MessageCreate, MessageFlags
from chatd.model.objects.thread import Thread
from chatd.model.objects.thread_requests import CreatedThread, ThreadCreate, ThreadFromMessage
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake
from chatd.service import (
    access,
    audit_log,
    compose,
    message_events,
    messages,
    render,
    slowmode,
    system_messages,
    thread_changes,
    thread_events,
    thread_forms,
    thread_rules,
    unfurling,
    uploads,
)
from chatd.service.access import GuildChannel, ThreadPlace
from chatd.service.actors import Actor
from chatd.service.attachments import NewFiles
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.service.uploads import Upload
from chatd.store import messages as message_store
from chatd.store import threads as store
from chatd.store.db import Missing, Tx
from chatd.store.messages import Page

_PUBLIC = {
    ChannelType.GUILD_TEXT: ChannelType.PUBLIC_THREAD,
    ChannelType.GUILD_ANNOUNCEMENT: ChannelType.ANNOUNCEMENT_THREAD,
}
# Kind of the parent and of the thread -> what it takes.
_NEEDS = {
    (ChannelType.GUILD_TEXT, ChannelType.PUBLIC_THREAD): p.CREATE_PUBLIC_THREADS,
    (ChannelType.GUILD_TEXT, ChannelType.PRIVATE_THREAD): p.CREATE_PRIVATE_THREADS,
    (ChannelType.GUILD_ANNOUNCEMENT, ChannelType.ANNOUNCEMENT_THREAD): p.CREATE_PUBLIC_THREADS,
}


class _Start(NamedTuple):
    """A thread with who is in it from the beginning, and the messages that come with it: the one in it that does not
    count, and the parent's.
    """

    thread: Thread
    joining: Sequence[int]
    first: Composed | None = None
    notice: Composed | None = None
    is_from_message: bool = False


class _Started(NamedTuple):
    first_id: int
    notice_id: int
    page: Page | None  # the message that the thread began with, as it is now


async def start_from_message(
    core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, body: ThreadFromMessage, reason: str | None
) -> Thread:
    """The thread gets the message's id. Docs: resources/channel, "Start Thread from Message".

    Raises MISSING_PERMISSIONS, WRONG_CHANNEL_TYPE, UNKNOWN_MESSAGE, THREAD_EXISTS, SYSTEM_MESSAGE, TOO_MANY_THREADS.
    """
    async with (await access.guild_channel(core, me, channel_id)).guild.lock:
        parent = await access.guild_channel(core, me, channel_id, p.CREATE_PUBLIC_THREADS)
        kind = _PUBLIC.get(ChannelType(parent.channel.type))
        if kind is None:
            raise WRONG_CHANNEL_TYPE()
        page = await core.db.read(messages.read_one, channel_id, message_id)
        if not page.rows:
            raise UNKNOWN_MESSAGE()
        if page.rows[0].flags & MessageFlags.HAS_THREAD:
            raise THREAD_EXISTS()
        if page.rows[0].type not in AUTHORED_TYPES:
            raise SYSTEM_MESSAGE()
        thread = thread_forms.new(core, me, parent, message_id, kind, body)
        # Whoever reads the channel's end sees it on the message itself.
        is_newest = parent.guild.last_message_ids.get(channel_id) == message_id
        start = _Start(
            thread,
            [me.id],
            first=system_messages.thread_starter(core, me, thread, render.messages(core, page)[0]),
            notice=None if is_newest else system_messages.thread_created(core, me, thread),
            is_from_message=True,
        )
        return (await _start(core, me, parent, start, reason)).view(me.id)


async def start(
    core: Core, me: Actor, channel_id: Snowflake, body: ThreadCreate, reason: str | None, files: Sequence[Upload] = ()
) -> Thread | CreatedThread:
    """Docs: resources/channel, "Start Thread without Message" and "Start Thread in Forum or Media Channel".

    Raises MISSING_PERMISSIONS, WRONG_CHANNEL_TYPE, TOO_MANY_THREADS, and in forums what tags and messages may.
    """
    described = body.message.attachments or () if body.message is not UNSET else ()
    # Before the lock: it takes longer than anybody may hold that.
    async with uploads.kept(core, channel_id, files, described) as new:
        return await _start_without_message(core, me, channel_id, body, new, reason)


async def _start_without_message(
    core: Core, me: Actor, channel_id: int, body: ThreadCreate, new: NewFiles, reason: str | None
) -> Thread | CreatedThread:
    async with (await access.guild_channel(core, me, channel_id)).guild.lock:
        parent = await access.guild_channel(core, me, channel_id)
        if parent.channel.type in FORUM_TYPES:
            return await _start_post(core, me, channel_id, body, new, reason)
        kind = ChannelType(body.type or ChannelType.PRIVATE_THREAD)
        needs = _NEEDS.get((ChannelType(parent.channel.type), kind))
        if needs is None:
            raise WRONG_CHANNEL_TYPE()
        await access.guild_channel(core, me, channel_id, needs)
        is_private = kind == ChannelType.PRIVATE_THREAD
        invitable = body.invitable is not False if is_private else UNSET
        thread = thread_forms.new(core, me, parent, core.ids.next(), kind, body, invitable=invitable)
        notice = None if is_private else system_messages.thread_created(core, me, thread)
        return (await _start(core, me, parent, _Start(thread, [me.id], notice=notice), reason)).view(me.id)


async def edit(core: Core, me: Actor, channel_id: Snowflake, body: ChannelOrThreadPatch, reason: str | None) -> Thread:
    """Docs: resources/channel, "Modify Channel" (thread). Raises what `thread_forms.changed` does."""
    async with (await access.thread(core, me, channel_id)).guild.lock:
        here = await access.thread(core, me, channel_id)
        old, new = here.channel, thread_forms.changed(core, me, here, body)
        if new != old:
            changes = audit_log.differences(_audited(old), _audited(new))
            entries = [audit_log.entry(me, AuditLogEvent.THREAD_UPDATE, new.id, reason, changes=changes)]
            notices = [system_messages.renamed(core, me, new)] if new.name != old.name else []
            await thread_changes.commit(
                core, here.guild, here.state, new, entries=entries if changes else [], notices=notices
            )
        return here.state.view(me.id)


async def delete(core: Core, me: Actor, channel_id: Snowflake, reason: str | None) -> Thread:
    """Docs: resources/channel, "Delete/Close Channel". Raises MISSING_PERMISSIONS."""
    async with (await access.thread(core, me, channel_id)).guild.lock:
        here = await access.thread(core, me, channel_id, p.MANAGE_THREADS)
        guild, shown = here.guild, here.state.view(me.id)
        parent = access.place(guild, shown.parent_id)

        def deleted(page: Page | None) -> Thread:
            audience = guild.audience(GATES["THREAD_DELETE"][0], shown.id)
            core.live.thread_removed(guild, shown.id)
            thread_events.deleted(core, guild, shown, audience)
            if page is not None and parent is not None:
                message_events.publish(core, parent, "MESSAGE_UPDATE", render.messages(core, page)[0])
            return shown

        changes = audit_log.differences(_audited(shown), {})
        entries = [audit_log.entry(me, AuditLogEvent.THREAD_DELETE, shown.id, reason, changes=changes)]
        return await audit_log.change(core, guild, entries, _delete, shown, then=deleted)


# --- starting: the caller holds the guild's lock ---------------------------------------------------------------------


async def start_post(
    core: Core, me: Actor, parent: GuildChannel, thread: Thread, composed: Composed, reason: str | None
) -> CreatedThread:
    """A thread with a message by its owner, in a forum or media channel. Raises TOO_MANY_THREADS."""
    # Nobody can have read on from an older message of this channel: the first one needs no id from the transaction.
    first = composed._replace(draft=composed.draft._replace(new_id=lambda: int(thread.id)))
    guild = parent.guild
    joining = [me.id] if me.id in guild.members else []
    joining += [user_id for user_id in composed.extra.mentions if parent.id in guild.sight(user_id)]
    state = await _start(core, me, parent, _Start(thread, joining, first), reason)
    unfurling.offer(core, ThreadPlace(guild, thread, parent.permissions), thread.id, first.draft)
    return CreatedThread(**_fields(state.view(me.id)), message=message_events.rendered(core, first, thread.id))


async def _start_post(
    core: Core, me: Actor, channel_id: int, body: ThreadCreate, new: NewFiles, reason: str | None
) -> CreatedThread:
    parent = await access.guild_channel(core, me, channel_id, p.SEND_MESSAGES)
    if body.message is UNSET:
        raise form_error("message", "BASE_TYPE_REQUIRED", "This field is required")
    may_manage = bool(parent.permissions & p.MANAGE_THREADS)
    tags = thread_forms.tags(parent.channel, body.applied_tags or (), (), may_manage)
    thread = thread_forms.new(core, me, parent, core.ids.next(), ChannelType.PUBLIC_THREAD, body, applied_tags=tags)
    place = ThreadPlace(parent.guild, thread, parent.permissions)
    composed = await compose.new(core, me, place, MessageCreate(**asdict(body.message)), new)
    return await start_post(core, me, parent, thread, composed, reason)


async def _start(core: Core, me: Actor, parent: GuildChannel, start: _Start, reason: str | None) -> ThreadState:
    thread_rules.check_room(parent.guild)
    slowmode.check(core, me, parent, "thread")
    guild, thread = parent.guild, start.thread
    members = dict.fromkeys(map(int, start.joining), core.clock_ms())
    changes = audit_log.differences({}, _audited(thread))
    entries = [audit_log.entry(me, AuditLogEvent.THREAD_CREATE, thread.id, reason, changes=changes)]

    def started(outcome: _Started) -> ThreadState:
        state = ThreadState(thread, members)
        core.live.thread_put(guild, state)
        if parent.channel.type in FORUM_TYPES:
            guild.last_message_ids[parent.id] = thread.id
        thread_events.created(core, guild, state)
        if start.first is not None:
            state.began(outcome.first_id)
            message = message_events.rendered(core, start.first, outcome.first_id)
            message_events.publish(core, ThreadPlace(guild, thread, 0), "MESSAGE_CREATE", message)
        if outcome.page is not None:
            message_events.publish(core, parent, "MESSAGE_UPDATE", render.messages(core, outcome.page)[0])
        if start.notice is not None:
            message_events.posted(core, parent, start.notice, outcome.notice_id)
        return state

    try:
        return await audit_log.change(core, guild, entries, _insert, start, members, then=started)
    except Missing:  # somebody has left since we looked
        raise UNKNOWN_MEMBER() from None


def _insert(tx: Tx, start: _Start, members: dict[int, int]) -> _Started:
    thread = start.thread
    if start.is_from_message and message_store.get(tx, thread.parent_id, thread.id) is None:
        raise UNKNOWN_MESSAGE()
    store.insert(tx, thread)
    store.add_members(tx, thread, members)
    first_id = notice_id = 0
    if start.first is not None:
        [first_id] = message_store.append(tx, [start.first.draft])
        store.begin(tx, thread.id, first_id)
    if start.notice is not None:
        [notice_id] = message_store.append(tx, [start.notice.draft])
    if not start.is_from_message:
        return _Started(first_id, notice_id, None)
    message_store.mark_thread(tx, thread.id, True)
    return _Started(first_id, notice_id, messages.read_one(tx, thread.parent_id, thread.id))


def _delete(tx: Tx, thread: Thread) -> Page | None:
    """The message that the thread began with, if it is still there."""
    store.delete(tx, thread.id)
    if message_store.get(tx, thread.parent_id, thread.id) is None:
        return None
    message_store.mark_thread(tx, thread.id, False)
    return messages.read_one(tx, thread.parent_id, thread.id)


def _fields(thread: Thread) -> dict[str, Any]:
    return {name: getattr(thread, name) for name in Thread.__struct_fields__}


def _audited(thread: Thread) -> dict[str, Any]:
    """What the audit log tells of a thread."""
    metadata = thread.thread_metadata
    values = {
        "name": thread.name,
        "type": thread.type,
        "archived": metadata.archived,
        "locked": metadata.locked,
        "invitable": metadata.invitable,
        "auto_archive_duration": metadata.auto_archive_duration,
        "rate_limit_per_user": thread.rate_limit_per_user,
        "flags": thread.flags,
        "applied_tags": thread.applied_tags,
    }
    return {name: value for name, value in values.items() if value is not UNSET}
