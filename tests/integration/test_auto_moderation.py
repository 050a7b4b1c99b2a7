"""AutoMod over the wire: rules, what they stop, what they do about it, and who hears of it."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.support.app import Server
from tests.support.client import ALL_INTENTS, Answer, Json, gateway
from tests.support.world import Guild, User, World

VIEW, SEND, MANAGE_GUILD, MODERATE = 1 << 10, 1 << 11, 1 << 5, 1 << 40
MESSAGE_CONTENT = 1 << 15
BLOCK = {"type": 1}
BLOCKED, NO_PERMISSION = (400, 200000), (403, 50013)
ACTION_EXECUTION = "AUTO_MODERATION_ACTION_EXECUTION"


async def new_rule(user: User, guild: Guild, trigger: int = 1, *actions: Json, **fields: Any) -> Json:
    """Enabled, and blocking where no other actions are given. Names of metadata go into the metadata."""
    metadata = {name: fields.pop(name) for name in tuple(fields) if name not in ("exempt_roles", "exempt_channels")}
    body = {
        "name": f"rule {trigger}",
        "event_type": 2 if trigger == 6 else 1,
        "trigger_type": trigger,
        "trigger_metadata": metadata,
        "actions": [*actions] or [BLOCK],
        "enabled": True,
        **fields,
    }
    return (await user.post(f"/guilds/{guild.id}/auto-moderation/rules", body)).ok(200)


async def said(user: User, channel_id: str, content: str = "", **fields: Any) -> Answer:
    return await user.post(f"/channels/{channel_id}/messages", {"content": content, **fields})


async def entries(user: User, guild: Guild, action: int) -> list[Json]:
    found: list[Json] = (await user.get(f"/guilds/{guild.id}/audit-logs", action_type=action)).ok()["audit_log_entries"]
    return found


# --- rules -----------------------------------------------------------------------------------------------------------


async def test_create_edit_delete(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    bot = await world.bot(alice, guild, permissions=VIEW | MANAGE_GUILD)
    path = f"/guilds/{guild.id}/auto-moderation/rules"
    async with gateway(server.url, bot.token) as ear, gateway(server.url, bob.token) as his:
        rule = await new_rule(alice, guild, keyword_filter=["cat*", "cat*"], regex_patterns=["(b|c)at"])
        assert rule == {
            "id": rule["id"],
            "guild_id": guild.id,
            "name": "rule 1",
            "creator_id": alice.id,
            "event_type": 1,
            "trigger_type": 1,
            "trigger_metadata": {"keyword_filter": ["cat*"], "regex_patterns": ["(b|c)at"], "allow_list": []},
            "actions": [{"type": 1, "metadata": {}}],
            "enabled": True,
            "exempt_roles": [],
            "exempt_channels": [],
        }
        assert await ear.next("AUTO_MODERATION_RULE_CREATE") == rule
        for change, expected in (
            ({"name": "cats", "enabled": False}, {"name": "cats", "enabled": False}),
            (
                {"trigger_metadata": {"allow_list": ["catch"], "regex_patterns": None, "mention_total_limit": None}},
                {"trigger_metadata": {"keyword_filter": ["cat*"], "regex_patterns": [], "allow_list": ["catch"]}},
            ),
            (
                {"actions": [{"type": 3, "metadata": {"duration_seconds": 60, "channel_id": None}}]},
                {"actions": [{"type": 3, "metadata": {"duration_seconds": 60}}]},
            ),
            ({"exempt_channels": [guild.general], "event_type": 1}, {"exempt_channels": [guild.general]}),
            ({}, {}),
        ):
            rule |= expected
            assert (await alice.patch(f"{path}/{rule['id']}", change)).ok(200) == rule
            assert await ear.next("AUTO_MODERATION_RULE_UPDATE") == rule
            assert (await bot.get(f"{path}/{rule['id']}")).ok(200) == rule
        assert (await bot.get(path)).ok(200) == [rule]
        log = (await alice.get(f"/guilds/{guild.id}/audit-logs", target_id=rule["id"], after=0)).ok(200)
        assert [entry["action_type"] for entry in log["audit_log_entries"]] == [140, 141, 141, 141, 141]
        assert log["auto_moderation_rules"] == [rule]
        why = {"X-Audit-Log-Reason": quote("enough")}
        (await alice.delete(f"{path}/{rule['id']}", headers=why)).ok(204)
        assert await ear.next("AUTO_MODERATION_RULE_DELETE") == rule
        assert [each["reason"] for each in await entries(alice, guild, 142)] == ["enough"]
        await his.heartbeat()
        assert not any(name.startswith("AUTO_MODERATION") for name, _ in his.events)
    assert (await alice.get(path)).ok(200) == []
    assert (await alice.get(f"{path}/{rule['id']}")).error == (404, 0)


async def test_what_a_rule_may_not_be(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    category = next(channel["id"] for channel in guild.channels if channel["type"] == 4)
    path = f"/guilds/{guild.id}/auto-moderation/rules"
    valid = {"name": "r", "event_type": 1, "trigger_type": 1, "actions": [BLOCK]}
    regexes, keywords = "trigger_metadata.regex_patterns", "trigger_metadata.keyword_filter"
    length, required, choice = "BASE_TYPE_MAX_LENGTH", "BASE_TYPE_REQUIRED", "BASE_TYPE_CHOICES"
    for change, expected in (
        ({"name": ""}, {"name": "BASE_TYPE_BAD_LENGTH"}),
        ({"name": "x" * 101}, {"name": "BASE_TYPE_BAD_LENGTH"}),
        ({"trigger_type": 2}, {"trigger_type": choice}),
        ({"event_type": 2}, {"event_type": choice}),
        ({"trigger_type": 6}, {"event_type": choice}),
        ({"actions": []}, {"actions": "BASE_TYPE_BAD_LENGTH"}),
        ({"actions": [{"type": 5}]}, {"actions.0.type": choice}),
        ({"actions": [BLOCK, {"type": 4}]}, {"actions.1.type": "AUTO_MODERATION_INVALID_ACTION"}),
        ({"trigger_type": 3, "actions": [{"type": 3}]}, {"actions.0.type": "AUTO_MODERATION_INVALID_ACTION"}),
        ({"actions": [{"type": 2}]}, {"actions.0.metadata.channel_id": required}),
        (
            {"actions": [{"type": 2, "metadata": {"channel_id": "1"}}]},
            {"actions.0.metadata.channel_id": "CHANNEL_INVALID"},
        ),
        (
            {"actions": [{"type": 2, "metadata": {"channel_id": category}}]},
            {"actions.0.metadata.channel_id": "CHANNEL_INVALID"},
        ),
        ({"actions": [{"type": 3}]}, {"actions.0.metadata.duration_seconds": required}),
        (
            {"actions": [{"type": 3, "metadata": {"duration_seconds": 2419201}}]},
            {"actions.0.metadata.duration_seconds": "NUMBER_TYPE_MAX"},
        ),
        (
            {"actions": [{"type": 1, "metadata": {"custom_message": "x" * 151}}]},
            {"actions.0.metadata.custom_message": length},
        ),
        ({"exempt_roles": ["1"] * 21}, {"exempt_roles": length}),
        ({"exempt_channels": ["1"] * 51}, {"exempt_channels": length}),
        ({"trigger_metadata": {"keyword_filter": ["x"] * 1001}}, {keywords: length}),
        ({"trigger_metadata": {"keyword_filter": ["x" * 61]}}, {f"{keywords}.0": "BASE_TYPE_BAD_LENGTH"}),
        ({"trigger_metadata": {"keyword_filter": ["x", " * "]}}, {f"{keywords}.1": "BASE_TYPE_BAD_LENGTH"}),
        ({"trigger_metadata": {"regex_patterns": ["x"] * 11}}, {regexes: length}),
        ({"trigger_metadata": {"regex_patterns": ["x" * 261]}}, {f"{regexes}.0": "BASE_TYPE_BAD_LENGTH"}),
        ({"trigger_metadata": {"regex_patterns": ["x", "(?=x)"]}}, {f"{regexes}.1": "AUTO_MODERATION_INVALID_REGEX"}),
        ({"trigger_metadata": {"allow_list": ["x"] * 101}}, {}),
        ({"trigger_metadata": {"allow_list": [f"{n}" for n in range(101)]}}, {"trigger_metadata.allow_list": length}),
        ({"trigger_type": 4, "trigger_metadata": {"presets": [4]}}, {"trigger_metadata.presets.0": choice}),
        (
            {"trigger_type": 5, "trigger_metadata": {"mention_total_limit": 51}},
            {"trigger_metadata.mention_total_limit": "NUMBER_TYPE_MAX"},
        ),
    ):
        answer = await alice.post(path, {**valid, **change})
        if expected:
            assert answer.errors == expected, change
        else:
            (await alice.delete(f"{path}/{answer.ok(200)['id']}")).ok(204)
    assert (await alice.get(path)).ok() == []


async def test_limits_and_permissions(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    for trigger, most in ((1, 6), (3, 1), (4, 1), (5, 1), (6, 1)):
        actions = [{"type": 4}] if trigger == 6 else [BLOCK]
        for _ in range(most):
            await new_rule(alice, guild, trigger, *actions)
        body = {"name": "r", "event_type": 1 + (trigger == 6), "trigger_type": trigger, "actions": actions}
        answer = await alice.post(f"/guilds/{guild.id}/auto-moderation/rules", body)
        assert answer.errors == {"": "AUTO_MODERATION_MAX_RULES_OF_TYPE_EXCEEDED"}
    bot = await world.bot(alice, guild, permissions=MANAGE_GUILD)
    [rule] = [
        each for each in (await bot.get(f"/guilds/{guild.id}/auto-moderation/rules")).ok() if each["trigger_type"] == 5
    ]
    change = {"actions": [{"type": 3, "metadata": {"duration_seconds": 1}}]}
    assert (await bot.patch(f"/guilds/{guild.id}/auto-moderation/rules/{rule['id']}", change)).error == NO_PERMISSION


# --- messages --------------------------------------------------------------------------------------------------------


async def test_a_blocked_message(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    bot = await world.bot(alice, guild, permissions=VIEW | MANAGE_GUILD)
    rule = await new_rule(
        alice, guild, 1, {"type": 1, "metadata": {"custom_message": "Mind your tongue."}}, keyword_filter=["*cat*"]
    )
    blind = ALL_INTENTS & ~MESSAGE_CONTENT
    async with (
        gateway(server.url, bot.token) as ear,
        gateway(server.url, bot.token, intents=blind) as blinded,
        gateway(server.url, bob.token) as his,
    ):
        answer = await said(bob, guild.general, "an eduCation")
        assert answer.error == BLOCKED
        assert answer.json["message"] == "Message was blocked by automatic moderation"
        assert answer.json["errors"]["_errors"][0]["message"] == "Mind your tongue."
        event = {
            "guild_id": guild.id,
            "action": rule["actions"][0],
            "rule_id": rule["id"],
            "rule_trigger_type": 1,
            "user_id": bob.id,
            "channel_id": guild.general,
            "content": "an eduCation",
            "matched_keyword": "*cat*",
            "matched_content": "Cat",
        }
        assert await ear.next(ACTION_EXECUTION) == event
        assert await blinded.next(ACTION_EXECUTION) == {**event, "content": "", "matched_content": ""}
        await bob.say(guild.general, "fine")
        assert (await his.next("MESSAGE_CREATE"))["content"] == "fine"
        assert his.named(ACTION_EXECUTION) == []
    assert [each["content"] for each in (await bob.get(f"/channels/{guild.general}/messages")).ok()] == ["fine"]
    [entry] = await entries(alice, guild, 143)
    assert entry["target_id"] == entry["user_id"] == bob.id
    assert entry["options"] == {
        "auto_moderation_rule_name": "rule 1",
        "auto_moderation_rule_trigger_type": "1",
        "channel_id": guild.general,
    }


async def test_who_and_where_is_exempt(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    bot = await world.bot(alice, guild, permissions=VIEW | SEND)
    category = await world.channel(alice, guild, "shelf", type=4)
    inside = await world.channel(alice, guild, "inside", parent_id=category)
    rule = await new_rule(alice, guild, keyword_filter=["cat"], exempt_channels=[category])
    path = f"/guilds/{guild.id}/auto-moderation/rules/{rule['id']}"
    assert (await said(bob, guild.general, "cat")).error == BLOCKED
    await alice.say(guild.general, "cat")
    await bot.say(guild.general, "cat")
    await bob.say(inside, "cat")
    (await alice.patch(path, {"exempt_channels": [guild.general]})).ok(200)
    await bob.say(guild.general, "cat")
    assert (await said(bob, inside, "cat")).error == BLOCKED
    (await alice.patch(path, {"enabled": False})).ok(200)
    await bob.say(inside, "cat")
    (await alice.patch(path, {"enabled": True})).ok(200)
    assert (await said(bob, inside, "cat")).error == BLOCKED
    (await alice.delete(path)).ok(204)
    await bob.say(inside, "cat")


async def test_edits_and_embeds(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    await new_rule(alice, guild, keyword_filter=["cat"], regex_patterns=[r"^d\pL+g$"])
    embed = {"fields": [{"name": "pet", "value": "cat"}]}
    assert (await said(bob, guild.general, "look", embeds=[embed])).error == BLOCKED
    message, others = await bob.say(guild.general, "dg"), await alice.say(guild.general)
    path = f"/channels/{guild.general}/messages"
    for body in ({"content": "cat"}, {"content": "DÖG"}, {"embeds": [embed]}):
        assert (await bob.patch(f"{path}/{message['id']}", body)).error == BLOCKED, body
        assert (await bob.patch(f"{path}/{others['id']}", body)).error == (403, 50005), body
    assert (await bob.patch(f"{path}/1", {"content": "cat"})).error == (404, 10008)
    assert (await bob.get(f"{path}/{message['id']}")).ok() == message
    (await bob.patch(f"{path}/{message['id']}", {"content": "dogs"})).ok(200)
    assert len(await entries(alice, guild, 143)) == 4


async def test_alerts(server: Server, world: World) -> None:
    """One rule blocks and reports, another reports only."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    staff = await world.channel(alice, guild, "staff")
    alert = {"type": 2, "metadata": {"channel_id": staff}}
    await new_rule(alice, guild, 1, BLOCK, alert, keyword_filter=["cat*"])
    await new_rule(alice, guild, 1, alert, keyword_filter=["dog"])
    async with gateway(server.url, alice.token) as ear:
        assert (await said(bob, guild.general, "catch it")).error == BLOCKED
        told = await ear.next("MESSAGE_CREATE")
        assert told["author"]["id"] == bob.id
        assert (told["type"], told["channel_id"], told["guild_id"], told["content"]) == (24, staff, guild.id, "")
        assert told["member"]["joined_at"]
        [embed] = told["embeds"]
        assert (embed["type"], embed["description"]) == ("auto_moderation_message", "catch it")
        fields = {field["name"]: field["value"] for field in embed["fields"]}
        assert fields.pop("decision_id")
        assert fields == {
            "rule_name": "rule 1",
            "channel_id": guild.general,
            "decision_outcome": "blocked",
            "keyword": "cat*",
            "keyword_matched_content": "cat",
        }
        blocked, alerted = await ear.next(ACTION_EXECUTION), await ear.next(ACTION_EXECUTION)
        assert "alert_system_message_id" not in blocked
        assert alerted["alert_system_message_id"] == told["id"]
        assert "message_id" not in alerted

        message = await bob.say(guild.general, "dog")
        assert (await ear.next("MESSAGE_CREATE"))["id"] == message["id"]
        second = await ear.next("MESSAGE_CREATE")
        fields = {field["name"]: field["value"] for field in second["embeds"][0]["fields"]}
        assert fields["flagged_message_id"] == message["id"]
        assert fields["decision_outcome"] == "flagged"
        flagged = await ear.next(ACTION_EXECUTION)
        assert (flagged["message_id"], flagged["alert_system_message_id"]) == (message["id"], second["id"])

        edited = (await bob.patch(f"/channels/{guild.general}/messages/{message['id']}", {"content": "a dog"})).ok(200)
        assert (await ear.next(ACTION_EXECUTION))["message_id"] == edited["id"]
    path = f"/channels/{staff}/messages"
    stored = (await alice.get(path)).ok()
    assert [each["type"] for each in stored] == [24, 24, 24]
    assert stored[1]["embeds"] == second["embeds"]
    assert (await alice.get(f"/channels/{staff}")).ok()["last_message_id"] == stored[0]["id"]
    assert (await bob.patch(f"{path}/{told['id']}", {"content": "it was not me"})).error == (403, 50021)
    assert (await bob.delete(f"{path}/{told['id']}")).error == NO_PERMISSION
    (await alice.delete(f"{path}/{told['id']}")).ok(204)
    assert len(await entries(alice, guild, 144)) == 3

    (await alice.delete(f"/channels/{staff}")).ok(200)
    assert (await said(bob, guild.general, "catch it")).error == BLOCKED
    await bob.say(guild.general, "dog")
    assert len(await entries(alice, guild, 144)) == 3


async def test_timeout(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    timeout = {"type": 3, "metadata": {"duration_seconds": 60}}
    await new_rule(alice, guild, 1, timeout, keyword_filter=["cat"])
    async with gateway(server.url, bob.token) as his:
        await bob.say(guild.general, "cat")
        until = (await his.next("GUILD_MEMBER_UPDATE"))["communication_disabled_until"]
        assert until
    assert (await said(bob, guild.general, "hello")).error == NO_PERMISSION
    member = (await alice.get(f"/guilds/{guild.id}/members/{bob.id}")).ok()
    assert member["communication_disabled_until"] == until
    assert [entry["target_id"] for entry in await entries(alice, guild, 145)] == [bob.id]
    server.clock.advance(61)
    await bob.say(guild.general, "hello")


async def test_mentions(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    rule = await new_rule(alice, guild, 5, mention_total_limit=3)
    named = [f"<@{10**17 + number}>" for number in range(4)]
    await bob.say(guild.general, " ".join(named[:3]) + named[0])
    assert (await said(bob, guild.general, " ".join(named))).error == BLOCKED
    assert (await said(bob, guild.general, " ".join(named[:3]) + f"<@&{guild.id}>")).error == BLOCKED

    change = {"trigger_metadata": {"mention_total_limit": 50, "mention_raid_protection_enabled": True}}
    (await alice.patch(f"/guilds/{guild.id}/auto-moderation/rules/{rule['id']}", change)).ok(200)
    many = " ".join(f"<@{10**17 + number}>" for number in range(25))
    await bob.say(guild.general, many)
    await bob.say(guild.general, many)
    assert (await said(bob, guild.general, named[0])).error == BLOCKED
    await bob.say(guild.general, "nobody")


async def test_spam(server: Server, world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob, carol)
    other = await world.channel(alice, guild)
    await new_rule(alice, guild, 3)
    for number in range(4):
        await bob.say((guild.general, other)[number % 2], "Buy this")
    assert (await said(bob, other, "buy THIS")).error == BLOCKED
    await bob.say(other, "or that")
    await carol.say(other, "Buy this")
    server.clock.advance(31)
    await bob.say(other, "Buy this")


async def test_presets(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    await new_rule(alice, guild, 4, presets=[1, 2], allow_list=["*shitake*"])
    assert (await said(bob, guild.general, "What bullshit!")).error == BLOCKED
    await bob.say(guild.general, "shitake mushrooms")
    await bob.say(guild.general, "you moron")  # of a preset that is not asked for


async def test_slow_expressions_give_the_same_answers(world: World) -> None:
    """They are matched in a thread."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    await new_rule(alice, guild, regex_patterns=["(.{1,30}){30}q"])
    assert (await said(bob, guild.general, "ab" * 900 + "q")).error == BLOCKED
    await bob.say(guild.general, "ab" * 900)


async def test_direct_messages_are_nobodys_business(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    await new_rule(alice, guild, keyword_filter=["cat"])
    await bob.say(await bob.dm(alice), "cat")


# --- names -----------------------------------------------------------------------------------------------------------


async def test_names(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    (await bob.patch("/users/@me", {"global_name": "Cat burglar"})).ok(200)
    guild = await world.guild(alice)
    staff = await world.channel(alice, guild, "staff")
    actions = ({"type": 4}, {"type": 2, "metadata": {"channel_id": staff}})
    await new_rule(alice, guild, 6, *actions, keyword_filter=["*burglar*"])
    async with gateway(server.url, alice.token) as ear:
        await world.join(alice, guild, bob)
        updated = await ear.next("GUILD_MEMBER_UPDATE")
        assert updated["flags"] == 1 << 7
        told = await ear.next("MESSAGE_CREATE", lambda d: d["type"] == 24)
        assert told["embeds"][0]["description"] == "Cat burglar"
        executed = await ear.next(ACTION_EXECUTION)
        assert "channel_id" not in executed
        assert executed["action"]["type"] == 4
        assert (await said(bob, guild.general, "hello")).error == NO_PERMISSION

        (await bob.patch("/users/@me", {"global_name": "Cat friend"})).ok(200)
        assert (await ear.next("GUILD_MEMBER_UPDATE", lambda d: not d["flags"]))["user"]["id"] == bob.id
        await bob.say(guild.general, "hello")
    assert [entry["target_id"] for entry in await entries(alice, guild, 146)] == [bob.id]


@pytest.mark.parametrize("who", ["manager", "bot"])
async def test_names_of_the_trusted(sqlite_server: Server, who: str) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        guild = await world.guild(alice)
        await new_rule(alice, guild, 6, {"type": 4}, keyword_filter=["*burglar*"])
        if who == "bot":
            await world.bot(alice, guild, name="burglar bot")
        else:
            (await alice.patch("/users/@me", {"global_name": "burglar"})).ok(200)
        assert await entries(alice, guild, 146) == []
