"""HTTP without a server: the request and the response as both front ends see them, and what they answer by themselves.

`edge` and `pages` turn bytes into a `Request`, call the one `Handler` (the runner), and turn its `Response` into bytes.
Routes, authentication and everything else that makes an answer is the handler's business.
"""

import itertools
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol, Self

import msgspec
import trio
from msgspec import Struct

from chatd import log
from chatd.live.stream import ClientStream
from chatd.store.blobs import Reading

logger = log.get(__name__)


# What a form may be: files come with it, and none of them is to be held in memory.
FORM = "multipart/form-data"


class ArrivingBody(Protocol):
    """A form, read from the client as its handler asks for it. Raises BodyFailed."""

    def is_over(self) -> bool:
        """Whether it has come, and been taken, in full."""
        ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> bytes: ...


class Request(Struct, frozen=True):
    method: str  # HEAD arrives as GET; the front end leaves the body out
    path: str  # percent-encoded, as sent
    query: str  # without "?", as sent
    headers: dict[str, str]  # by lower-case name
    body: bytes | ArrivingBody  # the latter where it is a form
    peer: str  # address of the client's end of the connection
    scheme: str  # "http" or "https"
    host: str


class Response(Struct, frozen=True):
    status: int
    headers: list[tuple[bytes, bytes]]  # without Content-Length, Date, Connection and X-Request-Id, which are added
    body: bytes | Reading = b""  # a Reading is sent piece by piece as the client takes it, and closed in any case

    @property
    def size(self) -> int:
        """Of the body, in bytes."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.size


class BodyFailed(Exception):
    """The rest of a request's body does not come: the handler lets go, and lets this through.

    `status` is what the client is told, 0 when it is gone.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


# Statuses that have neither body nor Content-Length (RFC 9110 8.6).
NO_BODY = frozenset({204, 304})

Handler = Callable[[Request], Awaitable[Response]]

# Takes over a connection that asked to become a WebSocket. The bytes are what the client has sent after the request.
Upgrade = Callable[[ClientStream, Request, bytes], Awaitable[None]]


class Limits(Struct, frozen=True, kw_only=True):
    """What one client may cost before it has said who it is."""

    head_bytes: int = 16 * 1024  # request line and headers
    header_count: int = 100
    max_body: int = 1 << 20  # bytes
    max_upload: int = 100 << 20  # bytes, for forms
    max_images: int = 6 << 20  # bytes, where `takes_images` says so
    takes_images: Callable[[str], bool] = lambda path: False  # whether a path's bodies may have images in their JSON
    header_deadline_s: float = 10.0
    body_deadline_s: float = 30.0
    # What arrives extends the body's deadline at this rate, so that a large upload over a slow line may take its time
    # and a drip of single bytes may not (the idea of Apache's mod_reqtimeout).
    body_bytes_per_s: int = 1024
    idle_deadline_s: float = 60.0  # between requests

    def allow(self, size: int, content_type: str, path: str) -> bool:
        """Whether the path's bodies may have so many bytes."""
        if is_form(content_type):
            return size <= self.max_upload
        return size <= self.max_body or (size <= self.max_images and self.takes_images(path))


class Patience:
    """How long a client may take for a body. Only the time counts that we wait for it, not what we do in between."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waited_s = 0.0

    async def wait(self, receive: Callable[[], Awaitable[bytes]], received: int) -> bytes:
        """The next bytes, behind the `received` ones. Raises BodyFailed when time is up."""
        allowed_s = self._limits.body_deadline_s + received / self._limits.body_bytes_per_s
        began = trio.current_time()
        with trio.move_on_after(allowed_s - self._waited_s) as scope:
            data = await receive()
        if scope.cancelled_caught:
            raise BodyFailed(408)
        self._waited_s += trio.current_time() - began
        return data


class Drain:
    """The switch with which a server stops taking requests: those in progress are finished, idle connections close."""

    __slots__ = ("_event", "idle")

    def __init__(self) -> None:
        self._event = trio.Event()
        self.idle: set[trio.CancelScope] = set()  # connections that may end at once

    def begin(self) -> None:
        self._event.set()
        for scope in self.idle:
            scope.cancel()

    def has_begun(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        await self._event.wait()


# Fields of which a message has one (RFC 9110): of several the last counts. All others are lists, joined by commas.
_SINGLE = frozenset(
    {
        "authorization",
        "content-length",
        "content-type",
        "date",
        "expect",
        "from",
        "host",
        "if-modified-since",
        "if-unmodified-since",
        "max-forwards",
        "origin",
        "range",
        "referer",
        "user-agent",
    }
)


def add_header(headers: dict[str, str], name: str, value: str) -> None:
    """Put a field into a request's headers; `name` in lower case."""
    if name in headers and name not in _SINGLE:
        separator = "; " if name == "cookie" else ", "  # RFC 6265 5.4
        value = f"{headers[name]}{separator}{value}"
    headers[name] = value


def is_form(content_type: str) -> bool:
    return content_type.lower().startswith(FORM)


async def is_read(request: Request, limit: int) -> bool:
    """Whether the body is behind us. What its handler has left of one of no more than `limit` bytes is read now.

    A client that waits to be asked for the body has not been asked, and is not now.
    """
    if isinstance(request.body, bytes) or request.body.is_over():
        return True
    if "expect" in request.headers or int(request.headers.get("content-length", limit + 1)) > limit:
        return False
    try:
        async for _ in request.body:
            pass
    except BodyFailed:
        return False
    return True


def split_target(target: str) -> tuple[str, str, str] | None:
    """Host, path and query of a request line's target; the host is empty in the usual form, which has none.

    The other form that counts is the one for proxies (RFC 9112 3.2.2). None for those that mean nothing here.
    """
    path, _, query = target.partition("?")
    if path.startswith("/"):
        return "", path, query
    scheme, separator, rest = path.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return None
    host, _, path = rest.partition("/")
    return host, "/" + path, query


_PROCESS = secrets.token_hex(6)  # tells the ids of one run from those of the next
_request_ids = (f"{_PROCESS}{number:08x}" for number in itertools.count())


async def answer(handler: Handler, request: Request) -> Response:
    """The handler's response, under an id that the log knows it by.

    The handler catches what can go wrong itself; should it fail nevertheless, a bare 500.
    """
    request_id = next(_request_ids)
    log.request_id.set(request_id)
    try:
        response = await handler(request)
    except BodyFailed as failure:
        return _refusal(failure.status or 400, request_id)
    except Exception:
        logger.exception("request failed", method=request.method, path=request.path)
        return _refusal(500, request_id)
    return Response(response.status, [_id_header(request_id), *response.headers], response.body)


# Where Discord has a text and a code of its own; all others are Discord's "404: Not Found" with code 0.
_KNOWN_REFUSALS = {413: ("Request entity too large", 40005)}


def refusal(status: int) -> Response:
    """The front ends' own error, in the shape that Discord's errors have."""
    return _refusal(status, next(_request_ids))


def _refusal(status: int, request_id: str) -> Response:
    message, code = _KNOWN_REFUSALS.get(status, (f"{status}: {HTTPStatus(status).phrase}", 0))
    body = msgspec.json.encode({"message": message, "code": code})
    return Response(status, [_id_header(request_id), (b"content-type", b"application/json")], body)


def _id_header(request_id: str) -> tuple[bytes, bytes]:
    return b"X-Request-Id", request_id.encode()
