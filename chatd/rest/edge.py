"""The fast front end: HTTP/1.1, one task per connection.

Owns deadlines, answering requests in order, and handing connections that become WebSockets over. Serves plain and TLS
streams alike. Bytes become requests in `reader`; what a request means is the handler's business; HTTP/2 is in `pages`.

A connection reads no further before it has answered what it has read, so that a client which pipelines more than one
read's worth waits by TCP's own means. A handler runs in the connection's task and is never cut short by the client:
hanging up is noticed when the response is sent. Only the body of a form is read while its handler runs, by the handler.
"""

import functools
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from email.utils import formatdate
from http import HTTPStatus
from typing import Self

import trio
from msgspec.structs import replace

from chatd import log
from chatd.live.stream import ClientStream
from chatd.rest.http import (
    NO_BODY,
    ArrivingBody,
    BodyFailed,
    Drain,
    Handler,
    Limits,
    Patience,
    Response,
    Upgrade,
    answer,
    is_read,
    refusal,
)
from chatd.rest.reader import BODY, HEAD, IDLE, Exchange, Pieces, RequestReader
from chatd.store.blobs import BlobsFailed, Reading

logger = log.get(__name__)

# Bodies up to this size leave in one write with their head; larger ones in slices of it, so that a slow download keeps
# no second copy in the output buffer.
SLICE_BYTES = 64 * 1024

# After a refusal the client may still be sending. Closing then would reset the connection, and the client might never
# read why; so what comes is thrown away for a while.
LINGER_S = 2.0
LINGER_BYTES = 16 << 20

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def serve_connection(
    stream: ClientStream,
    handler: Handler,
    *,
    upgrade: Upgrade,
    limits: Limits,
    drain: Drain,
    early: bytes = b"",
    clock: Callable[[], float] = time.time,
) -> None:
    """Answer the requests of one client until either side ends, then close the stream.

    `early` is what has been read from the stream already; `clock` gives Unix time, for Date.
    """
    try:
        takeover = await _serve_requests(stream, handler, upgrade, limits, drain, early, clock)
        if takeover is not None:
            await takeover
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # the client is gone
    finally:
        await stream.aclose()


async def _serve_requests(
    stream: ClientStream,
    handler: Handler,
    upgrade: Upgrade,
    limits: Limits,
    drain: Drain,
    early: bytes,
    clock: Callable[[], float],
) -> Awaitable[None] | None:
    """Returns the upgrade, yet to be awaited, if it came to that: what HTTP needed is gone by then."""
    reader = RequestReader(stream.peer, stream.scheme, limits)
    phase, since = HEAD, trio.current_time()  # a new connection has no more time for its first byte than for its head
    with trio.CancelScope(deadline=since + limits.header_deadline_s) as scope:
        try:
            while not reader.refused:
                if reader.phase == IDLE:
                    if drain.has_begun():
                        return None
                    drain.idle.add(scope)
                data = early or await stream.receive_some()
                early = b""
                if not data:
                    return None
                if scope.cancel_called:  # time may be up in the moment that data comes
                    break
                drain.idle.discard(scope)
                reader.feed(data)
                if reader.exchanges:
                    scope.deadline = float("inf")  # handlers and slow readers have deadlines of their own
                    for exchange in reader.exchanges:  # which grow while a form is read
                        if exchange.upgrade:
                            return upgrade(stream, exchange.request, reader.early)
                        if exchange.form is not None:
                            body = _Form(stream, reader, exchange.form, limits)
                            exchange = replace(exchange, request=replace(exchange.request, body=body))
                        if not await _answer(stream, handler, exchange, limits, drain, clock):
                            return None
                        if len(reader.exchanges) > 1:  # pipelined: the others shall have a turn in between
                            await trio.lowlevel.checkpoint()
                    reader.exchanges.clear()
                    phase, since = reader.phase, trio.current_time()
                elif reader.phase != phase:
                    phase, since = reader.phase, trio.current_time()
                if reader.awaits_continue() and not reader.refused:
                    stream.push(_CONTINUE)
                scope.deadline = since + _patience_s(reader, limits)
        finally:
            drain.idle.discard(scope)
            reader.close()
    if not reader.refused:  # time is up
        if reader.phase == IDLE:
            return None
        reader.refused = 408
    await _refuse(stream, reader.refused, clock)
    return None


def _patience_s(reader: RequestReader, limits: Limits) -> float:
    if reader.phase == BODY:
        return limits.body_deadline_s + reader.body_bytes / limits.body_bytes_per_s
    return limits.idle_deadline_s if reader.phase == IDLE else limits.header_deadline_s


class _Form(ArrivingBody):
    def __init__(self, stream: ClientStream, reader: RequestReader, pieces: Pieces, limits: Limits) -> None:
        self._stream = stream
        self._reader = reader
        self._pieces = pieces
        self._patience = Patience(limits)

    def is_over(self) -> bool:
        return self._pieces.is_complete and not self._pieces.waiting

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        pieces, reader = self._pieces, self._reader
        while not pieces.waiting:
            if pieces.is_complete:
                raise StopAsyncIteration
            if reader.refused:
                raise BodyFailed(reader.refused)
            if reader.awaits_continue():
                self._stream.push(_CONTINUE)
            try:
                data = await self._patience.wait(self._stream.receive_some, reader.body_bytes)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            if not data:  # the client is gone
                raise BodyFailed(0)
            reader.feed(data)
        piece = b"".join(pieces.waiting)
        pieces.waiting.clear()
        return piece


async def _answer(
    stream: ClientStream,
    handler: Handler,
    exchange: Exchange,
    limits: Limits,
    drain: Drain,
    clock: Callable[[], float],
) -> bool:
    """Answer one request; whether the connection goes on."""
    response = await answer(handler, exchange.request)
    is_whole = await is_read(exchange.request, limits.max_body)
    keep_alive = exchange.keep_alive and is_whole and not drain.has_begun()
    head = _render_head(response, keep_alive, int(clock()))
    if not isinstance(response.body, bytes):
        return await _send_reading(stream, head, response.body, exchange.head_only) and keep_alive
    body = b"" if exchange.head_only else response.body
    if not is_whole:
        await stream.send_all(head + body)
        await _linger(stream)
        return False
    if len(body) <= SLICE_BYTES:
        stream.push(head + body)  # `send_all` would wait for a turn, and so does whatever comes next
        if stream.waiting_bytes:
            await stream.wait_send_all_might_not_block()
        return keep_alive
    await stream.send_all(head)
    for start in range(0, len(body), SLICE_BYTES):
        await stream.send_all(body[start : start + SLICE_BYTES])
    return keep_alive


async def _send_reading(stream: ClientStream, head: bytes, body: Reading, head_only: bool) -> bool:
    """Whether all of it was sent. If not, nothing but the end of the connection can tell the client."""
    async with aclosing(body):
        await stream.send_all(head)
        if not head_only:
            try:
                async for piece in body:
                    await stream.send_all(piece)
            except BlobsFailed as error:
                logger.warning("response cut short", reason=str(error))
                return False
    return True


async def _refuse(stream: ClientStream, status: int, clock: Callable[[], float]) -> None:
    response = refusal(status)
    assert isinstance(response.body, bytes)
    await stream.send_all(_render_head(response, False, int(clock())) + response.body)
    await _linger(stream)


async def _linger(stream: ClientStream) -> None:
    """Let the client read what it was told although it is still sending."""
    await stream.send_eof()
    with trio.move_on_after(LINGER_S):
        thrown_away = 0
        while thrown_away < LINGER_BYTES and (data := await stream.receive_some()):
            thrown_away += len(data)


def _render_head(response: Response, keep_alive: bool, now: int) -> bytes:
    parts = [_STATUS_LINES[response.status]]
    for name, value in response.headers:
        parts += name, b": ", value, b"\r\n"
    if response.status not in NO_BODY:  # RFC 9110 8.6
        parts.append(b"content-length: %d\r\n" % response.size)
    # Every HTTP/1.0 client that asks for keep-alive wants to be told; to 1.1 it is the default.
    parts.append(b"connection: keep-alive\r\n" if keep_alive else b"connection: close\r\n")
    parts.append(_date_line(now))
    return b"".join(parts)


@functools.lru_cache(maxsize=1)
def _date_line(now: int) -> bytes:
    """The last header, and the blank line."""
    return f"date: {formatdate(now, usegmt=True)}\r\n\r\n".encode()
