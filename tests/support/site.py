"""A web site on 127.0.0.1 that answers with what a test wants, however wrong; and a network that reaches it alone."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from chatd.web.fetch import Web, tls_context
from tests.support.serving import CERTIFICATE

Answers = Mapping[str, bytes | list[bytes] | None]


@dataclass
class Site:
    """`answers`: path -> the whole answer, in pieces if it is a list; None never comes to an end."""

    port: int
    answers: dict[str, bytes | list[bytes] | None]
    asked: list[str] = field(default_factory=list)  # paths
    heads: list[str] = field(default_factory=list)
    visited: trio.Event = field(default_factory=trio.Event)
    abandoned: trio.Event = field(default_factory=trio.Event)  # somebody has gone before the end of an answer

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def response(body: bytes = b"", content_type: str = "text/html", *, status: str = "200 OK", **headers: str) -> bytes:
    fields = {"Content-Type": content_type, "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return response(b"", status=status, Location=location)


def web(*permitted: str, **names: list[str]) -> Web:
    """Only these addresses, on any port. `names` (with "_" for ".") is all that is known beside addresses."""

    async def resolve(host: str, port: int) -> list[str]:
        await trio.lowlevel.checkpoint()
        return names.get(host.replace(".", "_"), [host])

    return Web(resolve, lambda address, port: address in permitted, tls_context(CERTIFICATE))


def local_web() -> Web:
    return web("127.0.0.1")


@asynccontextmanager
async def site(answers: Answers | None = None, *, tls: bool = False) -> AsyncIterator[Site]:
    async with trio.open_nursery() as nursery:
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        made = Site(listener.socket.getsockname()[1], dict(answers or {}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)

        async def attend(transport: trio.SocketStream) -> None:
            stream = trio.SSLStream(transport, context, server_side=True, https_compatible=True) if tls else transport
            try:
                await _answer(made, stream)
            except (trio.BrokenResourceError, OSError):
                made.abandoned.set()
            finally:
                await trio.aclose_forcefully(stream)

        nursery.start_soon(trio.serve_listeners, attend, [listener])
        yield made
        nursery.cancel_scope.cancel()


async def _answer(site: Site, stream: trio.abc.Stream) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += (data := await stream.receive_some())
        if not data:
            return
    path = head.split()[1].decode()
    site.asked.append(path)
    site.heads.append(head.decode())
    site.visited.set()
    answer = site.answers.get(path, response(b"", status="404 Not Found"))
    if answer is None:
        while await stream.receive_some():
            pass
        site.abandoned.set()
    for piece in [answer] if isinstance(answer, bytes) else answer or []:
        await stream.send_all(piece)
