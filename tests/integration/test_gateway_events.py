"""Who gets which event: intents, visibility, shards, message content, presence.

Docs: events/gateway ("Gateway Intents", "Sharding"), events/gateway-events. That something does not come is shown by
what comes behind it: events of one guild keep their order, and a heartbeat is answered behind what was sent before.
"""

from typing import Any

import pytest

from tests.support.app import Server
from tests.support.client import ALL_INTENTS, Gateway, connect, gateway
from tests.support.members import crowd
from tests.support.world import Guild, User, World

GUILDS, GUILD_MEMBERS, GUILD_INVITES, GUILD_PRESENCES = 1 << 0, 1 << 1, 1 << 6, 1 << 8
GUILD_MESSAGES, GUILD_TYPING, DIRECT_MESSAGES, DIRECT_TYPING = 1 << 9, 1 << 11, 1 << 12, 1 << 14
MESSAGE_CONTENT = 1 << 15

VIEW_CHANNEL, MANAGE_CHANNELS = 1 << 10, 1 << 4


@pytest.fixture
async def server(sqlite_server: Server) -> Server:
    return sqlite_server


async def names_until_quiet(server: Server, it: Gateway) -> list[str]:
    """What happened since READY and the guilds; presences not counted."""
    await server.core.live.bus.flush()
    await it.heartbeat()
    return [name for name, _ in it.events if name not in ("READY", "GUILD_CREATE", "PRESENCE_UPDATE")]


def hide_from(*targets: tuple[str, int]) -> dict[str, Any]:
    """A channel's overwrites that deny VIEW_CHANNEL to roles (0) and members (1)."""
    return {
        "permission_overwrites": [
            {"id": id_, "type": type_, "allow": "0", "deny": str(VIEW_CHANNEL)} for id_, type_ in targets
        ]
    }


# --- intents ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intents", "expected"),
    [
        (GUILDS, ["CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE"]),
        (GUILD_MEMBERS, ["GUILD_MEMBER_ADD"]),
        (GUILD_INVITES, ["INVITE_CREATE"]),
        (GUILD_MESSAGES, ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"]),
        (GUILD_TYPING, ["TYPING_START"]),
        (GUILD_PRESENCES, []),
        (DIRECT_MESSAGES | DIRECT_TYPING | MESSAGE_CONTENT, []),
        (0, []),
    ],
)
async def test_each_intent_lets_its_own_events_through(
    server: Server, world: World, owner: User, guild: Guild, intents: int, expected: list[str]
) -> None:
    bot = await world.bot(owner, guild, permissions=VIEW_CHANNEL | MANAGE_CHANNELS)
    newcomer = await world.person("newcomer")
    async with connect(server.url) as it:
        await it.identify(bot.token, intents)
        channel_id = await world.channel(owner, guild)
        (await owner.patch(f"/channels/{channel_id}", {"topic": "books"})).ok(200)
        await world.join(owner, guild, newcomer)
        message = await owner.say(channel_id, "hello")
        path = f"/channels/{channel_id}/messages/{message['id']}"
        (await owner.patch(path, {"content": "hello!"})).ok(200)
        (await owner.delete(path)).ok(204)
        (await owner.post(f"/channels/{channel_id}/typing")).ok(204)
        async with gateway(server.url, newcomer.token, intents=None):
            pass
        (await owner.delete(f"/channels/{channel_id}")).ok(200)
        names = await names_until_quiet(server, it)
        presences = it.named("PRESENCE_UPDATE")
    assert names == expected
    assert {d["user"]["id"] for d in presences} == ({newcomer.id} if intents == GUILD_PRESENCES else set())


async def test_without_the_guilds_intent_no_guild_is_sent(server: Server, bot: User) -> None:
    async with connect(server.url) as it:
        await it.identify(bot.token, GUILD_MESSAGES)
        await server.core.live.bus.flush()
        await it.heartbeat()
        assert it.named("GUILD_CREATE") == []


async def test_direct_messages_have_intents_of_their_own(server: Server, world: World, owner: User, bot: User) -> None:
    async with (
        gateway(server.url, bot.token, intents=GUILDS | DIRECT_MESSAGES) as messages,
        gateway(server.url, bot.token, intents=GUILDS | DIRECT_TYPING) as typing,
        gateway(server.url, bot.token, intents=GUILDS | GUILD_MESSAGES | GUILD_TYPING) as neither,
    ):
        channel_id = await owner.dm(bot)
        (await owner.post(f"/channels/{channel_id}/typing")).ok(204)
        await owner.say(channel_id, "between us")
        created = await messages.next("MESSAGE_CREATE")
        assert "guild_id" not in created
        assert created["content"] == "between us"  # although MESSAGE_CONTENT is missing
        started = await typing.next("TYPING_START")
        assert (started["channel_id"], started["user_id"]) == (channel_id, owner.id)
        assert not {"guild_id", "member"} & started.keys()
        assert not {"MESSAGE_CREATE", "TYPING_START"} & set(await names_until_quiet(server, neither))


async def test_what_becomes_of_a_direct_message_is_told_to_both(
    server: Server, world: World, owner: User, bot: User
) -> None:
    other = await world.person("other")
    async with (
        gateway(server.url, owner.token, intents=None) as hers,
        gateway(server.url, other.token, intents=None) as theirs,
        gateway(server.url, other.token, intents=GUILDS | DIRECT_TYPING) as typing,
    ):
        channel_id = await owner.dm(other)
        message = await owner.say(channel_id, "before")
        path = f"/channels/{channel_id}/messages/{message['id']}"
        (await owner.patch(path, {"content": "after"})).ok(200)
        (await owner.delete(path)).ok(204)
        (await owner.post(f"/channels/{channel_id}/typing")).ok(204)
        expected = ["CHANNEL_CREATE", "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "TYPING_START"]
        for it, user in ((hers, other), (theirs, owner)):
            assert await names_until_quiet(server, it) == expected
            assert [d["id"] for d in it.named("CHANNEL_CREATE")[0]["recipients"]] == [user.id]
            assert it.named("MESSAGE_UPDATE")[0]["content"] == "after"
            assert it.named("MESSAGE_DELETE") == [{"id": message["id"], "channel_id": channel_id}]
        assert await names_until_quiet(server, typing) == ["CHANNEL_CREATE", "TYPING_START"]


# --- message content -------------------------------------------------------------------------------------------------


async def test_without_the_intent_content_is_empty_but_for_ones_own_and_mentions(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    embeds = [{"title": "a title"}]
    async with (
        gateway(server.url, bot.token, intents=ALL_INTENTS & ~MESSAGE_CONTENT) as lean,
        gateway(server.url, bot.token) as full,
        gateway(server.url, owner.token, intents=None) as persons,
    ):
        await owner.say(guild.general, "of others", embeds=embeds)
        await bot.say(guild.general, "its own", embeds=embeds)
        await owner.say(guild.general, f"<@{bot.id}> mentioned", embeds=embeds)
        expected = ["of others", "its own", f"<@{bot.id}> mentioned"]
        for it in (full, persons):
            for content in expected:
                message = await it.next("MESSAGE_CREATE")
                assert (message["content"], len(message["embeds"])) == (content, 1)
        for content in ("", *expected[1:]):
            message = await lean.next("MESSAGE_CREATE")
            assert (message["content"], len(message["embeds"])) == (content, int(bool(content)))
        assert lean.named("MESSAGE_CREATE")[0]["author"]["id"] == owner.id


async def test_an_edited_message_is_stripped_like_a_new_one(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, bot.token, intents=GUILDS | GUILD_MESSAGES) as it:
        message = await owner.say(guild.general, "before")
        (await owner.patch(f"/channels/{guild.general}/messages/{message['id']}", {"content": "after"})).ok(200)
        assert (await it.next("MESSAGE_UPDATE"))["content"] == ""


async def test_what_a_reply_quotes_is_content_as_well(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token, intents=GUILDS | GUILD_MESSAGES) as it:
        first = await owner.say(guild.general, "a secret")
        await owner.say(guild.general, "a reply", message_reference={"message_id": first["id"]})
        reply = await it.next("MESSAGE_CREATE", lambda d: d["type"] == 19)
        assert reply["content"] == ""
        assert reply["referenced_message"]["content"] == ""


# --- visibility ------------------------------------------------------------------------------------------------------


async def test_a_hidden_channel_does_not_exist(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    secret = await world.channel(owner, guild, "secret", **hide_from((guild.id, 0)))
    async with gateway(server.url, bot.token) as it, gateway(server.url, owner.token, intents=None) as owners:
        [created] = it.named("GUILD_CREATE")
        assert secret not in {channel["id"] for channel in created["channels"]}
        message = await owner.say(secret, "psst")
        path = f"/channels/{secret}/messages/{message['id']}"
        (await owner.patch(path, {"content": "psst!"})).ok(200)
        (await owner.delete(path)).ok(204)
        (await owner.post(f"/channels/{secret}/typing")).ok(204)
        (await owner.patch(f"/channels/{secret}", {"topic": "nothing to see"})).ok(200)
        (await owner.post(f"/channels/{secret}/invites", {})).ok(200)
        another = await world.channel(owner, guild, "another", **hide_from((guild.id, 0)))
        (await owner.delete(f"/channels/{another}")).ok(200)
        await owner.say(guild.general, "hello all")
        assert (await it.next("MESSAGE_CREATE"))["content"] == "hello all"
        assert await names_until_quiet(server, it) == ["MESSAGE_CREATE"]
        await owners.next("CHANNEL_DELETE", lambda d: d["id"] == another)
        assert secret not in str([d for name, d in it.events])


async def test_gaining_and_losing_sight_of_a_channel(
    server: Server, owner: User, world: World, guild: Guild, bot: User
) -> None:
    desk = await world.channel(owner, guild, "desk")
    async with gateway(server.url, bot.token) as it, gateway(server.url, owner.token, intents=None) as owners:
        (await owner.patch(f"/channels/{desk}", hide_from((bot.id, 1)))).ok(200)
        assert (await it.next("CHANNEL_DELETE"))["id"] == desk
        assert (await owners.next("CHANNEL_UPDATE"))["id"] == desk
        await owner.say(desk, "the bot is gone")
        (await owner.patch(f"/channels/{desk}", {"topic": "the bot is away"})).ok(200)
        await owners.next("CHANNEL_UPDATE")
        (await owner.patch(f"/channels/{desk}", {"permission_overwrites": []})).ok(200)
        assert (await it.next("CHANNEL_CREATE"))["topic"] == "the bot is away"
        await owners.next("CHANNEL_UPDATE")
        await owner.say(desk, "the bot is back")
        assert (await it.next("MESSAGE_CREATE"))["content"] == "the bot is back"
        (await owner.patch(f"/channels/{desk}", {"topic": None})).ok(200)
        await it.next("CHANNEL_UPDATE")
        assert await names_until_quiet(server, it) == [
            "CHANNEL_DELETE",
            "CHANNEL_CREATE",
            "THREAD_LIST_SYNC",
            "MESSAGE_CREATE",
            "CHANNEL_UPDATE",
        ]


async def test_who_is_no_member_gets_nothing(server: Server, world: World, owner: User, guild: Guild) -> None:
    stranger = await world.person("stranger")
    async with gateway(server.url, stranger.token, intents=None) as it:
        await owner.say(guild.general)
        (await owner.post(f"/channels/{guild.general}/typing")).ok(204)
        await world.channel(owner, guild)
        assert await names_until_quiet(server, it) == []


async def test_a_newcomer_gets_the_guild_and_everything_after_it(
    server: Server, world: World, owner: User, guild: Guild
) -> None:
    newcomer = await world.person("newcomer")
    async with gateway(server.url, newcomer.token, intents=None) as it, gateway(server.url, owner.token) as owners:
        await owner.say(guild.general, "before")
        await world.join(owner, guild, newcomer)
        await owner.say(guild.general, "after")
        created = await it.next("GUILD_CREATE")
        assert "unavailable" not in created
        assert created["member_count"] == 2
        assert (await it.next("MESSAGE_CREATE"))["content"] == "after"
        added = await owners.next("GUILD_MEMBER_ADD")
        assert (added["guild_id"], added["user"]["id"]) == (guild.id, newcomer.id)
        assert added.keys() >= {"roles", "joined_at", "flags", "deaf", "mute", "nick"}


# --- shards ----------------------------------------------------------------------------------------------------------


async def test_a_guild_reaches_one_shard_and_direct_messages_the_first(
    server: Server, world: World, owner: User, bot: User, guild: Guild
) -> None:
    guilds = [guild]
    while {int(each.id) >> 22 & 1 for each in guilds} != {0, 1}:
        server.clock.advance(0.001)
        guilds.append(await world.guild(owner))
        (await world.authorize(owner, bot.id, guilds[-1], 1 << 10 | 1 << 11)).ok()
    of_shard = [{each.id for each in guilds if (int(each.id) >> 22) % 2 == n} for n in (0, 1)]
    async with (
        gateway(server.url, bot.token, shard=[0, 2]) as zero,
        gateway(server.url, bot.token, shard=[1, 2]) as one,
        gateway(server.url, bot.token) as whole,
    ):
        for it, expected in ((zero, of_shard[0]), (one, of_shard[1]), (whole, of_shard[0] | of_shard[1])):
            assert {each["id"] for each in it.ready["guilds"]} == expected
            assert {each["id"] for each in it.named("GUILD_CREATE")} == expected
        for each in guilds:
            await owner.say(each.general, each.id)
        await owner.say(await owner.dm(bot), "in private")
        for it, expected in ((zero, of_shard[0]), (one, of_shard[1]), (whole, of_shard[0] | of_shard[1])):
            await names_until_quiet(server, it)
            messages = it.named("MESSAGE_CREATE")
            assert {d["guild_id"] for d in messages if "guild_id" in d} == expected
            assert [d["content"] for d in messages if "guild_id" not in d] == (["in private"] if it is not one else [])


# --- typing and presence ---------------------------------------------------------------------------------------------


async def test_typing_tells_who_and_when(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        (await owner.post(f"/channels/{guild.general}/typing")).ok(204)
        started = await it.next("TYPING_START")
        assert started.pop("member")["user"]["id"] == owner.id
        assert started == {
            "channel_id": guild.general,
            "guild_id": guild.id,
            "user_id": owner.id,
            "timestamp": server.clock() // 1000,
        }


async def test_presence_follows_a_user_through_its_sessions(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, owner.token, intents=None) as watcher:

        async def shown() -> tuple[str, list[str], dict[str, str]]:
            update = await watcher.next("PRESENCE_UPDATE", lambda d: d["user"]["id"] == bot.id)
            assert update["guild_id"] == guild.id
            return update["status"], [activity["name"] for activity in update["activities"]], update["client_status"]

        playing = {"status": "dnd", "activities": [{"name": "chess", "type": 0}], "since": None, "afk": False}
        async with gateway(server.url, bot.token, presence=playing) as one:
            assert await shown() == ("dnd", ["chess"], {"web": "dnd"})
            async with gateway(server.url, bot.token) as other:
                assert await shown() == ("online", [], {"web": "online"})
                await other.send(3, {"status": "invisible", "since": None, "activities": [], "afk": False})
                assert await shown() == ("dnd", ["chess"], {"web": "dnd"})
                # What hikari and discord.py send.
                await one.send(3, {"status": "idle", "since": 0.0, "game": {"name": "go", "type": 3}, "afk": True})
                assert await shown() == ("idle", ["go"], {"web": "idle"})
            await one.send(3, {"status": "invisible", "since": None, "activities": [{"name": "secret"}], "afk": False})
            assert await shown() == ("offline", [], {})
            await one.send(3, {"status": "online", "since": None, "activities": [], "afk": False})
            assert await shown() == ("online", [], {"web": "online"})
        assert await shown() == ("offline", [], {})


async def test_who_is_invisible_is_never_shown(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, owner.token, intents=None) as watcher:
        async with gateway(server.url, bot.token, presence={"status": "invisible", "activities": [{"name": "spying"}]}):
            pass
        assert [d for d in watcher.named("PRESENCE_UPDATE") if d["user"]["id"] == bot.id] == []
        await names_until_quiet(server, watcher)
        assert [d for d in watcher.named("PRESENCE_UPDATE") if d["user"]["id"] == bot.id] == []


async def test_saying_the_same_again_tells_nobody(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, owner.token, intents=None) as watcher, gateway(server.url, bot.token) as it:
        for _ in range(3):
            await it.send(3, {"status": "idle", "since": None, "activities": [], "afk": False})
        await it.heartbeat()
        await names_until_quiet(server, watcher)
        shown = [d["status"] for d in watcher.named("PRESENCE_UPDATE") if d["user"]["id"] == bot.id]
        assert shown == ["online", "idle"]


async def test_guilds_come_with_presences_only_for_who_has_the_intent(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with (
        gateway(server.url, owner.token, intents=None),
        gateway(server.url, bot.token) as seeing,
        gateway(server.url, bot.token, intents=ALL_INTENTS & ~GUILD_PRESENCES) as blind,
    ):
        [created] = seeing.named("GUILD_CREATE")
        assert {d["user"]["id"] for d in created["presences"]} == {owner.id, bot.id}
        assert {d["user"]["id"] for d in created["members"]} == {owner.id, bot.id}
        [created] = blind.named("GUILD_CREATE")
        assert created["presences"] == []
        assert {d["user"]["id"] for d in created["members"]} == {bot.id}


@pytest.mark.parametrize(
    ("threshold", "members", "large"), [(None, 50, False), (None, 51, True), (60, 60, False), (60, 61, True)]
)
async def test_a_large_guild_lists_who_is_online(
    server: Server, world: World, owner: User, guild: Guild, bot: User, threshold: int | None, members: int, large: bool
) -> None:
    crowd(server, guild, owner, members)
    fields = {} if threshold is None else {"large_threshold": threshold}
    async with gateway(server.url, owner.token, intents=None), gateway(server.url, bot.token, **fields) as it:
        [created] = it.named("GUILD_CREATE")
        assert (created["large"], created["member_count"]) == (large, members)
        assert {d["user"]["id"] for d in created["presences"]} == {owner.id, bot.id}
        listed = {d["user"]["id"] for d in created["members"]}
        assert (listed == {owner.id, bot.id}) is large
        assert len(listed) == (2 if large else members)
