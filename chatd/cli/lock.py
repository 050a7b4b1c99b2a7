"""The lock of a data directory: one process at a time serves it, or changes it while no server runs.

The kernel gives the lock back when the process ends, however it ends; the file stays and means nothing by itself.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from chatd.cli.options import Failure

PAUSE_S = 0.05


class Locked(Failure):
    """Another process holds the lock."""


@contextmanager
def held(data: Path, patience_s: float = 0.0) -> Iterator[None]:
    """Hold the directory's lock; the directory is made if it is not there. Blocks, so long at most.

    Raises Locked, Failure.
    """
    path = data / "chatd.lock"
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = open(path, "a+", opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115
    except OSError as error:
        raise Failure(f"{error.filename or data}: {error.strerror}") from error
    with file:
        try:
            _lock(file, patience_s)
        except BlockingIOError:
            raise Locked(f"{data} is in use by process {_pid(path)}") from None
        except OSError as error:
            raise Failure(f"{path}: {error.strerror}") from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def holder(data: Path) -> str | None:
    """The id of the process that holds the lock, None when nobody does."""
    path = data / "chatd.lock"
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _pid(path)
    except FileNotFoundError:
        return None
    return None


def _lock(file: IO[str], patience_s: float) -> None:
    give_up = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise
        time.sleep(PAUSE_S)


def _pid(path: Path) -> str:
    # Empty for the moment between taking the lock and writing the id.
    return path.read_text().strip() or "unknown"
