"""Bytes to HTTP/1.1 requests, on httptools. No socket, no clock.

Owns what may be read: the limits in bytes, and which requests are refused before a handler sees them. llhttp, under
httptools, already refuses what is malformed or could be read in two ways (RFC 9112 11.2).

A request is complete with its body, but for a form: that is one with its head, and its body follows in pieces.
"""

from typing import NoReturn

import httptools
from msgspec import Struct

from chatd.live.stream import RECEIVE_BYTES
from chatd.rest.http import Limits, Request, add_header, is_form, split_target

# Chunked bodies cost bytes of their own, six at most for a chunk of one.
_CHUNK_OVERHEAD = 8

# Where in a request a connection stands.
IDLE, HEAD, BODY = "idle", "head", "body"


class Pieces(Struct):
    """A form's body, as far as it has come and nobody has taken it."""

    waiting: list[bytes] = []
    is_complete: bool = False


class Exchange(Struct, frozen=True):
    """A request, and what its answer must heed."""

    request: Request  # of a form without the body
    keep_alive: bool
    head_only: bool
    upgrade: bool
    form: Pieces | None


class RequestReader:
    """Turns bytes into requests: httptools' callbacks, and the limits that it does not know.

    `exchanges` holds the requests to answer, `phase` tells what the next bytes belong to, and `refused` is the status
    to answer, after those, to what cannot be read. After an upgrade `early` holds the bytes behind it.
    """

    def __init__(self, peer: str, scheme: str, limits: Limits) -> None:
        self._peer = peer
        self._scheme = scheme
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self.exchanges: list[Exchange] = []
        self.phase = IDLE
        self.refused = 0
        self.early = b""
        self.body_bytes = 0
        self._wire_bytes = 0  # of the unfinished request, to within one read

    def feed(self, data: bytes) -> None:
        size = len(data)
        try:
            while data:
                data = self._feed(data)
        except httptools.HttpParserCallbackError as error:
            if not self.refused:  # not a limit of ours
                raise error.__context__ or error from None
        except httptools.HttpParserInvalidMethodError:
            self.refused = 501
        except httptools.HttpParserError as error:
            self.refused = 505 if "HTTP version" in str(error) else 400
        if self.phase != IDLE:
            self._count(size)

    def close(self) -> None:
        """Break the circle with the parser, so that its memory does not wait for the garbage collector."""
        del self._parser

    def awaits_continue(self) -> bool:
        """Whether the client waits to be asked for the body. Says so once."""
        return self.phase == BODY and self._headers.pop("expect", "").lower() == "100-continue"

    def _feed(self, data: bytes) -> bytes:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as end:
            rest = data[end.args[0] :]
            if not self.exchanges[-1].upgrade:
                return self._decline_upgrade() + rest
            self.early = rest
        return b""

    def _decline_upgrade(self) -> bytes:
        """The last request's head without its offer to speak something else (RFC 9110 7.8), "h2c" for one.

        The parser takes what follows such an offer for that other protocol, even a body, so it has to begin anew.
        """
        self.exchanges.pop()
        del self._headers["upgrade"]
        lines = [f"{self._parser.get_method().decode()} {self._url.decode()} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self._headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _count(self, size: int) -> None:
        """Bound what the parser keeps before it calls back, and what it throws away (chunk extensions)."""
        self._wire_bytes += size
        head_bytes = self._limits.head_bytes + RECEIVE_BYTES
        if self.phase == HEAD and self._wire_bytes > head_bytes:
            self.refused = self.refused or 431
        elif self._wire_bytes > 2 * head_bytes + self.body_bytes * _CHUNK_OVERHEAD:
            self.refused = self.refused or 400

    def _check_size(self, body_bytes: int) -> None:
        _, path, _ = self._target
        if not self._limits.allow(body_bytes, self._headers.get("content-type", ""), path):
            self._refuse(413)

    def _refuse(self, status: int) -> NoReturn:
        self.refused = status
        raise ValueError(status)  # makes the parser stop

    # The rest is called by httptools, in this order.

    def on_message_begin(self) -> None:
        self.phase = HEAD
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = self._header_count = 0
        self._body: list[bytes] = []
        self._form: Pieces | None = None
        self.body_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._head_bytes += len(url)
        if self._head_bytes > self._limits.head_bytes:
            self._refuse(414)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + 4
        self._header_count += 1
        if self._head_bytes > self._limits.head_bytes or self._header_count > self._limits.header_count:
            self._refuse(431)
        if self.phase == BODY:
            return  # trailers, in which nothing of use is ever sent
        key = name.decode("latin-1").lower()
        if key in self._headers:
            if key == "host":  # RFC 9112 3.2
                self._refuse(400)
            add_header(self._headers, key, value.decode("latin-1"))
        else:
            self._headers[key] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.phase = BODY
        headers = self._headers
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._refuse(505)
        if "host" not in headers and version == "1.1":
            self._refuse(400)
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            self._refuse(501)
        if headers.get("expect", "100-continue").lower() != "100-continue":
            self._refuse(417)
        target = split_target(self._url.decode("ascii"))
        if target is None:
            self._refuse(400)
        self._target = target
        self._check_size(int(headers.get("content-length", 0)))
        # What follows an offer to speak something else is no body until that is declined.
        if is_form(headers.get("content-type", "")) and not self._parser.should_upgrade():
            self._form = Pieces()
            self._body = self._form.waiting
            self._begin_exchange(b"", upgrade=False)

    def on_body(self, data: bytes) -> None:
        self.body_bytes += len(data)
        self._check_size(self.body_bytes)
        self._body.append(data)

    def on_message_complete(self) -> None:
        self.phase = IDLE
        self._wire_bytes = 0
        if self._form is not None:
            self._form.is_complete = True
            return
        asks_websocket = self._parser.should_upgrade() and self._headers["upgrade"].lower() == "websocket"
        upgrade = self._parser.get_method() == b"GET" and asks_websocket
        self._begin_exchange(self._body[0] if len(self._body) == 1 else b"".join(self._body), upgrade)

    def _begin_exchange(self, body: bytes, upgrade: bool) -> None:
        method = self._parser.get_method().decode()
        host, path, query = self._target
        headers = self._headers
        request = Request(
            "GET" if method == "HEAD" else method,
            path,
            query,
            headers,
            body,
            self._peer,
            self._scheme,
            host or headers.get("host", ""),
        )
        keep_alive = self._parser.should_keep_alive()
        self.exchanges.append(Exchange(request, keep_alive, method == "HEAD", upgrade, self._form))
