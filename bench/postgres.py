"""A private PostgreSQL for a run: own cluster in a scratch folder, own port, durable settings, gone afterwards."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.servers import CLIENT_CORE, SCRATCH, pin

# PostgreSQL refuses to run as root; Debian's package brings this account.
ACCOUNT = "postgres"
DEBIAN_BINARIES = Path("/usr/lib/postgresql")


# Texts are compared byte by byte, and PostgreSQL knows what a letter is in any language.
_CLUSTER = ("-U", ACCOUNT, "-A", "trust", "-E", "UTF8", "--no-locale", "--lc-ctype=C.UTF-8")


class NoPostgres(Exception):
    """PostgreSQL is not installed, or its cluster could not be made."""


def _binaries() -> Path:
    """The newest installed version's folder."""
    versions = sorted(DEBIAN_BINARIES.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = versions[-1] if versions else shutil.which("initdb")
    if not found:
        raise NoPostgres("PostgreSQL was not found (Debian: apt-get install postgresql)")
    return Path(found).parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(command: list[str | Path], account: str | None) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd="/",
        user=account,
        group=account,
        extra_groups=[] if account else None,
        # The client's core: the server under test has its own to itself.
        preexec_fn=lambda: pin(CLIENT_CORE),
    )
    if done.returncode:
        raise NoPostgres(f"{Path(command[0]).name}: {done.stderr or done.stdout}")


@contextlib.contextmanager
def running(kept: Path | None = None) -> Iterator[str]:
    """The URL of an empty database, or of the one that is kept in this folder; synchronous_commit and fsync are on,
    which are PostgreSQL's defaults.
    """
    binaries, port = _binaries(), _free_port()
    account = ACCOUNT if os.geteuid() == 0 else None
    with contextlib.ExitStack() as stack:
        folder = kept or Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="chatd-bench-pg-", dir=SCRATCH, ignore_cleanup_errors=True)
            )
        )
        folder.mkdir(exist_ok=True)
        data = folder / "data"
        if account:
            os.chown(folder, pwd.getpwnam(account).pw_uid, -1)
        if not data.exists():
            _run([binaries / "initdb", "-D", data, *_CLUSTER], account)
        settings = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        control: list[str | Path] = [binaries / "pg_ctl", "-D", data, "-w", "-l", Path(folder, "log")]
        _run([*control, "-o", settings, "start"], account)
        try:
            yield f"postgres://{ACCOUNT}@127.0.0.1:{port}/{ACCOUNT}"
        finally:
            _run([*control, "-m", "fast" if kept else "immediate", "stop"], account)
