"""A guild's widget, vanity URL and welcome screen over the wire."""

from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import Guild, User, World

UNKNOWN_INVITE = (404, 10006)


async def test_a_widget_tells_nothing_that_is_not_everybodys(
    server: Server, world: World, owner: User, guild: Guild
) -> None:
    path = f"/guilds/{guild.id}/widget"
    lounge = guild.channels[3]["id"]
    await world.channel(
        owner, guild, "hidden", type=2, permission_overwrites=[{"id": guild.id, "type": 0, "deny": "1024"}]
    )
    assert (await owner.get(path)).ok() == {"enabled": False, "channel_id": None}
    assert (await world.anybody.get(f"{path}.json")).error == (403, 50004)
    async with gateway(server.url, owner.token) as ear:
        wanted = {"enabled": True, "channel_id": guild.general}
        assert (await owner.patch(path, wanted)).ok(200) == wanted
        assert (await ear.next("GUILD_UPDATE"))["widget_channel_id"] == guild.general
        await ear.send(4, {"guild_id": guild.id, "channel_id": lounge})
        await ear.next("VOICE_STATE_UPDATE")
        answer = await world.anybody.get(f"{path}.json")
        invite = await ear.next("INVITE_CREATE")
        again = (await world.anybody.get(f"{path}.json")).ok(200)
        assert len(ear.named("INVITE_CREATE")) == 1
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    shown = answer.ok(200)
    assert shown == again
    assert shown["instant_invite"] == f"{server.url}/api/v10/invites/{invite['code']}"
    assert (invite["max_age"], "inviter" in invite) == (0, False)
    assert (await world.anybody.get(f"/invites/{invite['code']}")).ok()["channel"]["id"] == guild.general
    assert shown["channels"] == [{"id": lounge, "name": "General", "position": 0}]
    assert shown["presence_count"] == 1
    assert shown["members"] == [
        {
            "id": "0",
            "username": "owner",
            "discriminator": "0000",
            "avatar": None,
            "status": "online",
            "avatar_url": f"{server.url}/embed/avatars/0.png",
            "channel_id": lounge,
            **dict.fromkeys(("deaf", "mute", "self_deaf", "self_mute", "suppress"), False),
        }
    ]
    (await owner.patch(f"/guilds/{guild.id}", {"features": ["INVITES_DISABLED"]})).ok(200)
    quiet = (await world.anybody.get(f"{path}.json")).ok(200)
    assert (quiet["instant_invite"], quiet["presence_count"], quiet["members"]) == (None, 0, [])
    assert [*(await owner.patch(path, {"channel_id": "1"})).errors] == ["channel_id"]


async def test_a_vanity_url_is_an_invite(world: World, owner: User, guild: Guild) -> None:
    bob = await world.person()
    other = await world.guild(owner)
    path = f"/guilds/{guild.id}/vanity-url"
    assert (await owner.get(path)).ok() == {"code": None, "uses": 0}
    assert (await owner.patch(path, {"code": "Reading-Room"})).ok() == {"code": "Reading-Room", "uses": 0}
    assert (await owner.get(f"/guilds/{guild.id}")).ok()["vanity_url_code"] == "Reading-Room"
    invite = (await owner.post(f"/channels/{other.general}/invites", {})).ok(200)["code"]
    for code in ("reading-room", invite):
        assert (await owner.patch(f"/guilds/{other.id}/vanity-url", {"code": code})).error == (400, 50020)
    assert [*(await owner.patch(path, {"code": "no blanks"})).errors] == ["code"]
    shown = (await world.anybody.get("/invites/READING-room")).ok()
    assert (shown["guild"]["id"], shown["channel"]["id"], shown["expires_at"]) == (guild.id, guild.general, None)
    (await bob.post("/invites/reading-room")).ok(200)
    (await bob.post("/invites/reading-room")).ok(200)  # a member already
    assert (await owner.get(path)).ok() == {"code": "Reading-Room", "uses": 1}
    assert (await owner.delete("/invites/reading-room")).error == UNKNOWN_INVITE
    assert (await owner.patch(path, {"code": None})).ok() == {"code": None, "uses": 0}
    assert (await world.anybody.get("/invites/reading-room")).error == UNKNOWN_INVITE
    (await owner.patch(f"/guilds/{other.id}/vanity-url", {"code": "reading-room"})).ok(200)


async def test_a_vanity_url_leads_where_everybody_sees(world: World, owner: User, guild: Guild) -> None:
    (await owner.patch(f"/guilds/{guild.id}/vanity-url", {"code": "room"})).ok(200)
    for channel in guild.channels:
        overwrite = {"type": 0, "deny": "1024"}
        (await owner.put(f"/channels/{channel['id']}/permissions/{guild.id}", overwrite)).ok(204)
    assert (await world.anybody.get("/invites/room")).error == UNKNOWN_INVITE
    lobby = await world.channel(owner, guild, "lobby")
    assert (await world.anybody.get("/invites/room")).ok()["channel"]["id"] == lobby


async def test_a_welcome_screen(server: Server, world: World, owner: User, guild: Guild) -> None:
    bob = await world.person()
    await world.join(owner, guild, bob)
    desk = await world.channel(owner, guild)
    path = f"/guilds/{guild.id}/welcome-screen"
    assert (await owner.get(path)).error == (404, 10069)
    channels = [
        {"channel_id": guild.general, "description": "Talk", "emoji_id": None, "emoji_name": "📚"},
        {"channel_id": desk, "description": "Work", "emoji_id": None, "emoji_name": None},
    ]
    screen = {"description": "Welcome!", "welcome_channels": channels}
    assert (await owner.patch(path, screen)).ok(200) == screen
    assert (await bob.get(path)).error == (403, 50013)
    assert [*(await owner.patch(path, {"enabled": True})).errors] == ["enabled"]
    for wrong in ({"channel_id": "1", "description": "x"}, {"channel_id": desk, "description": ""}):
        assert (await owner.patch(path, {"welcome_channels": [wrong]})).error == (400, 50035)
    community = {"rules_channel_id": guild.general, "public_updates_channel_id": guild.general}
    (await owner.patch(f"/guilds/{guild.id}", {"features": ["COMMUNITY"], **community})).ok(200)
    async with gateway(server.url, bob.token) as his:
        assert (await owner.patch(path, {"enabled": True})).ok(200) == screen
        assert "WELCOME_SCREEN_ENABLED" in (await his.next("GUILD_UPDATE"))["features"]
    assert (await bob.get(path)).ok() == screen
    (await owner.delete(f"/channels/{desk}")).ok(200)
    assert (await bob.get(path)).ok()["welcome_channels"] == channels[:1]
    (await owner.patch(path, {"description": None, "welcome_channels": None, "enabled": False})).ok(200)
    assert (await owner.get(path)).ok() == {"description": None, "welcome_channels": []}
    log = (await owner.get(f"/guilds/{guild.id}/audit-logs", action_type=1)).ok()["audit_log_entries"]
    keys = [[each["key"] for each in entry["changes"]] for entry in log]
    assert keys.count(["welcome_screen"]) == 2
