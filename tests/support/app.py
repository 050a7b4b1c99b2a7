"""The real server, `app.run`, on a free port, in the test's own event loop: it starts and stops in some 30 ms."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import trio

from chatd import app
from chatd.config import load
from chatd.service.core import Core
from chatd.web.fetch import Web, public_web
from tests.support.core import CHEAP_HASHES, Clock
from tests.support.databases import empty

START_S = 15.0

# variant -> what answers
VARIANTS = {
    "sqlite-edge": ("sqlite", "edge"),
    "postgres-edge": ("postgres", "edge"),
    "sqlite-hypercorn": ("sqlite", "hypercorn"),
}

# Tests ask more often than people; those that are about limits switch them on. The drain waits for nobody who is gone.
OPTIONS = {
    "server.port": 0,
    "server.drain_s": 1.0,
    "limits.rate_limits": False,
    "log.level": "warning",
    **{f"accounts.{key}": value for key, value in CHEAP_HASHES.items()},
}


class Server(NamedTuple):
    """A server that accepts connections. Its clock stands still until the test moves it."""

    running: app.Running
    clock: Clock
    variant: str
    directory: Path

    @property
    def url(self) -> str:
        return self.running.url

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    @property
    def core(self) -> Core:
        """Only for tests in the server's own event loop."""
        return self.running.core

    @property
    def database_url(self) -> str:
        return self.core.config.database.url or f"sqlite://{self.directory / 'chatd.sqlite'}"


@asynccontextmanager
async def serve(
    variant: str = "sqlite-edge",
    clock: Clock | None = None,
    *,
    web: Callable[[], Web] = public_web,
    **options: Any,
) -> AsyncIterator[Server]:
    """`options` are the configuration's, by path: `serve("postgres-edge", **{"limits.rate_limits": True})`.

    On leaving the block the server is stopped as by SIGTERM, and has ended.
    """
    database, http = VARIANTS[variant]
    clock = clock or Clock()
    with empty(database) as (directory, url):
        settings = {"data.dir": str(directory), "database.url": url, "server.http": http, **OPTIONS, **options}
        async with trio.open_nursery() as nursery:
            with trio.fail_after(START_S):
                running = await nursery.start(partial(app.run, load(None, {}, settings), clock_ms=clock, web=web))
            yield Server(running, clock, variant, directory)
            running.stop()
