"""Webhooks over the wire: making, listing, changing and deleting them, with and without their token."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from chatd.store import accounts
from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.pictures import data_uri, noise
from tests.support.world import Guild, User, World

MANAGE_WEBHOOKS, VIEW_AUDIT_LOG = 1 << 29, 1 << 7
UNKNOWN_CHANNEL, UNKNOWN_USER, UNKNOWN_WEBHOOK = (404, 10003), (404, 10013), (404, 10015)
TOO_MANY, NO_ACCESS, NO_PERMISSION = (400, 30007), (403, 50001), (403, 50013)
WRONG_TYPE, WRONG_TOKEN = (400, 50024), (401, 50027)


async def make(user: User, channel_id: str, name: str = "Ticker", **fields: Any) -> Json:
    return (await user.post(f"/channels/{channel_id}/webhooks", {"name": name, **fields})).ok(200)


async def allow(owner: User, guild: Guild, channel_id: str, user: User, permission: int) -> None:
    payload = {"type": 1, "allow": str(permission), "deny": "0"}
    (await owner.put(f"/channels/{channel_id}/permissions/{user.id}", payload)).ok(204)


def at(webhook: Json) -> str:
    return f"/webhooks/{webhook['id']}"


def by_token(webhook: Json) -> str:
    return f"/webhooks/{webhook['id']}/{webhook['token']}"


async def test_the_life_of_a_webhook(server: Server, world: World) -> None:
    alice, bob = await world.person("alice"), await world.person()
    guild = await world.guild(alice, bob)
    desk = await world.channel(alice, guild)
    async with gateway(server.url, bob.token) as ear:
        why = {"X-Audit-Log-Reason": quote("news")}
        made = (await alice.post(f"/channels/{guild.general}/webhooks", {"name": "  Tick  er "}, headers=why)).ok(200)
        assert made == {
            "id": made["id"],
            "type": 1,
            "guild_id": guild.id,
            "channel_id": guild.general,
            "user": (await alice.get(f"/users/{alice.id}")).ok(),
            "name": "Tick er",
            "avatar": None,
            "token": made["token"],
            "application_id": None,
        }
        assert re.fullmatch(r"[\w-]{68}", made["token"])
        assert await ear.next("WEBHOOKS_UPDATE") == {"guild_id": guild.id, "channel_id": guild.general}
        without_user = {name: value for name, value in made.items() if name != "user"}

        for path in (f"/channels/{guild.general}/webhooks", f"/guilds/{guild.id}/webhooks"):
            assert (await alice.get(path)).ok(200) == [made]
        assert (await alice.get(f"/channels/{desk}/webhooks")).ok(200) == []
        assert (await alice.get(at(made))).ok(200) == made
        assert (await world.anybody.get(by_token(made))).ok(200) == without_user

        moved = (await alice.patch(at(made), {"channel_id": desk, "name": "Moved"})).ok(200)
        assert moved == {**made, "channel_id": desk, "name": "Moved"}
        assert [(await ear.next("WEBHOOKS_UPDATE"))["channel_id"] for _ in range(2)] == [guild.general, desk]
        renamed = (await world.anybody.patch(by_token(made), {"name": "Renamed", "channel_id": guild.general})).ok(200)
        assert renamed == {**without_user, "channel_id": desk, "name": "Renamed"}
        assert (await ear.next("WEBHOOKS_UPDATE"))["channel_id"] == desk
        (await alice.patch(at(made), {})).ok(200)  # changes nothing, and nobody hears of it

        (await world.anybody.delete(by_token(made), headers=why)).ok(204)
        assert (await ear.next("WEBHOOKS_UPDATE"))["channel_id"] == desk
        await ear.heartbeat()
        assert len(ear.named("WEBHOOKS_UPDATE")) == 5
    for client, path in ((alice, at(made)), (world.anybody, by_token(made))):
        for method in ("GET", "PATCH", "DELETE"):
            assert (await client.request(method, path, {})).error == UNKNOWN_WEBHOOK
    assert (await alice.get(f"/channels/{desk}/webhooks")).ok(200) == []


async def test_what_the_audit_log_says(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    desk = await world.channel(alice, guild)
    webhook = await make(alice, guild.general)
    other = await make(alice, guild.general, "Other")
    (await alice.patch(at(webhook), {"name": "New", "channel_id": desk})).ok()
    (await world.anybody.delete(by_token(webhook))).ok()
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs")).ok()
    entries = [entry for entry in log["audit_log_entries"] if entry["target_id"] == webhook["id"]][::-1]
    assert [(entry["action_type"], entry["user_id"]) for entry in entries] == [
        (50, alice.id),
        (51, alice.id),
        (52, webhook["id"]),
    ]
    made = {"type": 1, "name": "Ticker", "channel_id": guild.general}
    assert {change["key"]: change["new_value"] for change in entries[0]["changes"]} == made
    assert entries[1]["changes"] == [
        {"key": "name", "old_value": "Ticker", "new_value": "New"},
        {"key": "channel_id", "old_value": guild.general, "new_value": desk},
    ]
    assert {change["key"]: change["old_value"] for change in entries[2]["changes"]} == {
        "type": 1,
        "name": "New",
        "channel_id": desk,
    }
    assert log["webhooks"] == [{name: value for name, value in other.items() if name != "token"}]
    assert [user["id"] for user in log["users"]] == [alice.id]


async def test_only_who_manages_webhooks_sees_them(server: Server, world: World) -> None:
    alice, bob, stranger = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    desk = await world.channel(alice, guild)
    webhook = await make(alice, guild.general)
    calls = (
        ("POST", f"/channels/{guild.general}/webhooks", {"name": "Mine"}),
        ("GET", f"/channels/{guild.general}/webhooks", ...),
        ("GET", at(webhook), ...),
        ("PATCH", at(webhook), {"name": "Mine"}),
        ("DELETE", at(webhook), ...),
    )
    for method, path, payload in calls:
        assert (await bob.request(method, path, payload)).error == NO_PERMISSION
        assert (await stranger.request(method, path, payload)).error == NO_ACCESS
    assert (await bob.get(f"/guilds/{guild.id}/webhooks")).error == NO_PERMISSION
    await allow(alice, guild, guild.general, bob, MANAGE_WEBHOOKS)
    assert (await bob.patch(at(webhook), {"channel_id": desk})).error == NO_PERMISSION
    for method, path, payload in calls:
        (await bob.request(method, path, payload)).ok()
    assert (await bob.get(f"/guilds/{guild.id}/webhooks")).error == NO_PERMISSION


async def test_names(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}/webhooks"
    for name, code in (
        ("x" * 81, "BASE_TYPE_BAD_LENGTH"),
        ("", "BASE_TYPE_BAD_LENGTH"),
        ("  \n ", "BASE_TYPE_BAD_LENGTH"),
        ("Not Clyde", "USERNAME_INVALID_CONTAINS"),
        ("DISCORDant", "USERNAME_INVALID_CONTAINS"),
        (5, "STRING_TYPE_CONVERT"),
    ):
        assert (await alice.post(path, {"name": name})).errors == {"name": code}
    assert (await alice.post(path, {})).errors == {"name": "BASE_TYPE_REQUIRED"}
    assert (await alice.get(path)).ok() == []
    webhook = await make(alice, guild.general, "x" * 80)
    assert (await alice.patch(at(webhook), {"name": "clyde"})).errors == {"name": "USERNAME_INVALID_CONTAINS"}
    assert (await alice.get(at(webhook))).ok() == webhook


async def test_avatars(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    image = noise(64, 64)
    webhook = await make(alice, guild.general, avatar=data_uri(image))
    path = f"//avatars/{webhook['id']}/{webhook['avatar']}.png"
    assert (await world.anybody.get(path)).content == image
    first = (await world.anybody.post(by_token(webhook), {"content": "hello"}, wait="true")).ok(200)
    assert (await world.anybody.patch(by_token(webhook), {"avatar": None})).ok(200)["avatar"] is None
    second = (await world.anybody.post(by_token(webhook), {"content": "hello"}, wait="true")).ok(200)
    messages = (await alice.get(f"/channels/{guild.general}/messages")).ok()
    assert [it["author"] for it in messages] == [second["author"], first["author"]]
    assert [it["author"]["avatar"] for it in messages] == [None, webhook["avatar"]]
    path = f"/channels/{guild.general}/webhooks"
    assert (await alice.post(path, {"name": "x", "avatar": "data:,"})).errors == {"avatar": "IMAGE_INVALID"}


async def test_where_webhooks_are(world: World) -> None:
    alice = await world.person()
    guild, elsewhere = await world.guild(alice), await world.guild(alice)
    webhook = await make(alice, guild.general)
    for kind in (0, 2, 5, 13, 15, 16):
        await make(alice, await world.channel(alice, guild, type=kind))
    category = await world.channel(alice, guild, type=4)
    thread = (await alice.post(f"/channels/{guild.general}/threads", {"name": "thread", "type": 11})).ok()["id"]
    for channel_id in (category, thread):
        assert (await alice.post(f"/channels/{channel_id}/webhooks", {"name": "x"})).error == WRONG_TYPE
        assert (await alice.patch(at(webhook), {"channel_id": channel_id})).error == WRONG_TYPE
    for channel_id in (elsewhere.general, "1"):
        assert (await alice.patch(at(webhook), {"channel_id": channel_id})).error == UNKNOWN_CHANNEL
    direct = await alice.dm(await world.person())
    assert (await alice.post(f"/channels/{direct}/webhooks", {"name": "x"})).error == UNKNOWN_CHANNEL
    assert (await alice.get(at(webhook))).ok() == webhook


async def test_how_many(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    desk = await world.channel(alice, guild)
    for _ in range(15):
        await make(alice, guild.general)
    assert (await alice.post(f"/channels/{guild.general}/webhooks", {"name": "x"})).error == TOO_MANY
    spare = await make(alice, desk)
    assert (await alice.patch(at(spare), {"channel_id": guild.general})).error == TOO_MANY
    [first, *_] = (await alice.get(f"/channels/{guild.general}/webhooks")).ok()
    (await alice.patch(at(first), {"name": "renamed"})).ok()
    (await alice.delete(at(first))).ok()
    (await alice.patch(at(spare), {"channel_id": guild.general})).ok()


async def test_an_applications_webhook_keeps_its_token_to_it(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot, other = [await world.bot(alice, guild, permissions=MANAGE_WEBHOOKS | 1 << 10) for _ in range(2)]
    made = await make(bot, guild.general)
    assert (made["application_id"], made["user"]["id"]) == (bot.id, bot.id)
    hidden = {name: value for name, value in made.items() if name != "token"}
    path = f"/channels/{guild.general}/webhooks"
    for user, shown in ((bot, made), (alice, hidden), (other, hidden)):
        assert (await user.get(path)).ok() == (await user.get(f"/guilds/{guild.id}/webhooks")).ok() == [shown]
        assert (await user.get(at(made))).ok() == shown
    assert (await alice.patch(at(made), {"name": "Renamed"})).ok() == {**hidden, "name": "Renamed"}
    (await alice.delete(f"/guilds/{guild.id}/members/{bot.id}")).ok()
    assert (await bot.get(at(made))).ok()["token"] == made["token"]
    message = (await world.anybody.post(by_token(made), {"content": "still there"}, wait="true")).ok(200)
    assert (message["application_id"], message["webhook_id"]) == (bot.id, made["id"])


async def test_wrong_tokens(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    webhook, other = await make(alice, guild.general), await make(alice, guild.general)
    for token in (other["token"], "x", webhook["token"][:-1], quote("é")):
        path = f"/webhooks/{webhook['id']}/{token}"
        for method, rest, payload in (
            ("GET", "", ...),
            ("PATCH", "", {"name": "Mine"}),
            ("DELETE", "", ...),
            ("POST", "", {"content": "hello"}),
            ("POST", "/slack", {"text": "hello"}),
            ("POST", "/github", {}),
            ("GET", "/messages/1", ...),
            ("PATCH", "/messages/1", {"content": "hello"}),
            ("DELETE", "/messages/1", ...),
        ):
            assert (await world.anybody.request(method, path + rest, payload)).error == WRONG_TOKEN
    assert (await world.anybody.post(f"/webhooks/1/{webhook['token']}", {"content": "x"})).error == UNKNOWN_WEBHOOK
    assert (await alice.get(f"/channels/{guild.general}/messages")).ok() == []


@pytest.mark.parametrize("what", ["channel", "guild"])
async def test_a_webhook_ends_with_its_place(world: World, what: str) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    desk = await world.channel(alice, guild)
    webhook = await make(alice, desk)
    (await world.anybody.post(by_token(webhook), {"content": "hello"})).ok(204)
    (await alice.delete(f"/channels/{desk}" if what == "channel" else f"/guilds/{guild.id}")).ok()
    for path in (by_token(webhook), f"{by_token(webhook)}/messages/1"):
        assert (await world.anybody.get(path)).error == UNKNOWN_WEBHOOK
    assert (await world.anybody.post(by_token(webhook), {"content": "hello"})).error == UNKNOWN_WEBHOOK
    assert (await alice.get(at(webhook))).error == UNKNOWN_WEBHOOK


async def test_a_webhook_is_nobodys_account(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    webhook = await make(alice, guild.general)
    id_ = webhook["id"]
    assert (await alice.get(f"/users/{id_}")).error == UNKNOWN_USER
    assert (await alice.post("/users/@me/channels", {"recipient_id": id_})).error == UNKNOWN_USER
    assert (await alice.put(f"/guilds/{guild.id}/bans/{id_}", {})).error == UNKNOWN_USER
    assert (await alice.put(f"/users/@me/relationships/{id_}", {})).error == UNKNOWN_USER
    message = await alice.say(guild.general, f"<@{id_}>")
    assert message["mentions"] == []
    listed = await server.core.db.read(accounts.list_users, 0, 100)
    assert [row.id for row in listed] == [int(alice.id)]
