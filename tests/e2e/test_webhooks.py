"""discord.py's webhooks, unmodified: what its bot makes, and what is posted without a bot."""

from pathlib import Path
from typing import Any

import pytest
import trio

from tests.e2e.bot import Bot, running
from tests.e2e.conftest import Serve
from tests.e2e.permissions import BITS
from tests.support.world import Guild, User, World

LIBRARY = "discord.py webhooks"


@pytest.mark.trio
@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
async def test_webhooks(serve: Serve, tmp_path: Path) -> None:
    server = await trio.to_thread.run_sync(serve)
    address = f"127.0.0.1:{server.port}"
    async with World(server.url) as world:
        owner = await world.person("owner")
        guild = await world.guild(owner)
        await world.channel(owner, guild, "news", type=5)
        await world.channel(owner, guild, "ideas", type=15, available_tags=[{"name": "news"}])
        maker = await world.bot(owner, guild, name="Maker", permissions=sum(BITS))
        async with running(LIBRARY, maker.token, address, tmp_path) as bot:
            await bot.until("ready")
            await makes_and_lists(bot, owner, guild)
            await posts_without_a_bot(bot, owner, guild)
            assert (await told(bot, owner, guild, "forum"))["thread"] == ["Idea", ["news"], True]
            assert await told(bot, owner, guild, "manage") == {"names": ["Ticker", "Renamed"], "avatar": True}
            await publishes(bot, owner, guild)


async def told(bot: Bot, owner: User, guild: Guild, command: str) -> dict[str, Any]:
    await owner.say(guild.general, f"!{command}")
    result = await bot.until("done", command=f"!{command}")
    return {name: value for name, value in result.items() if name not in ("event", "command")}


async def makes_and_lists(bot: Bot, owner: User, guild: Guild) -> None:
    result = await told(bot, owner, guild, "make")
    assert (result["listed"], result["left"]) == (["Other", "Ticker"], ["Ticker"])
    assert (result["creator"], result["avatar"] > 0) == ("Maker", True)
    assert [event["channel"] for event in bot.all("webhooks")] == ["general"] * 3


async def posts_without_a_bot(bot: Bot, owner: User, guild: Guild) -> None:
    assert await told(bot, owner, guild, "post") == {
        "nothing": None,
        "author": "Masked",
        "embeds": ["News"],
        "mentions": 0,
        "edited": ["hello again", "hello again", 0],
        "left": False,
        "aside": ["in the thread", True],
    }
    assert [(event["by"], event["content"]) for event in bot.all("hooked")] == [
        ("Ticker", "unseen"),
        ("Masked", f"hello <@{owner.id}>"),
        ("Ticker", "in a thread"),
    ]


async def publishes(bot: Bot, owner: User, guild: Guild) -> None:
    assert await told(bot, owner, guild, "publish") == {
        "is_same": True,
        "type": "channel_follower",
        "source": "news",
        "copies": [["good news", "Reading room #news", True]],
        "flags": True,
    }
    copy = bot.all("hooked")[-1]
    assert (copy["content"], copy["is_copy"]) == ("good news", True)
    while [event["content"] for event in bot.all("edited")].count("better news") < 2:  # of the source, and of the copy
        await bot.until("edited", content="better news")
