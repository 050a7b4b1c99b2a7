"""Unmodified moderation bots: what they build, whom they punish and what the log says of it is what the server has,
and what their libraries compute of everybody's permissions is what the server lets them do.

The owner of the guild gives the commands, which are the same for both bots.
"""

from collections.abc import Awaitable, Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.e2e.bot import Bot, running, skip_unless_installed
from tests.e2e.conftest import Serve
from tests.e2e.permissions import BITS, CATEGORY, FORUM, VOICE, compare
from tests.support.world import Guild, User, World

RUNS = [("discord.py moderator", "sqlite"), ("discord.js moderator", "postgres")]

MEMBERS = ("moderator", "regular", "noisy", "loud")

# All but ADMINISTRATOR, so that overwrites and the order of roles bind the bot.
BOT_PERMISSIONS = sum(BITS) & ~(1 << 3)


class Stage:
    def __init__(
        self, library: str, world: World, owner: User, members: Mapping[str, User], guild: Guild, bot: Bot
    ) -> None:
        self.client = library
        self.world = world
        self.owner = owner
        self.members = members  # by name, the owner and the bot among them
        self.guild = guild
        self.bot = bot
        self.log: list[list[Any]] = []  # what the bot gave a reason for: action, reason

    async def command(self, name: str, *log: tuple[int, str]) -> dict[str, Any]:
        """What the bot says when it has done it; `log` is what the audit log has of it."""
        self.log += map(list, log)
        await self.owner.say(self.guild.general, f"!{name}")
        return await self.bot.until("done", command=f"!{name}")

    async def channels(self) -> dict[str, dict[str, Any]]:
        found = (await self.owner.get(f"/guilds/{self.guild.id}/channels")).ok(200)
        return {channel["name"]: channel for channel in found}


Step = Callable[[Stage], Awaitable[None]]


async def builds(stage: Stage) -> None:
    log = [(30, "somebody has to"), (10, "for moderators"), (13, "read only"), (11, "no hurry")]
    await stage.command("structure", *log)
    await stage.command("ranks", (31, "they stand above"))
    channels = await stage.channels()
    roles = {role["name"]: role for role in (await stage.owner.get(f"/guilds/{stage.guild.id}/roles")).ok(200)}
    assert {"moderators", "old hands", "muted"} < roles.keys()
    assert roles["muted"]["position"] < roles["old hands"]["position"] < roles["moderators"]["position"]
    assert (roles["moderators"]["color"], roles["moderators"]["hoist"]) == (0x336699, True)

    hall, office = channels["hall"], channels["back office"]
    assert (office["type"], channels["ideas"]["type"], channels["stairs"]["type"]) == (CATEGORY, FORUM, VOICE)
    assert channels["cases"]["permission_overwrites"] == office["permission_overwrites"] != []
    inside = [channel["name"] for channel in channels.values() if channel["parent_id"] == hall["id"]]
    assert sorted(inside) == ["ideas", "notices", "small-talk", "stairs"]
    assert (channels["small-talk"]["nsfw"], channels["small-talk"]["rate_limit_per_user"]) == (True, 0)


async def gives_roles_and_timeouts(stage: Stage) -> None:
    await stage.command("members", (24, "elected"), (25, "elected"), (25, "served"), (24, "calm down"))
    loud = stage.members["loud"]
    refusal = await loud.post(f"/channels/{stage.guild.general}/messages", {"content": "why?"})
    assert refusal.error == (403, 50013)
    everybody = {name: rest for name, *rest in (await compares_what_it_has(stage))["members"]}
    assert everybody["moderator"] == ["the law", ["@everyone", "moderators"], False]
    assert everybody["regular"] == ["", ["@everyone", "old hands"], False]
    assert everybody["noisy"] == ["", ["@everyone", "muted"], False]
    assert everybody["loud"] == ["", ["@everyone"], True]


async def compares_what_it_has(stage: Stage) -> dict[str, Any]:
    """What the gateway has told the bot of the guild is what REST shows of it."""
    seen = await stage.command("cache")
    assert seen["cached"] == seen["fetched"]
    cached: dict[str, Any] = seen["cached"]
    return cached


async def knows_what_everybody_may(stage: Stage) -> None:
    """For every member and channel, and for the guild as a whole."""
    found = (await stage.command("permissions"))["permissions"]
    assert found.keys() == stage.members.keys()
    channels = {channel["id"]: channel for channel in (await stage.channels()).values()}
    async with trio.open_nursery() as nursery:
        for name, member in stage.members.items():
            assert found[name].keys() == {"", *channels}
            nursery.start_soon(compare, stage.client, member, stage.guild, channels, found[name])


async def kicks_and_bans(stage: Stage) -> None:
    spam = "spam & more: 100 %"
    banned = ["loud", spam]
    result = await stage.command("expel", (20, "noise"), (22, spam), (23, "appealed"))
    assert (result["ban"], result["banned"], result["left"]) == (banned, [banned], [])
    members = (await stage.owner.get(f"/guilds/{stage.guild.id}/members", limit=100)).ok(200)
    assert {member["user"]["username"] for member in members} == stage.members.keys() - {"noisy", "loud"}
    await stage.world.join(stage.owner, stage.guild, stage.members["loud"])  # the ban is lifted


async def handles_invites(stage: Stage) -> None:
    result = await stage.command("invites", (40, "for a friend"), (42, "used up"))
    assert (result["listed"], result["count"], result["left"]) == (3, len(stage.members) - 1, False)


async def schedules_events(stage: Stage) -> None:
    result = await stage.command("events", (101, "it grew"))
    assert (result["listed"], result["left"]) == (["Long reading"], 0)


async def changes_settings(stage: Stage) -> None:
    result = await stage.command("settings", (1, "moved"))
    assert (result["name"], result["inactive"], result["pruned"]) == ("Reading hall", 0, 0)


async def runs_threads(stage: Stage) -> None:
    result = await stage.command("threads", (111, "said enough"), (112, "mistake"))
    assert (result["active"], result["archived"], result["left"]) == (["private", "public"], ["closed"], [])
    assert result["inside"]


async def sees_a_message_blocked(stage: Stage) -> None:
    result = await stage.command("auto_moderation", (140, "every day"))
    assert (result["rules"], result["same"]) == ([["no lottery", ["*lottery*"]]], True)
    regular = stage.members["regular"]
    refusal = await regular.post(f"/channels/{stage.guild.general}/messages", {"content": "Win the LOTTERY"})
    assert refusal.error == (400, 200000)
    for action in (1, 2):  # BLOCK_MESSAGE, SEND_ALERT_MESSAGE
        blocked = await stage.bot.until("blocked", action=action)
        assert (blocked["content"], blocked["keyword"]) == ("Win the LOTTERY", "*lottery*")


async def demolishes(stage: Stage) -> None:
    await stage.command("demolish", (32, "nobody left"), (12, "no cases"))
    assert not {"cases", "back office"} & (await stage.channels()).keys()
    left = await compares_what_it_has(stage)
    assert "muted" not in {role[1] for role in left["roles"]}


async def reads_the_audit_log(stage: Stage) -> None:
    """An entry for each thing, in order; the gateway has told of each as well."""
    result = await stage.command("audit")
    reasons = [entry for entry, _ in groupby(entry for entry in result["entries"] if entry[1] is not None)]
    assert reasons == stage.log
    assert result["newest"] == ["loud", "calm down"]
    await stage.command("end")
    assert [audited["entry"] for audited in stage.bot.all("audited")] == result["entries"]


STEPS: list[Step] = [
    builds,
    gives_roles_and_timeouts,
    knows_what_everybody_may,
    kicks_and_bans,
    handles_invites,
    schedules_events,
    changes_settings,
    runs_threads,
    sees_a_message_blocked,
    demolishes,
    reads_the_audit_log,
]


@pytest.mark.trio
@pytest.mark.parametrize(("library", "database"), RUNS, indirect=["database"])
async def test_a_moderation_bot(library: str, serve: Serve, tmp_path: Path) -> None:
    skip_unless_installed(library)
    server = await trio.to_thread.run_sync(serve)
    async with World(server.url) as world:
        owner = await world.person("owner")
        people = [await world.person(name) for name in MEMBERS]
        guild = await world.guild(owner, *people)
        moderator = await world.bot(owner, guild, name="Pinger", permissions=BOT_PERMISSIONS)
        async with running(library, moderator.token, f"127.0.0.1:{server.port}", tmp_path) as bot:
            await bot.until("ready")
            members = {user.name: user for user in (owner, moderator, *people)}
            stage = Stage(library, world, owner, members, guild, bot)
            for step in STEPS:
                await step(stage)
            assert [(event["user"], event["on"]) for event in bot.all("timeout")] == [("loud", True)]
            assert [event["user"] for event in bot.all("left")] == ["noisy", "loud"]
            assert [event["user"] for event in bot.all("banned") + bot.all("unbanned")] == ["loud", "loud"]
