"""`chatd serve` as operators run it: a process of its own, started, restarted, drained and killed from a test."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

START_S = 30.0
STOP_S = 20.0  # above server.drain_s

READY = "chatd listening on "

# A hash that costs well under a millisecond: tests are not about guessing passwords.
CHEAP_HASHES = {"CHATD__ACCOUNTS__ARGON2_MEMORY_KIB": "64", "CHATD__ACCOUNTS__ARGON2_TIME": "1"}

# What a service manager does: put the sockets at descriptor 3 and behind, say so, and become the program.
ACTIVATE = """
import fcntl, os, sys
sockets, command = sys.argv[1].split(","), sys.argv[2:]
copies = [fcntl.fcntl(int(it), fcntl.F_DUPFD_CLOEXEC, 100) for it in sockets]
for target, copy in enumerate(copies, 3):
    os.dup2(copy, target)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES="http:http")
os.execv(command[0], command)
"""


def activated(command: Sequence[str], sockets: Sequence[socket.socket]) -> list[str]:
    """The command, started by a service manager that hands over these sockets, which it must inherit."""
    descriptors = ",".join(str(sock.fileno()) for sock in sockets)
    return [sys.executable, "-S", "-E", "-c", ACTIVATE, descriptors, *command]


class Server:
    """A running server, on `sockets` if there are any, which stay open whatever becomes of it.

    Its log is in `log`, beside the data directory, over all starts with this directory.
    """

    def __init__(
        self,
        data: Path,
        *options: str,
        environ: Mapping[str, str] | None = None,
        sockets: Sequence[socket.socket] = (),
    ) -> None:
        self.log = data.with_name(f"{data.name}.log")
        self._killed = False
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHATD__")}
        command = [sys.executable, "-m", "chatd", "serve", "--host", "127.0.0.1", "--port", "0", "--data", str(data)]
        command += ["--no-rate-limits", *options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                activated(command, sockets) if sockets else command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**inherited, **CHEAP_HASHES, **(environ or {})},
                pass_fds=[sock.fileno() for sock in sockets],
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

    @property
    def pid(self) -> int:
        return self._process.pid

    def restart(self) -> None:
        """SIGUSR2: the same process must be ready once more, at the same address."""
        self.send_signal(signal.SIGUSR2)
        assert self._wait_until_ready() == self.url

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit status of a server that was told to end."""
        return self._process.wait(STOP_S)

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
