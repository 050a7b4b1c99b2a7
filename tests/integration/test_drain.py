"""Stopping: every client is asked to come back, requests are finished, and nobody can hold the server up."""

import pytest
import trio

from tests.support import raw
from tests.support.app import Server, serve
from tests.support.client import Client, gateway
from tests.support.world import World


async def ended(server: Server) -> None:
    """Nothing listens on the port any more."""
    with pytest.raises(OSError, match="all attempts to connect"):
        await trio.open_tcp_stream("127.0.0.1", server.port)


@pytest.mark.parametrize("compress", [None, "zlib-stream"])
async def test_clients_are_told_to_reconnect_and_then_closed(compress: str | None) -> None:
    async with serve() as server, World(server.url) as world:
        owner = await world.person()
        guild = await world.guild(owner)
        async with gateway(server.url, owner.token, intents=None, compress=compress) as it:
            posted = await owner.say(guild.general, "the last words")
            server.running.stop()
            assert await it.control(7) is None
            closed = await it.until_closed()
            assert closed.code == 1012
            # What was acknowledged has been delivered.
            assert [d["id"] for d in it.named("MESSAGE_CREATE")] == [posted["id"]]
    await ended(server)


async def test_those_who_have_not_identified_are_told_as_well() -> None:
    async with serve() as server, raw.connect(server.url) as it:
        assert (await it.receive()).json["op"] == 10
        server.running.stop()
        assert (await it.receive()).json == {"op": 7, "d": None, "s": None, "t": None}
        assert (await it.receive()).code == 1012
        await it.send(raw.close_frame(1012))
        await it.ended()


async def test_many_clients_leave_in_batches() -> None:
    async with serve(**{"server.drain_s": 10.0}) as server, trio.open_nursery() as nursery:
        told = 0

        async def client(task_status: trio.TaskStatus[None]) -> None:
            nonlocal told
            async with raw.connect(server.url) as it:
                await it.receive()
                task_status.started()
                assert (await it.receive()).json["op"] == 7
                assert (await it.receive()).code == 1012
                await it.send(raw.close_frame(1012))
                await it.ended()
                told += 1

        for _ in range(1000):
            await nursery.start(client)
        server.running.stop()
        nursery.cancel_scope.deadline = trio.current_time() + 5
    assert told == 1000


async def test_a_client_that_never_answers_the_close_is_cut_off() -> None:
    async with serve(**{"server.drain_s": 0.1}) as server, raw.connect(server.url) as it:
        await it.receive()
        server.running.stop()
        assert (await it.receive()).json["op"] == 7
        assert (await it.receive()).code == 1012
        with pytest.raises((AssertionError, trio.BrokenResourceError)):
            await it.receive()


async def test_a_client_that_never_reads_is_cut_off() -> None:
    async with serve(**{"server.drain_s": 0.1}) as server, World(server.url) as world:
        owner = await world.person()
        guild = await world.guild(owner)
        async with raw.connect(server.url, receive_buffer=2048) as stuck:
            await stuck.receive()
            await stuck.send_json(2, {"token": owner.token, "intents": 1 << 9, "properties": {}})
            await stuck.dispatch("READY")
            [connection] = server.running.gateway.connections
            while await _takes_everything(connection.drained):
                await owner.say(guild.general, "\u4e00" * 2000)
            server.running.stop()
            with trio.fail_after(5):
                while server.running.gateway.connections:
                    await trio.lowlevel.checkpoint()
    await ended(server)


async def _takes_everything(drained) -> bool:
    with trio.move_on_after(0.01) as patience:
        await drained()
    return not patience.cancelled_caught


async def test_an_upgrade_that_comes_too_late_is_refused() -> None:
    """Its connection was accepted before; waiting for it would take the whole time to drain."""
    async with serve(**{"server.drain_s": 10.0}) as server, raw.connect(server.url) as last:
        await last.receive()
        async with await trio.open_tcp_stream("127.0.0.1", server.port) as late:
            head, tail = raw.upgrade("x", "")[:20], raw.upgrade("x", "")[20:]
            await late.send_all(head)
            async with Client(server.url) as client:  # whose answer shows that the other was accepted before
                (await client.get("//health")).ok()
            server.running.stop()
            assert (await last.receive()).json["op"] == 7
            await late.send_all(tail)
            with trio.fail_after(5):
                answer = b"".join([chunk async for chunk in late])
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert (await last.receive()).code == 1012
            await last.send(raw.close_frame(1012))
            await last.ended()
