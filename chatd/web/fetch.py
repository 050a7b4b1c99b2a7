"""GET for URLs of strangers: one page or the beginning of it, within bounds, from addresses that are permitted.

The name is resolved here and the connection made to an address that was checked, so that a name cannot mean something
else a moment later (DNS rebinding); TLS still verifies the name. A redirect is a new URL, and checked like the first.
Nothing compressed is asked for or read, so what arrives is all that it can become. The parser is the front end's, in C,
which small chunks do not slow down.
"""

import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
from ipaddress import IPv6Address
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

import httptools
import trio

from chatd import __version__
from chatd.web.addresses import is_public

REDIRECTS = 3
HEAD_BYTES = 16 * 1024
# Read at a time: what the parser takes in one go, while nobody else's task runs.
PIECE_BYTES = 16 * 1024
# For each address of a name, so that one that does not answer leaves time for the next.
CONNECT_S = 3.0
ADDRESSES = 4
# Look-ups that wait for name servers. The system gives up on one after some 30 s, and nothing can end it before.
LOOKUPS = 8

_PORTS = {"http": 80, "https": 443}
_REDIRECT = frozenset((301, 302, 303, 307, 308))
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
# What a target may hold beside letters, digits and "_.-~" (RFC 3986), and "%", because it is encoded already.
_TARGET_SAFE = "/?:@!$&'()*+,;=%[]|"


class Unfetched(Exception):
    """There is nothing to be had from the URL; why, for the log."""


class Refused(Unfetched):
    """The URL leads to where no user may send the server."""


class Web(NamedTuple):
    """The network, as far as it may be reached."""

    resolve: Callable[[str, int], Awaitable[list[str]]]  # the addresses of a host
    permits: Callable[[str, int], bool]  # address, port
    tls: ssl.SSLContext


class Fetched(NamedTuple):
    url: str  # behind the redirects
    media_type: str  # "text/html"
    charset: str  # "" when it is not said
    body: bytes  # as much of it as was asked for


class _Target(NamedTuple):
    url: str
    scheme: str
    host: str
    port: int
    authority: str  # for the Host header
    path: str


def public_web() -> Web:
    """The public Internet, on the two ports of the Web."""
    limiter = trio.CapacityLimiter(LOOKUPS)

    async def resolve(host: str, port: int) -> list[str]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        found = await trio.to_thread.run_sync(look_up, abandon_on_cancel=True, limiter=limiter)
        return [str(address[0]) for *_, address in found]

    return Web(resolve, lambda address, port: port in _PORTS.values() and is_public(address), tls_context())


def tls_context(cafile: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=cafile)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def fetch(web: Web, url: str, media_types: Collection[str], max_bytes: int, deadline_s: float) -> Fetched:
    """The first `max_bytes` of what answers with 200 and one of the types, in the time for all of it.

    Raises Unfetched, Refused.
    """
    with trio.move_on_after(deadline_s):
        for _ in range(1 + REDIRECTS):
            answer = await _get(web, _parse(url), media_types, max_bytes)
            if isinstance(answer, Fetched):
                return answer
            url = urljoin(url, answer)
        raise Unfetched("too many redirects")
    raise Unfetched(f"took more than {deadline_s} s")


def _parse(url: str) -> _Target:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)
        if ":" in host:
            host = str(IPv6Address(host))
        elif not host.isascii():
            host = host.encode("idna").decode()
        path = quote(parts.path or "/", safe=_TARGET_SAFE)
        if parts.query:
            path += f"?{quote(parts.query, safe=_TARGET_SAFE)}"
    except ValueError as error:
        raise Unfetched(f"no URL: {error}") from None
    if parts.scheme not in _PORTS:
        raise Refused(f"scheme {parts.scheme!r}")
    if "@" in parts.netloc:
        raise Refused("a user's name in the URL")
    if ":" not in host and (_NAME.fullmatch(host) is None or len(host) > 253):
        raise Unfetched(f"no host: {host!r}")
    authority = f"[{host}]" if ":" in host else host
    if port != _PORTS[parts.scheme]:
        authority += f":{port}"
    return _Target(url, parts.scheme, host, port, authority, path)


async def _get(web: Web, target: _Target, media_types: Collection[str], max_bytes: int) -> Fetched | str:
    """What is there, or where it has gone."""
    try:
        stream = await _connect(web, target)
        try:
            return await _exchange(stream, target, media_types, max_bytes)
        finally:
            # Not in order: that would wait for the other end.
            await trio.aclose_forcefully(stream)
    except trio.BrokenResourceError as error:  # why is in its cause: a certificate, for one
        raise Unfetched(f"{target.authority}: {error.__cause__ or error!r}") from error
    except httptools.HttpParserError as error:
        raise Unfetched(f"{target.authority}: {error}") from error


async def _connect(web: Web, target: _Target) -> trio.abc.Stream:
    try:
        addresses = list(dict.fromkeys(await web.resolve(target.host, target.port)))
    except (OSError, UnicodeError) as error:
        raise Unfetched(f"{target.host}: {error}") from error
    # One that is not permitted spoils the name: who mixes them has nothing good in mind.
    refused = [address for address in addresses if not web.permits(address, target.port)]
    if refused:
        raise Refused(f"{target.host} is {refused[0]}, port {target.port}")
    for address in addresses[:ADDRESSES]:
        with trio.move_on_after(CONNECT_S), suppress(OSError):
            transport = await trio.open_tcp_stream(address, target.port)
            if target.scheme == "http":
                return transport
            # Its handshake comes with the first byte that is sent.
            return trio.SSLStream(transport, web.tls, server_hostname=target.host, https_compatible=True)
    raise Unfetched(f"{target.authority} cannot be reached")


async def _exchange(
    stream: trio.abc.Stream, target: _Target, media_types: Collection[str], max_bytes: int
) -> Fetched | str:
    await stream.send_all(
        f"GET {target.path} HTTP/1.1\r\n"
        f"Host: {target.authority}\r\n"
        f"User-Agent: Mozilla/5.0 (compatible; chatd/{__version__}; link preview)\r\n"
        "Accept: text/html,application/xhtml+xml,image/*;q=0.9\r\n"
        "Accept-Encoding: identity\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    answer = _Answer()
    received = 0
    while not answer.is_complete and received < HEAD_BYTES + max_bytes:
        piece = await stream.receive_some(PIECE_BYTES)
        if not piece:
            break
        received += len(piece)
        answer.feed(bytes(piece))
        if answer.status:
            if answer.status in _REDIRECT:
                return answer.header("location")
            _check(answer, media_types)
        elif received > HEAD_BYTES:
            raise Unfetched(f"headers of more than {HEAD_BYTES} bytes")
    if not answer.status:
        raise Unfetched("no answer")
    media_type, charset = answer.content_type()
    return Fetched(target.url, media_type, charset, bytes(answer.body[:max_bytes]))


class _Answer:
    """The final answer, behind those with a status of 1xx, as httptools calls it in."""

    def __init__(self) -> None:
        self.status = 0  # once its headers are there
        self.body = bytearray()
        self.is_complete = False
        self._headers: dict[str, str] = {}
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Raises HttpParserError."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise Unfetched("an upgrade that nobody asked for") from None
        except httptools.HttpParserError:
            if not self.is_complete:  # else something has come behind it
                raise

    def header(self, name: str) -> str:
        return self._headers.get(name, "")

    def content_type(self) -> tuple[str, str]:
        """Media type and charset, in lower case."""
        media_type, _, parameters = self.header("content-type").lower().partition(";")
        found = re.search(r"charset\s*=\s*\"?([a-z0-9_:-]+)", parameters)
        return media_type.strip(), found[1] if found else ""

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status: int = self._parser.get_status_code()
        self.status = status if status >= 200 else 0

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        if self.status:
            self.is_complete = True
        else:
            self._headers.clear()


def _check(answer: _Answer, media_types: Collection[str]) -> None:
    if answer.status != 200:
        raise Unfetched(f"status {answer.status}")
    if answer.content_type()[0] not in media_types:
        raise Unfetched(f"content type {answer.header('content-type')!r}")
    if answer.header("content-encoding") not in ("", "identity"):
        raise Unfetched(f"content encoding {answer.header('content-encoding')!r}")
