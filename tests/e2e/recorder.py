"""Bots of three shards that only record what they are told: one for each library and compression that there is.

Which compression a library asks for is configured from outside; its code stays as it is:

- discord.py asks for zstd-stream where zstandard is installed, for zlib-stream where it is not, and for none when its
  `DiscordWebSocket.from_client` is called with `compress=False`, which Client has no option for.
- discord.js asks for zlib-stream where zlib-sync is installed, for none where it is not. Version 14 has no zstd-stream.
"""

import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from tests.e2e.bot import HERE, NODE, NODE_MODULES, WITHOUT_ZSTANDARD, Library, has_discord_js, launched

SHARDS = 3
DEADLINE_S = 60.0

WITHOUT_COMPRESSION = """
import functools, runpy, sys
from discord.gateway import DiscordWebSocket
DiscordWebSocket.from_client = functools.partial(DiscordWebSocket.from_client, compress=False)
runpy.run_path(sys.argv[1])
"""
WITHOUT_ZLIB_SYNC = """
require.cache[require.resolve("zlib-sync")] = { exports: null, loaded: true };
require(process.argv[1]);
"""

PYTHON_SOURCE, JS_SOURCE = HERE / "discord_py_recorder.py", HERE / "js" / "recorder.js"

# (library, compression) -> how it is run
RECORDERS = {
    ("discord.py", "none"): Library(PYTHON_SOURCE, (sys.executable, "-c", WITHOUT_COMPRESSION)),
    ("discord.py", "zlib-stream"): Library(PYTHON_SOURCE, (sys.executable, "-c", WITHOUT_ZSTANDARD)),
    ("discord.py", "zstd-stream"): Library(PYTHON_SOURCE, (sys.executable,)),
    ("discord.js", "none"): Library(JS_SOURCE, (*NODE, "-e", WITHOUT_ZLIB_SYNC)),
    ("discord.js", "zlib-stream"): Library(JS_SOURCE, NODE),
}


def installed() -> list[tuple[str, str]]:
    """The recorders that can be run here. discord.js needs node; zlib-sync has to be compiled, and not all can."""
    has_zlib_sync = any((NODE_MODULES / "zlib-sync").glob("build/Release/*.node"))
    missing = set()
    if not has_discord_js():
        missing |= {("discord.js", "none"), ("discord.js", "zlib-stream")}
    if not has_zlib_sync:
        missing |= {("discord.js", "zlib-stream")}
    return [recorder for recorder in RECORDERS if recorder not in missing]


class Recorder:
    """A bot. `records` has everything that it has printed, each line as it comes."""

    def __init__(self, name: str, compression: str, log: Path) -> None:
        self.name = name
        self.compression = compression
        self.records: list[Mapping[str, Any]] = []
        self._ups = [0] * SHARDS  # how often each shard has come up, by READY or RESUMED
        self._told: set[str] = set()  # ids of messages
        self._log = log
        self._news = trio.lowlevel.ParkingLot()

    def ups(self) -> list[int]:
        return self._ups.copy()

    async def until_up_again(self, before: list[int]) -> None:
        """Every shard has come up since `before`, what `ups` said then."""
        await self.until(lambda: all(now > then for now, then in zip(self._ups, before, strict=True)), "every shard")

    def count(self, event: str) -> int:
        return sum(record["event"] == event for record in self.records)

    async def until_ready(self, guilds: int) -> None:
        await self.until(lambda: self.count("guild") == guilds, f"{guilds} guilds")

    async def until_told(self, ids: set[str]) -> None:
        """Or until it is plain that they do not come; the checker says which."""
        with trio.move_on_after(DEADLINE_S):
            while not ids <= self._told:
                await self._news.park()

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        with trio.move_on_after(DEADLINE_S):
            while not condition():
                await self._news.park()
            return
        seen = f"{self.name}, {self.compression}: no {what} in {DEADLINE_S} s; ups {self._ups}; {self.records[-9:]}"
        raise AssertionError(f"{seen}\n{self._log.read_text()[-9000:]}")

    async def read(self, stdout: trio.abc.ReceiveStream) -> None:
        unread = b""
        async for data in stdout:
            *lines, unread = (unread + data).split(b"\n")
            for record in map(json.loads, lines):
                self.records.append(record)
                if record["event"] in ("identified", "resumed"):
                    self._ups[record["shard"]] += 1
                if record["event"] == "message":
                    self._told.add(record["id"])
            self._news.unpark_all()


@asynccontextmanager
async def recording(recorder: tuple[str, str], token: str, port: int, directory: Path) -> AsyncIterator[Recorder]:
    """The bot, which knows of nothing but this port, for REST and gateway alike."""
    async with (
        launched(RECORDERS[recorder], token, f"127.0.0.1:{port}", directory) as (stdout, log),
        trio.open_nursery() as nursery,
    ):
        bot = Recorder(*recorder, log)
        nursery.start_soon(bot.read, stdout)
        yield bot
        nursery.cancel_scope.cancel()
