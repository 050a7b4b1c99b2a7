"""Stickers in messages over the wire: of the guild itself, of others, and what there is not."""

import pytest

from tests.support.app import Server
from tests.support.client import Answer, gateway
from tests.support.pictures import moving, still
from tests.support.world import BOT_PERMISSIONS, Guild, User, World

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)

USE_EXTERNAL_STICKERS = 1 << 37
INVALID, NOT_ALLOWED, EMPTY = (400, 50081), (403, 50600), (400, 50006)
CANNOT_EDIT = (400, 50080)


async def sticker(user: User, guild: Guild, name: str = "wave", file: bytes | None = None) -> str:
    form = {"name": name, "description": "waves", "tags": "👋"}
    made = (await user.upload(f"/guilds/{guild.id}/stickers", form, {"file": file or still()})).ok(201)
    id_: str = made["id"]
    return id_


async def stick(user: User, channel_id: str, *sticker_ids: str, **fields: object) -> Answer:
    return await user.post(f"/channels/{channel_id}/messages", {"sticker_ids": list(sticker_ids), **fields})


async def test_stickers_of_the_guild(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    wave, jump = await sticker(alice, guild), await sticker(alice, guild, "jump", moving("gif"))
    items = [{"id": wave, "name": "wave", "format_type": 1}, {"id": jump, "name": "jump", "format_type": 4}]
    async with gateway(server.url, alice.token, intents=None) as it:
        sent = (await stick(bob, guild.general, wave, jump, wave)).ok(200)
        assert (sent["content"], sent["sticker_items"]) == ("", items)
        assert (await it.next("MESSAGE_CREATE"))["sticker_items"] == items
    with_words = (await stick(bob, guild.general, jump, content="hop")).ok(200)
    assert (with_words["content"], with_words["sticker_items"]) == ("hop", items[1:])
    forwarded = {"type": 1, "channel_id": guild.general, "message_id": sent["id"]}
    again = (await bob.post(f"/channels/{guild.general}/messages", {"message_reference": forwarded})).ok(200)
    assert again["message_snapshots"][0]["message"]["sticker_items"] == items
    # A message keeps its stickers when the guild does not.
    (await alice.delete(f"/guilds/{guild.id}/stickers/{wave}")).ok(204)
    assert (await alice.get(f"/channels/{guild.general}/messages/{sent['id']}")).ok(200) == sent
    assert (await stick(bob, guild.general, wave)).error == INVALID


@sqlite_only
async def test_stickers_of_elsewhere(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild, club = await world.guild(alice, bob), await world.guild(alice)
    wave = await sticker(alice, club)
    assert (await stick(alice, guild.general, wave)).status == 200
    assert (await stick(bob, guild.general, wave)).error == NOT_ALLOWED  # no member of the club
    await world.join(alice, club, bob)
    assert (await stick(bob, guild.general, wave)).status == 200
    assert (await stick(bob, await bob.dm(alice), wave)).status == 200
    everyone = f"/guilds/{guild.id}/roles/{guild.id}"
    permissions = int(guild.guild["roles"][0]["permissions"])
    (await alice.patch(everyone, {"permissions": str(permissions & ~USE_EXTERNAL_STICKERS)})).ok(200)
    assert (await stick(bob, guild.general, wave)).error == NOT_ALLOWED
    assert (await stick(bob, club.general, wave)).status == 200


@sqlite_only
async def test_what_is_refused(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    ids = [await sticker(alice, guild, f"wave {number}") for number in range(4)]
    assert (await stick(alice, guild.general, "5")).error == INVALID
    assert (await stick(alice, guild.general, *ids)).errors == {"sticker_ids": "BASE_TYPE_MAX_LENGTH"}
    assert (await stick(alice, guild.general, "wave")).errors == {"sticker_ids.0": "NUMBER_TYPE_COERCE"}
    assert (await stick(alice, guild.general)).error == EMPTY
    forwarded = {"type": 1, "channel_id": guild.general, "message_id": (await alice.say(guild.general))["id"]}
    assert (await stick(alice, guild.general, ids[0], message_reference=forwarded)).error == (400, 160011)


@sqlite_only
async def test_edits(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild, permissions=BOT_PERMISSIONS)
    wave, jump = await sticker(alice, guild), await sticker(alice, guild, "jump")
    sent = (await stick(bot, guild.general, wave, content="hello")).ok(200)
    path = f"/channels/{guild.general}/messages/{sent['id']}"
    for ids in ([jump], [], None):
        assert (await bot.patch(path, {"sticker_ids": ids})).error == CANNOT_EDIT
    edited = (await bot.patch(path, {"content": "", "sticker_ids": [wave]})).ok(200)
    assert (edited["content"], edited["sticker_items"]) == ("", sent["sticker_items"])
    # Only for components they go.
    layout = {"components": [{"type": 10, "content": "words"}], "flags": 1 << 15}
    field = {"sticker_ids": "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"}
    assert (await bot.patch(path, layout)).errors == field
    assert "sticker_items" not in (await bot.patch(path, {**layout, "sticker_ids": []})).ok(200)
    refused = await stick(bot, guild.general, wave, components=layout["components"], flags=1 << 15)
    assert refused.errors == field
