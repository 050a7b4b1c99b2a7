"""Restarting in place: this process becomes the chatd that is installed now, and its listening sockets stay open.

The process keeps its id, its descriptors for output and its working directory; all else is as after any restart. What
can be known to keep the new one from starting is looked for first. See ADR 9.
"""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

import trio

from chatd.cli import activation
from chatd.cli.options import Failure

# As for nginx's executable. Not SIGHUP: a terminal that is closed sends it to everything that was started there.
SIGNAL = signal.SIGUSR2

CHECK_FLAG = "--check"
CHECK_DEADLINE_S = 30.0


async def check() -> None:
    """Let the new chatd look at what it would start with. Raises Failure, OSError."""
    with trio.move_on_after(CHECK_DEADLINE_S) as patience:
        done = await trio.run_process([*_command(), CHECK_FLAG], capture_stdout=True, capture_stderr=True, check=False)
    if patience.cancelled_caught:
        raise Failure(f"the check took more than {CHECK_DEADLINE_S} s")
    if done.returncode:
        # Its last line says what is wrong, also where a library is missing.
        problem = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise Failure(problem or f"the check ended with {done.returncode}")


def replace(sockets: Sequence[socket.socket]) -> NoReturn:
    """Become the new chatd, which serves these sockets. Raises Failure; then only exiting is left."""
    environ = {**os.environ, **activation.hand_over(sockets)}
    try:
        os.execve(sys.executable, _command(), environ)
    except OSError as error:
        raise Failure(f"{sys.executable}: {error.strerror}") from error


def _command() -> list[str]:
    return [sys.executable, *sys.orig_argv[1:]]
