"""The control socket: how the command line reaches a running server.

A Unix socket in the data directory, for the owner of the data alone. One request is one line of JSON and is answered
with one line, then the connection ends. One connection is served at a time, and none keeps the others waiting for
longer than the deadline. What can be asked for is `chatd.cli.admin`'s business.
"""

import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trio

from chatd import log

logger = log.get(__name__)

FILE = "control.sock"

REQUEST_BYTES = 64 * 1024
ANSWER_BYTES = 1024 * 1024
# From connecting to having the answer. A command that it cuts off is done or not done, as with any lost answer.
DEADLINE_S = 10.0
# Connections that may wait for the one that is served; beyond it, connecting blocks, and the client's deadline ends it.
BACKLOG = 16
# accept(2) fails while the process has no descriptors left.
ACCEPT_PAUSE_S = 0.1
# The shortest limit of the systems that chatd runs on is 104 bytes with the NUL.
_ADDRESS_BYTES = 103


async def serve(
    data: Path,
    answer: Callable[[bytes], Awaitable[bytes]],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer until cancelled. Takes the place of a socket that a killed server has left. Raises OSError."""
    path = data / FILE
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        with _address(path) as address:
            sock.bind(address)
        # Nobody can connect before listen().
        path.chmod(0o600)
        sock.listen(BACKLOG)
        sock.setblocking(False)
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(sock))
        task_status.started()
        try:
            while True:
                await _serve_one(listener, answer)
        finally:
            path.unlink(missing_ok=True)


def ask(data: Path, request: bytes) -> bytes | None:
    """A running server's answer; None when none listens. Blocks. Raises OSError, TimeoutError among them."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        # Longer than the server's, so that the server is the one that gives up.
        sock.settimeout(DEADLINE_S + 5)
        try:
            with _address(data / FILE) as address:
                sock.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        sock.sendall(request + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            received = sock.recv(65536)
            if not received or len(answer) > ANSWER_BYTES:
                raise ConnectionAbortedError("the server did not answer")
            answer += received
    return answer


async def _serve_one(listener: trio.SocketListener, answer: Callable[[bytes], Awaitable[bytes]]) -> None:
    try:
        stream = await listener.accept()
    except OSError as error:
        logger.error("control socket", error=error.strerror)
        await trio.sleep(ACCEPT_PAUSE_S)
        return
    async with stream:
        with trio.move_on_after(DEADLINE_S) as patience:
            try:
                request = await _line(stream)
                if request:
                    await stream.send_all(await answer(request) + b"\n")
            except trio.BrokenResourceError:
                pass  # the command was interrupted
        if patience.cancelled_caught:
            logger.warning("control socket: gave up on a command", deadline_s=DEADLINE_S)


async def _line(stream: trio.SocketStream) -> bytes:
    """Empty when there is none of permitted length."""
    request = b""
    while not request.endswith(b"\n"):
        received = await stream.receive_some()
        request += received
        if not received or len(request) > REQUEST_BYTES:
            return b""
    return request


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """The path as socket addresses take it: a long one by way of an open directory (Linux)."""
    if len(os.fsencode(path)) <= _ADDRESS_BYTES:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
