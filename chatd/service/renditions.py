"""Images in the sizes and formats that clients ask for: made when first asked for, and kept on disk.

Owns the cache and the turns of the threads that work on pixels: whoever decodes what users sent takes a turn here, so
that neither cores nor memory go to images alone.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar, TypeVarTuple

import trio

from chatd.model.errors import rate_limited
from chatd.model.images import Format
from chatd.service import pixels
from chatd.store.blobs import Blobs, File, read_all, whole
from chatd.store.disk import Disk

# At once; each may need some 200 MB for the largest image that is taken.
WORKERS = 2
# Turns that wait; beyond it 429. Together they are through in some seconds of ordinary images.
QUEUE = 128
RETRY_AFTER_S = 2.0

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Renditions:
    """`cache` holds nothing else and is trimmed to `max_bytes`, least recently used first."""

    def __init__(self, blobs: Blobs, cache: Disk, max_bytes: int) -> None:
        self._blobs = blobs
        self._cache = cache
        self._max_bytes = max_bytes
        self._workers = trio.CapacityLimiter(WORKERS)
        self._kept: OrderedDict[str, int] = OrderedDict()  # name in the cache -> bytes
        self._bytes = 0

    async def load(self) -> None:
        """Take over what an earlier process left in the cache."""
        await self._cache.prepare()
        async with aclosing(self._cache.walk()) as walk:
            found = [blob async for blob in walk]
        for blob in sorted(found, key=lambda blob: blob.modified_ms):
            await self._keep(blob.name, blob.size)

    async def find(self, name: str, format_: Format, size: int | None, animated: bool) -> File | None:
        """The stored image `name`, no larger than `size`; None when there is no such image.

        The file that was uploaded when it is that already. Raises pixels.Unanimated, pixels.Unreadable, a 429 when too
        many wait, and BlobsFailed.
        """
        key = f"{name}/{size or 'full'}-{format_}-{'moving' if animated else 'still'}"
        if key not in self._kept:
            if await self._blobs.stat(name) is None:
                return None
            async with self._turn():
                if key not in self._kept:  # another turn may have made it
                    await self._make(key, name, format_, size, animated)
        if key not in self._kept:  # deleted in this moment
            return None
        self._kept.move_to_end(key)
        return File(self._cache, key, self._kept[key])

    async def run(self, fn: Callable[[*Ts], T], *args: *Ts) -> T:
        """Work on pixels that is not for the cache. Raises a 429 when too many wait."""
        async with self._turn():
            return await trio.to_thread.run_sync(fn, *args)

    async def forget(self, name: str) -> None:
        """Its image, or what was made of it, is deleted."""
        for key in [key for key in self._kept if key.startswith(f"{name}/")]:
            await self._drop(key)

    async def _make(self, key: str, name: str, format_: Format, size: int | None, animated: bool) -> None:
        reading = await self._blobs.open(name)
        if reading is None:
            return
        original = await read_all(reading)
        made = await trio.to_thread.run_sync(pixels.convert, original, format_, size, animated)
        await self._cache.put(key, whole(made))
        await self._keep(key, len(made))

    async def _keep(self, key: str, size: int) -> None:
        self._kept[key] = size
        self._bytes += size
        while self._bytes > self._max_bytes:
            await self._drop(next(iter(self._kept)))

    async def _drop(self, key: str) -> None:
        self._bytes -= self._kept.pop(key, 0)  # 0: somebody else drops it
        await self._cache.delete(key)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._workers.statistics().tasks_waiting >= QUEUE:
            raise rate_limited(RETRY_AFTER_S, "shared")
        async with self._workers:
            yield
