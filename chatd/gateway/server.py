"""Where connections become gateway connections, and how they end when the server does."""

import base64
import binascii
import hashlib
import logging
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl

import trio

from chatd.gateway.connection import GatewayConnection
from chatd.live.compress import Context, Contexts
from chatd.live.frames import CODECS, JSON, ZLIB, ZSTD
from chatd.live.stream import ClientStream
from chatd.model.errors import CLOSE_DECODE_ERROR, CLOSE_INVALID_API_VERSION, CloseKind
from chatd.service.core import Core

logger = logging.getLogger(__name__)

# RFC 6455, section 1.3
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

VERSIONS = {"9": 9, "10": 10}
COMPRESSIONS = {"": JSON, "zlib-stream": ZLIB, "zstd-stream": ZSTD}

# Connections that compress with a history of their own at a time: 32 KiB each for zlib, some 200 KiB for zstd.
CONTEXTS = 256

# IDENTIFYs and RESUMEs that ask the database at a time: enough to share its commits. The others wait in line, where
# thousands that come at once after a restart take no place in the queue of writes.
LOGINS = 64

# A restart is no stampede: clients are asked to go in batches of this size, with a pause between two.
DRAIN_BATCH = 100
DRAIN_PAUSE_S = 0.02
# RFC 6455's registry: the server restarts. Clients may resume after it.
CLOSE_SERVICE_RESTART = 1012


class UpgradeRequest(Protocol):
    """What the handshake needs of a request; `headers` by lower-case name."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def host(self) -> str: ...


class Gateway:
    """All connections of this process. `jobs` is the nursery for what outlives a command but not the server."""

    def __init__(self, core: Core, jobs: trio.Nursery) -> None:
        self._core = core
        self._jobs = jobs
        self._contexts = Contexts(CONTEXTS)
        self._logins = trio.Semaphore(LOGINS)
        self._gone = trio.lowlevel.ParkingLot()
        self._draining = False
        self.connections: set[GatewayConnection] = set()

    async def accept(self, stream: ClientStream, request: UpgradeRequest, early: bytes) -> None:
        """Answer an upgrade request, then speak with the client until the connection ends."""
        refused = HTTPStatus.SERVICE_UNAVAILABLE if self._draining else _refusal(request)
        if refused is not None:
            await stream.send_all(_plain(refused))
            return
        stream.push(_switching(request.headers["sec-websocket-key"]))
        query = dict(parse_qsl(request.query))
        version = VERSIONS.get(query.get("v", "10"))
        format_ = COMPRESSIONS.get(query.get("compress", ""))
        problem = _problem(version, format_, query.get("encoding", "json"))
        format_ = JSON if format_ is None else format_
        codec = CODECS[format_]
        context = None if codec is None else Context(codec, self._contexts)
        connection = GatewayConnection(
            self._core, stream, self._jobs, self._logins, format_, context, version or 10, request.host
        )
        self.connections.add(connection)
        try:
            await connection.run(early, problem)
        finally:
            self.connections.discard(connection)
            self._gone.unpark_all()

    async def drain(self) -> None:
        """Ask every client to come back later, in batches; return when all have gone. The caller sets the deadline."""
        self._draining = True  # a connection that was opened before may still ask for its upgrade
        for count, connection in enumerate(tuple(self.connections), 1):
            connection.reconnect()
            connection.close(CLOSE_SERVICE_RESTART, "Server restarts.")
            if not count % DRAIN_BATCH:
                await trio.sleep(DRAIN_PAUSE_S)
        while self.connections:
            await self._gone.park()


def _refusal(request: UpgradeRequest) -> HTTPStatus | None:
    """Why this is no WebSocket upgrade for us (RFC 6455, section 4.2.1)."""
    headers = request.headers
    if request.path.rstrip("/") != "/gateway":
        return HTTPStatus.NOT_FOUND
    if request.method != "GET" or "upgrade" not in headers.get("connection", "").lower():
        return HTTPStatus.BAD_REQUEST
    if headers.get("sec-websocket-version") != "13":
        return HTTPStatus.UPGRADE_REQUIRED
    try:
        key = base64.b64decode(headers.get("sec-websocket-key", ""), validate=True)
    except binascii.Error:
        key = b""
    return None if len(key) == 16 else HTTPStatus.BAD_REQUEST


def _plain(status: HTTPStatus) -> bytes:
    version = "Sec-WebSocket-Version: 13\r\n" if status is HTTPStatus.UPGRADE_REQUIRED else ""
    body = f'{{"message": "{status.value}: {status.phrase}", "code": 0}}'
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n{version}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    ).encode()


def _switching(key: str) -> bytes:
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def _problem(version: int | None, format_: int | None, encoding: str) -> CloseKind | None:
    """What is wrong with the connection's parameters: said by a close code, which clients understand."""
    if version is None:
        return CLOSE_INVALID_API_VERSION
    return CLOSE_DECODE_ERROR if format_ is None or encoding != "json" else None
