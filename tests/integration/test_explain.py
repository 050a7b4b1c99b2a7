"""Why a member has or lacks a permission, over the wire."""

from tests.support.world import World

VIEW, SEND = 1 << 10, 1 << 11


async def test_the_steps_of_a_denial(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/guilds/{guild.id}/members/@me/permissions/explain"
    (await alice.put(f"/channels/{guild.general}/permissions/{guild.id}", {"type": 0, "deny": str(SEND)})).ok(204)
    told = (await bob.get(path, permission="SEND_MESSAGES", channel_id=guild.general)).ok(200)
    assert (told["permission"], told["granted"]) == ("SEND_MESSAGES", False)
    assert told["steps"] == [
        {"rule": "everyone", "granted": True, "detail": "@everyone grants it.", "source_id": guild.id},
        {
            "rule": "everyone_overwrite",
            "granted": False,
            "detail": "The channel's overwrite of @everyone denies it.",
            "source_id": guild.id,
        },
    ]
    told = (await bob.get(path, permission="EMBED_LINKS", channel_id=guild.general)).ok(200)
    assert told["steps"][-1]["detail"] == "Without SEND_MESSAGES it means nothing."
    assert (await bob.get(path, permission=str(SEND))).ok(200)["granted"] is True
    assert (await alice.get(path, permission="KICK_MEMBERS")).ok(200)["steps"][0]["rule"] == "owner"


async def test_a_hidden_channel_is_explained_as_well(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    (await alice.put(f"/channels/{guild.general}/permissions/{bob.id}", {"type": 1, "deny": str(VIEW)})).ok(204)
    path = f"/guilds/{guild.id}/members/@me/permissions/explain"
    told = (await bob.get(path, permission="VIEW_CHANNEL", channel_id=guild.general)).ok(200)
    assert [step["rule"] for step in told["steps"]] == ["everyone", "member_overwrite"]
    assert told["granted"] is False
    assert (await bob.get(path, permission="FLY")).errors == {"permission": "BASE_TYPE_CHOICES"}
    assert (await bob.get(path, permission="3")).errors == {"permission": "BASE_TYPE_CHOICES"}
    assert (await bob.get(path, permission=SEND, channel_id="1")).errors == {"channel_id": "INVALID_CHANNEL"}
    assert (await bob.get(path)).errors == {"permission": "BASE_TYPE_REQUIRED"}
