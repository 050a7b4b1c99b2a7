"""The own profile and others', over the wire."""

from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import World


async def test_profiles(world: World) -> None:
    alice, bob = await world.person("Alice", email="Alice@Chat.test"), await world.person()
    me = (await alice.get("/users/@me")).ok()
    assert me.items() >= {
        "id": alice.id,
        "username": "alice",
        "discriminator": "0",
        "global_name": None,
        "email": "alice@chat.test",
        "bot": False,
        "locale": "en-US",
        "mfa_enabled": False,
    }.items()  # fmt: skip
    public = (await bob.get(f"/users/{alice.id}")).ok()
    assert public.items() >= {"id": alice.id, "username": "alice"}.items()
    assert public.keys().isdisjoint(("email", "locale", "verified", "bot"))
    bot = await world.bot(alice, name="Robo")
    public = (await bob.get(f"/users/{bot.id}")).ok()
    assert public.items() >= {"username": "Robo", "bot": True}.items()
    assert len(public["discriminator"]) == 4


async def test_edit(server: Server, world: World) -> None:
    alice, bob = await world.person("alice"), await world.person()
    guild = await world.guild(bob, alice)
    direct = await alice.dm(bob)
    async with gateway(server.url, alice.token) as hers, gateway(server.url, bob.token) as his:
        edited = (await alice.patch("/users/@me", {"username": "ALIce.2", "global_name": "Al"})).ok(200)
        assert (edited["username"], edited["global_name"]) == ("alice.2", "Al")
        assert await hers.next("USER_UPDATE") == edited
        assert (await his.next("GUILD_MEMBER_UPDATE"))["user"]["global_name"] == "Al"
    # wherever memory holds the user
    assert (await alice.say(guild.general))["author"]["username"] == "alice.2"
    assert (await bob.get(f"/guilds/{guild.id}/members/{alice.id}")).ok()["user"]["username"] == "alice.2"
    assert (await bob.get(f"/channels/{direct}")).ok()["recipients"][0]["username"] == "alice.2"
    assert (await alice.patch("/users/@me", {"global_name": None})).ok()["global_name"] is None
    # the old name is free, and the new one is what logs in
    (await bob.patch("/users/@me", {"username": "alice"})).ok()
    answer = await world.anybody.post("/auth/login", {"login": "alice.2", "password": "correct horse"})
    assert answer.ok(200)["user"]["id"] == alice.id


async def test_all_of_a_users_sessions_hear_of_its_profile(server: Server, world: World) -> None:
    """USER_UPDATE whatever the shard and the intents; GUILD_MEMBER_UPDATE where the guild is, its intent or not."""
    owner = await world.person()
    guild = await world.guild(owner)
    bot, other = await world.bot(owner, guild), await world.bot(owner, guild)
    shard = int(guild.id) >> 22 & 1
    async with (
        gateway(server.url, bot.token, intents=1, shard=[shard, 2]) as here,
        gateway(server.url, bot.token, intents=1, shard=[1 - shard, 2]) as elsewhere,
        gateway(server.url, other.token, intents=1) as blind,
        gateway(server.url, other.token, intents=1 | 1 << 1) as members,
        gateway(server.url, other.token, intents=1 | 1 << 8) as presences,
    ):
        (await bot.patch("/users/@me", {"username": "Renamed"})).ok(200)
        await server.core.live.bus.flush()
        heard = {}
        for name, it in (("here", here), ("elsewhere", elsewhere), ("blind", blind), ("members", members)):
            await it.heartbeat()
            heard[name] = [event for event, _ in it.events if event not in ("READY", "GUILD_CREATE")]
        assert heard == {
            "here": ["USER_UPDATE", "GUILD_MEMBER_UPDATE"],
            "elsewhere": ["USER_UPDATE"],
            "blind": [],
            "members": ["GUILD_MEMBER_UPDATE"],
        }
        updated = await here.next("GUILD_MEMBER_UPDATE")
        assert (updated["guild_id"], updated["user"]["username"]) == (guild.id, "Renamed")
        shown = await presences.next("PRESENCE_UPDATE", lambda d: d["user"]["id"] == bot.id)
        assert (shown["user"]["username"], shown["status"]) == ("Renamed", "online")


async def test_who_is_offline_shows_no_presence_when_renamed(server: Server, world: World) -> None:
    owner, watcher = await world.person(), await world.person()
    await world.guild(owner, watcher)
    async with gateway(server.url, watcher.token, intents=None) as it:
        (await owner.patch("/users/@me", {"global_name": "Another"})).ok(200)
        await it.next("GUILD_MEMBER_UPDATE")
        await server.core.live.bus.flush()
        await it.heartbeat()
        assert [d for d in it.named("PRESENCE_UPDATE") if d["user"]["id"] == owner.id] == []


async def test_names_of_bots_are_free(world: World) -> None:
    alice = await world.person("alice")
    bot, other = await world.bot(alice, name="Same name"), await world.bot(alice, name="Same name")
    for each in (bot, other):
        assert (await each.patch("/users/@me", {"username": "Ünïcode – name"})).ok()["username"] == "Ünïcode – name"
