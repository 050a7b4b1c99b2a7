"""multipart/form-data bodies (RFC 7578), part by part while they arrive.

Nothing is kept but what may be the beginning of a delimiter, or a part's head: some 8 KiB, whatever is sent in whatever
pieces. The bytes are searched, not walked, so no input makes it slow. What becomes of the parts is not decided here.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from msgspec import Struct
from python_multipart.multipart import parse_options_header

MAX_PARTS = 32  # ten attachments, payload_json, and plain fields
MAX_PART_HEAD_BYTES = 8 * 1024
MAX_BOUNDARY_BYTES = 70  # RFC 2046 5.1.1
_MAX_PADDING_BYTES = 64  # white space that RFC 2046 allows after a boundary


class MalformedForm(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Head(Struct, frozen=True):
    """What a part says of itself."""

    name: str
    filename: str | None  # None: not a file


class End(Struct, frozen=True):
    """Of a part."""


# What a form consists of: a head, its part's data in pieces of any size, an end; and so on.
Event = Head | bytes | End


class FormParser:
    """Bytes in, events out. Raises MalformedForm, and nothing else."""

    def __init__(self, content_type: str) -> None:
        self._delimiter = b"\r\n--" + _boundary(content_type)
        self._buffer = b"\r\n"  # the first delimiter may open the body; then it has no line end of its own before it
        self._skipped = 0  # bytes of the buffer that are no data
        self._parts = 0
        self._step: Callable[[list[Event]], bool] = self._preamble

    def feed(self, data: bytes) -> list[Event]:
        self._buffer += data
        events: list[Event] = []
        while self._step(events):
            pass
        return events

    def close(self) -> None:
        """To be called at the end of the body."""
        if self._step != self._epilogue:
            raise MalformedForm("unterminated")

    # Each step is what comes next. It returns False when that has not arrived in full.

    def _preamble(self, events: list[Event]) -> bool:
        at = self._buffer.find(self._delimiter)
        if at < 0:
            self._buffer = self._buffer[1 - len(self._delimiter) :]
            return False
        return self._go_on(self._boundary_line, at + len(self._delimiter))

    def _boundary_line(self, events: list[Event]) -> bool:
        if self._buffer.startswith(b"--"):
            return self._go_on(self._epilogue, 2)
        line_end = self._buffer.find(b"\r\n", 0, _MAX_PADDING_BYTES + 2)
        if line_end < 0:
            if len(self._buffer) < _MAX_PADDING_BYTES + 2:
                return False
            raise MalformedForm("text after a boundary")
        if self._buffer[:line_end].strip(b" \t"):
            raise MalformedForm("text after a boundary")
        # The line end stays: a part without headers has its blank line right here.
        return self._go_on(self._head, line_end)

    def _head(self, events: list[Event]) -> bool:
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_PART_HEAD_BYTES + 4)
        if end < 0:
            if len(self._buffer) < MAX_PART_HEAD_BYTES + 4:
                return False
            raise MalformedForm("a part's headers do not end")
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise MalformedForm(f"more than {MAX_PARTS} parts")
        events.append(_parse_head(self._buffer[:end]))
        # The end of the blank line stays: a delimiter may begin with it, where there is no data.
        self._skipped = 2
        return self._go_on(self._data, end + 2)

    def _data(self, events: list[Event]) -> bool:
        at = self._buffer.find(self._delimiter)
        if at >= 0:
            if at > self._skipped:
                events.append(self._buffer[self._skipped : at])
            events.append(End())
            return self._go_on(self._boundary_line, at + len(self._delimiter))
        sure = len(self._buffer) - len(self._delimiter) + 1  # behind it a delimiter may have begun
        if sure > self._skipped:
            events.append(self._buffer[self._skipped : sure])
            self._buffer = self._buffer[sure:]
            self._skipped = 0
        return False

    def _epilogue(self, events: list[Event]) -> bool:
        self._buffer = b""
        return False

    def _go_on(self, step: Callable[[list[Event]], bool], start: int) -> bool:
        self._buffer = self._buffer[start:]
        self._step = step
        return True


class FormReader:
    """The parts of a body that is read as they are asked for, one after the other."""

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        self._parser = FormParser(content_type)
        self._body = body
        self._events: deque[Event] = deque()
        self._has_begun = False  # nothing at all is a form as well

    async def next_part(self) -> Head | None:
        """The head of the next one, what is left of this one thrown away; None behind the last."""
        while (event := await self.next_event()) is not None:
            if isinstance(event, Head):
                return event
        return None

    def data(self) -> AsyncIterator[bytes]:
        """Of this part, in pieces, to be asked for once."""
        return _PartData(self)

    async def next_event(self) -> Event | None:
        while not self._events:
            piece = await anext(self._body, None)
            if piece is None:
                if self._has_begun:
                    self._parser.close()
                return None
            self._has_begun = self._has_begun or bool(piece)
            self._events += self._parser.feed(piece)
        return self._events.popleft()


class _PartData:
    """Not a generator: those have to be closed by whoever leaves them early."""

    def __init__(self, reader: FormReader) -> None:
        self._reader = reader

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        event = await self._reader.next_event()
        if isinstance(event, bytes):
            return event
        raise StopAsyncIteration


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    if kind != b"multipart/form-data":
        raise MalformedForm("not multipart/form-data")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= MAX_BOUNDARY_BYTES:
        raise MalformedForm("no usable boundary")
    return boundary


def _parse_head(head: bytes) -> Head:
    headers = dict(_header(line) for line in head.split(b"\r\n") if line)
    disposition, options = parse_options_header(headers.get(b"content-disposition"))
    if disposition != b"form-data" or b"name" not in options:
        raise MalformedForm("a part without a name")
    filename = options.get(b"filename")
    return Head(_text(options[b"name"]), None if filename is None else _text(filename))


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon:
        raise MalformedForm("a part's header without a colon")
    return name.strip().lower(), value.strip()


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
