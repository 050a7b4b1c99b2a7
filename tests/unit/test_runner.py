"""The runner without sockets: what becomes of a request, whatever its handler does."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio

from chatd.metrics import Registry
from chatd.model.errors import UNKNOWN_CHANNEL
from chatd.model.wire import Params, Snowflake
from chatd.rest.http import Request, Response
from chatd.rest.route import Router, route
from chatd.rest.runner import Runner
from chatd.store.db import Overloaded, StoreFailed
from tests.support.core import open_core


class Query(Params):
    limit: int = 1


async def echo(core: Any, thing_id: Snowflake, query: Query, host: str, peer: str) -> list[object]:
    return [thing_id, query.limit, host, peer]


async def named(core: Any, name: str) -> str:
    return name


async def nothing(core: Any) -> None:
    pass


async def unknown(core: Any) -> None:
    raise UNKNOWN_CHANNEL()


async def overloaded(core: Any) -> None:
    raise Overloaded("full")


async def failed(core: Any) -> None:
    raise StoreFailed("disk")


async def broken(core: Any) -> None:
    raise ZeroDivisionError


async def unspeakable(core: Any) -> object:
    return object()


ROUTES = [
    route("GET", "/echo/{thing_id}", echo),
    route("GET", "/named/{name}", named),
    *(
        route("GET", f"/{service.__name__}", service)
        for service in (nothing, unknown, overloaded, failed, broken, unspeakable)
    ),
]


async def ask(directory: Path, path: str, query: str = "", method: str = "GET") -> Response:
    request = Request(method, path, query, {}, b"", "192.0.2.1", "http", "chat.test")
    async with open_core(directory) as core:
        with trio.fail_after(5):
            return await Runner(core, Router(ROUTES), Registry())(request)


@pytest.mark.parametrize(
    ("path", "query", "status", "body"),
    [
        ("/api/v10/echo/7", "limit=3", 200, ["7", 3, "chat.test", "192.0.2.1"]),
        ("/api/echo/7", "", 200, ["7", 1, "chat.test", "192.0.2.1"]),
        ("/api/v9/named/a%20b%2Fc%C3%A9", "", 200, "a b/cé"),
        ("/api/named/%ff", "", 200, "\ufffd"),
        ("/api/nothing", "", 204, None),
        ("/api/unknown", "", 404, {"message": "Unknown Channel", "code": 10003}),
        ("/api/v8/nothing", "", 400, {"message": "Invalid API version", "code": 50041}),
        ("/nothing", "", 404, {"message": "404: Not Found", "code": 0}),
        ("/api/v10", "", 404, {"message": "404: Not Found", "code": 0}),
        ("/", "", 404, {"message": "404: Not Found", "code": 0}),
    ],
)
async def test_answers(tmp_path: Path, path: str, query: str, status: int, body: object) -> None:
    response = await ask(tmp_path, path, query)
    assert response.status == status
    assert (msgspec.json.decode(response.body) if response.body else None) == body
    kinds = [value for name, value in response.headers if name.lower() == b"content-type"]
    assert kinds == ([] if status == 204 else [b"application/json"])


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("overloaded", 503, 130000), ("failed", 503, 130000), ("broken", 500, 0), ("unspeakable", 500, 0)],
)
async def test_nothing_is_raised(tmp_path: Path, name: str, status: int, code: int) -> None:
    response = await ask(tmp_path, f"/api/{name}")
    assert (response.status, msgspec.json.decode(response.body)["code"]) == (status, code)


async def test_other_methods(tmp_path: Path) -> None:
    response = await ask(tmp_path, "/api/nothing", method="PUT")
    assert response.status == 405
    assert (b"Allow", b"GET") in response.headers
