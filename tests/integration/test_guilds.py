"""Guilds over the wire: create from templates, list, show, roles; and that memory and database agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.app import Server, serve
from tests.support.client import Json, gateway
from tests.support.core import Clock
from tests.support.postgres import fresh_database
from tests.support.world import BOT_PERMISSIONS, User, World

ADMINISTRATOR = 1 << 3


async def test_create_with_nothing_but_a_name(server: Server, world: World) -> None:
    alice = await world.person()
    async with gateway(server.url, alice.token) as ear:
        made = await world.guild(alice, name="Café 🐝")
        event = await ear.next("GUILD_CREATE")
    assert made.guild.items() >= {"name": "Café 🐝", "owner_id": alice.id, "system_channel_id": made.general}.items()
    assert [(channel["type"], channel["name"]) for channel in made.channels] == [
        (4, "Text Channels"),
        (0, "general"),
        (4, "Voice Channels"),
        (2, "General"),
    ]
    parents = [channel["parent_id"] for channel in made.channels]
    assert parents == [None, made.channels[0]["id"], None, made.channels[2]["id"]]
    [everyone] = made.guild["roles"]
    assert (everyone["id"], everyone["name"], everyone["position"]) == (made.id, "@everyone", 0)
    assert event["channels"] == made.channels
    assert [member["user"]["id"] for member in event["members"]] == [alice.id]
    assert "unavailable" not in event


async def test_create_from_a_template(world: World) -> None:
    alice = await world.person()
    made = await world.guild(
        alice,
        verification_level=2,
        default_message_notifications=1,
        explicit_content_filter=1,
        roles=[
            {"id": 7, "name": "ignored", "permissions": "1024"},
            {"id": 8, "name": "Admin", "permissions": str(1 << 3 | 1 << 62), "color": 255, "hoist": True},
        ],
        channels=[
            {"id": "3", "name": "in", "parent_id": "2", "topic": "t"},  # before its category
            {"id": "2", "name": "cat", "type": 4},
            {"name": "out", "type": 5},
            {"id": "4", "name": "loud", "type": 2},
        ],
        system_channel_id="3",
        afk_channel_id="4",
        afk_timeout=60,
    )
    by_name = {channel["name"]: channel for channel in made.channels}
    assert by_name["in"].items() >= {"parent_id": by_name["cat"]["id"], "topic": "t", "position": 0}.items()
    assert made.guild.items() >= {
        "verification_level": 2,
        "default_message_notifications": 1,
        "explicit_content_filter": 1,
        "system_channel_id": by_name["in"]["id"],
        "afk_channel_id": by_name["loud"]["id"],
        "afk_timeout": 60,
    }.items()  # fmt: skip
    everyone, admin = (await alice.get(f"/guilds/{made.id}/roles")).ok()
    assert (everyone["id"], everyone["name"], everyone["permissions"]) == (made.id, "@everyone", "1024")
    assert (admin["name"], admin["permissions"], admin["color"], admin["hoist"]) == ("Admin", "8", 255, True)


async def test_show_and_counts(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    shown = (await bob.get(f"/guilds/{guild.id}")).ok()
    assert shown == guild.guild
    async with gateway(server.url, alice.token):
        shown = (await bob.get(f"/guilds/{guild.id}", with_counts="true")).ok()
        assert (shown["approximate_member_count"], shown["approximate_presence_count"]) == (2, 1)
        [mine] = (await bob.get("/users/@me/guilds", with_counts=1)).ok()
        assert (mine["approximate_member_count"], mine["approximate_presence_count"]) == (2, 1)


async def test_list_of_the_own_guilds(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    assert (await alice.get("/users/@me/guilds")).ok() == []
    made = [(await world.guild(alice, name=f"guild {number}")).id for number in range(4)]

    async def listed(user: User, **query: Any) -> list[int]:
        return [made.index(guild["id"]) for guild in (await user.get("/users/@me/guilds", **query)).ok()]

    for query, expected in (
        ({}, [0, 1, 2, 3]),
        ({"limit": 2}, [0, 1]),
        ({"after": made[1]}, [2, 3]),
        ({"after": made[1], "limit": 1}, [2]),
        ({"after": made[3]}, []),
        ({"before": made[3]}, [0, 1, 2]),
        ({"before": made[3], "limit": 2}, [1, 2]),
        ({"before": made[0]}, []),
    ):
        assert await listed(alice, **query) == expected, query
    assert await listed(bob) == []
    bot = await world.bot(alice, await world.guild(alice, name="with a bot"))
    [guild] = (await bot.get("/users/@me/guilds")).ok()
    assert guild.items() >= {"name": "with a bot", "owner": False}.items()
    [first, *_] = (await alice.get("/users/@me/guilds")).ok()
    assert first["owner"] is True
    assert int(first["permissions"]) & ADMINISTRATOR


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Empty: a file in the data directory."""
    if request.param == "sqlite":
        yield ""
    else:
        with fresh_database(leave_empty) as url:
            yield url


def leave_empty(url: str) -> None:
    """The server makes its schema."""


async def test_a_restart_changes_nothing(tmp_path: Path, database_url: str) -> None:
    """What REST shows out of memory is what it shows out of the database."""
    options = {"data.dir": str(tmp_path), "database.url": database_url}
    clock = Clock()
    async with serve(clock=clock, **options) as server, World(server.url) as world:
        people, paths = await _inhabit(world)
        before = [(await people[0].get(path)).ok() for path in paths]
    async with serve(clock=clock, **options) as again, people[0].on(again.url) as alice:
        for path, shown in zip(paths, before, strict=True):
            assert (await alice.get(path)).ok() == shown


async def _inhabit(world: World) -> tuple[list[User], list[str]]:
    """One of everything; the people, and where REST shows it."""
    alice, bob = await world.person("alice", email="Alice@chat.test"), await world.person("bob")
    (await alice.patch("/users/@me", {"global_name": "Al", "accent_color": 5})).ok()
    roles: Json = [{"id": 0}, {"id": 1, "name": "role", "permissions": "8", "color": 3, "hoist": True}]
    guild = await world.guild(alice, bob, roles=roles)
    bot = await world.bot(alice, guild, permissions=BOT_PERMISSIONS)
    overwrites = [{"id": bob.id, "type": 1, "allow": "2048", "deny": "64"}, {"id": guild.id, "type": 0, "deny": "64"}]
    (await alice.patch(f"/channels/{guild.general}", {"topic": "t", "permission_overwrites": overwrites})).ok()
    voice = await world.channel(alice, guild, "voice", type=2, user_limit=3, parent_id=guild.channels[0]["id"])
    (await alice.patch(f"/channels/{voice}", {"bitrate": None, "user_limit": None, "rtc_region": None})).ok()
    gone = await world.channel(alice, guild, "gone", type=4)
    await world.channel(alice, guild, "orphan", parent_id=gone)
    (await alice.delete(f"/channels/{gone}")).ok()
    first = await bob.say(guild.general, "first", nonce="n", tts=False, flags=4)
    await bot.say(guild.general, f"<@{bob.id}> <@&{guild.id}>", message_reference={"message_id": first["id"]})
    await alice.say(guild.general, "", embeds=[{"title": "t", "fields": [{"name": "n", "value": "v"}]}])
    (await bob.patch(f"/channels/{guild.general}/messages/{first['id']}", {"content": "edited"})).ok()
    deleted = await alice.say(guild.general, "deleted")
    await alice.say(guild.general, "last")  # the newest message's id outlives it in memory
    (await alice.delete(f"/channels/{guild.general}/messages/{deleted['id']}")).ok()
    direct = await alice.dm(bob)
    await bob.say(direct, "hi", nonce=5)
    code = (await alice.post(f"/channels/{guild.general}/invites", {"max_age": 0})).ok()["code"]
    (await alice.patch(f"/guilds/{guild.id}", {"description": "d", "rules_channel_id": guild.general})).ok()
    (await alice.patch(f"/guilds/{guild.id}/widget", {"enabled": True, "channel_id": guild.general})).ok()
    (await alice.patch(f"/guilds/{guild.id}/vanity-url", {"code": "room"})).ok()
    (await alice.patch(f"/guilds/{guild.id}/welcome-screen", {"description": "d"})).ok()
    (await alice.post(f"/guilds/{guild.id}/templates", {"name": "t"})).ok()
    handed_over = await world.guild(alice, bob, name="Bob's")
    (await alice.patch(f"/guilds/{handed_over.id}", {"owner_id": bob.id})).ok()
    (await alice.delete(f"/guilds/{(await world.guild(alice, bob, name='Gone')).id}")).ok()
    return [alice, bob], [
        "/users/@me",
        f"/users/{bot.id}",
        "/users/@me/guilds",
        "/users/@me/channels",
        "/applications",
        f"/guilds/{guild.id}",
        f"/guilds/{guild.id}/channels",
        f"/guilds/{guild.id}/members?limit=1000",
        f"/guilds/{guild.id}/roles",
        f"/guilds/{guild.id}/widget",
        f"/guilds/{guild.id}/vanity-url",
        f"/guilds/{guild.id}/welcome-screen",
        f"/guilds/{guild.id}/templates",
        f"/guilds/{handed_over.id}",
        f"/channels/{guild.general}/messages",
        f"/channels/{direct}",
        f"/channels/{direct}/messages",
        f"/invites/{code}?with_counts=true",
    ]
