"""Images and attachments where libraries look for them, outside of /api. A library's CDN base URL is the server's own.

Docs: reference, "CDN Endpoints" and "Signed Attachment CDN URLs". Images are open to everybody and kept by clients for
ever; an attachment is for who has its link, as long as that is good and a message has it.
"""

import re
from http import HTTPStatus
from urllib.parse import parse_qs, parse_qsl

from msgspec import UNSET

from chatd.model.errors import ApiError
from chatd.model.images import KINDS, Format, Found, parse_name
from chatd.model.objects.attachment import AttachmentFlags, StoredAttachment
from chatd.model.wire import encode
from chatd.rest.download import UNTRUSTED, is_unchanged, respond
from chatd.rest.http import Handler, Request, Response
from chatd.service import attachments, images
from chatd.service.core import Core
from chatd.service.pixels import DEFAULT_FIGURES, Unanimated, Unreadable
from chatd.store.attachments import name_of
from chatd.store.blobs import File
from chatd.store.db import StoreError

# By a path's extension.
FORMATS: dict[str, Format] = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp", "gif": "gif"}

SIZES = frozenset(str(1 << power) for power in range(4, 13))

DEFAULT_AVATARS = "/embed/avatars/"
_DEFAULT_AVATAR_INDEXES = frozenset(map(str, range(len(DEFAULT_FIGURES))))
ATTACHMENTS = "/attachments/"
_PATHS = (DEFAULT_AVATARS, ATTACHMENTS, *{f"/{kind.template.partition('/')[0]}/" for kind in KINDS})

# What a browser may show by itself; all else it is told to store.
_SHOWN = ("image/", "audio/", "video/", "text/plain")
# What of an attachment's query asks for another picture than the one that was uploaded.
_RESIZING = frozenset({"width", "height", "format"})
_PIXELS = re.compile(r"[1-9][0-9]{0,3}")

# What a path names never changes, except for the default avatars, which may look different in another version.
_FOR_EVER = (b"Cache-Control", b"public, max-age=31536000, immutable")
_FOR_A_DAY = (b"Cache-Control", b"public, max-age=86400")


def with_cdn(core: Core, handler: Handler) -> Handler:
    """The handler, with the images' paths in front of it."""

    async def handle(request: Request) -> Response:
        if request.method != "GET" or not request.path.startswith(_PATHS):
            return await handler(request)
        try:
            return await _answer(core, request)
        except ApiError as error:  # too many wait
            headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
            return Response(error.status, [_JSON, *headers], encode(error.body()))
        except StoreError:
            return _refuse(503)

    return handle


async def _answer(core: Core, request: Request) -> Response:
    if request.path.startswith(ATTACHMENTS):
        return await _attachment(core, request)
    stem, _, extension = request.path.rpartition(".")
    if request.path.startswith(DEFAULT_AVATARS):
        return await _default_avatar(core, request, stem.removeprefix(DEFAULT_AVATARS), extension)
    found = parse_name(stem[1:])
    if found is None:
        return _refuse(404)
    format_ = FORMATS.get(extension)
    if format_ is None or format_ not in found.kind.served:
        return _refuse(415)
    return await _image(core, request, stem[1:], found, format_)


async def _image(core: Core, request: Request, name: str, found: Found, format_: Format) -> Response:
    query = parse_qs(request.query)
    [size] = query.get("size", [None])[-1:]
    if size is not None and size not in SIZES:
        return _refuse(400)
    pixels = int(size) if size and found.kind.resized else None
    animated = format_ == "gif" or (format_ == "webp" and query.get("animated", [""])[-1] == "true")
    try:
        file = await core.renditions.find(name, format_, pixels, animated)
    except (Unanimated, Unreadable):
        return _refuse(415)
    if file is None:
        return _refuse(404)
    headers = [(b"Content-Type", b"image/" + format_.encode()), _FOR_EVER]
    answer = await respond(request, file, file.name, headers)
    if answer is None:  # gone from the cache, in this moment or by an operator's hand: the next request makes it anew
        await core.renditions.forget(name)
        return _refuse(404)
    return answer


async def _default_avatar(core: Core, request: Request, index: str, extension: str) -> Response:
    if index not in _DEFAULT_AVATAR_INDEXES or extension != "png":
        return _refuse(404)
    data = await images.default_avatar(core, int(index))
    headers = [*UNTRUSTED, (b"Content-Type", b"image/png"), _FOR_A_DAY, (b"ETag", f'"{index}"'.encode())]
    return Response(304, headers) if is_unchanged(request, index) else Response(200, headers, data)


async def _attachment(core: Core, request: Request) -> Response:
    query = dict(parse_qsl(request.query))
    seconds_left = core.links.seconds_left(request.path, query)
    found = await attachments.find(core, int(request.path.split("/")[3])) if seconds_left else None
    if found is None:
        return _refuse(404)
    kept = (b"Cache-Control", b"private, max-age=%d, immutable" % seconds_left)
    wanted = _rendition(found, query)
    if wanted is not None:
        try:
            file = await core.renditions.find(name_of(found), *wanted)
        except (Unanimated, Unreadable):
            return _refuse(415)
        headers = [(b"Content-Type", b"image/" + wanted[0].encode()), kept]
        answer = None if file is None else await respond(request, file, file.name, headers)
    else:
        kind = found.content_type or "application/octet-stream"
        shown = "inline" if kind.startswith(_SHOWN) else "attachment"
        headers = [
            (b"Content-Type", kind.encode()),
            (b"Content-Disposition", f'{shown}; filename="{found.filename}"'.encode()),
            kept,
        ]
        answer = await respond(request, File(core.blobs, name_of(found), found.size), str(found.id), headers)
    return answer or _refuse(404)


def _rendition(found: StoredAttachment, query: dict[str, str]) -> tuple[Format, int | None, bool] | None:
    """Format, size, and whether it moves, of the picture that is asked for; None for the file as it is."""
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
    return format_, size, moves


_JSON = (b"Content-Type", b"application/json")


def _refuse(status: int) -> Response:
    return Response(status, [_JSON], encode({"message": f"{status}: {HTTPStatus(status).phrase}", "code": 0}))
