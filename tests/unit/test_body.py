"""Request bodies in their three dresses."""

import pytest

from chatd.model.errors import ApiError
from chatd.model.wire import FormParams, Params
from chatd.rest.body import parse_body


class Note(Params):
    text: str = "nothing"


FORM = 'multipart/form-data; boundary="b"'


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
        (FORM, part("other", b"y") + part("payload_json", b"{}", b'; filename="p.json"') + b"--b--", "nothing"),
    ],
)
def test_accepted(content_type: str, raw: bytes, text: str) -> None:
    assert parse_body(Note, content_type, raw).text == text


@pytest.mark.parametrize(
    ("content_type", "raw", "code", "path"),
    [
        ("", b"{}", 50035, []),
        ("text/json", b"{}", 50035, []),
        ("application/x-www-form-urlencoded", b"payload_json=\xff", 50109, None),
        ("application/json", b"{", 50109, None),
        ("application/json", b'{"text": 5}', 50035, ["text"]),
        (FORM, b"", None, None),
        (FORM, b"x", 50035, []),
        (FORM, part("text", b"x") + b"--b--", 50035, ["payload_json"]),
        (FORM, part("payload_json", b"{}") + part("file", b"x", b'; filename="f"') + b"--b--", 50035, ["file"]),
    ],
)
def test_refused(content_type: str, raw: bytes, code: int | None, path: list[str] | None) -> None:
    if code is None:
        parse_body(Note, content_type, raw)  # nothing is nothing in any dress
        return
    with pytest.raises(ApiError) as caught:
        parse_body(Note, content_type, raw)
    assert (caught.value.status, caught.value.code) == (400, code)
    if path is not None:
        node = caught.value.errors or {}
        for key in path:
            node = node[key]
        assert node["_errors"]


class Drawing(FormParams):
    name: str
    file: bytes
    pages: int = 1


FILE = b'; filename="f"'


def test_fields_and_files() -> None:
    raw = part("name", "größe".encode()) + part("file", b"\xff\0", FILE) + part("pages", b"2") + part("other", b"x")
    drawing = parse_body(Drawing, FORM, raw + b"--b--")
    assert (drawing.name, drawing.file, drawing.pages) == ("größe", b"\xff\0", 2)


@pytest.mark.parametrize(
    ("content_type", "raw", "codes"),
    [
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
def test_refused_forms(content_type: str, raw: bytes, codes: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        parse_body(Drawing, content_type, raw)
    tree = caught.value.errors or {}
    found = {name: node["_errors"] if name != "_errors" else node for name, node in tree.items()}
    assert {name.replace("_errors", ""): leaf["code"] for name, [leaf] in found.items()} == codes
