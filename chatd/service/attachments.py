"""Attachments of messages: which a message has, and where they are. How files arrive is in `uploads`, and how messages
show them in `attachment_views`.

Docs: resources/message, "Attachment Object"; reference, "Uploading Files".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import TOO_MANY_ATTACHMENTS, ApiError
from chatd.model.objects.attachment import (
    AttachmentFlags,
    AttachmentParams,
    RefreshedUrl,
    RefreshedUrls,
    RefreshUrls,
    StoredAttachment,
)
from chatd.model.validate import form_error
from chatd.model.wire import MAX_STRING_INT
from chatd.service import access
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import attachments as store

# New files of a message by the number that the client gave them.
NewFiles = Mapping[int, StoredAttachment]
NO_FILES: NewFiles = {}

_PATH = re.compile(r"/attachments/([0-9]{1,19})/([0-9]{1,19})/([A-Za-z0-9._-]+)")


def listed(
    old: Sequence[StoredAttachment], wanted: Sequence[AttachmentParams] | UnsetType | None, new: NewFiles
) -> tuple[StoredAttachment, ...]:
    """What a message has: of the old ones those that are wanted, in that order, and all new ones.

    Raises TOO_MANY_ATTACHMENTS, or a form error for what is neither.
    """
    if wanted is UNSET:
        found = [*old, *new.values()]
    else:
        there = {int(attachment.id): attachment for attachment in old}
        left = dict(new)
        found = []
        for index, params in enumerate(wanted or ()):
            if params.id in left:
                found.append(left.pop(params.id))
            elif params.id in there:
                found.append(described(there.pop(params.id), params))
            else:
                raise form_error(("attachments", index, "id"), "ATTACHMENT_NOT_FOUND", "Uploaded file not found.")
        found += left.values()
    if len(found) > limits.MESSAGE_ATTACHMENTS:
        raise TOO_MANY_ATTACHMENTS()
    return tuple(found)


def described(attachment: StoredAttachment, params: AttachmentParams) -> StoredAttachment:
    """With what a form says of it; null takes away."""
    said: dict[str, Any] = {}
    for name in ("title", "description"):
        if (text := getattr(params, name)) is not UNSET:
            said[name] = text or UNSET
    for name in ("duration_secs", "waveform"):
        if (value := getattr(params, name)) is not None:
            said[name] = value
    if params.is_spoiler is not UNSET:
        others = (attachment.flags or 0) & ~AttachmentFlags.IS_SPOILER
        said["flags"] = int(others | (AttachmentFlags.IS_SPOILER if params.is_spoiler else 0)) or UNSET
    return replace(attachment, **said)


def names(kept: Sequence[StoredAttachment]) -> frozenset[str]:
    """By which embeds and components may refer to them."""
    return frozenset(attachment.filename for attachment in kept)


def path_of(attachment: StoredAttachment) -> str:
    return f"/attachments/{attachment.channel_id}/{attachment.id}/{attachment.filename}"


async def find(core: Core, attachment_id: int) -> StoredAttachment | None:
    """None when no message has it any more."""
    return await core.db.read(store.get, attachment_id)


async def refresh(core: Core, me: Actor, body: RefreshUrls) -> RefreshedUrls:
    """New links for old ones, and for those without a signature; null for what the asker cannot see."""
    found = [RefreshedUrl(original=url, refreshed=await _refreshed(core, me, url)) for url in body.attachment_urls]
    return RefreshedUrls(refreshed_urls=tuple(found))


async def _refreshed(core: Core, me: Actor, url: str) -> str | None:
    found = _PATH.fullmatch(path_in(url))
    if found is None or int(found[2]) > MAX_STRING_INT:
        return None
    for channel_id, attachment in await core.db.read(store.seen_in, int(found[2])):
        if path_of(attachment) != found[0]:
            continue
        try:
            await access.channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
        except ApiError:
            continue
        return core.links.signed(path_of(attachment))
    return None


def path_in(url: str) -> str:
    """Empty where there is none."""
    try:
        return urlsplit(url).path
    except ValueError:  # an unfinished IPv6 address
        return ""
