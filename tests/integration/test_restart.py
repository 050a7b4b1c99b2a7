"""Sessions survive the server: stopped in order, and killed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd import app
from chatd.config import load
from chatd.store import open_database
from chatd.store.db import Tx, cols
from chatd.store.sessions import SessionRow
from tests.support.app import OPTIONS
from tests.support.client import Gateway, connect, gateway, resumed
from tests.support.postgres import fresh_database
from tests.support.world import Guild, User, World


@pytest.fixture(params=["sqlite", "postgres"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    settings = {**OPTIONS, "data.dir": str(tmp_path), "gateway.checkpoint_s": 0.01}
    if request.param == "sqlite":
        yield settings
        return
    with fresh_database(lambda url: None) as url:
        yield {**settings, "database.url": url}


@asynccontextmanager
async def serving(options: dict[str, Any], *, kill: bool = False) -> AsyncIterator[app.Running]:
    """A run of the server; with `kill` it ends without a farewell: nothing is drained, nothing more is written."""
    async with trio.open_nursery() as nursery:
        running = await nursery.start(lambda task_status: app.run(load(None, {}, options), task_status=task_status))
        yield running
        if kill:
            nursery.cancel_scope.cancel()
        else:
            running.stop()


async def settle(world: World) -> tuple[User, User, Guild]:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    return alice, bot, guild


async def seen(client: Gateway, count: int) -> list[str]:
    """The contents of the messages that the client has got, once they are that many."""
    while len(client.named("MESSAGE_CREATE")) < count:
        await client.next("MESSAGE_CREATE")
    return [message["content"] for message in client.named("MESSAGE_CREATE")]


async def test_a_stop_in_order_is_no_excuse(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            sent = [await alice.say(guild.general, f"before {number}") for number in range(5)]
            assert await seen(client, 5) == [message["content"] for message in sent]
            running.stop()
            assert (await client.until_closed()).code == 1012
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client, seq=client.seq - 2) as again:
            assert await seen(again, 2) == ["before 3", "before 4"]
            async with alice.on(running.url) as somebody:
                (await somebody.post(f"/channels/{guild.general}/messages", {"content": "after"})).ok(200)
            assert await seen(again, 3) == ["before 3", "before 4", "after"]


async def test_what_was_committed_when_the_server_was_killed_is_told(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            first = await alice.say(guild.general, "one")
            await seen(client, 1)
            await until_noted(running)
            client.cut()
            await alice.say(guild.general, "two")
            await alice.patch(f"/channels/{guild.general}/messages/{first['id']}", {"content": "one, edited"})
            gone = await alice.say(guild.general, "three")
            await alice.delete(f"/channels/{guild.general}/messages/{gone['id']}")
            await alice.say(guild.general, "four")
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            names = [name for name, _ in again.events if name.startswith("MESSAGE")]
            assert names == ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_CREATE", "MESSAGE_DELETE", "MESSAGE_CREATE"]
            assert await seen(again, 3) == ["two", "three", "four"]
            assert again.named("MESSAGE_UPDATE")[0]["content"] == "one, edited"
            assert again.named("MESSAGE_DELETE")[0]["id"] == gone["id"]


@pytest.mark.parametrize(
    "change", [("PATCH", "/channels/{}", {"topic": "new"}), ("DELETE", "/guilds/{}", ...)], ids=["edit", "end"]
)
async def test_nobody_resumes_across_a_change_that_cannot_be_told_again(
    options: dict[str, Any], change: tuple[str, str, Any]
) -> None:
    method, path, payload = change
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            await alice.say(guild.general, "one")
            await seen(client, 1)
            await until_noted(running)
            client.cut()
            changed = guild.id if "guilds" in path else guild.general
            (await alice.request(method, path.format(changed), payload)).ok()
    async with serving(options) as running:
        client.url = running.url
        async with connect(running.url) as again:
            resume = {"token": bot.token, "session_id": client.ready["session_id"], "seq": client.seq}
            await again.send(6, resume)
            assert await again.control(9) is False


async def test_who_was_in_voice_is_told_to_have_left_before_a_stop(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            await in_voice(client, guild)
            running.stop()
            assert (await client.until_closed()).code == 1012
            assert [state["channel_id"] is None for state in client.named("VOICE_STATE_UPDATE")] == [False, True]
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again, alice.on(running.url) as somebody:
            (await somebody.post(f"/channels/{guild.general}/messages", {"content": "after"})).ok(200)
            assert await seen(again, 1) == ["after"]


async def test_nobody_resumes_who_knows_of_voice_states_that_a_crash_has_undone(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        _, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            await in_voice(client, guild)
            await until_noted(running)
            client.cut()
    for _ in range(2):  # not even after another restart
        async with serving(options, kill=True) as running:
            assert await is_refused(running.url, client)
    async with serving(options, kill=True) as running, gateway(running.url, bot.token) as client:
        assert client.named("GUILD_CREATE")[0]["voice_states"] == []
        await until_noted(running)
        client.cut()
    async with serving(options) as running:  # it is as if it had never been
        client.url = running.url
        async with resumed(client):
            pass


async def in_voice(client: Gateway, guild: Guild) -> None:
    channel_id = next(channel["id"] for channel in guild.channels if channel["type"] == 2)
    await client.send(4, {"guild_id": guild.id, "channel_id": channel_id})
    await client.next("VOICE_SERVER_UPDATE")


async def is_refused(url: str, client: Gateway) -> bool:
    """Whether a RESUME gets "invalid session"."""
    async with connect(url) as again:
        await again.send(6, {"token": client.token, "session_id": client.ready["session_id"], "seq": client.seq})
        return await again.control(9) is False


async def test_only_what_the_session_may_see_is_told(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, _, guild = await settle(world)
        everyone = {"id": guild.id, "type": 0, "allow": "0", "deny": "1024"}
        hidden = await world.channel(alice, guild, permission_overwrites=[everyone])
        bare = await world.bot(alice, guild, permissions=0)
        async with gateway(running.url, bare.token, intents=1 | 1 << 9) as client:
            await alice.say(guild.general, "seen, but not read")
            await client.next("MESSAGE_CREATE")
            await until_noted(running)
            client.cut()
            await alice.say(hidden, "hidden")
            await alice.say(guild.general, "secret")
            await alice.say(guild.general, f"for <@{bare.user['id']}>")
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            assert await seen(again, 2) == ["", f"for <@{bare.user['id']}>"]


async def test_a_note_that_makes_no_sense_costs_one_session(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as lost, gateway(running.url, bot.token) as kept:
            await alice.say(guild.general, "one")
            await seen(lost, 1)
            await seen(kept, 1)
            running.stop()
            await lost.until_closed()
    spoiled = "UPDATE gateway_sessions SET presence = 'nonsense' WHERE id = ?"
    async with open_database(app.database_url(load(None, {}, options))) as database:
        await database.write(lambda tx: tx.run(spoiled, lost.ready["session_id"]))
    async with serving(options) as running:
        lost.url = kept.url = running.url
        async with resumed(kept):
            pass
        async with connect(running.url) as again:
            await again.send(6, {"token": bot.token, "session_id": lost.ready["session_id"], "seq": lost.seq})
            assert await again.control(9) is False


async def until_noted(running: app.Running) -> None:
    """Where the sessions stand has been written down."""
    session = next(iter(running.core.live.sessions))
    with trio.fail_after(5):
        # The server's own task writes it, and tells nobody.
        while not [row for row in await running.core.db.read(_rows) if row.seq == session.seq]:  # noqa: ASYNC110
            await trio.sleep(0.005)


def _rows(tx: Tx) -> list[SessionRow]:
    return tx.rows(SessionRow, f"SELECT {cols(SessionRow)} FROM gateway_sessions")
