"""The messages of deleted channels: they go later, and nobody sees them in between."""

from typing import Any

import pytest
import trio

from chatd import app, periodic
from chatd.service import crossposts, discarded, polls, read_states
from chatd.store import discarded as store
from chatd.store import messages
from chatd.store.db import Missing, Tx
from chatd.store.messages import Draft
from tests.integration.test_restart import POLL, options, serving
from tests.integration.test_search import NOTHING, find
from tests.support.client import Json
from tests.support.core import Clock
from tests.support.world import PASSWORD, Guild, User, World

__all__ = ["options"]

UNKNOWN_CHANNEL = (404, 10003)


@pytest.fixture(autouse=True)
def _by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server begins with it when it starts, and then the test does."""
    monkeypatch.setattr(periodic, "DISCARDED_S", 3600.0)
    monkeypatch.setattr(discarded, "BATCH", 2)
    monkeypatch.setattr(discarded, "PAUSE_S", 0.0)


async def start(user: User, channel_id: str, message: Json) -> str:
    path = f"/channels/{channel_id}/messages/{message['id']}/threads"
    thread_id: str = (await user.post(path, {"name": "more"})).ok(201)["id"]
    return thread_id


async def settle(world: World) -> tuple[User, User, Guild]:
    alice, bob = await world.person("alice"), await world.person("bob")
    return alice, bob, await world.guild(alice, bob)


async def left(running: app.Running) -> tuple[int, int]:
    """Channels of which something is left, and all messages."""
    return await running.core.db.read(_left)


def _left(tx: Tx) -> tuple[int, int]:
    channels = int(tx.scalar("SELECT COUNT(*) FROM discarded_channels"))
    return channels, int(tx.scalar("SELECT COUNT(*) FROM messages WHERE type IN (0, 19, 21)"))


async def test_they_go_with_the_channels_threads_even_after_a_crash(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bob, guild = await settle(world)
        channel_id = await world.channel(alice, guild)
        kept = await alice.say(guild.general, f"kept <@{bob.id}>")
        [first, *_] = [await alice.say(channel_id, f"gone <@{bob.id}>") for _ in range(5)]
        thread_id = await start(bob, channel_id, first)
        await bob.say(thread_id, "gone as well")
        (await bob.put(f"/channels/{channel_id}/messages/{first['id']}/reactions/%F0%9F%94%A5/@me")).ok(204)
        await running.core.search_index.catch_up()
        before = (await left(running))[1]

        (await alice.delete(f"/channels/{channel_id}")).ok(200)
        assert await left(running) == (2, before)
        await running.core.db.write(store.delete_some, int(channel_id), 2)
        assert await left(running) == (2, before - 2), "no more at a time"
        await running.core.db.write(store.delete_some, int(guild.general), 2)
        assert await left(running) == (2, before - 2), "nothing of what is there"
        for place in (channel_id, thread_id):
            assert (await alice.get(f"/channels/{place}/messages")).error == UNKNOWN_CHANNEL
        assert await find(alice, guild, content="gone") == NOTHING
        mentions = (await bob.get("/users/@me/mentions")).ok(200)
        assert [message["id"] for message in mentions] == [kept["id"]]

    async with serving(options) as running, World(running.url) as world:
        with trio.fail_after(10):
            while (await left(running))[0]:  # noqa: ASYNC110
                await trio.sleep(0.01)
        assert await left(running) == (0, 1)
        alice = world.user(alice.pair)
        [found] = (await alice.get(f"/channels/{guild.general}/messages?limit=1")).ok(200)
        assert found["id"] == kept["id"]
        await running.core.search_index.catch_up()
        assert await find(alice, guild, content="gone") == NOTHING


async def test_a_thread_that_is_begun_anew_has_nothing_of_the_one_before(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, bob, guild = await settle(world)
        message = await alice.say(guild.general, "the beginning")
        thread_id = await start(bob, guild.general, message)
        for _ in range(5):
            await bob.say(thread_id, "old")
        await running.core.search_index.catch_up()
        assert (await find(alice, guild, content="old"))[0] == 5

        (await alice.delete(f"/channels/{thread_id}")).ok(200)
        assert await find(alice, guild, content="old") == NOTHING, "although the channel around it is readable"
        assert await start(bob, guild.general, message) == thread_id
        await bob.say(thread_id, "new")
        await discarded.sweep(running.core)
        page = (await alice.get(f"/channels/{thread_id}/messages")).ok(200)
        assert [each["content"] for each in page] == ["new", ""]
        await running.core.search_index.catch_up()
        assert await find(alice, guild, content="old") == NOTHING
        assert await find(alice, guild, content="new") == (1, ["new"])


async def test_what_is_left_takes_nobodys_turn(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs and pages look at a number of messages at a time, here at one."""
    monkeypatch.setattr(polls, "_DUE_BATCH", 1)
    monkeypatch.setattr(read_states, "CANDIDATES", 1)
    clock = Clock()
    async with serving(options, clock=clock) as running, World(running.url) as world:
        alice, bob, guild = await settle(world)
        doomed = await world.channel(alice, guild)
        for channel_id in (doomed, guild.general):
            await alice.say(channel_id, "", poll=POLL)
        for channel_id in (guild.general, doomed):
            await alice.say(channel_id, f"<@{bob.id}>")
        (await alice.delete(f"/channels/{doomed}")).ok(200)

        [mention] = (await bob.get("/users/@me/mentions")).ok(200)
        assert mention["channel_id"] == guild.general
        clock.advance(3601)
        await polls.end_due(running.core)
        bob = world.user((await bob.post("/auth/login", {"login": bob.name, "password": PASSWORD})).ok())
        page = (await bob.get(f"/channels/{guild.general}/messages")).ok(200)
        assert [message["poll"]["results"]["is_finalized"] for message in page if "poll" in message] == [True]


async def test_copies_in_a_deleted_channel_stay_as_they_are(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, _, guild = await settle(world)
        news = await world.channel(alice, guild, "news", type=5)
        (await alice.post(f"/channels/{news}/followers", {"webhook_channel_id": guild.general})).ok(200)
        message = await alice.say(news)
        (await alice.post(f"/channels/{news}/messages/{message['id']}/crosspost")).ok(200)
        await crossposts.deliver(running.core)
        (await alice.patch(f"/channels/{news}/messages/{message['id']}", {"content": "changed"})).ok(200)
        (await alice.delete(f"/channels/{guild.general}")).ok(200)
        with trio.fail_after(5):
            await crossposts.deliver(running.core)


async def test_nothing_is_posted_in_a_channel_that_is_deleted_meanwhile(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, _, guild = await settle(world)
        channel_id = await world.channel(alice, guild)
        (await alice.delete(f"/channels/{channel_id}")).ok(200)
        core, outcomes = running.core, dict[str, object]()

        async def post(target: str) -> None:
            draft = Draft(core.ids.next, int(target), int(alice.id), 0, 0, "x", None, "{}")
            try:
                outcomes[target] = await core.db.append(messages.append, draft)
            except Missing:
                outcomes[target] = Missing

        async with trio.open_nursery() as nursery:
            nursery.start_soon(core.db.write, _slow)  # so that the posts wait for it, and are one statement
            for target in (channel_id, guild.general):
                nursery.start_soon(post, target)
        assert outcomes[channel_id] is Missing
        [found] = (await alice.get(f"/channels/{guild.general}/messages?limit=1")).ok(200)
        assert found["id"] == str(outcomes[guild.general])


def _slow(tx: Tx) -> None:
    """A transaction that takes a moment."""
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
    tx.scalar(f"{numbers} SELECT COUNT(*) FROM n")
