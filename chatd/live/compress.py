"""Transport compression: one endless zlib or zstd stream for each connection, most of which is shared by all.

Docs: events/gateway, "Transport Compression". Compressing for every session costs several times what sending costs, so
an event's bytes are compressed once and spliced into every session's stream. Both formats allow it:

- zlib (RFC 1950, 1951): deflate blocks that refer to nothing outside themselves may follow one another in any stream.
  A stored block holds plain bytes, and a sync flush ends on a byte boundary.
- zstd (RFC 8878): likewise with the blocks of a frame, but for one thing: a block may use the three offsets that were
  repeated last, also those of the block before it. A compressor that begins a frame assumes 1, 4, 8. So spliced blocks
  come behind `_RESET`, whose sequences have just these offsets; it decodes to 17 spaces. So that they are always at the
  same place of a message, where its encoding can bear them, messages have a head, written plainly, and a tail.

A connection whose events go to few others may have a history of its own instead (`Context`), which compresses several
times better and costs a multiple. The two alternate freely: a context starts anew after something shared.
"""

import zlib
from collections import OrderedDict
from collections.abc import Callable
from struct import pack

import zstandard
from msgspec import Struct

Compress = Callable[[bytes], bytes]


class Codec(Struct, frozen=True):
    """How to write a stream of one format."""

    stream_header: bytes  # what every stream begins with
    filler: bytes  # what stands between every message's head and its tail
    plain: Compress  # a head: less than 64 KiB, as they are
    independent: Compress  # filler and tail; depends on nothing before it, and what follows does not depend on it
    new_context: Callable[[], Compress]  # the first call as `independent`; the others may refer to those before them


# --- zlib ------------------------------------------------------------------------------------------------------------

# A context's window and hash table, 16 KiB each: the last dozen events, and little memory.
_CONTEXT_WINDOW_BITS = 12
_CONTEXT_MEMORY_LEVEL = 5


def _stored(data: bytes) -> bytes:
    """A stored block (RFC 1951, section 3.2.4); it must start on a byte boundary."""
    return pack("<BHH", 0, len(data), len(data) ^ 0xFFFF) + data


def _deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


def _deflate_context() -> Compress:
    compressor = zlib.compressobj(zlib.Z_BEST_SPEED, zlib.DEFLATED, -_CONTEXT_WINDOW_BITS, _CONTEXT_MEMORY_LEVEL)
    return lambda data: compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


# RFC 1950, section 2.2: deflate with a 32 KiB window, no dictionary.
ZLIB = Codec(b"\x78\x9c", b"", _stored, _deflated, _deflate_context)


# --- zstd ------------------------------------------------------------------------------------------------------------

_WINDOW_LOG = 17  # 128 KiB, what the frame header promises
# Magic number; a frame header that says neither size, checksum nor dictionary; the window (RFC 8878, section 3.1.1).
_FRAME_HEADER = b"\x28\xb5\x2f\xfd\x00" + bytes(((_WINDOW_LOG - 10) << 3,))
_LEVEL = 1

_RAW, _RLE, _COMPRESSED = 0, 1, 2  # block types
_LAST = 1  # bit of a block header


def _block_header(type_: int, size: int) -> bytes:
    """RFC 8878, section 3.1.1.2."""
    return pack("<I", size << 3 | type_ << 1)[:3]


def _raw(data: bytes) -> bytes:
    return _block_header(_RAW, len(data)) + data


def _one_sequence(literals: bytes, literal_length: int, offset: int) -> bytes:
    """A block with one sequence whose match is 3 bytes long; `literals` is the literals section.

    All three tables are of a single symbol, so that the bitstream is the offset's extra bits and the final 1.
    """
    value = offset + 3  # section 3.1.1.5: 1 to 3 mean the repeated ones
    code = value.bit_length() - 1
    modes = 0b01_01_01_00  # RLE for all
    content = literals + bytes((1, modes, literal_length, code, 0, value))
    return _block_header(_COMPRESSED, len(content)) + content


# Eight spaces as run-length literals, then matches at 8, 4 and 1: the most recent offset counts as the first.
_RESET = _one_sequence(bytes((8 << 3 | _RLE, ord(" "))), 8, 8) + _one_sequence(b"\0", 0, 4) + _one_sequence(b"\0", 0, 1)

_parameters = zstandard.ZstdCompressionParameters.from_level(
    _LEVEL, window_log=_WINDOW_LOG, write_content_size=False, write_checksum=False
)
_compressor = zstandard.ZstdCompressor(compression_params=_parameters)


def _zstd_blocks(data: bytes) -> bytes:
    """The blocks of a frame of its own, none of them marked as the last."""
    frame = bytearray(_compressor.compress(data))
    position = len(_FRAME_HEADER)
    while not frame[position] & _LAST:
        header = int.from_bytes(frame[position : position + 3], "little")
        position += 3 + (1 if header >> 1 & 3 == _RLE else header >> 3)
    frame[position] &= ~_LAST
    return _RESET + bytes(frame[len(_FRAME_HEADER) :])


def _zstd_context() -> Compress:
    # A compressor of its own: python-zstandard keeps the history there, not in the object that it makes.
    compressor = zstandard.ZstdCompressor(compression_params=_parameters).compressobj()
    pending = _RESET

    def compress(data: bytes) -> bytes:
        nonlocal pending
        written = compressor.compress(data) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        if not pending:
            return written
        # The first output begins with the frame header, which the stream has already.
        prefix, pending = pending, b""
        return prefix + written[len(_FRAME_HEADER) :]

    return compress


ZSTD = Codec(_FRAME_HEADER, b" " * 17, _raw, _zstd_blocks, _zstd_context)


# --- contexts --------------------------------------------------------------------------------------------------------


class Contexts:
    """The contexts of all connections, of which only the most recently used `capacity` keep their history in memory."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._alive: OrderedDict[Context, None] = OrderedDict()

    def use(self, context: "Context") -> None:
        self._alive[context] = None
        self._alive.move_to_end(context)
        if len(self._alive) > self._capacity:
            oldest, _ = self._alive.popitem(last=False)
            oldest.interrupt()

    def forget(self, context: "Context") -> None:
        self._alive.pop(context, None)


class Context:
    """What one connection's stream has said lately."""

    __slots__ = ("_codec", "_compress", "_contexts")

    def __init__(self, codec: Codec, contexts: Contexts) -> None:
        self._codec = codec
        self._contexts = contexts
        self._compress: Compress | None = None

    def compress(self, head: bytes, tail: bytes) -> bytes:
        self._contexts.use(self)
        if self._compress is None:
            self._compress = self._codec.new_context()
            return self._codec.plain(head) + self._compress(tail)
        return self._compress(b"".join((head, self._codec.filler, tail)))

    def interrupt(self) -> None:
        """Something else was written to the stream: the history ends here."""
        if self._compress is not None:
            self._compress = None
            self._contexts.forget(self)
