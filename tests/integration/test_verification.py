"""How long newcomers wait before they may write, by the guild's verification level."""

import pytest

from tests.support.app import Server
from tests.support.world import World

TOO_HIGH = (403, 50009)


# level -> after how many seconds in the guild the newcomer may write
@pytest.mark.parametrize(("level", "wait_s"), [(0, 0), (1, 0), (2, 300), (3, 600), (4, 600)])
async def test_newcomers_wait(server: Server, world: World, level: int, wait_s: int) -> None:
    alice = await world.person()
    guild = await world.guild(alice, verification_level=level)
    bob = await world.person()
    await world.join(alice, guild, bob)
    path = f"/channels/{guild.general}/messages"
    await alice.say(guild.general)  # the owner
    await (await world.bot(alice, guild)).say(guild.general)
    if wait_s:
        assert (await bob.post(path, {"content": "early"})).error == TOO_HIGH
        server.clock.advance(wait_s - 1)
        assert (await bob.post(path, {"content": "early"})).error == TOO_HIGH
        server.clock.advance(1)
    await bob.say(guild.general, "at last")
    assert len((await alice.get(path)).ok()) == 3


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_an_old_account_waits_as_a_new_member(server: Server, world: World) -> None:
    bob = await world.person()
    server.clock.advance(600)
    alice = await world.person()
    guilds = [await world.guild(alice, bob, verification_level=level) for level in (2, 3)]
    await bob.say(guilds[0].general)
    assert (await bob.post(f"/channels/{guilds[1].general}/messages", {"content": "early"})).error == TOO_HIGH


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_direct_messages_have_no_level(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    await world.guild(alice, bob, verification_level=4)
    await bob.say(await bob.dm(alice))
