"""What an operator sees of gateway sessions and does to them: the commands of a running server, and its metrics."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from msgspec import json

from chatd import control
from chatd.cli import admin
from chatd.model.wire import encode
from tests.support.app import Server
from tests.support.client import Client, Gateway, connect, gateway, resumed
from tests.support.core import connect as connect_core
from tests.support.core import open_core
from tests.support.live import user
from tests.support.world import Guild, User, World

INTENTS = 1 << 9 | 1


async def ask(server: Server, command: str, **arguments: Any) -> Any:
    request = encode({"command": command, "arguments": arguments})
    answer = await trio.to_thread.run_sync(partial(control.ask, server.directory, request))
    assert answer is not None
    return json.decode(answer)


async def listed(server: Server, **asked: Any) -> dict[str, Any]:
    """Session id -> row."""
    return {row["id"]: row for row in (await ask(server, "sessions list", **asked))["ok"]["sessions"]}


async def waits(server: Server, it: Gateway) -> None:
    """The connection is cut, and the server has noticed."""
    it.cut()
    await it.until_closed()
    with trio.fail_after(5):
        while (await listed(server))[it.ready["session_id"]]["connected"]:
            pass


async def metrics(client: Client) -> dict[str, float]:
    """Series -> value."""
    lines = (await client.get("//metrics")).content.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


async def test_each_session_is_listed_with_its_connection(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    async with (
        gateway(server.url, owner.token, intents=None, compress="zlib-stream") as person,
        gateway(server.url, bot.token, intents=INTENTS, shard=[0, 1]) as it,
    ):
        await owner.say(guild.general)
        await it.next("MESSAGE_CREATE")
        rows = await listed(server)
        assert set(rows) == {person.ready["session_id"], it.ready["session_id"]}
        row = rows[it.ready["session_id"]]
        ages = [row.pop(name) for name in ("age_s", "since_s", "heartbeat_s")]
        assert all(age >= 0 for age in ages)
        assert row == {
            "id": it.ready["session_id"],
            "user_id": bot.id,
            "username": bot.user["username"],
            "bot": True,
            "shard": [0, 1],
            "intents": INTENTS,
            "connected": True,
            "seq": it.seq,
            "ring": it.seq,
            "encoding": "json",
            "compression": "",
            "queue_bytes": 0,
            "address": "127.0.0.1",
        }
        row = rows[person.ready["session_id"]]
        assert (row["bot"], row["encoding"], row["compression"]) == (False, "json", "zlib-stream")

        await waits(server, it)
        row = (await listed(server))[it.ready["session_id"]]
        assert row["connected"] is False
        of_the_connection = ("encoding", "compression", "queue_bytes", "address", "heartbeat_s")
        assert [row[name] for name in of_the_connection] == [None] * 5


async def test_the_list_is_of_a_user_or_a_guild(server: Server, world: World, owner: User, guild: Guild) -> None:
    stranger = await world.person("stranger")
    other = await world.guild(stranger)
    async with gateway(server.url, owner.token) as mine, gateway(server.url, stranger.token) as theirs:
        only_mine, only_theirs = {mine.ready["session_id"]}, {theirs.ready["session_id"]}
        assert set(await listed(server, user="owner")) == only_mine
        assert set(await listed(server, user=stranger.id)) == only_theirs
        assert set(await listed(server, guild=guild.id)) == only_mine
        assert set(await listed(server, user="owner", guild=other.id)) == set()
        assert set(await listed(server, user="nobody")) == set()


async def test_a_disconnected_session_resumes(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        session_id = it.ready["session_id"]
        done = await ask(server, "sessions disconnect", id=session_id)
        assert done["ok"] == {
            "id": session_id,
            "user_id": bot.id,
            "username": bot.user["username"],
            "ended": False,
        }
        assert await it.until_closed() == (4000, "Disconnected by an operator.")
    await owner.say(guild.general, "missed")
    again = await ask(server, "sessions disconnect", id=session_id)
    assert again == {"error": f"session {session_id} is not connected, it waits for RESUME; --end ends it"}
    async with resumed(it) as back:
        assert [d["content"] for d in back.named("MESSAGE_CREATE")] == ["missed"]


@pytest.mark.parametrize("is_connected", [True, False])
async def test_an_ended_session_is_over(server: Server, bot: User, is_connected: bool) -> None:
    async with gateway(server.url, bot.token) as it:
        if not is_connected:
            await waits(server, it)
        assert (await ask(server, "sessions disconnect", id=it.ready["session_id"], end=True))["ok"]["ended"]
        if is_connected:
            assert await it.until_closed() == (4009, "Session ended by an operator.")
    assert await listed(server) == {}
    async with connect(server.url) as again:
        await again.send(6, {"token": bot.token, "session_id": it.ready["session_id"], "seq": it.seq})
        assert await again.control(9) is False


async def test_there_has_to_be_such_a_session(sqlite_server: Server) -> None:
    assert await ask(sqlite_server, "sessions disconnect", id="x") == {"error": "there is no session 'x'"}


async def test_a_long_list_comes_in_pages(tmp_path: Path) -> None:
    async with open_core(tmp_path) as core:
        count = 2 * admin.SESSIONS_PAGE + 1
        for number in range(count):
            session = connect_core(core, admin.Actor(user(number), token=""))
            session.connection = None
        found: list[str] = []
        sizes = []
        after = ""
        while True:
            request = encode({"command": "sessions list", "arguments": {"after": after}})
            rows = json.decode(await admin.answer(core, request))["ok"]["sessions"]
            sizes.append(len(rows))
            if not rows:
                break
            found += [row["id"] for row in rows]
            after = found[-1]
        assert sizes == [admin.SESSIONS_PAGE, admin.SESSIONS_PAGE, 1, 0]
        assert found == sorted(session.id for session in core.live.sessions)


async def test_metrics_tell_the_same(server: Server, world: World, owner: User, bot: User) -> None:
    async with (
        gateway(server.url, owner.token, intents=None) as away,
        gateway(server.url, bot.token, compress="zlib-stream") as it,
    ):
        await waits(server, away)
        now = await metrics(world.anybody)
        assert now["chatd_gateway_sessions"] == 2
        assert now["chatd_gateway_sessions_waiting"] == 1
        assert now['chatd_gateway_sessions_connected{encoding="json",compression="zlib-stream"}'] == 1
        assert 'chatd_gateway_sessions_connected{encoding="json",compression=""}' not in now
        assert now["chatd_gateway_connections"] == 1
        assert now["chatd_gateway_ring_events"] == sum(row["ring"] for row in (await listed(server)).values())
        assert now["chatd_gateway_send_queue_bytes"] == now["chatd_gateway_send_queue_max_bytes"] == 0
        assert now["chatd_gateway_identifies_waiting"] == 0
        assert now['chatd_gateway_identifies_total{outcome="ok"}'] == 2
        assert now['chatd_gateway_closes_total{by="network",code=""}'] == 1

        async with resumed(away) as back, connect(server.url) as failing:
            await failing.send(6, {"token": bot.token, "session_id": "x", "seq": 0})
            await failing.control(9)
            await back.close(4321)
        await it.send(2, {})
        assert (await it.until_closed()).code == 4005
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        await stream.send_all(b"GET /gateway HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 426 ")
    now = await metrics(world.anybody)
    assert now['chatd_gateway_resumes_total{outcome="ok"}'] == 1
    assert now['chatd_gateway_resumes_total{outcome="refused"}'] == 1
    assert now['chatd_gateway_closes_total{by="client",code="other"}'] == 1
    assert now['chatd_gateway_closes_total{by="server",code="4005"}'] == 1
    assert now['chatd_gateway_handshakes_refused_total{status="426"}'] == 1
