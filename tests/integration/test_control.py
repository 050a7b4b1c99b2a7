"""The control socket of a running server, and the commands that come through it."""

import stat
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from msgspec import convert, json
from trio.testing import MockClock

from chatd import __version__, app, control
from chatd.app import Running
from chatd.config import Config
from chatd.model.errors import ApiError
from chatd.model.objects.account import Login
from chatd.model.wire import encode
from chatd.service import accounts, auth
from tests.support.core import CHEAP_HASHES

PASSWORD = "correct horse"


def config(data: Path, **options: object) -> Config:
    """Cheap hashes, a free port; `options` are of the section accounts."""
    return convert({"server": {"port": 0}, "data": {"dir": str(data)}, "accounts": {**CHEAP_HASHES, **options}}, Config)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def running(data: Path, nursery: trio.Nursery) -> AsyncIterator[Running]:
    server: Running = await nursery.start(app.run, config(data))
    yield server
    server.stop()


async def ask(data: Path, command: str, **arguments: object) -> Any:
    """The answer as JSON."""
    request = encode({"command": command, "arguments": arguments})
    answer = await trio.to_thread.run_sync(control.ask, data, request)
    assert answer is not None
    return json.decode(answer)


async def ok(data: Path, command: str, **arguments: object) -> Any:
    answer = await ask(data, command, **arguments)
    assert "error" not in answer
    return answer["ok"]


async def test_it_is_for_the_owner_of_the_data_alone(running: Running, data: Path) -> None:
    assert stat.S_IMODE((data / control.FILE).stat().st_mode) == 0o600
    assert (await ok(data, "status"))["version"] == __version__


async def test_it_goes_with_the_server(data: Path) -> None:
    async with trio.open_nursery() as nursery:
        server: Running = await nursery.start(app.run, config(data))
        server.stop()
    assert not (data / control.FILE).exists()
    assert control.ask(data, b"") is None


async def test_a_new_person_can_log_in_at_once_and_a_disabled_one_is_out_at_once(running: Running, data: Path) -> None:
    made = await ok(data, "user create", username="Ada", password=PASSWORD, email="ada@example.org")
    assert made == {"id": made["id"], "username": "ada"}
    pair = await accounts.login(running.core, Login(login="ada@example.org", password=PASSWORD))
    await auth.authenticate(running.core, pair.access_token)  # remembered from here on

    assert await ok(data, "user disable", username="ADA") == made
    with pytest.raises(ApiError):
        await auth.authenticate(running.core, pair.access_token)
    [row] = (await ok(data, "user list"))["users"]
    assert row == {**made, "email": "ada@example.org", "bot": False, "disabled": True}


async def test_a_password_is_made_up_when_none_is_given(running: Running, data: Path) -> None:
    made = await ok(data, "user create", username="ada")
    await accounts.login(running.core, Login(login="ada", password=made["password"]))


async def test_accounts_can_be_made_while_registration_is_closed(data: Path, nursery: trio.Nursery) -> None:
    server: Running = await nursery.start(app.run, config(data, registration="closed"))
    assert (await ok(data, "user create", username="ada"))["username"] == "ada"
    server.stop()


async def test_a_guild_and_its_bot_are_in_the_servers_memory(running: Running, data: Path) -> None:
    await ok(data, "user create", username="ada")
    guild = await ok(data, "guild create", name="Reading room", owner="ada")
    assert (await ok(data, "guild list"))["guilds"] == [guild]
    bot = await ok(data, "bot create", name="Pinger", owner="ada", guilds=[guild["id"]], permissions="2048")
    assert set(bot) == {"application_id", "bot_id", "token"}

    loaded = running.core.live.guilds[int(guild["id"])]
    assert [role.permissions for role in loaded.roles.values() if role.name == "Pinger"] == [2048]
    actor = await auth.authenticate(running.core, f"Bot {bot['token']}")
    assert actor.id in loaded.members
    assert [row["bot"] for row in (await ok(data, "user list", after=guild["owner_id"]))["users"]] == [True]


@pytest.mark.parametrize(
    ("command", "arguments", "error"),
    [
        ("user create", {"username": "a"}, "username: Must be between 2 and 32 in length."),
        ("user create", {"username": "taken"}, "username: Username is already taken."),
        ("user create", {"username": "ada", "password": "short"}, "password: Must be between 8 and 128 in length."),
        ("user create", {}, "username: This field is required"),
        ("user disable", {"username": "nobody"}, "nobody is called 'nobody'"),
        ("guild create", {"name": "Attic", "owner": "nobody"}, "nobody is called 'nobody'"),
        ("bot create", {"name": "Pinger", "owner": "taken", "guilds": ["5"]}, "there is no guild 5"),
        ("bot create", {"name": "P", "owner": "taken"}, "name: Must be between 2 and 32 in length."),
        ("frobnicate", {}, f"chatd {__version__} knows no command 'frobnicate'"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(
    running: Running, data: Path, command: str, arguments: dict[str, object], error: str
) -> None:
    await ok(data, "user create", username="taken")
    assert await ask(data, command, **arguments) == {"error": error}
    assert [row["username"] for row in (await ok(data, "user list"))["users"]] == ["taken"]


# --- the socket by itself --------------------------------------------------------------------------------------------


async def echo(request: bytes) -> bytes:
    return request.strip()


async def connect(data: Path) -> trio.SocketStream:
    return await trio.open_unix_socket(str(data / control.FILE))


async def test_nonsense_is_answered_and_too_much_of_it_is_not(running: Running, data: Path) -> None:
    assert "error" in json.decode(await trio.to_thread.run_sync(control.ask, data, b"{") or b"")
    async with await connect(data) as stream:
        # The server closes with the rest unread, which is a reset for whoever sends or receives.
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b" " * 100 * control.REQUEST_BYTES)
    assert "version" in await ok(data, "status")


async def test_a_silent_client_does_not_keep_the_others_waiting(
    tmp_path: Path, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    await nursery.start(partial(control.serve, tmp_path, echo))
    async with await connect(tmp_path) as silent, await connect(tmp_path) as other:
        await other.send_all(b"hello\n")
        assert await other.receive_some() == b"hello\n"
        assert await silent.receive_some() == b""
    assert trio.current_time() >= control.DEADLINE_S
    nursery.cancel_scope.cancel()


async def test_a_socket_that_a_killed_server_left_is_replaced(tmp_path: Path, nursery: trio.Nursery) -> None:
    with trio.socket.socket(trio.socket.AF_UNIX) as left:
        await left.bind(str(tmp_path / control.FILE))
    assert control.ask(tmp_path, b"") is None
    await nursery.start(control.serve, tmp_path, echo)
    assert await trio.to_thread.run_sync(control.ask, tmp_path, b"hello") == b"hello\n"
    nursery.cancel_scope.cancel()


async def test_a_path_may_be_longer_than_socket_addresses(tmp_path: Path, nursery: trio.Nursery) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    await nursery.start(control.serve, deep, echo)
    assert await trio.to_thread.run_sync(control.ask, deep, b"hello") == b"hello\n"
    nursery.cancel_scope.cancel()
