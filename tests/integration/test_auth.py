"""Tokens over the wire: what opens the API, for how long, and what ends it."""

import base64
import json
import secrets

import jwt
import pytest
import trio

from tests.support.app import Server
from tests.support.client import Client, Json, connect, gateway
from tests.support.world import PASSWORD, User, World

UNAUTHORIZED = (401, 0)

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)


async def refresh(world: World, pair: Json) -> Json:
    return await world.anybody.post("/auth/refresh", {"refresh_token": pair["refresh_token"]})


async def opens(anybody: Client, authorization: str) -> bool:
    """Whether the header is somebody's."""
    async with anybody.with_token(authorization) as somebody:
        answer = await somebody.get("/users/@me")
        assert answer.status == 200 or answer.error == UNAUTHORIZED
        return answer.status == 200


async def test_register_log_in_and_out(world: World) -> None:
    alice = await world.person("Alice_1.x", email="Alice@Chat.test")
    assert (alice.name, alice.pair["expires_in"]) == ("alice_1.x", 900)
    for login in (
        {"login": "ALICE_1.X"},
        {"login": "alice@CHAT.test"},
        {"username": "alice_1.x"},
        {"email": "alice@chat.test"},
    ):
        pair = (await world.anybody.post("/auth/login", {**login, "password": PASSWORD})).ok(200)
        assert pair["user"]["id"] == alice.id
        again = world.user(pair)
        (await again.get("/users/@me")).ok(200)
        (await again.post("/auth/logout")).ok(204)
        assert (await again.get("/users/@me")).error == UNAUTHORIZED
        assert (await again.post("/auth/logout")).error == UNAUTHORIZED
        assert (await refresh(world, pair)).error == UNAUTHORIZED
    (await alice.get("/users/@me")).ok(200)  # another login


async def test_schemes(world: World) -> None:
    alice = await world.person()
    bot = await world.bot(alice)
    for scheme, token, expected in (
        ("Bearer ", alice.token, True),
        ("bearer ", alice.token, True),
        ("", alice.token, True),
        ("Bot ", alice.token, False),
        ("Basic ", alice.token, False),
        ("Bot ", bot.token, True),
        ("BOT ", bot.token, True),
        ("Bearer ", bot.token, False),
        ("", bot.token, False),
        ("Bot  ", bot.token, False),
        ("Bearer ", alice.pair["refresh_token"], False),
        ("", alice.pair["refresh_token"], False),
        ("Bot ", alice.pair["refresh_token"], False),
        ("Bot ", bot.token + "x", False),
        ("Bot ", bot.token[:-1], False),
    ):
        assert await opens(world.anybody, scheme + token) is expected, (scheme, token)
    assert (await refresh(world, {"refresh_token": alice.token})).error == UNAUTHORIZED


@sqlite_only
async def test_forged_tokens(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    head, body, signature = alice.token.split(".")
    claims = jwt.decode(alice.token, options={"verify_signature": False})
    key = server.core.jwt_key

    def unsigned(algorithm: str) -> str:
        header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).decode().rstrip("=")
        return f"{header}.{body}."

    for forged in (
        unsigned("none"),
        unsigned("None"),
        unsigned("none") + signature,
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{bob.token.split('.')[1]}.{signature}",
        f"{head}.{body}.{signature}x",
        jwt.encode(claims, secrets.token_bytes(32), "HS256"),
        jwt.encode(claims, key * 2, "HS512"),
        jwt.encode({**claims, "typ": "refresh"}, key, "HS256"),
        jwt.encode({**claims, "sub": bob.id}, key, "HS256"),  # another's login
        jwt.encode({**claims, "sid": "1"}, key, "HS256"),
        jwt.encode({**claims, "sub": "1"}, key, "HS256"),
        jwt.encode({name: value for name, value in claims.items() if name != "exp"}, key, "HS256"),
        jwt.encode({**claims, "exp": server.clock.ms // 1000}, key, "HS256"),
        "eyJ",
        "eyJ.eyJ.eyJ",
    ):
        assert not await opens(world.anybody, f"Bearer {forged}"), forged
    assert await opens(world.anybody, f"Bearer {jwt.encode(claims, key, 'HS256')}")


async def test_an_access_token_ends(server: Server, world: World) -> None:
    alice = await world.person()
    server.clock.advance(899)
    (await alice.get("/users/@me")).ok()
    server.clock.advance(1)
    assert (await alice.get("/users/@me")).error == UNAUTHORIZED
    pair = (await refresh(world, alice.pair)).ok(200)
    (await world.user(pair).get("/users/@me")).ok()
    async with connect(server.url) as stranger:
        await stranger.send(2, {"token": alice.token, "intents": 0, "properties": {}})
        assert (await stranger.until_closed()).code == 4004


async def test_rotation(server: Server, world: World) -> None:
    alice = await world.person()
    pairs = [alice.pair]
    for _ in range(3):
        server.clock.advance(11)
        pairs.append((await refresh(world, pairs[-1])).ok(200))
    assert len({pair["refresh_token"] for pair in pairs}) == 4
    (await refresh(world, pairs[-1])).ok(200)
    server.clock.advance(10)
    (await refresh(world, pairs[-1])).ok(200)  # as a client does whose answer was lost
    server.clock.advance(1)
    assert (await refresh(world, pairs[-2])).error == UNAUTHORIZED


async def test_a_refresh_token_used_twice_ends_the_login(server: Server, world: World) -> None:
    alice = await world.person("alice")
    other = world.user((await world.anybody.post("/auth/login", {"login": "alice", "password": PASSWORD})).ok())
    following = (await refresh(world, alice.pair)).ok()
    thief: User = world.user(following)
    async with gateway(server.url, thief.token, intents=None) as open_:
        (await thief.get("/users/@me")).ok()
        server.clock.advance(11)
        assert (await refresh(world, alice.pair)).error == UNAUTHORIZED
        assert (await open_.until_closed()).code == 4004
    for user in (alice, thief):
        assert (await user.get("/users/@me")).error == UNAUTHORIZED
    assert (await refresh(world, following)).error == UNAUTHORIZED
    (await other.get("/users/@me")).ok()
    (await refresh(world, other.pair)).ok()


async def test_a_refresh_token_ends(server: Server, world: World) -> None:
    alice = await world.person()
    server.clock.advance(7 * 86400 - 1)
    pair = (await refresh(world, alice.pair)).ok()
    server.clock.advance(7 * 86400)
    assert (await refresh(world, pair)).error == UNAUTHORIZED


async def test_logout_ends_the_gateway_connections_of_the_login(server: Server, world: World) -> None:
    alice = await world.person("alice")
    other = world.user((await world.anybody.post("/auth/login", {"login": "alice", "password": PASSWORD})).ok())
    async with (
        gateway(server.url, alice.token, intents=None) as closed,
        gateway(server.url, other.token, intents=None) as open_,
    ):
        (await alice.post("/auth/logout")).ok(204)
        assert (await closed.until_closed()).code == 4004
        await open_.heartbeat()


@pytest.mark.options({"accounts.registration": "closed"})
@sqlite_only
async def test_registration_may_be_closed(world: World) -> None:
    answer = await world.anybody.post("/auth/register", {"username": "alice", "password": PASSWORD})
    assert answer.error == (403, 0)


async def test_one_of_many_gets_the_name(world: World) -> None:
    seen = []

    async def register(name: str) -> None:
        answer = await world.anybody.post("/auth/register", {"username": name, "password": PASSWORD})
        seen.append(answer.status if answer.status == 201 else answer.errors)

    async with trio.open_nursery() as nursery:
        for name in ("alice", "Alice", "ALICE", "aLice"):
            nursery.start_soon(register, name)
    assert seen.count(201) == 1
    assert seen.count({"username": "USERNAME_ALREADY_TAKEN"}) == 3
