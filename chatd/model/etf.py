"""Erlang's external term format, as far as gateway messages need it. Docs: erlang.org, "External Term Format".

Written are the terms that Discord's clients read, old ones included: its own erlpack knows no UTF-8 atoms. Read is what
a client may mean by a JSON value; references, functions, compressed terms and the like are refused unseen.
"""

import functools
import math
from collections.abc import Callable
from struct import pack, unpack
from typing import Any

from msgspec import DecodeError

VERSION = 131

# The most that lists and maps may be nested in what is read; no command needs more than a few.
DEPTH = 32

_NEW_FLOAT = 70
_SMALL_INTEGER = 97
_INTEGER = 98
_ATOM = 100
_NIL = 106
_STRING = 107
_LIST = 108
_BINARY = 109
_SMALL_BIG = 110
_SMALL_ATOM = 115
_MAP = 116
_ATOM_UTF8 = 118
_SMALL_ATOM_UTF8 = 119

# Atoms that stand for a value of JSON. Elixir says nil, other Erlang code null.
_CONSTANTS = {b"nil": None, b"null": None, b"true": True, b"false": False}


# --- writing ---------------------------------------------------------------------------------------------------------

Write = Callable[[bytes], None]


def encode(value: Any) -> bytes:
    """One term, without the version that begins a message, of what JSON decodes to. Ids stay the strings they are."""
    parts: list[bytes] = []
    _WRITERS[type(value)](value, parts.append)
    return b"".join(parts)


def atom(name: str) -> bytes:
    """The atom of an ASCII name of up to 255 characters."""
    return pack("BB", _SMALL_ATOM, len(name)) + name.encode("ascii")


def binary(data: bytes) -> bytes:
    return pack(">BI", _BINARY, len(data)) + data


def map_header(size: int) -> bytes:
    """What `size` keys, each with its value behind it, follow."""
    return pack(">BI", _MAP, size)


@functools.lru_cache(maxsize=1024)
def _key(name: str) -> bytes:
    """Names are atoms, as Discord sends them and as Elixir's `payload.op` needs; what is data is a binary."""
    is_name = name.isascii() and name.isidentifier() and len(name) < 256 and name.encode() not in _CONSTANTS
    return atom(name) if is_name else binary(name.encode())


def _write_none(value: None, write: Write) -> None:
    write(atom("nil"))


def _write_bool(value: bool, write: Write) -> None:
    write(atom("true" if value else "false"))


def _write_int(value: int, write: Write) -> None:
    if 0 <= value < 256:
        write(pack("BB", _SMALL_INTEGER, value))
    elif -(2**31) <= value < 2**31:
        write(pack(">Bi", _INTEGER, value))
    else:
        magnitude = abs(value)
        size = (magnitude.bit_length() + 7) // 8
        write(pack("BBB", _SMALL_BIG, size, value < 0) + magnitude.to_bytes(size, "little"))


def _write_float(value: float, write: Write) -> None:
    write(pack(">Bd", _NEW_FLOAT, value))


def _write_str(value: str, write: Write) -> None:
    write(binary(value.encode()))


def _write_list(value: list[Any], write: Write) -> None:
    if value:
        write(pack(">BI", _LIST, len(value)))
        for each in value:
            _WRITERS[type(each)](each, write)
    write(pack("B", _NIL))


def _write_dict(value: dict[str, Any], write: Write) -> None:
    write(map_header(len(value)))
    for name, each in value.items():
        write(_key(name))
        _WRITERS[type(each)](each, write)


_WRITERS: dict[type, Callable[[Any, Write], None]] = {
    type(None): _write_none,
    bool: _write_bool,
    int: _write_int,
    float: _write_float,
    str: _write_str,
    list: _write_list,
    dict: _write_dict,
}


# --- reading ---------------------------------------------------------------------------------------------------------


def decode(message: bytes) -> Any:
    """What JSON would decode to. Raises as JSON's decoders do: msgspec.DecodeError, or UnicodeDecodeError.

    Keys must be binaries (events/gateway, "Using ETF Encoding"). Memory and time are within a few times the message's
    size: a length that it does not bear out is refused where it ends.
    """
    reader = _Reader(message)
    if reader.number(1) != VERSION:
        raise DecodeError("not version 131 of the external term format")
    value = reader.term(0)
    if reader.at != len(message):
        raise DecodeError("something follows the term")
    return value


class _Reader:
    __slots__ = ("_data", "at")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        piece = self._data[self.at : self.at + size]
        if len(piece) < size:
            raise DecodeError("the message ends within a term")
        self.at += size
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def term(self, depth: int) -> Any:
        tag = self.number(1)
        read = _READERS.get(tag)
        if read is None or depth > DEPTH:
            raise DecodeError(f"a term of tag {tag} at depth {depth}")
        return read(self, depth)


def _read_float(reader: _Reader, depth: int) -> float:
    value: float
    (value,) = unpack(">d", reader.take(8))
    if not math.isfinite(value):
        raise DecodeError("a float that is no number")
    return value


def _read_integer(reader: _Reader, depth: int) -> int:
    return int.from_bytes(reader.take(4), "big", signed=True)


def _read_big(reader: _Reader, depth: int) -> int:
    size, is_negative = reader.number(1), reader.number(1)
    magnitude = int.from_bytes(reader.take(size), "little")
    return -magnitude if is_negative else magnitude


def _read_atom(reader: _Reader, length_size: int) -> bool | None:
    name = reader.take(reader.number(length_size))
    if name not in _CONSTANTS:
        raise DecodeError("an atom that is no value")
    return _CONSTANTS[name]


def _read_binary(reader: _Reader, depth: int) -> str:
    return reader.take(reader.number(4)).decode()


def _read_list(reader: _Reader, depth: int) -> list[Any]:
    value = [reader.term(depth + 1) for _ in range(reader.number(4))]
    if reader.number(1) != _NIL:
        raise DecodeError("an improper list")
    return value


def _read_map(reader: _Reader, depth: int) -> dict[str, Any]:
    value = {}
    for _ in range(reader.number(4)):
        if reader.number(1) != _BINARY:
            raise DecodeError("a key that is no binary")
        key = _read_binary(reader, depth)
        value[key] = reader.term(depth + 1)
    return value


_READERS: dict[int, Callable[[_Reader, int], Any]] = {
    _NEW_FLOAT: _read_float,
    _SMALL_INTEGER: lambda reader, depth: reader.number(1),
    _INTEGER: _read_integer,
    _ATOM: lambda reader, depth: _read_atom(reader, 2),
    _ATOM_UTF8: lambda reader, depth: _read_atom(reader, 2),
    _SMALL_ATOM: lambda reader, depth: _read_atom(reader, 1),
    _SMALL_ATOM_UTF8: lambda reader, depth: _read_atom(reader, 1),
    _NIL: lambda reader, depth: [],
    _STRING: lambda reader, depth: list(reader.take(reader.number(2))),  # Erlang's way to write a list of small ints
    _LIST: _read_list,
    _BINARY: _read_binary,
    _SMALL_BIG: _read_big,
    _MAP: _read_map,
}
