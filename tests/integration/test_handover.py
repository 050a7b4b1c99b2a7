"""Listening sockets that outlive a server: handed over by whoever starts it, or by itself when it restarts in place."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPException
from pathlib import Path
from threading import Event

import pytest
import trio

from chatd.cli import lock
from tests.support.client import gateway, resumed
from tests.support.http import Client
from tests.support.server import Server, activated
from tests.support.world import World

DEADLINE_S = 20.0

Serve = Callable[..., Server]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def serve(data: Path) -> Iterator[Serve]:
    """Starts a server on this test's data; drained in the end."""
    with ExitStack() as stack:

        def start(
            *options: str, environ: Mapping[str, str] | None = None, sockets: Sequence[socket.socket] = ()
        ) -> Server:
            server = Server(data, *options, environ=environ, sockets=sockets)
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The service manager's end of sd_notify(3)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(DEADLINE_S)
        yield sock


def told(manager: socket.socket) -> str:
    return manager.recv(1000).decode().partition("\n")[0]


def until_logged(server: Server, words: str) -> None:
    give_up = time.monotonic() + DEADLINE_S
    while words not in server.log.read_text():
        assert time.monotonic() < give_up, server.log.read_text()
        time.sleep(0.01)


def health(url: str) -> str:
    with Client(url, prefix="") as client:
        status: str = client.get("/health").ok()["status"]
        return status


@contextmanager
def asking(url: str) -> Iterator[list[str]]:
    """Somebody connects and asks again and again, from before the block until after it. What came of it each time."""
    outcomes: list[str] = []
    under_way, enough = Event(), Event()

    def ask() -> None:
        try:
            outcomes.append(health(url))
        except ConnectionRefusedError:
            outcomes.append("refused")
        except (ConnectionError, HTTPException):  # accepted, and then the server was told to end
            outcomes.append("cut")

    def ask_again_and_again() -> None:
        while not enough.is_set():
            ask()
            under_way.set()
        ask()

    with ThreadPoolExecutor() as pool:
        done = pool.submit(ask_again_and_again)
        assert under_way.wait(DEADLINE_S)
        try:
            yield outcomes
        finally:
            enough.set()
            done.result()


# --- handed over from outside ----------------------------------------------------------------------------------------


def test_a_client_that_comes_before_the_server_is_served(serve: Serve, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    with ThreadPoolExecutor() as pool, socket.create_server(("::1", 0), family=socket.AF_INET6) as second:
        answer = pool.submit(health, f"http://127.0.0.1:{port}")
        server = serve("--port", "1", sockets=[listening, second])
        assert server.url == f"http://127.0.0.1:{port}"
        assert answer.result(DEADLINE_S) == "healthy"
        assert health(f"http://[::1]:{second.getsockname()[1]}") == "healthy"
    assert "serving inherited sockets" in server.log.read_text()


@pytest.mark.parametrize("end", [Server.stop, Server.kill])
def test_a_client_that_comes_between_two_servers_is_served(
    serve: Serve, listening: socket.socket, end: Callable[[Server], None]
) -> None:
    first = serve(sockets=[listening])
    end(first)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(health, first.url)
        assert serve(sockets=[listening]).url == first.url
        assert answer.result(DEADLINE_S) == "healthy"


def test_a_socket_that_cannot_be_served_is_said_in_one_line(data: Path) -> None:
    with socket.socket() as unbound:
        command = [sys.executable, "-m", "chatd", "serve", "--data", str(data)]
        done = subprocess.run(
            activated(command, [unbound]),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            pass_fds=[unbound.fileno()],
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "chatd: descriptor 3 of LISTEN_FDS is not a listening TCP socket\n"


def test_a_command_that_works_on_the_data_is_waited_for(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as command:
        command.enter_context(lock.held(data))
        monkeypatch.setattr(lock.time, "sleep", lambda pause_s: command.close())
        with pytest.raises(lock.Locked), lock.held(data):
            pass
        with lock.held(data, patience_s=DEADLINE_S):
            pass


# --- restarting in place ---------------------------------------------------------------------------------------------


async def test_a_restart_in_place_refuses_nobody_and_sessions_go_on(serve: Serve) -> None:
    server = await trio.to_thread.run_sync(serve)
    async with World(server.url) as world:
        alice = await world.person()
        guild = await world.guild(alice)
        async with gateway(server.url, alice.token) as client:
            with asking(server.url) as outcomes:
                await trio.to_thread.run_sync(server.restart)
            assert (await client.until_closed()).code == 1012
            async with resumed(client) as again, alice.on(server.url) as somebody:
                (await somebody.post(f"/channels/{guild.general}/messages", {"content": "after"})).ok(200)
                assert (await again.next("MESSAGE_CREATE"))["content"] == "after"
                assert again.named("READY") == []
    assert "refused" not in outcomes
    assert outcomes[-1] == "healthy"


def test_the_configuration_is_read_anew_and_the_service_manager_told(
    serve: Serve, manager: socket.socket, tmp_path: Path
) -> None:
    file = tmp_path / "chatd.toml"
    file.write_text('[log]\nformat = "text"\n')
    server = serve("--config", str(file), environ={"NOTIFY_SOCKET": manager.getsockname()})
    assert told(manager) == "READY=1"
    for _ in range(2):
        file.write_text('[log]\nformat = "json"\n')
        server.restart()
        assert (told(manager), told(manager)) == ("RELOADING=1", "READY=1")
    assert json.loads(server.log.read_text().splitlines()[-1])["level"] == "INFO"
    server.stop()
    assert told(manager) == "STOPPING=1"


@pytest.mark.parametrize("what", ["config", "schema"])
def test_what_could_not_start_does_not_restart(
    serve: Serve, manager: socket.socket, tmp_path: Path, data: Path, what: str
) -> None:
    file = tmp_path / "chatd.toml"
    file.write_text("")
    server = serve("--config", str(file), environ={"NOTIFY_SOCKET": manager.getsockname()})
    assert told(manager) == "READY=1"
    if what == "config":
        file.write_text("[server]\nprot = 1\n")
        problem = "config error: server.prot: unknown key"
    else:
        with closing(sqlite3.connect(data / "chatd.sqlite")) as database, database:
            database.execute("INSERT INTO schema_migrations VALUES (9999, 'later', '', 0)")
        problem = "the database has schema version 9999"
    with Client(server.url, prefix="") as kept_open:
        kept_open.get("/health").ok()
        server.send_signal(signal.SIGUSR2)
        assert (told(manager), told(manager)) == ("RELOADING=1", "READY=1")
        kept_open.get("/health").ok()
    log = server.log.read_text()
    assert "ERROR cli.serve  not restarted, going on as before" in log
    assert problem in log
    assert "draining" not in log


def test_a_restart_becomes_a_stop_when_told_so(serve: Serve) -> None:
    server = serve()
    # A request whose rest does not come: draining waits for it.
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as half:
        half.sendall(
            b"POST /api/v10/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
        )
        assert half.recv(100).startswith(b"HTTP/1.1 100")
        server.send_signal(signal.SIGUSR2)
        until_logged(server, "draining")
        server.send_signal(signal.SIGTERM)
        until_logged(server, "stopping")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), DEADLINE_S)
    assert server.wait() == 0
    assert "serving inherited sockets" not in server.log.read_text()


def test_the_check_alone(data: Path) -> None:
    """Before the first start there is nothing wrong with a database that is not there, and it is not made."""
    done = subprocess.run(
        [sys.executable, "-m", "chatd", "serve", "--data", str(data), "--check"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not data.exists()
