"""Look for what keeps a server from running well, and say what to do about it. Changes nothing."""

import os
import shutil
import socket
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from chatd import app, control
from chatd.cli import lock
from chatd.cli.options import add_config_flags, add_json_flag, check_supported, load_config, say
from chatd.config import Config, ConfigError
from chatd.model.wire import encode
from chatd.store import migrate
from chatd.store.connect import connect

# Free space: below the first a busy server fills the disk within the day, below the second within the hour.
WARN_BYTES = 2 * 1024**3
FAIL_BYTES = 200 * 1024**2

# To listen on all addresses, which are nobody's to connect to.
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})


class Finding(msgspec.Struct, frozen=True):
    check: str
    state: Literal["ok", "warn", "fail"]
    found: str
    advice: str = ""


def configure(parser: ArgumentParser) -> None:
    parser.set_defaults(run=_run)
    add_config_flags(parser)
    add_json_flag(parser)


def _run(options: Namespace) -> int:
    findings = list(_examine(options))
    marks = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}
    lines = (
        f"{marks[it.state]}  {it.check}: {it.found}" + (f"\n      {it.advice}" if it.advice else "") for it in findings
    )
    say(options, msgspec.to_builtins(findings), "\n".join(lines))
    return int(any(it.state == "fail" for it in findings))


def _examine(options: Namespace) -> Iterator[Finding]:
    try:
        config = load_config(options)
        check_supported(config)
    except ConfigError as error:
        yield Finding("config", "fail", str(error), "correct the option that is named")
        return
    yield Finding("config", "ok", str(options.config or "no file"))
    for name, check in CHECKS.items():
        try:
            yield from check(config)
        except Exception as error:  # a check that cannot be made is what is being looked for
            yield Finding(name, "fail", " ".join(str(error).split()) or repr(error))


def _data(config: Config) -> Iterator[Finding]:
    data = Path(config.data.dir)
    if not data.exists():
        yield Finding("data", "ok", f"{data} is not there yet; the server makes it")
        return
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("data", "fail", f"{data} cannot be written", "run as its owner, or change the owner")
        return
    if data.stat().st_uid != os.geteuid():
        advice = "commands that run without a server leave files that it cannot write; run them as the owner"
        yield Finding("data", "warn", f"{data} belongs to another user", advice)
    secrets = (data, data / "jwt.key", data / "links.key")
    exposed = [path.name for path in secrets if path.exists() and path.stat().st_mode & 0o077]
    if exposed:
        advice = f"chmod 700 {data}; chmod 600 {data}/*"
        yield Finding("data", "warn", f"other users of this machine can reach {', '.join(exposed)}", advice)
    else:
        yield Finding("data", "ok", f"{data} can be written, by its owner alone")


def _disk(config: Config) -> Iterator[Finding]:
    existing = next(path for path in (Path(config.data.dir).absolute() / "_").parents if path.exists())
    free = shutil.disk_usage(existing).free
    state: Literal["ok", "warn", "fail"] = "fail" if free < FAIL_BYTES else "warn" if free < WARN_BYTES else "ok"
    yield Finding("disk", state, f"{free / 1024**3:.1f} GiB free", "" if state == "ok" else "make room")


def _server(config: Config) -> Iterator[Finding]:
    data = Path(config.data.dir)
    pid = lock.holder(data)
    if pid is None:
        yield Finding("server", "ok", "none runs on this data")
        yield _port(config)
        return
    answer = control.ask(data, encode({"command": "status", "arguments": {}}))
    if answer is None:
        yield Finding("server", "warn", f"process {pid} holds the data but takes no commands", "it may be starting")
        return
    version = msgspec.json.decode(answer)["ok"]["version"]
    yield Finding("server", "ok", f"process {pid} runs version {version}")


def _port(config: Config) -> Finding:
    host, port = config.server.host, config.server.port
    try:
        # As the server would, and let go again.
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        return Finding("port", "fail", f"{host}:{port}: {error.strerror}", "choose another with server.port")
    return Finding("port", "ok", f"{host}:{port} is free")


def _links(config: Config) -> Iterator[Finding]:
    if config.server.public_url or config.server.host not in ANY_ADDRESS:
        return
    found = f"attachments are linked under {config.server.host}, which leads nowhere from elsewhere"
    yield Finding("links", "warn", found, "set server.public_url to what clients use")


def _database(config: Config) -> Iterator[Finding]:
    url = app.database_url(config)
    file = Path(url.removeprefix("sqlite://"))
    if url.startswith("sqlite://") and not file.exists():
        yield Finding("database", "ok", f"{file} is not there yet; the server makes it")
        return
    with closing(connect(url, readonly=True)) as connection:
        for name, sql, judge in QUESTIONS[connection.dialect]:
            yield judge(name, str(connection.scalar(sql)))
    states = migrate.status(url)
    pending = [f"{it.version:04}_{it.name}" for it in states if it.applied_ms is None]
    if pending:
        advice = "chatd serve applies them when it starts, chatd migrate up now"
        yield Finding("schema", "warn", f"pending: {', '.join(pending)}", advice)
    else:
        yield Finding("schema", "ok", f"version {len(states)}, the newest that this chatd knows")


def _any(name: str, found: str) -> Finding:
    return Finding(name, "ok", found)


def _intact(name: str, found: str) -> Finding:
    if found == "ok":
        return Finding(name, "ok", "the file is intact")
    return Finding(name, "fail", found, "the file is damaged: stop the server, restore a backup")


def _durable(name: str, found: str) -> Finding:
    if found != "off":
        return Finding(name, "ok", found)
    return Finding(name, "fail", found, "a crash would lose acknowledged messages: switch it on in PostgreSQL")


QUESTIONS: dict[str, list[tuple[str, str, Callable[[str, str], Finding]]]] = {
    "sqlite": [("SQLite", "SELECT sqlite_version()", _any), ("SQLite file", "PRAGMA quick_check(1)", _intact)],
    "postgres": [
        ("PostgreSQL", "SHOW server_version", _any),
        ("synchronous_commit", "SHOW synchronous_commit", _durable),
        ("fsync", "SHOW fsync", _durable),
    ],
}

CHECKS: dict[str, Callable[[Config], Iterator[Finding]]] = {
    "data": _data,
    "disk": _disk,
    "server": _server,
    "links": _links,
    "database": _database,
}
