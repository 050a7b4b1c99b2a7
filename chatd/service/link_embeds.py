"""What a link becomes: an embed made of what is found behind it. Docs: resources/message, "Embed Object".

Discord does not say what its own is made of; this follows The Open Graph Protocol (ogp.me), the `twitter:` names that
pages have beside it, and plain HTML.
"""

import re
from urllib.parse import urljoin, urlsplit

from msgspec import UNSET, UnsetType

from chatd.model import limits
from chatd.model.objects.embed import Embed, EmbedMedia, EmbedProvider
from chatd.service import pixels
from chatd.web import page
from chatd.web.fetch import Fetched

PAGE_TYPES = frozenset(("text/html", "application/xhtml+xml"))
IMAGE_TYPES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))

# Where a page says it, the best first.
_TITLE = ("og:title", "twitter:title", "title")
_DESCRIPTION = ("og:description", "twitter:description", "description")
_IMAGE = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image", "twitter:image:src")
_COLOR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
# Longer ones are cut; with it, no number of links comes to the limit of all embeds of a message.
DESCRIPTION_LENGTH = 350
_URL_LENGTH = 2048


def embed(url: str, fetched: Fetched) -> Embed | None:
    """Of an image or a page; None for one that says nothing of itself. Takes milliseconds: for a worker thread."""
    if fetched.media_type in IMAGE_TYPES:
        return _of_image(url, fetched)
    return _of_page(url, fetched, page.meta(fetched.body, fetched.charset))


def _of_image(url: str, fetched: Fetched) -> Embed | None:
    try:
        width, height = pixels.measure_head(fetched.body)
    except pixels.Unreadable:
        return None
    return Embed(type="image", url=url, thumbnail=EmbedMedia(url=fetched.url, width=width, height=height))


def _of_page(url: str, fetched: Fetched, meta: dict[str, str]) -> Embed | None:
    title = _text(meta, _TITLE, limits.EMBED_TITLE_LENGTH)
    description = _text(meta, _DESCRIPTION, DESCRIPTION_LENGTH)
    thumbnail = _image(fetched, meta)
    if title is UNSET and description is UNSET and thumbnail is UNSET:
        return None
    site = _text(meta, ("og:site_name",), limits.EMBED_AUTHOR_LENGTH)
    color = meta.get("theme-color", "")
    return Embed(
        type="article" if meta.get("og:type") == "article" else "link",
        url=url,
        title=title,
        description=description,
        color=int(color[1:], 16) if _COLOR.fullmatch(color) else UNSET,
        thumbnail=thumbnail,
        provider=UNSET if site is UNSET else EmbedProvider(name=site),
    )


def _image(fetched: Fetched, meta: dict[str, str]) -> EmbedMedia | UnsetType:
    """Clients load it themselves, so it is a URL that they may."""
    image = next((meta[name] for name in _IMAGE if name in meta), None)
    if image is None:
        return UNSET
    try:
        url = urljoin(fetched.url, image)
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            return UNSET
    except ValueError:
        return UNSET
    if len(url) > _URL_LENGTH:
        return UNSET
    width, height = (_pixels(meta.get(f"og:image:{side}", "")) for side in ("width", "height"))
    return EmbedMedia(url=url, width=width, height=height)


def _text(meta: dict[str, str], names: tuple[str, ...], length: int) -> str | UnsetType:
    text = next((meta[name] for name in names if name in meta), None)
    if text is None:
        return UNSET
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _pixels(text: str) -> int | UnsetType:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,4}", text) else UNSET
