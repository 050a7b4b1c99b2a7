"""Temporary membership: it ends with the member's last session, unless there is a role by then."""

import trio

from chatd.service import temporary_members
from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import Guild, User, World


async def join(owner: User, guild: Guild, member: User, *, temporary: bool = True) -> None:
    invite = (await owner.post(f"/channels/{guild.general}/invites", {"temporary": temporary})).ok(200)
    (await member.post(f"/invites/{invite['code']}")).ok(200)


async def come_and_go(server: Server, user: User) -> None:
    """A session of the user, and what the server does after it."""
    async with gateway(server.url, user.token) as ear:
        await ear.close()  # says that it will not resume
    with trio.fail_after(5):
        while server.core.live.sessions.get(ear.ready["session_id"]) is not None:
            await trio.lowlevel.checkpoint()
    await temporary_members.remove_departed(server.core)


async def is_member(user: User, guild: Guild) -> bool:
    return any(it["id"] == guild.id for it in (await user.get("/users/@me/guilds")).ok())


async def test_it_ends_with_the_last_session(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild, other = await world.guild(alice), await world.guild(alice, bob)
    await join(alice, guild, bob)
    await temporary_members.remove_departed(server.core)
    assert await is_member(bob, guild)  # there has been no session yet
    async with gateway(server.url, alice.token) as ear:
        async with gateway(server.url, bob.token):
            await come_and_go(server, bob)
            assert await is_member(bob, guild)  # another session goes on
        await come_and_go(server, bob)
        assert (await ear.next("GUILD_MEMBER_REMOVE"))["user"]["id"] == bob.id
    assert not await is_member(bob, guild)
    assert await is_member(bob, other)


async def test_a_role_makes_it_last(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice)
    await join(alice, guild, bob)
    role = (await alice.post(f"/guilds/{guild.id}/roles", {"name": "reader"})).ok(200)
    (await alice.put(f"/guilds/{guild.id}/members/{bob.id}/roles/{role['id']}")).ok(204)
    await come_and_go(server, bob)
    assert await is_member(bob, guild)


async def test_other_memberships_last(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice)
    await join(alice, guild, bob)
    (await bob.delete(f"/users/@me/guilds/{guild.id}")).ok(204)
    await join(alice, guild, bob, temporary=False)
    await come_and_go(server, bob)
    assert await is_member(bob, guild)
