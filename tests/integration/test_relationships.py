"""Friends, requests and blocks: what both sides see of them, and what a block stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chatd.model import limits
from chatd.model.objects.relationship import RelationshipType
from chatd.store import relationships as store
from chatd.store.db import Tx
from chatd.store.relationships import RelationshipRow
from tests.support.app import Server
from tests.support.client import Gateway, gateway
from tests.support.world import User, World

FRIEND, BLOCKED, INCOMING, OUTGOING = RelationshipType
CANNOT_WRITE = (403, 50007)
Sessions = tuple[Gateway, Gateway]


@pytest.fixture
async def alice(world: World) -> User:
    return await world.person("alice")


@pytest.fixture
async def bob(world: World) -> User:
    return await world.person("bob")


async def relate(one: User, other: User, **fields: int) -> None:
    (await one.put(f"/users/@me/relationships/{other.id}", payload=fields)).ok(204)


async def unrelate(one: User, other: User) -> None:
    (await one.delete(f"/users/@me/relationships/{other.id}")).ok(204)


async def kinds(*people: User) -> list[list[int]]:
    """What each of them has."""
    return [[it["type"] for it in (await one.get("/users/@me/relationships")).ok(200)] for one in people]


@asynccontextmanager
async def listening(server: Server, one: User, other: User) -> AsyncIterator[Sessions]:
    async with (
        gateway(server.url, one.token, intents=None) as first,
        gateway(server.url, other.token, intents=None) as second,
    ):
        yield first, second


async def test_friends_are_asked_and_accept(server: Server, alice: User, bob: User) -> None:
    async with listening(server, alice, bob) as (hers, his):
        (await alice.post("/users/@me/relationships", {"username": "BOB"})).ok(204)
        assert await kinds(alice, bob) == [[OUTGOING], [INCOMING]]
        asked = await his.next("RELATIONSHIP_ADD")
        assert (asked["id"], asked["type"], asked["user"]["username"]) == (alice.id, INCOMING, "alice")
        await relate(bob, alice)
        assert await kinds(alice, bob) == [[FRIEND], [FRIEND]]
        assert [(await hers.next("RELATIONSHIP_ADD"))["type"] for _ in range(2)] == [OUTGOING, FRIEND]
        await unrelate(alice, bob)
        assert await kinds(alice, bob) == [[], []]
        for it, other in ((hers, bob), (his, alice)):
            assert await it.next("RELATIONSHIP_REMOVE") == {"id": other.id, "type": FRIEND}
    await relate(alice, bob, type=1)
    async with listening(server, alice, bob) as (hers, his):
        [shown] = his.ready["relationships"]
        assert (shown["id"], shown["type"]) == (alice.id, INCOMING)


async def test_a_block_ends_all_else_and_stands_until_its_maker_lifts_it(alice: User, bob: User) -> None:
    await relate(alice, bob)
    await relate(bob, alice, type=BLOCKED)
    assert await kinds(alice, bob) == [[], [BLOCKED]]
    assert (await alice.put(f"/users/@me/relationships/{bob.id}", payload={})).error == (400, 80001)
    await unrelate(alice, bob)
    await relate(alice, bob, type=BLOCKED)
    assert await kinds(alice, bob) == [[BLOCKED], [BLOCKED]]
    await unrelate(bob, alice)
    assert await kinds(alice, bob) == [[BLOCKED], []]
    await unrelate(alice, bob)
    await relate(bob, alice)
    assert await kinds(alice, bob) == [[INCOMING], [OUTGOING]]


async def test_blocked_people_cannot_write_to_each_other(server: Server, alice: User, bob: User) -> None:
    direct = await alice.dm(bob)
    said = await alice.say(direct)
    await relate(bob, alice, type=BLOCKED)
    for is_known in (True, False):
        if not is_known:
            server.core.live.directs.clear()  # it is read again
        for one in (alice, bob):
            for path, payload in (("messages", {"content": "x"}), ("typing", None)):
                assert (await one.post(f"/channels/{direct}/{path}", payload)).error == CANNOT_WRITE
            assert [it["id"] for it in (await one.get(f"/channels/{direct}/messages")).ok(200)] == [said["id"]]
    await unrelate(bob, alice)
    await alice.say(direct)


async def test_who_cannot_be_a_friend(world: World, alice: User, bob: User) -> None:
    bot = await world.bot(bob)
    assert (await alice.put(f"/users/@me/relationships/{alice.id}", payload={})).error == (400, 80003)
    assert (await alice.put(f"/users/@me/relationships/{bot.id}", payload={})).error == (400, 80002)
    assert (await alice.post("/users/@me/relationships", {"username": "nobody"})).error == (400, 80004)
    await relate(alice, bob)
    await relate(bob, alice)
    assert (await alice.put(f"/users/@me/relationships/{bob.id}", payload={})).error == (400, 80007)
    for payload in ({"type": 3}, {"type": "x"}):
        answer = await alice.put(f"/users/@me/relationships/{bot.id}", payload=payload)
        assert answer.errors.keys() == {"type"}
    await relate(alice, bot, type=BLOCKED)
    assert sorted((await kinds(alice))[0]) == [FRIEND, BLOCKED]


async def test_nobody_has_too_many(server: Server, alice: User, bob: User) -> None:
    def fill(tx: Tx) -> None:
        for number in range(1, limits.RELATIONSHIPS + 1):
            sql = "INSERT INTO users (id, username, discriminator, bot, extra) VALUES (?, ?, '0', 0, '{}')"
            tx.run(sql, number, f"crowd{number}")
            store.put(tx, RelationshipRow(int(alice.id), number, FRIEND, 0))

    await server.core.db.write(fill)
    for one, other in ((alice, bob), (bob, alice)):
        assert (await one.put(f"/users/@me/relationships/{other.id}", payload={})).error == (400, 30002)
    assert await kinds(bob) == [[]]
