"""An audience of real sockets: what is written to all of them arrives at each, whole and in order."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import trio
import trio.testing

from chatd.live.bus import FEW, Audience, Bus
from chatd.live.formats import JSON, ZLIB
from chatd.live.frames import Event
from chatd.live.sessions import Session
from chatd.live.stream import SLOW_CONSUMER, Borrower, PushStream, WritePolicy
from tests.support.live import Wire, is_whole, read_stream, session

MANY = 4 * FEW


class Client(Wire):
    """A session's connection with a real socket, and what arrives at its other end."""

    def __init__(self, policy: WritePolicy, format_: int = JSON, buffer_bytes: int = 1 << 20) -> None:
        super().__init__(format_)
        self.far_end = socket.socket()
        self.far_end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
            self.far_end.connect(listener.getsockname())
            accepted, address = listener.accept()
        accepted.setblocking(False)
        self.far_end.setblocking(False)
        self.stream = PushStream(accepted, address[0], policy)
        for said in self.pushes:  # HELLO
            self.stream.push(said)
        self.received = bytearray()
        self.arrivals = trio.lowlevel.ParkingLot()

    def push(self, data: bytes) -> None:
        self.stream.push(data)

    def lend(self, borrower: Borrower | None) -> None:
        self.stream.lend(borrower)

    async def read(self) -> None:
        with suppress(ConnectionResetError):
            while True:
                await trio.lowlevel.wait_readable(self.far_end)
                self.received += self.far_end.recv(1 << 20)
                self.arrivals.unpark_all()

    def numbers(self) -> list[tuple[int, int]]:
        """(s, n) of what has arrived."""
        return [(m["s"], m["d"]["n"]) for m in read_stream(self.format, bytes(self.received)) if m["op"] == 0]


@asynccontextmanager
async def serving(limit_bytes: int = 1 << 20) -> AsyncIterator[tuple[Bus, list[Client], list[Session]]]:
    """A running bus, and clients of it that read."""
    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
        policy = WritePolicy(nursery, limit_bytes)
        clients = [Client(policy, ZLIB if n % 5 == 0 else JSON) for n in range(MANY)]
        for client in clients:
            stack.callback(client.far_end.close)
            stack.push_async_callback(client.stream.aclose)
            nursery.start_soon(client.read)
        bus = Bus(shards=1, capacity=1000)
        nursery.start_soon(bus.run)
        with trio.fail_after(30):
            yield bus, clients, [session(n, client) for n, client in enumerate(clients)]
        nursery.cancel_scope.cancel()


def event(n: int, size: int = 0) -> Event:
    return Event("NAME", b'{"n":%d,"pad":"%b"}' % (n, b"x" * size))


async def arrived(clients: list[Client], expected: list[tuple[int, int]]) -> None:
    for client in clients:
        while not is_whole(client.received) or client.numbers() != expected:
            await client.arrivals.park()


async def test_everybody_gets_everything_in_order() -> None:
    async with serving() as (bus, clients, sessions):
        for at, it in enumerate(sessions):  # at different numbers
            it.seq = at % 3
        audience = Audience(sessions)
        for n in range(100):
            bus.publish(0, event(n), audience)
            if n % 4:
                await bus.flush()
        for start in range(3):
            await arrived(clients[start::3], [(start + n + 1, n) for n in range(100)])


async def test_sessions_of_several_shards_get_everything_in_order() -> None:
    async with serving() as (bus, clients, sessions):
        for it in sessions:
            it.ordered = True
        audience = Audience(sessions)
        for n in range(100):
            bus.publish(0, event(n), audience)
            if n % 4:
                await bus.flush()
        await arrived(clients, [(n + 1, n) for n in range(100)])


async def test_who_does_not_read_holds_up_nobody_and_is_cut_off() -> None:
    async with serving(limit_bytes=200_000) as (bus, clients, sessions):
        stalled = Client(clients[0].stream.policy, buffer_bytes=8192)
        audience = Audience([*sessions[:20], session(100, stalled), *sessions[20:]])
        count = 0
        while stalled.stream.closed_reason is None:
            bus.publish(0, event(count, 10_000), audience)
            count += 1
            await arrived(clients[-1:], [(n + 1, n) for n in range(count)])
        await arrived(clients, [(n + 1, n) for n in range(count)])
        assert stalled.stream.closed_reason == SLOW_CONSUMER
        stalled.far_end.close()


async def test_who_reads_late_has_missed_nothing() -> None:
    """Sockets take parts of events, and nothing, and go on."""
    async with serving() as (bus, clients, sessions), trio.open_nursery() as nursery:
        late = [Client(clients[0].stream.policy, buffer_bytes=8192) for _ in range(MANY)]
        audience = Audience([*sessions, *(session(100 + n, client) for n, client in enumerate(late))])
        for n in range(50):
            bus.publish(0, event(n, 10_000), audience)
            await bus.flush()
        assert any(client.stream.waiting_bytes for client in late)
        for client in late:
            nursery.start_soon(client.read)
        await arrived(clients + late, [(n + 1, n) for n in range(50)])
        for client in late:
            client.stream.abort("enough")
            client.far_end.close()
        nursery.cancel_scope.cancel()
