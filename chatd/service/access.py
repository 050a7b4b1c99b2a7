"""Load what a request is about and check what the asker may do with it, in one call.

Unknown comes before forbidden, and a guild that the asker is no member of is unknown.
"""

from dataclasses import dataclass

from chatd.live.bus import Audience
from chatd.live.directs import DirectState
from chatd.live.guilds import GuildState
from chatd.live.sessions import Session
from chatd.model import permissions as p
from chatd.model.errors import CANNOT_MESSAGE_USER, MISSING_ACCESS, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, UNKNOWN_GUILD
from chatd.model.intents import GATES
from chatd.model.objects.channel import Channel
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import channels, guilds
from chatd.store.channels import LoadedDirect
from chatd.store.guilds import LoadedGuild

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
    | p.PIN_MESSAGES
)


@dataclass(frozen=True, slots=True)
class GuildChannel:
    """A channel of a guild, as its asker may use it."""

    guild: GuildState
    channel: Channel
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


async def channel(core: Core, me: Actor, channel_id: int, needs: int = 0) -> GuildChannel | DirectAccess:
    """The channel, which the asker sees and where it has all of `needs`.

    Raises UNKNOWN_CHANNEL, MISSING_ACCESS (cannot see it), MISSING_PERMISSIONS, CANNOT_MESSAGE_USER (blocked).
    """
    state = core.live.guild_of_channel(channel_id) or core.live.directs.get(channel_id)
    if state is None:
        state = await _load_of_channel(core, channel_id)
    if isinstance(state, DirectState):
        if me.id not in state.users:
            raise MISSING_ACCESS()
        if needs & p.SEND_MESSAGES and state.is_blocked:
            raise CANNOT_MESSAGE_USER()
        return DirectAccess(state)
    if state is None or (found := state.channels.get(channel_id)) is None:
        raise UNKNOWN_CHANNEL()
    permissions = granted(core, state, me.id, channel_id)
    if not permissions & p.VIEW_CHANNEL:
        raise MISSING_ACCESS()
    if permissions & needs != needs:
        raise MISSING_PERMISSIONS()
    return GuildChannel(state, found, permissions)


async def guild_channel(core: Core, me: Actor, channel_id: int, needs: int = 0) -> GuildChannel:
    """As `channel`, for what only a guild's channels have."""
    here = await channel(core, me, channel_id, needs)
    if isinstance(here, DirectAccess):
        raise UNKNOWN_CHANNEL()
    return here


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


async def _load_of_channel(core: Core, channel_id: int) -> GuildState | DirectState | None:
    key = await core.db.read(channels.key, channel_id)
    if key is None:
        return None
    return await (load_direct(core, channel_id) if key.guild_id is None else load_guild(core, key.guild_id))
