"""Request bodies in their three dresses."""

from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.model.errors import ApiError
from chatd.model.wire import FormParams, Params
from chatd.rest.body import Take, parse_body, read_form


class Note(Params):
    text: str = "nothing"
    size: int = 0


FORM = 'multipart/form-data; boundary="b"'
MAX_BYTES = 1000


async def parse(type_: type[Any], content_type: str, raw: bytes, take: Take | None = None) -> Any:
    """As the runner does it."""
    if not content_type.startswith("multipart"):
        return parse_body(type_, content_type, raw)

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(raw), 50):
            yield raw[at : at + 50]

    async with aclosing(pieces()) as body:
        return await read_form(type_, content_type, body, MAX_BYTES, take)


def part(name: str, content: bytes, extra: bytes = b"") -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name.encode(), extra, content)


@pytest.mark.parametrize(
    ("content_type", "raw", "text"),
    [
        ("application/json", b'{"text": "x"}', "x"),
        ("APPLICATION/JSON ; charset=UTF-8", b'{"text": "x"}', "x"),
        ("", b"", "nothing"),
        ("text/plain", b"", "nothing"),
        ("application/x-www-form-urlencoded", b"payload_json=%7B%22text%22%3A%22x%22%7D&more=1", "x"),
        ("application/x-www-form-urlencoded", b"payload=%7B%22text%22%3A%22x%22%7D", "x"),
        ("application/x-www-form-urlencoded; charset=utf-8", b"text=x+y&more=1", "x y"),
        ("application/x-www-form-urlencoded", b"text=", ""),
        (FORM, part("payload_json", b'{"text": "x"}') + b"--b--", "x"),
        (FORM, part("payload_json", b'{"text": "x"}', b"\r\nContent-Type: application/json") + b"--b--", "x"),
        (FORM, part("other", b"y") + part("payload_json", b"{}", b'; filename="p.json"') + b"--b--", "nothing"),
        (FORM, part("text", "größe".encode()) + part("size", b"5") + b"--b--", "größe"),
        (FORM, part("text", b"y") + part("payload_json", b'{"text": "x"}') + b"--b--", "x"),
        (FORM, b"--b--", "nothing"),
        (FORM, b"", "nothing"),
    ],
)
async def test_accepted(content_type: str, raw: bytes, text: str) -> None:
    assert (await parse(Note, content_type, raw)).text == text


@pytest.mark.parametrize(
    ("content_type", "raw", "code", "path"),
    [
        ("", b"{}", 50035, []),
        ("text/json", b"{}", 50035, []),
        ("application/x-www-form-urlencoded", b"payload_json=\xff", 50109, None),
        ("application/json", b"{", 50109, None),
        ("application/json", b'{"text": 5}', 50035, ["text"]),
        (FORM, b"x", 50035, []),
        (FORM, part("size", b"x") + b"--b--", 50035, ["size"]),
        (FORM, part("payload_json", b"{}") * 2 + b"--b--", 50035, []),
        (FORM, part("payload_json", b"{") + b"--b--", 50109, None),
        (FORM, part("payload_json", b"{}") + part("file", b"x", b'; filename="f"') + b"--b--", 50035, ["file"]),
    ],
)
async def test_refused(content_type: str, raw: bytes, code: int, path: list[str] | None) -> None:
    with pytest.raises(ApiError) as caught:
        await parse(Note, content_type, raw)
    assert (caught.value.status, caught.value.code) == (400, code)
    if path is not None:
        node = caught.value.errors or {}
        for key in path:
            node = node[key]
        assert node["_errors"]


async def test_a_list_comes_as_json_only() -> None:
    assert (await parse(list[Note], FORM, part("payload_json", b'[{"text": "x"}]') + b"--b--"))[0].text == "x"
    with pytest.raises(ApiError) as caught:
        await parse(list[Note], FORM, part("text", b"x") + b"--b--")
    assert caught.value.errors is not None
    assert "payload_json" in caught.value.errors


async def test_files_are_taken_as_they_come() -> None:
    taken: list[tuple[str, str, int]] = []

    async def take(field: str, filename: str, pieces: AsyncIterator[bytes]) -> None:
        taken.append((field, filename, sum([len(piece) async for piece in pieces])))

    first = part("files[0]", b"x" * 3 * MAX_BYTES, b'; filename="a"')
    raw = first + part("text", b"x") + part("file", b"", b'; filename=""') + b"--b--"
    assert (await parse(Note, FORM, raw, take)).text == "x"
    assert taken == [("files[0]", "a", 3 * MAX_BYTES), ("file", "", 0)]


@pytest.mark.parametrize("names", [("payload_json",), ("text", "other"), ("payload_json", "text")])
async def test_what_is_no_file_is_bounded(names: tuple[str, ...]) -> None:
    share = b" " * (MAX_BYTES // len(names))
    await parse(Note, FORM, part(names[0], b"{}" + share[2:]) + b"--b--")
    with pytest.raises(ApiError) as caught:
        await parse(Note, FORM, b"".join(part(name, share + b" ") for name in names) + b"--b--")
    assert (caught.value.status, caught.value.code) == (413, 40005)


FRAGMENTS = [
    b"--b\r\n",
    b"\r\n--b\r\n",
    b"\r\n--b--",
    part("payload_json", b"{}"),
    part("text", b"x"),
    part("files[0]", b"x", b'; filename="f"'),
    part("size", b"7"),
]


@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=20), max_size=10).map(b"".join), st.booleans())
async def test_whatever_comes_is_a_form_or_refused(raw: bytes, takes_files: bool) -> None:
    async def take(field: str, filename: str, pieces: AsyncIterator[bytes]) -> None:
        async for _ in pieces:
            pass

    with suppress(ApiError):
        await parse(Note, FORM, raw, take if takes_files else None)


class Drawing(FormParams):
    name: str
    file: bytes
    pages: int = 1


FILE = b'; filename="f"'


async def test_fields_and_files() -> None:
    raw = part("name", "größe".encode()) + part("file", b"\xff\0", FILE) + part("pages", b"2") + part("other", b"x")
    drawing = await parse(Drawing, FORM, raw + b"--b--")
    assert (drawing.name, drawing.file, drawing.pages) == ("größe", b"\xff\0", 2)


@pytest.mark.parametrize(
    ("content_type", "raw", "codes"),
    [
        (FORM, part("file", b"x" * MAX_BYTES + b"x", FILE) + b"--b--", None),
        ("", b"", {"name": "BASE_TYPE_REQUIRED", "file": "BASE_TYPE_REQUIRED"}),
        (FORM, b"--b--", {"name": "BASE_TYPE_REQUIRED", "file": "BASE_TYPE_REQUIRED"}),
        # a file where a text belongs, and the other way round
        (
            FORM,
            part("name", b"n", FILE) + part("file", b"QUFB") + b"--b--",
            {"name": "BASE_TYPE_REQUIRED", "file": "BASE_TYPE_REQUIRED"},
        ),
        (FORM, part("name", b"a\0") + part("file", b"", FILE) + b"--b--", {"name": "STRING_TYPE_CONVERT"}),
        (
            FORM,
            part("name", b"") + part("file", b"", FILE) + part("pages", b"x") + b"--b--",
            {"pages": "NUMBER_TYPE_COERCE"},
        ),
        (FORM, b"x", {"": "MULTIPART_FORM_INVALID"}),
        ("application/json", b'{"name": "n", "file": "QUFB"}', {"": "CONTENT_TYPE_INVALID"}),
    ],
)
async def test_refused_forms(content_type: str, raw: bytes, codes: dict[str, str] | None) -> None:
    with pytest.raises(ApiError) as caught:
        await parse(Drawing, content_type, raw)
    if codes is None:
        assert (caught.value.status, caught.value.code) == (413, 40005)
        return
    tree = caught.value.errors or {}
    found = {name: node["_errors"] if name != "_errors" else node for name, node in tree.items()}
    assert {name.replace("_errors", ""): leaf["code"] for name, [leaf] in found.items()} == codes
