"""Erlang terms as a client library has them: written as erlpack 0.1.4 does, and read as strictly.

Shares no code with chatd; `tests/unit/test_etf.py` holds both against bytes that erlpack itself has written.
"""

import struct
from typing import Any

_ATOMS: dict[str, Any] = {"nil": None, "true": True, "false": False}


def dump(value: Any) -> bytes:
    return b"\x83" + _dump(value)


def _dump(value: Any) -> bytes:
    if value is None or isinstance(value, bool):
        name = {None: b"nil", True: b"true", False: b"false"}[value]
        return b"s" + bytes([len(name)]) + name
    if isinstance(value, str):
        data = value.encode()
        return b"m" + len(data).to_bytes(4, "big") + data
    if isinstance(value, float):
        return b"F" + struct.pack(">d", value)
    if isinstance(value, int):
        if 0 <= value <= 255:
            return b"a" + bytes([value])
        if -(2**31) <= value < 2**31:
            return b"b" + value.to_bytes(4, "big", signed=True)
        data = abs(value).to_bytes((abs(value).bit_length() + 7) // 8, "little")
        return b"n" + bytes([len(data), value < 0]) + data
    if isinstance(value, dict):
        return b"t" + len(value).to_bytes(4, "big") + b"".join(_dump(k) + _dump(v) for k, v in value.items())
    return b"l" + len(value).to_bytes(4, "big") + b"".join(map(_dump, value)) + b"j" if value else b"j"


def load(data: bytes) -> Any:
    assert data[:1] == b"\x83"
    value, rest = _load(data[1:])
    assert rest == b""
    return value


def _load(data: bytes) -> tuple[Any, bytes]:
    tag, data = data[:1], data[1:]
    match tag:
        case b"a":
            return data[0], data[1:]
        case b"b":
            return int.from_bytes(data[:4], "big", signed=True), data[4:]
        case b"n":
            size, is_negative, data = data[0], data[1], data[2:]
            magnitude = int.from_bytes(data[:size], "little")
            return -magnitude if is_negative else magnitude, data[size:]
        case b"F":
            return struct.unpack(">d", data[:8])[0], data[8:]
        case b"s":
            name, rest = data[1 : 1 + data[0]].decode(), data[1 + data[0] :]
            return _ATOMS.get(name, name), rest
        case b"m":
            size, data = int.from_bytes(data[:4], "big"), data[4:]
            assert len(data) >= size
            return data[:size].decode(), data[size:]
        case b"j":
            return [], data
        case b"l":
            items, data = _load_many(int.from_bytes(data[:4], "big"), data[4:])
            assert data[:1] == b"j"
            return items, data[1:]
        case b"t":
            items, data = _load_many(2 * int.from_bytes(data[:4], "big"), data[4:])
            found = dict(zip(items[::2], items[1::2], strict=True))
            assert len(found) == len(items) // 2, "a key stands twice"
            return found, data
    raise AssertionError(f"erlpack knows no tag {tag!r}")


def _load_many(count: int, data: bytes) -> tuple[list[Any], bytes]:
    items = []
    for _ in range(count):
        item, data = _load(data)
        items.append(item)
    return items, data
