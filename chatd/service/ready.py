"""What READY tells a person's client and no bot: its guilds whole, as far as they fit. See docs/clients.md.

Bots get their guilds one by one behind READY (`service.gateway.feed`), and so does a person those that do not fit.
"""

from collections.abc import Iterable

from msgspec import Raw

from chatd.live.sessions import Session
from chatd.model.intents import GATES
from chatd.model.objects.guild import UnavailableGuild
from chatd.model.wire import Snowflake, encode
from chatd.service import guilds
from chatd.service.core import Core

# Guilds beyond this follow READY. Encoding so much takes some milliseconds, in which nothing else runs.
GUILDS_BYTES = 256 * 1024


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
            encoded = encode(guilds.snapshot(core, session, guild, unavailable=False))
            guild.add_session(session)
            left -= len(encoded)
            shown.append(Raw(encoded))
        else:
            shown.append(UnavailableGuild(id=Snowflake(guild_id)))
    return tuple(shown)
