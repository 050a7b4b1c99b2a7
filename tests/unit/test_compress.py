"""Spliced and own histories: whatever is mixed, an ordinary decompressor reads one stream."""

import json
import random
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from chatd.live import compress
from chatd.live.compress import Codec, Context, Contexts

CODECS = {"zlib": compress.ZLIB, "zstd": compress.ZSTD}
SYNC = b"\x00\x00\xff\xff"


def reader(name: str) -> Callable[[bytes], bytes]:
    """A client's decompressor: one for the whole connection, as discord.py has it."""
    return (zlib.decompressobj() if name == "zlib" else zstandard.ZstdDecompressor().decompressobj()).decompress


@pytest.fixture(params=CODECS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def text(random_: random.Random) -> bytes:
    """Something like an event: ids with runs of digits, repeated keys, now and then something large."""
    body = {"id": "0" * random_.randrange(20), "n": random_.getrandbits(60), "content": "ab " * random_.randrange(50)}
    if random_.random() < 0.02:
        body["large"] = random_.randbytes(200_000).hex()
    return json.dumps(body).encode()


def test_independent_blocks_follow_one_another(name: str) -> None:
    codec, read, source = CODECS[name], reader(name), random.Random(1)
    read(codec.stream_header)
    for number in range(500):
        head, tail = b'{"s":%d' % number, text(source)
        assert read(codec.plain(head) + codec.independent(tail)) == head + codec.filler + tail


def test_shared_and_own_history_alternate(name: str) -> None:
    codec, read, source = CODECS[name], reader(name), random.Random(2)
    context = Context(codec, Contexts(4))
    read(codec.stream_header)
    for _ in range(500):
        head, tail = text(source)[:1000], text(source)
        if source.random() < 0.5:
            written = context.compress(head, tail)
        else:
            context.interrupt()
            written = codec.plain(head) + codec.independent(tail)
        assert read(written) == head + codec.filler + tail


def test_zlib_pieces_end_where_libraries_look_for_the_end() -> None:
    context = Context(compress.ZLIB, Contexts(4))
    for written in (compress.ZLIB.independent(b"{}"), context.compress(b"[", b"]"), context.compress(b"{", b"}")):
        assert written.endswith(SYNC)


def test_own_history_is_several_times_smaller(name: str) -> None:
    codec = CODECS[name]
    data = json.dumps({"content": "hello", "author": {"id": "123", "username": "someone"}}).encode()
    context = Context(codec, Contexts(4))
    context.compress(b"", data)
    assert 3 * len(context.compress(b"", data)) < len(codec.independent(data))


def test_evicted_context_goes_on_with_a_valid_stream(name: str) -> None:
    codec, contexts = CODECS[name], Contexts(1)
    one, other, read = Context(codec, contexts), Context(codec, contexts), reader(name)
    read(codec.stream_header)
    for number in range(20):
        data = b'{"number":%d,"text":"the same every time"}' % number
        assert read(one.compress(b"head", data)) == b"head" + codec.filler + data
        if number % 3 == 0:
            other.compress(b"head", data)


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=10), st.sampled_from(sorted(CODECS)))
def test_any_bytes_survive(pieces: list[bytes], name: str) -> None:
    codec: Codec = CODECS[name]
    read = reader(name)
    read(codec.stream_header)
    for piece in pieces:
        assert read(codec.independent(piece)) == codec.filler + piece
        assert read(codec.plain(piece)) == piece
