"""A gateway client that writes whatever frames a test wants, and sees every byte that comes back.

Nothing is answered by itself: no pong, no close frame. Whatever is waited for must come within `DEADLINE_S`.
"""

import base64
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import trio

DEADLINE_S = 5.0

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Frame(NamedTuple):
    opcode: int
    payload: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.payload)

    @property
    def code(self) -> int:
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2], "big")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """A client's frame, with the mask that changes nothing."""
    size = len(payload)
    head = bytes([fin << 7 | rsv << 4 | opcode])
    mask_bit = masked << 7
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 65536:
        head += bytes([mask_bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([mask_bit | 127]) + size.to_bytes(8, "big")
    return head + (b"\0\0\0\0" if masked else b"") + payload


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


class RawGateway:
    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._read = b""

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def send_json(self, op: int, d: Any = None) -> None:
        await self.send(frame(TEXT, json.dumps({"op": op, "d": d}).encode()))

    async def receive(self) -> Frame:
        """The next frame; the server's are never masked or fragmented, and use no reserved bit."""
        with trio.fail_after(DEADLINE_S):
            first, second = await self._exactly(2)
            assert first & 0xF0 == 0x80, "fragmented, or reserved bits"
            assert not second & 0x80, "masked"
            size = second
            if second > 125:
                size = int.from_bytes(await self._exactly(2 if second == 126 else 8), "big")
            return Frame(first & 15, await self._exactly(size))

    async def dispatch(self, name: str) -> Any:
        """The body of the next event of this name."""
        while True:
            message = (await self.receive()).json
            if message["t"] == name:
                return message["d"]

    async def until_closed(self) -> Frame:
        """The close frame, behind which there must be nothing but the end."""
        while (found := await self.receive()).opcode != CLOSE:
            pass
        await self.ended()
        return found

    async def ended(self) -> None:
        """The server must close the connection, without a further byte and without a reset."""
        with trio.fail_after(DEADLINE_S):
            assert self._read == b""
            assert await self.stream.receive_some() == b""

    async def _exactly(self, count: int) -> bytes:
        while len(self._read) < count:
            data = await self.stream.receive_some()
            assert data, f"closed after {self._read!r}"
            self._read += data
        found, self._read = self._read[:count], self._read[count:]
        return found


@asynccontextmanager
async def connect(url: str, query: str = "?v=10&encoding=json", receive_buffer: int = 0) -> AsyncIterator[RawGateway]:
    """An upgraded connection of which nothing has been read but the upgrade's answer."""
    address = urlsplit(url)
    with trio.socket.socket() as sock:
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await sock.connect((address.hostname, address.port))
        gateway = RawGateway(trio.SocketStream(sock))
        await gateway.send(upgrade(address.netloc, query))
        with trio.fail_after(DEADLINE_S):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += await gateway._exactly(1)
        assert head.startswith(b"HTTP/1.1 101 "), head
        yield gateway


def upgrade(host: str, query: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /gateway{query} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
