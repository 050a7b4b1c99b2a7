"""Files in a bucket of an S3-compatible service: the adapter for media that outgrow a disk.

Path-style URLs, which every such service understands. An upload is spooled to a local file first: its size and hash
have to be known before its first byte is sent, and a cut short upload never reaches the bucket. One object is at most
5 GB, which is S3's limit for a single PUT.
"""

import hashlib
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import trio

from chatd.config import Media
from chatd.model.wire import parse_timestamp
from chatd.store.blobs import PIECE_BYTES, Blob, Blobs, BlobsFailed, Reading, Staged, check_name
from chatd.store.disk import Disk
from chatd.store.sigv4 import EMPTY_SHA256, Key, encode_path, encode_query, sign

# For each single wait: to connect, for the next bytes of an answer, for room to send, for a free connection.
TIMEOUT_S = 20.0
CONNECTIONS = 32
# Of an error's body, for the log.
EXPLANATION_BYTES = 500

_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class S3(Blobs):
    """All files of one bucket, which holds nothing else. `now` is Unix time in seconds."""

    def __init__(self, media: Media, client: httpx.AsyncClient, spool: Disk, now: Callable[[], float]) -> None:
        self._host = urlsplit(media.s3_endpoint).netloc
        self._endpoint = media.s3_endpoint.rstrip("/")
        self._bucket = f"/{media.s3_bucket}"
        self._key = Key(access=media.s3_access_key, secret=media.s3_secret_key, region=media.s3_region)
        self._client = client
        self._spool = spool
        self._now = now

    @asynccontextmanager
    async def stage(self, pieces: AsyncIterable[bytes]) -> AsyncIterator[Staged]:
        async with self._spool.spool(pieces) as (file, size):
            yield _S3Staged(self, file, size)

    async def upload(self, file: Path, size: int, name: str) -> None:
        """A spooled file."""
        path = self._path(name)
        sha256 = await self._spool.run(_hash, file)
        body = await self._spool.read(file)
        assert body is not None, "spooled, and not let go of"
        async with aclosing(body):
            answer = await self._ask("PUT", path, headers={"Content-Length": str(size)}, body=body, sha256=sha256)
        await answer.aclose()

    async def stat(self, name: str) -> Blob | None:
        answer = await self._ask("HEAD", self._path(name), absent_ok=True)
        await answer.aclose()
        if answer.status_code == 404:
            return None
        modified = parsedate_to_datetime(answer.headers["Last-Modified"])
        return Blob(name, int(answer.headers["Content-Length"]), int(modified.timestamp() * 1000))

    async def open(self, name: str, start: int = 0, stop: int | None = None) -> Reading | None:
        whole = start == 0 and stop is None
        last = "" if stop is None else str(stop - 1)
        headers = {} if whole else {"Range": f"bytes={start}-{last}"}
        answer = await self._ask("GET", self._path(name), headers=headers, absent_ok=True)
        if answer.status_code == 404:
            await answer.aclose()
            return None
        return _S3Reading(answer)

    async def delete(self, name: str) -> None:
        await (await self._ask("DELETE", self._path(name), absent_ok=True)).aclose()

    async def walk(self) -> AsyncGenerator[Blob, None]:
        query = {"list-type": "2"}
        while True:
            answer = await self._ask("GET", self._bucket, query=query)
            try:
                page = ElementTree.fromstring(await answer.aread())
            except (httpx.HTTPError, ElementTree.ParseError) as error:
                raise BlobsFailed(f"S3: {error!r}") from error
            for item in page.iter(f"{_NAMESPACE}Contents"):
                fields = {field.tag.removeprefix(_NAMESPACE): field.text or "" for field in item}
                yield Blob(fields["Key"], int(fields["Size"]), parse_timestamp(fields["LastModified"]))
            token = page.findtext(f"{_NAMESPACE}NextContinuationToken")
            if not token:
                return
            query = {"list-type": "2", "continuation-token": token}

    def _path(self, name: str) -> str:
        return f"{self._bucket}/{check_name(name)}"

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: AsyncIterable[bytes] | None = None,
        sha256: str = EMPTY_SHA256,
        absent_ok: bool = False,
    ) -> httpx.Response:
        """A success whose body is still to be read, or, where that is allowed, a 404. Raises BlobsFailed otherwise."""
        when = datetime.fromtimestamp(self._now(), UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = sign(self._key, method, path, query or {}, {"Host": self._host, **(headers or {})}, sha256, when)
        url = f"{self._endpoint}{encode_path(path)}?{encode_query(query or {})}".rstrip("?")
        try:
            request = self._client.build_request(method, url, headers=signed, content=body)
            answer = await self._client.send(request, stream=True)
            if answer.is_success or (absent_ok and answer.status_code == 404):
                return answer
            explanation = (await _beginning(answer)).decode("utf-8", "replace")
        except httpx.HTTPError as error:
            raise BlobsFailed(f"S3: {method}: {error!r}") from error
        raise BlobsFailed(f"S3: {method}: {answer.status_code}: {explanation}")


class _S3Staged(Staged):
    def __init__(self, bucket: S3, path: Path, size: int) -> None:
        self._bucket = bucket
        self.path = path
        self.size = size

    async def keep(self, name: str) -> None:
        await self._bucket.upload(self.path, self.size, name)


class _S3Reading(Reading):
    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer
        self._pieces = cast(AsyncGenerator[bytes, None], answer.aiter_raw(PIECE_BYTES))
        self.size = int(answer.headers["Content-Length"])

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except httpx.HTTPError as error:  # also when fewer bytes come than were announced
            raise BlobsFailed(f"S3: {error!r}") from error

    async def aclose(self) -> None:
        with trio.CancelScope(shield=True):
            await self._pieces.aclose()
            await self._answer.aclose()


@asynccontextmanager
async def open_media(media: Media, data: Path) -> AsyncIterator[S3]:
    spool = Disk(Path(media.path) if media.path else data / "media")
    await spool.prepare()
    options: dict[str, Any] = {
        "timeout": TIMEOUT_S,
        "limits": httpx.Limits(max_connections=CONNECTIONS),
        "verify": ssl.create_default_context(),  # the machine's authorities, so that a private one can be added
        "trust_env": False,  # nobody's credentials but the configured ones
        "headers": {"Accept-Encoding": "identity"},
    }
    async with httpx.AsyncClient(**options) as client:
        yield S3(media, client, spool, time.time)


async def _beginning(answer: httpx.Response) -> bytes:
    pieces = cast(AsyncGenerator[bytes, None], answer.aiter_bytes(EXPLANATION_BYTES))
    async with aclosing(answer), aclosing(pieces):
        return await anext(pieces, b"")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
