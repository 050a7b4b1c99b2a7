"""HTTP/1.1 as clients see it. What both front ends promise runs on both; the rest is the edge's alone."""

from itertools import pairwise
from typing import Self

import pytest
import trio
import trio.testing

from chatd.live.stream import ClientStream
from chatd.rest.http import Limits, Request, Response
from chatd.store.blobs import PIECE_BYTES, BlobsFailed, Reading
from tests.support.serving import Client, client_context, connect, echo, serving

BOTH = pytest.mark.parametrize("front_end", ["edge", "pages"])

HOST = b"Host: chat.test\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
SMALL = Limits(max_body=1000, max_upload=3000)
QUICK = Limits(header_deadline_s=0.05, body_deadline_s=0.05, idle_deadline_s=0.05)
TOO_LARGE = b'{"message":"Request entity too large","code":40005}'


def post(body: bytes, *headers: bytes) -> bytes:
    lines = (b"POST /p HTTP/1.1", b"Host: chat.test", b"Content-Length: %d" % len(body), *headers, b"", body)
    return b"\r\n".join(lines)


async def is_open(client: Client) -> bool:
    return await client.ask(GET) == b"GET /? "


# What both promise.


@BOTH
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_request_and_response(front_end: str, tls: bool) -> None:
    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(201, [(b"content-type", b"application/json"), (b"x-a", b"1")], b"{}")

    async with (
        serving(handler, front_end=front_end, tls=tls) as server,
        connect(server, client_context("http/1.1") if tls else None) as client,
    ):
        lines = (b"X-List: a", b"x-list: b", b"Authorization: x", b"Authorization: y", b"Cookie: a=1", b"Cookie: b=2")
        for _ in range(2):
            await client.send(post(b'{"a": 1}', *lines).replace(b"/p", b"/a%2Fb//c%20?q=%20&r"))
            status, headers, body = await client.response()
            assert (status, body) == (201, b"{}")
            assert {name: headers[name] for name in ("content-type", "x-a", "content-length")} == {
                "content-type": "application/json",
                "x-a": "1",
                "content-length": "2",
            }
            assert "date" in headers
    expected = Request(
        "POST",
        "/a%2Fb//c%20",
        "q=%20&r",
        {
            "host": "chat.test",
            "content-length": "8",
            "x-list": "a, b",
            "authorization": "y",
            "cookie": "a=1; b=2",
        },
        b'{"a": 1}',
        "127.0.0.1",
        "https" if tls else "http",
        "chat.test",
    )
    assert seen == [expected, expected]


@BOTH
async def test_pipelined_requests_are_answered_in_order(front_end: str) -> None:
    async def slow_first(request: Request) -> Response:
        for _ in range(20 if request.path == "/0" else 0):
            await trio.lowlevel.checkpoint()
        return await echo(request)

    async with serving(slow_first, front_end=front_end) as server, connect(server) as client:
        await client.send(b"".join(b"GET /%d HTTP/1.1\r\n%s\r\n" % (number, HOST) for number in range(50)))
        answers = [(await client.response())[2] for _ in range(50)]
        assert answers == [b"GET /%d? " % number for number in range(50)]


async def test_others_have_a_turn_between_pipelined_requests() -> None:
    """Even when none of them waits for anything."""
    answered, seen = 0, [0]

    async def count(request: Request) -> Response:
        nonlocal answered
        answered += 1
        return Response(204, [], b"")

    async def others() -> None:
        while True:
            seen.append(answered)
            await trio.lowlevel.checkpoint()

    async with serving(count) as server, connect(server) as client, trio.open_nursery() as nursery:
        nursery.start_soon(others)
        await client.send(GET * 100)
        for _ in range(100):
            await client.response()
        nursery.cancel_scope.cancel()
    # Trio may run two tasks in one order and then in the other, so that one of them has two turns at a time.
    assert max(after - before for before, after in pairwise(seen)) <= 2


@BOTH
async def test_bytes_in_any_pieces(front_end: str) -> None:
    async with serving(front_end=front_end) as server, connect(server) as client:
        for byte in post(b"hello") + GET:
            await client.send(bytes([byte]))
        assert (await client.response())[2] == b"POST /p? hello"
        assert (await client.response())[2] == b"GET /? "


@BOTH
async def test_chunked_body(front_end: str) -> None:
    chunks = b"5;ext=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: ignored\r\n\r\n"
    async with serving(front_end=front_end) as server, connect(server) as client:
        head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
        assert await client.ask(head + chunks) == b"POST /? hello world"
        assert await is_open(client)


@BOTH
async def test_a_client_that_waits_to_be_asked_for_the_body(front_end: str) -> None:
    async with serving(front_end=front_end) as server, connect(server) as client:
        head, body = post(b"hello", b"Expect: 100-continue").split(b"\r\n\r\n")
        await client.send(head + b"\r\n\r\n")
        assert (await client.response())[0] == 100
        await client.send(body)
        assert (await client.response())[2] == b"POST /p? hello"
        assert await is_open(client)


@BOTH
async def test_head_is_get_without_the_body(front_end: str) -> None:
    async with serving(front_end=front_end) as server, connect(server) as client:
        await client.send(GET.replace(b"GET", b"HEAD"))
        status, headers, _ = await client.response(body=False)
        assert (status, headers["content-length"]) == (200, str(len(b"GET /? ")))
        assert await is_open(client)


@BOTH
@pytest.mark.parametrize("method", [b"OPTIONS", b"DELETE", b"PATCH", b"PUT", b"TRACE"])
async def test_other_methods_are_the_handlers_business(front_end: str, method: bytes) -> None:
    async with serving(front_end=front_end) as server, connect(server) as client:
        assert await client.ask(GET.replace(b"GET", method)) == method + b" /? "


@BOTH
async def test_no_content_has_no_body_and_no_type(front_end: str) -> None:
    async def nothing(request: Request) -> Response:
        return Response(204, [])

    async with serving(nothing, front_end=front_end) as server, connect(server) as client:
        for _ in range(2):
            await client.send(GET)
            status, headers, _ = await client.response(body=False)
            assert status == 204
            assert "content-type" not in headers


@BOTH
async def test_a_large_response(front_end: str) -> None:
    content = bytes(range(256)) * 8192

    async def download(request: Request) -> Response:
        return Response(200, [], content)

    async with serving(download, front_end=front_end) as server, connect(server) as client:
        assert await client.ask(GET) == content


@BOTH
async def test_the_target_of_a_request_through_a_proxy(front_end: str) -> None:
    async def where(request: Request) -> Response:
        return Response(200, [], f"{request.host} {request.path} {request.query}".encode())

    async with serving(where, front_end=front_end) as server, connect(server) as client:
        assert await client.ask(GET.replace(b" / ", b" http://other.test/a?b ")) == b"other.test /a b"
        assert await client.ask(GET.replace(b" / ", b" http://other.test ")) == b"other.test / "


@BOTH
async def test_a_handler_that_fails(front_end: str, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(request: Request) -> Response:
        raise LookupError("a bug")

    async with serving(fail, front_end=front_end) as server, connect(server) as client:
        await client.send(GET)
        status, headers, body = await client.response()
    assert (status, headers["content-type"]) == (500, "application/json")
    assert body == b'{"message":"500: Internal Server Error","code":0}'
    assert "a bug" in caplog.text


@BOTH
@pytest.mark.parametrize(
    ("size", "content_type", "status"),
    [
        (1000, b"application/json", 200),
        (1001, b"application/json", 413),
        (3000, b"multipart/form-data; boundary=x", 200),
        (3001, b"Multipart/Form-Data; boundary=x", 413),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_bodies_have_limits(front_end: str, size: int, content_type: bytes, status: int, chunked: bool) -> None:
    request = post(b"x" * size, b"Content-Type: " + content_type)
    if chunked:
        request = request.replace(b"Content-Length: %d" % size, b"Transfer-Encoding: chunked")
        request = request.replace(b"\r\n\r\n", b"\r\n\r\n%x\r\n" % size) + b"\r\n0\r\n\r\n"
    async with serving(front_end=front_end, limits=SMALL) as server, connect(server) as client:
        await client.send(request)
        answered, headers, body = await client.response()
        assert answered == status
        if status == 413:
            assert (headers["content-type"], body) == ("application/json", TOO_LARGE)


@BOTH
async def test_an_endless_body_is_answered_and_cut_off(front_end: str) -> None:
    async with serving(front_end=front_end, limits=SMALL) as server, connect(server) as client:
        await client.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 400000000\r\n\r\n")
        assert (await client.response())[0] == 413
        with pytest.raises(trio.BrokenResourceError), trio.fail_after(5):
            await client.send(*[b"x" * 100_000] * 4000)


def form(size: int, *headers: bytes) -> bytes:
    """The head of a form."""
    return post(b"", b"Content-Type: multipart/form-data; boundary=x", *headers).replace(b": 0", b": %d" % size, 1)


@BOTH
async def test_a_form_is_read_as_it_comes(front_end: str) -> None:
    pieces: list[bytes] = []
    news = trio.Event()

    async def handler(request: Request) -> Response:
        nonlocal news
        assert not isinstance(request.body, bytes)
        async for piece in request.body:
            pieces.append(piece)
            news.set()
            news = trio.Event()
        return Response(200, [], b"%d" % sum(map(len, pieces)))

    async with serving(handler, front_end=front_end) as server, connect(server) as client:
        for _ in range(2):
            await client.send(form(6))
            for text in (b"abc", b"def"):
                with trio.fail_after(5):
                    arrived = news
                    await client.send(text)
                    await arrived.wait()
            assert await client.response() is not None
            assert b"".join(pieces) == b"abcdef"
            pieces.clear()


@BOTH
async def test_requests_behind_a_form_are_answered_after_it(front_end: str) -> None:
    async with serving(front_end=front_end) as server, connect(server) as client:
        await client.send(form(5) + b"hello" + GET + form(0) + form(2) + b"hi" + GET)
        answers = [(await client.response())[2] for _ in range(5)]
        assert answers == [b"POST /p? hello", b"GET /? ", b"POST /p? ", b"POST /p? hi", b"GET /? "]


@BOTH
async def test_a_form_that_nobody_reads(front_end: str) -> None:
    async def refuse(request: Request) -> Response:
        return Response(403, [], b"no")

    async with serving(refuse, front_end=front_end, limits=SMALL) as server:
        async with connect(server) as client:
            for _ in range(3):  # a small one is read and thrown away
                await client.send(form(900), b"x" * 900)
                assert (await client.response())[0] == 403
            await client.send(form(2000), b"x" * 500)  # and a large one is not waited for
            assert (await client.response())[0] == 403
            assert await client.rest() == b""
        async with connect(server) as client:
            await client.send(form(2000, b"Expect: 100-continue"))
            statuses = [(await client.response(body=False))[0]]
            if statuses == [100]:  # which hypercorn says by itself
                statuses.append((await client.response())[0])
            assert statuses[-1] == 403
        async with connect(server) as client:  # who goes on sending is cut off
            await client.send(b"POST /p HTTP/1.1\r\n" + HOST)
            await client.send(b"Content-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked\r\n\r\n")
            with pytest.raises(trio.BrokenResourceError), trio.fail_after(5):
                await client.send(*[b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"] * 4000)
        with trio.fail_after(5):
            while server.connections.child_tasks:
                await trio.testing.wait_all_tasks_blocked(0.001)


@BOTH
async def test_a_client_that_is_gone_ends_its_form(front_end: str) -> None:
    ended = trio.Event()

    async def handler(request: Request) -> Response:
        assert not isinstance(request.body, bytes)
        try:
            async for _ in request.body:
                pass
        finally:
            ended.set()
        return Response(200, [])

    async with serving(handler, front_end=front_end) as server:
        async with connect(server) as client:
            await client.send(form(2000), b"x" * 500)
        with trio.fail_after(5):
            await ended.wait()
            while server.connections.child_tasks:
                await trio.testing.wait_all_tasks_blocked(0.001)


@BOTH
async def test_a_slow_form(front_end: str) -> None:
    async with serving(front_end=front_end, limits=Limits(body_deadline_s=0.05)) as server, connect(server) as client:
        await client.send(form(5) + b"hell")
        assert (await client.response())[0] == 408


@BOTH
async def test_a_slow_body(front_end: str) -> None:
    async with serving(front_end=front_end, limits=Limits(body_deadline_s=0.05)) as server, connect(server) as client:
        await client.send(post(b"hello")[:-1])
        status, _, body = await client.response()
        assert (status, body) == (408, b'{"message":"408: Request Timeout","code":0}')


@BOTH
@pytest.mark.parametrize("sent", [b"", b"GE", b"GET /a HTTP/1.1\r\nHos"])
async def test_slow_heads_and_silent_clients_are_shut_out(front_end: str, sent: bytes) -> None:
    async with serving(front_end=front_end, limits=QUICK) as server, connect(server) as client:
        await client.send(sent)
        assert not (await client.rest()).startswith(b"HTTP/1.1 200")


@BOTH
async def test_an_idle_connection_is_closed(front_end: str) -> None:
    async with serving(front_end=front_end, limits=Limits(idle_deadline_s=0.2)) as server, connect(server) as client:
        assert await is_open(client)
        assert await client.rest() == b""


@BOTH
async def test_close_is_heeded(front_end: str) -> None:
    async with serving(front_end=front_end) as server, connect(server) as client:
        assert await client.ask(GET.replace(b"Host", b"Connection: close\r\nHost")) == b"GET /? "
        assert await client.rest() == b""


@BOTH
async def test_hanging_up_leaves_no_task(front_end: str) -> None:
    entered = trio.Event()

    async def handler(request: Request) -> Response:
        entered.set()
        await trio.lowlevel.checkpoint()
        return Response(200, [], b"x" * 1_000_000)

    async with serving(handler, front_end=front_end) as server:
        async with connect(server) as client:
            await client.send(GET)
            await entered.wait()
        with trio.fail_after(5):
            while server.connections.child_tasks:
                await trio.testing.wait_all_tasks_blocked(0.001)


@BOTH
async def test_drain_finishes_what_is_in_progress_and_closes_the_rest(front_end: str) -> None:
    entered, proceed = trio.Event(), trio.Event()

    async def handler(request: Request) -> Response:
        if request.path == "/slow":
            entered.set()
            await proceed.wait()
        return await echo(request)

    async with (
        serving(handler, front_end=front_end) as server,
        connect(server) as busy,
        connect(server) as idle,
        connect(server) as new,
    ):
        assert await is_open(idle)
        await busy.send(GET.replace(b" / ", b" /slow "))
        await entered.wait()
        await trio.testing.wait_all_tasks_blocked()
        server.drain.begin()
        assert await idle.rest() == b""
        assert await new.rest() == b""
        proceed.set()
        assert (await busy.response())[2] == b"GET /slow? "
        assert await busy.rest() == b""


@BOTH
async def test_upgrade_hands_over_with_the_bytes_that_came_early(front_end: str) -> None:
    async def upgrade(stream: ClientStream, request: Request, early: bytes) -> None:
        stream.push(f"{request.path}?{request.query} ".encode() + early)
        await stream.send_all(await stream.receive_some())

    headers = HOST + b"Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
    async with serving(front_end=front_end, upgrade=upgrade) as server, connect(server) as client:
        await client.send(b"GET /gateway/?v=10 HTTP/1.1\r\n" + headers + b"\x81\x85early")
        await trio.testing.wait_all_tasks_blocked(0.01)
        await client.send(b"late")
        assert await client.rest() == b"/gateway/?v=10 \x81\x85earlylate"


MALFORMED = {
    "no version": (b"GET /\r\n\r\n", 505),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "HTTP/3.7": (b"GET / HTTP/3.7\r\n" + HOST + b"\r\n", 505),
    "unknown method": (b"FETCH / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 501),
    "space in target": (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "raw UTF-8 in target": ("GET /ä HTTP/1.1\r\n".encode() + HOST + b"\r\n", 400),
    "target of CONNECT": (b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "foreign scheme": (b"GET ftp://a/b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    "NUL in a header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", 400),
    "space before the colon": (b"GET / HTTP/1.1\r\n" + HOST + b"X : a\r\n\r\n", 400),
    "folded header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", 400),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "length and chunked": (post(b"5\r\nhello\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"), 400),
    "two lengths": (post(b"hello", b"Content-Length: 5"), 400),
    "negative length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", 400),
    "length beyond bounds": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
    "chunk without length": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    "unknown coding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "unknown expectation": (post(b"hello", b"Expect: tea"), 417),
    "endless target": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "endless header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "header that never ends": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 200_000, 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 100 + b"\r\n", 431),
    "endless trailers": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 200_000,
        400,
    ),
    "endless chunk extension": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"a" * 200_000,
        400,
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_malformed_requests_are_refused_and_the_connection_is_closed(case: str) -> None:
    text, expected = MALFORMED[case]
    async with serving() as server, connect(server) as client:
        await client.send(GET + text)
        assert (await client.response())[2] == b"GET /? "  # what was well before is answered
        status, headers, body = await client.response()
        assert (status, headers["content-type"], headers["connection"]) == (expected, "application/json", "close")
        assert body.startswith(b'{"message":"%d: ' % expected)
        await client.stream.send_eof()
        assert await client.rest() == b""


# Wrong, but h11 can read it, and so do we.
H11_READS = {
    "HTTP/2.0",
    "HTTP/3.7",
    "bare line feeds",
    "folded header",
    "target of CONNECT",
    "two lengths",
    "unknown expectation",
    "unknown method",
}


@pytest.mark.parametrize("case", sorted(MALFORMED.keys() - H11_READS))
async def test_hypercorn_refuses_nearly_as_much(case: str) -> None:
    text, _ = MALFORMED[case]
    async with serving(front_end="pages") as server, connect(server) as client:
        await client.send(text)
        await client.stream.send_eof()
        assert b" 200 " not in await client.rest()


# The edge's alone.


async def test_date_and_keep_alive_headers() -> None:
    async with serving() as server, connect(server) as client:
        await client.send(GET)
        _, headers, _ = await client.response()
        assert headers["date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
        assert headers["connection"] == "keep-alive"


@pytest.mark.parametrize(
    ("header", "connection"), [(b"", "close"), (b"Connection: keep-alive\r\n", "keep-alive")], ids=["close", "keep"]
)
async def test_http_1_0(header: bytes, connection: str) -> None:
    async with serving() as server, connect(server) as client:
        await client.send(b"GET / HTTP/1.0\r\n" + header + b"\r\n")
        _, headers, _ = await client.response()
        assert headers["connection"] == connection
        if connection == "close":
            assert await client.rest() == b""


async def test_a_client_that_closes_its_side_gets_its_answer() -> None:
    async with serving() as server, connect(server) as client:
        await client.send(GET)
        await client.stream.send_eof()
        assert (await client.rest()).endswith(b"GET /? ")


async def test_the_bounds_of_the_head_are_exact() -> None:
    async with serving() as server, connect(server) as client:
        size = 16 * 1024 - len("/") - len("Host" + "chat.test") - 4 - len("X") - 4
        lines = b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * size + b"\r\n\r\n"
        assert await client.ask(lines) == b"GET /? "
        await client.send(lines.replace(b"X: ", b"X: a"))
        assert (await client.response())[0] == 431


async def test_an_offer_to_change_the_protocol_is_declined() -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHost"
    async with serving() as server, connect(server) as client:
        await client.send(GET.replace(b"Host", offer) + post(b"hello").replace(b"Host", offer) + GET)
        assert (await client.response())[2] == b"GET /? "
        assert (await client.response())[2] == b"POST /p? hello"
        assert (await client.response())[2] == b"GET /? "


async def test_slow_head_is_told_so() -> None:
    async with serving(limits=QUICK) as server, connect(server) as client:
        await client.send(GET[:-2])
        status, headers, body = await client.response()
        assert (status, headers["content-type"]) == (408, "application/json")
        assert body == b'{"message":"408: Request Timeout","code":0}'


async def test_a_drip_of_bytes_does_not_extend_the_heads_deadline() -> None:
    async with serving(limits=QUICK) as server, connect(server) as client, trio.open_nursery() as nursery:

        async def drip() -> None:
            while True:
                await client.send(b"a")
                await trio.sleep(0.005)

        await client.send(b"GET / HTTP/1.1\r\nX: ")
        nursery.start_soon(drip)
        assert (await client.response())[0] == 408
        nursery.cancel_scope.cancel()


async def test_a_body_may_take_its_time_while_it_makes_progress() -> None:
    limits = Limits(body_deadline_s=0.25, body_bytes_per_s=1)
    async with serving(limits=limits) as server, connect(server) as client:
        head, body = post(b"hello").split(b"\r\n\r\n")
        await client.send(head + b"\r\n\r\n")
        for byte in body:
            await trio.sleep(0.06)
            await client.send(bytes([byte]))
        assert (await client.response())[2] == b"POST /p? hello"


async def test_no_deadline_cuts_a_handler() -> None:
    async def slow(request: Request) -> Response:
        await trio.sleep(0.3)
        return await echo(request)

    limits = Limits(header_deadline_s=0.2, body_deadline_s=0.2, idle_deadline_s=0.2)
    async with serving(slow, limits=limits) as server, connect(server) as client:
        assert await is_open(client)


async def test_drain_tells_a_client_to_go() -> None:
    async with serving() as server, connect(server) as client:
        await client.send(GET[:20])
        await trio.testing.wait_all_tasks_blocked(0.01)
        server.drain.begin()
        await client.send(GET[20:])
        _, headers, _ = await client.response()
        assert headers["connection"] == "close"
        assert await client.rest() == b""


async def test_connect_to_a_draining_server() -> None:
    async with serving() as server:
        server.drain.begin()
        async with connect(server) as client:
            assert await client.rest() == b""


# Bodies that are read while they are sent.


class Slow(Reading):
    """`count` pieces, one when asked; then, if it is `broken`, no more although there should be."""

    def __init__(self, count: int, *, broken: bool = False) -> None:
        self.size = (count + broken) * PIECE_BYTES
        self.left = count
        self.broken = broken
        self.asked = 0
        self.closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        self.asked += 1
        if self.left:
            self.left -= 1
            return bytes(PIECE_BYTES)
        if self.broken:
            raise BlobsFailed("the disk is gone")
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


@BOTH
async def test_a_body_is_sent_as_it_is_read(front_end: str) -> None:
    bodies = [Slow(3), Slow(3), Slow(0)]
    waiting = iter(bodies)

    async def handler(request: Request) -> Response:
        return Response(200, [], next(waiting))

    async with serving(handler, front_end=front_end) as server, connect(server) as client:
        await client.send(GET)
        status, headers, body = await client.response()
        assert (status, headers["content-length"]) == (200, str(3 * PIECE_BYTES))
        assert body == bytes(3 * PIECE_BYTES)
        await client.send(GET.replace(b"GET", b"HEAD"))
        status, headers, _ = await client.response(body=False)
        assert (status, headers["content-length"]) == (200, str(3 * PIECE_BYTES))
        await client.send(GET)
        assert (await client.response())[2] == b""
        await trio.testing.wait_all_tasks_blocked()
    assert [body.closed for body in bodies] == [True] * 3
    assert bodies[1].asked == 0


@BOTH
async def test_a_client_that_does_not_read_makes_no_one_read_ahead(front_end: str) -> None:
    body = Slow(400)  # 100 MiB

    async def handler(request: Request) -> Response:
        return Response(200, [], body)

    async with serving(handler, front_end=front_end) as server:
        async with connect(server) as client:
            await client.send(GET)
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert body.asked * PIECE_BYTES < 32 << 20  # what two sockets' buffers may hold
        with trio.fail_after(5):
            while not body.closed:
                await trio.testing.wait_all_tasks_blocked()


@BOTH
async def test_a_body_that_breaks_off_ends_the_connection(front_end: str) -> None:
    body = Slow(1, broken=True)

    async def handler(request: Request) -> Response:
        return Response(200, [], body)

    async with serving(handler, front_end=front_end) as server, connect(server) as client:
        await client.send(GET)
        head, _, content = (await client.rest()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert content == bytes(PIECE_BYTES)
    assert body.closed


@BOTH
async def test_a_304_has_no_length(front_end: str) -> None:
    async def handler(request: Request) -> Response:
        return Response(304, [(b"etag", b'"1"')])

    async with serving(handler, front_end=front_end) as server, connect(server) as client:
        await client.send(GET)
        status, headers, _ = await client.response()
        assert (status, headers["etag"]) == (304, '"1"')
        assert "content-length" not in headers
