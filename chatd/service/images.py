"""Images that users set: checked and stored. Those that nothing names any more are the business of `orphans`.

Docs: reference, "Image Formatting" and "Image Data". What each kind may be is in `model.images`; who may set which
image is the business of the services that call `store`.
"""

import binascii
import hashlib
import re
from collections.abc import Callable
from typing import TypeVar, overload

from msgspec import UnsetType

from chatd.model.errors import ApiError
from chatd.model.images import Kind, name_of
from chatd.model.validate import form_error
from chatd.service import pixels
from chatd.service.core import Core
from chatd.service.pixels import Info, Unreadable
from chatd.store.blobs import whole

T = TypeVar("T")

# What the type says is not relied on: clients that take it from a file's name are often wrong.
_DATA_URI = re.compile(r"data:image/[a-z+.-]+;base64,")


@overload
async def store(core: Core, kind: Kind, owner: int | tuple[int, ...], data: str, field: str) -> str: ...
@overload
async def store(
    core: Core, kind: Kind, owner: int | tuple[int, ...], data: str | UnsetType | None, field: str
) -> str | UnsetType | None: ...
async def store(
    core: Core, kind: Kind, owner: int | tuple[int, ...], data: str | UnsetType | None, field: str
) -> str | UnsetType | None:
    """Check a data URI and store its image; the hash for the row, which begins with `a_` when the image is animated.

    Null and absence go through, so that a form's field may be replaced by what this returns. `owner` is the id, or
    ids, of the kind's path; `field` is the form's, for errors. To be called after permissions were checked, for the
    image is public at once, and before the transaction that writes the hash. Raises INVALID_FORM_BODY, BlobsFailed,
    and a 429 when too many wait.
    """
    if not isinstance(data, str):
        return data
    return await _put(core, kind, owner, *await core.renditions.run(_read, kind, data, field))


async def store_file(core: Core, kind: Kind, owner: int, data: bytes, field: str, check: Callable[[Info], T]) -> T:
    """`store` for an uploaded file of a kind without hashes, where a PNG may be an animation.

    `check` is told what the file is, and may raise; its result is returned.
    """
    info = await core.renditions.run(_inspect, kind, data, field, True)
    result = check(info)
    await _put(core, kind, owner, data, info)
    return result


async def _put(core: Core, kind: Kind, owner: int | tuple[int, ...], data: bytes, info: Info) -> str:
    ids = owner if isinstance(owner, tuple) else (owner,)
    # Salted, so that no name is written twice and an orphan that is being deleted cannot be somebody's new image.
    digest = hashlib.blake2b(data, digest_size=16, salt=core.ids.next().to_bytes(16, "big")).hexdigest()
    hash_ = f"a_{digest}" if info.animated and "gif" in kind.served else digest
    await core.blobs.put(name_of(kind, ids, hash_), whole(data))
    return hash_


async def copy(core: Core, kind: Kind, owner: int, new_kind: Kind, new_owner: int, hash_: str | None) -> str | None:
    """Store an image once more, for somebody who has none yet; None where there is nothing to copy."""
    reading = None if hash_ is None else await core.blobs.open(name_of(kind, (owner,), hash_))
    if hash_ is None or reading is None:
        return None
    try:
        await core.blobs.put(name_of(new_kind, (new_owner,), hash_), reading)
    finally:
        await reading.aclose()
    return hash_


async def default_avatar(core: Core, index: int) -> bytes:
    """The PNG file of "Default User Avatar", 0 to 5."""
    return await core.renditions.run(pixels.default_avatar, index)


# --- in a worker thread ----------------------------------------------------------------------------------------------


def _read(kind: Kind, data: str, field: str) -> tuple[bytes, Info]:
    head = _DATA_URI.match(data)
    if head is None:
        raise _invalid(field)
    if (len(data) - head.end()) * 3 // 4 > kind.max_bytes + 2:  # before its memory is spent; + 2 for the padding
        raise _too_large(kind, field)
    try:
        decoded = binascii.a2b_base64(data[head.end() :], strict_mode=True)
    except ValueError:
        raise _invalid(field) from None
    return decoded, _inspect(kind, decoded, field)


def _inspect(kind: Kind, data: bytes, field: str, apng: bool = False) -> Info:
    if len(data) > kind.max_bytes:
        raise _too_large(kind, field)
    try:
        return pixels.inspect(data, apng)
    except Unreadable:
        raise _invalid(field) from None


def _invalid(field: str) -> ApiError:
    return form_error(field, "IMAGE_INVALID", "Invalid image")


def _too_large(kind: Kind, field: str) -> ApiError:
    return form_error(field, "BINARY_TYPE_MAX_SIZE", f"File cannot be larger than {kind.max_bytes / 1024} kb.")
