"""What sessions are told when a change alters which channels they see.

Take `before` in front of the change and call `tell` behind it, both in the commit's callback: a session that has
gained a channel gets CHANNEL_CREATE, one that has lost it CHANNEL_DELETE, and the like for the scheduled events in it
and for who is there in voice.
Discord's clients are not told at all; here nobody is left with a channel that is no longer theirs, or without one that
is. With a channel come its threads, and with MANAGE_THREADS the private ones: THREAD_LIST_SYNC (topics/threads,
"Channel Access").
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set

from chatd.live.guilds import GuildState
from chatd.live.sessions import Session
from chatd.live.threads import ThreadState
from chatd.model.intents import GATES
from chatd.model.objects.channel import PARENT_TYPES, Channel
from chatd.model.objects.gateway import ThreadListSync
from chatd.model.objects.voice import VoiceState
from chatd.model.wire import Snowflake
from chatd.service import scheduled_events, voice
from chatd.service.core import Core


class Seen:
    """Which channels each session saw, and what they looked like."""

    def __init__(self, guild: GuildState, user_id: int) -> None:
        self.guild = guild
        self.channels: dict[int, Channel] = dict(guild.channels)
        self.by_session = {
            session: guild.sight(session.user.id)
            for session in guild.audience(0)
            if not user_id or session.user.id == user_id
        }
        self._parents = {thread.parent_id for thread in guild.threads.active.values() if thread.is_private}
        self.managed = {session: self.managed_by(session) for session in self.by_session} if self._parents else {}

    def managed_by(self, session: Session) -> frozenset[int]:
        """The channels with private threads of which the session sees all now."""
        return frozenset(id_ for id_ in self._parents if self.guild.manages_threads(id_, session.user.id))


def before(guild: GuildState, user_id: int = 0) -> Seen:
    """With a user, for a change that is about that user alone."""
    return Seen(guild, user_id)


def tell(core: Core, seen: Seen) -> None:
    """Channels made or deleted by the change are not among these: the caller tells of them."""
    guild = seen.guild
    groups: dict[tuple[frozenset[int], frozenset[int]], list[Session]] = defaultdict(list)
    for session, old in seen.by_session.items():
        new = guild.sight(session.user.id)
        if new is not old and new != old:
            groups[old, new].append(session)
    kept = seen.channels.keys() & guild.channels.keys()
    lost, gained = defaultdict[int, list[Session]](list), defaultdict[int, list[Session]](list)
    for (old, new), sessions in groups.items():
        for channel_id in (old - new) & kept:
            lost[channel_id] += sessions
        for channel_id in (new - old) & kept:
            gained[channel_id] += sessions
    for channel_id, sessions in sorted(lost.items()):
        _tell_events(core, guild, sessions, "GUILD_SCHEDULED_EVENT_DELETE", channel_id)
        _tell_voice(core, guild, sessions, channel_id, voice.outside)
        _tell_channel(core, guild, sessions, "CHANNEL_DELETE", channel_id)
    for channel_id, sessions in sorted(gained.items()):
        _tell_channel(core, guild, sessions, "CHANNEL_CREATE", channel_id)
        _tell_voice(core, guild, sessions, channel_id, lambda state: state)
        _tell_events(core, guild, sessions, "GUILD_SCHEDULED_EVENT_CREATE", channel_id)
    _sync_threads(core, guild, _gained_parents(seen, groups, kept))


def _gained_parents(
    seen: Seen, groups: Mapping[tuple[frozenset[int], frozenset[int]], Sequence[Session]], kept: Set[int]
) -> dict[Session, frozenset[int]]:
    """The channels in which a session sees threads that it did not see before."""
    guild = seen.guild
    gained: dict[Session, frozenset[int]] = {}
    for (old, new), sessions in groups.items():
        parents = frozenset(id_ for id_ in (new - old) & kept if guild.channels[id_].type in PARENT_TYPES)
        if parents:
            gained.update(dict.fromkeys(sessions, parents))
    for session, managed in seen.managed.items():
        parents = seen.managed_by(session) - managed
        if parents:
            gained[session] = gained.get(session, frozenset()) | parents
    return gained


def _sync_threads(core: Core, guild: GuildState, gained: Mapping[Session, frozenset[int]]) -> None:
    """All active threads of these channels; those who are in none of them share what they get."""
    if not gained:
        return
    below: dict[int, list[ThreadState]] = defaultdict(list)
    for thread in guild.threads.active.values():
        below[thread.parent_id].append(thread)
    alike: dict[tuple[frozenset[int], tuple[ThreadState, ...], int], list[Session]] = defaultdict(list)
    listening = {session: ids for session, ids in gained.items() if session.intents & GATES["THREAD_LIST_SYNC"][0]}
    for session, parents in listening.items():
        user_id = int(session.user.id)
        threads = [thread for parent_id in sorted(parents) for thread in below.get(parent_id, ())]
        seen = tuple(thread for thread in threads if guild.sees_thread(user_id, thread))
        alike[parents, seen, user_id if any(user_id in thread.members for thread in seen) else 0].append(session)
    for (parents, seen, user_id), sessions in alike.items():
        event = ThreadListSync(
            guild_id=guild.guild.id,
            channel_ids=tuple(Snowflake(channel_id) for channel_id in sorted(parents)),
            threads=tuple(thread.view() for thread in seen),
            members=tuple(thread.member(user_id) for thread in seen if user_id in thread.members),
        )
        core.live.to_sessions(guild.id, "THREAD_LIST_SYNC", event, sessions)


def update(core: Core, seen: Seen, channel_id: int) -> None:
    """CHANNEL_UPDATE to those who saw the channel before and still do."""
    guild = seen.guild
    sees = guild.audience(GATES["CHANNEL_UPDATE"][0], channel_id)
    stayed = [session for session in sees if channel_id in seen.by_session[session]]
    core.live.to_sessions(guild.id, "CHANNEL_UPDATE", guild.channel(channel_id), stayed)


def _tell_channel(core: Core, guild: GuildState, sessions: Sequence[Session], name: str, channel_id: int) -> None:
    listening = [session for session in sessions if session.intents & GATES[name][0]]
    core.live.to_sessions(guild.id, name, guild.channel(channel_id), listening)


def _tell_events(core: Core, guild: GuildState, sessions: Sequence[Session], name: str, channel_id: int) -> None:
    events = [event for event in guild.scheduled_events.values() if event.channel_id == channel_id]
    listening = [session for session in sessions if session.intents & GATES[name][0]]
    for event in events:
        core.live.to_sessions(guild.id, name, scheduled_events.view(guild, event), listening)


def _tell_voice(
    core: Core,
    guild: GuildState,
    sessions: Sequence[Session],
    channel_id: int,
    shown: Callable[[VoiceState], VoiceState],
) -> None:
    """A member's own sessions know where it is, whatever it sees."""
    name = "VOICE_STATE_UPDATE"
    for state in guild.voice_in(channel_id):
        told = (s for s in sessions if s.intents & GATES[name][0] and s.user.id != state.user_id)
        core.live.to_sessions(guild.id, name, voice.wire_form(guild, shown(state)), told)
