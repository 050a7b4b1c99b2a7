"""JSON on the wire: ids and bitsets as decimal strings, the bases of all wire Structs, timestamps.

Absent, null and empty are three things: a field declared `T | UnsetType = UNSET` may be absent, `T | None` may be
null, and both together mean both. UNSET fields are left out of the JSON.

This module knows no particular object and no error code; `validate` turns what fails here into Discord's error tree.
"""

import functools
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

__all__ = [
    "UNSET",
    "FormParams",
    "ImageParams",
    "Object",
    "Params",
    "Permissions",
    "Snowflake",
    "StringInt",
    "UnsetType",
    "convert",
    "decoder",
    "encode",
    "length",
    "parse_timestamp",
    "timestamp",
]

T = TypeVar("T")

# Ids and bitsets live in signed 64-bit SQL columns, so the top bit is out of reach.
MAX_STRING_INT = 2**63 - 1
# int() on a longer text would be refused by the range anyway, after more work than a hostile text deserves.
_MAX_DIGITS = 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def length(bounds: tuple[int, int]) -> msgspec.Meta:
    """For Annotated texts and lists: from `bounds[0]` to `bounds[1]` long, both included."""
    return msgspec.Meta(min_length=bounds[0], max_length=bounds[1])


class StringInt(int):
    """An integer in Python and SQL, a decimal string in JSON (a browser's numbers end at 2**53).

    Arithmetic gives plain ints; wrap the result again before it goes into a wire Struct.
    """

    __slots__ = ()
    noun: ClassVar[str] = "int"  # the word in Discord's `Value "x" is not ….`

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Accept "123" and 123 (libraries send both) within 0 … 2**63-1. Raises ValueError with Discord's sentence."""
        if isinstance(value, str):
            # isdigit alone lets other scripts' digits through, int alone lets " 1_0" through.
            number = int(value) if value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS else -1
        else:
            number = value if isinstance(value, int) and not isinstance(value, bool) else -1
        if not 0 <= number <= MAX_STRING_INT:
            raise ValueError(f'Value "{str(value)[:100]}" is not {cls.noun}.')
        return cls(number)


class Snowflake(StringInt):
    """The id of anything. Its layout is in `model.snowflake`."""

    __slots__ = ()
    noun = "snowflake"


class Permissions(StringInt):
    """A permission bitset; the flags are in `model.permissions`."""

    __slots__ = ()


class Object(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what the server sends and keeps: frozen, so that it may be shared. (`kw_only` is not inherited.)"""


class Params(msgspec.Struct, kw_only=True):
    """Base of what clients send. Unknown fields are ignored, as Discord does."""


class ImageParams(Params, kw_only=True):
    """Base of what may have images in it, as data URIs: larger bodies are taken."""


class FormParams(Params, kw_only=True):
    """Base of what comes as multipart/form-data, a part for each field. Files are fields of type `bytes`."""


def _enc_hook(value: object) -> str:
    if isinstance(value, StringInt):
        return int.__repr__(value)
    raise NotImplementedError(f"{type(value).__name__} has no wire form")


def _dec_hook(type_: type[Any], value: object) -> Any:
    if issubclass(type_, StringInt):
        return type_.from_json(value)
    raise NotImplementedError(f"{type_.__name__} has no wire form")


_encoder = msgspec.json.Encoder(enc_hook=_enc_hook)
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}

encode = _encoder.encode  # any Struct, list or dict -> bytes


def decoder(type_: type[T]) -> msgspec.json.Decoder[T]:
    """The one decoder of a type. Types are few and known at start-up, so nothing is ever dropped from the cache."""
    found = _decoders.get(type_)
    if found is None:
        found = _decoders[type_] = msgspec.json.Decoder(type_, dec_hook=_dec_hook)
    return found


def convert(value: Any, type_: type[T]) -> T:
    """Plain Python data (as decoded from JSON) -> `type_`. Raises msgspec.ValidationError."""
    return msgspec.convert(value, type_, dec_hook=_dec_hook)


def timestamp(ms: int) -> str:
    """Epoch milliseconds -> ISO 8601 as Discord writes it: 2026-01-02T03:04:05.678000+00:00."""
    seconds, rest = divmod(ms, 1000)
    return f"{_to_the_second(seconds)}.{rest:03}000+00:00"


@functools.lru_cache
def _to_the_second(seconds: int) -> str:
    """What is the same for all that happens within one, and takes most of the time."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]


def parse_timestamp(text: str) -> int:
    """ISO 8601 -> epoch milliseconds; without an offset it is UTC. Raises ValueError with Discord's sentence."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):  # the latter for what UTC's years 1 to 9999 do not hold
        raise ValueError(f"Could not parse {text[:100]}. Should be ISO8601.") from None
