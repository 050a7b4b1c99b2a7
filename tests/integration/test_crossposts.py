"""Announcement channels over the wire: following them, publishing, and what becomes of the copies."""

import json
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from chatd.service import crossposts, discarded, retention
from chatd.store import retention as retention_store
from tests.integration.test_webhook_messages import author, contents
from tests.integration.test_webhooks import allow, at
from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.pictures import data_uri, still
from tests.support.world import Guild, User, World

MANAGE_MESSAGES, MANAGE_WEBHOOKS = 1 << 13, 1 << 29
CROSSPOSTED, IS_CROSSPOST, SUPPRESS_EMBEDS, SOURCE_DELETED = 1 << 0, 1 << 1, 1 << 2, 1 << 3
UNKNOWN_MESSAGE, ALREADY = (404, 10008), (400, 40033)
NO_ACCESS, NO_PERMISSION, WRONG_TYPE, WRONG_MESSAGE = (403, 50001), (403, 50013), (400, 50024), (400, 50068)
WRONG_TOKEN = (401, 50027)


class News(NamedTuple):
    """Alice's announcement channel, and Bob's channel that follows it."""

    alice: User
    bob: User
    source: Guild
    target: Guild
    channel_id: str
    webhook_id: str

    async def publish(self, content: str = "news", **fields: Json) -> Json:
        message = await self.alice.say(self.channel_id, content, **fields)
        return (await self.alice.post(f"{self.path(message)}/crosspost")).ok(200)

    def path(self, message: Json) -> str:
        return f"/channels/{self.channel_id}/messages/{message['id']}"

    async def copies(self) -> list[Json]:
        """Newest first."""
        page = (await self.bob.get(f"/channels/{self.target.general}/messages")).ok()
        return [message for message in page if message["type"] == 0]


@pytest.fixture
async def news(world: World) -> AsyncIterator[News]:
    alice, bob = await world.person("alice"), await world.person("bob")
    source, target = await world.guild(alice, bob, name="Source"), await world.guild(bob, name="Target")
    channel_id = await world.channel(alice, source, "news", type=5)
    followed = await follow(bob, channel_id, target.general)
    return News(alice, bob, source, target, channel_id, followed["webhook_id"])


async def follow(user: User, channel_id: str, target_id: str) -> Json:
    return (await user.post(f"/channels/{channel_id}/followers", {"webhook_channel_id": target_id})).ok(200)


# --- following -------------------------------------------------------------------------------------------------------


async def test_following(server: Server, world: World) -> None:
    alice, bob = await world.person("alice"), await world.person("bob")
    source, target = await world.guild(alice, bob, name="Source"), await world.guild(bob, name="Target")
    icon = (await alice.patch(f"/guilds/{source.id}", {"icon": data_uri(still())})).ok()["icon"]
    channel_id = await world.channel(alice, source, "news", type=5)
    async with gateway(server.url, bob.token) as ear:
        followed = await follow(bob, channel_id, target.general)
        assert followed == {"channel_id": channel_id, "webhook_id": followed["webhook_id"]}
        notice = await ear.next("MESSAGE_CREATE")
        assert (notice["type"], notice["content"], notice["author"]["id"]) == (12, "Source #news", bob.id)
        assert notice["message_reference"] == {"type": 0, "channel_id": channel_id, "guild_id": source.id}
        assert "referenced_message" not in notice
        assert await ear.next("WEBHOOKS_UPDATE") == {"guild_id": target.id, "channel_id": target.general}
        entry = await ear.next("GUILD_AUDIT_LOG_ENTRY_CREATE")
        assert (entry["action_type"], entry["target_id"]) == (50, followed["webhook_id"])
    [webhook] = (await bob.get(f"/channels/{target.general}/webhooks")).ok()
    assert webhook == {
        "id": followed["webhook_id"],
        "type": 2,
        "guild_id": target.id,
        "channel_id": target.general,
        "user": (await bob.get(f"/users/{bob.id}")).ok(),
        "name": "Source #news",
        "avatar": icon,
        "application_id": None,
        "source_guild": {"id": source.id, "name": "Source", "icon": icon},
        "source_channel": {"id": channel_id, "name": "news"},
    }
    picture = await world.anybody.get(f"//avatars/{webhook['id']}/{icon}.png")
    assert picture.content == still()
    assert (await world.anybody.get(f"{at(webhook)}/{'x' * 68}")).error == WRONG_TOKEN
    (await bob.delete(f"/channels/{target.general}/messages/{notice['id']}")).ok(204)

    (await bob.delete(f"/users/@me/guilds/{source.id}")).ok()
    lost = (await bob.get(at(webhook))).ok()
    assert "source_guild" not in lost
    assert "source_channel" not in lost


async def test_who_may_follow_what(world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    source, target = await world.guild(alice, bob), await world.guild(carol, bob)
    channel_id = await world.channel(alice, source, type=5)
    hidden = await world.channel(alice, source, type=5)
    overwrite = {"type": 0, "deny": str(1 << 10), "allow": "0"}
    (await alice.put(f"/channels/{hidden}/permissions/{source.id}", overwrite)).ok()
    voice = await world.channel(carol, target, type=2)

    async def refusal(user: User, followed_id: str, target_id: str) -> tuple[int, int]:
        payload = {"webhook_channel_id": target_id}
        return (await user.post(f"/channels/{followed_id}/followers", payload)).error

    assert await refusal(bob, channel_id, target.general) == NO_PERMISSION
    assert await refusal(carol, channel_id, target.general) == NO_ACCESS
    await allow(carol, target, target.general, bob, MANAGE_WEBHOOKS)
    await allow(carol, target, voice, bob, MANAGE_WEBHOOKS)
    assert await refusal(bob, source.general, target.general) == WRONG_TYPE
    assert await refusal(bob, hidden, target.general) == NO_ACCESS
    assert await refusal(bob, channel_id, voice) == WRONG_TYPE
    assert (await carol.get(f"/guilds/{target.id}/webhooks")).ok() == []
    await follow(bob, channel_id, target.general)
    for _ in range(14):
        await follow(bob, channel_id, target.general)
    assert await refusal(bob, channel_id, target.general) == (400, 30007)


# --- publishing ------------------------------------------------------------------------------------------------------


async def test_a_published_message_is_copied(server: Server, news: News) -> None:
    async with gateway(server.url, news.bob.token) as ear:
        content = f"news for <@{news.bob.id}> and @everyone"
        published = await news.publish(content, embeds=[{"title": "more"}], nonce="1", tts=True)
        assert published["flags"] == CROSSPOSTED
        assert (await ear.next("MESSAGE_UPDATE"))["flags"] == CROSSPOSTED
        told = await ear.next("MESSAGE_CREATE", lambda message: message["channel_id"] == news.target.general)
        [webhook] = (await news.bob.get(f"/channels/{news.target.general}/webhooks")).ok()
        [copy] = await news.copies()
        assert copy["id"] == told["id"]
        assert (copy["content"], copy["flags"], copy["tts"]) == (content, IS_CROSSPOST, False)
        assert copy["embeds"] == published["embeds"]
        assert (copy["author"], copy["webhook_id"]) == (author(webhook), webhook["id"])
        assert copy["message_reference"] == {
            "type": 0,
            "channel_id": news.channel_id,
            "message_id": published["id"],
            "guild_id": news.source.id,
        }
        assert {"nonce", "referenced_message"}.isdisjoint(copy)
        assert ([user["id"] for user in copy["mentions"]], copy["mention_everyone"]) == ([news.bob.id], False)
        counts = {it["id"]: it["mention_count"] for it in await states(news.bob)}
        assert counts.get(news.target.general, 0) == 0
    assert (await news.bob.get(f"/channels/{news.target.general}")).ok()["last_message_id"] == copy["id"]


async def states(user: User) -> list[Json]:
    async with gateway(user.url, user.token) as connection:
        return list(connection.ready["read_state"])


async def test_who_may_publish_what(world: World, news: News) -> None:
    carol = await world.person()
    await world.join(news.alice, news.source, carol)
    hers, mine = await carol.say(news.channel_id), await news.alice.say(news.channel_id)
    assert (await carol.post(f"{news.path(mine)}/crosspost")).error == NO_PERMISSION
    assert (await carol.post(f"{news.path(hers)}/crosspost")).ok()["flags"] == CROSSPOSTED
    await allow(news.alice, news.source, news.channel_id, carol, MANAGE_MESSAGES)
    (await carol.post(f"{news.path(mine)}/crosspost")).ok()
    assert (await news.alice.post(f"{news.path(mine)}/crosspost")).error == ALREADY
    assert (await news.alice.post(f"/channels/{news.channel_id}/messages/1/crosspost")).error == UNKNOWN_MESSAGE
    reply = await news.alice.say(news.channel_id, message_reference={"message_id": mine["id"]})
    assert (await news.alice.post(f"{news.path(reply)}/crosspost")).error == WRONG_MESSAGE
    plain = await news.alice.say(news.source.general)
    path = f"/channels/{news.source.general}/messages/{plain['id']}/crosspost"
    assert (await news.alice.post(path)).error == WRONG_TYPE
    assert len(await news.copies()) == 2


async def test_a_copy_is_not_published_again(world: World, news: News) -> None:
    relay = await world.channel(news.bob, news.target, type=5)
    await follow(news.bob, news.channel_id, relay)
    await news.publish()
    copy = (await news.bob.get(f"/channels/{relay}")).ok()["last_message_id"]
    assert (await news.bob.post(f"/channels/{relay}/messages/{copy}/crosspost")).error == WRONG_MESSAGE


@pytest.mark.options({"limits.rate_limits": True})
async def test_ten_in_an_hour(server: Server, world: World, news: News) -> None:
    other = await world.channel(news.alice, news.source, type=5)
    for number in range(10):
        await news.publish(str(number))
        server.clock.advance(5)
    path = news.path(await news.bob.say(news.channel_id))
    assert (await news.bob.post(f"{news.path({'id': '1'})}/crosspost")).error == UNKNOWN_MESSAGE
    full = await news.bob.post(f"{path}/crosspost")
    assert (full.status, full.headers["X-RateLimit-Scope"], full.json["retry_after"]) == (429, "shared", 3550.0)
    elsewhere = await news.bob.say(other)
    (await news.bob.post(f"/channels/{other}/messages/{elsewhere['id']}/crosspost")).ok()
    server.clock.advance(3550)
    pair = (await world.anybody.post("/auth/refresh", {"refresh_token": news.bob.pair["refresh_token"]})).ok()
    (await world.user(pair).post(f"{path}/crosspost")).ok()


# --- what becomes of the copies --------------------------------------------------------------------------------------


async def carried_on(server: Server) -> None:
    """What the server does by itself, now and then."""
    await crossposts.deliver(server.core)


async def test_edits_and_deletions_are_carried_on(server: Server, news: News) -> None:
    published = await news.publish("news", embeds=[{"title": "more"}])
    [copy] = await news.copies()
    async with gateway(server.url, news.bob.token) as ear:
        edited = (await news.alice.patch(news.path(published), {"content": "better news"})).ok()
        await carried_on(server)
        told = await ear.next("MESSAGE_UPDATE", lambda message: message["id"] == copy["id"])
        assert (told["content"], told["edited_timestamp"]) == ("better news", edited["edited_timestamp"])
        (await news.alice.patch(news.path(published), {"flags": SUPPRESS_EMBEDS})).ok()
        await carried_on(server)
        told = await ear.next("MESSAGE_UPDATE", lambda message: message["id"] == copy["id"])
        assert told["flags"] == IS_CROSSPOST | SUPPRESS_EMBEDS
        (await news.alice.delete(news.path(published))).ok(204)
        await carried_on(server)
        told = await ear.next("MESSAGE_UPDATE", lambda message: message["id"] == copy["id"])
        assert told["flags"] == IS_CROSSPOST | SOURCE_DELETED
        assert (told["content"], told["embeds"]) == ("[Original Message Deleted]", [])
    [left] = await news.copies()
    assert (left["author"], left["message_reference"]) == (copy["author"], copy["message_reference"])


async def test_files_are_carried_on(server: Server, world: World, news: News) -> None:
    """A copy names the same files, as long as its source does."""
    fields = {"payload_json": json.dumps({"content": "look", "flags": SUPPRESS_EMBEDS})}
    parts = {"files[0]": ("a.txt", b"a"), "files[1]": ("b.txt", b"b")}
    sent = (await news.alice.upload(f"/channels/{news.channel_id}/messages", fields, parts)).ok(200)
    (await news.alice.post(f"{news.path(sent)}/crosspost")).ok(200)
    [copy] = await news.copies()
    assert await contents(world, copy) == {"a.txt": b"a", "b.txt": b"b"}
    kept = [{"id": sent["attachments"][1]["id"]}]
    (await news.alice.patch(news.path(sent), {"attachments": kept})).ok(200)
    await carried_on(server)
    [copy] = await news.copies()
    assert await contents(world, copy) == {"b.txt": b"b"}
    refreshed = await news.bob.post("/attachments/refresh-urls", {"attachment_urls": [copy["attachments"][0]["url"]]})
    assert refreshed.ok()["refreshed_urls"][0]["refreshed"] is not None
    (await news.alice.delete(news.path(sent))).ok(204)
    await carried_on(server)
    [left] = await news.copies()
    assert left["attachments"] == []
    link = urlsplit(copy["attachments"][0]["url"])
    assert (await world.anybody.get(f"/{link.path}?{link.query}")).status == 404


async def test_files_whose_time_is_over_are_carried_on(server: Server, news: News) -> None:
    parts = {"files[0]": ("a.txt", b"a")}
    path = f"/channels/{news.channel_id}/messages"
    sent = (await news.alice.upload(path, {"content": "look"}, parts)).ok(200)
    (await news.alice.post(f"{news.path(sent)}/crosspost")).ok(200)
    await server.core.db.write(retention_store.change, int(news.channel_id), {"files_s": 60})
    server.clock.advance(61)
    await retention.keep_files(server.core)
    await carried_on(server)
    [left] = await news.copies()
    assert (left["content"], left["attachments"]) == ("look", [])


async def test_however_a_source_ends(server: Server, world: World, news: News) -> None:
    published = [await news.publish(str(number)) for number in range(3)]
    bulk = {"messages": [message["id"] for message in published[:2]]}
    (await news.alice.post(f"/channels/{news.channel_id}/messages/bulk-delete", bulk)).ok(204)
    await carried_on(server)
    flags = [message["flags"] for message in await news.copies()]
    assert flags == [IS_CROSSPOST, *[IS_CROSSPOST | SOURCE_DELETED] * 2]
    (await news.alice.delete(f"/channels/{news.channel_id}")).ok()
    await discarded.sweep(server.core)
    await carried_on(server)
    assert all(message["flags"] & SOURCE_DELETED for message in await news.copies())
    [webhook] = (await news.bob.get(f"/channels/{news.target.general}/webhooks")).ok()
    assert "source_channel" not in webhook


async def test_copies_that_are_gone_and_followers_that_are(server: Server, news: News) -> None:
    published = await news.publish()
    [copy] = await news.copies()
    (await news.bob.delete(at({"id": news.webhook_id}))).ok()
    (await news.alice.patch(news.path(published), {"content": "better"})).ok()
    await carried_on(server)
    assert [message["content"] for message in await news.copies()] == ["better"]
    await news.publish("unheard")
    assert len(await news.copies()) == 1
    (await news.bob.delete(f"/channels/{news.target.general}/messages/{copy['id']}")).ok()
    (await news.alice.delete(news.path(published))).ok()
    await carried_on(server)
    assert await news.copies() == []


async def test_many_followers(server: Server, world: World, news: News) -> None:
    """More than one batch at each step."""
    channels = [await world.channel(news.bob, news.target, f"room {number}") for number in range(4)]
    for channel_id in channels:
        for _ in range(15):
            await follow(news.bob, news.channel_id, channel_id)
    published = await news.publish()
    (await news.alice.patch(news.path(published), {"content": "changed"})).ok()
    await carried_on(server)
    for channel_id in channels:
        page = (await news.bob.get(f"/channels/{channel_id}/messages", limit=100)).ok()
        assert [message["content"] for message in page if message["type"] == 0] == ["changed"] * 15
    (await news.alice.delete(news.path(published))).ok()
    await carried_on(server)
    page = (await news.bob.get(f"/channels/{channels[0]}/messages", limit=15)).ok()
    assert all(message["flags"] & SOURCE_DELETED for message in page)
