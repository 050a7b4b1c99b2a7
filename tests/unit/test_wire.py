"""Ids and bitsets as strings, absent against null, timestamps as Discord writes them."""

import msgspec
import pytest

from chatd.model.wire import (
    UNSET,
    Object,
    Params,
    Permissions,
    Snowflake,
    UnsetType,
    convert,
    decoder,
    encode,
    parse_timestamp,
    timestamp,
)


class Role(Object):
    id: Snowflake
    permissions: Permissions
    icon: str | UnsetType | None = UNSET


class RoleEdit(Params):
    id: Snowflake | UnsetType | None = UNSET
    permissions: Permissions = Permissions(0)


def test_ids_and_bitsets_are_strings_in_json() -> None:
    role = Role(id=Snowflake(41771983423143936), permissions=Permissions(66321471))
    assert encode(role) == b'{"id":"41771983423143936","permissions":"66321471"}'


def test_ids_as_keys_and_in_lists_are_strings_too() -> None:
    assert encode({Snowflake(1): [Snowflake(2)]}) == b'{"1":["2"]}'


def test_null_is_written_and_absent_is_not() -> None:
    role = Role(id=Snowflake(1), permissions=Permissions(0), icon=None)
    assert encode(role) == b'{"id":"1","permissions":"0","icon":null}'


def test_absent_null_and_present_are_told_apart() -> None:
    read = decoder(RoleEdit).decode
    assert read(b"{}").id is UNSET
    assert read(b'{"id":null}').id is None
    assert read(b'{"id":"7"}').id == 7


def test_unknown_fields_are_ignored() -> None:
    assert decoder(RoleEdit).decode(b'{"id":"7","colour":1}').id == 7


@pytest.mark.parametrize("json", [b'"123"', b"123"])
def test_ids_come_as_strings_or_numbers(json: bytes) -> None:
    id_ = decoder(Snowflake).decode(json)
    assert id_ == 123
    assert type(id_) is Snowflake


@pytest.mark.parametrize(
    ("json", "shown"),
    [
        (b'"abc"', "abc"),
        (b'""', ""),
        (b'"-1"', "-1"),
        (b'"+1"', "+1"),
        (b'" 1"', " 1"),
        (b'"1_0"', "1_0"),
        ('"١"'.encode(), "١"),
        ('"²"'.encode(), "²"),
        (b'"9223372036854775808"', "9223372036854775808"),
        (b"9223372036854775808", "9223372036854775808"),
        (b"-1", "-1"),
        (b"1.0", "1.0"),
        (b"true", "True"),
        (b"[]", "[]"),
    ],
)
def test_what_is_no_id_is_refused_in_discords_words(json: bytes, shown: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        decoder(Snowflake).decode(json)
    assert str(refusal.value) == f'Value "{shown}" is not snowflake.'


def test_what_is_no_bitset_is_refused_in_discords_words() -> None:
    with pytest.raises(msgspec.ValidationError, match=r'^Value "x" is not int\. '):
        decoder(RoleEdit).decode(b'{"permissions":"x"}')


def test_a_refusal_does_not_repeat_a_huge_value() -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        decoder(Snowflake).decode(b'"' + b"9" * 100_000 + b'"')
    assert len(str(refusal.value)) < 200


def test_the_largest_id_survives_a_round_trip() -> None:
    assert encode(decoder(Snowflake).decode(b'"9223372036854775807"')) == b'"9223372036854775807"'


def test_a_type_has_one_decoder() -> None:
    assert decoder(Role) is decoder(Role)


def test_plain_data_converts() -> None:
    edit = convert({"id": "5", "permissions": 8}, RoleEdit)
    assert (edit.id, edit.permissions) == (5, 8)
    assert type(edit.permissions) is Permissions


class Elsewhere:
    """A type that no hook knows."""


def test_other_types_have_no_wire_form() -> None:
    with pytest.raises(NotImplementedError, match="Elsewhere has no wire form"):
        encode([Elsewhere()])
    with pytest.raises(NotImplementedError, match="Elsewhere has no wire form"):
        decoder(Elsewhere).decode(b"1")


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000000+00:00"),
        (1767323045678, "2026-01-02T03:04:05.678000+00:00"),
        (1420070400000, "2015-01-01T00:00:00.000000+00:00"),
        (-1, "1969-12-31T23:59:59.999000+00:00"),
    ],
)
def test_timestamps_have_microseconds_and_an_offset(ms: int, text: str) -> None:
    assert timestamp(ms) == text
    assert parse_timestamp(text) == ms


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678", "2026-01-02T05:04:05.678999+02:00"]
)
def test_other_forms_of_iso_8601_are_read(text: str) -> None:
    assert parse_timestamp(text) == 1767323045678


def test_what_is_no_timestamp_is_refused_in_discords_words() -> None:
    with pytest.raises(ValueError, match=r"^Could not parse soon\. Should be ISO8601\.$"):
        parse_timestamp("soon")
