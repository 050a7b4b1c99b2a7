"""Files in a directory: the adapter that needs nothing else.

A file is written under another name, synced, and renamed into place; then its directory is synced. Everything that
touches the disk runs in threads, a few at a time. What comes in small pieces is written in large ones, for a trip to a
thread costs more than the bytes of a network packet.
"""

import contextlib
import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Self, TypeVar, TypeVarTuple

import trio

from chatd.config import Media
from chatd.store.blobs import PIECE_BYTES, Blob, Blobs, BlobsFailed, Reading, Staged, check_name

# Threads that one directory's files keep busy; on a stalled disk no more than these hang.
THREADS = 8
# Entries that one trip to a thread collects.
WALK_BATCH = 1000
# A file's name has no dot, so this is none.
UNFINISHED = ".unfinished"

_ABSENT = (FileNotFoundError, NotADirectoryError)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Disk(Blobs):
    """All files below one directory, which no other process writes to."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads = trio.CapacityLimiter(THREADS)

    async def prepare(self) -> None:
        """Make the directory, and forget uploads that the end of a process cut short."""
        await self.run(_prepare, self._root)

    @asynccontextmanager
    async def stage(self, pieces: AsyncIterable[bytes]) -> AsyncIterator[Staged]:
        async with self.spool(pieces) as (path, size):
            yield _DiskStaged(self, path, size)

    @asynccontextmanager
    async def spool(self, pieces: AsyncIterable[bytes]) -> AsyncIterator[tuple[Path, int]]:
        """The pieces in a synced file that has no name yet, and its size; gone on leaving unless it was moved."""
        file = await self.run(_create, self._root)
        path = Path(file.name)
        try:
            size = await self._write(file, pieces)
            await self.run(_sync_and_close, file)
            yield path, size
        finally:
            with trio.CancelScope(shield=True):
                await self.run(_discard, file, path)

    async def _write(self, file: IO[bytes], pieces: AsyncIterable[bytes]) -> int:
        size = waiting = 0
        gathered: list[bytes] = []
        async for piece in pieces:
            gathered.append(piece)
            waiting += len(piece)
            if waiting >= PIECE_BYTES:
                size += await self.run(file.write, b"".join(gathered))
                gathered, waiting = [], 0
        return size + await self.run(file.write, b"".join(gathered))

    async def move(self, path: Path, name: str) -> None:
        """Give a spooled file its name."""
        await self.run(_move, path, self._root, check_name(name))

    async def stat(self, name: str) -> Blob | None:
        return await self.run(_stat, self._root, check_name(name))

    async def open(self, name: str, start: int = 0, stop: int | None = None) -> Reading | None:
        return await self.read(self._root / check_name(name), start, stop)

    async def read(self, path: Path, start: int = 0, stop: int | None = None) -> Reading | None:
        """`open` for a spooled file."""
        opened = await self.run(_open, path, start, stop)
        return None if opened is None else _DiskReading(self, *opened)

    async def delete(self, name: str) -> None:
        await self.run(_unlink, self._root / check_name(name))

    async def walk(self) -> AsyncGenerator[Blob, None]:
        entries = _walk(self._root)
        while batch := await self.run(_take, entries):
            for blob in batch:
                yield blob

    async def run(self, fn: Callable[[*Ts], T], *args: *Ts) -> T:
        """In one of the directory's threads. Raises BlobsFailed for OSError."""
        try:
            return await trio.to_thread.run_sync(fn, *args, limiter=self._threads)
        except OSError as error:
            raise BlobsFailed(f"media directory: {error}") from error


class _DiskStaged(Staged):
    def __init__(self, disk: Disk, path: Path, size: int) -> None:
        self._disk = disk
        self.path = path
        self.size = size

    async def keep(self, name: str) -> None:
        await self._disk.move(self.path, name)


class _DiskReading(Reading):
    def __init__(self, disk: Disk, file: IO[bytes], size: int) -> None:
        self._disk = disk
        self._file = file
        self.size = self._left = size

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        piece = await self._disk.run(self._file.read, min(self._left, PIECE_BYTES))
        if not piece:
            raise BlobsFailed("media directory: a file is shorter than it was")
        self._left -= len(piece)
        return piece

    async def aclose(self) -> None:
        with trio.CancelScope(shield=True):
            await self._disk.run(self._file.close)


@asynccontextmanager
async def open_media(media: Media, data: Path) -> AsyncIterator[Disk]:
    disk = Disk(Path(media.path) if media.path else data / "media")
    await disk.prepare()
    yield disk


# --- each of these runs in a thread ----------------------------------------------------------------------------------


def _prepare(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(root / UNFINISHED, ignore_errors=True)
    (root / UNFINISHED).mkdir(mode=0o700, exist_ok=True)


def _create(root: Path) -> IO[bytes]:
    return tempfile.NamedTemporaryFile(dir=root / UNFINISHED, delete=False)


def _sync_and_close(file: IO[bytes]) -> None:
    """Closed at once: who holds a staged file for long shall hold no descriptor."""
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _move(path: Path, root: Path, name: str) -> None:
    target = root / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.replace(path, target)
    # All the way up: a directory that is there may be so new that whoever made it has not synced its entry yet.
    for folder in itertools.takewhile(lambda folder: folder != root.parent, target.parents):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _discard(file: IO[bytes], path: Path) -> None:
    with contextlib.suppress(OSError):  # a full disk fails the close as well; the first error has been raised
        file.close()
    _unlink(path)  # not there when it was moved


def _unlink(path: Path) -> None:
    with contextlib.suppress(*_ABSENT):
        path.unlink()


def _stat(root: Path, name: str) -> Blob | None:
    try:
        found = (root / name).stat()
    except _ABSENT:
        return None
    return Blob(name, found.st_size, found.st_mtime_ns // 1_000_000) if stat.S_ISREG(found.st_mode) else None


def _open(path: Path, start: int, stop: int | None) -> tuple[IO[bytes], int] | None:
    try:
        file = path.open("rb")
    except (*_ABSENT, IsADirectoryError):
        return None
    size = os.fstat(file.fileno()).st_size
    file.seek(start)
    return file, (size if stop is None else stop) - start


def _walk(root: Path) -> Iterator[Blob]:
    for folder, folders, files in os.walk(root):
        if UNFINISHED in folders:
            folders.remove(UNFINISHED)
        for file in files:
            name = str((Path(folder) / file).relative_to(root))
            blob = _stat(root, name)
            if blob is not None:
                yield blob


def _take(blobs: Iterator[Blob]) -> list[Blob]:
    return list(itertools.islice(blobs, WALK_BATCH))
