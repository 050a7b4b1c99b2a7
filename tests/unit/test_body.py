"""Request bodies in their three dresses."""

import pytest

from chatd.model.errors import ApiError
from chatd.model.wire import Params
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
        ("application/x-www-form-urlencoded", b"text=x", 50035, []),
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
