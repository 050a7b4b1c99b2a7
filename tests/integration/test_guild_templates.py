"""Templates over the wire: a copy of a guild, kept in step on request, and guilds made of it."""

from typing import Any

from tests.support.app import Server
from tests.support.client import Json
from tests.support.world import Guild, User, World

VIEW, SEND = 1 << 10, 1 << 11
UNKNOWN_TEMPLATE = (404, 10057)


async def furnished(world: World, owner: User) -> Guild:
    """A guild with one of everything that a template copies, and some that it does not."""
    guild = await world.guild(owner)
    path = f"/guilds/{guild.id}"
    role = (await owner.post(f"{path}/roles", {"name": "staff", "color": 255, "hoist": True})).ok(200)
    bot = await world.bot(owner, guild)
    [managed] = [each for each in (await owner.get(f"{path}/roles")).ok() if each["managed"]]
    overwrites = [
        {"id": guild.id, "type": 0, "deny": str(SEND)},
        {"id": role["id"], "type": 0, "allow": str(SEND)},
        {"id": managed["id"], "type": 0, "allow": str(SEND)},
        {"id": bot.id, "type": 1, "allow": str(SEND)},
    ]
    category = await world.channel(owner, guild, "Work", type=4)
    await world.channel(
        owner, guild, "news", type=5, topic="t", parent_id=category, permission_overwrites=overwrites, position=0
    )
    await world.channel(owner, guild, "talk", type=13, bitrate=8000, user_limit=5, parent_id=category)
    tags = [{"name": "bug", "moderated": True, "emoji_name": "🐛"}, {"name": "own", "emoji_id": "5", "emoji_name": "x"}]
    await world.channel(owner, guild, "posts", type=15, available_tags=tags, default_sort_order=1)
    settings = {"description": "About", "preferred_locale": "de", "afk_channel_id": guild.channels[3]["id"]}
    (await owner.patch(path, {**settings, "verification_level": 2, "afk_timeout": 60})).ok(200)
    return guild


async def channels(user: User, guild_id: str) -> dict[str, Any]:
    return {channel["name"]: channel for channel in (await user.get(f"/guilds/{guild_id}/channels")).ok()}


def numberless(copy: Json) -> list[Json]:
    numbers = ("id", "position", "parent_id")
    found = [{key: value for key, value in channel.items() if key not in numbers} for channel in copy["channels"]]
    return sorted(found, key=lambda channel: str(channel["name"]))


async def test_a_guild_made_of_a_template(world: World, owner: User) -> None:
    guild = await furnished(world, owner)
    made = (await owner.post(f"/guilds/{guild.id}/templates", {"name": "Offices", "description": "d"})).ok(200)
    bob = await world.person()
    assert (await bob.get(f"/guilds/templates/{made['code']}")).ok() == made
    copy = made["serialized_source_guild"]
    assert [role["name"] for role in copy["roles"]] == ["@everyone", "staff"]
    assert copy.items() >= {"afk_timeout": 60, "verification_level": 2, "preferred_locale": "de"}.items()

    new = (await bob.post(f"/guilds/templates/{made['code']}", {"name": "Bob's"})).ok(201)
    same = ("description", "preferred_locale", "afk_timeout", "verification_level", "system_channel_flags")
    old = (await owner.get(f"/guilds/{guild.id}")).ok()
    assert [new[name] for name in same] == [old[name] for name in same]
    assert (new["name"], new["owner_id"]) == ("Bob's", bob.id)
    by_name, before = await channels(bob, new["id"]), await channels(owner, guild.id)
    assert by_name.keys() == before.keys()
    assert new["afk_channel_id"] == by_name["General"]["id"]
    assert new["system_channel_id"] == by_name["general"]["id"]
    everyone, staff = new["roles"]
    assert staff.items() >= {"name": "staff", "color": 255, "hoist": True}.items()
    news = by_name["news"]
    assert news.items() >= {"type": 0, "topic": "t", "parent_id": by_name["Work"]["id"]}.items()
    assert news["permission_overwrites"] == [
        {"id": everyone["id"], "type": 0, "allow": "0", "deny": str(SEND)},
        {"id": staff["id"], "type": 0, "allow": str(SEND), "deny": "0"},
    ]
    assert by_name["talk"].items() >= {"type": 2, "bitrate": 8000, "user_limit": 5}.items()
    tags = [
        (tag["name"], tag["moderated"], tag["emoji_id"], tag["emoji_name"])
        for tag in by_name["posts"]["available_tags"]
    ]
    assert tags == [("bug", True, None, "🐛"), ("own", False, None, None)]
    assert by_name["posts"]["default_sort_order"] == 1
    assert (await bob.get(f"/guilds/templates/{made['code']}")).ok()["usage_count"] == 1
    # A copy of the copy is the same, but for the numbers of the channels.
    again = (await bob.post(f"/guilds/{new['id']}/templates", {"name": "Again"})).ok(200)["serialized_source_guild"]
    assert again["roles"] == copy["roles"]
    assert numberless(again) == numberless(copy)


async def test_a_template_is_kept_in_step_on_request(server: Server, world: World, owner: User, guild: Guild) -> None:
    path = f"/guilds/{guild.id}/templates"
    assert (await owner.get(path)).ok() == []
    made = (await owner.post(path, {"name": "Rooms"})).ok(200)
    assert (made["is_dirty"], made["creator_id"], made["source_guild_id"]) == (None, owner.id, guild.id)
    assert (await owner.post(path, {"name": "Rooms"})).error == (400, 30031)
    await world.channel(owner, guild)
    server.clock.advance(60)
    [dirty] = (await owner.get(path)).ok()
    assert dirty == {**made, "is_dirty": True}
    synced = (await owner.put(f"{path}/{made['code']}")).ok(200)
    assert (synced["is_dirty"], synced["created_at"]) == (None, made["created_at"])
    assert synced["updated_at"] > made["updated_at"]
    assert len(synced["serialized_source_guild"]["channels"]) == len(guild.channels) + 1
    edited = (await owner.patch(f"{path}/{made['code']}", {"name": "New", "description": "d"})).ok(200)
    assert edited == {**synced, "name": "New", "description": "d"}
    assert [*(await owner.patch(f"{path}/{made['code']}", {"name": ""})).errors] == ["name"]
    other = await world.guild(owner)
    assert (await owner.put(f"/guilds/{other.id}/templates/{made['code']}")).error == UNKNOWN_TEMPLATE
    assert (await owner.delete(f"{path}/{made['code']}")).ok(200) == edited
    assert (await owner.get(path)).ok() == []


async def test_a_new_guilds_channels_have_overwrites(world: World, owner: User) -> None:
    roles: Json = [{"id": 0, "name": "everyone"}, {"id": "7", "name": "staff"}]
    overwrites = [{"id": 7, "type": 0, "allow": str(VIEW)}, {"id": 0, "type": 0, "deny": str(VIEW | 1 << 62)}]
    room: Json = {"name": "room", "permission_overwrites": overwrites}
    guild = await world.guild(owner, roles=roles, channels=[room])
    staff = guild.guild["roles"][1]["id"]
    assert guild.channels[0]["permission_overwrites"] == [
        {"id": guild.id, "type": 0, "allow": "0", "deny": str(VIEW)},
        {"id": staff, "type": 0, "allow": str(VIEW), "deny": "0"},
    ]
    for wrong in ({"id": 8, "type": 0}, {"id": owner.id, "type": 1}):
        payload = {"name": "x y", "roles": roles, "channels": [{**room, "permission_overwrites": [wrong]}]}
        answer = await owner.post("/guilds", payload)
        assert [*answer.errors] == ["channels.0.permission_overwrites.0.id"]


async def test_a_new_guilds_forms_are_bounded(world: World, owner: User) -> None:
    category: Json = {"id": 1, "type": 4, "name": "c"}

    async def errors(*channels: Json) -> list[str]:
        return [*(await owner.post("/guilds", {"name": "Guild", "channels": [*channels]})).errors]

    inside: Json = [{"name": f"n{number}", "parent_id": 1} for number in range(51)]
    assert await errors(category, *inside) == ["channels.51.parent_id"]
    await world.guild(owner, channels=[category, *inside[:50]])
    assert await errors({"name": "x", "topic": "t" * 1025}) == ["channels.0.topic"]
    assert await errors(category, {"name": "x", "type": 2, "user_limit": 100}) == ["channels.1.user_limit"]
    assert await errors({"name": "x", "type": 3}) == ["channels.0.type"]
