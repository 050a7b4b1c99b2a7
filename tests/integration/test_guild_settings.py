"""A guild's settings over the wire: what may be changed by whom, handing it over, deleting it, and who hears of it."""

from pathlib import Path

import pytest
import trio

from chatd.model.objects.account import Register
from chatd.model.objects.guild import GuildCreateParams
from chatd.service import accounts, guild_creation, guild_settings
from chatd.service import gateway as gateway_service
from chatd.service.actors import Actor
from chatd.store.rows import user_from
from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.core import RecordingConnection, connect, open_core
from tests.support.world import Guild, User, World

NO_PERMISSION, UNKNOWN_GUILD, UNKNOWN_CHANNEL = (403, 50013), (404, 10004), (404, 10003)
VIEW, MANAGE_GUILD = 1 << 10, 1 << 5
GRANTED = {
    "ANIMATED_BANNER", "ANIMATED_ICON", "BANNER", "INVITE_SPLASH", "NEWS", "ROLE_ICONS", "VANITY_URL", "VIP_REGIONS",
}  # fmt: skip


async def change(user: User, guild: Guild, **fields: Json) -> Json:
    return (await user.patch(f"/guilds/{guild.id}", fields)).ok(200)


async def manager(world: World, owner: User, guild: Guild) -> User:
    """A member with MANAGE_GUILD."""
    user = await world.bot(owner, guild, permissions=MANAGE_GUILD | VIEW)
    return user


async def test_every_setting(server: Server, world: World, owner: User, guild: Guild) -> None:
    bob = await world.person()
    await world.join(owner, guild, bob)
    news = await world.channel(owner, guild, "news", type=5)
    voice = await world.channel(owner, guild, "voice", type=2)
    fields = {
        "name": "New name",
        "description": "About",
        "region": "here",
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 2,
        "preferred_locale": "de",
        "afk_timeout": 900,
        "afk_channel_id": voice,
        "system_channel_id": guild.general,
        "system_channel_flags": 5,
        "rules_channel_id": guild.general,
        "public_updates_channel_id": news,
        "safety_alerts_channel_id": news,
        "premium_progress_bar_enabled": True,
    }
    async with gateway(server.url, bob.token) as his:
        changed = await change(owner, guild, **{**fields, "name": "  New name "})
        assert changed == {**guild.guild, **fields}
        assert await his.next("GUILD_UPDATE") == changed
        assert (await bob.get(f"/guilds/{guild.id}")).ok() == changed
        assert await change(owner, guild, **fields) == changed  # nothing new: nobody hears of it
        nulls = {name: None for name in fields if name not in ("name",)}
        back = await change(owner, guild, **nulls)
        assert back == {**guild.guild, "name": "New name", "system_channel_id": None}
        assert await his.next("GUILD_UPDATE") == back
        assert len(his.named("GUILD_UPDATE")) == 2
    log = (await owner.get(f"/guilds/{guild.id}/audit-logs", action_type=1)).ok()["audit_log_entries"]
    assert len(log) == 2
    assert {each["key"] for each in log[0]["changes"]} == nulls.keys()
    assert {"key": "name", "old_value": "Reading room", "new_value": "New name"} in log[1]["changes"]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"name": " x "}, "name"),
        ({"name": None}, "name"),
        ({"verification_level": 5}, "verification_level"),
        ({"afk_timeout": 61}, "afk_timeout"),
        ({"preferred_locale": "tlh"}, "preferred_locale"),
        ({"description": "x" * 301}, "description"),
        ({"afk_channel_id": "{general}"}, "afk_channel_id"),
        ({"system_channel_id": "{voice}"}, "system_channel_id"),
        ({"rules_channel_id": "1"}, "rules_channel_id"),
        ({"features": ["COMMUNITY"]}, "rules_channel_id"),
        ({"features": ["COMMUNITY"], "rules_channel_id": "{general}"}, "public_updates_channel_id"),
        ({"icon": "data:image/png;base64,AAAA"}, "icon"),
    ],
)
async def test_what_makes_no_sense(world: World, fields: Json, where: str) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    ids = {"general": guild.general, "voice": guild.channels[3]["id"]}
    sent = {name: value.format(**ids) if isinstance(value, str) else value for name, value in fields.items()}
    answer = await alice.patch(f"/guilds/{guild.id}", sent)
    assert [*answer.errors] == [where]
    assert (await alice.get(f"/guilds/{guild.id}")).ok() == guild.guild


async def test_features(world: World, owner: User, guild: Guild) -> None:
    someone = await manager(world, owner, guild)

    async def switched(user: User, *features: str) -> set[str]:
        return set((await change(user, guild, features=[*features]))["features"]) - GRANTED

    assert set(guild.guild["features"]) == GRANTED
    assert await switched(someone, "INVITES_DISABLED", "PARTNERED") == {"INVITES_DISABLED"}
    assert await switched(someone) == set()
    community = {"rules_channel_id": guild.general, "public_updates_channel_id": guild.general}
    answer = await someone.patch(f"/guilds/{guild.id}", {"features": ["COMMUNITY"], **community})
    assert answer.error == NO_PERMISSION
    await change(owner, guild, **community)
    assert await switched(owner, "COMMUNITY", "DISCOVERABLE") == {"COMMUNITY", "DISCOVERABLE"}
    assert [*(await owner.patch(f"/guilds/{guild.id}", {"rules_channel_id": None})).errors] == ["rules_channel_id"]
    assert (await owner.delete(f"/channels/{guild.general}")).error == (400, 50074)
    assert (await someone.patch(f"/guilds/{guild.id}", {"features": []})).error == NO_PERMISSION
    assert await switched(owner, "DISCOVERABLE", "RAID_ALERTS_DISABLED") == {"RAID_ALERTS_DISABLED"}
    (await owner.delete(f"/channels/{guild.general}")).ok(200)


async def test_a_discoverable_guild_has_a_preview(world: World, owner: User, guild: Guild) -> None:
    stranger = await world.person()
    path = f"/guilds/{guild.id}/preview"
    assert (await stranger.get(path)).error == UNKNOWN_GUILD
    assert (await owner.get(path)).ok()["name"] == "Reading room"
    community = {"rules_channel_id": guild.general, "public_updates_channel_id": guild.general}
    await change(owner, guild, description="About", features=["COMMUNITY", "DISCOVERABLE"], **community)
    shown = (await stranger.get(path)).ok()
    assert shown.items() >= {"description": "About", "approximate_member_count": 1, "emojis": []}.items()


async def test_paused_invites(world: World, owner: User, guild: Guild) -> None:
    bob = await world.person()
    code = (await owner.post(f"/channels/{guild.general}/invites", {})).ok(200)["code"]
    await change(owner, guild, features=["INVITES_DISABLED"])
    assert (await bob.post(f"/invites/{code}")).error == (403, 40006)
    (await owner.post(f"/invites/{code}")).ok(200)  # a member already
    await change(owner, guild, features=[])
    (await bob.post(f"/invites/{code}")).ok(200)


async def test_a_deleted_channel_is_gone_from_the_settings(
    server: Server, world: World, owner: User, guild: Guild
) -> None:
    desk = await world.channel(owner, guild)
    await change(owner, guild, system_channel_id=desk, rules_channel_id=desk)
    (await owner.patch(f"/guilds/{guild.id}/widget", {"channel_id": desk})).ok(200)
    async with gateway(server.url, owner.token) as ear:
        (await owner.delete(f"/channels/{desk}")).ok(200)
        told = await ear.next("GUILD_UPDATE")
        names = ("system_channel_id", "rules_channel_id", "widget_channel_id")
        assert [told[name] for name in names] == [None, None, None]
    assert (await owner.get(f"/guilds/{guild.id}")).ok() == told


async def test_handing_over(server: Server, world: World, owner: User, guild: Guild) -> None:
    bob = await world.person()
    await world.join(owner, guild, bob)
    someone = await manager(world, owner, guild)
    path = f"/guilds/{guild.id}"
    hidden = await world.channel(owner, guild, permission_overwrites=[{"id": guild.id, "type": 0, "deny": str(VIEW)}])
    for asker, new_owner, error in (
        (someone, someone, NO_PERMISSION),
        (owner, someone, (400, 50132)),
        (owner, await world.person(), (404, 10007)),
    ):
        assert (await asker.patch(path, {"owner_id": new_owner.id})).error == error
    async with gateway(server.url, owner.token) as hers, gateway(server.url, bob.token) as his:
        assert (await change(owner, guild, owner_id=bob.id))["owner_id"] == bob.id
        assert (await his.next("GUILD_UPDATE"))["owner_id"] == bob.id
        assert (await his.next("CHANNEL_CREATE"))["id"] == hidden
        assert (await hers.next("CHANNEL_DELETE"))["id"] == hidden
        assert (await owner.patch(path, {"name": "Mine"})).error == NO_PERMISSION
        (await bob.say(hidden)).get("id")
        await bob.say(guild.general, "last")
        await hers.next("MESSAGE_CREATE")
        assert [message["content"] for message in hers.named("MESSAGE_CREATE")] == ["last"]
    assert (await owner.delete(f"/guilds/{guild.id}")).error == NO_PERMISSION
    (await owner.delete(f"/users/@me/guilds/{guild.id}")).ok(204)


async def test_deleting(server: Server, world: World, owner: User, guild: Guild) -> None:
    bob = await world.person()
    await world.join(owner, guild, bob)
    bot = await world.bot(owner, guild)
    other = await world.guild(owner, bob)
    code = (await owner.post(f"/channels/{guild.general}/invites", {})).ok(200)["code"]
    (await owner.patch(f"/guilds/{guild.id}/vanity-url", {"code": "room"})).ok(200)
    template = (await owner.post(f"/guilds/{guild.id}/templates", {"name": "Room"})).ok(200)["code"]
    await owner.say(guild.general)
    assert (await bob.delete(f"/guilds/{guild.id}")).error == NO_PERMISSION
    async with (
        gateway(server.url, owner.token) as hers,
        gateway(server.url, bob.token) as his,
        gateway(server.url, bot.token) as its,
    ):
        voice = guild.channels[3]["id"]
        await its.send(4, {"guild_id": guild.id, "channel_id": voice})
        await hers.next("VOICE_STATE_UPDATE")
        (await owner.delete(f"/guilds/{guild.id}")).ok(204)
        for ear in (hers, his, its):
            assert await ear.next("GUILD_DELETE") == {"id": guild.id}
        # Sessions go on with their other guilds.
        await owner.say(other.general, "still here")
        assert (await his.next("MESSAGE_CREATE"))["content"] == "still here"
    assert not server.core.live.voiced
    for path, error in (
        (f"/guilds/{guild.id}", UNKNOWN_GUILD),
        (f"/channels/{guild.general}", UNKNOWN_CHANNEL),
        (f"/channels/{guild.general}/messages", UNKNOWN_CHANNEL),
        (f"/invites/{code}", (404, 10006)),
        ("/invites/room", (404, 10006)),
        (f"/guilds/templates/{template}", (404, 10057)),
    ):
        assert (await owner.get(path)).error == error, path
    assert [each["id"] for each in (await bob.get("/users/@me/guilds")).ok()] == [other.id]
    assert (await bot.get("/users/@me/guilds")).ok() == []


async def test_a_guild_that_ends_before_its_turn_is_not_sent(tmp_path: Path) -> None:
    """GUILD_CREATEs wait for the client: what was loaded before may be gone when it is ready."""

    class Slow(RecordingConnection):
        waiting, ready = trio.Event(), trio.Event()

        async def drained(self) -> None:
            self.waiting.set()
            await self.ready.wait()

    async with open_core(tmp_path) as core:
        account = await accounts.create(core, Register(username="alice", password="correct horse"))
        me = Actor(user_from(account), token="")
        guild = await guild_creation.create(core, me, GuildCreateParams(name="Guild"))
        session = connect(core, me)
        session.connection = slow = Slow()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(gateway_service.feed, core, session, trio.Semaphore(1))
            await slow.waiting.wait()
            await guild_settings.delete(core, me, guild.id)
            slow.ready.set()
        assert (slow.pushed, session.guild_ids) == (b"", set())


async def test_leaving(server: Server, world: World, owner: User, guild: Guild) -> None:
    bob = await world.person()
    await world.join(owner, guild, bob)
    bot = await world.bot(owner, guild, name="Guest")
    assert (await bob.get(f"/users/@me/guilds/{guild.id}/member")).ok()["user"]["id"] == bob.id
    async with gateway(server.url, owner.token) as hers, gateway(server.url, bob.token) as his:
        await his.send(4, {"guild_id": guild.id, "channel_id": guild.channels[3]["id"]})
        await hers.next("VOICE_STATE_UPDATE")
        (await bob.delete(f"/users/@me/guilds/{guild.id}")).ok(204)
        assert await his.next("GUILD_DELETE") == {"id": guild.id}
        gone = await hers.next("VOICE_STATE_UPDATE")
        assert (gone["user_id"], gone["channel_id"]) == (bob.id, None)
        assert (await hers.next("GUILD_MEMBER_REMOVE"))["user"]["id"] == bob.id
        # A bot takes its role with it.
        [role] = [role for role in (await owner.get(f"/guilds/{guild.id}/roles")).ok() if role["name"] == "Guest"]
        (await bot.delete(f"/users/@me/guilds/{guild.id}")).ok(204)
        assert (await hers.next("GUILD_MEMBER_REMOVE"))["user"]["id"] == bot.id
        assert (await hers.next("GUILD_ROLE_DELETE"))["role_id"] == role["id"]
    assert len((await owner.get(f"/guilds/{guild.id}/roles")).ok()) == 1
    assert (await bob.get(f"/guilds/{guild.id}")).error == UNKNOWN_GUILD
    assert (await owner.delete(f"/users/@me/guilds/{guild.id}")).error == (400, 50055)
