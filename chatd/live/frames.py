"""Gateway messages as bytes: an event is encoded once, and framed once for all sessions at the same sequence number.

Only the sequence number differs between sessions: an `Event` keeps the part behind it ready made, for each format at
most once. What a format is, `formats` says.
"""

import functools
from typing import Any

from chatd.live.compress import Context
from chatd.live.formats import BINARY, FORMATS, Encoding, header
from chatd.model.wire import Object, encode

# Events that are worth nothing later: not kept for RESUME, and without a sequence number of their own, so that what is
# counted is what the journal tells again.
VOLATILE = frozenset(("TYPING_START", "PRESENCE_UPDATE", "RESUMED"))


class Event:
    """A dispatch event, shared by every session that gets it.

    `lean` is the body for sessions without the MESSAGE_CONTENT intent, None where there is no difference; the users in
    `reveal` get the full body nevertheless. `position` is that of the commit that the event tells of.
    """

    __slots__ = ("_bodies", "_name", "_tails", "body", "lean", "name", "position", "reveal", "volatile")

    def __init__(self, name: str, body: bytes, lean: bytes | None = None, reveal: frozenset[int] = frozenset()) -> None:
        self.name = name
        self.body = body
        self.lean = lean
        self.reveal = reveal
        self.volatile = name in VOLATILE
        self.position = 0
        self._name = name.encode()
        self._bodies: list[bytes | None] = [body, lean, None, None]  # in JSON, then in ETF
        self._tails: list[Any] = [None] * (2 * len(FORMATS))

    def frame(self, seq: int, format_: int, lean: bool) -> bytes:
        """The whole WebSocket frame with `seq` as its sequence number, independent of what was sent before it."""
        format = FORMATS[format_]
        body = self.lean if lean and self.lean is not None else self.body
        slot = 2 * format_ + (body is self.lean)
        tail = self._tails[slot]
        if tail is None:
            tail = self._tails[slot] = format.prepare(self._tail(format.encoding, body))
        return format.frame(format.encoding.head(self._name, seq), tail)

    def frame_in(self, context: Context, seq: int, format_: int, lean: bool) -> bytes:
        """As `frame`, compressed with the history of one connection."""
        encoding = FORMATS[format_].encoding
        body = self.lean if lean and self.lean is not None else self.body
        data = context.compress(encoding.head(self._name, seq), self._tail(encoding, body))
        return header(BINARY, len(data)) + data

    def _tail(self, encoding: Encoding, body: bytes) -> bytes:
        slot = 2 * encoding.number + (body is self.lean)
        encoded = self._bodies[slot]
        if encoded is None:
            encoded = self._bodies[slot] = encoding.body(body)
        return encoding.tail(0, encoded)


@functools.lru_cache(maxsize=64)
def control(op: int, payload: Object | bool | int | None, format_: int, is_first: bool = False) -> bytes:
    """The frame of a message other than a dispatch: `s` and `t` are null. A compressed stream begins with its first."""
    format = FORMATS[format_]
    encoding, codec = format.encoding, format.codec
    head, tail = encoding.null_head, format.prepare(encoding.tail(op, encoding.body(encode(payload))))
    if codec is None or not is_first:
        return format.frame(head, tail)
    data = b"".join((codec.stream_header, codec.plain(head), tail))
    return header(BINARY, len(data)) + data
