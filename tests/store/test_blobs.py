"""Both adapters keep the same promises: a directory, and a bucket of a service that checks every signature."""

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import trio

from chatd.config import Media
from chatd.store.blobs import PIECE_BYTES, Blobs, BlobsFailed, check_name, open_blobs, read_all, whole
from tests.support.s3 import MODIFIED, s3_service

MIB = 1 << 20
NAME = "avatars/1/a_0123"


@pytest.fixture(params=["disk", "s3"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    if request.param == "disk":
        async with open_blobs(Media(), tmp_path) as opened:
            yield opened
    else:
        with s3_service() as service:
            async with open_blobs(Media(**service.options()), tmp_path) as opened:
                yield opened


async def read(blobs: Blobs, name: str, start: int = 0, stop: int | None = None) -> bytes | None:
    reading = await blobs.open(name, start, stop)
    return None if reading is None else await read_all(reading)


def spooled(directory: Path) -> list[str]:
    """What unfinished uploads have left."""
    return os.listdir(directory / "media" / ".unfinished")


async def test_a_file_comes_back_whole_and_in_part(blobs: Blobs, tmp_path: Path) -> None:
    data = os.urandom(3 * PIECE_BYTES + 17)
    assert await blobs.put(NAME, whole(data)) == len(data)
    assert await read(blobs, NAME) == data
    assert await read(blobs, NAME, 5) == data[5:]
    assert await read(blobs, NAME, 5, PIECE_BYTES + 9) == data[5 : PIECE_BYTES + 9]
    found = await blobs.stat(NAME)
    assert found is not None
    assert (found.name, found.size) == (NAME, len(data))
    await blobs.put(NAME, whole(b"another"))
    assert await read(blobs, NAME) == b"another"
    await blobs.put(NAME, whole(b""))
    assert await read(blobs, NAME) == b""
    assert spooled(tmp_path) == []


async def test_a_file_that_is_not_there(blobs: Blobs) -> None:
    await blobs.put("emojis/1", whole(b"x"))
    for name in (NAME, "emojis/2", "emojis/1/2"):
        assert await blobs.stat(name) is None
        assert await blobs.open(name) is None
        await blobs.delete(name)
    await blobs.delete("emojis/1")
    assert await blobs.stat("emojis/1") is None


async def test_walk_finds_every_file(blobs: Blobs) -> None:
    names = {f"icons/{n}/x" for n in range(5)} | {"guilds/1/users/2/avatars/y"}
    for name in names:
        await blobs.put(name, whole(name.encode()))
    async with aclosing(blobs.walk()) as found:
        sizes = {blob.name: blob.size async for blob in found}
    assert sizes == {name: len(name) for name in names}


@pytest.mark.parametrize("name", ["", "a", "/a/b", "a//b", "a/b/", "../a", "a/..", "a/.unfinished", "a/b\0", "a/é"])
def test_names_lead_nowhere_else(name: str) -> None:
    with pytest.raises(ValueError, match="not a blob's name"):
        check_name(name)


async def test_an_upload_that_breaks_off_leaves_what_was_before(blobs: Blobs, tmp_path: Path) -> None:
    await blobs.put(NAME, whole(b"before"))

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * MIB
        raise ConnectionError

    begun = trio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * MIB
        begun.set()
        await trio.sleep_forever()

    with pytest.raises(ConnectionError):
        await blobs.put(NAME, broken())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(blobs.put, NAME, endless())
        await begun.wait()
        assert len(spooled(tmp_path)) == 1
        nursery.cancel_scope.cancel()
    assert spooled(tmp_path) == []
    assert await read(blobs, NAME) == b"before"


async def test_what_a_killed_process_left_is_forgotten(tmp_path: Path) -> None:
    async with open_blobs(Media(), tmp_path) as blobs:
        await blobs.put(NAME, whole(b"kept"))
    (tmp_path / "media/.unfinished/tmp1").write_bytes(b"half")
    async with open_blobs(Media(), tmp_path) as blobs:
        assert spooled(tmp_path) == []
        assert await read(blobs, NAME) == b"kept"


async def test_a_large_upload_takes_no_memory(tmp_path: Path) -> None:
    """100 MiB, with what the process holds looked at while they pass."""
    high = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal high
        piece = os.urandom(MIB)
        for _ in range(100):
            yield piece
            high = max(high, resident())

    async with open_blobs(Media(), tmp_path) as blobs:
        before = resident()
        assert await blobs.put("attachments/1/2", pieces()) == 100 * MIB
        reading = await blobs.open("attachments/1/2")
        assert reading is not None
        async with aclosing(reading):
            async for _ in reading:
                high = max(high, resident())
    assert high - before < 20 * MIB


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file")
    with pytest.raises(BlobsFailed, match="media directory: "):
        async with open_blobs(Media(), tmp_path):
            pass


async def test_a_service_that_refuses_or_breaks_off(tmp_path: Path) -> None:
    with s3_service() as service:
        async with open_blobs(Media(**{**service.options(), "s3_secret_key": "wrong"}), tmp_path) as blobs:
            with pytest.raises(BlobsFailed, match="S3: PUT: 403: SignatureDoesNotMatch"):
                await blobs.put(NAME, whole(b"x"))
        async with open_blobs(Media(**{**service.options(), "s3_bucket": "another"}), tmp_path) as blobs:
            with pytest.raises(BlobsFailed, match="S3: GET: 404: NoSuchBucket"):
                _ = [blob async for blob in blobs.walk()]
        async with open_blobs(Media(**service.options()), tmp_path) as blobs:
            await blobs.put(NAME, whole(b"x" * MIB))
            found = await blobs.stat(NAME)
            assert found is not None
            assert found.modified_ms == MODIFIED * 1000
            service.truncate = True
            with pytest.raises(BlobsFailed, match="S3: "):
                await read(blobs, NAME)
    async with open_blobs(Media(**service.options()), tmp_path) as blobs:
        with pytest.raises(BlobsFailed, match="S3: HEAD: ConnectError"):
            await blobs.stat(NAME)
