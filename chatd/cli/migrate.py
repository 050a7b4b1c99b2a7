"""The version of the database's schema. `chatd serve` brings it up to date by itself when it starts."""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from chatd import app
from chatd.cli import lock
from chatd.cli.options import Failure, add_action, add_actions, load_config, say, table
from chatd.store import migrate
from chatd.store.db import StoreFailed
from chatd.store.migrate import Migration, MigrationError

T = TypeVar("T")


def configure(parser: ArgumentParser) -> None:
    actions = add_actions(parser)
    add_action(actions, "status", _status, "list the migrations, and which of them this database has")
    add_action(actions, "up", _up, "apply those that the database does not have")
    down = add_action(actions, "down", _down, "take back the newest ones, and the data that only they can hold")
    down.add_argument("--steps", type=_steps, default=1, metavar="N", help="how many to take back (default: 1)")
    down.add_argument("--yes", action="store_true", help="do not ask")


def _status(options: Namespace) -> int:
    states = _try(partial(migrate.status, app.database_url(load_config(options))))
    rows = [{"version": it.version, "name": it.name, "applied_ms": it.applied_ms} for it in states]
    shown = [{"version": it.version, "name": it.name, "applied": _moment(it.applied_ms)} for it in states]
    say(options, rows, table(shown, ("version", "name", "applied")))
    return 0


def _up(options: Namespace) -> int:
    config = load_config(options)
    Path(config.data.dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    _report(options, "applied", _try(partial(migrate.up, app.database_url(config), now_ms=app.unix_ms())))
    return 0


def _down(options: Namespace) -> int:
    config = load_config(options)
    # No server may run, or start meanwhile, on a schema that it does not know.
    with lock.held(Path(config.data.dir)):
        if not options.yes and not _confirmed(options.steps):
            raise Failure("nothing was taken back; --yes means not to ask")
        _report(options, "taken back", _try(partial(migrate.down, app.database_url(config), steps=options.steps)))
    return 0


def _try(call: Callable[[], T]) -> T:
    try:
        return call()
    except (MigrationError, StoreFailed, OSError) as error:
        raise Failure(str(error)) from error


def _confirmed(steps: int) -> bool:
    if not sys.stdin.isatty():
        return False
    print(
        f"Taking back {steps} of the schema's versions deletes data. Go on? [y/N] ", end="", file=sys.stderr, flush=True
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _report(options: Namespace, what: str, done: list[Migration]) -> None:
    rows = [{"version": it.version, "name": it.name} for it in done]
    say(options, rows, "\n".join(f"{what}: {it.version:04}_{it.name}" for it in done) or f"nothing {what}")


def _moment(ms: int | None) -> str:
    return "pending" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _steps(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("a number from 1 on")
    return int(text)
