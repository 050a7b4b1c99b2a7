"""Stored files that nothing names any more: replaced images, files of deleted messages."""

from contextlib import aclosing

from chatd import log
from chatd.service.core import Core
from chatd.store import media

logger = log.get(__name__)

# Names that one transaction looks up.
BATCH = 200


async def collect(core: Core) -> int:
    """Delete those that are older than orphans are kept; how many there were."""
    newest_ms = core.clock_ms() - int(core.config.media.orphan_age_s * 1000)
    deleted = 0
    names: list[str] = []
    async with aclosing(core.blobs.walk()) as walk:
        async for blob in walk:
            if blob.modified_ms <= newest_ms:
                names.append(blob.name)
            if len(names) == BATCH:
                deleted += await delete(core, names)
                names = []
    deleted += await delete(core, names)
    if deleted:
        logger.info("orphaned files deleted", count=deleted)
    return deleted


async def delete(core: Core, names: list[str]) -> int:
    """Those of the files that nothing names; how many they were."""
    found = await core.db.read(media.orphans, names)
    for name in found:
        await core.blobs.delete(name)
        await core.renditions.forget(name)
    return len(found)
