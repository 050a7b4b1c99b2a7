"""Channels of guilds over the wire: create, edit, delete, overwrites."""

import pytest
import trio

from tests.support.app import Server
from tests.support.client import Answer, Json, gateway
from tests.support.world import Guild, User, World

VIEW, SEND, MANAGE_CHANNELS, MANAGE_ROLES, MENTION_EVERYONE = 1 << 10, 1 << 11, 1 << 4, 1 << 28, 1 << 17

UNKNOWN_CHANNEL = (404, 10003)
NO_ACCESS = (403, 50001)
NO_PERMISSION = (403, 50013)


def overwrite(id_: str, type_: int, allow: int = 0, deny: int = 0) -> Json:
    return {"id": id_, "type": type_, "allow": str(allow), "deny": str(deny)}


def category_of(guild: Guild) -> str:
    category_id: str = next(channel["id"] for channel in guild.channels if channel["type"] == 4)
    return category_id


async def test_create(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    category_id = category_of(guild)
    hidden = [overwrite(guild.id, 0, deny=VIEW)]
    async with gateway(server.url, alice.token) as ear:
        for params, expected in (
            ({"name": "a"}, {"type": 0, "position": 1, "topic": None, "nsfw": False, "rate_limit_per_user": 0}),
            (
                {"name": "b", "topic": "t", "nsfw": True, "rate_limit_per_user": 5, "parent_id": category_id},
                {"topic": "t", "nsfw": True, "rate_limit_per_user": 5, "parent_id": category_id},
            ),
            ({"name": "c", "type": 2}, {"type": 2, "bitrate": 64000, "user_limit": 0, "rtc_region": None}),
            ({"name": "d", "type": 2, "bitrate": 8000, "user_limit": 9}, {"bitrate": 8000, "user_limit": 9}),
            ({"name": "e", "type": 5, "bitrate": 8000}, {"type": 5, "parent_id": None}),
            ({"name": "f", "type": 4, "position": 9}, {"type": 4, "position": 9}),
            ({"name": "g", "permission_overwrites": hidden}, {"permission_overwrites": hidden}),
        ):
            made = (await alice.post(f"/guilds/{guild.id}/channels", params)).ok(201)
            assert made.items() >= {**expected, "name": params["name"], "guild_id": guild.id}.items()
            assert ("bitrate" in made) == (made["type"] == 2)
            assert await ear.next("CHANNEL_CREATE") == made
            assert (await alice.get(f"/channels/{made['id']}")).ok() == made
    assert len((await alice.get(f"/guilds/{guild.id}/channels")).ok()) == 4 + 7


async def test_edit(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}"
    channel = (await alice.get(path)).ok()
    async with gateway(server.url, alice.token) as ear:
        for changes, expected in (
            ({"name": "renamed"}, None),
            ({"topic": "t", "nsfw": True, "rate_limit_per_user": 9}, None),
            (
                {"topic": None, "nsfw": None, "rate_limit_per_user": None},
                {"topic": None, "nsfw": False, "rate_limit_per_user": 0},
            ),
            ({"type": 5}, None),
            ({"type": 0}, None),
            ({"position": 7}, None),
            ({"position": None}, {"position": 0}),
            ({"parent_id": None}, None),
            ({"parent_id": category_of(guild)}, None),
            ({"permission_overwrites": [overwrite(guild.id, 0, deny=SEND)]}, None),
            ({"permission_overwrites": None}, {"permission_overwrites": []}),
            ({}, None),
        ):
            channel |= changes if expected is None else expected
            assert (await alice.patch(path, changes)).ok(200) == channel, changes
            assert await ear.next("CHANNEL_UPDATE") == channel
            assert (await alice.get(path)).ok() == channel


async def test_edit_voice(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    voice = await world.channel(alice, guild, type=2, bitrate=96000, user_limit=5)
    edited = (await alice.patch(f"/channels/{voice}", {"bitrate": None, "user_limit": None, "rtc_region": "x"})).ok()
    assert (edited["bitrate"], edited["user_limit"], edited["rtc_region"]) == (64000, 0, "x")


async def test_delete(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    category_id = category_of(guild)
    before = (await alice.get(f"/channels/{guild.general}")).ok()
    assert before["parent_id"] == category_id
    async with gateway(server.url, bob.token) as ear:
        assert (await alice.delete(f"/channels/{category_id}")).ok(200)["id"] == category_id
        assert await ear.next("CHANNEL_UPDATE") == before | {"parent_id": None}
        assert (await ear.next("CHANNEL_DELETE"))["id"] == category_id
        await alice.say(guild.general)
        code = (await alice.post(f"/channels/{guild.general}/invites", {})).ok()["code"]
        (await alice.delete(f"/channels/{guild.general}")).ok(200)
        assert (await ear.next("CHANNEL_DELETE"))["id"] == guild.general
    for method, path, payload in (
        ("GET", f"/channels/{guild.general}", ...),
        ("GET", f"/channels/{guild.general}/messages", ...),
        ("POST", f"/channels/{guild.general}/messages", {"content": "x"}),
        ("PATCH", f"/channels/{guild.general}", {"name": "x"}),
        ("DELETE", f"/channels/{guild.general}", ...),
    ):
        assert (await alice.request(method, path, payload)).error == UNKNOWN_CHANNEL
    assert (await alice.get(f"/invites/{code}")).error == (404, 10006)


async def test_who_may_not_see_a_channel(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/channels/{guild.general}"
    async with gateway(server.url, bob.token) as ear:
        (await alice.patch(path, {"permission_overwrites": [overwrite(guild.id, 0, deny=VIEW)]})).ok()
        assert (await ear.next("CHANNEL_DELETE"))["id"] == guild.general
        message = await alice.say(guild.general, "secret")
        for method, where, payload in (
            ("GET", path, ...),
            ("PATCH", path, {"name": "x"}),
            ("DELETE", path, ...),
            ("GET", f"{path}/messages", ...),
            ("POST", f"{path}/messages", {"content": "x"}),
            ("GET", f"{path}/messages/{message['id']}", ...),
            ("DELETE", f"{path}/messages/{message['id']}", ...),
            ("POST", f"{path}/typing", ...),
            ("POST", f"{path}/invites", {}),
        ):
            assert (await bob.request(method, where, payload)).error == NO_ACCESS, (method, where)
        listed = (await bob.get(f"/guilds/{guild.id}/channels")).ok()
        assert guild.general not in {channel["id"] for channel in listed}
        both = [overwrite(guild.id, 0, deny=VIEW), overwrite(bob.id, 1, allow=VIEW)]
        (await alice.patch(path, {"permission_overwrites": both})).ok()
        assert (await ear.next("CHANNEL_CREATE"))["last_message_id"] == message["id"]
        assert [found["content"] for found in (await bob.get(f"{path}/messages")).ok()] == ["secret"]
        await server.core.live.bus.flush()
        await ear.heartbeat()
        assert ear.named("MESSAGE_CREATE") == []


class Escalation:
    """A guild whose bot may manage channels, and in #general perhaps roles."""

    def __init__(self, owner: User, bot: User, guild: Guild) -> None:
        self.owner, self.bot, self.guild = owner, bot, guild
        self.path = f"/channels/{guild.general}"

    async def overwrites(self, user: User, *overwrites: Json) -> Json:
        return await user.patch(self.path, {"permission_overwrites": overwrites})


@pytest.fixture
async def escalation(world: World) -> Escalation:
    owner = await world.person()
    guild = await world.guild(owner)
    bot = await world.bot(owner, guild, permissions=MANAGE_CHANNELS | VIEW | SEND)
    return Escalation(owner, bot, guild)


async def test_overwrites_need_manage_roles(escalation: Escalation) -> None:
    e = escalation
    (await e.bot.patch(e.path, {"name": "renamed"})).ok()
    assert (await e.overwrites(e.bot, overwrite(e.bot.id, 1, allow=SEND))).error == NO_PERMISSION
    assert (await e.overwrites(e.bot)).error == NO_PERMISSION
    answer = await e.bot.post(
        f"/guilds/{e.guild.id}/channels",
        {"name": "x", "permission_overwrites": [overwrite(e.bot.id, 1, allow=MANAGE_ROLES)]},
    )
    assert answer.error == NO_PERMISSION


async def test_nobody_grants_what_he_has_not(escalation: Escalation) -> None:
    e = escalation
    mine = overwrite(e.bot.id, 1, allow=MANAGE_ROLES, deny=MENTION_EVERYONE)
    (await e.overwrites(e.owner, mine)).ok()
    (await e.overwrites(e.bot, mine, overwrite(e.guild.id, 0, deny=SEND))).ok()
    for refused in (
        [overwrite(e.bot.id, 1, allow=MANAGE_ROLES)],  # takes back a denial of what it has not
        [mine, overwrite(e.guild.id, 0, allow=MENTION_EVERYONE)],
        [mine, overwrite(e.guild.id, 0, deny=MENTION_EVERYONE)],
        [mine, overwrite(e.guild.id, 0, allow=1 << 3)],
    ):
        assert (await e.overwrites(e.bot, *refused)).error == NO_PERMISSION, refused
    shown = (await e.owner.get(e.path)).ok()["permission_overwrites"]
    assert {entry["id"]: entry for entry in shown} == {
        e.bot.id: mine,
        e.guild.id: overwrite(e.guild.id, 0, deny=SEND),
    }


async def test_what_comes_while_a_channel_is_deleted(world: World) -> None:
    """Each request finds the channel or does not; none fails."""
    alice = await world.person()
    guild = await world.guild(alice)
    message = await alice.say(guild.general)
    path = f"/channels/{guild.general}"
    answers: list[Answer] = []

    async def ask(method: str, target: str, payload: Json) -> None:
        answers.append(await alice.request(method, target, payload))

    requests: list[tuple[str, str, Json]] = [
        ("POST", f"{path}/messages", {"content": "x"}),
        ("POST", f"{path}/invites", {"unique": True}),
        ("PATCH", path, {"name": "x"}),
        ("PATCH", f"{path}/messages/{message['id']}", {"content": "x"}),
        ("POST", f"{path}/messages", {"content": "x", "nonce": "n", "enforce_nonce": True}),
    ]
    async with trio.open_nursery() as nursery:
        for method, target, payload in (*requests * 3, ("DELETE", path, ...), ("DELETE", path, ...), *requests * 3):
            nursery.start_soon(ask, method, target, payload)
    refused = {answer.error for answer in answers if answer.status != 200}
    assert refused <= {UNKNOWN_CHANNEL, (404, 10008)}
    assert (await alice.get(path)).error == UNKNOWN_CHANNEL
