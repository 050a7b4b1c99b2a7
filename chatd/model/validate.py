"""Bodies and query strings → Params, or Discord's nested `errors` tree with everything that is wrong.

The fast path is msgspec's decoder. It stops at the first fault and says it in its own words, so when it refuses, the
same input is decoded to plain objects and walked along the type, collecting every fault under its path:

    {"embeds": {"0": {"title": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "…"}]}}}}

Two things that msgspec lets through are faults here, because no database column takes them: NUL characters in texts,
and integers beyond 64 bits.

What a type cannot say (a name that is taken, embeds too long together) services raise with `form_error` or
`FormErrors`. Docs: reference, "Error Messages".
"""

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import inspect

from chatd.model.errors import INVALID_JSON, ApiError, ErrorTree, invalid_form
from chatd.model.wire import convert, decoder

T = TypeVar("T")
Path = tuple[str, ...]

# A client reads the first few errors; a hostile list of a million wrong items shall not make an answer of its size.
MAX_ERRORS = 100

# Malformed JSON, broken UTF-8, nesting beyond the interpreter's stack.
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What only the walk notices: an escaped NUL; 19 digits that are no quoted id, and end as a number does, not as an emoji
# in a text. A false alarm costs a walk. (The class comes before the lookbehind because a pattern that starts with a
# class is searched for three times as fast.)
_NUL = b"\\u0000"
_LONG_NUMBER = re.compile(rb'[0-9](?<!["0-9@][0-9])[0-9]{18,}[\s,}\].eE]')

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


class FormErrors:
    """Collects what is wrong with one form, so that the client hears all of it at once."""

    def __init__(self) -> None:
        self.tree: ErrorTree = {}

    def add(self, path: str | tuple[str | int, ...], code: str, message: str) -> None:
        """`path` is "embeds.0.title" or ("embeds", 0, "title"); empty for the form as a whole."""
        node = self.tree
        for key in path.split(".") if isinstance(path, str) and path else path:
            node = node.setdefault(str(key), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def raise_if_any(self) -> None:
        if self.tree:
            raise invalid_form(self.tree)


def form_error(path: str | tuple[str | int, ...], code: str, message: str) -> ApiError:
    """The error of a form with a single fault."""
    errors = FormErrors()
    errors.add(path, code, message)
    return invalid_form(errors.tree)


def decode(type_: type[T], raw: bytes) -> T:
    """A JSON body → `type_`. Raises code 50109 for what is no JSON and 50035 with the tree for the rest."""
    try:
        try:
            params = decoder(type_).decode(raw)
        except msgspec.ValidationError as refusal:
            raise _explain(type_, msgspec.json.decode(raw), refusal) from None
        if _NUL in raw or _LONG_NUMBER.search(raw):
            _check(type_, msgspec.json.decode(raw)).raise_if_any()
    except _MALFORMED:
        raise INVALID_JSON() from None
    return params


def decode_query(type_: type[T], pairs: Sequence[tuple[str, str]]) -> T:
    """A query string's decoded pairs → `type_`, where a repeated key is a list; otherwise the last one counts."""
    return decode_form(type_, pairs, {})


def decode_form(type_: type[T], pairs: Sequence[tuple[str, str]], files: Mapping[str, bytes]) -> T:
    """A form's parts → `type_`: texts as in a query string, and files for the fields of type `bytes`."""
    texts: dict[str, list[str]] = {}
    for name, text in pairs:
        texts.setdefault(name, []).append(text)
    values: dict[str, object] = {}
    for field in _type_info(type_).fields:
        name = field.encode_name
        if isinstance(field.type, inspect.BytesType):
            if name in files:
                values[name] = files[name]
        elif name in texts:
            values[name] = _from_query(field.type, texts[name])
    try:
        params = convert(values, type_)
    except msgspec.ValidationError as refusal:
        raise _explain(type_, values, refusal) from None
    if any("\0" in text for _, text in pairs):
        _check(type_, values).raise_if_any()
    return params


_type_info: Callable[[Any], Any] = functools.cache(inspect.type_info)


def _check(type_: Any, value: object) -> FormErrors:
    errors = FormErrors()
    for fault in itertools.islice(_walk(_type_info(type_), value, ()), MAX_ERRORS):
        errors.add(*fault)
    return errors


def _explain(type_: Any, value: object, refusal: msgspec.ValidationError) -> ApiError:
    errors = _check(type_, value)
    if not errors.tree:  # a rule that the walk does not know, say a Struct's __post_init__
        errors.add((), "BASE_TYPE_INVALID", str(refusal))
    return invalid_form(errors.tree)


# The walk: a generator for each kind of type, yielding faults. `info` is a node of msgspec.inspect's description.


class _Fault(NamedTuple):
    path: Path
    code: str
    message: str


_Faults = Iterator[_Fault]


def _walk(info: Any, value: object, path: Path) -> _Faults:
    if value is None and not isinstance(info, (inspect.AnyType, inspect.RawType)):
        if not any(isinstance(option, inspect.NoneType) or _is_choice(option, None) for option in _options(info)):
            yield _Fault(path, "BASE_TYPE_REQUIRED", "This field is required")
        return
    check = _CHECKS.get(type(info))
    if check is not None:
        yield from check(info, value, path)


def _struct(info: inspect.StructType, value: object, path: Path) -> _Faults:
    if not isinstance(value, dict):
        yield _Fault(path, "MODEL_TYPE_CONVERT", "Expected an object/dictionary.")
        return
    if info.tag_field is not None and not _is(value.get(info.tag_field, info.tag), info.tag):
        yield _no_such_kind([info], path)
        return
    for field in info.fields:
        here = (*path, field.encode_name)
        if field.encode_name in value:
            yield from _walk(field.type, value[field.encode_name], here)
        elif field.required:
            yield _Fault(here, "BASE_TYPE_REQUIRED", "This field is required")


def _list(info: Any, value: object, path: Path) -> _Faults:
    if not isinstance(value, list):
        yield _Fault(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    elif fault := _length(info, len(value), path):
        yield fault
    else:
        for index, item in enumerate(value):
            yield from _walk(info.item_type, item, (*path, str(index)))


def _dict(info: inspect.DictType, value: object, path: Path) -> _Faults:
    if not isinstance(value, dict):
        yield _Fault(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    elif fault := _length(info, len(value), path):
        yield fault
    else:
        for key, item in value.items():
            yield from _walk(info.key_type, key, (*path, key))
            yield from _walk(info.value_type, item, (*path, key))


def _str(info: inspect.StrType, value: object, path: Path) -> _Faults:
    if not isinstance(value, str) or "\0" in value:
        yield _Fault(path, "STRING_TYPE_CONVERT", f"Could not interpret {_quoted(value)} as string.")
    elif fault := _length(info, len(value), path):
        yield fault
    elif info.pattern is not None and re.search(info.pattern, value) is None:
        yield _Fault(path, "STRING_TYPE_REGEX", "String value did not match validation regex.")


def _bool(info: inspect.BoolType, value: object, path: Path) -> _Faults:
    if not isinstance(value, bool):
        yield _Fault(path, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")


def _int(info: inspect.IntType, value: object, path: Path) -> _Faults:
    if not isinstance(value, int) or isinstance(value, bool):
        yield _Fault(path, "NUMBER_TYPE_COERCE", f"Value {_quoted(value)} is not int.")
    else:
        low = _LOWEST if info.ge is None else info.ge
        high = _HIGHEST if info.le is None else info.le
        yield from _bounds("int", value, low, high, path)


def _float(info: inspect.FloatType, value: object, path: Path) -> _Faults:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        yield _Fault(path, "NUMBER_TYPE_COERCE", f"Value {_quoted(value)} is not float.")
    else:
        yield from _bounds("float", value, info.ge, info.le, path)


def _bounds(noun: str, value: float, low: float | None, high: float | None, path: Path) -> _Faults:
    if low is not None and value < low:
        yield _Fault(path, "NUMBER_TYPE_MIN", f"{noun} value should be greater than or equal to {low}.")
    if high is not None and value > high:
        yield _Fault(path, "NUMBER_TYPE_MAX", f"{noun} value should be less than or equal to {high}.")


def _string_int(info: inspect.CustomType, value: object, path: Path) -> _Faults:
    try:
        convert(value, info.cls)
    except msgspec.ValidationError as refusal:
        yield _Fault(path, "NUMBER_TYPE_COERCE", str(refusal))


def _choice(info: Any, value: object, path: Path) -> _Faults:
    if not _is_choice(info, value):
        choices = ", ".join(repr(choice) for choice in _choices(info))
        yield _Fault(path, "BASE_TYPE_CHOICES", f"Value {_quoted(value)} must be one of {{{choices}}}.")


def _union(info: inspect.UnionType, value: object, path: Path) -> _Faults:
    """No fault when one option fits, else those of the first option that the value is at least of the type of."""
    kinds = [option for option in info.types if isinstance(option, inspect.StructType) and option.tag is not None]
    if kinds:
        yield from _kind(kinds, value, path)
        return
    attempts = []
    for option in info.types:
        if isinstance(option, inspect.NoneType):
            continue
        faults = list(itertools.islice(_walk(option, value, path), MAX_ERRORS))
        if not faults:
            return
        attempts.append(faults)
    yield from min(attempts, key=lambda faults: faults[0].path == path and faults[0].code in _OTHER_TYPE)


def _kind(kinds: list[inspect.StructType], value: object, path: Path) -> _Faults:
    """One of several objects, which a field of theirs tells apart."""
    name = str(kinds[0].tag_field)
    if not isinstance(value, dict):
        yield _Fault(path, "MODEL_TYPE_CONVERT", "Expected an object/dictionary.")
    elif value.get(name) is None:
        yield _Fault((*path, name), "BASE_TYPE_REQUIRED", "This field is required")
    elif not (fitting := [kind for kind in kinds if _is(value[name], kind.tag)]):
        yield _no_such_kind(kinds, path)
    else:
        yield from _struct(fitting[0], value, path)


def _no_such_kind(kinds: list[inspect.StructType], path: Path) -> _Fault:
    tags = tuple(kind.tag for kind in kinds)
    return _Fault(path, "UNION_TYPE_CHOICES", f'Value of field "{kinds[0].tag_field}" must be one of {tags}.')


_CHECKS: dict[type[inspect.Type], Callable[[Any, object, Path], _Faults]] = {
    inspect.Metadata: lambda info, value, path: _walk(info.type, value, path),
    inspect.StructType: _struct,
    inspect.ListType: _list,
    inspect.VarTupleType: _list,
    inspect.DictType: _dict,
    inspect.StrType: _str,
    inspect.BoolType: _bool,
    inspect.IntType: _int,
    inspect.FloatType: _float,
    inspect.CustomType: _string_int,
    inspect.LiteralType: _choice,
    inspect.EnumType: _choice,
    inspect.UnionType: _union,
}

_OTHER_TYPE = frozenset(
    (
        "BASE_TYPE_REQUIRED",
        "MODEL_TYPE_CONVERT",
        "LIST_TYPE_CONVERT",
        "DICT_TYPE_CONVERT",
        "STRING_TYPE_CONVERT",
        "BOOLEAN_TYPE_CONVERT",
        "NUMBER_TYPE_COERCE",
    )
)


def _length(info: Any, length: int, path: Path) -> _Fault | None:
    low, high = info.min_length, info.max_length
    if (low is None or length >= low) and (high is None or length <= high):
        return None
    if low is None:
        return _Fault(path, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
    if high is None:
        return _Fault(path, "BASE_TYPE_MIN_LENGTH", f"Must be {low} or more in length.")
    return _Fault(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")


def _options(info: Any) -> Iterator[Any]:
    """What a value may be: the members of a union, or the type itself."""
    if isinstance(info, inspect.Metadata):
        yield from _options(info.type)
    elif isinstance(info, inspect.UnionType):
        for option in info.types:
            yield from _options(option)
    else:
        yield info


def _choices(info: Any) -> tuple[Any, ...]:
    if isinstance(info, inspect.LiteralType):
        return info.values
    return tuple(member.value for member in info.cls) if isinstance(info, inspect.EnumType) else ()


def _is_choice(info: Any, value: object) -> bool:
    return any(_is(value, choice) for choice in _choices(info))


def _is(value: object, choice: object) -> bool:
    """For Python alone true is 1."""
    return type(value) is type(choice) and value == choice


def _quoted(value: object) -> str:
    return f'"{str(value)[:100]}"'


# Query strings: texts → what JSON would have held. A text that is not of its field's type stays a text, and the walk
# says what is wrong with it.

_BOOLEANS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}
_INTEGER = re.compile(r"-?[0-9]{1,18}")


def _from_query(info: Any, texts: list[str]) -> object:
    for option in _options(info):
        if isinstance(option, (inspect.ListType, inspect.VarTupleType)):
            return [_from_text(option.item_type, text) for text in texts]
    return _from_text(info, texts[-1])


def _from_text(info: Any, text: str) -> object:
    for option in _options(info):
        if isinstance(option, inspect.BoolType):
            return _BOOLEANS.get(text, text)
        if isinstance(option, inspect.IntType) and _INTEGER.fullmatch(text):
            return int(text)
        for choice in _choices(option):
            if str(choice) == text:
                return choice
    return text
