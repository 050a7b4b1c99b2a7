"""The service manager's protocol: listening sockets that it hands over, and what it is told in return.

Pages: sd_listen_fds(3), sd_notify(3). Whoever hands a socket over keeps it open while chatd restarts: connections wait
in the kernel's backlog instead of being refused. `chatd.cli.restart` hands its sockets to itself in the same way.
"""

import fcntl
import os
import socket
import time
from collections.abc import MutableMapping, Sequence

from chatd import log
from chatd.cli.options import Failure

logger = log.get(__name__)

# The first descriptor that is handed over; the others follow it.
FIRST = 3

# What the service manager is told.
READY = "READY=1"
STOPPING = "STOPPING=1"


def inherited(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """The listening sockets that this process was started with. Raises Failure if one is of no use.

    Takes the variables away, because no child inherits the sockets. Names are of no concern: all are for the same.
    """
    process = environ.pop("LISTEN_PID", "")
    count = environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    # They may have been meant for a process that has started this one.
    if process != str(os.getpid()):
        return []
    if not count.isdecimal():
        raise Failure(f"LISTEN_FDS: expected a number, got {count!r}")
    return [_adopt(descriptor) for descriptor in range(FIRST, FIRST + int(count))]


def hand_over(sockets: Sequence[socket.socket]) -> dict[str, str]:
    """Put the sockets where the program looks for them that this process executes next; the variables to tell it so.

    Takes the place of whatever has these descriptors, so nothing but execve(2) may follow.
    """
    beyond = FIRST + len(sockets)
    # Out of the way first: one may be where another has to go.
    copies = [fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, beyond) for sock in sockets]
    for target, copy in enumerate(copies, FIRST):
        os.dup2(copy, target, inheritable=True)
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sockets))}


def reloading() -> str:
    """The state that lasts until READY; the time tells it from that of an earlier signal."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"


def notify(state: str) -> None:
    """Tell the service manager, if one wants to know. Does not wait; what cannot be told is logged."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # Linux's abstract namespace
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        try:
            sock.sendto(state.encode(), address)
        except OSError as error:
            logger.warning("the service manager was not told", state=state, error=error.strerror)


def _adopt(descriptor: int) -> socket.socket:
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError as error:
        raise Failure(f"descriptor {descriptor} of LISTEN_FDS: {error.strerror}") from error
    listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not listens or sock.family not in (socket.AF_INET, socket.AF_INET6):
        sock.close()
        raise Failure(f"descriptor {descriptor} of LISTEN_FDS is not a listening TCP socket")
    sock.set_inheritable(False)
    sock.setblocking(False)
    return sock
