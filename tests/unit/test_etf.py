"""Erlang terms: read as erlpack writes them, written as erlpack reads them, and nothing else let in."""

import json
from typing import Any

import msgspec
import pytest

from chatd.model import etf
from tests.support import etf as client

# What erlpack 0.1.4 wrote for these values under Node 20.
ERLPACK: list[tuple[Any, str]] = [
    ({"op": 1, "d": None}, "8374000000026d000000026f7061016d000000016473036e696c"),
    ({"op": 1, "d": 251}, "8374000000026d000000026f7061016d000000016461fb"),
    (
        [4294967295, -1, 256, 1.5, [], {}, "", True, None],
        "836c000000096e0400ffffffff62ffffffff6200000100463ff80000000000006a74000000006d0000000073047472756573036e696c6a",
    ),
    (
        {
            "op": 2,
            "d": {
                "token": "Bot x",
                "properties": {"os": "linux", "browser": "Oceanic"},
                "compress": False,
                "large_threshold": 250,
                "intents": 53608447,
                "shard": [0, 2],
                "presence": {
                    "status": "idle",
                    "afk": False,
                    "since": 1700000000000.0,
                    "activities": [{"name": "ü", "type": 0}],
                },
            },
        },
        "8374000000026d000000026f7061026d000000016474000000076d00000005746f6b656e6d00000005426f7420786d0000000a70726f70"
        "65727469657374000000026d000000026f736d000000056c696e75786d0000000762726f777365726d000000074f6365616e69636d0000"
        "0008636f6d7072657373730566616c73656d0000000f6c617267655f7468726573686f6c6461fa6d00000007696e74656e747362033"
        "1ffff6d0000000573686172646c00000002610061026a6d0000000870726573656e636574000000046d000000067374617475736d000000"
        "0469646c656d0000000361666b730566616c73656d0000000573696e6365464278bcfe568000006d0000000a61637469766974696573"
        "6c0000000174000000026d000000046e616d656d00000002c3bc6d000000047479706561006a",
    ),
]


@pytest.mark.parametrize(("value", "written"), ERLPACK)
def test_what_erlpack_writes_is_read(value: Any, written: str) -> None:
    assert etf.decode(bytes.fromhex(written)) == value
    assert client.dump(value).hex() == written, "the tests' own client writes otherwise"


@pytest.mark.parametrize(
    ("value", "term"),
    [
        (None, b"s\3nil"),
        (True, b"s\4true"),
        (False, b"s\5false"),
        (0, b"a\0"),
        (255, b"a\xff"),
        (256, b"b\0\0\1\0"),
        (-1, b"b\xff\xff\xff\xff"),
        (-(2**31), b"b\x80\0\0\0"),
        (2**31 - 1, b"b\x7f\xff\xff\xff"),
        (2**31, b"n\4\0\0\0\0\x80"),
        (-(2**31) - 1, b"n\4\1\1\0\0\x80"),
        (2**64 - 1, b"n\x08\0" + b"\xff" * 8),
        (1.5, b"F\x3f\xf8\0\0\0\0\0\0"),
        ("", b"m\0\0\0\0"),
        ("ü", b"m\0\0\0\2\xc3\xbc"),
        ("10", b"m\0\0\0\x0210"),
        ([], b"j"),
        ([[1], []], b"l\0\0\0\2l\0\0\0\1a\1jjj"),
        ({}, b"t\0\0\0\0"),
        ({"id": 1}, b"t\0\0\0\1s\2ida\1"),
        # Keys that are data: in another alphabet, no name, too long for an atom, or an atom that is a value.
        ({"é": 1}, b"t\0\0\0\1m\0\0\0\2\xc3\xa9a\1"),
        ({"en-US": 1}, b"t\0\0\0\1m\0\0\0\5en-USa\1"),
        ({"x" * 255: 1}, b"t\0\0\0\1s\xff" + b"x" * 255 + b"a\1"),
        ({"x" * 256: 1}, b"t\0\0\0\1m\0\0\1\0" + b"x" * 256 + b"a\1"),
        ({"nil": 1}, b"t\0\0\0\1m\0\0\0\3nila\1"),
    ],
)
def test_a_value_is_written_as_the_documentation_has_it(value: Any, term: bytes) -> None:
    assert etf.encode(value) == term
    assert client.load(b"\x83" + term) == value


@pytest.mark.parametrize(
    ("term", "value"),
    [
        (b"k\0\2\0\xff", [0, 255]),  # how Erlang writes a list of small integers
        (b"k\0\0", []),
        (b"d\0\3nil", None),
        (b"s\4null", None),
        (b"v\0\4true", True),
        (b"w\5false", False),
        (b"n\0\0", 0),
        (b"n\x08\1" + b"\1" + b"\0" * 7, -1),
    ],
)
def test_what_other_clients_write_is_read_too(term: bytes, value: Any) -> None:
    assert etf.decode(b"\x83" + term) == value


NESTED = b"l\0\0\0\1"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x83",
        b"\x82a\1",
        b"a\1",
        b'{"op":1}',
        b"\x83a",
        b"\x83a\1a",
        b"\x83b\0\0\0",
        b"\x83F\0\0\0\0\0\0\0",
        b"\x83F\x7f\xf0\0\0\0\0\0\0",
        b"\x83F\x7f\xf8\0\0\0\0\0\0",
        b"\x83n\2\0\1",
        b"\x83m\0\0\0\2x",
        b"\x83m\xff\xff\xff\xffx",
        b"\x83m\0\0\0\1\xff",
        b"\x83k\0\2\1",
        b"\x83l\0\0\0\1a\1",
        b"\x83l\0\0\0\1a\1a\2",
        b"\x83l\xff\xff\xff\xff" + b"j" * 4000,
        b"\x83t\xff\xff\xff\xff",
        b"\x83t\0\0\0\1m\0\0\0\1x",
        b"\x83t\0\0\0\1s\2opa\1",
        b"\x83t\0\0\0\1a\1a\1",
        b"\x83t\0\0\0\1ja\1",
        b"\x83s\4idle",
        b"\x83d\0\4idle",
        b"\x83s\5tru",
        b"\x83s\0",
        b"\x83h\2a\1a\1",
        b"\x83i\0\0\0\0",
        b"\x83o\0\0\0\1\0\1",
        b"\x83c" + b"1.5" + b"\0" * 28,
        b"\x83P\0\0\0\2\x78\x9c\x4b\x64\x04\0\0\xc5\0\x63",
        b"\x83g" + b"s\1x" + b"\0" * 9,
        b"\x83X" + b"s\1x" + b"\0" * 12,
        b"\x83r\0\1s\1x\0\0\0\0\0",
        b"\x83p\0\0\0\4",
        b"\x83q" + b"s\1x" * 2 + b"a\1",
        b"\x83R\0",
        b"\x83M\0\0\0\1\1\x80",
        b"\x83" + NESTED * 800 + b"j" * 801,
    ],
)
def test_what_is_no_value_is_refused(message: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        etf.decode(message)


def test_nesting_has_a_limit() -> None:
    assert json.dumps(etf.decode(b"\x83" + NESTED * etf.DEPTH + b"j" * (etf.DEPTH + 1))).count("[") == etf.DEPTH + 1
    with pytest.raises(msgspec.DecodeError):
        etf.decode(b"\x83" + NESTED * (etf.DEPTH + 1) + b"j" * (etf.DEPTH + 2))
