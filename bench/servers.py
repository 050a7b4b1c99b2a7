"""Starts and stops what is measured: `chatd serve` and the C limit, pinned to a core, on a free port."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from bench import build

SERVER_CORE = 0
CLIENT_CORE = 1
READY_LINE = re.compile(r"listening on (https?://\S+)")
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0
# Not /tmp, which is memory on many systems: there a sync costs nothing.
SCRATCH = "/var/tmp"


class Server(Struct, frozen=True):
    host: str
    port: int
    pid: int
    ready_s: float  # from start to the ready line

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class DidNotStart(Exception):
    """The server ended or stayed silent; the text has the end of its log."""


def pin(core: int) -> None:
    """Keep this process on one core, if the machine has it."""
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


def _ready_url(process: subprocess.Popen[str]) -> str | None:
    """The URL of the ready line; None when the process ended or its time is over."""
    assert process.stdout is not None
    deadline = time.monotonic() + READY_WITHIN_S
    while select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
        line = process.stdout.readline()
        if not line:
            return None
        if found := READY_LINE.search(line):
            return found[1]
    return None


@contextlib.contextmanager
def running(command: Sequence[str | Path], environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Run a server until the block ends; SIGTERM first, SIGKILL when it does not drain in time."""
    with tempfile.TemporaryFile("w+") as log:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **(environment or {})},
            preexec_fn=lambda: pin(SERVER_CORE),
        )
        try:
            url = _ready_url(process)
            ready_s = time.monotonic() - started
            if url is None:
                log.seek(0)
                raise DidNotStart(f"{' '.join(map(str, command))}\n{log.read()[-2000:]}")
            address = urlsplit(url)
            yield Server(address.hostname or "127.0.0.1", address.port or 80, process.pid, ready_s)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="chatd-bench-", dir=SCRATCH) as name:
        yield Path(name)


@contextlib.contextmanager
def chatd(
    data: Path | None = None, *, limits: bool = False, options: Sequence[str] = (), module: str = "chatd"
) -> Iterator[Server]:
    """A real server; on `data`, or on an empty directory of its own."""
    command = [sys.executable, "-m", module, "serve", "--host", "127.0.0.1", "--port", "0"]
    with contextlib.ExitStack() as stack:
        folder = data or stack.enter_context(scratch_folder())
        command += ["--data", str(folder), *([] if limits else ["--no-rate-limits"]), *options]
        yield stack.enter_context(running(command))


@contextlib.contextmanager
def limit(*, joined: bool, frame_bytes: int) -> Iterator[Server]:
    command: list[str | Path] = [build.program("limit"), "--frame", str(frame_bytes)]
    with running([*command, "--joined"] if joined else command) as server:
        yield server
