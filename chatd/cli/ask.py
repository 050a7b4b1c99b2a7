"""Carrying out an operator's command, by the server that runs on the data or, without one, by this process."""

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import trio

from chatd import app, control, log
from chatd.cli import admin, lock
from chatd.cli.options import Failure, load_config
from chatd.config import Config
from chatd.model.wire import encode
from chatd.store.db import StoreFailed
from chatd.store.migrate import MigrationError

# How long a server may take to start or to end, and other commands to be done.
PATIENCE_S = 10.0
PAUSE_S = 0.05

# The only command for which there may be no data yet.
FIRST = "user create"
# About what is in a server's memory alone.
LIVE = frozenset(("sessions list", "sessions disconnect"))


def ask(options: Namespace, command: str, **arguments: object) -> dict[str, Any]:
    """The answer. Raises Failure, ConfigError."""
    config = load_config(options)
    data = Path(config.data.dir)
    if command != FIRST and not data.is_dir():
        raise Failure(f"there is no data in {data}; --data names the server's directory")
    request = encode({"command": command, "arguments": arguments})
    try:
        answer = msgspec.json.decode(_send(config, data, request, needs_server=command in LIVE))
    except (OSError, StoreFailed, MigrationError) as error:
        raise Failure(f"{data}: {error}") from error
    if "error" in answer:
        raise Failure(answer["error"])
    done: dict[str, Any] = answer["ok"]
    return done


def pages(options: Namespace, command: str, key: str, **arguments: object) -> Iterator[dict[str, Any]]:
    """All rows of a command that answers with a page of them under `key`."""
    after: dict[str, str] = {}
    while rows := ask(options, command, **arguments, **after)[key]:
        yield from rows
        after = {"after": rows[-1]["id"]}


def _send(config: Config, data: Path, request: bytes, needs_server: bool) -> bytes:
    give_up = time.monotonic() + PATIENCE_S
    while True:
        if (answer := control.ask(data, request)) is not None:
            return answer
        try:
            with lock.held(data):
                if needs_server:
                    raise Failure(f"no server runs on {data}, and only a running one has sessions")
                log.setup(config.log.format, "warning", sys.stderr)
                return trio.run(_open_and_answer, config, request)
        except lock.Locked:
            if time.monotonic() > give_up:
                raise
            time.sleep(PAUSE_S)


async def _open_and_answer(config: Config, request: bytes) -> bytes:
    async with app.open_core(config, app.unix_ms) as core:
        return await admin.answer(core, request)
