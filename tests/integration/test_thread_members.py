"""Who is in a thread, who sees it, and who hears of it."""

import pytest

from chatd.service import commits, membership
from chatd.store import members
from tests.integration.test_threads import MANAGE_THREADS, PRIVATE, VIEW, all_told, deny_all, moderator, start
from tests.support.app import Server
from tests.support.client import ALL_INTENTS, gateway
from tests.support.world import World

GUILDS, GUILD_MEMBERS, GUILD_MESSAGES = 1, 1 << 1, 1 << 9

UNKNOWN_MEMBER = (404, 10007)
NO_ACCESS = (403, 50001)
NO_PERMISSION = (403, 50013)


async def test_join_and_leave(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    thread = await start(alice, guild.general)
    path = f"/channels/{thread['id']}/thread-members"
    async with gateway(server.url, alice.token) as hers, gateway(server.url, bob.token, intents=GUILDS) as his:
        (await bob.put(f"{path}/@me")).ok(204)
        created = await his.next("THREAD_CREATE")
        assert (created["member"]["user_id"], "newly_created" in created) == (bob.id, False)
        for ear in (hers, his):
            event = await ear.next("THREAD_MEMBERS_UPDATE")
            assert (event["id"], event["guild_id"], event["member_count"]) == (thread["id"], guild.id, 2)
            [added] = event["added_members"]
            assert (added["user_id"], added["member"]["user"]["id"], added["presence"]) == (bob.id, bob.id, None)
        (await bob.put(f"{path}/@me")).ok(204)  # he is in it already
        assert "member" in (await bob.get(f"/channels/{thread['id']}")).ok()
        (await bob.delete(f"{path}/@me")).ok(204)
        (await bob.delete(f"{path}/@me")).ok(204)
        for ear in (hers, his):
            event = await ear.next("THREAD_MEMBERS_UPDATE")
            assert (event["removed_member_ids"], event["member_count"]) == ([bob.id], 1)
        await all_told(server, hers)
        assert len(hers.named("THREAD_MEMBERS_UPDATE")) == 2
    assert "member" not in (await bob.get(f"/channels/{thread['id']}")).ok()


async def test_show_and_list(world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob, carol)
    thread = await start(alice, guild.general)
    path = f"/channels/{thread['id']}/thread-members"
    assert (await alice.get(f"{path}/{bob.id}")).error == UNKNOWN_MEMBER
    for user in (carol, bob):
        (await user.put(f"{path}/@me")).ok(204)
    found = (await alice.get(f"{path}/{bob.id}")).ok()
    assert (found["id"], found["user_id"], "member" in found) == (thread["id"], bob.id, False)
    assert (await alice.get(f"{path}/{bob.id}", with_member="true")).ok()["member"]["user"]["id"] == bob.id
    everyone = [alice.id, bob.id, carol.id]
    for query, expected in (
        ({}, everyone),
        ({"limit": 1}, everyone),  # not paged without with_member
        ({"with_member": "true"}, everyone),
        ({"with_member": "true", "limit": 2}, everyone[:2]),
        ({"with_member": "true", "after": bob.id}, everyone[2:]),
        ({"with_member": "true", "after": carol.id}, []),
    ):
        listed = (await alice.get(path, **query)).ok()
        assert [each["user_id"] for each in listed] == expected, query
        assert all(("member" in each) == ("with_member" in query) for each in listed)
    assert (await alice.get(f"/channels/{thread['id']}")).ok()["member_count"] == 3


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_bots_need_the_intent_to_list(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    thread = await start(alice, guild.general)
    bot = await world.bot(alice, guild)
    path = f"/channels/{thread['id']}/thread-members"
    assert len((await bot.get(path)).ok()) == 1
    flags = (await bot.get("/applications/@me")).ok()["flags"]
    (await alice.patch(f"/applications/{bot.id}", {"flags": flags & ~(1 << 14 | 1 << 15)})).ok()
    assert (await bot.get(path)).error == NO_ACCESS


async def test_a_private_thread_is_for_its_members(server: Server, world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob, carol)
    dave = await moderator(world, alice, guild)
    async with (
        gateway(server.url, bob.token) as his,
        gateway(server.url, carol.token) as hers,
        gateway(server.url, dave.token) as moderators,
    ):
        thread = await start(bob, guild.general, PRIVATE)
        path = f"/channels/{thread['id']}"
        assert (thread["type"], thread["thread_metadata"]["invitable"]) == (PRIVATE, True)
        for ear in (his, moderators):
            assert (await ear.next("THREAD_CREATE"))["id"] == thread["id"]
        for method, where in (("GET", ""), ("GET", "/messages"), ("PUT", "/thread-members/@me"), ("PATCH", "")):
            answer = await carol.request(method, path + where, {"archived": False})
            assert answer.error == NO_ACCESS, (method, where)
        assert (await carol.get(f"/guilds/{guild.id}/threads/active")).ok()["threads"] == []
        await bob.say(thread["id"], "secret")
        assert (await moderators.next("MESSAGE_CREATE"))["content"] == "secret"
        await all_told(server, hers)
        assert not {name for name, _ in hers.events if "THREAD" in name or "MESSAGE" in name}

        (await bob.put(f"{path}/thread-members/{carol.id}")).ok(204)
        created = await hers.next("THREAD_CREATE")
        assert (created["id"], created["member"]["user_id"]) == (thread["id"], carol.id)
        notice = await hers.next("MESSAGE_CREATE")
        assert (notice["type"], notice["author"]["id"]) == (1, bob.id)
        assert [user["id"] for user in notice["mentions"]] == [carol.id]
        await carol.say(thread["id"], "thank you")
        assert (await his.next("MESSAGE_CREATE", lambda d: d["type"] == 0))["content"] == "secret"
        assert (await his.next("MESSAGE_CREATE", lambda d: d["type"] == 0))["content"] == "thank you"

        assert (await carol.delete(f"{path}/thread-members/{bob.id}")).error == NO_PERMISSION
        (await bob.delete(f"{path}/thread-members/{carol.id}")).ok(204)  # it is his
        event = await hers.next("THREAD_MEMBERS_UPDATE", lambda d: "removed_member_ids" in d)
        assert event["removed_member_ids"] == [carol.id]
        assert (await his.next("MESSAGE_CREATE", lambda d: d["type"] == 2))["author"]["id"] == bob.id
        count = len(hers.named("MESSAGE_CREATE"))
        await bob.say(thread["id"], "alone again")
        await all_told(server, hers)
        assert len(hers.named("MESSAGE_CREATE")) == count
        assert (await carol.get(path)).error == NO_ACCESS


async def test_who_may_be_added(world: World) -> None:
    alice, bob, carol, stranger = [await world.person() for _ in range(4)]
    guild = await world.guild(alice, bob, carol)
    dave = await moderator(world, alice, guild)
    erin = await world.person()
    await world.join(alice, guild, erin)
    (await alice.put(f"/channels/{guild.general}/permissions/{erin.id}", {"type": 1, "deny": str(VIEW)})).ok(204)
    closed = await start(bob, guild.general, PRIVATE, invitable=False)
    open_ = await start(bob, guild.general, PRIVATE)
    for adder, thread, user, expected in (
        (bob, open_, stranger, UNKNOWN_MEMBER),
        (bob, open_, erin, NO_ACCESS),
        (bob, open_, carol, None),
        (bob, closed, carol, NO_PERMISSION),
        (bob, closed, dave, None),  # a moderator
        (dave, closed, carol, None),
    ):
        answer = await adder.put(f"/channels/{thread['id']}/thread-members/{user.id}")
        assert (None if answer.status == 204 else answer.error) == expected, (adder.name, user.name)


async def test_a_mention_adds(server: Server, world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob, carol)
    private, closed = (
        await start(bob, guild.general, PRIVATE),
        await start(bob, guild.general, PRIVATE, invitable=False),
    )
    async with gateway(server.url, carol.token) as ear:
        await bob.say(closed["id"], f"<@{carol.id}>")
        said = await bob.say(private["id"], f"<@{carol.id}>, look <@{carol.id}> <@1>")
        assert (await ear.next("THREAD_CREATE"))["id"] == private["id"]
        assert (await ear.next("MESSAGE_CREATE"))["id"] == said["id"]
        await all_told(server, ear)
        assert len(ear.named("THREAD_CREATE")) == len(ear.named("MESSAGE_CREATE")) == 1
    listed = (await bob.get(f"/channels/{private['id']}/thread-members")).ok()
    assert [member["user_id"] for member in listed] == [bob.id, carol.id]


async def test_without_the_intent_members_hear_of_themselves(server: Server, world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob, carol)
    thread = await start(alice, guild.general)
    intents = ALL_INTENTS & ~GUILD_MEMBERS
    async with gateway(server.url, bob.token, intents=intents) as ear:
        await alice.say(thread["id"], f"<@{bob.id}> <@{carol.id}>")
        event = await ear.next("THREAD_MEMBERS_UPDATE")
        assert [member["user_id"] for member in event["added_members"]] == [bob.id]
        (await carol.delete(f"/channels/{thread['id']}/thread-members/@me")).ok(204)
        (await bob.delete(f"/channels/{thread['id']}/thread-members/@me")).ok(204)
        event = await ear.next("THREAD_MEMBERS_UPDATE")
        assert event["removed_member_ids"] == [bob.id]


async def test_the_threads_of_a_guild_come_with_it(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    public, private, archived = [await start(alice, guild.general, kind) for kind in (11, PRIVATE, 11)]
    (await alice.patch(f"/channels/{archived['id']}", {"archived": True})).ok()
    async with gateway(server.url, alice.token) as hers, gateway(server.url, bob.token) as his:
        [created] = hers.ready["guilds"]
        assert {thread["id"] for thread in created["threads"]} == {public["id"], private["id"]}
        assert all(thread["member"]["user_id"] == alice.id for thread in created["threads"])
        [created] = his.ready["guilds"]
        assert [(thread["id"], "member" in thread) for thread in created["threads"]] == [(public["id"], False)]


async def test_with_a_channel_come_its_threads(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    desk = await world.channel(alice, guild)
    public, mine, private = await start(alice, desk), await start(bob, desk), await start(alice, desk, PRIVATE)
    await start(alice, guild.general)
    await deny_all(alice, guild, VIEW, desk)
    async with gateway(server.url, bob.token) as ear:
        assert {thread["parent_id"] for thread in ear.ready["guilds"][0]["threads"]} == {guild.general}
        await alice.say(public["id"], "unheard")
        overwrite = f"/channels/{desk}/permissions/{bob.id}"
        (await alice.put(overwrite, {"type": 1, "allow": str(VIEW)})).ok(204)
        sync = await ear.next("THREAD_LIST_SYNC")
        assert (sync["guild_id"], sync["channel_ids"]) == (guild.id, [desk])
        assert {thread["id"] for thread in sync["threads"]} == {public["id"], mine["id"]}
        assert [member["id"] for member in sync["members"]] == [mine["id"]]
        await alice.say(public["id"], "heard")
        assert (await ear.next("MESSAGE_CREATE"))["content"] == "heard"
        (await alice.put(overwrite, {"type": 1, "allow": str(VIEW | MANAGE_THREADS)})).ok(204)
        sync = await ear.next("THREAD_LIST_SYNC")
        assert {thread["id"] for thread in sync["threads"]} == {public["id"], mine["id"], private["id"]}


async def test_who_leaves_the_guild_leaves_its_threads(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    threads = [await start(bob, guild.general), await start(bob, guild.general)]
    (await bob.patch(f"/channels/{threads[1]['id']}", {"archived": True})).ok()
    core, guild_id = server.core, int(guild.id)
    state = core.live.guilds[guild_id]
    user = state.members[int(bob.id)].user
    async with gateway(server.url, alice.token) as ear:
        await commits.change(
            core, [guild_id], members.delete, guild_id, user.id, then=lambda _: membership.left(core, state, user)
        )
        event = await ear.next("THREAD_MEMBERS_UPDATE", lambda d: d["id"] == threads[0]["id"])
        assert (event["removed_member_ids"], event["member_count"]) == ([bob.id], 0)
    await world.join(alice, guild, bob)
    for thread in threads:
        assert (await alice.get(f"/channels/{thread['id']}/thread-members")).ok() == []
