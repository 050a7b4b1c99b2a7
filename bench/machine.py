"""What a figure depends on besides the code: commit, versions, processor, load. Read once per run."""

import os
import platform
import resource
import subprocess
import time
from importlib import metadata
from pathlib import Path

from msgspec import Struct

REPOSITORY = Path(__file__).parent.parent
# Processors kept busy by others from which on a result is disturbed.
DISTURBED = 0.1
# Everything the hot paths run on; what is not installed is left out.
LIBRARIES = (
    "trio",
    "trio-websocket",
    "httptools",
    "msgspec",
    "apsw",
    "psycopg",
    "hypercorn",
    "quart-trio",
    "zstandard",
)


class Machine(Struct, frozen=True):
    commit: str
    processor: str
    cores: int
    memory_mib: int
    kernel: str
    python: str
    libraries: dict[str, str]
    load_average: float  # over the last minute, before the run


def commit() -> str:
    """Short hash, with `+` when the tree differs from it; empty outside a repository."""
    git = ["git", "-C", str(REPOSITORY)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if head.returncode:
        return ""
    changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True).stdout
    return head.stdout.strip() + ("+" if changed else "")


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def _first(path: str, key: str) -> str:
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def describe() -> Machine:
    return Machine(
        commit=commit(),
        processor=_first("/proc/cpuinfo", "model name"),
        cores=os.cpu_count() or 1,
        memory_mib=int(_first("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        kernel=platform.release(),
        python=platform.python_version(),
        libraries=_versions(),
        load_average=os.getloadavg()[0],
    )


def _busy_s() -> float:
    """Seconds that all processors together have been busy since boot, stolen time included."""
    totals = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
    user, nice, system, _, _, irq, softirq, stolen = map(int, totals)
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


def wait_until_calm(patience_s: float) -> None:
    """Until a second passes in which other processes leave the processors alone, or until patience ends."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        busy, started = _busy_s(), time.monotonic()
        time.sleep(1)
        if (_busy_s() - busy) / (time.monotonic() - started) < DISTURBED:
            return


def raise_file_limit() -> None:
    """Thousands of sockets on either side; child processes inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
