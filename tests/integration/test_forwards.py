"""Forwards over the wire: what they show, who may take what from where, and that they outlive what they show."""

import pytest

from tests.support.app import Server
from tests.support.client import Answer, Json, gateway
from tests.support.world import BOT_PERMISSIONS, Guild, User, World

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)

VIEW_CHANNEL, READ_MESSAGE_HISTORY, EMBED_LINKS = 1 << 10, 1 << 16, 1 << 14
HAS_SNAPSHOT = 1 << 14
NO_ACCESS, NO_HISTORY = (403, 50001), (403, 160009)
NOT_FOUND, WRONG_TYPE, WITH_CONTENT, UNREADABLE = (400, 160008), (400, 50068), (400, 160011), (400, 160014)


def reference(channel_id: str, message_id: str, **fields: object) -> Json:
    return {"message_reference": {"type": 1, "channel_id": channel_id, "message_id": message_id, **fields}}


async def forward(user: User, to: str, message: Json, **fields: object) -> Answer:
    payload = {**reference(message["channel_id"], message["id"]), **fields}
    return await user.post(f"/channels/{to}/messages", payload)


async def hide(owner: User, channel_id: str, target: str, bits: int, kind: int = 0) -> None:
    payload = {"type": kind, "allow": "0", "deny": str(bits)}
    (await owner.put(f"/channels/{channel_id}/permissions/{target}", payload)).ok(204)


async def test_a_forward_keeps_what_it_shows(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    library, cafe = await world.guild(alice, bob), await world.guild(bob)
    first = await alice.say(library.general, f"<@{bob.id}> read this", embeds=[{"title": "t"}])
    async with gateway(server.url, bob.token, intents=None) as it:
        sent = (await forward(bob, cafe.general, first)).ok(200)
        created = await it.next("MESSAGE_CREATE", lambda d: d["channel_id"] == cafe.general)
    assert (sent["type"], sent["flags"], sent["content"], sent["mentions"]) == (0, HAS_SNAPSHOT, "", [])
    assert sent["message_reference"] == {
        "type": 1,
        "channel_id": library.general,
        "message_id": first["id"],
        "guild_id": library.id,
    }
    assert "referenced_message" not in sent
    shown = ("type", "content", "timestamp", "edited_timestamp", "flags", "mentions", "mention_roles")
    expected = {name: first[name] for name in (*shown, "attachments", "embeds", "components")}
    assert sent["message_snapshots"] == [{"message": expected}]
    assert created["message_snapshots"] == sent["message_snapshots"]
    # Neither an edit nor the end of the other message changes it.
    source = f"/channels/{library.general}/messages/{first['id']}"
    (await alice.patch(source, {"content": "something else"})).ok(200)
    (await alice.delete(source)).ok(204)
    assert (await bob.get(f"/channels/{cafe.general}/messages/{sent['id']}")).ok(200) == sent
    assert (await bob.get(f"/channels/{cafe.general}/messages")).ok(200) == [sent]


@sqlite_only
async def test_a_forward_of_a_forward_shows_the_same(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    first = await alice.say(guild.general, "news")
    second = (await forward(alice, guild.general, first)).ok(200)
    third = (await forward(alice, guild.general, second)).ok(200)
    assert third["message_snapshots"] == second["message_snapshots"]
    assert third["message_reference"]["message_id"] == second["id"]
    reply = await alice.say(guild.general, "so", message_reference={"message_id": third["id"]})
    assert reply["referenced_message"] == third


@sqlite_only
async def test_everything_is_forwarded(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    tree = [{"type": 10, "content": "words"}, {"type": 14}]
    layout = (await bot.post(f"/channels/{guild.general}/messages", {"components": tree, "flags": 1 << 15})).ok(200)
    [snapshot] = (await forward(alice, guild.general, layout)).ok(200)["message_snapshots"]
    assert (snapshot["message"]["components"], snapshot["message"]["flags"]) == (layout["components"], 1 << 15)
    flagged = (await forward(bot, guild.general, layout, flags=1 << 15)).ok(200)
    assert flagged["flags"] == HAS_SNAPSHOT  # it has no components of its own
    quiet = await alice.say(guild.general, "x", embeds=[{"title": "t"}], flags=4)
    [snapshot] = (await forward(alice, guild.general, quiet)).ok(200)["message_snapshots"]
    assert (snapshot["message"]["embeds"], snapshot["message"]["flags"]) == ([], 4)


@sqlite_only
async def test_what_may_be_forwarded(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    message = await alice.say(guild.general, "x")
    (await alice.put(f"/channels/{guild.general}/messages/pins/{message['id']}")).ok(204)
    notice = (await alice.get(f"/channels/{guild.general}/messages", limit=1)).ok(200)[0]
    assert notice["type"] == 6
    poll = {"question": {"text": "?"}, "answers": [{"poll_media": {"text": "yes"}}]}
    asked = (await alice.post(f"/channels/{guild.general}/messages", {"poll": poll})).ok(200)
    for refused in (notice, asked):
        assert (await forward(alice, guild.general, refused)).error == WRONG_TYPE
    assert (await forward(alice, guild.general, {**message, "id": guild.id})).error == NOT_FOUND
    path = f"/channels/{guild.general}/messages"
    missing = {"message_reference": {"type": 1, "message_id": message["id"]}}
    assert (await alice.post(path, missing)).errors == {"message_reference.channel_id": "BASE_TYPE_REQUIRED"}
    other = {"message_reference": {"type": 2, "message_id": message["id"]}}
    assert (await alice.post(path, other)).errors == {"message_reference.type": "BASE_TYPE_CHOICES"}


@sqlite_only
async def test_a_forward_is_alone(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    message = await alice.say(guild.general, "x")
    poll = {"question": {"text": "?"}, "answers": [{"poll_media": {"text": "yes"}}]}
    for beside in ({"content": "look"}, {"embeds": [{"title": "t"}]}, {"poll": poll}):
        assert (await forward(alice, guild.general, message, **beside)).error == WITH_CONTENT
    sent = (await forward(alice, guild.general, message, content="", embeds=[])).ok(200)
    path = f"/channels/{guild.general}/messages/{sent['id']}"
    assert (await alice.patch(path, {"content": "look"})).error == WITH_CONTENT
    assert (await alice.patch(path, {"flags": 4})).ok(200)["flags"] == 4 | HAS_SNAPSHOT


@sqlite_only
async def test_what_may_be_seen_may_be_forwarded(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    secret = await world.channel(alice, guild, "secret")
    message = await alice.say(secret, "x")
    assert (await forward(bob, guild.general, message)).status == 200
    await hide(alice, secret, guild.id, READ_MESSAGE_HISTORY)
    assert (await forward(bob, guild.general, message)).error == NO_HISTORY
    await hide(alice, secret, guild.id, VIEW_CHANNEL)
    assert (await forward(bob, guild.general, message)).error == NO_ACCESS
    other = await world.guild(alice)
    elsewhere = await alice.say(other.general, "x")
    assert (await forward(bob, guild.general, elsewhere)).error == NO_ACCESS
    # The message must be in the channel that is named.
    assert (await forward(bob, guild.general, {**message, "channel_id": guild.general})).error == NOT_FOUND


@sqlite_only
async def test_between_guilds_and_direct_channels(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    direct = await alice.dm(bob)
    said = await alice.say(direct, "between us")
    public = (await forward(bob, guild.general, said)).ok(200)
    assert public["message_reference"] == {"type": 1, "channel_id": direct, "message_id": said["id"]}
    assert public["message_snapshots"][0]["message"]["content"] == "between us"
    assert (await forward(alice, direct, public)).status == 200


@sqlite_only
async def test_applications_forward_what_they_may_read(world: World) -> None:
    alice = await world.person()
    guild: Guild = await world.guild(alice)
    bot = await world.bot(alice, guild, permissions=BOT_PERMISSIONS | EMBED_LINKS)
    (await alice.patch(f"/applications/{bot.id}", {"flags": 0})).ok(200)
    unread = await alice.say(guild.general, "of others")
    assert (await forward(bot, guild.general, unread)).error == UNREADABLE
    for message in (await alice.say(guild.general, f"<@{bot.id}>"), await bot.say(guild.general, "its own")):
        assert (await forward(bot, guild.general, message)).status == 200


@sqlite_only
async def test_auto_moderation_reads_what_is_forwarded(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    message = await alice.say(guild.general, "forbidden")
    rule = {
        "name": "words",
        "event_type": 1,
        "trigger_type": 1,
        "trigger_metadata": {"keyword_filter": ["forbidden"]},
        "actions": [{"type": 1}],
        "enabled": True,
    }
    (await alice.post(f"/guilds/{guild.id}/auto-moderation/rules", rule)).ok(200)
    assert (await forward(bob, guild.general, message)).error == (400, 200000)
