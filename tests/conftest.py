"""Servers for tests: `server` in every variant, `sqlite_server` where variants add nothing.

A test that needs several, or one after the other, uses `tests.support.app.serve`. Options for one test's server:
`@pytest.mark.options({"limits.rate_limits": True})`.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.app import VARIANTS, Server, serve
from tests.support.client import Client
from tests.support.world import World

# How long an example takes says more about the machine than about the code: timings belong into bench/.
settings.register_profile("chatd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("chatd")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "options(mapping): configuration of the test's server, by path")


@pytest.fixture(params=VARIANTS)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with serve(request.param, **_options(request)) as server:
        yield server


@pytest.fixture
async def sqlite_server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    async with serve("sqlite-edge", **_options(request)) as server:
        yield server


@pytest.fixture
async def anybody(server: Server) -> AsyncIterator[Client]:
    """A client of `server` without a token."""
    async with Client(server.url) as client:
        yield client


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    """Builders of people, guilds and bots on `server`."""
    async with World(server.url) as world:
        yield world


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    marker = request.node.get_closest_marker("options")
    return {} if marker is None else dict(marker.args[0])
