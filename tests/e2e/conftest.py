import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.server import Server

Serve = Callable[..., Server]


def _as_it_is(url: str) -> None:
    """The server makes its schema itself."""


@contextmanager
def _sqlite() -> Iterator[list[str]]:
    yield []


@contextmanager
def _postgres() -> Iterator[list[str]]:
    with postgres.fresh_database(_as_it_is) as url:
        yield ["--database", url]


DATABASES = {"sqlite": _sqlite, "postgres": _postgres}


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database, a key of DATABASES; a test may give another one as an indirect parameter."""
    kind: str = getattr(request, "param", "sqlite")
    return kind


@pytest.fixture
def serve(database: str, tmp_path: Path) -> Iterator[Serve]:
    """Starts a server on this test's data, with `Server`'s arguments. In the end it is drained, unless killed."""
    with ExitStack() as stack:
        options = stack.enter_context(DATABASES[database]())

        def start(
            *more: str, environ: Mapping[str, str] | None = None, sockets: Sequence[socket.socket] = ()
        ) -> Server:
            server = Server(tmp_path / "data", *options, *more, environ=environ, sockets=sockets)
            stack.callback(server.stop)
            return server

        yield start
