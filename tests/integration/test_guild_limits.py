"""How much of everything a guild may have, and Discord's codes for more."""

from msgspec.structs import replace

from chatd.store import invites
from chatd.store.db import Tx
from chatd.store.invites import InviteRow
from tests.support.app import Server
from tests.support.client import Json
from tests.support.members import crowd
from tests.support.world import World

CATEGORY = 4


def channels(count: int, **fields: Json) -> list[Json]:
    return [{"name": f"c{number}", "type": 0, **fields} for number in range(count)]


async def test_channels(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice, channels=channels(500))
    path = f"/guilds/{guild.id}/channels"
    for type_ in (0, 2, CATEGORY):
        assert (await alice.post(path, {"name": "x", "type": type_})).error == (400, 30013)
    (await alice.delete(f"/channels/{guild.channels[1]['id']}")).ok(200)
    (await alice.post(path, {"name": "x"})).ok(201)


async def test_channels_of_a_category(world: World) -> None:
    alice = await world.person()
    places = [{"id": "1", "name": "full", "type": CATEGORY}, {"id": "2", "name": "other", "type": CATEGORY}]
    inside = channels(50, parent_id="1")
    guild = await world.guild(alice, channels=[*places, *inside, {"name": "out", "type": 0, "parent_id": "2"}])
    by_name = {channel["name"]: channel["id"] for channel in guild.channels}
    full, out, path = by_name["full"], by_name["out"], f"/guilds/{guild.id}/channels"
    limit = "CHANNEL_PARENT_MAX_CHANNELS"
    assert (await alice.post(path, {"name": "x", "parent_id": full})).errors == {"parent_id": limit}
    assert (await alice.patch(f"/channels/{out}", {"parent_id": full})).errors == {"parent_id": limit}
    assert (await alice.patch(path, [{"id": out, "parent_id": full}])).errors == {"0.parent_id": limit}
    (await alice.patch(f"/channels/{by_name['c7']}", {"parent_id": full})).ok(200)  # is there already
    (await alice.patch(path, [{"id": by_name["c7"], "position": 3, "parent_id": full}])).ok(204)
    (await alice.patch(f"/channels/{by_name['c7']}", {"parent_id": None})).ok(200)
    (await alice.patch(path, [{"id": out, "parent_id": full}])).ok(204)


async def test_roles(world: World) -> None:
    """A bot that brings one of its own does not fit either; one that brings none does."""
    alice = await world.person()
    guild = await world.guild(alice, roles=[{"id": str(number), "name": str(number)} for number in range(250)])
    assert (await alice.post(f"/guilds/{guild.id}/roles", {})).error == (400, 30005)
    bot = await world.bot(alice)
    assert (await world.authorize(alice, bot.id, guild, 1 << 10)).error == (400, 30005)
    (await world.authorize(alice, bot.id, guild, 0)).ok(200)


async def test_overwrites(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    crowd(server, guild, alice, 1001)
    path = f"/channels/{guild.general}"
    many = [{"id": str(number), "type": 1, "allow": "1024"} for number in range(999)]
    (await alice.patch(path, {"permission_overwrites": many})).ok(200)
    (await alice.put(f"{path}/permissions/{alice.id}", {"type": 1, "allow": "1024"})).ok(204)
    assert (await alice.put(f"{path}/permissions/{guild.id}", {"type": 0, "deny": "1"})).error == (400, 30060)
    (await alice.put(f"{path}/permissions/{alice.id}", {"type": 1, "deny": "1024"})).ok(204)


async def test_invites(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    row = InviteRow(
        code="",
        guild_id=int(guild.id),
        channel_id=int(guild.general),
        inviter_id=int(alice.id),
        created_ms=server.clock(),
        max_age_s=0,
        max_uses=0,
        uses=0,
        temporary=0,
    )

    def insert(tx: Tx) -> None:
        for number in range(1000):
            invites.insert(tx, replace(row, code=f"code{number}"))

    await server.core.db.write(insert)
    path = f"/channels/{guild.general}/invites"
    assert (await alice.post(path, {"unique": True})).error == (400, 30016)
    (await alice.delete("/invites/code0")).ok(200)
    (await alice.post(path, {"unique": True})).ok(200)


async def test_guilds(world: World) -> None:
    alice = await world.person()
    for number in range(100):
        (await alice.post("/guilds", {"name": f"guild {number}"})).ok(201)
    assert (await alice.post("/guilds", {"name": "one more"})).error == (400, 30001)
