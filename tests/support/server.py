"""`chatd serve` as operators run it: a process of its own, started, drained and killed from a test."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

START_S = 30.0
STOP_S = 20.0  # above server.drain_s

READY = "chatd listening on "

# A hash that costs well under a millisecond: tests are not about guessing passwords.
CHEAP_HASHES = {"CHATD__ACCOUNTS__ARGON2_MEMORY_KIB": "64", "CHATD__ACCOUNTS__ARGON2_TIME": "1"}


class Server:
    """A running server. Its log is in `log`, beside the data directory, over all starts with this directory."""

    def __init__(self, data: Path, *options: str, environ: Mapping[str, str] | None = None) -> None:
        self.log = data.with_name(f"{data.name}.log")
        self._killed = False
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHATD__")}
        command = [sys.executable, "-m", "chatd", "serve", "--host", "127.0.0.1", "--port", "0", "--data", str(data)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--no-rate-limits", *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**inherited, **CHEAP_HASHES, **(environ or {})},
            )
        self.url = self._wait_until_ready()
        self.port = int(self.url.rpartition(":")[2])

    def _wait_until_ready(self) -> str:
        stdout = self._process.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], START_S)
        line = stdout.readline() if ready else ""
        if not line.startswith(READY):
            self.kill()
            raise AssertionError(f"chatd did not start, it printed {line!r}\n{self.log.read_text()}")
        return line.removeprefix(READY).strip()

    def stop(self) -> None:
        """SIGTERM: it must drain and exit 0, and have logged no fault of its own. Nothing if it was killed."""
        if self._killed:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            status = None
        self.kill()
        log = self.log.read_text()
        assert status == 0, f"exit {status} after SIGTERM (None: still running after {STOP_S} s)\n{log}"
        assert "Traceback" not in log, log

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        self._killed = True
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
