"""Emojis over the wire: who may make, change and delete which, how many there may be, and who hears of it."""

from functools import partial

import pytest
import trio

from chatd.model.limits import APPLICATION_EMOJIS
from chatd.model.objects.emoji import Emoji
from chatd.model.wire import Snowflake
from chatd.store import emojis, guilds
from chatd.store.db import Tx
from tests.support.app import Server
from tests.support.client import ALL_INTENTS, Answer, Json, gateway
from tests.support.pictures import data_uri, look, moving, noise, still
from tests.support.world import Guild, User, World

MANAGE, GUILD_EXPRESSIONS = 1 << 30, 1 << 3
NO_PERMISSION, UNKNOWN_EMOJI, UNKNOWN_ROLE = (403, 50013), (404, 10014), (404, 10011)
TOO_MANY, TOO_MANY_ANIMATED = (400, 30008), (400, 30018)
STILL, MOVING = data_uri(still()), data_uri(moving(), "image/gif")


async def post(user: User, guild: Guild, **fields: Json) -> Answer:
    return await user.post(f"/guilds/{guild.id}/emojis", {"name": "smile", "image": STILL, **fields})


async def everyone_may(owner: User, guild: Guild, permissions: int) -> None:
    (await owner.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": str(permissions)})).ok(200)


def bare(emoji: Json) -> Json:
    """As everybody sees it."""
    return {name: value for name, value in emoji.items() if name != "user"}


async def test_create_edit_delete(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/guilds/{guild.id}/emojis"
    async with (
        gateway(server.url, bob.token) as his,
        gateway(server.url, alice.token, intents=ALL_INTENTS & ~GUILD_EXPRESSIONS) as hers,
    ):
        made = (await post(bob, guild)).ok(201)
        assert (made["name"], made["roles"], made["user"]["id"]) == ("smile", [], bob.id)
        flags = ("require_colons", "managed", "animated", "available")
        assert [made[flag] for flag in flags] == [True, False, False, True]
        assert await his.next("GUILD_EMOJIS_UPDATE") == {"guild_id": guild.id, "emojis": [bare(made)]}
        moves = (await post(alice, guild, name="wave_2", image=MOVING, roles=[guild.id, guild.id])).ok(201)
        assert (moves["animated"], moves["roles"]) == (True, [guild.id])
        assert (await his.next("GUILD_EMOJIS_UPDATE"))["emojis"] == [bare(made), bare(moves)]
        # what is not given stays
        assert (await alice.patch(f"{path}/{moves['id']}", {"roles": None})).ok(200) == {**moves, "roles": []}
        made = {**made, "name": "grin"}
        assert (await bob.patch(f"{path}/{made['id']}", {"name": "grin"})).ok(200) == made
        await his.next("GUILD_EMOJIS_UPDATE")
        everything = [bare(made), {**bare(moves), "roles": []}]
        assert (await his.next("GUILD_EMOJIS_UPDATE"))["emojis"] == everything
        assert (await alice.get(path)).ok(200) == [made, {**moves, "roles": []}]
        assert (await alice.get(f"{path}/{made['id']}")).ok(200) == made
        assert (await bob.get(f"/guilds/{guild.id}")).ok(200)["emojis"] == everything
        (await alice.delete(f"{path}/{made['id']}")).ok(204)
        assert (await his.next("GUILD_EMOJIS_UPDATE"))["emojis"] == everything[1:]
        await alice.say(guild.general)
        await hers.next("MESSAGE_CREATE")
        assert hers.named("GUILD_EMOJIS_UPDATE") == []  # without the intent
    assert (await alice.get(f"{path}/{made['id']}")).error == UNKNOWN_EMOJI
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", target_id=made["id"])).ok()["audit_log_entries"]
    assert [(entry["action_type"], entry["user_id"]) for entry in log] == [(62, alice.id), (61, bob.id), (60, bob.id)]
    assert log[1]["changes"] == [{"key": "name", "old_value": "smile", "new_value": "grin"}]


async def test_a_loaded_guild_has_its_emojis(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    for fields in ({}, {"image": MOVING, "roles": [guild.id]}):
        (await post(alice, guild, **fields)).ok(201)
    loaded = await server.core.db.read(guilds.load, int(guild.id))
    assert loaded is not None
    assert len(loaded.emojis) == 2
    assert loaded.emojis == server.core.live.guilds[int(guild.id)].emojis


async def test_a_snapshot_has_them(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    made = bare((await post(alice, guild)).ok(201))
    bot = await world.bot(alice, guild)
    async with gateway(server.url, alice.token) as hers:
        assert hers.ready["guilds"][0]["emojis"] == [made]
    async with gateway(server.url, bot.token) as its:
        assert its.named("GUILD_CREATE")[0]["emojis"] == [made]


async def test_the_image(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    for data, extension in ((still("png"), "png"), (moving("gif"), "gif")):
        emoji = (await post(alice, guild, image=data_uri(data))).ok(201)
        path = f"//emojis/{emoji['id']}"
        assert (await world.anybody.get(f"{path}.{extension}")).content == data
        assert look((await world.anybody.get(f"{path}.webp", size=16)).content).format == "webp"


async def test_who_may(world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob, carol)
    path = f"/guilds/{guild.id}/emojis"
    emoji = (await post(bob, guild)).ok(201)
    one = f"{path}/{emoji['id']}"
    # with CREATE: what is one's own; the list tells who made them, one of another's does not
    assert (await carol.patch(one, {"name": "mine"})).error == NO_PERMISSION
    assert (await carol.delete(one)).error == NO_PERMISSION
    assert (await carol.get(path)).ok(200) == [emoji]
    assert (await carol.get(one)).ok(200) == bare(emoji)
    assert (await bob.get(one)).ok(200) == emoji
    # with neither
    await everyone_may(alice, guild, 0)
    assert (await post(bob, guild)).error == NO_PERMISSION
    assert (await bob.patch(one, {"name": "mine"})).error == NO_PERMISSION
    assert (await bob.delete(one)).error == NO_PERMISSION
    assert (await bob.get(path)).ok(200) == [bare(emoji)]
    assert (await bob.get(one)).ok(200) == bare(emoji)
    # with MANAGE: all that there are, but no new ones
    await everyone_may(alice, guild, MANAGE)
    assert (await post(carol, guild)).error == NO_PERMISSION
    assert (await carol.get(one)).ok(200) == emoji
    assert (await carol.patch(one, {"name": "ours"})).ok(200) == {**emoji, "name": "ours"}
    (await carol.delete(one)).ok(204)


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": "x"}, {"name": "BASE_TYPE_BAD_LENGTH"}),
        ({"name": "x" * 33}, {"name": "BASE_TYPE_BAD_LENGTH"}),
        ({"name": "two words"}, {"name": "STRING_TYPE_REGEX"}),
        ({"name": "größe"}, {"name": "STRING_TYPE_REGEX"}),
        ({"name": "line\n"}, {"name": "STRING_TYPE_REGEX"}),
        ({"name": None, "image": None}, {"name": "BASE_TYPE_REQUIRED", "image": "BASE_TYPE_REQUIRED"}),
        ({"image": "https://chat.test/i.png"}, {"image": "IMAGE_INVALID"}),
        ({"image": data_uri(b"GIF89a")}, {"image": "IMAGE_INVALID"}),
        ({"image": data_uri(noise(300, 300))}, {"image": "BINARY_TYPE_MAX_SIZE"}),
        ({"roles": ["x"]}, {"roles.0": "NUMBER_TYPE_COERCE"}),
    ],
)
async def test_bad_forms(sqlite_server: Server, fields: Json, errors: dict[str, str]) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        guild = await world.guild(alice)
        assert (await post(alice, guild, **fields)).errors == errors
        assert (await alice.get(f"/guilds/{guild.id}/emojis")).ok(200) == []


async def test_unknown_roles(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    assert (await post(alice, guild, roles=["1"])).error == UNKNOWN_ROLE
    emoji = (await post(alice, guild)).ok(201)
    path = f"/guilds/{guild.id}/emojis/{emoji['id']}"
    assert (await alice.patch(path, {"name": "other", "roles": ["1"]})).error == UNKNOWN_ROLE
    assert (await alice.get(path)).ok(200) == emoji


async def test_limits_count_still_and_moving_ones_apart(world: World) -> None:
    """Of two at once for the last place one gets it."""
    alice = await world.person()
    guild = await world.guild(alice)
    for _ in range(49):
        (await post(alice, guild)).ok(201)
    answers: list[Answer] = []

    async def attempt() -> None:
        answers.append(await post(alice, guild))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(attempt)
        nursery.start_soon(attempt)
    assert sorted(answer.status for answer in answers) == [201, 400]
    assert (await post(alice, guild)).error == TOO_MANY
    for _ in range(50):
        (await post(alice, guild, image=MOVING)).ok(201)
    assert (await post(alice, guild, image=MOVING)).error == TOO_MANY_ANIMATED
    assert len((await alice.get(f"/guilds/{guild.id}/emojis")).ok(200)) == 100


# --- of applications -------------------------------------------------------------------------------------------------


async def test_emojis_of_an_application(world: World) -> None:
    alice = await world.person()
    bot = await world.bot(alice)
    path = f"/applications/{bot.id}/emojis"
    assert (await bot.get(path)).ok(200) == {"items": []}
    its = (await bot.post(path, {"name": "smile", "image": STILL})).ok(201)
    hers = (await alice.post(path, {"name": "wave", "image": MOVING})).ok(201)
    assert [(each["user"]["id"], each["animated"]) for each in (its, hers)] == [(bot.id, False), (alice.id, True)]
    assert (await world.anybody.get(f"//emojis/{hers['id']}.gif")).content == moving()
    its = {**its, "name": "grin"}
    assert (await alice.patch(f"{path}/{its['id']}", {"name": "grin"})).ok(200) == its
    assert (await alice.patch(f"{path}/{its['id']}", {})).ok(200) == its
    assert (await bot.get(f"{path}/{its['id']}")).ok(200) == its
    assert (await bot.get(path)).ok(200) == {"items": [its, hers]}
    (await bot.delete(f"{path}/{its['id']}")).ok(204)
    assert (await bot.get(path)).ok(200) == {"items": [hers]}
    assert (await bot.delete(f"{path}/{its['id']}")).error == UNKNOWN_EMOJI
    assert (await bot.patch(f"{path}/{hers['id']}", {"name": "x"})).errors == {"name": "BASE_TYPE_BAD_LENGTH"}


async def test_an_emoji_belongs_to_one_place(world: World) -> None:
    alice = await world.person()
    guild, bot, other = await world.guild(alice), await world.bot(alice), await world.bot(alice)
    of_guild = (await post(alice, guild)).ok(201)["id"]
    of_bot = (await bot.post(f"/applications/{bot.id}/emojis", {"name": "smile", "image": STILL})).ok(201)["id"]
    for path in (
        f"/applications/{bot.id}/emojis/{of_guild}",
        f"/applications/{other.id}/emojis/{of_bot}",
        f"/guilds/{guild.id}/emojis/{of_bot}",
    ):
        for method in ("GET", "PATCH", "DELETE"):
            assert (await alice.request(method, path)).error == UNKNOWN_EMOJI, (method, path)


async def test_limit_of_an_application(server: Server, world: World) -> None:
    alice = await world.person()
    bot = await world.bot(alice)
    await server.core.db.write(partial(_fill, application_id=int(bot.id)), then=lambda _: None)
    path = f"/applications/{bot.id}/emojis"
    (await bot.post(path, {"name": "last", "image": STILL})).ok(201)
    assert (await bot.post(path, {"name": "one_more", "image": MOVING})).error == TOO_MANY
    assert len((await bot.get(path)).ok(200)["items"]) == APPLICATION_EMOJIS


def _fill(tx: Tx, application_id: int) -> None:
    """All but one."""
    for id_ in range(1, APPLICATION_EMOJIS):
        emojis.insert(tx, Emoji(id=Snowflake(id_), name="smile"), application_id, application_id=application_id)
