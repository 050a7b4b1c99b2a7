"""The cache of resized images: its bound, its turns, and what survives a restart."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from chatd.config import Media
from chatd.model.errors import ApiError
from chatd.service import renditions
from chatd.service.renditions import WORKERS, Renditions
from chatd.store.blobs import Blobs, open_blobs, read_all, whole
from chatd.store.disk import Disk
from tests.support.pictures import look, noise

NAME = "icons/1/x"


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[Blobs]:
    async with open_blobs(Media(), tmp_path) as blobs:
        await blobs.put(NAME, whole(noise(64, 64)))
        yield blobs


async def make(blobs: Blobs, tmp_path: Path, max_bytes: int = 1 << 20) -> Renditions:
    made = Renditions(blobs, Disk(tmp_path / "cache"), max_bytes)
    await made.load()
    return made


async def cached(tmp_path: Path) -> set[str]:
    return {blob.name async for blob in Disk(tmp_path / "cache").walk()}


async def read(images: Renditions, size: int) -> bytes:
    file = await images.find(NAME, "png", size, False)
    assert file is not None
    reading = await file.blobs.open(file.name)
    assert reading is not None
    data = await read_all(reading)
    assert len(data) == file.size
    assert look(data).size == (size, size)
    return data


async def test_the_least_recently_used_makes_room(blobs: Blobs, tmp_path: Path) -> None:
    images = await make(blobs, tmp_path, max_bytes=14_000)  # 64: 12 kB, 32: 3 kB, 16: 1 kB
    await read(images, 32)
    await read(images, 16)
    await read(images, 32)
    await read(images, 64)
    assert await cached(tmp_path) == {f"{NAME}/64-png-still"}
    images = await make(blobs, tmp_path, max_bytes=5_000)
    assert await cached(tmp_path) == set()
    await read(images, 16)
    await read(images, 32)
    await read(images, 16)
    assert await cached(tmp_path) == {f"{NAME}/16-png-still", f"{NAME}/32-png-still"}


async def test_what_was_made_is_there_after_a_restart(blobs: Blobs, tmp_path: Path) -> None:
    data = await read(await make(blobs, tmp_path), 16)
    again = await make(blobs, tmp_path)
    await blobs.delete(NAME)
    assert await read(again, 16) == data
    await again.forget(NAME)
    assert await again.find(NAME, "png", 16, False) is None
    assert await cached(tmp_path) == set()


async def test_requests_for_the_same_image_make_it_once(blobs: Blobs, tmp_path: Path) -> None:
    images = await make(blobs, tmp_path)
    found = []

    async def find() -> None:
        found.append(await images.find(NAME, "png", 16, False))

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(find)
    assert len(set(found)) == 1
    assert await cached(tmp_path) == {f"{NAME}/16-png-still"}
    again = await make(blobs, tmp_path)
    assert await read(again, 16)


async def test_too_many_are_refused(blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renditions, "QUEUE", 1)
    images = await make(blobs, tmp_path)
    async with trio.open_nursery() as nursery:
        for _ in range(WORKERS + 1):
            nursery.start_soon(images.run, trio.from_thread.run, trio.sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ApiError, match="429 0: You are being rate limited"):
            await images.run(len, b"")
        nursery.cancel_scope.cancel()
