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


async def test_commands_are_carried_out(server: Server, world: World) -> None:
    owner = await world.person()
    guild = await world.guild(owner)
    bot = await world.bot(owner, guild)
    voice = next(channel["id"] for channel in guild.channels if channel["type"] == 2)
    async with gateway(server.url, owner.token, intents=None) as watcher, gateway(server.url, bot.token) as it:
        await it.send(3, {"status": "idle", "since": 0, "activities": [{"name": "chess", "type": 0}], "afk": True})
        shown = await watcher.next("PRESENCE_UPDATE", lambda d: d["status"] == "idle")
        assert (shown["user"]["id"], shown["activities"][0]["name"]) == (bot.id, "chess")
        await it.send(4, {"guild_id": guild.id, "channel_id": voice, "self_mute": True, "self_deaf": False})
        assert (await watcher.next("VOICE_STATE_UPDATE"))["channel_id"] == voice
        await it.send(8, {"guild_id": guild.id, "query": "", "limit": 0, "presences": True, "nonce": "all"})
        chunk = await it.next("GUILD_MEMBERS_CHUNK")
        assert {d["user"]["id"]: d["status"] for d in chunk["presences"]} == {owner.id: "online", bot.id: "idle"}
        assert (len(chunk["members"]), chunk["nonce"]) == (2, "all")
        (await bot.patch("/users/@me", {"username": "Renamed"})).ok(200)
        assert (await it.next("USER_UPDATE"))["username"] == "Renamed"
        assert (await watcher.next("GUILD_MEMBER_UPDATE"))["user"]["username"] == "Renamed"
