"""Attachments of messages: which a message has, and how they are shown. How files arrive is in `uploads`.

Docs: resources/message, "Attachment Object"; reference, "Uploading Files".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from chatd.model import files, limits
from chatd.model import permissions as p
from chatd.model.errors import TOO_MANY_ATTACHMENTS, ApiError
from chatd.model.objects.attachment import (
    Attachment,
    AttachmentFlags,
    AttachmentInfo,
    AttachmentParams,
    RefreshedUrl,
    RefreshedUrls,
    RefreshUrls,
    StoredAttachment,
)
from chatd.model.objects.embed import Embed, EmbedMedia
from chatd.model.validate import form_error
from chatd.model.wire import MAX_STRING_INT
from chatd.service import access
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import attachments as store

# New files of a message by the number that the client gave them.
NewFiles = Mapping[int, StoredAttachment]
NO_FILES: NewFiles = {}

# In an embed, a file of the same message.
_REFERENCE = "attachment://"
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


def shown(
    core: Core, kept: Sequence[StoredAttachment], embeds: Sequence[Embed]
) -> tuple[tuple[Attachment, ...], tuple[Embed, ...]]:
    """With links that are good from now on. What an embed shows is not listed besides."""
    in_embeds: set[int] = set()
    finished = tuple(_with_links(core, embed, kept, in_embeds) for embed in embeds)
    return tuple(_shown(core, attachment) for attachment in kept if attachment.id not in in_embeds), finished


def path_of(attachment: StoredAttachment) -> str:
    return f"/attachments/{attachment.channel_id}/{attachment.id}/{attachment.filename}"


async def find(core: Core, attachment_id: int) -> StoredAttachment | None:
    """None when no message has it any more."""
    return await core.db.read(store.get, attachment_id)


async def refresh(core: Core, me: Actor, body: RefreshUrls) -> RefreshedUrls:
    """New links for old ones, and for those without a signature; null for what the asker cannot see."""
    return RefreshedUrls(
        refreshed_urls=tuple(
            [RefreshedUrl(original=url, refreshed=await _refreshed(core, me, url)) for url in body.attachment_urls]
        )
    )


async def _refreshed(core: Core, me: Actor, url: str) -> str | None:
    found = _PATH.fullmatch(_path(url))
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


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # an unfinished IPv6 address
        return ""


def _shown(core: Core, attachment: StoredAttachment) -> Attachment:
    url = core.links.signed(path_of(attachment))
    told = {name: getattr(attachment, name) for name in AttachmentInfo.__struct_fields__}
    return Attachment(**told, url=url, proxy_url=url)


def _with_links(core: Core, embed: Embed, kept: Sequence[StoredAttachment], in_embeds: set[int]) -> Embed:
    def link(url: str) -> str:
        attachment = _referred_to(core, kept, url)
        if attachment is None:
            return url
        in_embeds.add(attachment.id)
        return core.links.signed(path_of(attachment))

    changed: dict[str, Any] = {}
    for name in ("image", "thumbnail"):
        if isinstance(media := getattr(embed, name), EmbedMedia):
            changed[name] = replace(media, url=link(media.url))
    for name in ("footer", "author"):
        part = getattr(embed, name)
        if part is not UNSET and isinstance(part.icon_url, str):
            changed[name] = replace(part, icon_url=link(part.icon_url))
    return replace(embed, **changed) if changed else embed


def _referred_to(core: Core, kept: Sequence[StoredAttachment], url: str) -> StoredAttachment | None:
    """By its name, or by a link that its author was shown and sends back, say with an edit."""
    if url.startswith(_REFERENCE):
        name = files.sanitize(url.removeprefix(_REFERENCE))
        return next((attachment for attachment in kept if attachment.filename == name), None)
    if url.startswith(f"{core.links.base}/attachments/"):
        path = _path(url)
        return next((attachment for attachment in kept if path == path_of(attachment)), None)
    return None
