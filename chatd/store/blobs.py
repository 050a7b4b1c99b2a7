"""Stored files: the seam between what users upload and where it is kept.

Owns names and the interface; `disk` and `s3` are its two adapters. What a file means, and who may see it, is known in
`service`. Nothing here holds a file whole in memory.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from chatd.config import Media
from chatd.store.db import StoreFailed

# What is read, written and sent at a time: enough for a thread's round trip to cost little of it.
PIECE_BYTES = 256 * 1024

# Segments without dots: no name leads out of its directory, and none is one of the adapters' own, which have dots.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}(/[A-Za-z0-9_-]{1,100}){1,7}")


class BlobsFailed(StoreFailed):
    """The directory or the service cannot be read or written; whoever asks may try again."""


class Blob(NamedTuple):
    """What is known of a file without reading it."""

    name: str
    size: int  # bytes
    modified_ms: int  # Unix time


class Reading(Protocol):
    """An open file. Whoever has it closes it, also when nothing was read."""

    size: int
    """How many bytes come; when fewer do, iterating raises BlobsFailed."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> bytes:
        """At most `PIECE_BYTES`."""
        ...

    async def aclose(self) -> None: ...


class Staged(Protocol):
    """A file that has arrived in full and has no name yet."""

    path: Path
    """Where it is on this machine until it is kept, for whoever has to look into it."""
    size: int  # bytes

    async def keep(self, name: str) -> None:
        """Give it its name, once. It is durable when this returns."""
        ...


class Blobs(Protocol):
    """Files by name. A name is two or more segments of letters, digits, "-" and "_", joined by "/".

    1. Names are made of ids (`avatars/USER/HASH`, `attachments/CHANNEL/ATTACHMENT`), never of what users call their
       files: that belongs into a row. No file's name is another's directory.
    2. All calls raise BlobsFailed, and ValueError for what is no name.
    """

    def stage(self, pieces: AsyncIterable[bytes]) -> AbstractAsyncContextManager[Staged]:
        """Take a file in. Unless it is kept it is gone on leaving, or with the end of the process."""
        ...

    async def put(self, name: str, pieces: AsyncIterable[bytes]) -> int:
        """Store a file; how many bytes it has. It is durable when this returns, and there in full or not at all:
        whatever ends the pieces early (an exception, cancellation, the end of the process) leaves what was before.
        """
        async with self.stage(pieces) as staged:
            await staged.keep(name)
            return staged.size

    async def stat(self, name: str) -> Blob | None: ...

    async def open(self, name: str, start: int = 0, stop: int | None = None) -> Reading | None:
        """The bytes from `start` up to `stop`, which have to be there; None when there is no such file."""
        ...

    async def delete(self, name: str) -> None:
        """No complaint when there is none."""
        ...

    def walk(self) -> AsyncGenerator[Blob, None]:
        """All files, in no order. Those that come or go meanwhile may be among them or not."""
        ...


class File(NamedTuple):
    """A file that is known to be there, and where."""

    blobs: Blobs
    name: str
    size: int  # bytes


def check_name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"not a blob's name: {name!r}")
    return name


async def whole(data: bytes) -> AsyncIterator[bytes]:
    """What is in memory already, for `put`."""
    yield data


async def read_all(reading: Reading) -> bytes:
    """A file that is known to be small; closes it."""
    try:
        return b"".join([piece async for piece in reading])
    finally:
        await reading.aclose()


def open_blobs(media: Media, data: Path) -> AbstractAsyncContextManager[Blobs]:
    """Where the configuration says. Raises BlobsFailed when it cannot be used."""
    # By name, so that an HTTP client is needed, and its import paid for, only where S3 is used.
    adapter = "chatd.store.s3" if media.s3_endpoint else "chatd.store.disk"
    try:
        module = import_module(adapter)
    except ModuleNotFoundError as error:
        raise BlobsFailed("S3 needs httpx: pip install 'chatd[s3]'") from error
    opened: AbstractAsyncContextManager[Blobs] = module.open_media(media, data)
    return opened
