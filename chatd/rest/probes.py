"""What operators' tools ask: is it alive, can it serve, how is it doing. Outside of /api, open, and never limited."""

import time
from collections.abc import Awaitable, Callable

import trio

from chatd import __version__
from chatd.metrics import Registry
from chatd.model.wire import encode
from chatd.rest.http import Handler, Request, Response
from chatd.service.core import Core
from chatd.store.db import StoreError, Tx

# A database that takes longer for one row cannot serve.
DATABASE_DEADLINE_S = 5.0

_JSON = [(b"Content-Type", b"application/json")]
# What Prometheus expects (its "Text-based format").
_TEXT = [(b"Content-Type", b"text/plain; version=0.0.4; charset=utf-8")]


def with_probes(core: Core, metrics: Registry, handler: Handler) -> Handler:
    """The handler, with the probes' paths in front of it."""
    probes: dict[str, Callable[[], Awaitable[Response]]] = {
        "/health": _health,
        "/ready": lambda: _ready(core),
        "/metrics": lambda: _metrics(metrics),
    }

    async def handle(request: Request) -> Response:
        probe = probes.get(request.path)
        return await (handler(request) if probe is None or request.method != "GET" else probe())

    return handle


async def _health() -> Response:
    return Response(200, _JSON, encode({"status": "healthy", "version": __version__}))


async def _ready(core: Core) -> Response:
    started = time.perf_counter()
    is_up = False
    with trio.move_on_after(DATABASE_DEADLINE_S):
        is_up = not core.db.failed.is_set() and await _answers(core)
    database = {
        "status": "healthy" if is_up else "unhealthy",
        "response_ms": round((time.perf_counter() - started) * 1000, 3),
    }
    body = {"status": database["status"], "components": {"database": database}}
    return Response(200 if is_up else 503, _JSON, encode(body))


async def _answers(core: Core) -> bool:
    try:
        return bool(await core.db.read(_select_one) == 1)
    except StoreError:
        return False


def _select_one(tx: Tx) -> int:
    return int(tx.scalar("SELECT 1"))


async def _metrics(metrics: Registry) -> Response:
    return Response(200, _TEXT, metrics.render().encode())
