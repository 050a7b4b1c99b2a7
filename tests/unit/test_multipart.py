"""multipart/form-data as Discord's clients send it, and as nobody should, in whatever pieces it arrives."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.rest.multipart import MAX_PART_HEAD_BYTES, End, FormParser, FormReader, Head, MalformedForm

KIND = "multipart/form-data; boundary=xYz"
# A delimiter, a whole head with its blank line, and a piece.
KEPT_BYTES = 70 + MAX_PART_HEAD_BYTES + 100

Parts = list[tuple[Head, bytes]]


def parse(kind: str, pieces: Sequence[bytes]) -> Parts:
    """The parts of a whole body."""
    parser = FormParser(kind)
    events = [event for piece in pieces for event in parser.feed(piece)]
    parser.close()
    return assemble(events)


def assemble(events: list[Head | bytes | End]) -> Parts:
    parts: Parts = []
    is_open = False
    for event in events:
        if isinstance(event, Head):
            assert not is_open
            is_open = True
            parts.append((event, b""))
        elif isinstance(event, bytes):
            assert is_open
            assert event, "an empty piece"
            parts[-1] = (parts[-1][0], parts[-1][1] + event)
        else:
            assert is_open
            is_open = False
    assert not is_open
    return parts


def body(*parts: bytes) -> bytes:
    return b"".join(b"--xYz\r\n" + part + b"\r\n" for part in parts) + b"--xYz--\r\n"


def part(disposition: bytes, data: bytes, *headers: bytes) -> bytes:
    lines = (b"Content-Disposition: form-data; " + disposition, *headers, b"", data)
    return b"\r\n".join(lines)


def test_message_with_two_files() -> None:
    text = body(
        part(b'name="payload_json"', b'{"content": "hi"}', b"Content-Type: application/json"),
        part(b'name="files[0]"; filename="a.png"', b"\x89PNG\r\n\r\n--xY\r\n", b"content-type: image/png"),
        part(b'name="files[1]"; filename="b"', b""),
        part(b"name=content", b"hi"),
    )
    assert parse(KIND, [text]) == [
        (Head("payload_json", None), b'{"content": "hi"}'),
        (Head("files[0]", "a.png"), b"\x89PNG\r\n\r\n--xY\r\n"),
        (Head("files[1]", "b"), b""),
        (Head("content", None), b"hi"),
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b'filename="a;b.txt"', "a;b.txt"),
        (rb'filename="say \"hi\".txt"', 'say "hi".txt'),
        ('filename="größe.txt"'.encode(), "größe.txt"),
        (b'filename="\xff.txt"', "\N{REPLACEMENT CHARACTER}.txt"),
        (b'filename=""', ""),
    ],
)
def test_file_names(written: bytes, read: str) -> None:
    [(head, _)] = parse(KIND, [body(part(b'name="file"; ' + written, b"x"))])
    assert head.filename == read


def test_preamble_padding_epilogue_and_quoted_boundary() -> None:
    text = b"ignored\r\n--x y \t\r\n" + part(b"name=a", b"1") + b"\r\n--x y--ignored"
    assert parse('multipart/form-data; boundary="x y"', [text]) == [(Head("a", None), b"1")]


def test_a_delimiter_may_follow_the_head_at_once() -> None:
    text = b"--xYz\r\nContent-Disposition: form-data; name=a\r\n\r\n--xYz\r\n" + part(b"name=b", b"2") + b"\r\n--xYz--"
    assert parse(KIND, [text]) == [(Head("a", None), b""), (Head("b", None), b"2")]


def test_a_form_may_be_empty() -> None:
    assert parse(KIND, [b"--xYz--"]) == []


@pytest.mark.parametrize("is_split", [False, True], ids=["whole", "split"])
@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("application/json", b"{}", "not multipart"),
        ("multipart/form-data", body(), "no usable boundary"),
        (f"multipart/form-data; boundary={'x' * 71}", body(), "no usable boundary"),
        (KIND, b"", "unterminated"),
        (KIND, b"--other--", "unterminated"),
        (KIND, b"--xYz", "unterminated"),
        (KIND, b"--xYzz\r\n\r\n", "text after a boundary"),
        (KIND, b"--xYz" + b" " * 100, "text after a boundary"),
        (KIND, b"--xYz\r\nContent-Disposition: form-data; name=a", "unterminated"),
        (KIND, b"--xYz\r\n" + part(b"name=a", b"1"), "unterminated"),
        (KIND, body(b"Content-Type: text/plain\r\n\r\nx"), "without a name"),
        (KIND, body(b"Content-Disposition: form-data\r\n\r\nx"), "without a name"),
        (KIND, body(b"Content-Disposition: attachment; name=a\r\n\r\nx"), "without a name"),
        (KIND, body(b"\r\nno headers"), "without a name"),
        (KIND, body(b"nonsense\r\n\r\nx"), "without a colon"),
        (KIND, body(part(b"name=a", b"1", b"X: " + b"x" * 9000)), "headers do not end"),
        (KIND, body(*[part(b"name=a", b"1")] * 33), "more than 32 parts"),
    ],
)
def test_malformed(kind: str, text: bytes, reason: str, is_split: bool) -> None:
    with pytest.raises(MalformedForm, match=reason):
        parse(kind, [bytes([byte]) for byte in text] if is_split else [text])


FRAGMENTS = st.sampled_from(
    [b"--", b"\r\n", b"xYz", b"--xYz", b"--xYz--", b"Content-Disposition: form-data; name=", b'"', b";", b":", b"a"]
)
GARBAGE = st.one_of(st.binary(), st.lists(FRAGMENTS | st.binary(max_size=4)).map(b"".join))


@given(
    st.one_of(st.text(), st.text().map("multipart/form-data; boundary=".__add__), st.just(KIND)),
    st.lists(GARBAGE, max_size=5),
)
def test_arbitrary_input_parses_or_is_malformed(kind: str, pieces: list[bytes]) -> None:
    with suppress(MalformedForm):
        parse(kind, pieces)


@given(st.data(), GARBAGE | st.lists(st.binary(max_size=20), max_size=5).map(lambda them: body(*map(named, them))))
def test_every_split_says_the_same(data: st.DataObject, text: bytes) -> None:
    def outcome(pieces: Sequence[bytes]) -> Parts | None:
        try:
            return parse(KIND, pieces)
        except MalformedForm:
            return None

    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    pieces = [text[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert outcome(pieces) == outcome([text]) == outcome([bytes([byte]) for byte in text])


def named(data: bytes) -> bytes:
    return part(b"name=a; filename=b", data)


@given(st.lists(st.binary(), max_size=20), st.text("abcXYZ019'()+_,-./:=?", min_size=1, max_size=70))
def test_what_was_sent_is_what_is_read(contents: list[bytes], boundary: str) -> None:
    delimiter = b"\r\n--" + boundary.encode()
    contents = [data for data in contents if delimiter not in b"\r\n" + data + b"\r\n"]
    text = b"".join(delimiter + b"\r\n" + named(data) for data in contents) + delimiter + b"--"
    parts = parse(f'multipart/form-data; boundary="{boundary}"', [text[2:]])
    assert [data for _, data in parts] == contents


@pytest.mark.parametrize("piece", [b"x" * 100, b"\r\n--xY" * 20, b"\r\n\r\n" * 25, b"-" * 100])
@pytest.mark.parametrize("begun", [b"", b"--xYz\r\n" + named(b""), body()], ids=["preamble", "data", "epilogue"])
def test_nothing_is_hoarded(begun: bytes, piece: bytes) -> None:
    parser = FormParser(KIND)
    parser.feed(begun)
    for _ in range(500):
        parser.feed(piece)
        assert len(parser._buffer) <= KEPT_BYTES


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_a_reader_goes_from_part_to_part() -> None:
    text = body(part(b"name=a", b"1" * 1000), part(b"name=b", b"2"), part(b"name=c", b"3"))
    reader = FormReader(KIND, stream(*(text[at : at + 7] for at in range(0, len(text), 7))))
    assert await reader.next_part() == Head("a", None)  # and nothing of it is read
    assert await reader.next_part() == Head("b", None)
    assert [piece async for piece in reader.data()] == [b"2"]
    assert await reader.next_part() == Head("c", None)
    assert await reader.next_part() is None
    assert await reader.next_part() is None


async def test_a_body_without_a_byte_is_a_form_without_parts() -> None:
    assert await FormReader(KIND, stream()).next_part() is None
    assert await FormReader(KIND, stream(b"")).next_part() is None


async def test_a_body_that_breaks_off_is_malformed() -> None:
    reader = FormReader(KIND, stream(b"--xYz\r\n" + part(b"name=a", b"1")))
    assert await reader.next_part() == Head("a", None)
    with pytest.raises(MalformedForm, match="unterminated"):
        [piece async for piece in reader.data()]
