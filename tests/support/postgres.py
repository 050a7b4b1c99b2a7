"""A private PostgreSQL for tests: Debian's server in a temporary directory on a free port of 127.0.0.1.

`server()` starts it once per process; `fresh_database(...)` gives each test a database of its own, copied from a
template. Durability is off: these tests are about what the SQL does, and losing the cluster loses nothing.
"""

import atexit
import contextlib
import functools
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

MISSING = "PostgreSQL's server is not installed; on Debian: apt-get install postgresql"

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "autovacuum": "off",
    "listen_addresses": "127.0.0.1",
}
# Texts are compared byte by byte, and PostgreSQL knows what a letter is in any language.
_LOCALE = ("-E", "UTF8", "--locale=C", "--lc-ctype=C.UTF-8")
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2 * 1024**3
START_S = 30.0
STOP_S = 10.0

_numbers = itertools.count(1)


def _binaries() -> Path | None:
    """The newest server installed: Debian keeps it out of PATH, in one directory per version."""
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    found = shutil.which("postgres")
    candidates = sorted(debian, key=lambda path: int(path.parent.name)) + ([Path(found).parent] if found else [])
    return candidates[-1] if candidates else None


def _place() -> Path | None:
    """Memory, where there is enough: a database is 300 small files, made in 13 ms there, in 80 to 300 ms on disk."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A running server. Use `server()`, which starts it once."""

    def __init__(self, binaries: Path) -> None:
        # initdb and postgres refuse to run as root.
        account: dict[str, Any] = {}
        self.directory = Path(tempfile.mkdtemp(prefix="chatd-pg-", dir=_place()))
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
            account = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        data = self.directory / "data"
        run_as: dict[str, Any] = {**account, "cwd": self.directory, "stdin": subprocess.DEVNULL}
        subprocess.run(
            [
                binaries / "initdb",
                "-D",
                data,
                "-U",
                "chatd",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--lc-ctype=C.UTF-8",
                "--no-sync",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            **run_as,
        )
        self.port = _free_port()
        places = ["-D", str(data), "-p", str(self.port), "-k", str(self.directory)]
        settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with (self.directory / "log").open("wb") as log:
            command = [str(binaries / "postgres"), *places, *settings]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **run_as)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                return psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.directory / "log").read_text()
                self.stop()
                raise RuntimeError(f"PostgreSQL did not start:\n{log}")
            time.sleep(0.01)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)  # PostgreSQL's immediate shutdown: nothing here is worth a checkpoint
        self._process.wait(STOP_S)
        shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql://chatd@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql)


@functools.cache
def server() -> Server:
    """Start the server on first use and stop it when the process ends; skips the test without the binaries."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip(MISSING)
    started = Server(binaries)
    atexit.register(started.stop)
    return started


@functools.cache
def _template(prepare: Callable[[str], None]) -> str:
    name = f"template_{next(_numbers)}"
    server().execute(f"CREATE DATABASE {name}")
    prepare(server().url(name))
    return name


@contextlib.contextmanager
def fresh_database(prepare: Callable[[str], None]) -> Iterator[str]:
    """The URL of a new database. `prepare(url)` fills the template it is copied from, once per process."""
    template = _template(prepare)
    name = f"test_{next(_numbers)}"
    server().execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield server().url(name)
    finally:
        server().execute(f"DROP DATABASE {name} WITH (FORCE)")
