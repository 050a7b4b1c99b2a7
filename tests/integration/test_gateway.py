"""From HELLO to READY, commands, limits and deadlines: what one connection may do, and how it ends when it may not.

Docs: events/gateway. Bytes of WebSocket are in `test_gateway_frames`, who gets which event in `test_gateway_events`.
"""

import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

from chatd.store.db import Tx
from tests.support import raw
from tests.support.app import Server, serve
from tests.support.client import ALL_INTENTS, connect, gateway, resumed
from tests.support.world import Guild, User, World

MESSAGE_CONTENT = 1 << 15

# What libraries cannot do without.
USER_KEYS = {"id", "username", "discriminator", "avatar", "global_name", "flags", "mfa_enabled", "bot", "verified"}
GUILD_KEYS = """
    id name icon splash banner description owner_id features afk_channel_id afk_timeout verification_level roles
    default_message_notifications explicit_content_filter mfa_level nsfw_level application_id system_channel_id emojis
    system_channel_flags rules_channel_id public_updates_channel_id vanity_url_code premium_tier preferred_locale
    stickers joined_at large member_count voice_states members channels threads presences stage_instances unavailable
    guild_scheduled_events soundboard_sounds max_members
"""


@pytest.fixture
async def server(sqlite_server: Server) -> Server:
    return sqlite_server


def identify(token: str, **fields: Any) -> tuple[int, Any]:
    return 2, {"token": token, "intents": 1, "properties": {}, **fields}


# --- hello and ready -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [None, "zlib-stream"])
async def test_hello_comes_first_and_by_itself(server: Server, compress: str | None) -> None:
    async with connect(server.url, compress=compress) as it:
        assert it.controls == [(10, {"heartbeat_interval": 41_250})]
        assert not it.events


@pytest.mark.parametrize("d", [None, 0, 5])
async def test_heartbeats_are_acknowledged_before_identify(server: Server, d: int | None) -> None:
    async with connect(server.url) as it:
        await it.send(1, d)
        assert await it.control(11) is None


async def test_ready_has_everything_a_library_needs(server: Server, guild: Guild, bot: User) -> None:
    async with connect(server.url) as it:
        ready = await it.identify(bot.token)
        assert ready["v"] == 10
        assert ready["user"].keys() >= USER_KEYS
        assert (ready["user"]["id"], ready["user"]["bot"]) == (bot.id, True)
        assert ready["guilds"] == [{"id": guild.id, "unavailable": True}]
        assert ready["session_id"]
        assert ready["resume_gateway_url"] == f"ws://127.0.0.1:{server.port}/gateway"
        assert ready["application"]["id"] == bot.id
        assert isinstance(ready["application"]["flags"], int)
        assert ready["private_channels"] == []
        assert "shard" not in ready

        created = await it.next("GUILD_CREATE")
        assert created.keys() >= set(GUILD_KEYS.split())
        assert created["unavailable"] is False
        assert created["id"] == guild.id
        assert created["member_count"] == 2
        assert {channel["id"] for channel in created["channels"]} == {channel["id"] for channel in guild.channels}
        for channel in created["channels"]:
            assert channel.keys() >= {"id", "type", "name", "position", "parent_id", "permission_overwrites", "topic"}


async def test_a_person_needs_no_intents_and_is_told_its_direct_channels(
    server: Server, world: World, owner: User
) -> None:
    other = await world.person("other")
    channel_id = await owner.dm(other)
    async with gateway(server.url, owner.token, intents=None) as it:
        assert "application" not in it.ready
        assert it.ready["user"]["email"] == owner.user.get("email")
        [channel] = it.ready["private_channels"]
        assert (channel["id"], channel["type"], [u["id"] for u in channel["recipients"]]) == (channel_id, 1, [other.id])


@pytest.mark.parametrize("token", ["Bot {}", "{}"])
async def test_a_bots_token_may_have_its_scheme(server: Server, bot: User, token: str) -> None:
    async with connect(server.url) as it:
        assert (await it.identify(token.format(bot.token)))["user"]["id"] == bot.id


async def test_the_shard_is_repeated_if_it_was_given(server: Server, bot: User) -> None:
    async with connect(server.url) as it:
        assert (await it.identify(bot.token, shard=[0, 1]))["shard"] == [0, 1]


@pytest.mark.parametrize(("version", "told"), [(9, 9), (10, 10)])
async def test_ready_tells_the_version(server: Server, bot: User, version: int, told: int) -> None:
    async with connect(server.url, version=version) as it:
        assert (await it.identify(bot.token))["v"] == told


async def test_binary_frames_are_read_as_text(server: Server, bot: User) -> None:
    """What hikari sends."""
    async with connect(server.url) as it:
        op, d = identify(bot.token)
        await it.send_text(json.dumps({"op": op, "d": d}).encode())
        await it.next("READY")


async def test_a_guild_joined_later_comes_without_being_announced(
    server: Server, world: World, owner: User, bot: User
) -> None:
    async with gateway(server.url, bot.token) as it:
        second = await world.guild(owner, name="Second")
        (await world.authorize(owner, bot.id, second, 1 << 10)).ok()
        created = await it.next("GUILD_CREATE", lambda d: d["id"] == second.id)
        assert "unavailable" not in created


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?v=8", 4012),
        ("?v=11", 4012),
        ("?v=ten", 4012),
        ("?v=10&encoding=xml", 4002),
        ("?v=10&compress=lz4", 4002),
        ("?v=10&encoding=json&compress=true", 4002),
    ],
)
async def test_parameters_that_are_not_known_are_refused_after_hello(server: Server, query: str, code: int) -> None:
    async with raw.connect(server.url, query) as it:
        assert (await it.receive()).json["op"] == 10
        assert (await it.receive()).code == code
        await it.send(raw.close_frame(code))
        await it.ended()


@pytest.mark.parametrize("query", ["", "?v=10", "?encoding=json&v=9", "?v=10&encoding=json&compress=", "?foo=bar"])
async def test_parameters_may_be_left_out(server: Server, query: str) -> None:
    async with raw.connect(server.url, query) as it:
        assert (await it.receive()).json["op"] == 10
        await it.send_json(1)
        assert (await it.receive()).json["op"] == 11


@pytest.mark.parametrize(
    ("op", "d", "code"),
    [
        (*identify("nonsense"), 4004),
        (*identify("MTIz.abcdef.ghijkl"), 4004),
        (*identify("eyJhbGciOiJIUzI1NiJ9.e30.x"), 4004),
        (*identify(""), 4004),
        (6, {"token": "nonsense", "session_id": "x", "seq": 0}, 4004),
        (3, {"status": "idle"}, 4003),
        (8, {"guild_id": "1", "query": "", "limit": 0}, 4003),
        (4, {}, 4003),
        (99, {}, 4001),
        (11, None, 4001),
        (2, {}, 4002),
        (2, "token", 4002),
    ],
)
async def test_what_a_stranger_may_not_say(server: Server, op: int, d: Any, code: int) -> None:
    async with connect(server.url) as it:
        await it.send(op, d)
        assert (await it.until_closed()).code == code
        assert not it.events


@pytest.mark.parametrize("text", ["hello", "[]", "{}", '{"op": "1"}', '{"op": 1,', '{"op":1,"d":' + "[" * 4000])
async def test_what_is_no_payload(server: Server, text: str) -> None:
    async with connect(server.url) as it:
        await it.send_text(text)
        assert (await it.until_closed()).code == 4002


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"shard": [1, 1]}, 4010),
        ({"shard": [-1, 1]}, 4010),
        ({"shard": [0, 0]}, 4010),
        ({"shard": [2, -3]}, 4010),
        ({"intents": 1 << 17}, 4013),
        ({"intents": 1 << 40}, 4013),
        ({"intents": -1}, 4013),
    ],
)
async def test_what_a_bot_may_not_identify_with(server: Server, bot: User, fields: Any, code: int) -> None:
    async with connect(server.url) as it:
        await it.send(*identify(bot.token, **fields))
        assert (await it.until_closed()).code == code
        assert not it.events


async def test_a_bot_must_say_its_intents(server: Server, bot: User) -> None:
    async with connect(server.url) as it:
        await it.send(2, {"token": bot.token, "properties": {}})
        assert (await it.until_closed()).code == 4013


@pytest.mark.parametrize(("intent", "flag"), [(1 << 1, 1 << 15), (1 << 8, 1 << 13), (1 << 15, 1 << 19)])
async def test_privileged_intents_that_the_owner_switched_off(
    server: Server, owner: User, bot: User, intent: int, flag: int
) -> None:
    limited = 1 << 13 | 1 << 15 | 1 << 19
    (await owner.patch(f"/applications/{bot.id}", {"flags": limited & ~flag})).ok(200)
    async with connect(server.url) as it:
        await it.send(*identify(bot.token, intents=1 | intent))
        assert (await it.until_closed()).code == 4014
    async with gateway(server.url, bot.token, intents=ALL_INTENTS & ~intent):
        pass


@pytest.mark.parametrize(
    ("op", "d", "code"),
    [
        (2, {"token": "x", "intents": 1, "properties": {}}, 4005),
        (6, {"token": "x", "session_id": "x", "seq": 1}, 4005),
        (99, None, 4001),
        (3, {"status": "busy"}, 4002),
    ],
)
async def test_what_nobody_may_say_twice_or_wrongly(server: Server, bot: User, op: int, d: Any, code: int) -> None:
    async with gateway(server.url, bot.token) as it:
        await it.send(op, d)
        assert (await it.until_closed()).code == code
    async with resumed(it):  # it was the connection that did wrong: the session goes on
        pass


# --- limits ----------------------------------------------------------------------------------------------------------


async def test_the_121st_message_in_a_minute_is_too_much(server: Server, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        for _ in range(119):
            await it.send(1)
        await it.send(1)
        assert (await it.until_closed()).code == 4008
        assert sum(op == 11 for op, _ in it.controls) == 119
    async with resumed(it):
        pass


@pytest.mark.options({"limits.rate_limits": True, "gateway.max_concurrency": 1})
async def test_who_identifies_too_often_is_told_to_wait_on_the_same_socket(server: Server, owner: User) -> None:
    async with gateway(server.url, owner.token), connect(server.url) as it:
        await it.send(*identify(owner.token))
        assert await it.control(9) is False
        await it.heartbeat()
        server.clock.advance(6)
        await it.identify(owner.token)


@pytest.mark.options({"limits.rate_limits": True, "gateway.session_starts_per_day": 2})
async def test_session_starts_of_a_day_are_counted_and_resumes_are_not(server: Server, bot: User) -> None:
    for remaining in (1, 0):
        async with gateway(server.url, bot.token) as it:
            it.cut()
            await it.until_closed()
        async with resumed(it):
            pass
        server.clock.advance(10)
        limit = (await bot.get("/gateway/bot")).ok(200)["session_start_limit"]
        assert (limit["total"], limit["remaining"]) == (2, remaining)
    async with connect(server.url) as it:
        await it.send(*identify(bot.token))
        assert await it.control(9) is False


# --- deadlines -------------------------------------------------------------------------------------------------------


async def missed_deadlines(world: World) -> list[str]:
    """The series of the metric."""
    lines = (await world.anybody.get("//metrics")).content.decode().splitlines()
    return [rest for name, _, rest in (it.partition("{") for it in lines) if name.endswith("deadlines_missed_total")]


@pytest.mark.options({"gateway.identify_deadline_s": 0.02})
async def test_who_does_not_identify_is_cut_off(server: Server, world: World) -> None:
    async with connect(server.url) as it:
        assert (await it.until_closed()).code == 4000
    assert await missed_deadlines(world) == ['awaited="identify"} 1']


@pytest.mark.options({"gateway.identify_deadline_s": 0.1})
async def test_heartbeats_do_not_stand_in_for_identify(server: Server) -> None:
    async with raw.connect(server.url) as it:
        for _ in range(20):
            await it.send_json(1)
        while (received := await it.receive()).opcode != raw.CLOSE:
            assert received.json["op"] in (10, 11)
        assert received.code == 4000


@pytest.mark.options({"gateway.heartbeat_interval_ms": 20})
async def test_who_does_not_beat_is_cut_off_and_may_resume(server: Server, world: World, bot: User) -> None:
    async with connect(server.url) as it:
        await it.identify(bot.token)
        assert (await it.until_closed()).code == 4000
    assert await missed_deadlines(world) == ['awaited="heartbeat"} 1']
    async with resumed(it):
        pass


# --- ends from elsewhere ---------------------------------------------------------------------------------------------


async def test_a_token_that_is_reset_ends_its_connections(server: Server, owner: User, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        (await owner.post(f"/applications/{bot.id}/bot/reset")).ok(200)
        assert (await it.until_closed()).code == 4004
    async with connect(server.url) as again:
        await again.send(6, {"token": it.token, "session_id": it.ready["session_id"], "seq": it.seq})
        assert (await again.until_closed()).code == 4004


@pytest.mark.parametrize("op", [2, 6])
async def test_nothing_follows_a_close_that_overtakes_a_command(server: Server, bot: User, op: int) -> None:
    """IDENTIFY and RESUME look at the database; meanwhile the connection may be closed from elsewhere."""
    core = server.core
    async with raw.connect(server.url) as it, busy_database(server) as go_on:
        await it.receive()
        core.actors.forget_user(int(bot.id))
        await it.send_json(op, {"token": bot.token, "intents": 1, "properties": {}, "session_id": "x", "seq": 0})
        await trio.testing.wait_all_tasks_blocked()
        [connection] = server.running.gateway.connections
        connection.close(4000, "from elsewhere")
        assert (await it.receive()).code == 4000
        go_on()
        await it.send(raw.close_frame(4000))
        await it.ended()
    assert len(core.live.sessions) == 0


@asynccontextmanager
async def busy_database(server: Server) -> AsyncIterator[Callable[[], None]]:
    """Its writer does nothing until told to go on."""
    gate = threading.Event()
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.core.db.write, lambda tx: gate.wait(5))
            yield gate.set
    finally:
        gate.set()


async def test_what_fails_behind_a_connection_ends_that_one_alone(
    server: Server, world: World, bot: User, guild: Guild
) -> None:
    """A guild that cannot be read: its members' sessions end, and everyone else's go on."""
    other = await world.person("other")
    async with gateway(server.url, other.token) as unharmed:
        await _spoil(server, guild)
        async with connect(server.url) as it:
            await it.identify(bot.token)
            assert (await it.until_closed()).code == 4000
        async with connect(server.url) as again:
            await again.send(6, {"token": bot.token, "session_id": it.ready["session_id"], "seq": it.seq})
            assert await again.control(9) is False
        await unharmed.heartbeat()


async def _spoil(server: Server, guild: Guild) -> None:
    sql = "UPDATE guilds SET extra = 'nonsense' WHERE id = ?"
    assert await server.core.db.write(lambda tx: tx.run(sql, int(guild.id))) == 1
    server.core.live.guilds.clear()  # it is read again


# --- several of one user ---------------------------------------------------------------------------------------------


async def test_every_session_of_a_user_gets_every_event(server: Server, guild: Guild, owner: User, bot: User) -> None:
    async with (
        gateway(server.url, bot.token) as one,
        gateway(server.url, bot.token, compress="zlib-stream") as other,
        gateway(server.url, owner.token, intents=None) as persons,
    ):
        assert one.ready["session_id"] != other.ready["session_id"]
        said = await owner.say(guild.general, "to all of you")
        for it in (one, other, persons):
            created = await it.next("MESSAGE_CREATE")
            assert (created["id"], created["content"]) == (said["id"], "to all of you")


async def test_a_conversation_in_zlib_stream(server: Server, guild: Guild, owner: User, bot: User) -> None:
    async with gateway(server.url, bot.token, compress="zlib-stream") as it:
        for n in range(30):
            await owner.say(guild.general, f"message {n} " * n + "end")
            if n % 7 == 0:
                await it.heartbeat()
        for n in range(30):
            assert (await it.next("MESSAGE_CREATE"))["content"] == f"message {n} " * n + "end"


async def test_logins_that_come_all_at_once_wait_in_line() -> None:
    """More than the database takes: nobody is turned away for it."""
    async with serve(**{"database.queue": 70}) as server, World(server.url) as world, AsyncExitStack() as stack:
        owners = [await world.person(), await world.person()]
        bots = [await world.bot(owners[number % 2]) for number in range(80)]
        clients = [await stack.enter_async_context(connect(server.url)) for _ in bots]
        blocked, free = threading.Event(), threading.Event()

        def hold(tx: Tx) -> None:
            blocked.set()
            free.wait()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.core.db.write, hold)
            await trio.to_thread.run_sync(blocked.wait)
            try:
                for client, bot in zip(clients, bots, strict=True):
                    nursery.start_soon(client.identify, bot.token)
                await trio.testing.wait_all_tasks_blocked(0.1)
            finally:
                free.set()
        assert len(server.core.live.sessions) == len(bots)
