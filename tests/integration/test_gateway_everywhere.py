"""One conversation on every variant of the server: each database, each HTTP front end."""

from tests.support.app import Server
from tests.support.client import gateway, resumed
from tests.support.world import World


async def test_a_conversation_survives_a_broken_connection(server: Server, world: World) -> None:
    owner = await world.person()
    guild = await world.guild(owner)
    bot = await world.bot(owner, guild)
    async with gateway(server.url, bot.token, compress="zlib-stream") as it:
        posted = await owner.say(guild.general, "first")
        assert (await it.next("MESSAGE_CREATE"))["id"] == posted["id"]
        it.cut()
        await it.until_closed()
    missed = [(await owner.say(guild.general, f"missed {n}"))["id"] for n in range(3)]
    (await owner.delete(f"/channels/{guild.general}/messages/{missed[0]}")).ok(204)
    async with resumed(it, compress="zlib-stream") as again:
        assert [name for name, _ in again.events] == [*["MESSAGE_CREATE"] * 3, "MESSAGE_DELETE", "RESUMED"]
        assert [d["id"] for d in again.named("MESSAGE_CREATE")] == missed
        reply = await bot.say(guild.general, "live again")
        assert (await again.next("MESSAGE_CREATE", lambda d: d["id"] == reply["id"]))["author"]["id"] == bot.id
