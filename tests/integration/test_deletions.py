"""Deletions over the wire: several messages at once, and what the audit log says of any."""

from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import BOT_PERMISSIONS, User, World

NO_PERMISSION, NOT_IN_DMS, UNKNOWN_MESSAGE = (403, 50013), (403, 50003), (404, 10008)
WRONG_COUNT, TOO_OLD = (400, 50016), (400, 50034)
DELETE, BULK_DELETE = 72, 73
MANAGE_MESSAGES = 1 << 13
DAY_S = 86400


async def test_several_at_once(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    other = await world.channel(alice, guild, "other")
    said = [await bob.say(guild.general, str(number)) for number in range(3)]
    elsewhere = await bob.say(other)
    path = f"/channels/{guild.general}/messages"
    ids = [said[2]["id"], said[0]["id"], elsewhere["id"], str(int(elsewhere["id"]) + 1)]
    async with gateway(server.url, bob.token) as ear:
        for _ in range(2):  # the second time there is nothing left
            (await alice.post(f"{path}/bulk-delete", {"messages": ids}, headers={"X-Audit-Log-Reason": "spam"})).ok(204)
        event = await ear.next("MESSAGE_DELETE_BULK")
        assert event == {"ids": [said[0]["id"], said[2]["id"]], "channel_id": guild.general, "guild_id": guild.id}
        await ear.heartbeat()
        assert len(ear.named("MESSAGE_DELETE_BULK")) == 1
    assert [message["id"] for message in (await bob.get(path)).ok(200)] == [said[1]["id"]]
    assert [message["id"] for message in (await bob.get(f"/channels/{other}/messages")).ok(200)] == [elsewhere["id"]]
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", action_type=BULK_DELETE)).ok()["audit_log_entries"]
    assert [(it["target_id"], it["options"], it["reason"]) for it in log] == [(guild.general, {"count": "2"}, "spam")]


async def test_what_is_refused_deletes_nothing(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    moderator = await world.bot(alice, guild, permissions=BOT_PERMISSIONS | MANAGE_MESSAGES)
    direct = await alice.dm(bob)
    answer = await alice.post(f"/channels/{direct}/messages/bulk-delete", {"messages": ["1", "2"]})
    assert answer.error == NOT_IN_DMS
    answer = await bob.post(f"/channels/{guild.general}/messages/bulk-delete", {"messages": ["1", "2"]})
    assert answer.error == NO_PERMISSION
    old = await moderator.say(guild.general)
    server.clock.advance(14 * DAY_S)
    new = [await moderator.say(guild.general) for _ in range(2)]
    path = f"/channels/{guild.general}/messages"
    both = [message["id"] for message in new]
    for ids, expected in (
        (both[:1], WRONG_COUNT),
        ([], WRONG_COUNT),
        ([*both, *(str(int(both[1]) + number) for number in range(1, 100))], WRONG_COUNT),
    ):
        assert (await moderator.post(f"{path}/bulk-delete", {"messages": ids})).error == expected
    server.clock.advance(0.001)
    assert (await moderator.post(f"{path}/bulk-delete", {"messages": [*both, old["id"]]})).error == TOO_OLD
    assert (await moderator.post(f"{path}/bulk-delete", {"messages": [*both, "1"]})).error == TOO_OLD
    twice = await moderator.post(f"{path}/bulk-delete", {"messages": [*both, both[0]]})
    assert twice.errors == {"messages": "SET_TYPE_ALREADY_CONTAINS_VALUE"}
    assert len((await moderator.get(path)).ok(200)) == 3


async def test_a_hundred(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}/messages"
    ids = [(await alice.say(guild.general))["id"] for _ in range(100)]
    async with gateway(server.url, alice.token) as ear:
        (await alice.post(f"{path}/bulk-delete", {"messages": ids})).ok(204)
        assert (await ear.next("MESSAGE_DELETE_BULK"))["ids"] == ids
    assert (await alice.get(path)).ok(200) == []


async def test_others_messages_count_in_one_entry_of_the_audit_log(server: Server, world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob, carol)
    other = await world.channel(alice, guild, "other")

    async def delete(author: object, channel_id: str = guild.general, **headers: str) -> None:
        message = await author.say(channel_id)  # type: ignore[attr-defined]
        (await alice.delete(f"/channels/{channel_id}/messages/{message['id']}", headers=headers)).ok(204)

    async with gateway(server.url, alice.token) as ear:
        await delete(alice)  # one's own: no entry
        await delete(bob)
        await delete(carol)
        await delete(bob)
        await delete(bob, other)
        await delete(bob, **{"X-Audit-Log-Reason": "spam"})
        server.clock.advance(299)
        await delete(bob)
        server.clock.advance(2)
        await delete(bob)
        await ear.heartbeat()
        told = [(it["target_id"], it["options"]["count"]) for it in ear.named("GUILD_AUDIT_LOG_ENTRY_CREATE")]
        assert told == [(bob.id, "1"), (carol.id, "1"), (bob.id, "1"), (bob.id, "1"), (bob.id, "1")]
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", action_type=DELETE, after=0)).ok()["audit_log_entries"]
    found = [(it["target_id"], it["options"]["channel_id"], it["options"]["count"], it.get("reason")) for it in log]
    assert found == [
        (bob.id, guild.general, "3", None),
        (carol.id, guild.general, "1", None),
        (bob.id, other, "1", None),
        (bob.id, guild.general, "1", "spam"),
        (bob.id, guild.general, "1", None),
    ]


async def test_a_retry_of_a_message_that_is_deleted_by_now(world: World) -> None:
    """It is not posted again: whoever retries has to learn that it had been."""
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}/messages"
    message = await alice.say(guild.general, "once", nonce="n", enforce_nonce=True)
    (await alice.delete(f"{path}/{message['id']}")).ok(204)
    again = await alice.post(path, {"content": "once", "nonce": "n", "enforce_nonce": True})
    assert again.error == UNKNOWN_MESSAGE
    assert (await alice.get(path)).ok(200) == []
    # The channel names it still, as the newest there was.
    assert (await alice.get(f"/channels/{guild.general}")).ok()["last_message_id"] == message["id"]


async def test_in_a_thread(server: Server, world: World) -> None:
    """The thread counts what is left; what opened it, and what the system wrote, stays."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    opening = await alice.say(guild.general)
    path = f"/channels/{guild.general}/messages/{opening['id']}/threads"
    thread = (await alice.post(path, {"name": "talk"})).ok(201)["id"]
    said = [(await bob.say(thread, str(number)))["id"] for number in range(5)]
    messages = f"/channels/{thread}/messages"
    starter = (await alice.get(messages)).ok(200)[-1]
    assert starter["type"] == 21
    (await alice.post(f"{messages}/bulk-delete", {"messages": [*said[:2], starter["id"]]})).ok(204)
    assert [message["id"] for message in (await alice.get(messages)).ok(200)] == [*said[:1:-1], starter["id"]]
    assert await _count(alice, thread) == 3
    (await alice.delete(f"{messages}/{said[2]}")).ok(204)
    (await alice.patch(f"/channels/{thread}", {"archived": True})).ok(200)
    server.core.live.guilds[int(guild.id)].threads.pop(int(thread))  # as when many others were looked at since
    async with gateway(server.url, alice.token) as ear:
        (await alice.put(f"/guilds/{guild.id}/bans/{bob.id}", {"delete_message_seconds": 3600})).ok(204)
        gone = await ear.next("MESSAGE_DELETE_BULK")
    assert gone == {"ids": said[3:], "channel_id": thread, "guild_id": guild.id}
    assert await _count(alice, thread) == 0


async def _count(user: User, thread_id: str) -> int:
    return int((await user.get(f"/channels/{thread_id}")).ok(200)["message_count"])
