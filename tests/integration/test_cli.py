"""The command `chatd`: exit codes, signals and answers. Verbs run in this process where a process is not the point."""

import io
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from chatd import __version__, control
from chatd.cli import lock, main
from chatd.cli.sessions import COLUMNS
from chatd.store.connect import connect
from tests.support import postgres, raw
from tests.support.http import Client
from tests.support.server import CHEAP_HASHES, Server

DEADLINE_S = 20.0
COMMAND = (sys.executable, "-m", "chatd")


class Done(NamedTuple):
    status: int | str | None
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`run("user", "list")`: the command on this test's data. What it sets for its process is put back."""
    for name, value in {**CHEAP_HASHES, "CHATD__DATA__DIR": str(data), "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = list(root.handlers), logging.getLogger("chatd").level
    umask = os.umask(0o022)

    def call(*words: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        status: int | str | None
        try:
            status = main(words)
        except SystemExit as stop:  # argparse's way
            status = stop.code
        return Done(status, *capsys.readouterr())

    yield call
    os.umask(umask)
    root.handlers[:] = handlers
    logging.getLogger("chatd").setLevel(level)


@pytest.fixture
def serve(data: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server on this test's data; drained in the end."""
    with ExitStack() as stack:

        def start(*options: str) -> Server:
            server = Server(data, *options)
            stack.callback(server.stop)
            return server

        yield start


@contextmanager
def identified(server: Server, token: str, **fields: object) -> Iterator[None]:
    """A gateway connection with a session."""
    command = {"op": 2, "d": {"token": token, "properties": {}, **fields}}
    with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as client:
        client.sendall(raw.upgrade("127.0.0.1", "?v=10") + raw.frame(raw.TEXT, json.dumps(command).encode()))
        received = b""
        while b'"READY"' not in received:
            received += client.recv(65536)
        yield


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    return text


# --- a server --------------------------------------------------------------------------------------------------------


def test_commands_work_with_and_without_a_server(serve: Callable[..., Server], run: Run, data: Path) -> None:
    assert run("user", "create", "ada", "--password-stdin", stdin="correct horse\n").status == 0
    server = serve()
    guild = json.loads(run("guild", "create", "Reading room", "--owner", "ada", "--json").out)
    made = run("bot", "create", "Pinger", "--owner", "ada", "--guild", guild["id"], "--json")
    assert set(json.loads(made.out)) == {"application_id", "bot_id", "token"}
    with Client(server.url, f"Bot {json.loads(made.out)['token']}") as bot:
        assert [it["id"] for it in bot.get("/users/@me/guilds").ok()] == [guild["id"]]
    with Client(server.url) as anybody:
        anybody.post("/auth/login", {"login": "ada", "password": "correct horse"}).ok()

    refused = run("migrate", "down", "--yes")
    assert refused.status == 1
    assert f"in use by process {lock.holder(data)}" in one_line(refused.err)
    assert "runs version" in run("doctor").out
    server.stop()
    assert guild["id"] in run("guild", "list").out
    assert run("bot", "create", "Second", "--owner", "ada").status == 0


def test_retention(serve: Callable[..., Server], run: Run, data: Path) -> None:
    assert run("user", "create", "ada", "--password-stdin", stdin="correct horse\n").status == 0
    guild = json.loads(run("guild", "create", "Reading room", "--owner", "ada", "--json").out)["id"]
    with closing(connect(f"sqlite://{data / 'chatd.sqlite'}")) as database:
        channel = database.scalar("SELECT id FROM channels WHERE guild_id = ? AND type = 0", int(guild))
        owner = database.scalar("SELECT owner_id FROM guilds")
        database.insert_many(
            "messages",
            ("id", "channel_id", "author_id", "type", "flags", "content", "extra"),
            [(id_, channel, owner, 0, 0, "old", "{}") for id_ in range(1, 2502)],
        )
    empty = run("retention", "show")
    assert (empty.status, empty.out) == (0, "channel  messages  files  pinned\n")
    assert run("retention", "set", "--messages", "90d").out == "all others: messages 90d, files forever, pinned keep\n"
    own = run("retention", "set", "--messages", "forever", "--pinned", "delete", "--channel", str(channel), "--json")
    rule = {"channel": str(channel), "messages_s": None, "files_s": None, "keep_pinned": False}
    assert json.loads(own.out) == rule
    again = run("retention", "set", "--files", "2w", "--channel", str(channel))
    assert again.out == f"{channel}: messages forever, files 2w, pinned delete\n"
    assert "\n0 messages and 0 files would be deleted\n" in run("retention", "run", "--dry-run").out
    assert run("retention", "clear", "--channel", str(channel)).out == f"{channel}: no rule\n"
    assert json.loads(run("retention", "show", "--json").out) == [
        {"channel": None, "messages_s": 90 * 86_400, "files_s": None, "keep_pinned": True}
    ]

    oldest = "2015-01-01T00:00:00.000000+00:00"
    due = {"id": str(channel), "guild_id": guild, "messages": 2501, "files": 0, "oldest": oldest}
    assert json.loads(run("retention", "run", "--dry-run", "--json").out) == [due]
    assert "\n2501 messages and 0 files would be deleted\n" in run("retention", "run", "--dry-run").out
    done = run("retention", "run")
    assert (done.status, done.out) == (0, "deleted 2501 messages and 0 files\n")
    total = "2501 messages and 0 files"
    assert done.err == f"deleted 2000 messages and 0 files of about {total}\ndeleted {total} of about {total}\n"
    assert json.loads(run("retention", "run", "--json").out) == {"messages": 0, "files": 0}
    serve()
    assert "90d" in run("retention", "show").out
    assert run("retention", "clear").status == 0
    assert run("retention", "clear").err == "chatd: there is no such rule\n"
    assert run("retention", "set", "--messages", "90").status == 2
    nothing = run("retention", "set", "--pinned", "keep")
    assert nothing.status == 2
    assert nothing.err.endswith("error: one of --messages and --files is required\n")


def test_sessions_are_a_running_servers(serve: Callable[..., Server], run: Run, data: Path) -> None:
    made = run("user", "create", "ada", "--password-stdin", stdin="correct horse\n")
    assert made.status == 0
    for words in (("list",), ("disconnect", "x")):
        refused = run("sessions", *words)
        assert (refused.status, refused.out) == (1, "")
        assert refused.err == f"chatd: no server runs on {data}, and only a running one has sessions\n"

    server = serve()
    assert run("sessions", "list").out.split() == list(COLUMNS)
    assert json.loads(run("sessions", "list", "--json").out) == []
    with Client(server.url) as anybody:
        pair = anybody.post("/auth/login", {"login": "ada", "password": "correct horse"}).ok()
    with identified(server, pair["access_token"], shard=[1, 2]), identified(server, pair["access_token"], shard=[0, 1]):
        shown = [line.split() for line in run("sessions", "list", "--user", "ada").out.splitlines()]
        assert [row[:5] for row in shown[1:]] == [
            ["ada", pair["user"]["id"], "person", shard, "connected"] for shard in ("0/1", "1/2")
        ]
        row = next(row for row in json.loads(run("sessions", "list", "--json").out) if row["shard"] == [1, 2])
        done = run("sessions", "disconnect", row["id"])
        assert (done.status, done.out) == (0, f"disconnected ada's session {row['id']}\n")
        assert "RESUME" in one_line(run("sessions", "disconnect", row["id"]).err)
        assert run("sessions", "disconnect", row["id"], "--end").out == f"ended ada's session {row['id']}\n"
        assert row["id"] not in run("sessions", "list").out


def test_a_second_server_on_the_same_data_says_so(serve: Callable[..., Server], data: Path) -> None:
    serve()
    second = subprocess.run(
        [*COMMAND, "serve", "--port", "0", "--data", str(data)], capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == f"chatd: {data} is in use by process {lock.holder(data)}\n"


def test_stdout_has_the_ready_line_alone_and_the_demo_is_told_on_stderr(data: Path) -> None:
    process, url = started(data, "--demo")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out) == (0, "")
    assert f"curl -sS {url}/api/v10/auth/login" in err
    assert (data / "chatd.sqlite").stat().st_mode & 0o077 == 0


def test_a_second_signal_ends_it_at_once(data: Path) -> None:
    process, url = started(data)
    port = int(url.rpartition(":")[2])
    # A request whose rest does not come: draining waits for it.
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(
            b"POST /api/v10/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
        )
        assert half.recv(100).startswith(b"HTTP/1.1 100")
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        while "draining" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 1
    process.communicate()


def test_it_ends_when_the_disk_takes_no_more(data: Path) -> None:
    # From 800 kB on, which the schema alone does not need, a file cannot grow: what a full disk looks like.
    full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (800_000, 800_000))
    process, _ = started(data, preexec_fn=full)
    for number in range(2_000):
        request = {"command": "user create", "arguments": {"username": f"user{number}", "password": "correct horse"}}
        try:
            if control.ask(data, json.dumps(request).encode()) is None:
                break
        except OSError:
            break
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert "ERROR cli.serve  crashed" in err


def started(
    data: Path, *options: str, preexec_fn: Callable[[], None] | None = None
) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--data", str(data), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **CHEAP_HASHES},
        preexec_fn=preexec_fn,
    )
    assert process.stdout is not None
    ready, _, url = process.stdout.readline().strip().partition("chatd listening on ")
    assert ready == ""
    assert url
    return process, url


# --- what does not start ---------------------------------------------------------------------------------------------


def test_a_port_in_use(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", str(port))
    assert (done.status, done.out) == (1, "")
    assert one_line(done.err) == f"chatd: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    ("options", "status", "problem"),
    [
        (["--port", "http"], 2, "config error: server.port: expected int, got str"),
        (
            ["--http", "quic"],
            2,
            "config error: server.http: invalid enum value 'quic', expected one of edge, hypercorn",
        ),
        (
            ["--tls-cert", "missing.pem", "--tls-key", "missing.pem"],
            2,
            "config error: server.tls_cert, server.tls_key: ",
        ),
        (["--redis", "redis://127.0.0.1"], 2, "config error: redis.url: this version runs as a single node"),
        (["--config", "missing.toml"], 2, "config error: missing.toml: No such file or directory"),
        (["--data", "/dev/null/data"], 1, "/dev/null/data: Not a directory"),
        (["--database", "sqlite:///nowhere/chatd.sqlite"], 1, "sqlite:///nowhere/chatd.sqlite: unable to open"),
        (["--database", "postgres://127.0.0.1:1/chatd"], 1, "PostgreSQL: connection"),
        (["--database", "postgres://ada:sec%ret@h/chatd"], 1, "PostgreSQL: the URL is wrong: invalid percent-encoded"),
        (["--database", "postgres://h/chatd?sslmod=x"], 1, "PostgreSQL: the URL is wrong: invalid URI query parameter"),
        (["--database", "postgres://h:port/chatd"], 1, "PostgreSQL: "),
        (["--host", "192.0.2.1"], 1, "cannot listen on 192.0.2.1:0: Cannot assign requested address"),
    ],
)
def test_what_keeps_it_from_starting_is_said_in_one_line(
    run: Run, options: list[str], status: int, problem: str
) -> None:
    done = run("serve", "--port", "0", *options)
    assert (done.status, done.out) == (status, "")
    assert problem in one_line(done.err)


@pytest.mark.parametrize("start", [0, 100, 4096, 8192], ids=["header", "first page", "schema", "tables"])
def test_a_damaged_database(run: Run, data: Path, start: int) -> None:
    assert run("user", "create", "ada").status == 0
    file = data / "chatd.sqlite"
    file.write_bytes(file.read_bytes()[:start] + b"\xff" * (file.stat().st_size - start))
    for words in (("serve", "--port", "0"), ("user", "list"), ("migrate", "status")):
        done = run(*words)
        assert (done.status, done.out) == (1, "")
        assert "the database is damaged" in one_line(done.err)


def test_a_second_server_on_the_same_postgres_database(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatd.store.postgres.LOCK_TIMEOUT_MS", 50)
    with postgres.fresh_database(lambda url: None) as url:
        process, _ = started(tmp_path / "other", "--database", url)
        try:
            for words in (("serve", "--port", "0"), ("user", "create", "ada")):
                done = run(*words, "--database", url)
                assert (done.status, done.out) == (1, "")
                assert done.err.endswith("PostgreSQL: another chatd server uses this database\n")
            assert run("migrate", "status", "--database", url).status == 0
        finally:
            process.kill()
            process.communicate()
        monkeypatch.setattr("chatd.store.postgres.LOCK_TIMEOUT_MS", 5000)
        assert run("user", "create", "ada", "--database", url).status == 0


# --- verbs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [[], ["frob"], ["user"], ["user", "create"], ["guild", "create", "Attic"], ["serve", "x"]]
)
def test_wrong_usage(run: Run, words: Sequence[str]) -> None:
    done = run(*words)
    assert (done.status, done.out) == (2, "")
    assert "usage: chatd" in done.err


def test_help_and_version(run: Run) -> None:
    assert run("--version") == (0, f"chatd {__version__}\n", "")
    for verb in ("serve", "user", "guild", "bot", "migrate", "config", "doctor"):
        assert verb in run("--help").out
        done = run(verb, "--help")
        assert done.status == 0
        assert f"usage: chatd {verb}" in done.out


def test_people(run: Run) -> None:
    made = run("user", "create", "Ada", "--email", "ada@example.org")
    assert made.status == 0
    assert "password: " in made.out
    assert run("user", "disable", "ada").status == 0
    [header, row] = run("user", "list").out.splitlines()
    assert header.split() == ["id", "username", "kind", "state", "email"]
    assert row.split()[1:] == ["ada", "person", "disabled", "ada@example.org"]
    assert [it["username"] for it in json.loads(run("user", "list", "--json").out)] == ["ada"]

    taken = run("user", "create", "ada")
    assert (taken.status, taken.out) == (1, "")
    assert one_line(taken.err) == "chatd: username: Username is already taken.\n"


def test_a_name_cannot_steer_the_terminal(run: Run) -> None:
    run("user", "create", "ada")
    run("guild", "create", "Attic\x1b[2J", "--owner", "ada")
    listed = run("guild", "list").out
    assert "Attic" in listed
    assert "\x1b" not in listed


def test_without_data_there_is_nothing_to_list(run: Run, data: Path) -> None:
    done = run("guild", "list")
    assert done.status == 1
    assert one_line(done.err) == f"chatd: there is no data in {data}; --data names the server's directory\n"
    assert not data.exists()


def test_the_schema(run: Run, data: Path) -> None:
    assert json.loads(run("migrate", "up", "--json").out)[0] == {"version": 1, "name": "initial"}
    assert run("migrate", "up").out == "nothing applied\n"
    assert "pending" not in run("migrate", "status").out
    newest = json.loads(run("migrate", "status", "--json").out)[-1]["version"]

    unconfirmed = run("migrate", "down")
    assert unconfirmed.status == 1
    assert one_line(unconfirmed.err) == "chatd: nothing was taken back; --yes means not to ask\n"
    assert run("migrate", "down", "--yes", "--steps", str(newest)).status == 0
    assert json.loads(run("migrate", "status", "--json").out)[0]["applied_ms"] is None
    assert run("doctor").status == 0  # pending migrations are a warning
    assert run("migrate", "down", "--steps", "0").status == 2


def test_the_configuration(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "chatd.toml"
    file.write_text(run("config", "default").out)
    assert run("config", "check", "--config", str(file)).status == 0
    url = "postgres://chatd:secret@127.0.0.1/chatd"
    shown = json.loads(run("config", "show", "--json", "--config", str(file), "--database", url).out)
    assert shown["database"]["url"] == "postgres://chatd:***@127.0.0.1/chatd"

    file.write_text("[server]\nprot = 1\n")
    wrong = run("config", "check", "--config", str(file))
    assert (wrong.status, wrong.err) == (2, "chatd: config error: server.prot: unknown key\n")
    assert run("doctor", "--config", str(file)).status == 1


# --- doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_finds_nothing_and_touches_nothing(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATD__SERVER__PORT", "0")
    done = run("doctor", "--json")
    assert done.status == 0
    assert {it["state"] for it in json.loads(done.out) if it["check"] != "disk"} == {"ok"}
    assert not data.exists()


def test_doctor_finds_what_is_wrong(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("user", "create", "ada")
    data.chmod(0o755)
    # The pages after the first, which the schema does not need to be read.
    with (data / "chatd.sqlite").open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 8192)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("CHATD__SERVER__PORT", str(taken.getsockname()[1]))
        done = run("doctor", "--json")
    assert done.status == 1
    states = {it["check"]: it["state"] for it in json.loads(done.out)}
    assert (states["data"], states["port"], states["SQLite file"]) == ("warn", "fail", "fail")


def test_doctor_finds_links_that_lead_nowhere(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATD__SERVER__HOST", "0.0.0.0")
    monkeypatch.setenv("CHATD__SERVER__PORT", "0")
    states = {it["check"]: it["state"] for it in json.loads(run("doctor", "--json").out)}
    assert states["links"] == "warn"
    monkeypatch.setenv("CHATD__SERVER__PUBLIC_URL", "https://chat.test")
    assert "links" not in {it["check"] for it in json.loads(run("doctor", "--json").out)}


def test_doctor_finds_a_process_that_takes_no_commands(run: Run, data: Path) -> None:
    with lock.held(data):
        assert f"process {os.getpid()} holds the data" in run("doctor").out


def test_doctor_and_migrate_know_postgres(run: Run) -> None:
    with postgres.fresh_database(lambda url: None) as url:
        assert run("migrate", "up", "--database", url).status == 0
        checks = {it["check"]: it["state"] for it in json.loads(run("doctor", "--database", url, "--json").out)}
    assert (checks["synchronous_commit"], checks["schema"]) == ("ok", "ok")
