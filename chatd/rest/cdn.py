"""Images where libraries look for them: open, outside of /api, and kept by clients for ever. `attachments` are beside.

Docs: reference, "CDN Endpoints". A library's CDN base URL is the server's own.
"""

from http import HTTPStatus
from urllib.parse import parse_qs

from chatd.model.errors import ApiError
from chatd.model.images import FORMATS, KINDS, Format, Found, parse_name
from chatd.model.wire import encode
from chatd.rest import attachments
from chatd.rest.download import UNTRUSTED, is_unchanged, respond
from chatd.rest.http import Handler, Request, Response
from chatd.service import images
from chatd.service.core import Core
from chatd.service.pixels import DEFAULT_FIGURES, Unanimated, Unreadable
from chatd.store.db import StoreError

SIZES = frozenset(str(1 << power) for power in range(4, 13))

DEFAULT_AVATARS = "/embed/avatars/"
_DEFAULT_AVATAR_INDEXES = frozenset(map(str, range(len(DEFAULT_FIGURES))))
_PATHS = (DEFAULT_AVATARS, attachments.PATH, *{f"/{kind.template.partition('/')[0]}/" for kind in KINDS})

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
        except (Unanimated, Unreadable):
            return _refuse(415)
        except ApiError as error:  # too many wait
            headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
            return Response(error.status, [_JSON, *headers], encode(error.body()))
        except StoreError:
            return _refuse(503)

    return handle


async def _answer(core: Core, request: Request) -> Response:
    if request.path.startswith(attachments.PATH):
        return await attachments.respond(core, request) or _refuse(404)
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
    file = await core.renditions.find(name, format_, pixels, animated)
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


_JSON = (b"Content-Type", b"application/json")


def _refuse(status: int) -> Response:
    return Response(status, [_JSON], encode({"message": f"{status}: {HTTPStatus(status).phrase}", "code": 0}))
