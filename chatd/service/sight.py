"""What sessions are told when a change alters which channels they see.

Take `before` in front of the change and call `tell` behind it, both in the commit's callback: a session that has
gained a channel gets CHANNEL_CREATE, one that has lost it CHANNEL_DELETE, and the like for the scheduled events in it.
Discord's clients are not told at all; here nobody is left with a channel that is no longer theirs, or without one that
is.
"""

from collections import defaultdict
from collections.abc import Sequence

from chatd.live.guilds import GuildState
from chatd.live.sessions import Session
from chatd.model.intents import GATES
from chatd.model.objects.channel import Channel
from chatd.service import scheduled_events
from chatd.service.core import Core


class Seen:
    """Which channels each session saw, and what they looked like."""

    def __init__(self, guild: GuildState, user_id: int) -> None:
        self.guild = guild
        self.channels: dict[int, Channel] = dict(guild.channels)
        self.by_session = {
            session: guild.sight(session.user.id)
            for session in guild.audience(GATES["CHANNEL_UPDATE"][0])
            if not user_id or session.user.id == user_id
        }


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
        core.live.to_sessions(guild.id, "CHANNEL_DELETE", guild.channel(channel_id), sessions)
    for channel_id, sessions in sorted(gained.items()):
        core.live.to_sessions(guild.id, "CHANNEL_CREATE", guild.channel(channel_id), sessions)
        _tell_events(core, guild, sessions, "GUILD_SCHEDULED_EVENT_CREATE", channel_id)


def update(core: Core, seen: Seen, channel_id: int) -> None:
    """CHANNEL_UPDATE to those who saw the channel before and still do."""
    guild = seen.guild
    sees = guild.audience(GATES["CHANNEL_UPDATE"][0], channel_id)
    stayed = [session for session in sees if channel_id in seen.by_session[session]]
    core.live.to_sessions(guild.id, "CHANNEL_UPDATE", guild.channel(channel_id), stayed)


def _tell_events(core: Core, guild: GuildState, sessions: Sequence[Session], name: str, channel_id: int) -> None:
    events = [event for event in guild.scheduled_events.values() if event.channel_id == channel_id]
    listening = [session for session in sessions if session.intents & GATES[name][0]]
    for event in events:
        core.live.to_sessions(guild.id, name, scheduled_events.view(guild, event), listening)
