"""Compiles the C programs of the bench on demand into bench/build/, named by a hash of their sources."""

import hashlib
import subprocess
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parent / "c"
BUILD = Path(__file__).parent / "build"

PROGRAMS = {
    "load": (["load.c", "base.c", "session.c", "publish.c", "inflate.c", "proc.c"], ["-lz"]),
    "limit": (["limit.c"], []),
}


class CannotCompile(Exception):
    """There is no C compiler, or it refused; the text says what it said."""


def program(name: str) -> Path:
    """Path of the compiled program; compiles it if its sources have changed."""
    sources, libraries = PROGRAMS[name]
    texts = [path.read_bytes() for path in sorted(SOURCES.glob("*.[ch]"))]
    target = BUILD / f"{name}-{hashlib.sha256(b''.join(texts)).hexdigest()[:12]}"
    if target.exists():
        return target
    BUILD.mkdir(exist_ok=True)
    # In a folder of its own until it is whole: another process may be compiling the same.
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        fresh = Path(folder) / name
        command = ["cc", "-O2", "-Wall", "-o", str(fresh), *(str(SOURCES / source) for source in sources), *libraries]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            raise CannotCompile("no C compiler: `cc` was not found (Debian: apt-get install gcc libc6-dev)") from None
        except subprocess.CalledProcessError as error:
            raise CannotCompile(f"cc failed:\n{error.stderr}") from None
        fresh.replace(target)
    for stale in set(BUILD.glob(f"{name}-*")) - {target}:
        stale.unlink(missing_ok=True)
    return target
