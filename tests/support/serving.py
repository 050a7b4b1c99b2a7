"""A front end on a free port, and a client that speaks bytes."""

import functools
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from msgspec import Struct

from chatd.live.listener import listen, serve
from chatd.live.stream import ClientStream, WritePolicy
from chatd.live.tls import server_context
from chatd.rest.edge import serve_connection
from chatd.rest.http import Drain, Handler, Limits, Request, Response
from chatd.rest.pages import connection_handler

CERTIFICATE = str(Path(__file__).with_name("localhost.pem"))  # self-signed, with its key; worth nothing anywhere else


class Server(Struct):
    port: int
    drain: Drain
    policy: WritePolicy
    connections: trio.Nursery


async def echo(request: Request) -> Response:
    """Says what it was asked."""
    sent = request.body if isinstance(request.body, bytes) else b"".join([piece async for piece in request.body])
    body = f"{request.method} {request.path}?{request.query} ".encode() + sent
    return Response(200, [(b"content-type", b"application/json")], body)


async def refuse_upgrade(stream: ClientStream, request: Request, early: bytes) -> None:
    raise AssertionError("nobody asked for an upgrade")


@asynccontextmanager
async def serving(
    handler: Handler = echo,
    *,
    front_end: str = "edge",
    limits: Limits | None = None,
    upgrade=refuse_upgrade,
    tls: bool = False,
) -> AsyncIterator[Server]:
    drain = Drain()
    settings = {"upgrade": upgrade, "limits": limits or Limits(), "drain": drain}
    if front_end == "edge":
        attend = functools.partial(serve_connection, handler=handler, clock=lambda: 0.0, **settings)
    else:
        attend = connection_handler(handler, **settings)
    protocols = ["http/1.1"] if front_end == "edge" else ["h2", "http/1.1"]
    context = server_context(CERTIFICATE, CERTIFICATE, protocols) if tls else None
    async with trio.open_nursery() as nursery, trio.open_nursery() as connections:
        policy = WritePolicy(connections)
        listeners = await listen("127.0.0.1", 0)
        nursery.start_soon(functools.partial(serve, listeners, attend, policy, tls=context))
        try:
            yield Server(listeners[0].getsockname()[1], drain, policy, connections)
        finally:
            connections.cancel_scope.cancel()
            nursery.cancel_scope.cancel()


class Client:
    """One connection. Everything it waits for must come within five seconds."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._read = b""

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            await self.stream.send_all(part)

    async def response(self, *, body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next response."""
        with trio.fail_after(5):
            while b"\r\n\r\n" not in self._read:
                await self._more()
            head, _, self._read = self._read.partition(b"\r\n\r\n")
            status, *lines = head.decode().split("\r\n")
            headers = dict(re.fullmatch(r"([^:]+): (.*)", line).groups() for line in lines)
            size = int(headers.get("content-length", 0)) if body else 0
            while len(self._read) < size:
                await self._more()
            content, self._read = self._read[:size], self._read[size:]
            return int(status.split()[1]), headers, content

    async def ask(self, text: bytes) -> bytes:
        """The body of the answer to a whole request."""
        await self.send(text)
        return (await self.response())[2]

    async def rest(self) -> bytes:
        """What else comes before the server closes the connection."""
        with trio.fail_after(5):
            while data := await self.stream.receive_some():
                self._read += bytes(data)
        return self._read

    async def _more(self) -> None:
        data = await self.stream.receive_some()
        assert data, f"closed after {self._read!r}"
        self._read += bytes(data)


def client_context(*protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=CERTIFICATE)
    context.set_alpn_protocols(protocols)
    return context


@asynccontextmanager
async def connect(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[Client]:
    transport = await trio.open_tcp_stream("127.0.0.1", server.port)
    if tls is None:
        async with transport:
            yield Client(transport)
    else:
        stream = trio.SSLStream(transport, tls, server_hostname="localhost", https_compatible=True)
        await stream.do_handshake()
        try:
            yield Client(stream)
        finally:
            await trio.aclose_forcefully(stream)
