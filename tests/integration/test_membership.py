"""How a membership ends for the sessions of who leaves."""

from chatd.model.objects.gateway import Identify
from chatd.service import gateway as sessions
from chatd.service import membership
from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import Guild, User, World

GUILDS, MESSAGES = 1 << 0, 1 << 9


async def test_who_comes_back_at_once_gets_the_guild_behind_what_waits(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    live, state = server.core.live, server.core.live.guilds[int(guild.id)]
    member = state.members[int(bot.id)]
    async with gateway(server.url, bot.token) as its:
        seen = len(its.events)
        # Without an await between the two, the bus has delivered nothing: a flood is as long as that.
        membership.left(server.core, state, member.user)
        membership.joined(server.core, state, member)
        await live.bus.flush()
        await its.heartbeat()
        assert [name for name, _ in its.events[seen:]] == ["GUILD_DELETE", "GUILD_CREATE"]
        await owner.say(guild.general)
        await its.next("MESSAGE_CREATE")


async def test_a_guild_that_ready_has_announced_is_taken_back(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    """Between READY and its GUILD_CREATE the bot is kicked."""
    body = Identify(token=bot.token, properties={}, intents=GUILDS)
    session = await sessions.identify(server.core, body, 10, "localhost")
    assert session is not None
    (await owner.delete(f"/guilds/{guild.id}/members/{bot.id}")).ok(204)
    await server.core.live.bus.flush()
    assert [event.name for event in session.ring] == ["READY", "GUILD_DELETE"]


async def test_without_the_intent_nobody_is_told(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, bot.token, intents=MESSAGES) as its:
        await owner.say(guild.general)
        await its.next("MESSAGE_CREATE")
        (await owner.delete(f"/guilds/{guild.id}/members/{bot.id}")).ok(204)
        await owner.say(guild.general)
        await server.core.live.bus.flush()
        await its.heartbeat()
        assert [name for name, _ in its.events] == ["READY", "MESSAGE_CREATE"]
