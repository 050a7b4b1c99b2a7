"""Any value survives being written and read as a term; any bytes are a value or refused."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chatd.model import etf
from tests.support import etf as client

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_a_client_reads_what_is_written(value: Any) -> None:
    assert client.load(b"\x83" + etf.encode(value)) == value


@given(values)
def test_what_a_client_writes_is_read(value: Any) -> None:
    assert etf.decode(client.dump(value)) == value


@given(values, st.data())
def test_a_changed_or_shortened_term_is_a_value_or_refused(value: Any, data: st.DataObject) -> None:
    message = bytearray(client.dump(value))
    message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    del message[data.draw(st.integers(0, len(message))) :]
    try:
        found = etf.decode(bytes(message))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    assert etf.decode(client.dump(found)) == found
