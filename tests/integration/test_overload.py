"""Too much at once: connections that are refused, IDENTIFYs that wait for their turn or are sent away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from tests.support.app import Server, serve
from tests.support.client import connect, gateway, resumed
from tests.support.world import Guild, User, World

EVERYBODY = {"limits.rate_limits": True, "server.unlimited_addresses": ()}


async def is_open(stream: trio.SocketStream) -> bool:
    """Whether a request is answered."""
    try:
        await stream.send_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        with trio.fail_after(5):
            return bool(await stream.receive_some())
    except trio.BrokenResourceError:
        return False


async def opened(server: Server, count: int) -> list[bool]:
    """Whether each of so many connections, opened one after the other and kept, is answered."""
    streams = [await trio.open_tcp_stream("127.0.0.1", server.port) for _ in range(count)]
    answered = [await is_open(stream) for stream in streams]
    for stream in streams:
        await stream.aclose()
    return answered


async def closed_again(server: Server) -> None:
    """The server has noticed."""
    with trio.fail_after(5):
        while await opened(server, 1) != [True]:
            pass


@pytest.mark.options({**EVERYBODY, "server.connections_per_address": 2})
async def test_an_address_has_so_many_connections(server: Server) -> None:
    assert await opened(server, 4) == [True, True, False, False]
    await closed_again(server)


@pytest.mark.options({**EVERYBODY, "server.connects_per_address": 3})
async def test_an_address_opens_so_many_in_a_time(server: Server) -> None:
    assert await opened(server, 2) == [True, True]
    assert await opened(server, 2) == [True, False]


@pytest.mark.options({"server.max_connections": 2})
async def test_a_full_server_closes_what_comes_and_takes_more_when_there_is_room(server: Server) -> None:
    assert await opened(server, 3) == [True, True, False]
    await closed_again(server)


@pytest.mark.parametrize(
    "server_options",
    [
        {"limits.rate_limits": True},  # loopback is unlimited unless it is said otherwise
        {**EVERYBODY, "server.trusted_proxies": ("127.0.0.1",)},
        {"server.unlimited_addresses": ()},  # without rate limits
    ],
)
async def test_who_stands_for_many_has_many(server_options: dict[str, object]) -> None:
    bounds = {"server.connections_per_address": 1, "server.connects_per_address": 1}
    async with serve(**bounds, **server_options) as server:
        assert await opened(server, 3) == [True] * 3


@pytest.mark.options({**EVERYBODY, "server.connections_per_address": 1})
async def test_refused_connections_are_counted(sqlite_server: Server) -> None:
    async with World(sqlite_server.url) as world:
        await world.anybody.get("//health")  # keeps its connection
        assert await opened(sqlite_server, 2) == [False, False]
        text = (await world.anybody.get("//metrics")).content.decode()
    assert '\nchatd_connections_refused_total{bound="address"} 2\n' in text
    assert '\nchatd_connections_refused_total{bound="total"} 0\n' in text
    assert "\nchatd_connections 1\n" in text


# --- the identify queue ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def busy(server: Server) -> AsyncIterator[None]:
    """Somebody else's IDENTIFY takes its time."""
    identifies = server.running.gateway.identifies
    assert await identifies.enter()
    try:
        yield
    finally:
        identifies.leave()


@pytest.mark.options({"gateway.identify_concurrency": 1})
async def test_identifies_wait_for_their_turn_while_resumes_do_not(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, bot.token) as it:
        it.cut()
        await it.until_closed()
    async with connect(server.url) as waiting, connect(server.url) as behind, trio.open_nursery() as nursery:
        async with busy(server):
            nursery.start_soon(waiting.identify, owner.token)
            nursery.start_soon(behind.identify, bot.token)
            with trio.fail_after(5):
                while server.running.gateway.identifies.waiting < 2:
                    await trio.lowlevel.checkpoint()
            async with resumed(it) as back:
                await owner.say(guild.general, "as usual")
                await back.next("MESSAGE_CREATE")
            assert not waiting.events
        with trio.fail_after(5):
            await behind.next("GUILD_CREATE")


@pytest.mark.options({"gateway.identify_concurrency": 1, "gateway.identify_queue": 0})
async def test_who_finds_the_queue_full_may_try_again_later(server: Server, world: World, bot: User) -> None:
    async with connect(server.url) as it:
        async with busy(server):
            await it.send(2, {"token": bot.token, "intents": 1, "properties": {}})
            assert await it.control(9) is False
        await it.identify(bot.token)
    text = (await world.anybody.get("//metrics")).content.decode()
    assert '\nchatd_gateway_identifies_total{outcome="overloaded"} 1\n' in text
    assert '\nchatd_gateway_identifies_total{outcome="ok"} 1\n' in text


@pytest.mark.options({"gateway.identify_concurrency": 1, "gateway.identify_deadline_s": 1.0})
async def test_who_waits_in_vain_is_told_before_its_deadline(sqlite_server: Server) -> None:
    async with World(sqlite_server.url) as world:
        person = await world.person()
    async with busy(sqlite_server), connect(sqlite_server.url) as it:
        await it.send(2, {"token": person.token, "intents": 1, "properties": {}})
        assert await it.control(9) is False
