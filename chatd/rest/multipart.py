"""multipart/form-data bodies (RFC 7578) of message and attachment uploads.

The whole body is in memory when it is parsed, its size already bounded by the front end, so this searches for the
boundary instead of walking the bytes: no input makes it slow. Which files a route takes is not decided here.
"""

from collections.abc import Iterator

from msgspec import Struct
from python_multipart.multipart import parse_options_header

MAX_PARTS = 20  # Discord allows ten attachments; the rest are payload_json and plain fields
MAX_PART_HEAD_BYTES = 8 * 1024
MAX_BOUNDARY_BYTES = 70  # RFC 2046 5.1.1
_MAX_PADDING_BYTES = 64  # white space that RFC 2046 allows after a boundary


class MalformedForm(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FilePart(Struct, frozen=True):
    name: str
    filename: str
    content_type: str
    data: bytes


class Form(Struct):
    payload_json: bytes | None
    fields: dict[str, bytes]
    files: list[FilePart]


def parse(content_type: str, body: bytes, max_parts: int = MAX_PARTS) -> Form:
    """The parts of a body, given the request's Content-Type. Raises MalformedForm, and nothing else."""
    form = Form(None, {}, [])
    for count, (head, data) in enumerate(_split(_boundary(content_type), body), 1):
        if count > max_parts:
            raise MalformedForm(f"more than {max_parts} parts")
        _add(form, head, data)
    return form


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    if kind != b"multipart/form-data":
        raise MalformedForm("not multipart/form-data")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= MAX_BOUNDARY_BYTES:
        raise MalformedForm("no usable boundary")
    return boundary


def _split(boundary: bytes, body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Heads and contents of the parts. What stands before the first and after the last delimiter is ignored."""
    delimiter = b"\r\n--" + boundary
    # The first delimiter may open the body; then it has no line end of its own before it.
    at = len(delimiter) - 2 if body.startswith(delimiter[2:]) else _find(body, delimiter, 0, "no boundary")
    while not body.startswith(b"--", at):
        line_end = body.find(b"\r\n", at, at + _MAX_PADDING_BYTES + 2)
        if line_end < 0 or body[at:line_end].strip(b" \t"):
            raise MalformedForm("text after a boundary")
        # A part without headers has its blank line right here, so the search begins at the end of this one.
        head_end = body.find(b"\r\n\r\n", line_end, line_end + MAX_PART_HEAD_BYTES + 4)
        if head_end < 0:
            raise MalformedForm("a part's headers do not end")
        at = _find(body, delimiter, head_end + 2, "unterminated")
        yield body[line_end + 2 : head_end], body[head_end + 4 : at - len(delimiter)]


def _find(body: bytes, delimiter: bytes, start: int, otherwise: str) -> int:
    """Where the next delimiter ends."""
    at = body.find(delimiter, start)
    if at < 0:
        raise MalformedForm(otherwise)
    return at + len(delimiter)


def _add(form: Form, head: bytes, data: bytes) -> None:
    headers = dict(_header(line) for line in head.split(b"\r\n") if line)
    disposition, options = parse_options_header(headers.get(b"content-disposition"))
    if disposition != b"form-data" or b"name" not in options:
        raise MalformedForm("a part without a name")
    name = _text(options[b"name"])
    if name == "payload_json":  # some clients give it a type, some a file name, some neither
        if form.payload_json is not None:
            raise MalformedForm("two parts payload_json")
        form.payload_json = data
    elif b"filename" in options:
        content_type = _text(headers.get(b"content-type", b"application/octet-stream"))
        form.files.append(FilePart(name, _text(options[b"filename"]), content_type, data))
    else:
        form.fields[name] = data


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon:
        raise MalformedForm("a part's header without a colon")
    return name.strip().lower(), value.strip()


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
