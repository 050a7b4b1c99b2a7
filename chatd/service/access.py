"""Load what a request is about and check what the asker may do with it, in one call.

Unknown comes before forbidden, and a guild that the asker is no member of is unknown.
"""

from dataclasses import dataclass

from chatd.live.bus import Audience
from chatd.live.directs import DirectState
from chatd.live.guilds import GuildState
from chatd.live.sessions import Session
from chatd.live.threads import ThreadState
from chatd.model import permissions as p
from chatd.model.errors import (
    CANNOT_MESSAGE_USER,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    UNKNOWN_CHANNEL,
    UNKNOWN_GUILD,
    WRONG_CHANNEL_TYPE,
)
from chatd.model.intents import GATES
from chatd.model.objects.channel import Channel
from chatd.model.objects.thread import Thread
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import channels, guilds, threads
from chatd.store.channels import LoadedDirect
from chatd.store.guilds import LoadedGuild
from chatd.store.threads import LoadedThread

# What the two users of a direct channel may do there (topics/permissions has nothing on it; this is what clients see).
DIRECT_PERMISSIONS = (
    p.VIEW_CHANNEL
    | p.SEND_MESSAGES
    | p.SEND_TTS_MESSAGES
    | p.EMBED_LINKS
    | p.ATTACH_FILES
    | p.READ_MESSAGE_HISTORY
    | p.ADD_REACTIONS
    | p.USE_EXTERNAL_EMOJIS
    | p.USE_EXTERNAL_STICKERS
    | p.PIN_MESSAGES
    | p.SEND_POLLS
    | p.SEND_VOICE_MESSAGES
)


@dataclass(frozen=True, slots=True)
class GuildPlace:
    """A channel or a thread of a guild, as its asker may use it."""

    guild: GuildState
    channel: Channel | Thread
    permissions: int

    @property
    def id(self) -> int:
        return self.channel.id

    @property
    def bus_key(self) -> int:
        return self.guild.id

    def audience(self, core: Core, name: str, content: bool = False) -> Audience:
        """Who gets an event of this channel."""
        return self.guild.audience(GATES[name][0], self.channel.id, content)

    def posted(self, message_id: int) -> None:
        """After the commit of a new message."""
        self.guild.last_message_ids[self.channel.id] = message_id

    def unposted(self, message_id: int) -> None:
        """After the commit of a message's end."""


@dataclass(frozen=True, slots=True)
class GuildChannel(GuildPlace):
    channel: Channel


@dataclass(frozen=True, slots=True)
class ThreadPlace(GuildPlace):
    channel: Thread

    @property
    def state(self) -> ThreadState:
        """Raises UNKNOWN_CHANNEL when the thread is deleted by now."""
        found = self.guild.threads.get(self.channel.id)
        if found is None:
            raise UNKNOWN_CHANNEL()
        return found

    def posted(self, message_id: int) -> None:
        if (thread := self.guild.threads.get(self.channel.id)) is not None:
            thread.posted(message_id)

    def unposted(self, message_id: int) -> None:
        if (thread := self.guild.threads.get(self.channel.id)) is not None:
            thread.unposted(message_id)


@dataclass(frozen=True, slots=True)
class DirectAccess:
    """A direct channel, as one of its two users may use it."""

    direct: DirectState
    permissions: int = DIRECT_PERMISSIONS

    @property
    def id(self) -> int:
        return self.direct.id

    @property
    def bus_key(self) -> int:
        return self.direct.id

    def audience(self, core: Core, name: str, content: bool = False) -> Audience:
        return core.live.direct_audience(self.direct, GATES[name][1])

    def posted(self, message_id: int) -> None:
        self.direct.last_message_id = message_id

    def unposted(self, message_id: int) -> None:
        pass


Here = GuildPlace | DirectAccess


async def guild(core: Core, me: Actor, guild_id: int, needs: int = 0) -> GuildState:
    """The guild, of which the asker is a member with all of `needs`. Raises UNKNOWN_GUILD, MISSING_PERMISSIONS."""
    found = await load_guild(core, guild_id)
    if found is None or me.id not in found.members:
        raise UNKNOWN_GUILD()
    if granted(core, found, me.id) & needs != needs:
        raise MISSING_PERMISSIONS()
    return found


def granted(core: Core, guild: GuildState, user_id: int, channel_id: int = 0) -> int:
    """What the member may do now, in the guild or in one of its channels: less while it is timed out."""
    permissions = guild.permissions_in(channel_id, user_id) if channel_id else guild.permissions(user_id)
    if not guild.is_timed_out(user_id, core.clock_ms()):
        return permissions
    return p.timed_out(guild.permissions(user_id), permissions)


async def guild_of_session(core: Core, session: Session, guild_id: int) -> GuildState | None:
    """The guild that a gateway command names; None for one that the session gets nothing of."""
    if not session.serves(guild_id) or guild_id not in await load_memberships(core, session.user.id):
        return None
    return await load_guild(core, guild_id)


async def channel(core: Core, me: Actor, channel_id: int, needs: int = 0) -> Here:
    """The channel or thread, which the asker sees and where it has all of `needs`.

    Raises UNKNOWN_CHANNEL, MISSING_ACCESS (cannot see it), MISSING_PERMISSIONS, CANNOT_MESSAGE_USER (blocked).
    """
    state = await _state(core, channel_id)
    if isinstance(state, DirectState):
        if me.id not in state.users:
            raise MISSING_ACCESS()
        if needs & p.SEND_MESSAGES and state.is_blocked:
            raise CANNOT_MESSAGE_USER()
        return DirectAccess(state)
    here = None if state is None else place(state, channel_id, granted(core, state, me.id, channel_id))
    if here is None:
        raise UNKNOWN_CHANNEL()
    if not here.permissions & p.VIEW_CHANNEL:
        raise MISSING_ACCESS()
    if here.permissions & needs != needs:
        raise MISSING_PERMISSIONS()
    return here


async def nobodys(core: Core, channel_id: int) -> Here | None:
    """The channel or thread, for what happens in it by itself; None when it is gone."""
    state = await _state(core, channel_id)
    if isinstance(state, DirectState):
        return DirectAccess(state)
    return None if state is None else place(state, channel_id)


async def guild_channel(core: Core, me: Actor, channel_id: int, needs: int = 0) -> GuildChannel:
    """As `channel`, for what only a guild's channels have. Raises WRONG_CHANNEL_TYPE for a thread."""
    here = await channel(core, me, channel_id, needs)
    if isinstance(here, GuildChannel):
        return here
    raise UNKNOWN_CHANNEL() if isinstance(here, DirectAccess) else WRONG_CHANNEL_TYPE()


async def thread(core: Core, me: Actor, thread_id: int, needs: int = 0) -> ThreadPlace:
    """As `channel`, for what only threads have. Raises WRONG_CHANNEL_TYPE for anything else."""
    here = await channel(core, me, thread_id, needs)
    if isinstance(here, ThreadPlace):
        return here
    raise WRONG_CHANNEL_TYPE()


def place(guild: GuildState, channel_id: int, permissions: int = 0) -> GuildPlace | None:
    """The channel or thread, of those in memory."""
    if (found := guild.channels.get(channel_id)) is not None:
        return GuildChannel(guild, found, permissions)
    found_thread = guild.threads.get(channel_id)
    return None if found_thread is None else ThreadPlace(guild, found_thread.thread, permissions)


async def load_place(core: Core, guild: GuildState, channel_id: int) -> GuildPlace | None:
    """As `place`, of those that there are."""
    if channel_id not in guild.channels:
        await load_thread(core, guild, channel_id)
    return place(guild, channel_id)


async def load_thread(core: Core, guild: GuildState, thread_id: int) -> None:
    """Have the thread in memory, if the guild has it: active ones always are."""
    if guild.threads.get(thread_id) is not None:
        return

    def install(loaded: LoadedThread | None) -> None:
        is_wanted = core.live.guilds.get(guild.id) is guild and guild.threads.get(thread_id) is None
        if loaded is not None and loaded.thread.guild_id == guild.id and is_wanted:
            core.live.thread_put(guild, ThreadState(*loaded))

    await core.db.write(threads.get, thread_id, then=install)


async def load_guild(core: Core, guild_id: int) -> GuildState | None:
    """The guild's state, from memory or the database; None when there is no such guild."""
    found = core.live.guilds.get(guild_id)
    if found is not None:
        return found

    def install(loaded: LoadedGuild | None) -> GuildState | None:
        return None if loaded is None else core.live.install_guild(GuildState(*loaded))

    # On the writer, although it only reads: see `live.state`.
    return await core.db.write(guilds.load, guild_id, then=install)


async def load_direct(core: Core, channel_id: int) -> DirectState | None:
    found = core.live.directs.get(channel_id)
    if found is not None:
        return found

    def install(loaded: LoadedDirect | None) -> DirectState | None:
        return None if loaded is None else core.live.install_direct(DirectState(channel_id, *loaded))

    return await core.db.write(channels.direct, channel_id, then=install)


async def load_memberships(core: Core, user_id: int) -> set[int]:
    """The ids of the user's guilds: the live set, so do not keep it across an await."""
    found = core.live.memberships.get(user_id)
    if found is not None:
        return found
    return await core.db.write(
        guilds.ids_of_user, user_id, then=lambda ids: core.live.memberships.setdefault(user_id, set(ids))
    )


async def _state(core: Core, channel_id: int) -> GuildState | DirectState | None:
    """What the channel belongs to, with the channel itself in memory; None when there is no such channel."""
    found = core.live.guild_of_channel(channel_id) or core.live.directs.get(channel_id)
    return found or await _load_of_channel(core, channel_id)


async def _load_of_channel(core: Core, channel_id: int) -> GuildState | DirectState | None:
    key = await core.db.read(channels.key, channel_id)
    if key is None:
        return None
    if key.guild_id is None:
        return await load_direct(core, channel_id)
    found = await load_guild(core, key.guild_id)
    if found is not None and channel_id not in found.channels:
        await load_thread(core, found, channel_id)
    return found
