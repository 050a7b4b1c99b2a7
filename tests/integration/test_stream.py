"""PushStream and TlsStream over real sockets: order, bounds and ends."""

import os
import resource
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from chatd.live.admission import Admission, Bounds
from chatd.live.bus import FEW, Audience, Bus
from chatd.live.formats import JSON
from chatd.live.frames import Event
from chatd.live.listener import listen, serve
from chatd.live.stream import (
    ABANDONED,
    CANCELLED,
    PEER,
    SLOW_CONSUMER,
    WRITE_DEADLINE,
    Borrower,
    ClientStream,
    PushStream,
    WritePolicy,
)
from chatd.live.tls import TlsStream, server_context
from tests.support.live import Wire, read_stream, session
from tests.support.serving import CERTIFICATE, client_context

BOTH = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


@asynccontextmanager
async def pair(
    *, tls: bool = False, limit_bytes: int = 1 << 20, deadline_s: float = 30.0
) -> AsyncIterator[tuple[ClientStream, trio.abc.Stream, WritePolicy]]:
    """A server's stream with small socket buffers, the client at its other end, and the server's policy."""
    async with trio.open_nursery() as nursery:
        policy = WritePolicy(nursery, limit_bytes, deadline_s)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            client = trio.SocketStream(trio.socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            await client.socket.connect(listener.getsockname())
            accepted, address = listener.accept()
        accepted.setblocking(False)
        stream: ClientStream = PushStream(accepted, address[0], policy)
        far_end: trio.abc.Stream = client
        if tls:
            stream = TlsStream(stream, server_context(CERTIFICATE, CERTIFICATE, ["http/1.1"]))
            far_end = trio.SSLStream(
                client, client_context("http/1.1"), server_hostname="localhost", https_compatible=True
            )
            async with trio.open_nursery() as handshakes:
                handshakes.start_soon(stream.do_handshake)
                handshakes.start_soon(far_end.do_handshake)
        try:
            with trio.fail_after(10):
                yield stream, far_end, policy
        finally:
            stream.abort(ABANDONED)
            client.socket.close()
            nursery.cancel_scope.cancel()


async def read_all(stream: trio.abc.Stream) -> bytes:
    received = bytearray()
    while data := await stream.receive_some():
        received += data
    return bytes(received)


@BOTH
async def test_pushes_and_sends_arrive_whole_and_in_order(tls: bool) -> None:
    async with pair(tls=tls) as (stream, client, _), trio.open_nursery() as nursery:
        sent: list[bytes] = []

        async def write(name: bytes, *, wait: bool) -> None:
            for number in range(100):
                data = b"%s%d." % (name, number) + b"x" * (number * 50)
                sent.append(data)
                if wait:
                    await stream.send_all(data)
                else:
                    stream.push(data)
                    await trio.lowlevel.checkpoint()

        async def write_all() -> None:
            async with trio.open_nursery() as writers:
                for name in (b"a", b"b"):
                    writers.start_soon(lambda name=name: write(name, wait=False))
                    writers.start_soon(lambda name=name: write(name.upper(), wait=True))
            await stream.aclose()

        nursery.start_soon(write_all)
        assert await read_all(client) == b"".join(sent)


@BOTH
async def test_cancelling_a_send_does_not_cut_it(tls: bool) -> None:
    async with pair(tls=tls) as (stream, client, _), trio.open_nursery() as nursery:
        big = bytes(range(256)) * 1000
        with trio.CancelScope() as scope:
            scope.cancel()
            await stream.send_all(big)
        stream.push(b"next")
        nursery.start_soon(stream.aclose)
        assert await read_all(client) == big + b"next"


@BOTH
async def test_a_peer_that_reads_nothing_is_cut_off_at_the_limit(tls: bool) -> None:
    async with pair(tls=tls, limit_bytes=50_000) as (stream, client, policy), trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await stream.receive_some()

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        while stream.closed_reason is None:
            stream.push(b"x" * 1000)
        stream.push(b"nobody hears this")
        assert stream.closed_reason == SLOW_CONSUMER
        assert policy.aborted == {SLOW_CONSUMER: 1}
        with pytest.raises(trio.BrokenResourceError):
            await read_all(client)


class Borrowing:
    send: Callable[[bytes], int] | None = None


async def read_exactly(stream: trio.abc.Stream, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        received += await stream.receive_some(size - len(received))
    return bytes(received)


async def test_the_sockets_send_is_lent_as_long_as_nothing_waits() -> None:
    async with pair() as (stream, client, _):
        borrower, piece, expected = Borrowing(), bytes(range(256)) * 10, b""
        stream.lend(borrower)
        while borrower.send is not None:  # until the socket is full
            expected += piece
            try:
                taken = borrower.send(piece)
            except BlockingIOError:
                taken = 0
            if taken < len(piece):
                stream.push(piece[taken:])
        stream.push(b"behind it")
        assert await read_exactly(client, len(expected) + 9) == expected + b"behind it"
        await stream.wait_send_all_might_not_block()
        assert borrower.send is not None
        assert borrower.send(b"again") == 5
        assert await read_exactly(client, 5) == b"again"
        stream.lend(None)
        assert borrower.send is None


async def test_nobody_borrows_from_an_encrypted_stream() -> None:
    async with pair(tls=True) as (stream, _, _):
        borrower = Borrowing()
        stream.lend(borrower)
        assert borrower.send is None


async def test_what_a_socket_takes_in_part_is_delivered_whole() -> None:
    """To an audience that is not few, whose frames are sent directly."""
    async with pair() as (stream, client, _), trio.open_nursery() as nursery:

        class Socket(Wire):
            def push(self, data: bytes) -> None:
                stream.push(data)

            def lend(self, borrower: Borrower | None) -> None:
                stream.lend(borrower)

        bus = Bus(shards=1, capacity=1000)
        audience = Audience([session(1, Socket()), *(session(n, Wire()) for n in range(2, FEW + 2))])
        events = [Event("NAME", b'{"n":%d,"pad":"%s"}' % (n, b"x" * 300_000)) for n in range(20)]
        received = bytearray()

        async def read() -> None:
            async for data in client:
                received.extend(data)

        nursery.start_soon(bus.run)
        nursery.start_soon(read)
        for event in events:
            bus.publish(0, event, audience)
            await bus.flush()
            await stream.wait_send_all_might_not_block()
        await stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        messages = read_stream(JSON, bytes(received))
        assert [(message["s"], message["d"]["n"]) for message in messages] == [(n + 1, n) for n in range(20)]
        nursery.cancel_scope.cancel()


async def test_one_push_beyond_the_limit_is_too_much_as_well() -> None:
    async with pair(limit_bytes=50_000) as (stream, _, _):
        stream.push(b"x" * 1_000_000)
        assert stream.closed_reason == SLOW_CONSUMER


@BOTH
async def test_who_waits_may_send_more_than_the_limit(tls: bool) -> None:
    async with pair(tls=tls, limit_bytes=1000) as (stream, client, _), trio.open_nursery() as nursery:

        async def send() -> None:
            await stream.send_all(b"x" * 200_000)
            await stream.aclose()

        nursery.start_soon(send)
        assert len(await read_all(client)) == 200_000


@BOTH
async def test_a_peer_that_takes_nothing_is_cut_off_at_the_deadline(tls: bool) -> None:
    async with pair(tls=tls, deadline_s=0.02) as (stream, _, policy):
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"x" * 1_000_000)
        assert stream.closed_reason == WRITE_DEADLINE
        assert policy.aborted == {WRITE_DEADLINE: 1}


@BOTH
async def test_a_dead_peer_ends_reading_and_writing(tls: bool) -> None:
    async with pair(tls=tls) as (stream, client, policy):
        transport = client.transport_stream if isinstance(client, trio.SSLStream) else client
        transport.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        transport.socket.close()
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()
        stream.push(b"too late")
        with pytest.raises(trio.ClosedResourceError):
            await stream.send_all(b"too late")
        assert policy.aborted == {PEER: 1}


async def test_a_writer_that_is_cancelled_lets_nobody_wait() -> None:
    async with pair() as (stream, _, policy), trio.open_nursery() as nursery:

        async def send() -> None:
            with trio.CancelScope(shield=True), pytest.raises(trio.BrokenResourceError):
                await stream.send_all(b"x" * 1_000_000)

        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        policy.nursery.cancel_scope.cancel()
    assert policy.aborted == {CANCELLED: 1}


async def test_closing_wakes_the_reader_and_is_no_abort() -> None:
    async with pair() as (stream, client, policy), trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await stream.receive_some()

        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        await stream.aclose()
        assert await read_all(client) == b""
        assert not policy.aborted


@BOTH
async def test_half_close(tls: bool) -> None:
    async with pair(tls=tls) as (stream, client, _):
        await client.send_all(b"question")
        assert await stream.receive_some() == b"question"
        await stream.send_all(b"answer")
        await stream.send_eof()
        assert await read_all(client) == b"answer"


async def test_who_does_not_speak_tls_is_shown_out() -> None:
    async with pair() as (stream, client, _):
        assert isinstance(stream, PushStream)
        await client.send_all(b"GET / HTTP/1.1\r\n\r\n")
        encrypted = TlsStream(stream, server_context(CERTIFICATE, CERTIFICATE, ["http/1.1"]))
        with pytest.raises(trio.BrokenResourceError):
            await encrypted.do_handshake()
        assert stream.closed_reason is not None


async def test_too_many_connections_of_one_address() -> None:
    async def stay(stream: ClientStream) -> None:
        while data := await stream.receive_some():
            stream.push(data)
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        policy = WritePolicy(nursery)
        listeners = await listen("127.0.0.1", 0)
        port = listeners[0].getsockname()[1]
        nursery.start_soon(lambda: serve(listeners, stay, policy, admission=Admission(Bounds(per_address=2))))
        first, second, third = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(3)]
        with trio.fail_after(5):
            await first.send_all(b"hi")
            assert await first.receive_some() == b"hi"
            assert await third.receive_some() == b""
            await first.send_eof()
            assert await first.receive_some() == b""
            fourth = await trio.open_tcp_stream("127.0.0.1", port)
            await fourth.send_all(b"hi")
            assert await fourth.receive_some() == b"hi"
        for stream in (first, second, third, fourth):
            await stream.aclose()
        nursery.cancel_scope.cancel()


async def test_a_handler_that_fails_costs_its_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(stream: ClientStream) -> None:
        raise LookupError("a bug")

    async with trio.open_nursery() as nursery:
        policy = WritePolicy(nursery)
        listeners = await listen("127.0.0.1", 0)
        nursery.start_soon(serve, listeners, fail, policy)
        for _ in range(2):
            async with await trio.open_tcp_stream(*listeners[0].getsockname()) as client:
                with pytest.raises(trio.BrokenResourceError), trio.fail_after(5):
                    await client.receive_some()
        assert policy.aborted == {ABANDONED: 2}
        nursery.cancel_scope.cancel()
    assert "a bug" in caplog.text


async def test_running_out_of_descriptors_only_delays(caplog: pytest.LogCaptureFixture) -> None:
    async def greet(stream: ClientStream) -> None:
        await stream.send_all(b"hello")
        await stream.aclose()

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with trio.open_nursery() as nursery:
        listeners = await listen("127.0.0.1", 0)
        nursery.start_soon(serve, listeners, greet, WritePolicy(nursery))
        await trio.testing.wait_all_tasks_blocked()
        client = trio.SocketStream(trio.socket.socket())
        with os.fdopen(os.open(os.devnull, os.O_RDONLY)) as lowest_free:
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free.fileno(), limits[1]))
        try:
            await client.socket.connect(listeners[0].getsockname())
            with trio.fail_after(5):
                while "Too many open files" not in caplog.text:
                    await trio.testing.wait_all_tasks_blocked(0.001)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        with trio.fail_after(5):
            assert await read_all(client) == b"hello"
        await client.aclose()
        nursery.cancel_scope.cancel()


async def test_who_comes_by_ipv4_to_a_socket_of_both_families_has_an_ipv4_address() -> None:
    """The service manager makes such sockets; their clients must not be one and the same IPv6 network."""
    met: list[str] = []

    async def attend(stream: ClientStream) -> None:
        met.append(stream.peer)
        await stream.send_all(b"!")

    both = socket.create_server(("::ffff:127.0.0.1", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    both.setblocking(False)
    port = both.getsockname()[1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, [both], attend, WritePolicy(nursery))
        async with await trio.open_tcp_stream("127.0.0.1", port) as client:
            assert await client.receive_some() == b"!"
        nursery.cancel_scope.cancel()
    assert met == ["127.0.0.1"]
