"""Unmodified libraries against `chatd serve`: a bot works, and it loses nothing when its connection is cut.

The bot reaches the server through a proxy only, REST and gateway alike; the person posts to the server itself.
"""

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trio

from tests.e2e import readme
from tests.e2e.bot import LIBRARIES, Bot, running, skip_unless_installed
from tests.e2e.conftest import Serve
from tests.e2e.proxy import Cut, Proxy
from tests.e2e.world import BOT, CHANNEL, GUILD, PERSON, World, add_bot, world
from tests.support.http import Response

# library, database, front end
RUNS = [
    ("discord.py", "sqlite", "edge"),
    ("discord.py with zlib", "sqlite", "edge"),
    ("discord.py", "postgres", "edge"),
    ("discord.py", "sqlite", "hypercorn"),
    ("discord.js", "sqlite", "edge"),
    ("discord.js", "postgres", "edge"),
    ("discord.js", "sqlite", "hypercorn"),
]

CUTS = (Cut.RESET, Cut.VANISH, Cut.TORN)

# How many messages the bot misses in a cut, at least, and the pause between two.
MISSED = 5
PACE_S = 0.005


@pytest.mark.parametrize("library", ["discord.py", "discord.js"])
def test_the_bot_uses_the_recipe_of_the_readme(library: str) -> None:
    assert readme.block(library) in LIBRARIES[library].source.read_text()


@pytest.mark.trio
@pytest.mark.parametrize(("library", "database", "front_end"), RUNS, indirect=["database"])
async def test_a_bot_works_and_loses_nothing(library: str, front_end: str, serve: Serve, tmp_path: Path) -> None:
    skip_unless_installed(library)
    proxy = Proxy()
    address = f"127.0.0.1:{proxy.port}"
    server = serve("--http", front_end, environ={"CHATD__SERVER__PUBLIC_URL": f"http://{address}"})
    with world(server.url) as where:
        token = add_bot(where)
        channel = Channel(where)
        async with trio.open_nursery() as nursery, running(library, token, address, tmp_path) as bot:
            nursery.start_soon(proxy.serve, server.port)
            session = await sees_its_guild(bot)
            await answers_edits_and_deletes(bot, channel)
            await resumes(bot, channel, proxy, session)
            await answers_edits_and_deletes(bot, channel)
            await reacts_pins_and_purges(bot, channel)
            assert len(bot.all("identified")) == len(bot.all("ready")) == 1
            nursery.cancel_scope.cancel()


class Channel:
    """The channel as the person has it over REST, without holding up the test's other tasks."""

    def __init__(self, where: World) -> None:
        self._person = where.person
        self._path = f"/channels/{where.channel_id}/messages"

    async def say(self, content: str) -> None:
        (await self._request("POST", self._path, {"content": content})).ok()

    async def newest(self) -> dict[str, Any]:
        response = await self._request("GET", f"{self._path}?limit=1")
        [message] = response.ok()
        return dict(message)

    async def get(self, message_id: str) -> Response:
        return await self._request("GET", f"{self._path}/{message_id}")

    async def react(self, method: str, message_id: str, emoji: str) -> None:
        (await self._request(method, f"{self._path}/{message_id}/reactions/{quote(emoji)}/@me")).ok()

    async def _request(self, *arguments: Any) -> Response:
        return await trio.to_thread.run_sync(partial(self._person.request, *arguments))


class Numbers:
    """Somebody who posts one numbered message after the other until told to stop."""

    def __init__(self, channel: Channel) -> None:
        self.posted = 0
        self.stop = False
        self._channel = channel
        self._one_more = trio.Event()

    async def post(self) -> None:
        while not self.stop:
            await self._channel.say(f"number {self.posted}")
            self.posted += 1
            self._one_more.set()
            self._one_more = trio.Event()
            await trio.sleep(PACE_S)

    async def until_posted(self, count: int) -> None:
        while self.posted < count:
            await self._one_more.wait()


async def sees_its_guild(bot: Bot) -> str:
    """It is there with all that belongs to it. Returns the gateway's session id."""
    ready = await bot.until("ready")
    assert ready["user"] == BOT
    [guild] = ready["guilds"]
    assert guild["name"] == GUILD
    assert CHANNEL in guild["channels"]
    assert "@everyone" in guild["roles"]
    assert BOT in guild["members"]
    assert guild["me"] == BOT
    return str(ready["session"])


async def answers_edits_and_deletes(bot: Bot, channel: Channel) -> None:
    await channel.say("!ping")
    await bot.until("message", content="!ping", author=PERSON)
    await bot.until("message", content="pong", author=BOT)
    pong = await channel.newest()
    assert (pong["content"], pong["author"]["username"], pong["edited_timestamp"]) == ("pong", BOT, None)

    await channel.say("!edit")
    await bot.until("edited", before="pong", after="pong, edited")
    edited = (await channel.get(pong["id"])).ok()
    assert edited["content"] == "pong, edited"
    assert edited["edited_timestamp"] is not None

    await channel.say("!delete")
    await bot.until("deleted", content="pong, edited")
    deleted = await channel.get(pong["id"])
    assert (deleted.status, deleted.body["code"]) == (404, 10008)


async def reacts_pins_and_purges(bot: Bot, channel: Channel) -> None:
    await channel.say("!ping")
    await bot.until("message", content="pong", author=BOT)
    pong = await channel.newest()
    await channel.say("!react")
    await bot.until("reacted", emoji="👍", by=BOT, count=1)
    await channel.react("PUT", pong["id"], "👍")
    await bot.until("reacted", emoji="👍", by=PERSON, count=2)
    [reaction] = (await channel.get(pong["id"])).ok()["reactions"]
    assert (reaction["count"], reaction["me"]) == (2, True)
    await channel.react("DELETE", pong["id"], "👍")
    await bot.until("unreacted", emoji="👍", by=PERSON, count=1)

    await channel.say("!pin")
    await bot.until("pinned", contents=["pong"])
    await channel.say("!purge")
    await bot.until("purged", contents=["!purge", "pong"])
    assert [seen["any"] for seen in bot.all("pins")] == [True]
    deleted = await channel.get(pong["id"])
    assert (deleted.status, deleted.body["code"]) == (404, 10008)


async def resumes(bot: Bot, channel: Channel, proxy: Proxy, session: str) -> None:
    """While numbers are posted, cut its connection in every way: it goes on with its session and sees each once."""
    numbers = Numbers(channel)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(numbers.post)
        for how in CUTS:
            await numbers.until_posted(numbers.posted + 1)
            proxy.cut(how)
            await numbers.until_posted(numbers.posted + MISSED)
            proxy.mend()
            resumed = await bot.until("resumed")
            assert resumed["session"] == session
        numbers.stop = True
    await channel.say("the end")
    await bot.until("message", content="the end")
    seen = [message["content"] for message in bot.all("message") if message["content"].startswith("number ")]
    assert seen == [f"number {number}" for number in range(numbers.posted)]
