"""The audit log over the wire: what is written with a change, who reads it, and how it is paged."""

from urllib.parse import quote

from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import World

CHANNEL_CREATE, CHANNEL_UPDATE, CHANNEL_DELETE, BOT_ADD = 10, 11, 12, 28
VIEW_AUDIT_LOG = 1 << 7


async def test_entries_say_who_what_and_why(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/guilds/{guild.id}/audit-logs"
    why = {"X-Audit-Log-Reason": quote("because — “so”")}
    made = (await alice.post(f"/guilds/{guild.id}/channels", {"name": "a", "topic": "t"}, headers=why)).ok(201)
    (await alice.patch(f"/channels/{made['id']}", {"name": "b", "topic": None})).ok(200)
    (await alice.patch(f"/channels/{made['id']}", {"name": "b"})).ok(200)  # changes nothing
    (await alice.delete(f"/channels/{made['id']}")).ok(200)
    log = (await alice.get(path)).ok(200)
    deleted, updated, created = log["audit_log_entries"]
    assert [each["action_type"] for each in (created, updated, deleted)] == [
        CHANNEL_CREATE,
        CHANNEL_UPDATE,
        CHANNEL_DELETE,
    ]
    assert {each["target_id"] for each in (created, updated, deleted)} == {made["id"]}
    assert {each["user_id"] for each in (created, updated, deleted)} == {alice.id}
    assert created["reason"] == "because — “so”"
    assert "reason" not in updated
    assert {"key": "name", "new_value": "a"} in created["changes"]
    assert updated["changes"] == [
        {"key": "topic", "old_value": "t"},
        {"key": "name", "new_value": "b", "old_value": "a"},
    ]
    assert {"key": "name", "old_value": "b"} in deleted["changes"]
    assert [user["id"] for user in log["users"]] == [alice.id]


async def test_a_refused_change_leaves_no_entry(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    assert (await bob.post(f"/guilds/{guild.id}/channels", {"name": "a"})).error == (403, 50013)
    too_long = {"X-Audit-Log-Reason": "x" * 513}
    answer = await alice.post(f"/guilds/{guild.id}/channels", {"name": "a"}, headers=too_long)
    assert answer.errors == {"reason": "BASE_TYPE_MAX_LENGTH"}
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", action_type=CHANNEL_CREATE)).ok(200)
    assert log["audit_log_entries"] == []


async def test_pages_and_filters(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    for name in ("a", "b", "c"):
        (await alice.post(f"/guilds/{guild.id}/channels", {"name": name})).ok(201)
    path = f"/guilds/{guild.id}/audit-logs"
    newest_first = [each["id"] for each in (await alice.get(path)).ok(200)["audit_log_entries"]]
    assert newest_first == sorted(newest_first, key=int, reverse=True)
    c, b, a, added = newest_first
    for query, expected in (
        ({"limit": 2}, [c, b]),
        ({"before": b}, [a, added]),
        ({"after": 0}, [added, a, b, c]),
        ({"after": a, "limit": 1}, [b]),
        ({"after": added, "before": c}, [b, a]),
        ({"action_type": BOT_ADD}, [added]),
        ({"user_id": bot.id}, []),
        ({"user_id": alice.id, "action_type": CHANNEL_CREATE, "limit": 1}, [c]),
        ({"target_id": bot.id}, [added]),
    ):
        found = (await alice.get(path, **query)).ok(200)["audit_log_entries"]
        assert [each["id"] for each in found] == expected, query
    assert (await alice.get(path, limit=101)).errors == {"limit": "NUMBER_TYPE_MAX"}


async def test_readers_of_the_log_are_told_at_once(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    blind, reader = await world.bot(alice, guild), await world.bot(alice, guild, permissions=VIEW_AUDIT_LOG)
    async with gateway(server.url, blind.token) as deaf, gateway(server.url, reader.token) as ear:
        made = (await alice.post(f"/guilds/{guild.id}/channels", {"name": "a"})).ok(201)
        await alice.say(guild.general, "after")
        event = await ear.next("GUILD_AUDIT_LOG_ENTRY_CREATE")
        assert (event["guild_id"], event["target_id"]) == (guild.id, made["id"])
        await deaf.next("MESSAGE_CREATE")
        assert deaf.named("GUILD_AUDIT_LOG_ENTRY_CREATE") == []
