"""Dispatch events as bytes: encoded once, framed once for all sessions that stand at the same sequence number.

A gateway message is one unmasked WebSocket frame (RFC 6455, section 5.2) around

    {"t":NAME,"s":SEQUENCE,"op":0,"d":BODY}

where only SEQUENCE differs between sessions. So an `Event` keeps the part behind the sequence ready made, for each
format at most once, and `frame` puts head, digits and tail together. Compressed formats are in `compress`.
"""

import functools
from collections.abc import Sequence
from struct import pack

from chatd.live.compress import ZLIB as ZLIB_CODEC
from chatd.live.compress import ZSTD as ZSTD_CODEC
from chatd.live.compress import Codec, Context
from chatd.model.wire import Object, encode

# What a connection writes; a connection's `format` is an index into CODECS.
JSON, ZLIB, ZSTD = range(3)
CODECS: Sequence[Codec | None] = (None, ZLIB_CODEC, ZSTD_CODEC)

TEXT = 0x81  # FIN and opcode 1
BINARY = 0x82  # FIN and opcode 2

# Events that are worth nothing later: not kept for RESUME, and without a sequence number of their own, so that what is
# counted is what the journal tells again.
VOLATILE = frozenset(("TYPING_START", "PRESENCE_UPDATE", "RESUMED"))


class Event:
    """A dispatch event, shared by every session that gets it.

    `lean` is the body for sessions without the MESSAGE_CONTENT intent, None where there is no difference; the users in
    `reveal` get the full body nevertheless. `position` is that of the commit that the event tells of.
    """

    __slots__ = ("_tails", "body", "head", "lean", "name", "position", "reveal", "volatile")

    def __init__(self, name: str, body: bytes, lean: bytes | None = None, reveal: frozenset[int] = frozenset()) -> None:
        self.name = name
        self.head = b'{"t":"%b","s":' % name.encode()
        self.body = body
        self.lean = lean
        self.reveal = reveal
        self.volatile = name in VOLATILE
        self.position = 0
        self._tails: list[bytes | None] = [None] * (2 * len(CODECS))

    def frame(self, seq: int, format_: int, lean: bool) -> bytes:
        """The whole WebSocket frame with `seq` as its sequence number, independent of what was sent before it."""
        body = self.lean if lean and self.lean is not None else self.body
        codec = CODECS[format_]
        slot = 2 * format_ + (body is self.lean)
        tail = self._tails[slot]
        if tail is None:
            tail = _tail(body)
            tail = self._tails[slot] = tail if codec is None else codec.independent(tail)
        head = self.head + b"%d" % seq
        if codec is None:
            return b"".join((header(TEXT, len(head) + len(tail)), head, tail))
        head = codec.plain(head)
        return b"".join((header(BINARY, len(head) + len(tail)), head, tail))

    def frame_in(self, context: Context, seq: int, lean: bool) -> bytes:
        """As `frame`, compressed with the history of one connection."""
        body = self.lean if lean and self.lean is not None else self.body
        data = context.compress(b"%b%d%b" % (self.head, seq, _tail(body)))
        return header(BINARY, len(data)) + data


def _tail(body: bytes) -> bytes:
    return b',"op":0,"d":' + body + b"}"


def header(opcode: int, size: int) -> bytes:
    """The header of an unmasked frame with `size` bytes of payload."""
    if size < 126:
        return bytes((opcode, size))
    if size < 65536:
        return pack("!BBH", opcode, 126, size)
    return pack("!BBQ", opcode, 127, size)


@functools.lru_cache(maxsize=64)
def control(op: int, payload: Object | bool | int | None, format_: int, is_first: bool = False) -> bytes:
    """The frame of a message other than a dispatch: `s` and `t` are null. A compressed stream begins with its first."""
    text = b'{"t":null,"s":null,"op":%d,"d":%b}' % (op, encode(payload))
    codec = CODECS[format_]
    if codec is None:
        return header(TEXT, len(text)) + text
    data = (codec.stream_header if is_first else b"") + codec.independent(text)
    return header(BINARY, len(data)) + data
