"""multipart/form-data as Discord's clients send it, and as nobody should."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.rest.multipart import FilePart, Form, MalformedForm, parse

KIND = "multipart/form-data; boundary=xYz"


def body(*parts: bytes) -> bytes:
    return b"".join(b"--xYz\r\n" + part + b"\r\n" for part in parts) + b"--xYz--\r\n"


def part(disposition: bytes, data: bytes, *headers: bytes) -> bytes:
    lines = (b"Content-Disposition: form-data; " + disposition, *headers, b"", data)
    return b"\r\n".join(lines)


def test_message_with_two_files() -> None:
    form = parse(
        KIND,
        body(
            part(b'name="payload_json"', b'{"content": "hi"}', b"Content-Type: application/json"),
            part(b'name="files[0]"; filename="a.png"', b"\x89PNG\r\n\r\n--xY\r\n", b"content-type: image/png"),
            part(b'name="files[1]"; filename="b"', b""),
        ),
    )
    assert form == Form(
        b'{"content": "hi"}',
        {},
        [
            FilePart("files[0]", "a.png", "image/png", b"\x89PNG\r\n\r\n--xY\r\n"),
            FilePart("files[1]", "b", "application/octet-stream", b""),
        ],
    )


def test_fields_without_a_file_name() -> None:
    form = parse(KIND, body(part(b"name=content", b"hi"), part(b'name="tts"', b"true")))
    assert form == Form(None, {"content": b"hi", "tts": b"true"}, [])


@pytest.mark.parametrize("headers", [(), (b"Content-Type: application/json",)])
@pytest.mark.parametrize("disposition", [b'name="payload_json"', b'name="payload_json"; filename="blob"'])
def test_payload_json_in_every_dress(disposition: bytes, headers: tuple[bytes, ...]) -> None:
    assert parse(KIND, body(part(disposition, b"{}", *headers))) == Form(b"{}", {}, [])


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
    (file,) = parse(KIND, body(part(b'name="file"; ' + written, b"x"))).files
    assert file.filename == read


def test_preamble_padding_epilogue_and_quoted_boundary() -> None:
    text = b"ignored\r\n--x y \t\r\n" + part(b"name=a", b"1") + b"\r\n--x y--ignored"
    assert parse('multipart/form-data; boundary="x y"', text).fields == {"a": b"1"}


def test_a_form_may_be_empty() -> None:
    assert parse(KIND, b"--xYz--") == Form(None, {}, [])


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("application/json", b"{}", "not multipart"),
        ("multipart/form-data", body(), "no usable boundary"),
        (f"multipart/form-data; boundary={'x' * 71}", body(), "no usable boundary"),
        (KIND, b"", "no boundary"),
        (KIND, b"--other--", "no boundary"),
        (KIND, b"--xYz", "text after a boundary"),
        (KIND, b"--xYzz\r\n\r\n", "text after a boundary"),
        (KIND, b"--xYz\r\nContent-Disposition: form-data; name=a", "headers do not end"),
        (KIND, b"--xYz\r\n" + part(b"name=a", b"1"), "unterminated"),
        (KIND, body(b"Content-Type: text/plain\r\n\r\nx"), "without a name"),
        (KIND, body(b"Content-Disposition: form-data\r\n\r\nx"), "without a name"),
        (KIND, body(b"Content-Disposition: attachment; name=a\r\n\r\nx"), "without a name"),
        (KIND, body(b"\r\nno headers"), "without a name"),
        (KIND, body(b"nonsense\r\n\r\nx"), "without a colon"),
        (KIND, body(part(b"name=a", b"1", b"X: " + b"x" * 9000)), "headers do not end"),
        (KIND, body(part(b"name=payload_json", b"{}"), part(b"name=payload_json", b"{}")), "two parts payload_json"),
        (KIND, body(*[part(b"name=a", b"1")] * 21), "more than 20 parts"),
    ],
)
def test_malformed(kind: str, text: bytes, reason: str) -> None:
    with pytest.raises(MalformedForm, match=reason):
        parse(kind, text)


FRAGMENTS = st.sampled_from(
    [b"--", b"\r\n", b"xYz", b"--xYz", b"--xYz--", b"Content-Disposition: form-data; name=", b'"', b";", b":", b"a"]
)


@given(
    st.one_of(st.text(), st.text().map("multipart/form-data; boundary=".__add__), st.just(KIND)),
    st.one_of(st.binary(), st.lists(FRAGMENTS | st.binary(max_size=4)).map(b"".join)),
)
def test_arbitrary_input_parses_or_is_malformed(kind: str, text: bytes) -> None:
    with suppress(MalformedForm):
        parse(kind, text)


@given(st.lists(st.binary(), max_size=20), st.text("abcXYZ019'()+_,-./:=?", min_size=1, max_size=70))
def test_what_was_sent_is_what_is_read(contents: list[bytes], boundary: str) -> None:
    delimiter = b"\r\n--" + boundary.encode()
    contents = [data for data in contents if delimiter not in b"\r\n" + data + b"\r\n"]
    text = b"".join(delimiter + b"\r\n" + part(b"name=a; filename=b", data) for data in contents) + delimiter + b"--"
    form = parse(f'multipart/form-data; boundary="{boundary}"', text[2:])
    assert [file.data for file in form.files] == contents
