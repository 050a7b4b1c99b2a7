"""Roles over the wire: who may make, change, move and delete which, and who hears of it."""

from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.pictures import data_uri, still
from tests.support.world import Guild, User, World

KICK, MANAGE_CHANNELS, VIEW, SEND, MANAGE_ROLES = 1 << 1, 1 << 4, 1 << 10, 1 << 11, 1 << 28
NO_PERMISSION, INVALID_ROLE = (403, 50013), (400, 50028)


async def new_role(user: User, guild: Guild, **fields: Json) -> Json:
    return (await user.post(f"/guilds/{guild.id}/roles", fields)).ok(200)


async def test_create_edit_delete(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/guilds/{guild.id}/roles"
    async with gateway(server.url, alice.token) as ear:
        plain = await new_role(alice, guild)
        everyone = next(role for role in (await alice.get(path)).ok() if role["id"] == guild.id)
        assert plain.items() >= {"name": "new role", "position": 1, "permissions": everyone["permissions"]}.items()
        assert await ear.next("GUILD_ROLE_CREATE") == {"guild_id": guild.id, "role": plain}
        staff = await new_role(
            alice, guild, name="staff", permissions=str(KICK), hoist=True, color=7, unicode_emoji="🔧"
        )
        assert staff.items() >= {"position": 1, "permissions": str(KICK), "color": 7, "unicode_emoji": "🔧"}.items()
        assert await ear.next("GUILD_ROLE_CREATE") == {"guild_id": guild.id, "role": staff}
        assert (await ear.next("GUILD_ROLE_UPDATE"))["role"] == {**plain, "position": 2}
        for fields, expected in (
            ({"name": "crew", "mentionable": True}, {"name": "crew", "mentionable": True}),
            (
                {"colors": {"primary_color": 1, "secondary_color": 2}},
                {"color": 1, "colors": {"primary_color": 1, "secondary_color": 2, "tertiary_color": None}},
            ),
            (
                {"color": None, "hoist": None, "unicode_emoji": None},
                {"color": 0, "hoist": False, "unicode_emoji": None},
            ),
            ({"permissions": None}, {"permissions": str(KICK)}),
            ({"permissions": str(1 << 62)}, {"permissions": "0"}),
        ):
            staff = {**staff, **expected}
            if "color" in fields:
                staff["colors"] = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
            assert (await alice.patch(f"{path}/{staff['id']}", fields)).ok(200) == staff
            assert (await ear.next("GUILD_ROLE_UPDATE"))["role"] == staff
            assert (await alice.get(f"{path}/{staff['id']}")).ok(200) == staff
        (await alice.delete(f"{path}/{staff['id']}")).ok(204)
        assert await ear.next("GUILD_ROLE_DELETE") == {"guild_id": guild.id, "role_id": staff["id"]}
    assert (await alice.get(f"{path}/{staff['id']}")).error == (404, 10011)
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", target_id=staff["id"], after=0)).ok()["audit_log_entries"]
    assert [entry["action_type"] for entry in log] == [30, 31, 31, 31, 31, 32]


async def test_icons(world: World) -> None:
    """They are kept and taken away like every other field, and nobody's are stored who may not set them."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    icon, other = still("png"), still("jpeg")
    role = await new_role(alice, guild, icon=data_uri(icon))
    path = f"/guilds/{guild.id}/roles/{role['id']}"
    assert (await world.anybody.get(f"//role-icons/{role['id']}/{role['icon']}.png")).content == icon
    assert (await alice.patch(path, {"name": "crew"})).ok(200)["icon"] == role["icon"]
    changed = (await alice.patch(path, {"icon": data_uri(other)})).ok(200)["icon"]
    assert (await world.anybody.get(f"//role-icons/{role['id']}/{changed}.jpg")).content == other
    assert (await alice.patch(path, {"icon": "x", "name": "gone"})).errors == {"icon": "IMAGE_INVALID"}
    assert (await bob.patch(path, {"icon": "x"})).error == NO_PERMISSION
    assert (await alice.get(path)).ok(200) == {**role, "name": "crew", "icon": changed}
    assert (await alice.patch(path, {"icon": None})).ok(200)["icon"] is None
    assert (await new_role(alice, guild))["icon"] is None


async def test_a_deleted_role_is_gone_from_channels(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    role = await new_role(alice, guild)
    path = f"/channels/{guild.general}"
    for target, mask in ((guild.id, "deny"), (role["id"], "allow")):
        (await alice.put(f"{path}/permissions/{target}", {"type": 0, mask: str(VIEW)})).ok(204)
    async with gateway(server.url, alice.token) as ear:
        (await alice.delete(f"/guilds/{guild.id}/roles/{role['id']}")).ok(204)
        told = await ear.next("CHANNEL_UPDATE")
        assert [each["id"] for each in told["permission_overwrites"]] == [guild.id]
    assert (await alice.get(path)).ok()["permission_overwrites"] == told["permission_overwrites"]


async def test_sight_follows_a_role(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    role = f"/guilds/{guild.id}/roles/{guild.id}"
    everyone = int((await alice.get(role)).ok()["permissions"])
    async with gateway(server.url, bob.token) as his, gateway(server.url, alice.token) as hers:
        (await alice.patch(role, {"permissions": str(everyone & ~VIEW)})).ok(200)
        gone = [(await his.next("CHANNEL_DELETE"))["id"] for _ in guild.channels]
        assert sorted(gone) == sorted(channel["id"] for channel in guild.channels)
        await alice.say(guild.general, "unseen")
        (await alice.patch(role, {"permissions": str(everyone)})).ok(200)
        back = [(await his.next("CHANNEL_CREATE"))["id"] for _ in guild.channels]
        assert sorted(back) == sorted(gone)
        await alice.say(guild.general, "seen")
        assert (await his.next("MESSAGE_CREATE"))["content"] == "seen"
        assert hers.named("CHANNEL_DELETE") == []


async def test_hierarchy(world: World) -> None:
    """A bot that manages roles, between one above it and one below."""
    alice = await world.person()
    guild = await world.guild(alice)
    low = await new_role(alice, guild, name="low", permissions="0")
    bot = await world.bot(alice, guild, permissions=MANAGE_ROLES | VIEW)
    high = await new_role(alice, guild, name="high", permissions="0")
    path = f"/guilds/{guild.id}/roles"
    own = next(role for role in (await alice.get(path)).ok() if "tags" in role)
    for role, position in ((high, 9), (own, 5), (low, 1)):
        (await alice.patch(path, [{"id": role["id"], "position": position}])).ok(200)
    (await bot.patch(f"{path}/{low['id']}", {"name": "lower"})).ok(200)
    (await bot.patch(path, [{"id": low["id"], "position": 4}])).ok(200)
    (await bot.patch(f"{path}/{guild.id}", {"mentionable": True})).ok(200)
    for method, target, body, error in (
        ("PATCH", f"{path}/{high['id']}", {"name": "x"}, NO_PERMISSION),
        ("PATCH", f"{path}/{own['id']}", {"name": "x"}, NO_PERMISSION),
        ("DELETE", f"{path}/{high['id']}", ..., NO_PERMISSION),
        ("DELETE", f"{path}/{own['id']}", ..., INVALID_ROLE),
        ("DELETE", f"{path}/{guild.id}", ..., INVALID_ROLE),
        ("PATCH", f"{path}/{guild.id}", {"name": "x"}, INVALID_ROLE),
        ("PATCH", path, [{"id": low["id"], "position": 5}], NO_PERMISSION),
        ("PATCH", path, [{"id": low["id"], "position": 6}], NO_PERMISSION),
        ("PATCH", path, [{"id": high["id"], "position": 2}], NO_PERMISSION),
        ("PATCH", path, [{"id": guild.id, "position": 2}], INVALID_ROLE),
        ("PATCH", f"{path}/{low['id']}", {"permissions": str(MANAGE_CHANNELS)}, NO_PERMISSION),
        ("POST", path, {"permissions": str(KICK)}, NO_PERMISSION),
        ("PATCH", f"{path}/{guild.id}", {"permissions": str(KICK)}, NO_PERMISSION),
    ):
        assert (await bot.request(method, target, body)).error == error, (method, target, body)
    assert {role["name"]: role["position"] for role in (await alice.get(path)).ok()} == {
        "@everyone": 0,
        "lower": 4,
        own["name"]: 5,
        "high": 9,
    }


async def test_counts(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    await world.bot(alice, guild)
    role = await new_role(alice, guild)
    own = next(role for role in (await alice.get(f"/guilds/{guild.id}/roles")).ok() if "tags" in role)
    counts = (await alice.get(f"/guilds/{guild.id}/roles/member-counts")).ok(200)
    assert counts == {role["id"]: 0, own["id"]: 1}


async def test_limit(world: World) -> None:
    alice = await world.person()
    templates = [{"id": str(number), "name": str(number)} for number in range(250)]
    guild = await world.guild(alice, roles=templates)
    assert (await alice.post(f"/guilds/{guild.id}/roles", {})).error == (400, 30005)
