"""Stored files as responses: conditional requests, ranges, and headers that keep a file from being a page.

Docs: RFC 9110, sections 13 and 14. Which file it is, and how long it may be kept, is the caller's business.
"""

import re

from chatd.rest.http import Request, Response
from chatd.store.blobs import File

Headers = list[tuple[bytes, bytes]]

# Users upload what they like: a browser neither guesses that it is HTML nor runs it, whatever it is. Pages of other
# origins may show it, as they may show what is on Discord's CDN.
UNTRUSTED: Headers = [
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Content-Security-Policy", b"default-src 'none'; sandbox"),
    (b"Cross-Origin-Resource-Policy", b"cross-origin"),
    (b"Access-Control-Allow-Origin", b"*"),
]

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


async def respond(request: Request, file: File, etag: str, headers: Headers) -> Response | None:
    """The file or what was asked of it; None when it is gone. `headers` say what it is; `etag` is without quotes."""
    headers = [*UNTRUSTED, *headers, (b"ETag", f'"{etag}"'.encode()), (b"Accept-Ranges", b"bytes")]
    if is_unchanged(request, etag):
        return Response(304, headers)
    asked = request.headers.get("range", "")
    if request.headers.get("if-range", f'"{etag}"') != f'"{etag}"':
        asked = ""
    start, stop = parse_range(asked, file.size)
    if start >= stop and asked:
        return Response(416, [*UNTRUSTED, (b"Content-Range", b"bytes */%d" % file.size)])
    body = await file.blobs.open(file.name, start, stop)
    if body is None:
        return None
    if (start, stop) == (0, file.size):
        return Response(200, headers, body)
    return Response(206, [*headers, (b"Content-Range", b"bytes %d-%d/%d" % (start, stop - 1, file.size))], body)


def is_unchanged(request: Request, etag: str) -> bool:
    """Whether the client has this version already (weak comparison, RFC 9110 13.1.2)."""
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return f'"{etag}"' in known or "*" in known


def parse_range(header: str, size: int) -> tuple[int, int]:
    """The bytes asked for, `start` up to `stop`; an empty range when there are none such.

    The whole file for what is not understood, and for several ranges at once, which a server may ignore.
    """
    found = _RANGE.fullmatch(header)
    if found is None or not (found[1] or found[2]):
        return 0, size
    if not found[1]:  # the last so many
        return max(0, size - int(found[2])), size
    if found[2] and int(found[2]) < int(found[1]):  # makes no sense, so it is ignored
        return 0, size
    return int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
