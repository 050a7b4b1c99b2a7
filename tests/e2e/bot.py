"""A bot in a process of its own, run by an unmodified library, and what it sees."""

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any, NamedTuple

import pytest
import trio

HERE = Path(__file__).parent
NODE_MODULES = HERE / "js" / "node_modules"

DEADLINE_S = 30.0
RECEIVE_BYTES = 65_536

# What the recipes in README.md and the bots' sources point at.
RECIPE_ADDRESS = "127.0.0.1:8080"

# discord.py asks for zstd-stream where zstandard is installed, for zlib-stream where it is not.
WITHOUT_ZSTANDARD = "import runpy, sys; sys.modules['zstandard'] = None; runpy.run_path(sys.argv[1])"

NODE = ("node",)


class Library(NamedTuple):
    source: Path
    command: Sequence[str]  # the source's path follows


LIBRARIES = {
    "discord.py": Library(HERE / "discord_py_bot.py", (sys.executable,)),
    "discord.py with zlib": Library(HERE / "discord_py_bot.py", (sys.executable, "-c", WITHOUT_ZSTANDARD)),
    "discord.js": Library(HERE / "js" / "bot.js", NODE),
    "discord.py author": Library(HERE / "discord_py_author.py", (sys.executable,)),
    "discord.js author": Library(HERE / "js" / "author.js", NODE),
    "discord.py moderator": Library(HERE / "discord_py_moderator.py", (sys.executable,)),
    "discord.py webhooks": Library(HERE / "discord_py_webhooks.py", (sys.executable,)),
    "discord.js moderator": Library(HERE / "js" / "moderator.js", NODE),
    "discord.py layouts": Library(HERE / "discord_py_layouts.py", (sys.executable,)),
    "discord.js layouts": Library(HERE / "js" / "layouts.js", NODE),
}


class Bot:
    """`seen` holds every event that has been waited through, in the order in which the bot printed them."""

    def __init__(self, stdout: trio.abc.ReceiveStream, log: Path) -> None:
        self.seen: list[dict[str, Any]] = []
        self._stdout = stdout
        self._log = log
        self._unread = b""

    async def until(self, event: str, **fields: object) -> dict[str, Any]:
        """Read on to the next event with these fields."""
        wanted = {"event": event, **fields}
        start = len(self.seen)
        with trio.move_on_after(DEADLINE_S):
            while line := await self._line():
                self.seen.append(json.loads(line))
                if wanted.items() <= self.seen[-1].items():
                    return self.seen[-1]
        seen = f"the bot ended or saw nothing like {wanted} in {DEADLINE_S} s, but {self.seen[start:]}"
        raise AssertionError(f"{seen}\n{self._log.read_text()}")

    def all(self, event: str) -> list[dict[str, Any]]:
        return [seen for seen in self.seen if seen["event"] == event]

    async def _line(self) -> bytes:
        """The next line, empty when there is none."""
        while b"\n" not in self._unread:
            data = await self._stdout.receive_some(RECEIVE_BYTES)
            if not data:
                return b""
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line


def has_discord_js() -> bool:
    return shutil.which(*NODE) is not None and NODE_MODULES.is_dir()


def skip_unless_installed(name: str) -> None:
    if LIBRARIES[name].command == NODE and not has_discord_js():
        pytest.skip("discord.js needs node, and `npm ci --prefix tests/e2e/js`")


@asynccontextmanager
async def running(name: str, token: str, address: str, directory: Path) -> AsyncIterator[Bot]:
    async with launched(LIBRARIES[name], token, address, directory) as (stdout, log):
        yield Bot(stdout, log)


@asynccontextmanager
async def launched(
    library: Library, token: str, address: str, directory: Path
) -> AsyncIterator[tuple[trio.abc.ReceiveStream, Path]]:
    """The bot's stdout and log; it is killed in the end. Its source is copied to `directory` with `address` in it."""
    source = directory / library.source.name
    source.write_text(library.source.read_text().replace(RECIPE_ADDRESS, address))
    log = directory / "bot.log"
    with log.open("wb") as stderr:
        process = await trio.lowlevel.open_process(
            [*library.command, str(source)],
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=stderr,
            env={**os.environ, "BOT_TOKEN": token, "NODE_PATH": str(NODE_MODULES)},
        )
    assert process.stdout is not None
    async with process.stdout:
        try:
            yield process.stdout, log
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
