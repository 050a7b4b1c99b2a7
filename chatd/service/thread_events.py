"""Who hears what of threads. Docs: events/gateway-events, "Threads"; topics/threads, "Thread Membership".

All of these are called in the callback of a commit, when `live` knows of the change.
"""

from collections.abc import Collection, Iterable, Sequence

from msgspec import UNSET
from msgspec.structs import asdict

from chatd.live.bus import Audience
from chatd.live.guilds import GuildState
from chatd.live.sessions import Session
from chatd.live.threads import ThreadState
from chatd.model import intents
from chatd.model.intents import GATES
from chatd.model.objects.gateway import (
    AddedThreadMember,
    NewThread,
    ThreadDelete,
    ThreadMembersUpdate,
    ThreadMemberUpdate,
)
from chatd.model.objects.thread import Thread
from chatd.model.wire import Snowflake
from chatd.service.core import Core


def created(core: Core, guild: GuildState, thread: ThreadState) -> None:
    """With those who are in it from the beginning."""
    shown = thread.view()
    event = NewThread(**{name: getattr(shown, name) for name in Thread.__struct_fields__})
    core.live.to_guild(guild, "THREAD_CREATE", event, thread.id)
    if thread.members:
        _members_update(core, guild, thread, {id_: _added(guild, thread, id_) for id_ in thread.members}, ())


def updated(core: Core, guild: GuildState, thread: ThreadState) -> None:
    core.live.to_guild(guild, "THREAD_UPDATE", thread.view(), thread.id)


def deleted(core: Core, guild: GuildState, thread: Thread, audience: Audience) -> None:
    """`audience`: those who saw it."""
    event = ThreadDelete(id=thread.id, guild_id=thread.guild_id, parent_id=thread.parent_id, type=thread.type)
    core.live.to_audience(guild.id, "THREAD_DELETE", event, audience)


def unarchived(core: Core, guild: GuildState, thread: ThreadState) -> None:
    """Its members may not know any more that they are: each is told (topics/threads, "Unarchiving a Thread")."""
    for user_id in thread.members:
        sessions = _own(core, guild, user_id)
        if sessions:
            event = ThreadMemberUpdate(guild_id=guild.guild.id, **asdict(thread.member(user_id)))
            core.live.to_sessions(guild.id, "THREAD_MEMBER_UPDATE", event, sessions)


def joined(core: Core, guild: GuildState, thread: ThreadState, user_ids: Collection[int]) -> None:
    """Whoever is in it now gets the thread, which it may not have seen before, and all get to know."""
    for user_id in user_ids:
        core.live.to_sessions(guild.id, "THREAD_CREATE", thread.view(user_id), _own(core, guild, user_id))
    added = {user_id: _added(guild, thread, user_id) for user_id in user_ids}
    _members_update(core, guild, thread, added, ())


def left(core: Core, guild: GuildState, thread: ThreadState, user_id: int) -> None:
    _members_update(core, guild, thread, {}, (user_id,))


def _members_update(
    core: Core, guild: GuildState, thread: ThreadState, added: dict[int, AddedThreadMember], removed: Sequence[int]
) -> None:
    """To those who see the thread and have the intent GUILD_MEMBERS; without it, members hear of themselves."""

    def event(added: Iterable[AddedThreadMember], removed: Iterable[int]) -> ThreadMembersUpdate:
        return ThreadMembersUpdate(
            id=thread.thread.id,
            guild_id=guild.guild.id,
            member_count=thread.shown_members,
            added_members=tuple(added) or UNSET,
            removed_member_ids=tuple(Snowflake(user_id) for user_id in removed) or UNSET,
        )

    name = "THREAD_MEMBERS_UPDATE"
    everyone = guild.audience(intents.GUILD_MEMBERS, thread.id)
    if everyone:
        core.live.to_audience(guild.id, name, event(added.values(), removed), everyone)
    told = frozenset(everyone)
    for user_id in (*added, *removed):
        sessions = [session for session in _own(core, guild, user_id) if session not in told]
        if sessions:
            own = event([added[user_id]], ()) if user_id in added else event((), [user_id])
            core.live.to_sessions(guild.id, name, own, sessions)


def _added(guild: GuildState, thread: ThreadState, user_id: int) -> AddedThreadMember:
    return AddedThreadMember(**asdict(thread.member(user_id)), member=guild.members[user_id], presence=None)


def _own(core: Core, guild: GuildState, user_id: int) -> list[Session]:
    """The user's sessions in the guild."""
    intent = GATES["THREAD_CREATE"][0]
    return [s for s in core.live.sessions.of_user(user_id) if s in guild.sessions and s.intents & intent]
