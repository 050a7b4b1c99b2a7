"""More members than a test has time to register."""

from msgspec.structs import replace

from chatd.model.wire import Snowflake
from tests.support.app import Server
from tests.support.world import Guild, User


def crowd(server: Server, guild: Guild, like: User, count: int) -> None:
    """Members out of nowhere, until there are so many."""
    members = server.core.live.guilds[int(guild.id)].members
    one = members[int(like.id)]
    for n in range(count - len(members)):
        members[n] = replace(one, user=replace(one.user, id=Snowflake(n)))
