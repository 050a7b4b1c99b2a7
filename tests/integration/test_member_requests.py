"""Members on request (op 8): who is found, in which chunks, how often, and at whose cost.

Docs: events/gateway-events, "Request Guild Members" and "Rate Limited".
"""

from typing import Any

import pytest
import trio

from chatd.model.errors import GatewayClose
from chatd.model.objects.gateway import RequestGuildMembers
from chatd.service import member_requests
from tests.support import raw
from tests.support.app import Server
from tests.support.client import Gateway, gateway, resumed
from tests.support.live import Wire, session
from tests.support.members import crowd
from tests.support.world import Guild, User, World

GUILDS, GUILD_MEMBERS = 1 << 0, 1 << 1


@pytest.fixture
async def server(sqlite_server: Server) -> Server:
    return sqlite_server


async def chunk(it: Gateway, guild_id: Any, **fields: Any) -> Any:
    await it.send(8, {"guild_id": guild_id, **fields})
    return await it.next("GUILD_MEMBERS_CHUNK")


def ids(found: Any) -> set[str]:
    return {member["user"]["id"] for member in found["members"]}


async def test_members_by_prefix_by_id_and_all(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    ann, anna, ben = [await world.person(name) for name in ("ann", "anna", "ben")]
    await world.join(owner, guild, ann, anna, ben)
    everyone = {each.id for each in (owner, bot, ann, anna, ben)}
    async with gateway(server.url, bot.token) as it:
        found = await chunk(it, guild.id, query="", limit=0)
        assert ids(found) == everyone
        assert (found["guild_id"], found["chunk_index"], found["chunk_count"]) == (guild.id, 0, 1)
        assert not {"nonce", "presences"} & found.keys()
        assert ids(await chunk(it, guild.id, query="ANN", limit=10)) == {ann.id, anna.id}
        assert len(ids(await chunk(it, guild.id, query="ann", limit=1))) == 1
        assert len(ids(await chunk(it, guild.id, query="", limit=2))) == 2
        assert ids(await chunk(it, guild.id, query="zz", limit=5)) == set()
        found = await chunk(it, guild.id, user_ids=[ann.id, "5"], limit=0, nonce="n" * 32)
        assert (ids(found), found["not_found"], found["nonce"]) == ({ann.id}, ["5"], "n" * 32)
        # What discord.py and others send.
        assert ids(await chunk(it, int(guild.id), user_ids=[int(ben.id)], query=None or "", limit=0)) == {ben.id}
        assert ids(await chunk(it, guild.id, user_ids=ben.id)) == {ben.id}
        assert ids(await chunk(it, [guild.id], query="ben", limit=1)) == {ben.id}


async def test_a_nonce_of_more_than_32_bytes_is_ignored(server: Server, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        assert "nonce" not in await chunk(it, guild.id, query="", limit=0, nonce="ü" * 17)
        assert (await chunk(it, guild.id, query="", limit=0, nonce="ü" * 16))["nonce"] == "ü" * 16


async def test_all_members_need_the_members_intent_and_presences_theirs(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with (
        gateway(server.url, bot.token) as privileged,
        gateway(server.url, bot.token, intents=GUILDS) as plain,
        gateway(server.url, owner.token, intents=None),
    ):
        assert ids(await chunk(plain, guild.id, query="", limit=0)) == set()
        assert ids(await chunk(plain, guild.id, query="owner", limit=5)) == {owner.id}
        assert "presences" not in await chunk(plain, guild.id, user_ids=[owner.id], presences=True)
        found = await chunk(privileged, guild.id, query="", limit=0, presences=True)
        assert {d["user"]["id"]: d["status"] for d in found["presences"]} == {owner.id: "online", bot.id: "online"}


async def test_nobody_asks_about_others_guilds(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    other = await world.person("other")
    foreign = await world.guild(other)
    async with gateway(server.url, bot.token) as it:
        for guild_id in (foreign.id, "1", "nonsense", 0, -1, 2**70):
            await it.send(8, {"guild_id": guild_id, "query": "", "limit": 0})
        await chunk(it, guild.id, user_ids=[owner.id])
        assert [d["guild_id"] for d in it.named("GUILD_MEMBERS_CHUNK")] == [guild.id]


async def test_many_members_come_in_chunks_of_a_thousand(server: Server, guild: Guild, bot: User) -> None:
    crowd(server, guild, bot, 2001)
    async with gateway(server.url, bot.token) as it:
        await it.send(8, {"guild_id": guild.id, "query": "", "limit": 0, "nonce": "all", "user_ids": None})
        chunks = [await it.next("GUILD_MEMBERS_CHUNK") for _ in range(3)]
        assert [(d["chunk_index"], d["chunk_count"], len(d["members"])) for d in chunks] == [
            (0, 3, 1000),
            (1, 3, 1000),
            (2, 3, 1),
        ]
        assert {d["nonce"] for d in chunks} == {"all"}


@pytest.mark.options({"gateway.send_buffer_bytes": 800_000})
async def test_chunks_wait_for_a_slow_reader(server: Server, guild: Guild, bot: User) -> None:
    crowd(server, guild, bot, 12_000)
    async with raw.connect(server.url, receive_buffer=2048) as slow:
        await slow.receive()
        await slow.send_json(2, {"token": bot.token, "intents": GUILDS | GUILD_MEMBERS, "properties": {}})
        await slow.dispatch("GUILD_CREATE")
        await slow.send_json(8, {"guild_id": guild.id, "query": "", "limit": 0})
        for n in range(12):
            assert (await slow.dispatch("GUILD_MEMBERS_CHUNK"))["chunk_index"] == n


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.options({"limits.rate_limits": True})
async def test_the_whole_list_of_a_guild_may_be_had_once_in_30_seconds(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    second = await world.guild(owner, name="Second")
    (await world.authorize(owner, bot.id, second, 0)).ok()
    async with gateway(server.url, bot.token) as it, gateway(server.url, owner.token, intents=None) as hers:
        assert ids(await chunk(it, guild.id, query="", limit=0, nonce="first")) == {owner.id, bot.id}
        server.clock.advance(10)
        await it.send(8, {"guild_id": guild.id, "query": "", "limit": 0, "nonce": "second"})
        limited = await it.next("RATE_LIMITED")
        assert limited == {"opcode": 8, "retry_after": 20.0, "meta": {"guild_id": guild.id, "nonce": "second"}}
        # What is limited is this list of this guild for this bot.
        assert await chunk(it, second.id, query="", limit=0)
        assert await chunk(it, guild.id, query="own", limit=0)
        assert await chunk(it, guild.id, query="", limit=1)
        assert await chunk(it, guild.id, user_ids=[owner.id])
        assert await chunk(hers, guild.id, query="", limit=0)
        server.clock.advance(20)
        assert await chunk(it, guild.id, query="", limit=0)
        await it.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
        assert "nonce" not in (await it.next("RATE_LIMITED"))["meta"]


async def test_a_list_without_a_query_needs_the_members_intent_whatever_its_limit(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, bot.token, intents=GUILDS) as it:
        for fields in ({"query": "", "limit": 0}, {"query": "", "limit": 5}, {}):
            found = await chunk(it, guild.id, **fields)
            assert (found["members"], found["chunk_index"], found["chunk_count"]) == ([], 0, 1)


async def test_no_more_than_a_hundred_are_found_by_prefix_or_by_id(server: Server, guild: Guild, bot: User) -> None:
    crowd(server, guild, bot, 250)
    async with gateway(server.url, bot.token) as it:
        for limit in (0, 100, 1000):
            assert len((await chunk(it, guild.id, query="bot", limit=limit))["members"]) == 100
        assert len((await chunk(it, guild.id, query="", limit=1000))["members"]) == 100
        found = await chunk(it, guild.id, user_ids=[*range(50), *range(50), *range(10**6, 10**6 + 50)])
        assert (len(found["members"]), len(found["not_found"])) == (50, 0)


async def test_of_several_guilds_the_first_is_meant(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    second = await world.guild(owner, name="Second")
    (await world.authorize(owner, bot.id, second, 0)).ok()
    async with gateway(server.url, bot.token) as it:
        await chunk(it, [second.id, guild.id], query="", limit=0)
        await chunk(it, guild.id, query="zz", limit=1)
        assert [d["guild_id"] for d in it.named("GUILD_MEMBERS_CHUNK")] == [second.id, guild.id]


def test_requests_wait_in_a_bounded_queue() -> None:
    it = session(1, Wire())
    body = RequestGuildMembers(guild_id="1")
    assert [member_requests.ask(it, body) for _ in range(120)] == [True, *[False] * 119]
    with pytest.raises(GatewayClose, match="4008"):
        member_requests.ask(it, body)
    assert len(it.member_requests) == 120


async def test_requests_are_answered_in_their_order(server: Server, guild: Guild, bot: User) -> None:
    crowd(server, guild, bot, 3000)
    async with gateway(server.url, bot.token) as it:
        for n in range(20):
            await it.send(8, {"guild_id": guild.id, "query": "" if n % 5 == 0 else "bot", "nonce": str(n)})
        nonces = [(await it.next("GUILD_MEMBERS_CHUNK"))["nonce"] for _ in range(4 * 3 + 16)]
        assert nonces == sorted(nonces, key=int)
        assert {*nonces} == {str(n) for n in range(20)}


async def test_what_waits_is_answered_after_a_resume(server: Server, guild: Guild, bot: User) -> None:
    crowd(server, guild, bot, 3000)
    async with gateway(server.url, bot.token) as it, server.core.live.turn:  # nobody gets any further
        for n in range(3):
            await it.send(8, {"guild_id": guild.id, "query": "", "limit": 0, "nonce": str(n)})
        await it.heartbeat()
        it.cut()
        await it.until_closed()
    async with resumed(it) as again:
        nonces = [(await again.next("GUILD_MEMBERS_CHUNK"))["nonce"] for _ in range(9)]
        assert nonces == ["0"] * 3 + ["1"] * 3 + ["2"] * 3


async def test_an_ended_session_asks_for_nothing_more(server: Server, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        found = server.core.live.sessions.get(it.ready["session_id"])
        assert found is not None
        async with server.core.live.turn:
            for _ in range(3):
                await it.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
            await it.heartbeat()
            assert len(found.member_requests) == 3
            await it.close()
            await it.until_closed()
        with trio.fail_after(5):
            while found.member_requests:
                await trio.lowlevel.checkpoint()
    assert it.named("GUILD_MEMBERS_CHUNK") == []


# --- at whose cost ---------------------------------------------------------------------------------------------------


class Rounds(trio.abc.Instrument):
    """Counts the rounds of the event loop, in which every task that can run does so once."""

    def __init__(self) -> None:
        self.number = 0

    def after_io_wait(self, timeout: float) -> None:
        self.number += 1


class Recorder(Wire):
    """A socket that knows in which rounds something was pushed."""

    def __init__(self, rounds: Rounds) -> None:
        super().__init__()
        self.rounds = rounds
        self.seen: list[int] = []

    def push(self, data: bytes) -> None:
        self.seen.append(self.rounds.number)


async def test_a_round_of_the_event_loop_has_one_chunk_whoever_asks(server: Server, guild: Guild, bot: User) -> None:
    crowd(server, guild, bot, 10_000)
    rounds = Rounds()
    async with gateway(server.url, bot.token), gateway(server.url, bot.token), gateway(server.url, bot.token):
        asking = [found for found in server.core.live.sessions if found.user.id == int(bot.id)]
        recorders = [Recorder(rounds) for _ in asking]
        trio.lowlevel.add_instrument(rounds)
        async with trio.open_nursery() as nursery:
            for found, recorder in zip(asking, recorders, strict=True):
                found.connection = recorder
                member_requests.ask(found, RequestGuildMembers(guild_id=guild.id, query="", limit=0))
                nursery.start_soon(member_requests.answer, server.core, found)
        trio.lowlevel.remove_instrument(rounds)
    assert [len(recorder.seen) for recorder in recorders] == [10, 10, 10]
    together = [number for recorder in recorders for number in recorder.seen]
    assert len(set(together)) == 30


async def test_a_search_looks_at_a_thousand_names_in_a_round(server: Server, guild: Guild, bot: User) -> None:
    crowd(server, guild, bot, 30_000)
    rounds = Rounds()
    async with gateway(server.url, bot.token) as it:
        [asking] = [found for found in server.core.live.sessions if found.user.id == int(bot.id)]
        trio.lowlevel.add_instrument(rounds)
        member_requests.ask(asking, RequestGuildMembers(guild_id=guild.id, query="zz"))
        await member_requests.answer(server.core, asking)
        trio.lowlevel.remove_instrument(rounds)
        assert (await it.next("GUILD_MEMBERS_CHUNK"))["members"] == []
    assert rounds.number >= 30
