"""The other front end: QuartTrio under hypercorn, for HTTP/2, and for pages when there are any.

Serves the same handler as `edge` within the same limits. hypercorn gets each connection from our own listener, and
never one for the gateway: its WebSocket path keeps oversized and compressed messages in memory and waits for clients
that never read. So the first bytes are looked at, and what starts like a request for the gateway goes to `edge`.

hypercorn answers what it cannot parse by itself, with the right status and no body. It has one timer for idle
connections and late heads, so that a head may take `idle_deadline_s`, and closes without a word.
"""

import logging
import socket
from collections.abc import Awaitable, Callable
from functools import partial

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Event, Updated
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable, ASGISendEvent
from quart import Response as QuartResponse
from quart import request as quart_request
from quart.typing import ResponseTypes
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection
from quart_trio.wrappers.request import TrioRequest
from werkzeug.exceptions import HTTPException

from chatd.live.stream import ClientStream, Data
from chatd.live.tls import TlsStream
from chatd.rest.edge import serve_connection
from chatd.rest.http import (
    NO_BODY,
    Drain,
    Handler,
    Limits,
    Request,
    Response,
    Upgrade,
    add_header,
    answer,
    is_form,
    is_read,
    refusal,
    split_target,
)
from chatd.rest.page_bodies import BodyRequest, Form, body_of

# How the request line of every client that wants the gateway begins.
GATEWAY = b"GET /gateway"

# For each piece of a response.
RESPONSE_DEADLINE_S = 120.0

logger = logging.getLogger(__name__)


def connection_handler(
    handler: Handler, *, upgrade: Upgrade, limits: Limits, drain: Drain
) -> Callable[[ClientStream], Awaitable[None]]:
    """What the listener is to run for every connection."""
    app = ASGIWrapper(create_app(handler, limits))
    config = _config(limits)
    context = WorkerContext(max_requests=None)
    context.terminated = _Terminated(drain)  # type: ignore[assignment]

    async def serve(stream: ClientStream) -> None:
        if not isinstance(stream, TlsStream) or stream.selected_alpn_protocol() != "h2":
            early = await _peek(stream, limits, drain)
            if early.startswith(GATEWAY):
                await serve_connection(stream, handler, upgrade=upgrade, limits=limits, drain=drain, early=early)
                return
        else:
            early = b""
        adapter = (_TlsAdapter if isinstance(stream, TlsStream) else _Adapter)(stream, early)
        try:
            # As hypercorn.trio.run.worker_serve does for what it accepts. The dict is the state that an application's
            # start-up hooks leave for its requests; ours has none.
            await _Connection(app, config, context, {}, adapter)  # type: ignore[arg-type]
        except Exception as error:
            # Clients can cause this: a KeyError, for one, with more of a body that HTTP/2 has refused already.
            logger.warning("hypercorn gave up a connection: %r", error)
        if adapter.left_over:
            early = adapter.left_over
            await serve_connection(stream, handler, upgrade=upgrade, limits=limits, drain=drain, early=early)

    return serve


def create_app(handler: Handler, limits: Limits) -> QuartTrio:
    """The application: everything goes to the handler."""
    app = QuartTrio(__name__, static_folder=None)
    app.request_class = BodyRequest
    app.asgi_http_class = _Exchange
    app.config["MAX_CONTENT_LENGTH"] = max(limits.max_body, limits.max_upload, limits.max_images)
    app.config["RESPONSE_TIMEOUT"] = None  # _Exchange has one

    @app.before_request
    async def respond() -> QuartResponse:
        # Not a route: Quart's router would decode the path, merge its slashes and know better about methods.
        response = await _respond(handler, limits)
        body = response.body
        if not isinstance(body, bytes) and quart_request.method == "HEAD":  # hypercorn would read all and drop it
            await body.aclose()
            body = b""
        answer = QuartResponse(body, response.status)
        answer.headers.remove("content-type")  # Quart's guess
        answer.headers.remove("content-length")
        if response.status not in NO_BODY:
            answer.content_length = response.size
        for name, value in response.headers:
            answer.headers.add(name.decode("latin-1"), value.decode("latin-1"))
        return answer

    return app


async def _respond(handler: Handler, limits: Limits) -> Response:
    scope = quart_request.scope
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        add_header(headers, name.decode("latin-1").lower(), value.decode("latin-1"))
    target = split_target(scope["raw_path"].decode("ascii"))
    if target is None:
        return refusal(400)

    size = len(scope["raw_path"]) + len(scope["query_string"])
    fields = list(scope["headers"])
    size += sum(len(name) + len(value) + 4 for name, value in fields)
    if size > limits.head_bytes or len(fields) > limits.header_count:
        return refusal(431)  # hypercorn bounds only what comes in more than one piece
    if "content-length" in headers and "transfer-encoding" in headers:
        return refusal(400)  # RFC 9112 6.1: perhaps one request hidden in another

    host, path, _ = target
    allows = partial(limits.allow, content_type=headers.get("content-type", ""), path=path)
    if not allows(quart_request.content_length or 0):
        return refusal(413)
    arriving = body_of(quart_request)
    body: bytes | Form
    if is_form(headers.get("content-type", "")):
        body = Form(arriving, limits)
    else:
        # Declared as whole seconds, used as a float.
        expected = quart_request.content_length or 0
        deadline_s = limits.body_deadline_s + expected / limits.body_bytes_per_s
        quart_request.body_timeout = deadline_s  # type: ignore[assignment]
        try:
            body = await quart_request.get_data(cache=False, as_text=False, parse_form_data=False)
        except HTTPException as error:  # too large, or too slow
            return refusal(error.code or 400)
        if not allows(len(body)):
            return refusal(413)

    client = scope["client"]
    request = Request(
        "GET" if quart_request.method == "HEAD" else quart_request.method,
        path,
        scope["query_string"].decode("latin-1"),
        headers,
        body,
        client[0] if client else "",
        quart_request.scheme,
        host or headers.get("host", ""),
    )
    response = await answer(handler, request)
    await is_read(request, limits.max_body)
    arriving.discard()
    return response


class _Exchange(TrioASGIHTTPConnection):
    async def handle_messages(  # type: ignore[override]
        self, nursery: trio.Nursery, request: TrioRequest, receive: ASGIReceiveCallable
    ) -> None:
        body = body_of(request)

        async def receive_with_room() -> ASGIReceiveEvent:
            await body.room()
            return await receive()

        await super().handle_messages(nursery, request, receive_with_room)

    async def _send_response(self, send: ASGISendCallable, response: ResponseTypes) -> None:
        # With the end of the response hypercorn reports the client as gone, upon which Quart cancels this task; but it
        # is this task which then, in hypercorn, closes the connection or starts the timer of an idle one. An HTTP/2
        # client may also never make room for the response, hence the deadline, which each piece that it takes moves.
        with trio.move_on_after(RESPONSE_DEADLINE_S, shield=True) as patience:

            async def send_piece(event: ASGISendEvent) -> None:
                await send(event)
                patience.deadline = trio.current_time() + RESPONSE_DEADLINE_S

            await super()._send_response(send_piece, response)


def _config(limits: Limits) -> Config:
    config = Config()
    config.accesslog = None
    config.errorlog = logger
    config.include_server_header = False
    config.h11_max_incomplete_size = limits.head_bytes
    config.h2_max_header_list_size = limits.head_bytes
    config.keep_alive_timeout = limits.idle_deadline_s
    config.keep_alive_max_requests = 1 << 31  # its default closes every connection after a thousand
    return config


async def _peek(stream: ClientStream, limits: Limits, drain: Drain) -> bytes:
    """The first bytes of a connection, as many as it takes to tell where it belongs; none if they do not come."""
    early = b""
    with trio.move_on_after(limits.header_deadline_s) as scope:
        drain.idle.add(scope)
        try:
            while not drain.has_begun() and len(early) < len(GATEWAY) and GATEWAY.startswith(early):
                data = await stream.receive_some()
                if not data:
                    break
                early += data
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""
        finally:
            drain.idle.discard(scope)
    return early


class _Terminated:
    """The drain, as the event that hypercorn asks whether it should stop."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self.wait = drain.wait
        self.is_set = drain.has_begun


class _Connection(TCPServer):
    """hypercorn's connection, which ends between two requests when the client turns to the gateway."""

    stream: "_Adapter"  # type: ignore[assignment]

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, Updated):
            self.stream.is_idle = event.idle
        await super().protocol_send(event)

    async def _read_data(self) -> None:
        await super()._read_data()
        # hypercorn's own timer would keep a connection that was reset, and its place, until it runs out.
        await self.idle_task.stop()


class _Adapter(trio.abc.HalfCloseableStream):
    """A client's stream with what hypercorn uses of Trio's SocketStream, beginning with the bytes already read.

    Libraries keep a connection from REST and ask on it for the gateway. For hypercorn the stream ends there: what it
    must not see is in `left_over`, and the socket stays open.
    """

    def __init__(self, stream: ClientStream, early: bytes) -> None:
        self._stream = stream
        self._early = early
        self.is_idle = False  # between two requests
        self.left_over = b""

    @property
    def socket(self) -> socket.socket:
        return self._stream.socket

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._early:
            early, self._early = self._early, b""
            return early
        data = await self._stream.receive_some(max_bytes)
        if self.is_idle and data.startswith(GATEWAY):
            self.left_over = data
            return b""
        return data

    async def send_all(self, data: Data) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        if not self.left_over:
            await self._stream.send_eof()

    async def aclose(self) -> None:
        if not self.left_over:
            await self._stream.aclose()


class _TlsAdapter(_Adapter):
    """The same for Trio's SSLStream. The listener has shaken hands."""

    async def do_handshake(self) -> None:
        pass

    def selected_alpn_protocol(self) -> str | None:
        assert isinstance(self._stream, TlsStream)
        return self._stream.selected_alpn_protocol()

    @property
    def transport_stream(self) -> "_TlsAdapter":
        return self  # asked for its socket only
