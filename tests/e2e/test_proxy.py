from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from tests.e2e.proxy import Cut, Proxy

pytestmark = pytest.mark.trio

DEADLINE_S = 5.0


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[tuple[trio.SocketStream, trio.SocketStream]]:
    """The two ends of a connection through the proxy."""
    accepted, server_ends = trio.open_memory_channel[trio.SocketStream](1)

    async def keep(stream: trio.SocketStream) -> None:
        await accepted.send(stream)
        await trio.sleep_forever()

    with trio.fail_after(DEADLINE_S):
        async with trio.open_nursery() as nursery:
            [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, keep, [listener])
            nursery.start_soon(proxy.serve, listener.socket.getsockname()[1])
            client = await trio.open_tcp_stream("127.0.0.1", proxy.port)
            async with client:
                server = await server_ends.receive()
                await client.send_all(b"!")
                assert await server.receive_some() == b"!"
                yield client, server
            nursery.cancel_scope.cancel()


async def test_passes_bytes_both_ways_and_the_end() -> None:
    async with connected(Proxy()) as (client, server):
        await client.send_all(b"to the server")
        assert await server.receive_some() == b"to the server"
        await server.send_all(b"to the client")
        assert await client.receive_some() == b"to the client"
        await server.aclose()
        assert await client.receive_some() == b""


async def test_reset_is_seen_at_both_ends() -> None:
    proxy = Proxy()
    async with connected(proxy) as (client, server):
        proxy.cut(Cut.RESET)
        for end in (client, server):
            with pytest.raises(trio.BrokenResourceError):
                await end.receive_some()


async def test_torn_passes_half_of_what_the_server_sends_next() -> None:
    proxy = Proxy()
    async with connected(proxy) as (client, server):
        proxy.cut(Cut.TORN)
        await server.send_all(b"12345678")
        assert await client.receive_some() == b"1234"
        assert await client.receive_some() == b""
        with pytest.raises(trio.BrokenResourceError):
            await server.receive_some()


async def test_vanish_is_seen_by_the_client_only() -> None:
    proxy = Proxy()
    async with connected(proxy) as (client, server):
        proxy.cut(Cut.VANISH)
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()
        await server.send_all(b"into the void")
        with trio.move_on_after(0.05) as nothing_comes:
            await server.receive_some()
        assert nothing_comes.cancelled_caught


async def test_a_connection_made_after_the_cut_carries_nothing_until_mended() -> None:
    proxy = Proxy()
    proxy.cut(Cut.RESET)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_mend_when_all_wait, proxy)
        async with connected(proxy) as (client, server):
            await client.send_all(b"late")
            assert await server.receive_some() == b"late"


async def _mend_when_all_wait(proxy: Proxy) -> None:
    await trio.testing.wait_all_tasks_blocked(0.05)
    proxy.mend()
