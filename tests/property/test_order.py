"""Sessions that span shards of the bus and sessions that do not, with sockets that come and go and whatever turns the
shards take: every session counts its events in the order of publication, and its client gets each of them once.
"""

from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.live import bus, delivery
from chatd.live.bus import Bus
from chatd.live.compress import Contexts
from chatd.live.directs import DirectState
from chatd.live.formats import FORMATS
from chatd.live.frames import Event
from chatd.live.sessions import Session
from chatd.live.state import Live
from chatd.model import intents as i
from chatd.model import permissions as p
from chatd.model.wire import Object
from tests.support import live as support
from tests.support.live import Wire

SHARDS = 3
# The first two are in one shard of the bus, the third in another, the direct channel in the last.
GUILDS = (3 << 22, 6 << 22, 4 << 22)
DIRECT = 5 << 22
USERS = (1, 2, 3)
BLIND = i.ALL & ~i.MESSAGE_CONTENT
NAMED = 3  # in every message, so that this user sees its content anyway
SESSIONS = ((1, i.ALL), (1, BLIND), (2, i.ALL), (2, i.ALL), (NAMED, BLIND))

session_numbers, guild_ids = st.integers(0, len(SESSIONS) - 1), st.sampled_from(GUILDS)
operations = st.lists(
    st.tuples(st.just("post"), guild_ids, st.integers(1, 3))
    | st.tuples(st.just("turns"), st.integers(1, 5))
    | st.tuples(st.just("typing"), guild_ids)
    | st.tuples(st.just("everybody_joins"), guild_ids)
    | st.tuples(st.just("direct_message"))
    | st.tuples(st.just("profile"), st.sampled_from(USERS))
    | st.tuples(st.just("join"), session_numbers, guild_ids)
    | st.tuples(st.just("leave"), session_numbers, guild_ids)
    | st.tuples(st.just("push"), session_numbers)
    | st.tuples(st.just("cut"), session_numbers, st.integers(0, 4))
    | st.tuples(st.just("resume"), session_numbers, st.integers(1, 300))
    | st.tuples(st.just("flush")),
    min_size=10,
    max_size=60,
)


class Client:
    """A session with what its client has read on all of its connections, and what it should read."""

    def __init__(self, it: Session, format_: int, contexts: Contexts) -> None:
        self.it = it
        self._format = format_
        self._contexts = contexts
        self.wire = Wire(format_, contexts)
        self.got: list[int] = []
        self.expected: list[int] = []  # in the order of publication
        self.early: set[int] = set()  # sent at once, before what waits on the bus
        self.is_lost = False  # its ring could not bring it back
        it.connection = self.wire

    def read(self, unread: int = 0) -> None:
        """Everything but the last `unread` dispatches, which are lost with the connection."""
        seen = self.wire.dispatches()
        for seq, name, body in seen[: len(seen) - unread]:
            if name == "TYPING_START":
                assert seq == len(self.got), "not the number of the event before it"
                continue
            assert seq == len(self.got) + 1, "a hole, or an event twice"
            self.got.append(body["n"])
            if name == "MESSAGE_CREATE":
                assert body["content"] == ("" if self.it.lean and self.it.user.id != NAMED else "secret")
        self.wire = Wire(self._format, self._contexts)

    def cut(self, unread: int) -> None:
        if self.it.connection is not None:
            self.it.connection = None
            self.read(min(unread, len(self.wire.dispatches())))

    async def resume(self, limit_bytes: int) -> None:
        if self.it.connection is not None or self.is_lost:
            return
        seq = len(self.got)
        while self.it.can_replay(seq):
            seq, data = self.it.replay(seq, self.wire, limit_bytes)
            self.wire.push(data)
            if seq == self.it.seq:
                self.it.connection = self.wire
                return
            await trio.lowlevel.checkpoint()
        assert self.it.seq - len(self.got) > len(self.it.ring)
        self.is_lost = True

    def check(self) -> None:
        """After everything has been delivered."""
        assert self.it.seq == len(self.expected)
        assert not self.it.pending
        if not self.is_lost:
            assert sorted(self.got) == self.expected
            assert [n for n in self.got if n not in self.early] == [n for n in self.expected if n not in self.early]


class Numbered(Object):
    n: int


class Run:
    """The server's part, and the naive model beside it: who gets an event is asked of every session in turn."""

    def __init__(self, ring_events: int, formats: list[int]) -> None:
        self.live = Live(Bus(SHARDS, capacity=10_000))
        self.clients: list[Client] = []
        self.published = 0
        contexts = Contexts(2)
        for number, ((user_id, intents), format_) in enumerate(zip(SESSIONS, formats, strict=True)):
            it = support.session(user_id, intents=intents, ring_events=ring_events)
            it.id = str(number)
            self.live.sessions.add(it)
            self.clients.append(Client(it, format_, contexts))
        for id_ in GUILDS:
            members = [support.member(user_id) for user_id in USERS]
            self.live.guilds[id_] = support.guild(p.VIEW_CHANNEL, id_=id_, members=members)
        self.direct = DirectState(DIRECT, {user_id: support.user(user_id) for user_id in (1, 2)}, None)

    def _commit(self, *clients: Client) -> int:
        """The number of an event that these should get."""
        self.published = self.live.bus.horizon = self.published + 1
        for client in clients:
            client.expected.append(self.published)
        return self.published

    def _in(self, guild_id: int) -> list[Client]:
        return [client for client in self.clients if guild_id in client.it.guild_ids]

    async def post(self, guild_id: int, count: int) -> None:
        for _ in range(count):
            n = self._commit(*self._in(guild_id))
            body, lean = (b'{"n":%d,"content":"%b"}' % (n, content) for content in (b"secret", b""))
            audience = self.live.guilds[guild_id].audience(i.GUILD_MESSAGES, content=True)
            self.live.bus.publish(guild_id, Event("MESSAGE_CREATE", body, lean, frozenset({NAMED})), audience)

    async def typing(self, guild_id: int) -> None:
        audience = self.live.guilds[guild_id].audience(i.GUILD_MESSAGE_TYPING)
        self.live.bus.publish(guild_id, Event("TYPING_START", b"{}"), audience)

    async def direct_message(self) -> None:
        n = self._commit(*[client for client in self.clients if client.it.user.id in self.direct.users])
        audience = self.live.direct_audience(self.direct, i.DIRECT_MESSAGES)
        self.live.bus.publish(DIRECT, Event("DIRECT", b'{"n":%d}' % n), audience)

    async def profile(self, user_id: int) -> None:
        n = self._commit(*[client for client in self.clients if client.it.user.id == user_id])
        self.live.to_user(user_id, "USER_UPDATE", Numbered(n=n))

    async def push(self, number: int) -> None:
        client = self.clients[number]
        n = self._commit(client)
        if not client.it.ordered:
            client.early.add(n)
        self.live.push(client.it, "PUSHED", Numbered(n=n))

    async def join(self, number: int, guild_id: int) -> None:
        it, guild = self.clients[number].it, self.live.guilds[guild_id]
        if it not in guild.sessions:
            self.live.follow(it, guild_id)
            await self.push(number)
            guild.add_session(it)

    async def everybody_joins(self, guild_id: int) -> None:
        for number in range(len(self.clients)):
            await self.join(number, guild_id)

    async def leave(self, number: int, guild_id: int) -> None:
        self.live.guilds[guild_id].remove_session(self.clients[number].it)

    async def cut(self, number: int, unread: int) -> None:
        self.clients[number].cut(unread)

    async def resume(self, number: int, limit_bytes: int) -> None:
        await self.clients[number].resume(limit_bytes)

    async def turns(self, count: int) -> None:
        for _ in range(count):
            await trio.lowlevel.checkpoint()

    async def flush(self) -> None:
        await self.live.bus.flush()

    def check_meanwhile(self) -> None:
        """What `service.recovery` relies on: of what is published, an ordered session has counted everything."""
        for client in self.clients:
            if client.it.ordered:
                assert client.it.seq == len(client.expected)


@settings(deadline=None, max_examples=300)
@given(
    operations,
    st.lists(st.integers(0, len(FORMATS) - 1), min_size=len(SESSIONS), max_size=len(SESSIONS))
    | st.integers(0, len(FORMATS) - 1).map(lambda format_: [format_] * len(SESSIONS)),
    st.sampled_from((4, 1000)),
    st.sampled_from((1, 2, 3, 200)),
    st.sampled_from((2, 32)),
    st.sampled_from((0, 8)),
)
def test_every_client_gets_every_event_once_and_in_order(
    history: list[tuple[Any, ...]], formats: list[int], ring_events: int, slice_: int, joined: int, few: int
) -> None:
    async def main() -> None:
        run = Run(ring_events, formats)
        for guild_id in GUILDS[: len(history) % 3 + 1]:
            await run.everybody_joins(guild_id)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run.live.bus.run)
            for name, *args in history:
                await getattr(run, name)(*args)
                run.check_meanwhile()
            await run.flush()
            for client in run.clients:
                client.cut(unread=0)
                await client.resume(limit_bytes=50)
                client.read()
                client.check()
            nursery.cancel_scope.cancel()

    with pytest.MonkeyPatch.context() as constants:
        constants.setattr(bus, "SLICE", slice_)  # a turn: one session, a few, or all of them
        constants.setattr(bus, "JOIN_EVENTS", joined)
        constants.setattr(delivery, "CATCH_UP_EVENTS", joined)
        constants.setattr(bus, "FEW", few)
        trio.run(main)
