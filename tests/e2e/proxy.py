"""A TCP proxy whose connections can be cut: the bad network between a bot and chatd.

A cut ends every connection there is. New ones are accepted but carry nothing until `mend`, so that a test decides how
much a client misses. `hold` does the second without the first: what a load balancer in front of chatd, or a socket that
the service manager keeps open, does while chatd restarts.
"""

import socket
import struct
from enum import Enum, auto

import trio

RECEIVE_BYTES = 65_536

# Closing with lingering on and no time to linger sends RST instead of FIN (socket(7)).
RESET = struct.pack("ii", 1, 0)


class Cut(Enum):
    RESET = auto()  # both ends see the connection reset
    TORN = auto()  # the client gets half of what the server sends next, then the end; the server sees a reset
    VANISH = auto()  # the client's end is reset, the server is not told


class _Link:
    def __init__(self, client: trio.SocketStream, server: trio.SocketStream) -> None:
        self.client = client
        self.server = server
        self.torn = False

    async def carry(self) -> None:
        """Pass bytes both ways until either end closes, or until a cut closes the sockets under the pumps."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, self.client, self.server, nursery.cancel_scope)
                nursery.start_soon(self._pump, self.server, self.client, nursery.cancel_scope)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    def reset(self) -> None:
        _reset(self.client)
        _reset(self.server)

    async def _pump(self, source: trio.SocketStream, target: trio.SocketStream, end: trio.CancelScope) -> None:
        while data := await source.receive_some(RECEIVE_BYTES):
            if self.torn and source is self.server:
                await target.send_all(data[: len(data) // 2])
                target.socket.close()
                _reset(source)
                return
            await target.send_all(data)
        end.cancel()


class Proxy:
    """Listens on `port` of 127.0.0.1 from the start; `serve` passes connections on."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._links: set[_Link] = set()
        self._vanished: list[trio.SocketStream] = []
        self._target_port = 0
        self._mended = trio.Event()
        self._mended.set()

    async def serve(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener.setblocking(False)
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(self._listener))

        async def carry(client: trio.SocketStream) -> None:
            async with client:
                await self._mended.wait()
                try:
                    server = await trio.open_tcp_stream("127.0.0.1", self._target_port)
                except OSError:  # nobody listens there
                    return
                link = _Link(client, server)
                self._links.add(link)
                try:
                    await link.carry()
                finally:
                    self._links.discard(link)
                    if server not in self._vanished:
                        await trio.aclose_forcefully(server)

        try:
            await trio.serve_listeners(carry, [listener])
        finally:
            for server in self._vanished:
                server.socket.close()  # not a checkpoint, where Cancelled would leave the others open

    def hold(self) -> None:
        """Let new connections wait, and leave the others alone."""
        if self._mended.is_set():
            self._mended = trio.Event()

    def cut(self, how: Cut) -> None:
        self.hold()
        for link in self._links:
            if how is Cut.TORN:
                link.torn = True
            elif how is Cut.VANISH:
                self._vanished.append(link.server)
                _reset(link.client)
            else:
                link.reset()

    def mend(self, target_port: int | None = None) -> None:
        """Let new connections through, to another port if one is given. What had nothing to be torn in is reset."""
        if target_port is not None:
            self._target_port = target_port
        for link in self._links:
            if link.torn:
                link.reset()
        self._mended.set()


def _reset(stream: trio.SocketStream) -> None:
    if stream.socket.fileno() == -1:  # closed already
        return
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    stream.socket.close()
