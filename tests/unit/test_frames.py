"""Dispatch events as WebSocket frames, plain and compressed."""

import json
import zlib

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from chatd.live.compress import Context, Contexts
from chatd.live.formats import (
    ETF,
    ETF_ZLIB,
    ETF_ZSTD,
    FORMATS,
    JSON,
    PAYLOAD,
    PAYLOAD_BYTES,
    ZLIB,
    ZSTD,
    header,
)
from chatd.live.frames import Event, control
from chatd.model.objects.gateway import Op
from tests.support.live import BINARY, HELLO, TEXT, Wire, frames, read_stream

NAMES = {
    JSON: "json",
    ZLIB: "json-zlib",
    ZSTD: "json-zstd",
    PAYLOAD: "payload",
    ETF: "etf",
    ETF_ZLIB: "etf-zlib",
    ETF_ZSTD: "etf-zstd",
}
COMPRESSED = pytest.mark.parametrize("format_", [ZLIB, ZSTD, ETF_ZLIB, ETF_ZSTD], ids=NAMES.__getitem__)
EVERY_FORMAT = pytest.mark.parametrize("format_", range(len(FORMATS)), ids=NAMES.__getitem__)


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        (2**40, b"\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00"),
    ],
)
def test_a_header_has_the_shortest_length_that_fits(size: int, written: bytes) -> None:
    assert header(TEXT, size) == written


@pytest.mark.parametrize("size", [0, 50, 90, 100, 125, 126, 127, 65_400, 65_500, 65_536, 300_000])
def test_an_event_is_one_text_frame_for_a_websocket_client(size: int) -> None:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(Event("NAME", b'"' + b"x" * size + b'"').frame(12345, JSON, lean=False))
    parts = [event for event in client.events() if isinstance(event, TextMessage)]
    assert json.loads("".join(part.data for part in parts)) == {"t": "NAME", "s": 12345, "op": 0, "d": "x" * size}
    assert parts[-1].message_finished


@EVERY_FORMAT
def test_who_may_not_see_content_gets_the_lean_body(format_: int) -> None:
    event = Event("MESSAGE_CREATE", b'{"content":"secret"}', lean=b'{"content":""}')
    wire = Wire(format_)
    for seq, lean in enumerate((False, True, False, True), 1):
        wire.push(event.frame(seq, format_, lean))
    assert [d["content"] for _, _, d in wire.dispatches()] == ["secret", "", "secret", ""]


def test_without_a_lean_body_there_is_no_difference() -> None:
    event = Event("MESSAGE_DELETE", b"{}")
    assert event.frame(1, JSON, lean=True) == event.frame(1, JSON, lean=False)


def test_typing_presence_and_resumed_are_volatile() -> None:
    names = ("TYPING_START", "PRESENCE_UPDATE", "MESSAGE_CREATE", "READY", "RESUMED", "GUILD_CREATE")
    assert [name for name in names if Event(name, b"{}").volatile] == ["TYPING_START", "PRESENCE_UPDATE", "RESUMED"]


@COMPRESSED
def test_a_stream_of_shared_and_own_blocks_is_one_stream_to_its_client(format_: int) -> None:
    wire = Wire(format_)
    assert wire.context is not None
    expected = []
    for seq in range(1, 200):
        body = json.dumps({"seq": seq, "text": f"word {seq % 7} " * (seq % 40)}).encode()
        event = Event("MESSAGE_CREATE", body)
        if seq % 10 < 6:
            wire.push(event.frame_in(wire.context, seq, format_, lean=False))
        else:
            wire.context.interrupt()
            wire.push(event.frame(seq, format_, lean=False))
        if seq % 13 == 0:
            wire.context.interrupt()
            wire.push(control(Op.HEARTBEAT_ACK, None, format_))
        expected.append((seq, "MESSAGE_CREATE", json.loads(body)))
    assert wire.dispatches() == expected


@COMPRESSED
def test_a_body_beyond_every_block_and_window_size_survives(format_: int) -> None:
    wire = Wire(format_)
    assert wire.context is not None
    bodies = [json.dumps(list(range(start, start + 60_000))).encode() for start in (0, 7)]
    wire.push(Event("BIG", bodies[0]).frame_in(wire.context, 1, format_, lean=False))
    wire.push(Event("BIG", bodies[1]).frame_in(wire.context, 2, format_, lean=False))
    wire.context.interrupt()
    wire.push(Event("BIG", bodies[0]).frame(3, format_, lean=False))
    assert [d for _, _, d in wire.dispatches()] == [json.loads(bodies[n]) for n in (0, 1, 0)]


@COMPRESSED
def test_a_context_that_had_to_give_up_its_memory_begins_anew(format_: int) -> None:
    contexts = Contexts(1)
    one, other = Wire(format_, contexts), Wire(format_, contexts)
    for seq in range(1, 6):
        for wire in (one, other):
            assert wire.context is not None
            wire.push(Event("NAME", b'"the same again and again"').frame_in(wire.context, seq, format_, lean=False))
    expected = [(seq, "NAME", "the same again and again") for seq in range(1, 6)]
    assert one.dispatches() == other.dispatches() == expected


@COMPRESSED
def test_histories_are_each_connections_own(format_: int) -> None:
    wires = [Wire(format_), Wire(format_), Wire(format_)]
    for seq in range(1, 6):
        for n, wire in enumerate(wires[:2]):
            assert wire.context is not None
            wire.push(Event("NAME", b'"the words of %d"' % n).frame_in(wire.context, seq, format_, lean=False))
        wires[2].push(Event("NAME", b'"the words of all"').frame(seq, format_, lean=False))
    assert [wire.dispatches()[-1] for wire in wires] == [
        (5, "NAME", "the words of 0"),
        (5, "NAME", "the words of 1"),
        (5, "NAME", "the words of all"),
    ]


@COMPRESSED
def test_a_history_of_its_own_compresses_better(format_: int) -> None:
    event = Event("MESSAGE_CREATE", json.dumps({str(n): "some words" for n in range(30)}).encode())
    codec = FORMATS[format_].codec
    assert codec is not None
    context = Context(codec, Contexts(1))
    event.frame_in(context, 1, format_, lean=False)
    again = event.frame_in(context, 2, format_, lean=False)
    assert len(again) < len(event.frame(2, format_, lean=False)) < len(event.frame(2, JSON, lean=False))


@pytest.mark.parametrize("size", [PAYLOAD_BYTES - 20, PAYLOAD_BYTES, 65_536, 300_000])
def test_with_payload_compression_a_large_message_is_a_zlib_stream_of_its_own(size: int) -> None:
    event = Event("GUILD_CREATE", b'"' + b"x" * size + b'"')
    for seq in (1, 23_456):
        [(first, payload)] = frames(event.frame(seq, PAYLOAD, lean=False))
        assert first == (TEXT if size < PAYLOAD_BYTES else BINARY)
        text = zlib.decompress(payload) if first == BINARY else payload
        assert json.loads(text) == {"t": "GUILD_CREATE", "s": seq, "op": 0, "d": "x" * size}


def test_a_term_has_the_names_that_elixir_knows() -> None:
    # Atoms for keys and for the event; binaries for what people write. Read by hand, after Erlang's documentation.
    [(first, term)] = frames(Event("READY", b'{"id":"7","n":null,"x y":[]}').frame(300, ETF, lean=False))
    assert first == BINARY
    assert term == (
        b"\x83t\0\0\0\4s\1ts\5READYs\1sb\0\0\1\x2cs\2opa\0s\1dt\0\0\0\3s\2idm\0\0\0\0017s\1ns\3nilm\0\0\0\3x yj"
    )


@EVERY_FORMAT
def test_what_is_no_dispatch_has_neither_sequence_nor_name(format_: int) -> None:
    sent = [
        control(Op.HELLO, HELLO, format_, True),
        control(Op.HEARTBEAT_ACK, None, format_),
        control(Op.INVALID_SESSION, False, format_),
        control(Op.RECONNECT, None, format_),
    ]
    assert read_stream(format_, b"".join(sent)) == [
        {"t": None, "s": None, "op": 10, "d": {"heartbeat_interval": 1000}},
        {"t": None, "s": None, "op": 11, "d": None},
        {"t": None, "s": None, "op": 9, "d": False},
        {"t": None, "s": None, "op": 7, "d": None},
    ]
    assert {first for first, _ in frames(b"".join(sent))} == {TEXT if format_ in (JSON, PAYLOAD) else BINARY}
