"""What is left of a message when its files are gone: it shows them no more, wherever it did.

A picture of an embed is left out, and so is a file or a gallery among the components; a section without its thumbnail
is its texts. What would be empty then is left out too.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model.objects.component import Component, Container, File, MediaGallery, Section, Thumbnail
from chatd.model.objects.embed import Embed
from chatd.model.objects.message import MessageExtra, Snapshot
from chatd.service import render
from chatd.service.attachment_views import referred_to
from chatd.store.messages import MessageRow
from chatd.store.rows import to_text

Contents = TypeVar("Contents", MessageExtra, Snapshot)
Shows = Callable[[str], bool]  # whether a URL is that of one of the files

# Without any of these there is nothing to see of an embed.
_SEEN = ("title", "description", "fields", "author", "footer", "image", "thumbnail")


def of(row: MessageRow) -> MessageRow | None:
    """The message and what it forwards; None where nothing is left."""
    extra = _without(render.extra_of(row.extra))
    if extra.snapshot is not None:
        snapshot = _without(extra.snapshot)
        extra = replace(extra, snapshot=snapshot if _has_any(snapshot.content, snapshot) else None)
    if _has_any(row.content, extra) or extra.snapshot is not None or extra.poll is not UNSET:
        return replace(row, extra=to_text(extra))
    return None


def _has_any(content: str, contents: MessageExtra | Snapshot) -> bool:
    return bool(content.strip() or contents.embeds or contents.components or contents.sticker_items)


def _without(contents: Contents) -> Contents:
    def shows(url: str) -> bool:
        return referred_to(contents.attachments, url) is not None

    embeds = tuple(left for embed in contents.embeds if (left := _embed(embed, shows)) is not None)
    return replace(contents, attachments=(), embeds=embeds, components=_components(contents.components, shows))


def _embed(embed: Embed, shows: Shows) -> Embed | None:
    changed: dict[str, Any] = {}
    for name in ("image", "thumbnail"):
        if (media := getattr(embed, name)) is not UNSET and shows(media.url):
            changed[name] = UNSET
    for name in ("footer", "author"):
        part = getattr(embed, name)
        if part is not UNSET and part.icon_url and shows(part.icon_url):
            changed[name] = replace(part, icon_url=UNSET)
    left = replace(embed, **changed)
    return left if any(getattr(left, name) for name in _SEEN) or not changed else None


def _components(tree: Sequence[Component], shows: Shows) -> tuple[Any, ...]:
    return tuple(left for component in tree for left in _component(component, shows))


def _component(component: Component, shows: Shows) -> Sequence[Component]:
    match component:
        case File(file=media) if shows(media.url):
            return ()
        case MediaGallery():
            items = tuple(item for item in component.items if not shows(item.media.url))
            return (replace(component, items=items),) if items else ()
        case Section(accessory=Thumbnail(media=media)) if shows(media.url):
            return component.components
        case Container():
            inner = _components(component.components, shows)
            return (replace(component, components=inner),) if inner else ()
    return (component,)
