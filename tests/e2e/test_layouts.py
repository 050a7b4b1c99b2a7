"""Unmodified libraries post, edit and forward components: what their parsers read back is what their builders made."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bot import Bot, running, skip_unless_installed
from tests.e2e.conftest import Serve
from tests.support.world import World

# What the server adds, and what a library may leave out of what it sends.
ADDED = ("id", "proxy_url")
DEFAULTS = {"min_values": 1, "max_values": 1, "divider": True, "spacing": 1, "required": True}


def plain(node: Any) -> Any:
    if isinstance(node, list):
        return list(map(plain, node))
    if not isinstance(node, dict):
        return node
    kept = {name: plain(value) for name, value in node.items() if name not in ADDED}
    return {name: value for name, value in kept.items() if value not in (None, False, [], DEFAULTS.get(name, ...))}


@pytest.mark.trio
@pytest.mark.parametrize("library", ["discord.py layouts", "discord.js layouts"])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_bot_reads_back_what_it_has_built(library: str, serve: Serve, tmp_path: Path) -> None:
    skip_unless_installed(library)
    server = serve()
    async with World(server.url) as world:
        owner = await world.person()
        guild = await world.guild(owner)
        token = (await world.bot(owner, guild)).token
        async with running(library, token, f"127.0.0.1:{server.port}", tmp_path) as bot:
            await bot.until("ready")
            await owner.say(guild.general, "!buttons")
            sent, path = await posted(bot, guild.general)
            shown = (await owner.get(path)).ok(200)
            assert (shown["content"], plain(shown["components"])) == ("choose", plain(sent["sent"]))

            await owner.say(guild.general, "!layout")
            sent, path = await posted(bot, guild.general)
            edited = await bot.until("edited", id=sent["id"])
            assert plain(edited["tree"]) == plain(edited["sent"]) != plain(sent["sent"])
            fetched = await bot.until("fetched", v2=True)
            assert fetched["tree"] == edited["tree"]
            forwarded = await bot.until("forwarded", forward=True)
            assert forwarded["tree"] == edited["tree"]
            shown = (await owner.get(path)).ok(200)
            assert plain(shown["components"]) == plain(edited["sent"])
            assert shown["components"][-1] == {"type": 10, "id": 77, "content": "the end"}


async def posted(bot: Bot, channel_id: str) -> tuple[dict[str, Any], str]:
    """The answer and the event, in whichever order they come, have what was built."""
    sent = await bot.until("sent")
    [got] = [seen for seen in bot.all("got") if seen["id"] == sent["id"]] or [await bot.until("got", id=sent["id"])]
    assert plain(sent["tree"]) == plain(got["tree"]) == plain(sent["sent"])
    return sent, f"/channels/{channel_id}/messages/{sent['id']}"
