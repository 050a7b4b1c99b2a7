"""What every answer has, and what happens when the fault is ours."""

import logging

import apsw
import psycopg
import pytest
import trio

from tests.support.app import Server
from tests.support.client import Client
from tests.support.world import World

GONE = "DROP TABLE invites"


async def test_request_ids(anybody: Client, world: World) -> None:
    alice = await world.person()
    seen = []
    for client, method, path, status in (
        (alice, "GET", "/users/@me", 200),
        (alice, "POST", "/auth/logout", 204),
        (anybody, "GET", "/users/@me", 401),
        (anybody, "GET", "/nothing", 404),
        (anybody, "POST", "/gateway", 405),
        (anybody, "GET", "//", 404),
        (anybody, "GET", "//health", 200),
        (anybody, "GET", "//ready", 200),
        (anybody, "GET", "//metrics", 200),
    ):
        answer = await client.request(method, path)
        assert answer.status == status, path
        seen.append(answer.headers["X-Request-Id"])
    assert len(set(seen)) == len(seen)
    assert all(id_.isalnum() for id_ in seen)


async def test_versions(world: World) -> None:
    alice = await world.person()
    for prefix in ("/api/v10", "/api/v9", "/api/v1", "/api"):
        assert (await alice.get(f"/{prefix}/users/@me")).ok()["id"] == alice.id
    for prefix in ("/api/v8", "/api/v0", "/api/v100"):
        answer = await alice.get(f"/{prefix}/users/@me")
        assert answer.json == {"message": "Invalid API version", "code": 50041}
        assert answer.status == 400


async def test_unknown_routes_and_methods(anybody: Client) -> None:
    for path in (
        "/nothing",
        "//",
        "//api",
        "//api/v10",
        "//apiv10/gateway",
        "//api/vx/gateway",
        "/gateway/",
        "//favicon.ico",
    ):
        answer = await anybody.get(path)
        assert (answer.status, answer.json) == (404, {"message": "404: Not Found", "code": 0}), path
    for method, path, allowed in (
        ("POST", "/gateway", "GET"),
        ("PUT", "/users/@me", "GET, PATCH"),
        ("OPTIONS", "/channels/1/messages/1", "DELETE, GET, PATCH"),
    ):
        answer = await anybody.request(method, path)
        assert (answer.status, answer.json) == (405, {"message": "405: Method Not Allowed", "code": 0})
        assert answer.headers["Allow"] == allowed


async def test_head(world: World) -> None:
    alice = await world.person()
    got = await alice.get("/users/@me")
    head = await alice.request("HEAD", "/users/@me")
    assert (head.status, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == got.headers[name]
    assert (await alice.request("HEAD", "/users/1")).status == 404
    (await alice.get("/users/@me")).ok()


async def test_escaped_paths(world: World) -> None:
    alice = await world.person()
    assert (await alice.get("/users/%40me")).ok()["id"] == alice.id
    assert (await alice.get("/users%2F@me")).status == 404


async def test_a_fault_of_ours(server: Server, world: World, caplog: pytest.LogCaptureFixture) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}/invites"
    await trio.to_thread.run_sync(_execute, server.database_url, GONE)
    caplog.clear()
    answer = await alice.post(path, {})
    request_id = answer.headers["X-Request-Id"]
    assert answer.status == 500
    assert answer.json == {"message": "500: Internal Server Error", "code": 0, "request_id": request_id}
    assert answer.headers["Content-Type"] == "application/json"
    [record] = [entry for entry in caplog.records if entry.levelno >= logging.ERROR]
    assert record.exc_info is not None
    # nothing else suffers
    message = await alice.say(guild.general)
    assert (await alice.get(f"/channels/{guild.general}/messages")).ok() == [message]
    assert (await alice.post(path, {})).status == 500
    (await world.anybody.get("//ready")).ok()


def _execute(url: str, sql: str) -> None:
    if url.startswith("sqlite://"):
        connection = apsw.Connection(url.removeprefix("sqlite://"))
        try:
            connection.execute(sql)
        finally:
            connection.close()
    else:
        with psycopg.connect(url) as database:
            database.execute(sql)
