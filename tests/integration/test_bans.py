"""Bans over the wire: who is banned, what goes with them, and who hears of it."""

from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import World

BAN, MANAGE_GUILD = 1 << 2, 1 << 5
UNKNOWN_BAN, NO_PERMISSION, BANNED = (404, 10026), (403, 50013), (403, 40007)


async def test_a_ban_and_its_end(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/guilds/{guild.id}/bans"
    code = (await alice.post(f"/channels/{guild.general}/invites", {})).ok(200)["code"]
    deaf = await world.bot(alice, guild)
    async with (
        gateway(server.url, alice.token) as hers,
        gateway(server.url, bob.token) as his,
        gateway(server.url, deaf.token) as other,
    ):
        why = {"X-Audit-Log-Reason": "spam"}
        (await alice.put(f"{path}/{bob.id}", {}, headers=why)).ok(204)
        (await alice.put(f"{path}/{bob.id}", {})).ok(204)  # is banned
        assert (await hers.next("GUILD_BAN_ADD"))["user"]["id"] == bob.id
        assert (await hers.next("GUILD_MEMBER_REMOVE"))["user"]["id"] == bob.id
        assert await his.next("GUILD_DELETE") == {"id": guild.id}
        await other.next("GUILD_MEMBER_REMOVE")
        assert other.named("GUILD_BAN_ADD") == []  # takes a permission
        assert len(hers.named("GUILD_BAN_ADD")) == 1
        assert (await bob.post(f"/invites/{code}")).error == BANNED
        ban = (await alice.get(f"{path}/{bob.id}")).ok(200)
        assert (ban["user"]["id"], ban["reason"]) == (bob.id, "spam")
        (await alice.delete(f"{path}/{bob.id}")).ok(204)
        assert (await hers.next("GUILD_BAN_REMOVE"))["user"]["id"] == bob.id
    assert (await alice.get(f"{path}/{bob.id}")).error == UNKNOWN_BAN
    (await bob.post(f"/invites/{code}")).ok(200)
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", target_id=bob.id, after=0)).ok()["audit_log_entries"]
    assert [(entry["action_type"], entry.get("reason")) for entry in log] == [(22, "spam"), (22, None), (23, None)]


async def test_messages_of_the_last_days_go_along(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    other = await world.channel(alice, guild, "other")
    old = await bob.say(guild.general, "old")
    server.clock.advance(600)
    gone = [await bob.say(guild.general, str(number)) for number in range(3)]
    gone_there = await bob.say(other, "there")
    kept = await alice.say(guild.general, "hers")
    async with gateway(server.url, alice.token) as hers:
        (await alice.put(f"/guilds/{guild.id}/bans/{bob.id}", {"delete_message_seconds": 60})).ok(204)
        told = {d["channel_id"]: d["ids"] for d in [await hers.next("MESSAGE_DELETE_BULK") for _ in range(2)]}
    assert told == {guild.general: [message["id"] for message in gone], other: [gone_there["id"]]}
    left = (await alice.get(f"/channels/{guild.general}/messages")).ok(200)
    assert [message["id"] for message in left] == [kept["id"], old["id"]]
    (await alice.delete(f"/guilds/{guild.id}/bans/{bob.id}")).ok(204)
    (await alice.put(f"/guilds/{guild.id}/bans/{bob.id}", {"delete_message_days": 1})).ok(204)
    left = (await alice.get(f"/channels/{guild.general}/messages")).ok(200)
    assert [message["id"] for message in left] == [kept["id"]]


async def test_more_messages_than_one_event_holds(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    for number in range(101):
        await bob.say(guild.general, str(number))
    async with gateway(server.url, alice.token) as hers:
        (await alice.put(f"/guilds/{guild.id}/bans/{bob.id}", {"delete_message_seconds": 604800})).ok(204)
        told = [len((await hers.next("MESSAGE_DELETE_BULK"))["ids"]) for _ in range(2)]
    assert told == [100, 1]


async def test_many_at_once(server: Server, world: World) -> None:
    alice, bob, stranger = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    bot = await world.bot(alice, guild, permissions=BAN | MANAGE_GUILD)
    path = f"/guilds/{guild.id}/bulk-ban"
    body = {"user_ids": [bob.id, stranger.id, alice.id, bot.id, "1"], "delete_message_seconds": 60}
    message = await bob.say(guild.general)
    assert (await bot.post(path, body)).ok(200) == {
        "banned_users": [bob.id, stranger.id],
        "failed_users": [alice.id, bot.id, "1"],
    }
    assert (await alice.get(f"/channels/{guild.general}/messages/{message['id']}")).error == (404, 10008)
    assert (await bot.post(path, body)).error == (400, 500000)
    assert list((await bot.post(path, {"user_ids": ["1"] * 201})).errors) == ["user_ids"]
    listed = (await alice.get(f"/guilds/{guild.id}/bans")).ok(200)
    assert [ban["user"]["id"] for ban in listed] == sorted([bob.id, stranger.id], key=int)


async def test_pages_and_hierarchy(server: Server, world: World) -> None:
    alice = await world.person()
    people = [await world.person() for _ in range(4)]
    guild = await world.guild(alice, people[0])
    path = f"/guilds/{guild.id}/bans"
    for person in people:
        (await alice.put(f"{path}/{person.id}", {})).ok(204)
    ids = [person.id for person in people]
    for query, expected in (
        ({"limit": 2}, ids[:2]),
        ({"after": ids[0], "limit": 2}, ids[1:3]),
        ({"before": ids[3], "limit": 2}, ids[1:3]),
        ({"before": ids[1], "after": ids[2]}, ids[:1]),
    ):
        assert [ban["user"]["id"] for ban in (await alice.get(path, **query)).ok(200)] == expected, query
    bot = await world.bot(alice, guild, permissions=BAN)
    for target in (alice.id, bot.id):
        assert (await bot.put(f"{path}/{target}", {})).error == NO_PERMISSION
    assert (await alice.put(f"{path}/{people[0].id}", {"delete_message_seconds": 604801})).error == (400, 50035)


async def test_a_banned_bot_is_not_authorized_again(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    (await alice.put(f"/guilds/{guild.id}/bans/{bot.id}", {})).ok(204)
    assert (await world.authorize(alice, bot.id, guild, 0)).error == BANNED
