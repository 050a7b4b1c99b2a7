"""Applications, their bots' tokens, and bots in guilds, over the wire."""

import base64

import trio

from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import World

UNAUTHORIZED = (401, 0)
NO_PERMISSION = (403, 50013)
MANAGE_GUILD, MANAGE_MESSAGES, VIEW = 1 << 5, 1 << 13, 1 << 10
PRIVILEGED = 1 << 13 | 1 << 15 | 1 << 19


async def test_an_application(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    made = (await alice.post("/applications", {"name": "Robo", "description": "d"})).ok(201)
    assert (made["name"], made["description"], made["flags"]) == ("Robo", "d", PRIVILEGED)
    assert (made["owner"]["id"], made["bot"]["id"], made["bot"]["username"]) == (alice.id, made["id"], "Robo")
    assert (await alice.get(f"/applications/{made['id']}")).ok() == made
    assert (await alice.get("/applications")).ok() == [made]
    assert (await bob.get("/applications")).ok() == []
    edited = (await alice.patch(f"/applications/{made['id']}", {"name": "Other", "flags": 1 << 19 | 1})).ok()
    assert edited == made | {"name": "Other", "flags": 1 << 19, "flags_new": str(1 << 19)}


async def test_reset_ends_the_old_token(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    first, _, _ = bot.token.partition(".")
    assert base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode() == bot.id
    async with gateway(server.url, bot.token) as ear:
        token = (await alice.post(f"/applications/{bot.id}/bot/reset")).ok()["token"]
        assert (await ear.until_closed()).code == 4004
    assert (await bot.get("/users/@me")).error == UNAUTHORIZED
    async with bot.with_token(f"Bot {token}") as renewed:
        assert (await renewed.get("/users/@me")).ok()["id"] == bot.id


async def test_authorize(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    other = await world.bot(alice, guild, permissions=VIEW)
    bot = await world.bot(bob, name="Robo")  # public: not its owner decides
    assert (await bot.get(f"/guilds/{guild.id}")).error == (404, 10004)
    async with gateway(server.url, bob.token) as his, gateway(server.url, bot.token) as its:
        assert its.ready["guilds"] == []
        (await world.authorize(alice, bot.id, guild, VIEW | MANAGE_MESSAGES)).ok(200)
        role = (await his.next("GUILD_ROLE_CREATE"))["role"]
        member = await his.next("GUILD_MEMBER_ADD")
        assert (await its.next("GUILD_CREATE"))["id"] == guild.id
    assert (role["name"], role["managed"], role["tags"]) == ("Robo", True, {"bot_id": bot.id})
    assert (int(role["permissions"]), role["position"]) == (VIEW | MANAGE_MESSAGES, 1)
    assert (member["user"]["id"], member["roles"]) == (bot.id, [role["id"]])
    roles = (await alice.get(f"/guilds/{guild.id}/roles")).ok()
    assert [(entry["name"], entry["position"]) for entry in roles] == [
        ("@everyone", 0),
        ("Robo", 1),
        (other.name, 2),
    ]
    message = await alice.say(guild.general)
    (await bot.delete(f"/channels/{guild.general}/messages/{message['id']}")).ok(204)
    # once more changes nothing
    (await world.authorize(alice, bot.id, guild, 0)).ok(200)
    assert (await alice.get(f"/guilds/{guild.id}/roles")).ok() == roles


async def test_without_permissions_there_is_no_role(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild, permissions=0)
    assert (await alice.get(f"/guilds/{guild.id}/members/{bot.id}")).ok()["roles"] == []
    assert len((await alice.get(f"/guilds/{guild.id}/roles")).ok()) == 1


async def test_nobody_gives_a_bot_more_than_he_has(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob, roles=[{"id": 0, "permissions": str(MANAGE_GUILD | VIEW)}])
    bot = await world.bot(bob)
    for permissions in (1 << 3, VIEW | MANAGE_MESSAGES):
        assert (await world.authorize(bob, bot.id, guild, permissions)).error == NO_PERMISSION
    (await world.authorize(bob, bot.id, guild, VIEW | 1 << 60)).ok(200)


async def test_authorized_twice_at_once(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice)
    statuses: list[int] = []

    async def authorize() -> None:
        statuses.append((await world.authorize(alice, bot.id, guild, VIEW)).status)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(authorize)
    assert statuses == [200, 200, 200]
    assert len((await alice.get(f"/guilds/{guild.id}/roles")).ok()) == 2
    assert len((await alice.get(f"/guilds/{guild.id}/members", limit=9)).ok()) == 2
