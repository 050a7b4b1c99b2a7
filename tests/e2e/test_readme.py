"""The README's commands, run as they stand; only the address is another one."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e import readme
from tests.e2e.conftest import Serve
from tests.support.http import Client

DEADLINE_S = 60.0
ADDRESS = "127.0.0.1:8080"


def run(script: str, directory: Path, environ: Mapping[str, str] | None = None) -> str:
    """What a shell in `directory` prints that stops at the first failure and finds the `chatd` of this environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env={**os.environ, "PATH": path, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="the conversation is held with curl")
def test_the_conversation_and_the_bot(serve: Serve, tmp_path: Path) -> None:
    server = serve("--demo")
    blocks = [readme.block(name) for name in ("conversation", "bot", "bot_command")]
    script = "\n".join([*blocks, 'echo "token: $BOT_TOKEN"']).replace(f"http://{ADDRESS}", server.url)
    printed = run(script, tmp_path, {"CHATD__DATA__DIR": str(tmp_path / "data")})

    assert printed.count('"content":"Hello, is this thing on?"') == 2
    tokens = re.findall(r"^token: (\S+)$", printed, re.MULTILINE)
    assert len(tokens) == 2
    for token in tokens:
        with Client(server.url, f"Bot {token}") as bot:
            assert bot.get("/users/@me").ok()["username"] == "Pinger"
            assert [guild["name"] for guild in bot.get("/users/@me/guilds").ok()] == ["Reading room"]

    [login] = re.findall(r"^ +(curl .*)$", server.log.read_text(), re.MULTILINE)
    assert '"access_token":' in run(login, tmp_path)


def test_the_configuration(tmp_path: Path) -> None:
    printed = run(readme.block("configuration"), tmp_path)
    assert "port = 9000" in printed
    assert "port = 8080" in (tmp_path / "chatd.toml").read_text()
