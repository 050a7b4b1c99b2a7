"""Listening sockets: binding them, and accepting clients as streams.

Every connection gets one task, which ends with the connection closed. What is spoken over it is the handler's business.
"""

import errno
import logging
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

import trio

from chatd.live.admission import Admission, Bounds
from chatd.live.stream import ABANDONED, ClientStream, PushStream, WritePolicy
from chatd.live.tls import TlsStream

logger = logging.getLogger(__name__)

Handler = Callable[[ClientStream], Awaitable[None]]

# Connections taken in one turn of the event loop, so that a storm of them delays nobody by much more than 1 ms.
ACCEPT_BATCH = 32

# accept(2): the machine or the process has no descriptors or memory left. Only closing connections helps, so wait.
OVERLOADED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
OVERLOAD_PAUSE_S = 0.1

# accept(2): the client, or its network, was gone before we came to it. The next one may be well.
GONE = frozenset(
    {
        errno.ECONNABORTED,
        errno.EPERM,
        errno.EPROTO,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENOPROTOOPT,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENONET,
        errno.EOPNOTSUPP,
    }
)

# Like HTTP's header deadline: nobody keeps a socket for longer without having said anything.
HANDSHAKE_DEADLINE_S = 10.0


# Connections that may wait to be accepted; the kernel has a bound of its own (net.core.somaxconn). Who finds no place
# tries again after a second: after a restart, thousands come at once.
BACKLOG = 4096


async def listen(host: str, port: int, backlog: int = BACKLOG) -> list[socket.socket]:
    """Sockets on every address of `host`, all on the same port; 0 picks a free one. Raises OSError."""
    addresses = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in addresses:
            listener = socket.socket(family, kind, protocol)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address[0], port, *address[2:]))
            listener.listen(backlog)
            listener.setblocking(False)
            port = listener.getsockname()[1]
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


async def serve(
    listeners: Sequence[socket.socket],
    handler: Handler,
    policy: WritePolicy,
    *,
    tls: ssl.SSLContext | None = None,
    admission: Admission | None = None,
) -> None:
    """Accept until cancelled, then close the listeners. Connections live on in `policy.nursery`.

    What `admission` refuses is closed unanswered.
    """
    entrance = admission or Admission(Bounds())

    async def attend(stream: PushStream) -> None:
        try:
            if tls is None:
                await handler(stream)
            else:
                await _attend_tls(TlsStream(stream, tls), handler)
        except Exception:
            # The connection's own edge is the handler; this is the last line that keeps one client from ending all.
            logger.exception("connection failed")
        finally:
            stream.abort(ABANDONED)
            entrance.leave(stream.peer)

    def start(sock: socket.socket, address: str) -> None:
        if not entrance.enter(address, trio.current_time()):
            sock.close()
            return
        sock.setblocking(False)
        # Every message is written whole, so waiting to fill a segment (Nagle) only adds latency.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        policy.nursery.start_soon(attend, PushStream(sock, address, policy), name="connection")

    try:
        async with trio.open_nursery() as nursery:
            for listener in listeners:
                nursery.start_soon(_accept, listener, start)
    finally:
        for listener in listeners:
            trio.lowlevel.notify_closing(listener)
            listener.close()


async def _accept(listener: socket.socket, start: Callable[[socket.socket, str], None]) -> None:
    while True:
        await trio.lowlevel.wait_readable(listener)
        for _ in range(ACCEPT_BATCH):
            try:
                sock, address = listener.accept()
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno in OVERLOADED:
                    logger.error("accept: %s; next try in %s s", os.strerror(error.errno), OVERLOAD_PAUSE_S)
                    await trio.sleep(OVERLOAD_PAUSE_S)
                    break
                if error.errno not in GONE:
                    raise
            else:
                start(sock, _plain(address[0]))


def _plain(address: str) -> str:
    """IPv4 addresses as such where a socket that was bound elsewhere takes both families: all in one /64 otherwise."""
    return address.removeprefix("::ffff:") if "." in address else address


async def _attend_tls(stream: TlsStream, handler: Handler) -> None:
    with trio.move_on_after(HANDSHAKE_DEADLINE_S) as patience:
        try:
            await stream.do_handshake()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # a port scanner, or a client that does not trust our certificate
    if not patience.cancelled_caught:
        await handler(stream)
