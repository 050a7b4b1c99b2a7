"""RESUME: what a client missed comes again, in order and once; and when that cannot be, it is told so.

Docs: events/gateway, "Resuming".
"""

from random import Random
from typing import Any

import pytest
import trio

from chatd.live.frames import Event
from chatd.service import gateway as service
from tests.support import raw
from tests.support.app import Server
from tests.support.client import Gateway, connect, gateway, resumed
from tests.support.world import Guild, User, World

COMPRESSIONS = pytest.mark.parametrize("compress", [None, "zlib-stream"], ids=["json", "zlib"])


@pytest.fixture
async def server(sqlite_server: Server) -> Server:
    return sqlite_server


def resume(broken: Gateway, **fields: Any) -> tuple[int, Any]:
    return 6, {"token": broken.token, "session_id": broken.ready["session_id"], "seq": broken.seq, **fields}


async def miss(server: Server, it: Gateway, count: int, size: int) -> None:
    """Something that compresses badly happens to the session so many times."""
    session = server.core.live.sessions.get(it.ready["session_id"])
    assert session is not None
    noise = Random(1)
    for _ in range(count):
        session.push(Event("NOISE", b'"%b"' % noise.randbytes(size // 2).hex().encode()))
        await trio.lowlevel.checkpoint()


async def is_over(broken: Gateway) -> bool:
    """Whether a RESUME gets "invalid session"."""
    async with connect(broken.url) as it:
        await it.send(*resume(broken))
        return await it.control(9) is False


async def broken_off(server: Server, it: Gateway) -> None:
    """The connection is cut, and the server has noticed."""
    it.cut()
    await it.until_closed()
    session = server.core.live.sessions.get(it.ready["session_id"])
    assert session is not None
    with trio.fail_after(5):
        while session.connection is not None:
            await trio.lowlevel.checkpoint()


# --- what works ------------------------------------------------------------------------------------------------------


@COMPRESSIONS
async def test_what_was_missed_comes_in_order_then_resumed_then_what_is_new(
    server: Server, owner: User, guild: Guild, bot: User, compress: str | None
) -> None:
    async with gateway(server.url, bot.token, compress=compress) as it:
        await owner.say(guild.general, "seen")
        await it.next("MESSAGE_CREATE")
        await broken_off(server, it)
    missed = [f"missed {n}" for n in range(30)]
    for content in missed:
        await owner.say(guild.general, content)
    async with resumed(it, compress=compress) as again:
        assert [d["content"] for d in again.named("MESSAGE_CREATE")] == missed
        assert again.events[-1] == ("RESUMED", {})
        await owner.say(guild.general, "new")
        assert (await again.next("MESSAGE_CREATE", lambda d: d["content"] == "new"))["channel_id"] == guild.general
        assert again.seq == it.seq + len(missed) + 1


@COMPRESSIONS
async def test_events_that_were_sent_but_never_read_come_again(
    server: Server, owner: User, guild: Guild, bot: User, compress: str | None
) -> None:
    async with gateway(server.url, bot.token, compress=compress) as it:
        for n in range(5):
            await owner.say(guild.general, str(n))
        for _ in range(5):
            await it.next("MESSAGE_CREATE")
        await broken_off(server, it)
    async with resumed(it, seq=it.seq - 3, compress=compress) as again:
        assert [d["content"] for d in again.named("MESSAGE_CREATE")] == ["2", "3", "4"]


async def test_a_session_can_be_resumed_from_its_very_beginning(server: Server, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        await broken_off(server, it)
    async with resumed(it, seq=0) as again:
        assert [name for name, _ in again.events][:2] == ["READY", "GUILD_CREATE"]


async def test_it_may_be_resumed_in_another_format(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token, compress="zlib-stream") as it:
        await broken_off(server, it)
    await owner.say(guild.general, "one")
    async with resumed(it) as again:
        await broken_off(server, again)
    await owner.say(guild.general, "two")
    async with resumed(again, compress="zlib-stream") as third:
        assert [d["content"] for d in third.named("MESSAGE_CREATE")] == ["two"]


async def test_resuming_again_and_again(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        await broken_off(server, it)
    for n in range(4):
        await owner.say(guild.general, str(n))
        async with resumed(it) as again:
            assert [d["content"] for d in again.named("MESSAGE_CREATE")] == [str(n)]
            await broken_off(server, again)
        it = again


@pytest.mark.parametrize("code", [4000, 4900, 3000, 1002, 1011])
async def test_a_close_that_is_no_goodbye_keeps_the_session(server: Server, bot: User, code: int) -> None:
    async with gateway(server.url, bot.token) as it:
        await it.close(code)
    async with resumed(it):
        pass


async def test_a_close_without_a_code_keeps_the_session(server: Server, bot: User) -> None:
    async with raw.connect(server.url) as it:
        await it.receive()
        await it.send_json(2, {"token": bot.token, "intents": 0, "properties": {}})
        ready = await it.dispatch("READY")
        await it.send(raw.frame(raw.CLOSE))
        await it.until_closed()
    assert server.core.live.sessions.get(ready["session_id"]) is not None


async def test_the_latest_connection_has_the_session(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as old, resumed(old) as new:
        assert (await old.until_closed()).code == 4000
        await owner.say(guild.general, "to the new one")
        assert (await new.next("MESSAGE_CREATE"))["content"] == "to the new one"
        assert old.named("MESSAGE_CREATE") == []


async def test_of_two_at_the_same_time_one_has_the_session_and_the_other_is_closed(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    """Both are in the middle of a long replay when the other one begins."""
    async with gateway(server.url, bot.token) as it:
        await broken_off(server, it)
    await miss(server, it, 600, 6000)
    async with connect(server.url) as one, connect(server.url) as other:
        for each in (one, other):
            each.seq = it.seq
            await each.send(*resume(it))
        async with trio.open_nursery() as nursery:
            for each in (one, other):
                nursery.start_soon(each.next, "RESUMED")
        winner = other if await first_closed(one, other) is one else one
        await owner.say(guild.general, "to the winner")
        await winner.next("MESSAGE_CREATE", lambda d: d["content"] == "to the winner")


async def first_closed(*connections: Gateway) -> Gateway:
    with trio.fail_after(5):
        while True:
            for each in connections:
                if each.closed is not None:
                    return each
            await trio.lowlevel.checkpoint()


@pytest.mark.options({"gateway.send_buffer_bytes": 16_384})
@pytest.mark.parametrize("query", ["?v=10", "?v=10&compress=zlib-stream"], ids=["json", "zlib"])
async def test_a_slow_reader_gets_more_than_its_buffer_holds(server: Server, bot: User, query: str) -> None:
    async with gateway(server.url, bot.token) as it:
        await broken_off(server, it)
    await miss(server, it, 600, 6000)
    async with raw.connect(server.url, query, receive_buffer=2048) as slow:
        await slow.receive()  # HELLO
        await slow.send_json(*resume(it))
        for _ in range(600 + 1):
            assert (await slow.receive()).opcode in (raw.TEXT, raw.BINARY)
        await slow.send_json(1)
        assert (await slow.receive()).opcode in (raw.TEXT, raw.BINARY)


# --- what does not ---------------------------------------------------------------------------------------------------


async def test_a_sequence_from_the_future_is_refused_and_harms_nothing(server: Server, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        await broken_off(server, it)
    async with connect(server.url) as wrong:
        await wrong.send(*resume(it, seq=it.seq + 1))
        assert (await wrong.until_closed()).code == 4007
    async with resumed(it):
        pass


async def test_after_invalid_session_the_same_socket_may_identify_or_resume(server: Server, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        await broken_off(server, it)
    async with connect(server.url) as again:
        for fields in ({"session_id": "unknown"}, {"seq": -1}, {"session_id": ""}):
            again.controls.clear()
            await again.send(*resume(it, **fields))
            assert await again.control(9) is False
            await again.heartbeat()
        await again.resume(it)
    async with connect(server.url) as again:
        await again.send(*resume(it, session_id="unknown"))
        assert await again.control(9) is False
        await again.identify(bot.token)


async def test_nobody_resumes_anothers_session(server: Server, world: World, owner: User, bot: User) -> None:
    other = await world.bot(owner)
    async with gateway(server.url, bot.token) as it:
        await broken_off(server, it)
    async with connect(server.url) as thief:
        await thief.send(*resume(it, token=other.token))
        assert await thief.control(9) is False
        assert not thief.events
    async with connect(server.url) as thief:
        await thief.send(*resume(it, token="nonsense"))
        assert (await thief.until_closed()).code == 4004
    async with resumed(it):
        pass


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_goodbye_ends_the_session(server: Server, bot: User, code: int) -> None:
    async with gateway(server.url, bot.token) as it:
        await it.close(code)
    assert await is_over(it)


@pytest.mark.options({"gateway.ring_events": 8})
async def test_who_missed_more_than_is_kept_starts_anew(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        await broken_off(server, it)
    for n in range(8):
        await owner.say(guild.general, str(n))
    async with resumed(it) as again:
        assert len(again.named("MESSAGE_CREATE")) == 8
        await broken_off(server, again)
    for n in range(9):
        await owner.say(guild.general, str(n))
    assert await is_over(again)


@pytest.mark.options({"gateway.resume_window_s": 0.01})
async def test_who_comes_back_too_late_starts_anew_and_is_offline_meanwhile(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, owner.token, intents=None) as watcher:
        async with gateway(server.url, bot.token) as it:
            it.cut()
        await watcher.next("PRESENCE_UPDATE", lambda d: (d["user"]["id"], d["status"]) == (bot.id, "offline"))
        assert await is_over(it)


async def test_a_session_that_ends_in_the_middle_of_its_replay(server: Server, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        await broken_off(server, it)
    await miss(server, it, 600, 6000)
    session = server.core.live.sessions.get(it.ready["session_id"])
    assert session is not None
    async with raw.connect(server.url, receive_buffer=2048) as slow:
        await slow.receive()
        await slow.send_json(*resume(it))
        assert (await slow.receive()).json["t"] == "NOISE"
        service.end(server.core, session)
        while (message := (await slow.receive()).json)["op"] == 0:
            assert message["t"] == "NOISE"
        assert (message["op"], message["d"]) == (9, False)
        await slow.send_json(2, {"token": bot.token, "intents": 0, "properties": {}})
        await slow.dispatch("READY")


# --- slow consumers --------------------------------------------------------------------------------------------------


@pytest.mark.options({"gateway.send_buffer_bytes": 16_384})
async def test_who_never_reads_is_cut_off_others_notice_nothing_and_it_may_resume(
    server: Server, owner: User, guild: Guild, bot: User, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        raw.connect(server.url, receive_buffer=2048) as stuck,
        gateway(server.url, owner.token, intents=None) as well,
    ):
        await stuck.receive()
        await stuck.send_json(2, {"token": bot.token, "intents": 1 << 9 | 1 << 15, "properties": {}})
        ready = await stuck.dispatch("READY")
        session = server.core.live.sessions.get(ready["session_id"])
        assert session is not None
        said = 0
        while session.connection is not None:
            await owner.say(guild.general, str(said).ljust(2000, "\u4e00"))
            said += 1
            assert said < 1000, "it was never cut off"
        for n in range(said):
            assert (await well.next("MESSAGE_CREATE"))["content"].startswith(str(n))
    async with connect(server.url) as again:
        again.seq = 1
        await again.send(6, {"token": bot.token, "session_id": ready["session_id"], "seq": 1})
        await again.next("RESUMED")
        assert len(again.named("MESSAGE_CREATE")) == said
    [logged] = [record for record in caplog.records if record.getMessage() == "connection cut off"]
    assert logged.fields == {  # type: ignore[attr-defined]
        "reason": "slow consumer",
        "session": ready["session_id"],
        "user": session.user.id,
        "address": "127.0.0.1",
    }
    metrics = (await owner.get("//metrics")).content.decode()
    assert '\nchatd_connections_aborted_total{reason="slow consumer"} 1' in metrics
