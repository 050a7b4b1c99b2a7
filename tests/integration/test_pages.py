"""What only the front end under hypercorn does: HTTP/2, and telling its connections from the gateway's."""

import h2.connection
import h2.events
import pytest
import trio

from chatd.live.stream import ClientStream
from chatd.rest.http import Limits, Request, Response
from tests.support.serving import Client, client_context, connect, serving


class Http2:
    """A client that asks one thing after the other."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._h2 = h2.connection.H2Connection()

    async def ask(
        self, method: str, path: str, body: bytes = b"", content_type: str = ""
    ) -> tuple[dict[str, str], bytes]:
        if self._h2.state_machine.state is h2.connection.ConnectionState.IDLE:
            self._h2.initiate_connection()
        stream_id = self._h2.get_next_available_stream_id()
        headers = {":method": method, ":path": path, ":scheme": "https", ":authority": "chat.test"}
        headers |= {"content-type": content_type} if content_type else {}
        self._h2.send_headers(stream_id, list(headers.items()), end_stream=not body)
        answer: dict[str, str] = {}
        content = b""
        with trio.fail_after(5):
            while True:
                while body and (size := self._room(stream_id)):
                    self._h2.send_data(stream_id, body[:size], end_stream=len(body) <= size)
                    body = body[size:]
                await self._client.send(self._h2.data_to_send())
                for event in self._h2.receive_data(bytes(await self._client.stream.receive_some())):
                    match event:
                        case h2.events.ResponseReceived():
                            answer = {name.decode(): value.decode() for name, value in event.headers}
                        case h2.events.DataReceived():
                            content += event.data
                        case h2.events.StreamEnded():
                            return answer, content
                        case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                            raise AssertionError(event)

    def _room(self, stream_id: int) -> int:
        return min(self._h2.local_flow_control_window(stream_id), self._h2.max_outbound_frame_size)


@pytest.mark.parametrize("tls", [True, False], ids=["negotiated", "prior knowledge"])
async def test_http_2(tls: bool) -> None:
    async with (
        serving(front_end="pages", tls=tls) as server,
        connect(server, client_context("h2") if tls else None) as client,
    ):
        browser = Http2(client)
        headers, body = await browser.ask("POST", "/a%20b?c=d", b"hello")
        assert (headers[":status"], headers["content-type"]) == ("200", "application/json")
        assert headers["content-length"] == str(len(body))
        assert body == b"POST /a%20b?c=d hello"
        again, body = await browser.ask("GET", "/")
        assert body == b"GET /? "
        own = {name: again[name] for name in ("date", "x-request-id")}
        assert again == headers | {"content-length": "7"} | own


async def test_http_2_refuses_large_bodies() -> None:
    async with (
        serving(front_end="pages", tls=True, limits=Limits(max_body=10)) as server,
        connect(server, client_context("h2")) as client,
    ):
        headers, body = await Http2(client).ask("POST", "/", b"x" * 11)
        assert (headers[":status"], body) == ("413", b'{"message":"Request entity too large","code":40005}')


async def test_http_2_reads_a_form_as_it_comes() -> None:
    """More than the window, in which a client may send what nobody has read, and more than is kept for a handler."""
    sizes: list[int] = []

    async def handler(request: Request) -> Response:
        assert not isinstance(request.body, bytes)
        sizes.extend([len(piece) async for piece in request.body])
        return Response(200, [], b"%d" % sum(sizes))

    async with (
        serving(handler, front_end="pages", tls=True) as server,
        connect(server, client_context("h2")) as client,
    ):
        kind = "multipart/form-data; boundary=b"
        headers, body = await Http2(client).ask("POST", "/", b"x" * 1_000_000, kind)
        assert (headers[":status"], body) == ("200", b"1000000")
        assert max(sizes) < 500_000


async def test_a_connection_for_the_gateway_may_ask_for_something_else() -> None:
    async with serving(front_end="pages") as server, connect(server) as client:
        assert await client.ask(b"GET /gateway HTTP/1.1\r\nHost: a\r\n\r\n") == b"GET /gateway? "
        assert await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == b"GET /? "


async def test_the_gateway_over_tls() -> None:
    async def upgrade(stream: ClientStream, request: Request, early: bytes) -> None:
        await stream.send_all(request.scheme.encode())

    async with (
        serving(front_end="pages", tls=True, upgrade=upgrade) as server,
        connect(server, client_context("http/1.1")) as client,
    ):
        await client.send(b"GET /gateway HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert await client.rest() == b"https"


async def test_no_websocket_but_the_gateway() -> None:
    async with serving(front_end="pages") as server, connect(server) as client:
        await client.send(
            b"GET /other HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert (await client.response())[0] == 404
