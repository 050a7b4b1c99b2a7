"""Files of messages where their links lead: for whoever has one, as long as it is good and a message has the file.

Docs: reference, "Signed Attachment CDN URLs".
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from msgspec import UNSET

from chatd.model.images import FORMATS, Format
from chatd.model.objects.attachment import AttachmentFlags, StoredAttachment
from chatd.rest import download
from chatd.rest.http import Request, Response
from chatd.service import attachments
from chatd.service.core import Core
from chatd.store.attachments import name_of
from chatd.store.blobs import File

PATH = "/attachments/"

# What a browser may show by itself; all else it is told to store.
_SHOWN = ("image/", "audio/", "video/", "text/plain")
# What of the query asks for another picture than the one that was uploaded.
_RESIZING = frozenset({"width", "height", "format"})
_PIXELS = re.compile(r"[1-9][0-9]{0,3}")


class _Rendition(NamedTuple):
    format: Format
    size: int | None  # in pixels, of the larger side
    is_animated: bool


async def respond(core: Core, request: Request) -> Response | None:
    """None for what is not there, or not for this link. Raises what `Renditions.find` does."""
    query = dict(parse_qsl(request.query))
    seconds_left = core.links.seconds_left(request.path, query)
    if not seconds_left:
        return None
    found = await attachments.find(core, int(request.path.split("/")[3]))  # ours, for it is signed
    if found is None:
        return None
    kept = (b"Cache-Control", b"private, max-age=%d, immutable" % seconds_left)
    wanted = _rendition(found, query)
    if wanted is not None:
        headers = [(b"Content-Type", b"image/" + wanted.format.encode()), kept]
        return await _respond_rendition(core, request, name_of(found), wanted, headers)
    kind = found.content_type or "application/octet-stream"
    shown = "inline" if kind.startswith(_SHOWN) else "attachment"
    disposition = f'{shown}; filename="{found.filename}"'
    headers = [(b"Content-Type", kind.encode()), (b"Content-Disposition", disposition.encode()), kept]
    return await download.respond(request, File(core.blobs, name_of(found), found.size), str(found.id), headers)


async def _respond_rendition(
    core: Core, request: Request, name: str, wanted: _Rendition, headers: download.Headers
) -> Response | None:
    file = await core.renditions.find(name, *wanted)
    answer = None if file is None else await download.respond(request, file, file.name, headers)
    if answer is None:  # gone from the cache, perhaps: the next request makes it anew
        await core.renditions.forget(name)
    return answer


def _rendition(found: StoredAttachment, query: dict[str, str]) -> _Rendition | None:
    """The picture that is asked for; None for the file as it is."""
    own = (found.content_type or "").removeprefix("image/")
    if found.width is UNSET or found.height is UNSET or own not in FORMATS or not query.keys() & _RESIZING:
        return None
    is_still_gif = own == "gif" and not (found.flags or 0) & AttachmentFlags.IS_ANIMATED
    format_ = FORMATS.get(query.get("format", ""), "png" if is_still_gif else FORMATS[own])
    # Into the box, which may say one side alone, and never larger than it is.
    scales = [
        int(query[name]) / side
        for name, side in (("width", found.width), ("height", found.height))
        if _PIXELS.fullmatch(query.get(name, ""))
    ]
    size = None
    if scales and min(scales) < 1:
        size = max(1, round(max(found.width, found.height) * min(scales)))
    moves = format_ == "gif" or (format_ == "webp" and query.get("animated") == "true")
    return _Rendition(format_, size, moves)
