"""Who is in a thread: join, leave, add, remove, show, list. Docs: resources/channel, topics/threads."""

from collections.abc import Iterable

from msgspec import UNSET
from msgspec.structs import asdict, replace

from chatd.live.guilds import GuildState
from chatd.live.threads import ThreadState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    TOO_MANY_THREAD_MEMBERS,
    UNKNOWN_MEMBER,
)
from chatd.model.intents import GUILD_MEMBERS
from chatd.model.objects.application import INTENT_FLAGS
from chatd.model.objects.thread_requests import ThreadMemberQuery, ThreadMembersQuery, ThreadMemberView
from chatd.model.wire import Snowflake, timestamp
from chatd.service import (
    access,
    commits,
    message_events,
    system_messages,
    thread_changes,
    thread_events,
    thread_rules,
)
from chatd.service.access import ThreadPlace
from chatd.service.actors import Actor
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.store import messages
from chatd.store import threads as store
from chatd.store.db import Tx


async def join(core: Core, me: Actor, channel_id: Snowflake) -> None:
    """Docs: resources/channel, "Join Thread". Raises THREAD_IS_ARCHIVED, TOO_MANY_THREAD_MEMBERS."""
    async with (await access.thread(core, me, channel_id)).guild.lock:
        here = await access.thread(core, me, channel_id)
        thread_rules.check_is_active(here)
        await _add(core, here, me.id)


async def leave(core: Core, me: Actor, channel_id: Snowflake) -> None:
    """Docs: resources/channel, "Leave Thread". Raises THREAD_IS_ARCHIVED."""
    async with (await access.thread(core, me, channel_id)).guild.lock:
        here = await access.thread(core, me, channel_id)
        thread_rules.check_is_active(here)
        if me.id in here.state.members:
            await _remove(core, here, me.id, None)


async def add(core: Core, me: Actor, channel_id: Snowflake, user_id: Snowflake) -> None:
    """Docs: resources/channel, "Add Thread Member".

    Raises UNKNOWN_MEMBER, THREAD_IS_ARCHIVED, THREAD_LOCKED, TOO_MANY_THREAD_MEMBERS, MISSING_ACCESS for who does not
    see the thread's parent, MISSING_PERMISSIONS where the thread is not invitable.
    """
    async with (await access.thread(core, me, channel_id)).guild.lock:
        here = await access.thread(core, me, channel_id, p.SEND_MESSAGES)
        member = here.guild.members.get(user_id)
        if member is None:
            raise UNKNOWN_MEMBER()
        thread_rules.check_is_active(here)
        thread_rules.check_may_write(here)
        if here.channel.parent_id not in here.guild.sight(user_id):
            raise MISSING_ACCESS()
        if not _may_add(here, user_id):
            raise MISSING_PERMISSIONS()
        notice = system_messages.added(core, me, here.channel, member.user)
        await _add(core, here, user_id, notice)


async def remove(core: Core, me: Actor, channel_id: Snowflake, user_id: Snowflake) -> None:
    """Docs: resources/channel, "Remove Thread Member".

    Raises MISSING_PERMISSIONS, THREAD_IS_ARCHIVED, UNKNOWN_MEMBER.
    """
    async with (await access.thread(core, me, channel_id)).guild.lock:
        here = await access.thread(core, me, channel_id)
        is_owner = here.state.is_private and here.channel.owner_id == me.id
        if not is_owner and not here.permissions & p.MANAGE_THREADS:
            raise MISSING_PERMISSIONS()
        thread_rules.check_is_active(here)
        if user_id not in here.state.members:
            raise UNKNOWN_MEMBER()
        user = here.guild.members[user_id].user
        await _remove(core, here, user_id, system_messages.removed(core, me, here.channel, user))


async def show(
    core: Core, me: Actor, channel_id: Snowflake, user_id: Snowflake, query: ThreadMemberQuery
) -> ThreadMemberView:
    """Docs: resources/channel, "Get Thread Member". Raises UNKNOWN_MEMBER."""
    here = await access.thread(core, me, channel_id)
    if user_id not in here.state.members:
        raise UNKNOWN_MEMBER()
    return _view(here.guild, here.state, user_id, query.with_member)


async def page(core: Core, me: Actor, channel_id: Snowflake, query: ThreadMembersQuery) -> list[ThreadMemberView]:
    """By user id; all of them unless `with_member` asks for pages. Docs: resources/channel, "List Thread Members".

    A bot needs the privileged intent GUILD_MEMBERS, else MISSING_ACCESS.
    """
    here = await access.thread(core, me, channel_id)
    if me.application_flags is not None and not me.application_flags & INTENT_FLAGS[GUILD_MEMBERS]:
        raise MISSING_ACCESS()
    ids = sorted(here.state.members)
    if query.with_member:
        ids = [user_id for user_id in ids if user_id > query.after][: query.limit]
    return [_view(here.guild, here.state, user_id, query.with_member) for user_id in ids]


async def enter(core: Core, me: Actor, here: ThreadPlace, mentioned: Iterable[int]) -> None:
    """Before a message: the thread is active again, its author and those it mentions are in it.

    Waits for nothing when that is so already. Raises THREAD_LOCKED, THREAD_IS_ARCHIVED, TOO_MANY_THREADS.
    """
    if _is_ready(here, me.id, mentioned):
        return
    async with here.guild.lock:
        here = await access.thread(core, me, here.id, p.SEND_MESSAGES)
        await _make_ready(core, here, me.id, mentioned)


async def admit(core: Core, here: ThreadPlace, mentioned: Iterable[int]) -> None:
    """As `enter`, before a webhook's message: it is in no thread itself."""
    if _is_ready(here, None, mentioned):
        return
    async with here.guild.lock:
        await _make_ready(core, ThreadPlace(here.guild, here.state.thread, here.permissions), None, mentioned)


def _is_ready(here: ThreadPlace, author_id: int | None, mentioned: Iterable[int]) -> bool:
    thread_rules.check_may_write(here)
    return not here.channel.thread_metadata.archived and not _newcomers(here, author_id, mentioned)


async def _make_ready(core: Core, here: ThreadPlace, author_id: int | None, mentioned: Iterable[int]) -> None:
    """The caller holds the guild's lock."""
    thread_rules.check_may_write(here)
    new = here.channel
    if new.thread_metadata.archived:
        thread_rules.check_room(here.guild)
        now = timestamp(core.clock_ms())
        new = replace(new, thread_metadata=replace(new.thread_metadata, archived=False, archive_timestamp=now))
    joining = _newcomers(here, author_id, mentioned)
    if joining or new != here.channel:
        await thread_changes.commit(core, here.guild, here.state, new, joining=joining)


def _newcomers(here: ThreadPlace, author_id: int | None, mentioned: Iterable[int]) -> list[int]:
    """Who joins by a message, as far as there is room."""
    members, guild = here.state.members, here.guild
    wanted = [] if author_id is None or author_id in members else [int(author_id)]
    for user_id in mentioned:
        if user_id not in members and user_id != author_id and here.channel.parent_id in guild.sight(user_id):
            wanted += [int(user_id)] if _may_add(here, user_id) else []
    return wanted[: limits.THREAD_MEMBERS - len(members)] if wanted else wanted


def _may_add(here: ThreadPlace, user_id: int) -> bool:
    """`invitable`: whether non-moderators can add other non-moderators (resources/channel, "Thread Metadata")."""
    if here.channel.thread_metadata.invitable is not False or here.permissions & p.MANAGE_THREADS:
        return True
    return bool(here.guild.permissions_in(here.channel.parent_id, user_id) & p.MANAGE_THREADS)


async def _add(core: Core, here: ThreadPlace, user_id: int, notice: Composed | None = None) -> None:
    """Nothing for who is in the thread already."""
    members = here.state.members
    if user_id in members:
        return
    if len(members) >= limits.THREAD_MEMBERS:
        raise TOO_MANY_THREAD_MEMBERS()
    notices = [] if notice is None else [notice]
    await thread_changes.commit(core, here.guild, here.state, here.channel, joining=[user_id], notices=notices)


async def _remove(core: Core, here: ThreadPlace, user_id: int, notice: Composed | None) -> None:
    guild, thread = here.guild, here.state

    def removed(message_id: int | None) -> None:
        del thread.members[user_id]
        guild.thread_changed(thread.id)
        thread_events.left(core, guild, thread, user_id)
        if notice is not None and message_id is not None:
            message_events.posted(core, here, notice, message_id)

    await commits.change(core, (guild.id,), _delete, thread.id, user_id, notice, then=removed)


def _delete(tx: Tx, thread_id: int, user_id: int, notice: Composed | None) -> int | None:
    store.remove_member(tx, thread_id, user_id)
    return None if notice is None else messages.append(tx, [notice.draft])[0]


def _view(guild: GuildState, thread: ThreadState, user_id: int, with_member: bool) -> ThreadMemberView:
    member = guild.members[user_id] if with_member else UNSET
    return ThreadMemberView(**asdict(thread.member(user_id)), member=member)
