"""Invites over the wire: terms, counts, expiry."""

import re

import trio

from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.world import Guild, User, World

UNKNOWN_INVITE = (404, 10006)
NO_PERMISSION = (403, 50013)


async def invite(owner: User, guild: Guild, **terms: Json) -> Json:
    return (await owner.post(f"/channels/{guild.general}/invites", terms)).ok(200)


async def test_create_and_show(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    async with gateway(server.url, alice.token) as hers, gateway(server.url, bob.token) as his:
        made = await invite(alice, guild, max_age=60, max_uses=2, temporary=True)
        event = await hers.next("INVITE_CREATE")
        await server.core.live.bus.flush()
        await his.heartbeat()
        assert his.named("INVITE_CREATE") == []  # takes MANAGE_CHANNELS
        shown = (await world.anybody.get(f"/invites/{made['code']}", with_counts="true")).ok()
    assert re.fullmatch(r"[A-Za-z0-9]{10}", made["code"])
    metadata = {
        "uses": 0,
        "max_uses": 2,
        "max_age": 60,
        "temporary": True,
        "created_at": "2027-01-15T08:00:00.000000+00:00",
    }
    assert made.items() >= {**metadata, "expires_at": "2027-01-15T08:01:00.000000+00:00"}.items()
    assert event.items() >= {**metadata, "code": made["code"], "channel_id": guild.general}.items()
    assert shown["guild"].items() >= {"id": guild.id, "name": "Reading room"}.items()
    assert shown["channel"] == {"id": guild.general, "type": 0, "name": "general"}
    assert shown["inviter"]["id"] == alice.id
    assert (shown["approximate_member_count"], shown["approximate_presence_count"]) == (2, 2)
    assert shown.keys().isdisjoint(metadata)
    assert "approximate_member_count" not in (await world.anybody.get(f"/invites/{made['code']}")).ok()


async def test_the_same_terms_give_the_same_invite(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    code = (await invite(alice, guild))["code"]
    assert (await invite(alice, guild))["code"] == code
    for other in (
        await invite(alice, guild, unique=True),
        await invite(alice, guild, max_age=60),
        await invite(alice, guild, max_uses=1),
        await invite(bob, guild),
    ):
        assert other["code"] != code


async def test_accept(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice)
    made = await invite(alice, guild, max_uses=2)
    for _ in range(3):  # twice more changes nothing, and costs no use
        accepted = (await bob.post(f"/invites/{made['code']}")).ok(200)
        assert (accepted["guild_id"], accepted["approximate_member_count"]) == (guild.id, 2)
    await bob.say(guild.general)
    (await world.anybody.get(f"/invites/{made['code']}")).ok()


async def test_max_uses(world: World) -> None:
    alice = await world.person()
    people = [await world.person() for _ in range(6)]
    guild = await world.guild(alice)
    path = f"/invites/{(await invite(alice, guild, max_uses=2))['code']}"
    statuses: list[int] = []

    async def accept(user: User) -> None:
        statuses.append((await user.post(path)).status)

    async with trio.open_nursery() as nursery:
        for user in people:
            nursery.start_soon(accept, user)
    assert sorted(statuses) == [200, 200, 404, 404, 404, 404]
    assert len((await alice.get(f"/guilds/{guild.id}/members", limit=9)).ok()) == 3
    assert (await world.anybody.get(path)).error == UNKNOWN_INVITE
    assert (await people[0].post(path)).error == UNKNOWN_INVITE


async def test_expiry(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice)
    path = f"/invites/{(await invite(alice, guild, max_age=60))['code']}"
    forever = await invite(alice, guild, max_age=0)
    assert forever["expires_at"] is None
    server.clock.advance(59)
    (await world.anybody.get(path)).ok()
    server.clock.advance(1)
    assert (await world.anybody.get(path)).error == UNKNOWN_INVITE
    assert (await bob.post(path)).error == UNKNOWN_INVITE
    server.clock.advance(10 * 365 * 86400)
    (await world.anybody.get(f"/invites/{forever['code']}")).ok()


async def test_creating_takes_a_permission(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    await invite(bot, guild)
    deny = {"id": guild.id, "type": 0, "deny": "1"}
    (await alice.patch(f"/channels/{guild.general}", {"permission_overwrites": [deny]})).ok()
    assert (await bot.post(f"/channels/{guild.general}/invites", {})).error == NO_PERMISSION


async def test_lists_and_deletion(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    other = (await alice.post(f"/guilds/{guild.id}/channels", {"name": "other"})).ok(201)
    first, second = await invite(alice, guild, unique=True), await invite(bob, guild, max_age=60)
    third = (await alice.post(f"/channels/{other['id']}/invites", {})).ok(200)
    listed = (await alice.get(f"/guilds/{guild.id}/invites")).ok()
    assert {each["code"]: each["inviter"]["id"] for each in listed}.items() >= {
        first["code"]: alice.id,
        second["code"]: bob.id,
        third["code"]: alice.id,
    }.items()
    here = (await alice.get(f"/channels/{other['id']}/invites")).ok()
    assert [each["code"] for each in here] == [third["code"]]
    async with gateway(server.url, alice.token) as hers, gateway(server.url, bob.token) as his:
        assert (await alice.delete(f"/invites/{third['code']}")).ok(200)["code"] == third["code"]
        event = await hers.next("INVITE_DELETE")
        assert event == {"channel_id": other["id"], "guild_id": guild.id, "code": third["code"]}
        await server.core.live.bus.flush()
        await his.heartbeat()
        assert his.named("INVITE_DELETE") == []
    assert (await alice.delete(f"/invites/{third['code']}")).error == UNKNOWN_INVITE
    server.clock.advance(61)
    codes = [each["code"] for each in (await alice.get(f"/guilds/{guild.id}/invites")).ok()]
    assert first["code"] in codes
    assert second["code"] not in codes
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", action_type=42)).ok()["audit_log_entries"]
    assert {"key": "code", "old_value": third["code"]} in log[0]["changes"]
