"""What is true right now, all of it: guilds, direct channels, sessions, and the bus that carries their events.

Guilds and direct channels are loaded when first needed and stay. The load runs on the database's writer (see
`service.access`), so that a snapshot is installed at exactly its place in commit order: whatever was committed before
is in it, and whatever commits later finds it here and changes it.
"""

from collections import Counter
from collections.abc import Iterable

import trio

from chatd.live.bus import Audience, Bus
from chatd.live.directs import DirectState
from chatd.live.frames import Event
from chatd.live.guilds import GuildState
from chatd.live.own_posts import OwnPosts
from chatd.live.presence import OFFLINE, Shown
from chatd.live.sessions import Session, Sessions
from chatd.live.threads import ThreadState
from chatd.live.webhooks import Webhooks
from chatd.model.intents import GATES
from chatd.model.objects.guild import Member
from chatd.model.objects.presence import PresenceParams
from chatd.model.wire import Object, encode

# Some 10 MB when full: seconds of a flood by many people in many channels.
OWN_POSTS = 50_000
# Some 10 MB when full.
WEBHOOKS = 10_000


class Live:
    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.sessions = Sessions()
        self.guilds: dict[int, GuildState] = {}
        self.directs: dict[int, DirectState] = {}
        self.memberships: dict[int, set[int]] = {}  # user -> guilds, for users who were asked for
        self.voiced: set[int] = set()  # guilds with somebody in a voice channel, or until a moment ago
        # The newest presence of each session that changes its own too often: told when it may again.
        self.late_presences: dict[Session, PresenceParams] = {}
        # Held for a millisecond's work that can wait, of which there is one in a round of the event loop.
        self.turn = trio.Lock()
        self.told: Counter[int] = Counter()  # user -> how often `to_user` told it something
        self.own_posts = OwnPosts(OWN_POSTS)
        self.webhooks = Webhooks(WEBHOOKS)
        # Streams (guilds, direct channels, users) with a change that cannot be told again, since `service.checkpoints`
        # has last taken them, to note where their sessions stand.
        self.marked: set[int] = set()
        self.begun: set[Session] = set()  # new or restored, with their guilds; taken by `service.checkpoints`
        self.departed: set[int] = set()  # users of whom a session has ended; taken by `service.temporary_members`
        # Taken for work on AutoMod's rules that is too long for the event loop: one thread at a time.
        self.matching = trio.CapacityLimiter(1)
        self._guild_of_channel: dict[int, GuildState] = {}

    # --- guilds and channels -----------------------------------------------------------------------------------

    def install_guild(self, loaded: GuildState) -> GuildState:
        """Keep a freshly loaded guild, unless it is here already: then the one that is here is right."""
        found = self.guilds.setdefault(loaded.id, loaded)
        for channel_id in (*found.channels, *found.threads.active):
            self._guild_of_channel[channel_id] = found
        return found

    def guild_of_channel(self, channel_id: int) -> GuildState | None:
        return self._guild_of_channel.get(channel_id)

    def channel_added(self, guild: GuildState, channel_id: int) -> None:
        self._guild_of_channel[channel_id] = guild

    def channel_removed(self, channel_id: int) -> None:
        self._guild_of_channel.pop(channel_id, None)

    def thread_put(self, guild: GuildState, thread: ThreadState) -> None:
        """A thread is new, loaded, archived or unarchived."""
        self._guild_of_channel[thread.id] = guild
        forgotten = guild.threads.put(thread)
        guild.thread_changed(thread.id)
        if forgotten is not None:
            self._forget_thread(guild, forgotten)

    def thread_removed(self, guild: GuildState, thread_id: int) -> None:
        guild.threads.pop(thread_id)
        self._forget_thread(guild, thread_id)

    def _forget_thread(self, guild: GuildState, thread_id: int) -> None:
        guild.thread_changed(thread_id)
        self.channel_removed(thread_id)

    def member_added(self, guild: GuildState, member: Member) -> None:
        guild.put_member(member)
        guild.member_changed(member.user.id)
        if member.user.id in self.memberships:
            self.memberships[member.user.id].add(guild.id)

    def member_removed(self, guild: GuildState, user_id: int) -> None:
        """The member's sessions are the caller's to remove, after their last event."""
        guild.drop_member(user_id)
        guild.member_changed(user_id)
        self.memberships.get(user_id, set()).discard(guild.id)

    def guild_removed(self, guild: GuildState) -> None:
        """The guild is deleted: nothing of it is found any more, and who still holds it finds nobody in it."""
        for channel_id in (*guild.channels, *(thread.id for thread in guild.threads.all())):
            self.channel_removed(channel_id)
        for user_id in guild.members:
            self.memberships.get(user_id, set()).discard(guild.id)
        for session in tuple(guild.sessions):
            guild.remove_session(session)
        guild.members.clear()
        guild.voice.clear()
        guild.changed()
        self.voiced.discard(guild.id)
        self.guilds.pop(guild.id, None)

    def install_direct(self, loaded: DirectState) -> DirectState:
        """As `install_guild`."""
        return self.directs.setdefault(loaded.id, loaded)

    # --- who follows what --------------------------------------------------------------------------------------

    def follow(self, session: Session, key: int) -> None:
        """To be called before the session gets its first event of a guild, a direct channel, or about its user."""
        if self.bus.follow(session, key):
            self._regroup(session)

    def order(self, session: Session) -> None:
        """From now on, what is pushed to the session comes behind what waits for it on the bus."""
        if self.bus.order(session):
            self._regroup(session)

    def _regroup(self, session: Session) -> None:
        for guild_id in session.guild_ids:
            self.guilds[guild_id].regroup()

    def direct_audience(self, direct: DirectState, intent: int) -> Audience:
        """Who gets an event of a direct channel. Sessions follow it from their first event on."""
        sessions = direct.sessions(intent, self.sessions.of_user)
        for session in sessions:
            self.follow(session, direct.id)
        return Audience(sessions)

    # --- publishing --------------------------------------------------------------------------------------------

    def to_guild(self, guild: GuildState, name: str, payload: Object, channel_id: int = 0) -> None:
        """Publish to the guild's sessions with the event's intent, and with a channel to those who see it."""
        self.to_audience(guild.id, name, payload, guild.audience(GATES[name][0], channel_id))

    def to_guild_and_member(self, guild: GuildState, name: str, payload: Object, user_id: int) -> None:
        """As `to_guild`, and to the member's own sessions whatever their intents (events/gateway, "Caveats")."""
        gate = GATES[name][0]
        audience = guild.audience(gate)
        own = [s for s in self.sessions.of_user(user_id) if s in guild.sessions and not s.intents & gate]
        self.to_audience(guild.id, name, payload, Audience((*audience, *own)) if own else audience)

    def to_audience(self, key: int, name: str, payload: Object, audience: Audience) -> None:
        if audience:
            self.bus.publish(key, Event(name, encode(payload)), audience)

    def to_sessions(self, key: int, name: str, payload: Object, sessions: Iterable[Session]) -> None:
        self.to_audience(key, name, payload, Audience(tuple(sessions)))

    def push(self, session: Session, name: str, payload: Object) -> None:
        """Send to one session at once, before what waits on the bus."""
        event = Event(name, encode(payload))
        event.position = self.bus.horizon
        session.push(event)

    def to_user(self, user_id: int, name: str, payload: Object, *, every_shard: bool = False) -> None:
        """Publish to every session of one user that gets what belongs to no guild: those of shard 0, or all."""
        self.told[user_id] += 1
        sessions = [s for s in self.sessions.of_user(user_id) if every_shard or s.shard[0] == 0]
        for session in sessions:
            self.follow(session, user_id)
        self.to_sessions(user_id, name, payload, sessions)

    # --- presence ----------------------------------------------------------------------------------------------

    def presence_of(self, user_id: int) -> Shown:
        return self.sessions.presence_of(user_id)

    def is_online(self, user_id: int) -> bool:
        return self.presence_of(user_id).status != OFFLINE.status
