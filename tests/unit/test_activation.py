"""sd_listen_fds(3) and sd_notify(3), on descriptors that nothing else has."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatd.cli import activation
from chatd.cli.options import Failure

# Far above those of this process.
FIRST = 200


@pytest.fixture(autouse=True)
def first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activation, "FIRST", FIRST)


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]


def environ(count: int | str, pid: int | None = None) -> dict[str, str]:
    pid = os.getpid() if pid is None else pid
    return {"LISTEN_PID": str(pid), "LISTEN_FDS": str(count), "LISTEN_FDNAMES": "http", "HOME": "/"}


def addresses(sockets: list[socket.socket]) -> list[object]:
    return [sock.getsockname() for sock in sockets]


def test_what_is_handed_over_is_inherited_in_order(sockets: list[socket.socket]) -> None:
    told = activation.hand_over(sockets)
    assert told == {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "3"}
    assert all(os.get_inheritable(FIRST + number) for number in range(3))

    found = activation.inherited(told)
    assert told == {}
    assert addresses(found) == addresses(sockets)
    for sock in found:
        assert not sock.get_inheritable()
        assert not sock.getblocking()
        sock.close()


def test_sockets_that_are_in_each_others_places(sockets: list[socket.socket]) -> None:
    inherited = activation.inherited(activation.hand_over(sockets))
    swapped = [inherited[2], inherited[0], inherited[1]]
    expected = addresses(swapped)
    again = activation.inherited(activation.hand_over(swapped))
    assert addresses(again) == expected
    for sock in again:
        sock.close()
    for sock in inherited:
        sock.detach()  # its descriptor is one of those


def test_what_is_meant_for_another_process_is_left_alone() -> None:
    variables = environ(1, pid=os.getpid() + 1)
    assert activation.inherited(variables) == []
    assert variables == {"HOME": "/"}
    assert activation.inherited({"LISTEN_FDS": "1"}) == []
    assert activation.inherited({}) == []


def test_no_socket_where_one_should_be(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=f"descriptor {FIRST} of LISTEN_FDS: Bad file descriptor"):
        activation.inherited(environ(1))
    with (tmp_path / "file").open("w") as file:
        os.dup2(file.fileno(), FIRST)
    with pytest.raises(Failure, match=f"descriptor {FIRST} of LISTEN_FDS: Socket operation on non-socket"):
        activation.inherited(environ(1))
    os.close(FIRST)


@pytest.mark.parametrize("kind", ["UDP", "Unix", "bound only"])
def test_sockets_that_cannot_be_served(kind: str, tmp_path: Path) -> None:
    with socket.socket(
        socket.AF_UNIX if kind == "Unix" else socket.AF_INET,
        socket.SOCK_DGRAM if kind == "UDP" else socket.SOCK_STREAM,
    ) as sock:
        sock.bind(str(tmp_path / "socket") if kind == "Unix" else ("127.0.0.1", 0))
        if kind == "Unix":
            sock.listen()
        os.dup2(sock.fileno(), FIRST)
        with pytest.raises(Failure, match=f"descriptor {FIRST} of LISTEN_FDS is not a listening TCP socket"):
            activation.inherited(environ(1))


def test_a_count_that_is_no_number() -> None:
    with pytest.raises(Failure, match="LISTEN_FDS: expected a number, got 'one'"):
        activation.inherited(environ("one"))


@pytest.mark.parametrize("is_abstract", [False, True])
def test_the_service_manager_is_told(is_abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"@chatd-test-{os.getpid()}" if is_abstract else str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path.replace("@", "\0"))
        manager.setblocking(False)
        activation.notify(activation.READY)
        assert manager.recv(100) == b"READY=1"


def test_a_service_manager_that_is_gone_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    activation.notify(activation.READY)
    assert caplog.messages == ["the service manager was not told"]
