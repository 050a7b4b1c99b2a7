"""Runs the C load client: settings in, its JSON report out, its progress lines shown."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from bench import build
from bench.context import Context
from bench.progress import Progress
from bench.servers import CLIENT_CORE, Server

# GUILDS, GUILD_MESSAGES and MESSAGE_CONTENT: what a bot that reads messages asks for.
INTENTS = 1 << 0 | 1 << 9 | 1 << 15


class LoadFailed(Exception):
    """The load client could not run; the text is what it said."""


class LoadClient:
    """A running load client. Use as a context manager; `finish()` gives its report."""

    def __init__(
        self,
        server: Server,
        progress: Progress,
        *,
        tokens: Sequence[str] = (),
        targets: Sequence[str] = (),
        niceness: int = 0,
        **settings: str | int | float | bool | None,
    ) -> None:
        self._progress = progress
        self._said: list[str] = []
        self._folder = tempfile.TemporaryDirectory(prefix="chatd-bench-")
        arguments = {
            "host": server.host,
            "port": server.port,
            "core": _client_core(),
            "pids": server.pid,
            "intents": INTENTS,
        }
        command: list[str] = [str(build.program("load"))]
        for name, value in {**arguments, **settings}.items():
            if value is True:
                command.append(f"--{name.replace('_', '-')}")
            elif value is not None and value is not False:
                command += [f"--{name.replace('_', '-')}", str(value)]
        for name, lines in (("tokens", tokens), ("targets", targets)):
            if lines:
                path = Path(self._folder.name, name)
                path.write_text("".join(f"{line}\n" for line in lines))
                command += [f"--{name}", str(path)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.setpriority(os.PRIO_PROCESS, 0, niceness) if niceness else None,
        )

    def __enter__(self) -> "LoadClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def wait_for(self, phase: str) -> None:
        """Until it says that it has reached the phase."""
        if not self._follow(phase):
            self._raise()

    def restarted(self, server: Server) -> None:
        """Tell a client that waits for it (phase "restart") that the server runs again."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{server.pid}\n")
        self._process.stdin.flush()

    def finish(self) -> dict[str, Any]:
        self._follow(None)
        assert self._process.stdout is not None
        report = self._process.stdout.read()
        if self._process.wait():
            self._raise()
        decoded: dict[str, Any] = msgspec.json.decode(report)
        return decoded

    def _follow(self, phase: str | None) -> bool:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if not line.startswith("progress "):
                self._said.append(line)
                continue
            _, reached, done, total = line.split()
            self._progress.show(f"{reached} {done}/{total}" if total != "0" else reached)
            if reached == phase:
                return True
        return False

    def _raise(self) -> None:
        raise LoadFailed("".join(self._said).strip() or f"load client ended with {self._process.wait()}")


def _client_core() -> int | None:
    return CLIENT_CORE if CLIENT_CORE in os.sched_getaffinity(0) else None


def run(server: Server, context: Context, **settings: Any) -> dict[str, Any]:
    """Start the client, let it run to its end, return its report."""
    with LoadClient(server, context.progress, **settings) as client:
        report = client.finish()
    if window := report.get("window"):
        context.result.others_cpu = max(context.result.others_cpu, window["others_cpu_share"])
    return report
