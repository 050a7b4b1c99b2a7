"""What READY tells of its user, and to people's clients alone: their guilds whole, as far as they fit, what they have
read, and whom they know. See docs/clients.md.

Bots get their guilds one by one behind READY (`service.gateway.feed`), and so does a person those that do not fit.
"""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import UNSET, Raw, UnsetType

from chatd.live.sessions import Session
from chatd.model.intents import GATES
from chatd.model.objects.channel import DirectChannel
from chatd.model.objects.guild import UnavailableGuild
from chatd.model.objects.read_state import ReadState
from chatd.model.objects.relationship import Relationship
from chatd.model.objects.user import CurrentUser
from chatd.model.wire import Snowflake, encode
from chatd.service import access, directs, membership, read_states, relationships, users
from chatd.service.actors import Actor
from chatd.service.core import Core

# Guilds beyond this follow READY. Encoding so much takes some milliseconds, in which nothing else runs.
GUILDS_BYTES = 256 * 1024


class Personal(NamedTuple):
    """What belongs to the user and to no guild; the last two are people's only."""

    user: CurrentUser
    private_channels: tuple[DirectChannel, ...]
    read_state: tuple[ReadState, ...] | UnsetType
    relationships: tuple[Relationship, ...] | UnsetType


async def load_personal(core: Core, me: Actor) -> Personal:
    """As it is when this returns: what changes after that is told to the sessions that are there before the next await.

    But for mentions: one that comes while they are counted may be missing in the count. Brings the user's memberships
    into memory, and a person's guilds.
    """
    await access.load_memberships(core, me.id)
    while True:
        told = core.live.told[me.id]
        personal = Personal(
            user=await users.me(core, me),
            private_channels=tuple(await directs.mine(core, me)),
            read_state=UNSET if me.is_bot else await read_states.load(core, me),
            relationships=UNSET if me.is_bot else tuple(await relationships.mine(core, me)),
        )
        if core.live.told[me.id] == told:
            return personal


def whole_guilds(core: Core, session: Session, guild_ids: Iterable[int]) -> tuple[Raw | UnavailableGuild, ...]:
    """Snapshots of the guilds, to which the session is subscribed, until there is enough for one READY; then stubs.

    The caller sends READY before its next await, so that it comes before what happens in the guilds from now on.
    """
    wants = session.intents & GATES["GUILD_CREATE"][0]
    left = min(GUILDS_BYTES, core.config.gateway.send_buffer_bytes // 2)
    shown: list[Raw | UnavailableGuild] = []
    for guild_id in sorted(guild_ids):
        guild = core.live.guilds.get(guild_id)
        if wants and left > 0 and guild is not None and session.user.id in guild.members:
            encoded = encode(membership.snapshot(core, session, guild, unavailable=False))
            core.live.follow(session, guild.id)
            guild.add_session(session)
            left -= len(encoded)
            shown.append(Raw(encoded))
        else:
            shown.append(UnavailableGuild(id=Snowflake(guild_id)))
    return tuple(shown)
