"""Dispatch events as bytes: encoded once, framed once for all sessions that stand at the same sequence number.

A gateway message is one unmasked WebSocket frame (RFC 6455, section 5.2) around

    {"t":NAME,"s":SEQUENCE,"op":0,"d":BODY}

where only SEQUENCE differs between sessions. So an `Event` keeps the part behind the sequence ready made, for each
format at most once, and `join` puts head, digits and tail together.

The zlib-stream format rests on two properties of deflate (RFC 1951): blocks that refer to nothing outside themselves
may follow one another in any stream, and a stored block holds plain bytes. The head with its digits goes into a stored
block, the tail into one that was compressed by itself and flushed to a byte boundary. Every session's stream is thus a
valid zlib stream although nothing was compressed for it alone.
"""

import functools
import zlib
from collections.abc import Callable, Sequence
from struct import pack

from chatd.model.wire import Object, encode

# What a connection writes; a connection's `format` is an index into FORMATS.
JSON = 0
ZLIB = 1

TEXT = 0x81  # FIN and opcode 1
BINARY = 0x82  # FIN and opcode 2

# The first two bytes of any zlib stream (RFC 1950, section 2.2): deflate, 32 KiB window, default level.
ZLIB_HEADER = b"\x78\x9c"


# Events that are worth nothing later: not kept for RESUME, and without a sequence number of their own.
VOLATILE = frozenset(("TYPING_START", "PRESENCE_UPDATE"))


class Event:
    """A dispatch event, shared by every session that gets it.

    `lean` is the body for sessions without the MESSAGE_CONTENT intent, None where there is no difference; the users in
    `reveal` get the full body nevertheless.
    """

    __slots__ = ("_tails", "body", "head", "lean", "name", "reveal", "volatile")

    def __init__(
        self,
        name: str,
        body: bytes,
        lean: bytes | None = None,
        reveal: frozenset[int] = frozenset(),
    ) -> None:
        self.name = name
        self.head = b'{"t":"%b","s":' % name.encode()
        self.body = body
        self.lean = lean
        self.reveal = reveal
        self.volatile = name in VOLATILE
        self._tails: list[bytes | None] = [None] * (2 * len(FORMATS))

    def frame(self, seq: int, format_: int, lean: bool) -> bytes:
        """The whole WebSocket frame with `seq` as its sequence number."""
        body = self.lean if lean and self.lean is not None else self.body
        make_tail, join = FORMATS[format_]
        slot = 2 * format_ + (body is self.lean)
        tail = self._tails[slot]
        if tail is None:
            tail = self._tails[slot] = make_tail(body)
        return join(self.head + b"%d" % seq, tail)


def websocket_frame(opcode: int, size: int) -> bytes:
    """The header of an unmasked frame with `size` bytes of payload."""
    if size < 126:
        return bytes((opcode, size))
    if size < 65536:
        return pack("!BBH", opcode, 126, size)
    return pack("!BBQ", opcode, 127, size)


def deflate(data: bytes) -> bytes:
    """One or more deflate blocks that depend on nothing before them, flushed to a byte boundary (00 00 ff ff)."""
    compressor = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


def stored(data: bytes) -> bytes:
    """`data`, less than 64 KiB, as a stored block (RFC 1951, section 3.2.4); it must start at a byte boundary."""
    return pack("<BHH", 0, len(data), len(data) ^ 0xFFFF) + data


def _json_tail(body: bytes) -> bytes:
    return b',"op":0,"d":' + body + b"}"


def _json_join(head: bytes, tail: bytes) -> bytes:
    return b"".join((websocket_frame(TEXT, len(head) + len(tail)), head, tail))


def _zlib_tail(body: bytes) -> bytes:
    return deflate(_json_tail(body))


def _zlib_join(head: bytes, tail: bytes) -> bytes:
    block = stored(head)
    return b"".join((websocket_frame(BINARY, len(block) + len(tail)), block, tail))


# format -> (body to tail, head and tail to frame)
FORMATS: Sequence[tuple[Callable[[bytes], bytes], Callable[[bytes, bytes], bytes]]] = (
    (_json_tail, _json_join),
    (_zlib_tail, _zlib_join),
)


@functools.lru_cache(maxsize=64)
def control(op: int, payload: Object | bool | int | None, format_: int) -> bytes:
    """The frame of a message other than a dispatch: `s` and `t` are null."""
    return _whole(b'{"t":null,"s":null,"op":%d,"d":%b}' % (op, encode(payload)), format_, b"")


@functools.lru_cache(maxsize=64)
def first(op: int, payload: Object, format_: int) -> bytes:
    """As `control`, for the first message of a connection: a zlib stream begins with it."""
    return _whole(b'{"t":null,"s":null,"op":%d,"d":%b}' % (op, encode(payload)), format_, ZLIB_HEADER)


def _whole(text: bytes, format_: int, stream_header: bytes) -> bytes:
    if format_ == JSON:
        return websocket_frame(TEXT, len(text)) + text
    block = stream_header + deflate(text)
    return websocket_frame(BINARY, len(block)) + block
