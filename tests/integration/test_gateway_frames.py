"""The gateway as WebSocket: RFC 6455 by the frame, as a hostile or clumsy client writes it."""

import json

import pytest
import trio

from tests.support.app import Server
from tests.support.raw import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawGateway,
    close_frame,
    connect,
    frame,
    upgrade,
)

HEARTBEAT = b'{"op":1,"d":null}'


@pytest.fixture
async def server(sqlite_server: Server) -> Server:
    return sqlite_server


@pytest.fixture
async def gateway(server: Server):
    """After HELLO."""
    async with connect(server.url) as gateway:
        assert (await gateway.receive()).json["op"] == 10
        yield gateway


async def is_acknowledged(gateway: RawGateway) -> bool:
    received = await gateway.receive()
    return received.opcode == TEXT and received.json == {"op": 11, "d": None, "s": None, "t": None}


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_json_may_come_as_text_and_as_binary(gateway: RawGateway, opcode: int) -> None:
    await gateway.send(frame(opcode, HEARTBEAT))
    assert await is_acknowledged(gateway)


async def test_bytes_may_come_one_by_one(gateway: RawGateway) -> None:
    for byte in frame(TEXT, HEARTBEAT):
        await gateway.send(bytes([byte]))
    assert await is_acknowledged(gateway)


async def test_messages_may_come_all_at_once(gateway: RawGateway) -> None:
    await gateway.send(frame(TEXT, HEARTBEAT) * 5)
    for _ in range(5):
        assert await is_acknowledged(gateway)


async def test_a_message_may_be_sent_along_with_the_upgrade(server: Server) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", server.port)
    async with stream:
        await stream.send_all(upgrade("localhost", "") + frame(TEXT, HEARTBEAT))
        gateway, head = RawGateway(stream), b""
        while not head.endswith(b"\r\n\r\n"):
            head += await gateway._exactly(1)
        assert (await gateway.receive()).json["op"] == 10
        assert await is_acknowledged(gateway)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_a_message_may_be_fragmented_with_pings_in_between(gateway: RawGateway, opcode: int) -> None:
    await gateway.send(frame(opcode, HEARTBEAT[:3], fin=False))
    await gateway.send(frame(PING, b"still there?"))
    await gateway.send(frame(CONTINUATION, b"", fin=False))
    await gateway.send(frame(CONTINUATION, HEARTBEAT[3:7], fin=False))
    await gateway.send(frame(PONG, b"unasked"))
    await gateway.send(frame(CONTINUATION, HEARTBEAT[7:]))
    assert await gateway.receive() == (PONG, b"still there?")
    assert await is_acknowledged(gateway)


async def test_a_character_may_be_cut_by_a_fragment(gateway: RawGateway) -> None:
    message = json.dumps({"op": 1, "d": "ü𝄞"}, ensure_ascii=False).encode()
    await gateway.send(frame(TEXT, message[:15], fin=False))
    for byte in message[15:]:
        await gateway.send(frame(CONTINUATION, bytes([byte]), fin=False))
    await gateway.send(frame(CONTINUATION))
    assert await is_acknowledged(gateway)


@pytest.mark.parametrize("payload", [b"", b"x", b"\x00\xff", b"y" * 125])
async def test_a_ping_is_answered_with_its_payload(gateway: RawGateway, payload: bytes) -> None:
    await gateway.send(frame(PING, payload))
    assert await gateway.receive() == (PONG, payload)


async def test_pongs_are_ignored(gateway: RawGateway) -> None:
    await gateway.send(frame(PONG) + frame(PONG, b"x") + frame(TEXT, HEARTBEAT))
    assert await is_acknowledged(gateway)


VIOLATIONS = {
    "unmasked": frame(TEXT, HEARTBEAT, masked=False),
    "reserved bit 1, compression": frame(TEXT, HEARTBEAT, rsv=4),
    "reserved bit 2": frame(TEXT, HEARTBEAT, rsv=2),
    "reserved bit 3": frame(TEXT, HEARTBEAT, rsv=1),
    "reserved data opcode": frame(3, HEARTBEAT),
    "reserved control opcode": frame(11),
    "ping too long": frame(PING, b"x" * 126),
    "close too long": frame(CLOSE, b"\x03\xe8" + b"x" * 124),
    "ping in fragments": frame(PING, b"x", fin=False),
    "continuation of nothing": frame(CONTINUATION, HEARTBEAT),
    "new message within another": frame(TEXT, b"{", fin=False) + frame(TEXT, HEARTBEAT),
    "close with half a code": frame(CLOSE, b"\x03"),
    "close with code 999": close_frame(999),
    "close with code 1005": close_frame(1005),
    "close with code 1006": close_frame(1006),
    "close with code 1015": close_frame(1015),
    "length not in its shortest form": bytes([0x81, 0xFE, 0, 5]) + b"\0\0\0\0hello",
    "length with its top bit": bytes([0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 5]) + b"\0\0\0\0hello",
}


@pytest.mark.parametrize("data", VIOLATIONS.values(), ids=VIOLATIONS.keys())
async def test_what_breaks_the_protocol_is_closed_with_1002(gateway: RawGateway, data: bytes) -> None:
    # Behind it a heartbeat, which must not be answered any more, and what would be left unread.
    await gateway.send(data + frame(TEXT, HEARTBEAT) + b"x" * 100_000)
    closed = await gateway.receive()
    assert closed.code == 1002
    await gateway.stream.send_eof()
    await gateway.ended()


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b"\xff"),
        frame(TEXT, b'{"op":1,"d":"\xed\xa0\x80"}'),  # a surrogate
        frame(TEXT, b'{"op":1,"d":"\xc0\xaf"}'),  # not the shortest form
        frame(TEXT, b'{"op":1,"d":"\xf0\x9f', fin=False) + frame(CONTINUATION, b'"}'),
        frame(TEXT, b'{"op":1,"d":"\xf0\x9f'),  # ends within a character
        close_frame(1000, b"\xff"),
    ],
)
async def test_text_that_is_no_utf8_is_closed_with_1007(gateway: RawGateway, data: bytes) -> None:
    await gateway.send(data)
    assert (await gateway.receive()).code == 1007
    await gateway.stream.send_eof()
    await gateway.ended()


@pytest.mark.parametrize(
    "data",
    [
        frame(TEXT, b" " * 4097),
        frame(BINARY, b" " * 100_000),
        frame(TEXT, b" " * 4000, fin=False) + frame(CONTINUATION, b" " * 97, fin=False),
        frame(TEXT, b" " * 70_000)[:6000],  # the rest never comes
    ],
)
async def test_a_message_beyond_4096_bytes_is_closed_with_4002(gateway: RawGateway, data: bytes) -> None:
    await gateway.send(data)
    assert (await gateway.receive()).code == 4002


async def test_a_message_of_4096_bytes_is_fine(gateway: RawGateway) -> None:
    await gateway.send(frame(TEXT, HEARTBEAT.ljust(4096)))
    assert await is_acknowledged(gateway)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (close_frame(1000), 1000),
        (close_frame(1001, b"bye"), 1001),
        (close_frame(3000, b"x" * 123), 3000),
        (close_frame(4900), 4900),
        (frame(CLOSE), 1005),
    ],
)
async def test_a_close_is_answered_in_kind_and_then_the_connection_ends(
    gateway: RawGateway, sent: bytes, answered: int
) -> None:
    await gateway.send(sent)
    closed = await gateway.until_closed()
    if answered == 1005:
        assert closed.payload == b""
    else:
        assert closed.code == answered


async def test_nothing_is_read_after_a_close(gateway: RawGateway) -> None:
    await gateway.send(close_frame(1000) + frame(TEXT, HEARTBEAT) * 3)
    assert (await gateway.receive()).code == 1000
    await gateway.stream.send_eof()


async def test_after_our_close_only_the_answer_to_it_counts(gateway: RawGateway) -> None:
    await gateway.send(frame(TEXT, b'{"op":99}') + frame(TEXT, HEARTBEAT) + frame(PING, b"x"))
    assert (await gateway.receive()).code == 4001
    await gateway.send(frame(TEXT, HEARTBEAT) + close_frame(4001))
    await gateway.ended()


@pytest.mark.parametrize("half", [b"", b"\x81", frame(TEXT, HEARTBEAT)[:10]], ids=["between", "in head", "in payload"])
async def test_a_client_may_just_hang_up(gateway: RawGateway, half: bytes) -> None:
    await gateway.send(half)
    await gateway.stream.send_eof()
    await gateway.ended()


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        ("GET /gatewayx HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", 404),
        ("GET /gateway HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", 400),
        (
            "GET /gateway HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dG9vc2hvcnQ=\r\n",
            400,
        ),
        (
            "GET /gateway HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            426,
        ),
    ],
)
async def test_what_is_no_upgrade_is_answered_in_http(server: Server, request_head: str, status: int) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        await stream.send_all(f"{request_head}Host: x\r\n\r\n".encode())
        with trio.fail_after(5):
            answer = b"".join([chunk async for chunk in stream])
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert (b"Sec-WebSocket-Version: 13" in answer) is (status == 426)


async def test_the_handshake_is_the_rfcs(server: Server) -> None:
    """The example of section 1.3, with what else clients send."""
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        await stream.send_all(
            b"GET /gateway/?v=10 HTTP/1.1\r\nHost: x\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\nOrigin: http://x\r\n\r\n"
        )
        with trio.fail_after(5):
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += await stream.receive_some()
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 101 ")
    assert b"\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head
    assert b"extensions" not in head, "nothing is compressed by the WebSocket"
