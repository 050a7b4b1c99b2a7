"""Files on their way into messages: taken in while the request arrives, named once it is known what they are for.

    1. `may_attach` is asked before the first byte of a file is taken
    2. `receive` has it on disk, without a name; it is gone when the request ends, or the process
    3. `kept` gives it a name, durably, while a message is made that names it

A file is named before the row that names it is written, so that no message is ever told of a file that is not there.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, Self

import trio
from msgspec import UNSET

from chatd.model import files
from chatd.model import permissions as p
from chatd.model.errors import ENTITY_TOO_LARGE
from chatd.model.objects.attachment import AttachmentFlags, AttachmentParams, StoredAttachment
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake
from chatd.service import access, attachments, orphans, pixels
from chatd.service.actors import Actor
from chatd.service.attachments import NewFiles
from chatd.service.core import Core
from chatd.service.pixels import Info
from chatd.store.attachments import name_of
from chatd.store.blobs import Staged
from chatd.store.db import StoreError, StoreFailed

_IMAGES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))
# `files[n]`, `file[n]` and `filen`; a field of another name counts by its place among the files.
_FIELD = re.compile(r"files?\[?([0-9]{1,18})\]?")
_SPOILER = "SPOILER_"


class Upload(NamedTuple):
    """A file that has arrived."""

    field: str
    filename: str  # as the client calls it
    content_type: str | None
    image: Info | None
    staged: Staged


async def may_attach(core: Core, me: Actor, channel_id: Snowflake) -> None:
    """Raises UNKNOWN_CHANNEL, MISSING_ACCESS, MISSING_PERMISSIONS."""
    await access.channel(core, me, channel_id, p.ATTACH_FILES)


@asynccontextmanager
async def receive(core: Core, field: str, filename: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[Upload]:
    """A file as it comes. Raises ENTITY_TOO_LARGE, a 429 when too many images wait to be looked at, BlobsFailed."""
    incoming = _Incoming(pieces, core.config.media.max_file_bytes)
    async with core.blobs.stage(incoming) as staged:
        kind = files.media_type(incoming.head)
        image = await core.renditions.run(pixels.measure, staged.path) if kind in _IMAGES else None
        yield Upload(field, filename, kind, image, staged)


class _Incoming:
    """A file's pieces on their way to the disk: not too many, and the first ones remembered."""

    def __init__(self, pieces: AsyncIterator[bytes], max_bytes: int) -> None:
        self.head = b""
        self._pieces = pieces
        self._left = max_bytes

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = await anext(self._pieces)
        self._left -= len(piece)
        if self._left < 0:
            raise ENTITY_TOO_LARGE()
        self.head += piece[: files.HEAD_BYTES - len(self.head)]
        return piece


@asynccontextmanager
async def kept(
    core: Core, channel_id: int, uploads: Sequence[Upload], described: Sequence[AttachmentParams]
) -> AsyncIterator[NewFiles]:
    """The uploads as attachments of a message that is to be made; what no message names afterwards is deleted.

    `described` is what the form says of them. Raises a form error, BlobsFailed.
    """
    new = _numbered(core, channel_id, uploads, {int(params.id): params for params in described})
    names = [name_of(attachment) for attachment in new.values()]
    try:
        for name, upload in zip(names, uploads, strict=True):
            await upload.staged.keep(name)
        yield new
    except StoreFailed:  # whether a message names them is not known; the collector will see
        names = []
        raise
    finally:
        if names:
            with trio.CancelScope(shield=True), suppress(StoreError):  # else the collector's; the message may be there
                await orphans.delete(core, names)


def _numbered(
    core: Core, channel_id: int, uploads: Sequence[Upload], described: Mapping[int, AttachmentParams]
) -> dict[int, StoredAttachment]:
    new: dict[int, StoredAttachment] = {}
    for place, upload in enumerate(uploads):
        found = _FIELD.fullmatch(upload.field)
        number = int(found[1]) if found else place
        if number in new:
            raise form_error(upload.field, "BASE_TYPE_ALREADY_EXISTS", "Two files have the same number")
        new[number] = _attachment(core.ids.next(), channel_id, upload, described.get(number))
    return new


def _attachment(id_: int, channel_id: int, upload: Upload, params: AttachmentParams | None) -> StoredAttachment:
    called = upload.filename
    if params is not None and params.filename is not None:
        called = params.filename
    filename = files.sanitize(called)
    flags = 0
    if filename.startswith(_SPOILER):
        flags |= AttachmentFlags.IS_SPOILER
    if upload.image is not None and upload.image.animated:
        flags |= AttachmentFlags.IS_ANIMATED
    made = StoredAttachment(
        id=Snowflake(id_),
        channel_id=Snowflake(channel_id),
        filename=filename,
        size=upload.staged.size,
        content_type=upload.content_type or UNSET,
        width=upload.image.width if upload.image else UNSET,
        height=upload.image.height if upload.image else UNSET,
        # As Discord does: what the name has lost is in the title.
        title=UNSET if filename == called else called.rpartition(".")[0] or called,
        flags=int(flags) or UNSET,
    )
    return made if params is None else attachments.described(made, params)
