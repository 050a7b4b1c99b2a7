"""Pinned messages over the wire: pinning, listing in both forms, and who hears of it."""

from urllib.parse import quote

import pytest

from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.world import World

PIN_MESSAGES, MANAGE_MESSAGES, VIEW_AUDIT_LOG = 1 << 51, 1 << 13, 1 << 7
READ_MESSAGE_HISTORY = 1 << 16
NO_PERMISSION, SYSTEM_MESSAGE, TOO_MANY = (403, 50013), (403, 50021), (400, 30003)


async def test_a_pin_and_its_end(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    message = await bob.say(guild.general)
    path = f"/channels/{guild.general}/messages/pins"
    server.clock.advance(1)
    at = "2027-01-15T08:00:01.000000+00:00"
    async with gateway(server.url, bob.token) as ear:
        why = {"X-Audit-Log-Reason": quote("news")}
        for _ in range(2):  # the second time changes nothing
            (await alice.put(f"{path}/{message['id']}", headers=why)).ok(204)
        assert (await ear.next("MESSAGE_UPDATE")).items() >= {"id": message["id"], "pinned": True}.items()
        place = {"channel_id": guild.general, "guild_id": guild.id}
        assert await ear.next("CHANNEL_PINS_UPDATE") == {**place, "last_pin_timestamp": at}
        notice = await ear.next("MESSAGE_CREATE")
        assert (notice["type"], notice["content"], notice["author"]["id"]) == (6, "", alice.id)
        assert notice["message_reference"] == {"type": 0, **place, "message_id": message["id"]}
        assert "referenced_message" not in notice
        pinned = {**message, "pinned": True}
        assert (await bob.get(path)).ok(200) == {"items": [{"pinned_at": at, "message": pinned}], "has_more": False}
        assert (await bob.get(f"/channels/{guild.general}/pins")).ok(200) == [pinned]
        channel = (await bob.get(f"/channels/{guild.general}")).ok(200)
        assert (channel["last_pin_timestamp"], channel["last_message_id"]) == (at, notice["id"])
        for _ in range(2):
            (await alice.delete(f"{path}/{message['id']}")).ok(204)
        assert (await ear.next("MESSAGE_UPDATE"))["pinned"] is False
        assert await ear.next("CHANNEL_PINS_UPDATE") == {**place, "last_pin_timestamp": None}
        await ear.heartbeat()
        assert (len(ear.named("MESSAGE_UPDATE")), len(ear.named("MESSAGE_CREATE"))) == (2, 1)
    assert (await bob.get(path)).ok(200) == {"items": [], "has_more": False}
    assert "last_pin_timestamp" not in (await bob.get(f"/channels/{guild.general}")).ok(200)
    assert [it["id"] for it in (await bob.get(f"/channels/{guild.general}/messages")).ok()] == [
        notice["id"],
        message["id"],
    ]
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", target_id=bob.id)).ok()["audit_log_entries"]
    options = {"channel_id": guild.general, "message_id": message["id"]}
    assert [(it["action_type"], it["options"], it.get("reason")) for it in log] == [
        (75, options, None),
        (74, options, "news"),
    ]


async def test_pages(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}/messages/pins"
    ids = [(await alice.say(guild.general, str(number)))["id"] for number in range(5)]
    for id_ in ids:  # all at the same time
        (await alice.put(f"{path}/{id_}")).ok(204)

    async def page(**query: object) -> Json:
        return (await alice.get(path, **query)).ok(200)

    found, before = [], {}
    while True:
        answer = await page(limit=2, **before)
        found += [it["message"]["id"] for it in answer["items"]]
        if not answer["has_more"]:
            break
        before = {"before": answer["items"][-1]["pinned_at"]}
    assert found == ids[::-1]
    assert (await page(limit=5))["has_more"] is False
    assert [it["id"] for it in (await alice.get(f"/channels/{guild.general}/pins")).ok()] == ids[::-1]
    for wrong in ({"limit": 0}, {"limit": 51}, {"before": "yesterday"}):
        assert list((await alice.get(path, **wrong)).errors) == [*wrong]


async def test_permissions(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    message = await alice.say(guild.general)
    path = f"/channels/{guild.general}/messages/pins"
    manager = await world.bot(alice, guild, permissions=1 << 10 | MANAGE_MESSAGES)
    pinner = await world.bot(alice, guild, permissions=1 << 10 | PIN_MESSAGES)
    for bot in (manager, bob):
        assert (await bot.put(f"{path}/{message['id']}")).error == NO_PERMISSION
    (await pinner.put(f"/channels/{guild.general}/pins/{message['id']}")).ok(204)
    assert (await manager.delete(f"{path}/{message['id']}")).error == NO_PERMISSION
    overwrite = {"id": guild.id, "type": 0, "allow": "0", "deny": str(READ_MESSAGE_HISTORY)}
    (await alice.patch(f"/channels/{guild.general}", {"permission_overwrites": [overwrite]})).ok()
    assert (await bob.get(path)).ok(200) == {"items": [], "has_more": False}
    assert (await bob.get(f"/channels/{guild.general}/pins")).ok(200) == []


async def test_what_the_system_has_said(world: World) -> None:
    """It is nobody's to edit, to pin or to reply to, but may be deleted."""
    alice = await world.person()
    guild = await world.guild(alice)
    messages = f"/channels/{guild.general}/messages"
    (await alice.put(f"{messages}/pins/{(await alice.say(guild.general))['id']}")).ok(204)
    [notice, _] = (await alice.get(messages)).ok(200)
    assert (await alice.patch(f"{messages}/{notice['id']}", {"content": "mine"})).error == SYSTEM_MESSAGE
    assert (await alice.put(f"{messages}/pins/{notice['id']}")).error == SYSTEM_MESSAGE
    reply = {"content": "re", "message_reference": {"message_id": notice["id"]}}
    assert (await alice.post(messages, reply)).errors == {"message_reference": "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE"}
    (await alice.delete(f"{messages}/{notice['id']}")).ok(204)


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_no_more_than_250(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}/messages/pins"
    ids = [(await alice.say(guild.general))["id"] for _ in range(250)]
    await server.core.db.write(lambda tx: tx.run("UPDATE messages SET pinned_ms = id / 4194304"))
    newest = (await alice.say(guild.general))["id"]
    assert (await alice.put(f"{path}/{newest}")).error == TOO_MANY
    (await alice.delete(f"/channels/{guild.general}/messages/{ids[0]}")).ok(204)
    (await alice.put(f"{path}/{newest}")).ok(204)


async def test_in_a_direct_channel(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    channel_id = await alice.dm(bob)
    message = await alice.say(channel_id)
    async with gateway(server.url, alice.token) as ear:
        (await bob.put(f"/channels/{channel_id}/messages/pins/{message['id']}")).ok(204)
        event = await ear.next("CHANNEL_PINS_UPDATE")
        assert event == {"channel_id": channel_id, "last_pin_timestamp": "2027-01-15T08:00:00.000000+00:00"}
        notice = await ear.next("MESSAGE_CREATE")
        assert (notice["type"], "guild_id" in notice["message_reference"]) == (6, False)
    shown = (await alice.get(f"/channels/{channel_id}")).ok(200)
    assert shown["last_pin_timestamp"] == event["last_pin_timestamp"]
