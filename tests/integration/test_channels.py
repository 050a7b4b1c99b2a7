"""Channels of guilds over the wire: create, edit, delete, overwrites."""

import pytest
import trio

from tests.support.app import Server
from tests.support.client import Answer, Json, gateway
from tests.support.world import Guild, User, World

VIEW, SEND, MANAGE_CHANNELS, MANAGE_ROLES, MENTION_EVERYONE = 1 << 10, 1 << 11, 1 << 4, 1 << 28, 1 << 17
MANAGE_MESSAGES = 1 << 13

UNKNOWN_CHANNEL = (404, 10003)
UNKNOWN_OVERWRITE = (404, 10009)
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


async def test_nobody_grants_what_he_has_not(world: World, escalation: Escalation) -> None:
    """MANAGE_ROLES of a role: what the role does not have stays out of reach."""
    owner, guild = escalation.owner, escalation.guild
    boss = await world.bot(owner, guild, permissions=MANAGE_CHANNELS | MANAGE_ROLES | VIEW | SEND)
    e = Escalation(owner, boss, guild)
    kept = overwrite(e.guild.id, 0, deny=MANAGE_MESSAGES)
    (await e.overwrites(e.owner, kept)).ok()
    other = overwrite(e.owner.id, 1, deny=SEND)
    (await e.overwrites(e.bot, kept, other)).ok()
    for refused in (
        [other],  # takes back a denial of what it has not
        [kept, other, overwrite(e.bot.id, 1, allow=MANAGE_MESSAGES)],
        [kept, other, overwrite(e.bot.id, 1, deny=MANAGE_MESSAGES)],
        [kept, overwrite(e.owner.id, 1, allow=1 << 3)],
    ):
        assert (await e.overwrites(e.bot, *refused)).error == NO_PERMISSION, refused
    one = f"{e.path}/permissions"
    assert (await e.bot.put(f"{one}/{e.bot.id}", {"type": 1, "allow": str(MANAGE_MESSAGES)})).error == NO_PERMISSION
    assert (await e.bot.delete(f"{one}/{e.guild.id}")).error == NO_PERMISSION
    shown = (await e.owner.get(e.path)).ok()["permission_overwrites"]
    assert {entry["id"]: entry for entry in shown} == {e.guild.id: kept, e.owner.id: other}


async def test_an_overwrite_with_manage_roles_lets_grant_anything(escalation: Escalation) -> None:
    """As the page says: unless the channel itself gives it."""
    e = escalation
    (await e.owner.put(f"{e.path}/permissions/{e.bot.id}", {"type": 1, "allow": str(MANAGE_ROLES)})).ok(204)
    put = await e.bot.put(f"{e.path}/permissions/{e.guild.id}", {"type": 0, "allow": str(MENTION_EVERYONE)})
    assert put.status == 204


async def test_one_overwrite(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/channels/{guild.general}/permissions"
    async with gateway(server.url, alice.token) as ear, gateway(server.url, bob.token) as bobs:
        (await alice.put(f"{path}/{bob.id}", {"type": 1, "deny": str(VIEW)})).ok(204)
        assert (await ear.next("CHANNEL_UPDATE"))["permission_overwrites"] == [overwrite(bob.id, 1, deny=VIEW)]
        assert (await bobs.next("CHANNEL_DELETE"))["id"] == guild.general
        (await alice.put(f"{path}/{bob.id}", {"allow": str(SEND), "deny": None})).ok(204)
        assert (await ear.next("CHANNEL_UPDATE"))["permission_overwrites"] == [overwrite(bob.id, 1, allow=SEND)]
        assert (await bobs.next("CHANNEL_CREATE"))["id"] == guild.general
        (await alice.put(f"{path}/{guild.id}", {"type": 0, "deny": str(SEND)})).ok(204)
        (await alice.delete(f"{path}/{guild.id}")).ok(204)
        (await alice.delete(f"{path}/{bob.id}")).ok(204)
        assert (await alice.delete(f"{path}/{bob.id}")).error == UNKNOWN_OVERWRITE
        assert (await alice.put(f"{path}/1", {"type": 0})).error == UNKNOWN_OVERWRITE
        assert (await alice.put(f"{path}/{bob.id}", {"type": 0})).error == UNKNOWN_OVERWRITE
        assert (await bob.put(f"{path}/{bob.id}", {"type": 1})).error == NO_PERMISSION
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", action_type=14)).ok()["audit_log_entries"]
    assert [entry["options"] for entry in log] == [{"id": bob.id, "type": "1"}]
    assert log[0]["changes"] == [
        {"key": "allow", "new_value": str(SEND), "old_value": "0"},
        {"key": "deny", "new_value": "0", "old_value": str(VIEW)},
    ]
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", after=0)).ok()["audit_log_entries"]
    assert [entry["action_type"] for entry in log] == [40, 13, 14, 13, 15, 15]  # 40: the invite by which Bob came


async def test_move(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/guilds/{guild.id}/channels"
    hidden = overwrite(guild.id, 0, deny=VIEW)
    category = (await alice.post(path, {"name": "c", "type": 4, "permission_overwrites": [hidden]})).ok(201)
    a, b = [(await alice.post(path, {"name": name})).ok(201) for name in "ab"]
    async with gateway(server.url, alice.token) as ear, gateway(server.url, bob.token) as bobs:
        (await alice.patch(path, [{"id": a["id"], "position": 7}, {"id": b["id"], "position": None}])).ok(204)
        assert [(await ear.next("CHANNEL_UPDATE"))["position"] for _ in "ab"] == [7, 0]
        into = {"id": a["id"], "parent_id": category["id"], "lock_permissions": True}
        (await alice.patch(path, [into])).ok(204)
        moved = await ear.next("CHANNEL_UPDATE")
        assert (moved["parent_id"], moved["permission_overwrites"]) == (category["id"], [hidden])
        assert (await bobs.next("CHANNEL_DELETE"))["id"] == a["id"]
    one = {"id": a["id"], "parent_id": None}
    other = {"id": b["id"], "parent_id": category["id"]}
    for body, error in (
        ([one, other], (400, 40009)),
        ([{"id": "1", "position": 1}], UNKNOWN_CHANNEL),
        ([{"id": a["id"], "parent_id": b["id"]}], (400, 50035)),
        ([{"id": category["id"], "parent_id": category["id"]}], (400, 50035)),
        ({"id": a["id"]}, (400, 50035)),
    ):
        assert (await alice.patch(path, body)).error == error, body
    assert (await bob.patch(path, [{"id": b["id"], "position": 1}])).error == NO_PERMISSION
    assert (await bob.patch(path, [one])).error == NO_ACCESS
    assert (await bob.patch(path, [other])).error == NO_ACCESS


async def test_a_new_channel_is_in_step_with_its_category(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/guilds/{guild.id}/channels"
    hidden = overwrite(guild.id, 0, deny=VIEW)
    category = (await alice.post(path, {"name": "c", "type": 4, "permission_overwrites": [hidden]})).ok(201)
    inside = {"name": "a", "parent_id": category["id"]}
    assert (await alice.post(path, inside)).ok(201)["permission_overwrites"] == [hidden]
    none = {**inside, "permission_overwrites": []}  # what discord.py sends where none are given
    assert (await alice.post(path, none)).ok(201)["permission_overwrites"] == [hidden]


async def test_forums_have_tags(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    tags = [{"name": "bug", "emoji_name": "🐛"}, {"name": "idea", "moderated": True}]
    forum = (
        await alice.post(
            f"/guilds/{guild.id}/channels",
            {"name": "f", "type": 15, "topic": "t" * 4096, "available_tags": tags, "default_sort_order": 1},
        )
    ).ok(201)
    bug, idea = forum["available_tags"]
    assert (bug["name"], bug["emoji_name"], idea["moderated"]) == ("bug", "🐛", True)
    assert (forum["default_forum_layout"], forum["default_sort_order"]) == (0, 1)
    path = f"/channels/{forum['id']}"
    kept = {"id": bug["id"], "name": "defect"}
    edited = (await alice.patch(path, {"available_tags": [kept, {"id": "1", "name": "new"}]})).ok(200)
    renamed, new = edited["available_tags"]
    assert (renamed["id"], renamed["name"]) == (bug["id"], "defect")
    assert new["id"] not in ("1", bug["id"], idea["id"])
    twice = [{"name": "x"}, {"name": "x"}]
    assert list((await alice.patch(path, {"available_tags": twice})).errors) == ["available_tags.1.name"]
    assert (await alice.patch(path, {"bitrate": 8000})).error == (400, 50024)
    assert (await alice.patch(f"/channels/{guild.general}", {"available_tags": []})).error == (400, 50024)
    assert list((await alice.patch(f"/channels/{guild.general}", {"topic": "t" * 1025})).errors) == ["topic"]
    assert (await alice.post(f"{path}/messages", {"content": "x"})).error == (400, 50008)


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


async def test_channels_in_step_with_their_category_stay_so(server: Server, world: World) -> None:
    """topics/permissions, "Permission Syncing"."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/guilds/{guild.id}/channels"
    kept = overwrite(guild.id, 0, deny=SEND)
    category = (await alice.post(path, {"name": "c", "type": 4, "permission_overwrites": [kept]})).ok(201)
    inside = {"parent_id": category["id"]}
    synced = (await alice.post(path, {"name": "in step", **inside})).ok(201)
    own = overwrite(bob.id, 1, deny=SEND)
    other = (await alice.post(path, {"name": "out of step", "permission_overwrites": [own], **inside})).ok(201)
    one = f"/channels/{category['id']}"
    hidden = overwrite(guild.id, 0, deny=VIEW)
    async with gateway(server.url, bob.token) as his, gateway(server.url, alice.token) as hers:
        (await alice.put(f"{one}/permissions/{guild.id}", {"type": 0, "deny": str(VIEW)})).ok(204)
        assert {(await his.next("CHANNEL_DELETE"))["id"] for _ in "12"} == {category["id"], synced["id"]}
        told = [await hers.next("CHANNEL_UPDATE") for _ in "12"]
        assert [(each["id"], each["permission_overwrites"]) for each in told] == [
            (category["id"], [hidden]),
            (synced["id"], [hidden]),
        ]
        (await alice.patch(one, {"permission_overwrites": [kept]})).ok(200)
        assert {(await his.next("CHANNEL_CREATE"))["id"] for _ in "12"} == {category["id"], synced["id"]}
        (await alice.put(f"/channels/{synced['id']}/permissions/{bob.id}", {"type": 1, "deny": str(SEND)})).ok(204)
        (await alice.delete(f"{one}/permissions/{guild.id}")).ok(204)
    for channel, expected in ((synced, [own, kept]), (other, [own]), (category, [])):
        assert (await alice.get(f"/channels/{channel['id']}")).ok()["permission_overwrites"] == expected


async def test_an_overwrite_is_for_a_role_or_for_a_member(world: World) -> None:
    """And stays what it is, also when there is one already."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/channels/{guild.general}"
    (await alice.put(f"{path}/permissions/{guild.id}", {"type": 0, "deny": str(SEND)})).ok(204)
    (await alice.put(f"{path}/permissions/{bob.id}", {"type": 1, "deny": str(SEND)})).ok(204)
    assert (await alice.put(f"{path}/permissions/{guild.id}", {"type": 1})).error == UNKNOWN_OVERWRITE
    assert (await alice.put(f"{path}/permissions/{bob.id}", {"type": 0})).error == UNKNOWN_OVERWRITE
    wrong = [overwrite(guild.id, 1), overwrite(bob.id, 1)]
    answer = await alice.patch(path, {"permission_overwrites": wrong})
    assert answer.errors == {"permission_overwrites.0.id": "INVALID_OVERWRITE_TARGET"}
    (await alice.delete(f"/guilds/{guild.id}/members/{bob.id}")).ok(204)
    (await alice.put(f"{path}/permissions/{bob.id}", {"type": 1, "allow": str(SEND)})).ok(204)  # for his return
    shown = (await alice.get(path)).ok()["permission_overwrites"]
    assert shown == [overwrite(bob.id, 1, allow=SEND), overwrite(guild.id, 0, deny=SEND)]


async def test_a_move_into_step_grants_nothing_that_the_mover_has_not(world: World, escalation: Escalation) -> None:
    owner, guild = escalation.owner, escalation.guild
    boss = await world.bot(owner, guild, permissions=MANAGE_CHANNELS | MANAGE_ROLES | VIEW | SEND)
    more = [overwrite(boss.id, 1, allow=MANAGE_MESSAGES)]
    category = await world.channel(owner, guild, "c", type=4, permission_overwrites=more)
    entry = {"id": guild.general, "parent_id": category, "lock_permissions": True}
    path = f"/guilds/{guild.id}/channels"
    assert (await boss.patch(path, [entry])).error == NO_PERMISSION
    assert (await owner.get(escalation.path)).ok()["permission_overwrites"] == []
    (await owner.patch(path, [entry])).ok(204)
    assert (await owner.get(escalation.path)).ok()["permission_overwrites"] == more
