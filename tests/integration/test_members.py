"""Members of guilds over the wire."""

import pytest

from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import World

GUILD_MEMBERS_FLAGS = 1 << 14 | 1 << 15


async def test_pages(world: World) -> None:
    alice = await world.person()
    others = [await world.person() for _ in range(3)]
    guild = await world.guild(alice, *reversed(others))
    ids = [alice.id, *(other.id for other in others)]
    for query, expected in (
        ({}, ids[:1]),
        ({"limit": 1000}, ids),
        ({"limit": 2}, ids[:2]),
        ({"limit": 2, "after": ids[1]}, ids[2:]),
        ({"limit": 2, "after": ids[3]}, []),
        ({"limit": 2, "after": 2**63 - 1}, []),
    ):
        answer = await alice.get(f"/guilds/{guild.id}/members", **query)
        assert [member["user"]["id"] for member in answer.ok()] == expected, query


async def test_show(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice)
    path = f"/guilds/{guild.id}/members/{bob.id}"
    assert (await alice.get(path)).error == (404, 10007)
    server.clock.advance(1)
    await world.join(alice, guild, bob)
    member = (await alice.get(path)).ok()
    assert member["user"]["id"] == bob.id
    assert (member["roles"], member["nick"], member["joined_at"]) == ([], None, "2027-01-15T08:00:01.000000+00:00")


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_bots_need_the_intent_to_list(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    path = f"/guilds/{guild.id}/members"
    assert len((await bot.get(path, limit=9)).ok()) == 2
    flags = (await bot.get("/applications/@me")).ok()["flags"]
    (await alice.patch(f"/applications/{bot.id}", {"flags": flags & ~GUILD_MEMBERS_FLAGS})).ok()
    assert (await bot.get(path, limit=9)).error == (403, 50001)
    (await bot.get(f"{path}/{alice.id}")).ok()
    assert len((await alice.get(path, limit=9)).ok()) == 2


async def test_joining_is_told(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice)
    async with gateway(server.url, alice.token) as hers, gateway(server.url, bob.token) as his:
        await world.join(alice, guild, bob)
        event = await hers.next("GUILD_MEMBER_ADD")
        assert (event["user"]["id"], event["guild_id"]) == (bob.id, guild.id)
        created = await his.next("GUILD_CREATE")
        assert (created["id"], created["member_count"]) == (guild.id, 2)
        await alice.say(guild.general, "welcome")
        assert (await his.next("MESSAGE_CREATE"))["content"] == "welcome"
