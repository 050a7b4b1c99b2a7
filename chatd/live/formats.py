"""What a connection may ask to be sent: JSON or ETF, as it is or compressed in one of three ways.

A gateway message is one unmasked WebSocket frame (RFC 6455, section 5.2) around a map of `t`, `s`, `op` and `d`. It has
a head, with name and sequence number, and a tail, with the rest. What is costly is done to the tail, which is the same
for every session (`Format.prepare`); `Format.frame` puts the two together. What is sent when is not known here.

Docs: events/gateway, "Encoding and Compression".
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from struct import pack
from typing import Any

import msgspec
from msgspec import Struct

from chatd.live import compress
from chatd.live.compress import Codec
from chatd.model import etf

TEXT = 0x81  # FIN and opcode 1
BINARY = 0x82  # FIN and opcode 2

# Payload compression: messages whose tail is smaller than this stay text. Guilds and large messages are worth it.
PAYLOAD_BYTES = 4096


def header(opcode: int, size: int) -> bytes:
    """The header of an unmasked frame with `size` bytes of payload."""
    if size < 126:
        return bytes((opcode, size))
    if size < 65536:
        return pack("!BBH", opcode, 126, size)
    return pack("!BBQ", opcode, 127, size)


# --- encodings -------------------------------------------------------------------------------------------------------


class Encoding(Struct, frozen=True, kw_only=True):
    number: int
    opcode: int  # of the WebSocket frames that hold it
    head: Callable[[bytes, int], bytes]  # event name, sequence number
    null_head: bytes  # of what is no dispatch
    body: Callable[[bytes], bytes]  # from JSON
    tail: Callable[[int, bytes], bytes]  # opcode, encoded body


IN_JSON, IN_ETF = range(2)

_JSON = Encoding(
    number=IN_JSON,
    opcode=TEXT,
    head=lambda name, seq: b'{"t":"%b","s":%d' % (name, seq),
    null_head=b'{"t":null,"s":null',
    body=lambda body: body,
    tail=lambda op, body: b',"op":%d,"d":%b}' % (op, body),
)


def _etf(filler: bytes) -> Encoding:
    """A term has no room for a filler: where there is one, it is the value of a fifth key, which nobody looks at.

    Keys and the event's name are atoms, as Discord's are: erlpack makes strings of them, and Elixir expects them.
    """
    t = bytes((etf.VERSION,)) + etf.map_header(5 if filler else 4) + etf.atom("t")
    s = etf.atom("s")
    end = (etf.atom("_") + etf.binary(filler)).removesuffix(filler) if filler else b""
    return Encoding(
        number=IN_ETF,
        opcode=BINARY,
        head=lambda name, seq: b"".join((t, etf.atom(name.decode()), s, etf.encode(seq), end)),
        null_head=b"".join((t, etf.encode(None), s, etf.encode(None), end)),
        body=lambda body: etf.encode(msgspec.json.decode(body)),
        tail=lambda op, body: b"".join((etf.atom("op"), etf.encode(int(op)), etf.atom("d"), body)),
    )


# --- formats ---------------------------------------------------------------------------------------------------------


class Format(Struct, frozen=True):
    """An encoding with a compression. `codec` is that of a stream: its frames must all reach the same connection."""

    encoding: Encoding
    prepare: Callable[[bytes], Any]  # what is done to a tail, once for all frames with it
    frame: Callable[[bytes, Any], bytes]  # a head, and what `prepare` made of the tail
    codec: Codec | None = None


def _plain(encoding: Encoding) -> Format:
    opcode = encoding.opcode

    def frame(head: bytes, tail: bytes) -> bytes:
        return b"".join((header(opcode, len(head) + len(tail)), head, tail))

    return Format(encoding, bytes, frame)


def _stream(encoding: Encoding, codec: Codec) -> Format:
    """Transport compression; the stream's header is written by whoever begins the stream."""

    def frame(head: bytes, tail: bytes) -> bytes:
        head = codec.plain(head)
        return b"".join((header(BINARY, len(head) + len(tail)), head, tail))

    return Format(encoding, codec.independent, frame, codec)


def _payload() -> Format:
    """Payload compression: each large message is a zlib stream (RFC 1950) of its own."""
    plain, stream = _plain(_JSON), compress.ZLIB

    def prepare(tail: bytes) -> tuple[bytes, bytes | None]:
        return tail, stream.independent(tail) if len(tail) >= PAYLOAD_BYTES else None

    def frame(head: bytes, prepared: tuple[bytes, bytes | None]) -> bytes:
        tail, compressed = prepared
        if compressed is None:
            return plain.frame(head, tail)
        checksum = zlib.adler32(tail, zlib.adler32(head))
        data = b"".join((stream.stream_header, stream.plain(head), compressed, _LAST_BLOCK, pack(">I", checksum)))
        return header(BINARY, len(data)) + data

    return Format(_JSON, prepare, frame)


# An empty block that is marked as the last (RFC 1951, section 3.2.3): final, fixed codes, end of block.
_LAST_BLOCK = b"\x03\x00"

# A connection's `format` is an index into FORMATS.
JSON, ZLIB, ZSTD, PAYLOAD, ETF, ETF_ZLIB, ETF_ZSTD = range(7)
FORMATS: Sequence[Format] = (
    _plain(_JSON),
    _stream(_JSON, compress.ZLIB),
    _stream(_JSON, compress.ZSTD),
    _payload(),
    _plain(_etf(b"")),
    _stream(_etf(compress.ZLIB.filler), compress.ZLIB),
    _stream(_etf(compress.ZSTD.filler), compress.ZSTD),
)

# The `encoding` and `compress` of a connection's URL. PAYLOAD is asked for in IDENTIFY.
REQUESTS: Mapping[tuple[str, str], int] = {
    ("json", ""): JSON,
    ("json", "zlib-stream"): ZLIB,
    ("json", "zstd-stream"): ZSTD,
    ("etf", ""): ETF,
    ("etf", "zlib-stream"): ETF_ZLIB,
    ("etf", "zstd-stream"): ETF_ZSTD,
}
