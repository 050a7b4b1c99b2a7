"""The gateway's protocol without a socket: every opcode in every state, and every way to get it wrong."""

import json
from typing import Any

import pytest

from chatd.gateway.protocol import (
    MESSAGE_BYTES,
    SENDS,
    SENDS_WINDOW_S,
    Command,
    Heartbeat,
    Protocol,
    State,
)
from chatd.live.formats import IN_ETF, IN_JSON
from chatd.model.errors import GatewayClose
from chatd.model.objects.gateway import Identify, RequestGuildMembers, Resume
from chatd.model.objects.presence import PresenceParams
from chatd.model.objects.voice import VoiceStateUpdate
from tests.support import etf

IDENTIFY = {"token": "t", "intents": 1, "properties": {"os": "linux"}}
RESUME = {"token": "t", "session_id": "s", "seq": 7}
PRESENCE = {"status": "idle", "since": 91879201, "afk": False, "activities": [{"name": "chess", "type": 0}]}
VOICE = {"guild_id": "1", "channel_id": None, "self_mute": False, "self_deaf": False}
MEMBERS = {"guild_id": "1", "query": "", "limit": 0}


def receive(message: bytes, state: State = State.NEW, encoding: int = IN_JSON) -> Command:
    protocol = Protocol(encoding)
    protocol.state = state
    return protocol.receive(message, 0.0)


def close_code(message: bytes, state: State = State.NEW, encoding: int = IN_JSON) -> int:
    with pytest.raises(GatewayClose) as caught:
        receive(message, state, encoding)
    return caught.value.code


def send(op: object, d: object = None) -> bytes:
    return json.dumps({"op": op, "d": d}).encode()


@pytest.mark.parametrize(
    ("op", "d", "new", "identified"),
    [
        (0, {}, 4001, 4001),
        (1, None, Heartbeat, Heartbeat),
        (1, 251, Heartbeat, Heartbeat),
        (2, IDENTIFY, Identify, 4005),
        (3, PRESENCE, 4003, PresenceParams),
        (4, VOICE, 4003, VoiceStateUpdate),
        (5, {}, 4001, 4001),
        (6, RESUME, Resume, 4005),
        (7, None, 4001, 4001),
        (8, MEMBERS, 4003, RequestGuildMembers),
        (9, False, 4001, 4001),
        (10, {}, 4001, 4001),
        (11, None, 4001, 4001),
        # What only Discord's own client sends, and what is about sounds and voice channels' states: not spoken here.
        (12, {}, 4001, 4001),
        (13, {}, 4001, 4001),
        (14, {}, 4001, 4001),
        (31, {"guild_ids": ["1"]}, 4001, 4001),
        (37, {}, 4001, 4001),
        (43, {"guild_id": "1", "fields": ["status"]}, 4001, 4001),
        (-1, {}, 4001, 4001),
        (2**80, {}, 4001, 4001),
    ],
)
def test_every_opcode_in_every_state(op: int, d: object, new: Any, identified: Any) -> None:
    for state, expected in ((State.NEW, new), (State.IDENTIFIED, identified)):
        for message, encoding in ((send(op, d), IN_JSON), (etf.dump({"op": op, "d": d}), IN_ETF)):
            if isinstance(expected, int):
                assert close_code(message, state, encoding) == expected
            else:
                assert type(receive(message, state, encoding)) is expected


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b" ",
        b"hello",
        b"\xff\xfe",
        b'{"op":1',
        b'{"op":1,"d":null}{"op":1,"d":null}',
        b'{"op":1,}',
        b"null",
        b"1",
        b"[]",
        b'[1,"d"]',
        b'"op"',
        b"{}",
        b'{"d":null}',
        b'{"OP":1}',
        b'{"op":null}',
        b'{"op":"1"}',
        b'{"op":1.0}',
        b'{"op":1.5}',
        b'{"op":true}',
        b'{"op":[1]}',
        b'{"op":{}}',
        b'{"op":NaN}',
        b'{"op":1,"d":' + b"[" * 3000 + b"]" * 3000 + b"}",
        b"[" * 4000,
    ],
)
def test_what_is_no_payload_is_a_decode_error(message: bytes) -> None:
    assert close_code(message) == 4002
    assert close_code(message, State.IDENTIFIED) == 4002


@pytest.mark.parametrize(
    ("op", "d"),
    [
        (2, None),
        (2, []),
        (2, "token"),
        (2, {}),
        (2, {"token": None}),
        (2, {"token": 5}),
        (2, {**IDENTIFY, "intents": "1"}),
        (2, {**IDENTIFY, "intents": 1.5}),
        (2, {**IDENTIFY, "intents": None}),
        (2, {**IDENTIFY, "shard": [0]}),
        (2, {**IDENTIFY, "shard": [0, 1, 2]}),
        (2, {**IDENTIFY, "shard": ["0", "1"]}),
        (2, {**IDENTIFY, "shard": 0}),
        (2, {**IDENTIFY, "large_threshold": 49}),
        (2, {**IDENTIFY, "large_threshold": 251}),
        (2, {**IDENTIFY, "presence": {"status": "busy"}}),
        (2, {**IDENTIFY, "compress": 1}),
        (2, {**IDENTIFY, "properties": []}),
        (2, {**IDENTIFY, "properties": {"browser": 5}}),
        (6, None),
        (6, {}),
        (6, {"token": "t", "session_id": "s"}),
        (6, {"token": "t", "seq": 1}),
        (6, {"session_id": "s", "seq": 1}),
        (6, {**RESUME, "seq": None}),
        (6, {**RESUME, "seq": "7"}),
        (6, {**RESUME, "session_id": 5}),
    ],
)
def test_a_body_of_the_wrong_shape_is_a_decode_error(op: int, d: object) -> None:
    assert close_code(send(op, d)) == 4002
    assert close_code(etf.dump({"op": op, "d": d}), encoding=IN_ETF) == 4002


@pytest.mark.parametrize(
    ("op", "d"),
    [
        (3, None),
        (3, {"status": "busy"}),
        (3, {"status": None}),
        (3, {"activities": {}}),
        (3, {"activities": [{"type": 0}]}),
        (3, {"activities": [{"name": "x" * 129}]}),
        (3, {"activities": [{"name": "x"}] * 17}),
        (3, {"game": "chess"}),
        (3, {"since": "now"}),
        (3, {"afk": 1}),
        (3, {"activities": [{"name": "x", "type": 6}]}),
        (3, {"activities": [{"name": "x", "type": 1, "url": 5}]}),
        (3, {"activities": [{"name": "x", "type": 4, "emoji": "book"}]}),
        (4, None),
        (4, {}),
        (4, {**VOICE, "guild_id": "nonsense"}),
        (4, {**VOICE, "guild_id": -1}),
        (4, {**VOICE, "channel_id": 1.5}),
        (4, {**VOICE, "self_mute": 1}),
        (4, {**VOICE, "self_deaf": None}),
        (8, None),
        (8, {}),
        (8, {"guild_id": None}),
        (8, {"guild_id": 1.5}),
        (8, {**MEMBERS, "limit": -1}),
        (8, {**MEMBERS, "limit": "all"}),
        (8, {**MEMBERS, "query": 5}),
        (8, {**MEMBERS, "user_ids": {}}),
        (8, {**MEMBERS, "nonce": 5}),
    ],
)
def test_and_so_it_is_for_commands(op: int, d: object) -> None:
    assert close_code(send(op, d), State.IDENTIFIED) == 4002
    assert close_code(etf.dump({"op": op, "d": d}), State.IDENTIFIED, IN_ETF) == 4002


@pytest.mark.parametrize(
    "message",
    [
        send(1),  # JSON
        b"\x83j",
        b"\x83a\1",
        etf.dump({}),
        etf.dump({"d": None}),
        etf.dump({"op": "1"}),
        etf.dump({"op": 1.0}),
        etf.dump({"op": True}),
        etf.dump({"op": None}),
        etf.dump({"op": 2}),
        b"\x83t\0\0\0\1s\2opa\1",  # an atom as the key: events/gateway, "Using ETF Encoding"
    ],
)
def test_what_is_no_term_of_a_payload_is_a_decode_error(message: bytes) -> None:
    assert close_code(message, encoding=IN_ETF) == 4002


@pytest.mark.parametrize("message", [b'{"op":2}', b'{"op":6}', b'{"op":2,"D":{}}'])
def test_a_body_that_is_missing_is_a_decode_error(message: bytes) -> None:
    assert close_code(message) == 4002


def test_a_heartbeat_needs_no_body() -> None:
    assert receive(b'{"op":1}') == Heartbeat()


@pytest.mark.parametrize(
    ("op", "d"),
    [
        # What libraries send: activities in the older form, times of all kinds, ids as numbers, compress as a string.
        (3, {"status": "online", "since": None, "game": None, "afk": False}),
        (3, {"status": "online", "since": 0.0, "game": {"name": "chess", "type": 0, "url": None}, "afk": True}),
        (3, {"status": "invisible", "since": 1700000000000, "activities": [], "afk": False}),
        (3, {"activities": [{"name": "Custom Status", "type": 4, "state": "reading", "emoji": None}]}),
        (3, {"activities": [{"name": "Custom Status", "type": 4, "state": None, "emoji": {"name": "x", "id": None}}]}),
        (4, {"guild_id": 613425648685547541, "channel_id": 5, "self_mute": True, "self_deaf": True}),
        (4, {"guild_id": None, "channel_id": None, "self_mute": False, "self_deaf": False, "self_video": False}),
        (4, {"guild_id": "1", "channel_id": None}),
        (8, {"guild_id": 613425648685547541, "user_ids": [1, 2], "presences": True, "nonce": "abc", "limit": 0}),
        (8, {"guild_id": ["1"], "user_ids": "2"}),
        (8, {"guild_id": "1", "query": "a", "limit": 1, "presences": None, "user_ids": None, "nonce": None}),
    ],
)
def test_what_libraries_send_is_understood(op: int, d: object) -> None:
    assert receive(send(op, d), State.IDENTIFIED) == receive(etf.dump({"op": op, "d": d}), State.IDENTIFIED, IN_ETF)


@pytest.mark.parametrize("compress", [True, False, None, "zlib-stream"])
def test_identify_takes_every_kind_of_compress(compress: object) -> None:
    assert isinstance(receive(send(2, {**IDENTIFY, "compress": compress})), Identify)


def test_unknown_fields_are_nobodys_business() -> None:
    message = json.dumps({"op": 2, "d": {**IDENTIFY, "capabilities": 1}, "s": None, "t": None, "x": [1]}).encode()
    command = receive(message)
    assert isinstance(command, Identify)
    assert (command.token, command.intents, command.shard) == ("t", 1, None)


def test_the_longest_message_is_understood() -> None:
    d = {**IDENTIFY, "pad": ""}
    message = send(2, {**d, "pad": "x" * (MESSAGE_BYTES - len(send(2, d)))})
    assert len(message) == MESSAGE_BYTES
    assert isinstance(receive(message), Identify)


def test_one_message_too_many_in_a_window_is_rate_limited() -> None:
    protocol = Protocol()
    for n in range(SENDS):
        protocol.receive(send(1), n / 10)
    with pytest.raises(GatewayClose) as caught:
        protocol.receive(send(1), SENDS_WINDOW_S - 0.1)
    assert caught.value.code == 4008


def test_the_next_window_starts_from_nothing() -> None:
    protocol = Protocol()
    for window in range(3):
        for _ in range(SENDS):
            protocol.receive(send(1), window * float(SENDS_WINDOW_S))


def test_messages_that_are_refused_count_as_well() -> None:
    protocol = Protocol()
    codes = []
    for _ in range(SENDS + 1):
        with pytest.raises(GatewayClose) as caught:
            protocol.receive(b"?", 0.0)
        codes.append(caught.value.code)
    assert codes == [4002] * SENDS + [4008]
