"""How a message shows its files: with links that are good from now on, in its embeds, in its components, or listed.

Docs: resources/message, "Message Structure"; reference, "Uploading Files"; components/reference, "Unfurled Media Item".
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model.files import sanitize
from chatd.model.objects.attachment import Attachment, AttachmentInfo, StoredAttachment
from chatd.model.objects.component import (
    Container,
    File,
    GalleryItem,
    Media,
    MediaGallery,
    MessageComponent,
    Section,
    Thumbnail,
)
from chatd.model.objects.embed import Embed, EmbedMedia
from chatd.service.attachments import path_in, path_of
from chatd.service.core import Core

_REFERENCE = "attachment://"

# Where components have media, and others in them.
_INNER: dict[type[Any], tuple[str, ...]] = {
    Container: ("components",),
    Section: ("accessory",),
    Thumbnail: ("media",),
    MediaGallery: ("items",),
    GalleryItem: ("media",),
    File: ("file",),
}

Find = Callable[[str], StoredAttachment | None]
Sign = Callable[[str], str]


class Contents(NamedTuple):
    attachments: tuple[Attachment, ...]
    embeds: tuple[Embed, ...]
    components: tuple[MessageComponent, ...]


def shown(
    core: Core,
    kept: Sequence[StoredAttachment],
    embeds: tuple[Embed, ...],
    components: tuple[MessageComponent, ...],
) -> Contents:
    """What an embed or a component shows is not listed besides."""
    used: set[int] = set()

    def find(url: str) -> StoredAttachment | None:
        found = referred_to(kept, url)
        if found is not None:
            used.add(found.id)
        return found

    def signed(url: str) -> str:
        found = find(url)
        return url if found is None else core.links.signed(path_of(found))

    embeds = tuple(_embed(embed, signed) for embed in embeds)
    components = _component(components, find, signed)
    return Contents(tuple(_listed(core, it) for it in kept if it.id not in used), embeds, components)


def referred_to(kept: Sequence[StoredAttachment], url: str) -> StoredAttachment | None:
    """By its name, or by a link that its author was shown and sends back, say with an edit; `server.public_url` may
    have been another then.
    """
    if url.startswith(_REFERENCE):
        name = sanitize(url.removeprefix(_REFERENCE))
        return next((attachment for attachment in kept if attachment.filename == name), None)
    if "/attachments/" in url:
        path = path_in(url)
        return next((attachment for attachment in kept if path == path_of(attachment)), None)
    return None


def _listed(core: Core, attachment: StoredAttachment) -> Attachment:
    url = core.links.signed(path_of(attachment))
    told = {name: getattr(attachment, name) for name in AttachmentInfo.__struct_fields__}
    return Attachment(**told, url=url, proxy_url=url)


def _embed(embed: Embed, signed: Sign) -> Embed:
    changed: dict[str, Any] = {}
    for name in ("image", "thumbnail"):
        if isinstance(media := getattr(embed, name), EmbedMedia):
            changed[name] = replace(media, url=signed(media.url))
    for name in ("footer", "author"):
        part = getattr(embed, name)
        if part is not UNSET and isinstance(part.icon_url, str):
            changed[name] = replace(part, icon_url=signed(part.icon_url))
    return replace(embed, **changed) if changed else embed


def _component(node: Any, find: Find, signed: Sign) -> Any:
    if isinstance(node, tuple):
        return tuple(_component(inner, find, signed) for inner in node)
    if isinstance(node, Media):
        url = signed(node.url)
        return replace(node, url=url, proxy_url=url)
    changed = {name: _component(getattr(node, name), find, signed) for name in _INNER.get(type(node), ())}
    if isinstance(node, File) and (attachment := find(node.file.url)) is not None:
        changed |= {"name": attachment.filename, "size": attachment.size}
    return replace(node, **changed) if changed else node
