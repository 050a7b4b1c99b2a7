"""What may be changed of members, by whom, and who hears of it."""

from datetime import UTC, datetime, timedelta

import pytest
import trio

from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.world import Guild, User, World

KICK, BAN, MANAGE_CHANNELS, VIEW, SEND, VIEW_LOG = 1 << 1, 1 << 2, 1 << 4, 1 << 10, 1 << 11, 1 << 7
MANAGE_NICKNAMES, MANAGE_ROLES, MODERATE, MUTE, MOVE = 1 << 27, 1 << 28, 1 << 40, 1 << 22, 1 << 24
NO_PERMISSION, INVALID_ROLE, NOT_IN_VOICE = (403, 50013), (400, 50028), (400, 40032)
# The clock of the tests starts here.
NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)


def at(**delta: int) -> str:
    return (NOW + timedelta(**delta)).isoformat()


async def new_role(owner: User, guild: Guild, **fields: Json) -> str:
    role_id: str = (await owner.post(f"/guilds/{guild.id}/roles", fields)).ok(200)["id"]
    return role_id


@pytest.fixture
async def bob(world: World, owner: User, guild: Guild) -> User:
    person = await world.person("bob")
    await world.join(owner, guild, person)
    return person


def path(guild: Guild, user: User) -> str:
    return f"/guilds/{guild.id}/members/{user.id}"


async def test_nicknames(server: Server, owner: User, guild: Guild, bob: User) -> None:
    async with gateway(server.url, bob.token, intents=1) as his, gateway(server.url, owner.token) as hers:
        named = (await owner.patch(path(guild, bob), {"nick": "Bobby"})).ok(200)
        assert named["nick"] == "Bobby"
        for ear in (his, hers):  # his own without the intent
            assert await ear.next("GUILD_MEMBER_UPDATE") == {**named, "guild_id": guild.id}
        assert (await bob.patch(path(guild, bob), {"nick": "B"})).ok(200)["nick"] == "B"
        assert (await bob.patch(f"/guilds/{guild.id}/members/@me/nick", {"nick": ""})).ok(200) == {"nick": None}
        assert (await bob.patch(f"/guilds/{guild.id}/members/@me", {"nick": "Me"})).ok(200)["nick"] == "Me"
    assert (await bob.patch(path(guild, owner), {"nick": "x"})).error == NO_PERMISSION
    assert (await bob.patch(path(guild, bob), {"nick": "x" * 33})).errors == {"nick": "BASE_TYPE_MAX_LENGTH"}
    log = (await owner.get(f"/guilds/{guild.id}/audit-logs", action_type=24, after=0)).ok()["audit_log_entries"]
    assert log[0]["changes"] == [{"key": "nick", "new_value": "Bobby"}]
    assert log[2]["changes"] == [{"key": "nick", "old_value": "B"}]


async def test_roles_come_and_go(server: Server, world: World, owner: User, guild: Guild, bob: User) -> None:
    one, other = await new_role(owner, guild, name="one"), await new_role(owner, guild, name="other")
    hidden = {"id": guild.id, "type": 0, "deny": str(VIEW)}
    shown = {"id": one, "type": 0, "allow": str(VIEW)}
    secret = await world.channel(owner, guild, "secret", permission_overwrites=[hidden, shown])
    async with gateway(server.url, bob.token) as his, gateway(server.url, owner.token) as hers:
        (await owner.put(f"{path(guild, bob)}/roles/{one}")).ok(204)
        assert (await his.next("GUILD_MEMBER_UPDATE"))["roles"] == [one]
        assert (await his.next("CHANNEL_CREATE"))["id"] == secret
        edited = (await owner.patch(path(guild, bob), {"roles": [other]})).ok(200)
        assert edited["roles"] == [other]
        assert (await his.next("CHANNEL_DELETE"))["id"] == secret
        (await owner.put(f"{path(guild, bob)}/roles/{other}")).ok(204)  # has it
        (await owner.delete(f"{path(guild, bob)}/roles/{other}")).ok(204)
        (await owner.delete(f"{path(guild, bob)}/roles/{other}")).ok(204)  # has it no more
        roles = [(await hers.next("GUILD_MEMBER_UPDATE"))["roles"] for _ in range(3)]
        assert roles == [[one], [other], []]
        await server.core.live.bus.flush()
        await hers.heartbeat()
        assert len(hers.named("GUILD_MEMBER_UPDATE")) == 3
        assert hers.named("CHANNEL_CREATE") == []
    log = (await owner.get(f"/guilds/{guild.id}/audit-logs", action_type=25, after=0)).ok()["audit_log_entries"]
    assert [entry["changes"] for entry in log] == [
        [{"key": "$add", "new_value": [{"id": one, "name": "one"}]}],
        [
            {"key": "$add", "new_value": [{"id": other, "name": "other"}]},
            {"key": "$remove", "new_value": [{"id": one, "name": "one"}]},
        ],
        [{"key": "$remove", "new_value": [{"id": other, "name": "other"}]}],
    ]


async def test_nobody_gives_a_role_above_their_own(world: World, owner: User, guild: Guild, bob: User) -> None:
    low = await new_role(owner, guild, name="low")
    bot = await world.bot(owner, guild, permissions=MANAGE_ROLES | MANAGE_NICKNAMES | MODERATE | KICK)
    high = await new_role(owner, guild, name="high")
    roles = (await owner.get(f"/guilds/{guild.id}/roles")).ok()
    own = next(role["id"] for role in roles if "tags" in role)
    for role, position in ((high, 3), (own, 2), (low, 1)):
        (await owner.patch(f"/guilds/{guild.id}/roles", [{"id": role, "position": position}])).ok(200)
    (await bot.put(f"{path(guild, bob)}/roles/{low}")).ok(204)
    (await owner.put(f"{path(guild, bob)}/roles/{high}")).ok(204)
    for method, target, body, error in (
        ("PUT", f"{path(guild, bob)}/roles/{high}", ..., 204),  # has it: nothing changes
        ("DELETE", f"{path(guild, bob)}/roles/{high}", ..., NO_PERMISSION),
        ("PUT", f"{path(guild, bob)}/roles/{own}", ..., INVALID_ROLE),
        ("PUT", f"{path(guild, bob)}/roles/{guild.id}", ..., INVALID_ROLE),
        ("PATCH", path(guild, bob), {"roles": []}, NO_PERMISSION),
        ("PATCH", path(guild, bob), {"roles": [high, "1"]}, (404, 10011)),
        # Bob stands above it now.
        ("PATCH", path(guild, bob), {"nick": "x"}, NO_PERMISSION),
        ("PATCH", path(guild, bob), {"communication_disabled_until": at(hours=1)}, NO_PERMISSION),
        ("DELETE", path(guild, bob), ..., NO_PERMISSION),
        ("DELETE", path(guild, owner), ..., NO_PERMISSION),
        ("DELETE", path(guild, bot), ..., NO_PERMISSION),
        ("DELETE", f"{path(guild, bob)}/roles/{low}", ..., 204),
    ):
        answer = await bot.request(method, target, body)
        assert (answer.status if error == 204 else answer.error) == error, (method, target, body)


async def test_a_timeout_silences_until_it_is_over(
    server: Server, world: World, owner: User, guild: Guild, bob: User
) -> None:
    channel = f"/channels/{guild.general}/messages"
    (await owner.patch(path(guild, bob), {"communication_disabled_until": at(minutes=5)})).ok(200)
    assert (await bob.post(channel, {"content": "x"})).error == NO_PERMISSION
    assert (await bob.post(f"/channels/{guild.general}/typing")).error == NO_PERMISSION
    assert (await bob.patch(path(guild, bob), {"nick": "x"})).error == NO_PERMISSION
    (await bob.get(channel)).ok(200)
    async with gateway(server.url, bob.token) as his:
        await owner.say(guild.general, "heard")
        assert (await his.next("MESSAGE_CREATE"))["content"] == "heard"
    server.clock.advance(301)
    await bob.say(guild.general)
    (await owner.patch(path(guild, bob), {"communication_disabled_until": at(minutes=20)})).ok(200)
    assert (await bob.post(channel, {"content": "x"})).error == NO_PERMISSION
    (await owner.patch(path(guild, bob), {"communication_disabled_until": None})).ok(200)
    await bob.say(guild.general)
    for until, error in ((at(days=29), None), ("soon", None)):
        answer = await owner.patch(path(guild, bob), {"communication_disabled_until": until})
        assert list(answer.errors) == ["communication_disabled_until"], error
    admin = await world.bot(owner, guild, permissions=1 << 3)
    answer = await owner.patch(path(guild, admin), {"communication_disabled_until": at(hours=1)})
    assert answer.error == NO_PERMISSION


async def test_a_timeout_holds_against_an_overwrite_that_allows_everything(
    owner: User, guild: Guild, bob: User
) -> None:
    everything = {"type": 1, "allow": str(2**53 - 1)}
    (await owner.put(f"/channels/{guild.general}/permissions/{bob.id}", everything)).ok(204)
    (await owner.patch(path(guild, bob), {"communication_disabled_until": at(minutes=5)})).ok(200)
    assert (await bob.post(f"/channels/{guild.general}/messages", {"content": "x"})).error == NO_PERMISSION


async def test_a_moderator_in_a_timeout_is_not_told_what_moderators_are(
    server: Server, world: World, owner: User, guild: Guild
) -> None:
    bot = await world.bot(owner, guild, permissions=VIEW | VIEW_LOG | MANAGE_CHANNELS | BAN)
    stranger = await world.person()
    async with gateway(server.url, bot.token) as its:
        await world.join(owner, guild)
        for until in (at(minutes=5), None):
            (await owner.patch(path(guild, bot), {"communication_disabled_until": until})).ok(200)
            (await owner.post(f"/channels/{guild.general}/invites", {"unique": True})).ok(200)
            (await owner.put(f"/guilds/{guild.id}/bans/{stranger.id}", {})).ok(204)
            (await owner.delete(f"/guilds/{guild.id}/bans/{stranger.id}")).ok(204)
            await server.core.live.bus.flush()
            await its.heartbeat()
            names = [name for name, _ in its.events if name not in ("READY", "GUILD_CREATE", "GUILD_MEMBER_UPDATE")]
            told = ["INVITE_CREATE", "GUILD_BAN_ADD", "GUILD_BAN_REMOVE"]
            if until is None:
                # The entry of its own timeout's end comes after that end.
                assert [name for name in names if name != "GUILD_AUDIT_LOG_ENTRY_CREATE"] == ["INVITE_CREATE", *told]
                assert names.count("GUILD_AUDIT_LOG_ENTRY_CREATE") == 5
            else:
                assert names == ["INVITE_CREATE", "GUILD_AUDIT_LOG_ENTRY_CREATE"]  # of `join`


async def test_a_change_of_the_membership_keeps_a_new_name(owner: User, guild: Guild, bob: User) -> None:
    for number in range(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bob.patch, "/users/@me", {"global_name": f"Bob {number}"})
            nursery.start_soon(owner.patch, path(guild, bob), {"nick": f"nick {number}"})
        member = (await owner.get(path(guild, bob))).ok(200)
        assert (member["user"]["global_name"], member["nick"]) == (f"Bob {number}", f"nick {number}")


async def test_a_kick(server: Server, world: World, owner: User, guild: Guild, bob: User) -> None:
    async with gateway(server.url, bob.token) as his, gateway(server.url, owner.token) as hers:
        (await owner.delete(path(guild, bob), headers={"X-Audit-Log-Reason": "noise"})).ok(204)
        assert await his.next("GUILD_DELETE") == {"id": guild.id}
        assert (await hers.next("GUILD_MEMBER_REMOVE"))["user"]["id"] == bob.id
        await owner.say(guild.general, "unheard")
        await hers.next("MESSAGE_CREATE")
        await his.heartbeat()
        assert his.named("MESSAGE_CREATE") == []
        assert (await bob.get(f"/guilds/{guild.id}")).error == (404, 10004)
        await world.join(owner, guild, bob)
        assert (await his.next("GUILD_CREATE"))["id"] == guild.id
    [entry] = (await owner.get(f"/guilds/{guild.id}/audit-logs", action_type=20)).ok()["audit_log_entries"]
    assert (entry["target_id"], entry["reason"]) == (bob.id, "noise")


async def test_voice(server: Server, world: World, owner: User, guild: Guild) -> None:
    lounge = next(channel["id"] for channel in guild.channels if channel["type"] == 2)
    other = await world.channel(owner, guild, "other", type=2)
    bot = await world.bot(owner, guild)
    target = path(guild, bot)
    for body in ({"mute": True}, {"deaf": False}, {"channel_id": other}, {"channel_id": None}):
        assert (await owner.patch(target, body)).error == NOT_IN_VOICE
    async with gateway(server.url, bot.token) as it:
        await it.send(4, {"guild_id": guild.id, "channel_id": lounge})
        await it.next("VOICE_STATE_UPDATE")
        assert (await owner.patch(target, {"mute": True, "deaf": True})).ok(200)["mute"] is True
        state = await it.next("VOICE_STATE_UPDATE")
        assert (state["mute"], state["deaf"], state["channel_id"]) == (True, True, lounge)
        (await owner.patch(target, {"mute": False, "channel_id": other})).ok(200)
        assert (await it.next("VOICE_STATE_UPDATE"))["mute"] is False
        assert (await it.next("VOICE_STATE_UPDATE"))["channel_id"] == other
        assert (await owner.patch(target, {"channel_id": guild.general})).error == (404, 10003)
        (await owner.patch(target, {"channel_id": None})).ok(200)
        assert (await it.next("VOICE_STATE_UPDATE"))["channel_id"] is None
    log = (await owner.get(f"/guilds/{guild.id}/audit-logs", after=0)).ok()["audit_log_entries"]
    assert [entry["action_type"] for entry in log[-4:]] == [24, 24, 26, 27]
    assert log[-2]["options"] == {"channel_id": other, "count": "1"}


async def test_search(world: World, owner: User, guild: Guild, bob: User) -> None:
    (await owner.patch(path(guild, bob), {"nick": "Ölaf"})).ok(200)
    for text, expected in (("OWN", [owner.id]), ("b", [bob.id]), ("öl", [bob.id]), ("aul", [])):
        found = (await bob.get(f"/guilds/{guild.id}/members/search", query=text, limit=10)).ok(200)
        assert [member["user"]["id"] for member in found] == expected
    assert (await bob.get(f"/guilds/{guild.id}/members/search")).errors == {"query": "BASE_TYPE_REQUIRED"}
