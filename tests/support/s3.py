"""A small S3 service for tests: one bucket in memory, which checks every signature by its own arithmetic.

It shares no code with chatd. Listings come in pages of two.
"""

import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ACCESS, SECRET, REGION, BUCKET = "AKIATEST", "secret/+key", "eu-test-1", "media"
PAGE = 2
HANG_S = 10.0  # at most
MODIFIED = 1_700_000_000  # Unix time of all objects

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request,\s*"
    r"SignedHeaders=([^,]+),\s*Signature=(\w{64})"
)


class Service(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.truncate = False  # announce more than is sent
        self.is_down = False
        self.hangs = False
        self._asked, self._goes_on = threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def hang(self) -> None:
        """Answer nothing until `go_on`."""
        self._asked.clear()
        self._goes_on.clear()
        self.hangs = True

    def wait(self) -> bool:
        """On a thread of its own: until a request hangs; False when none has come for a while."""
        return self._asked.wait(HANG_S)

    def go_on(self) -> None:
        self.hangs = False
        self._goes_on.set()

    def hold_up(self) -> None:
        """By a request."""
        self._asked.set()
        self._goes_on.wait(HANG_S)

    def options(self) -> dict[str, str]:
        """chatd's configuration for it."""
        return {
            "s3_endpoint": self.url,
            "s3_bucket": BUCKET,
            "s3_region": REGION,
            "s3_access_key": ACCESS,
            "s3_secret_key": SECRET,
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        path = unquote(url.path)
        if self.server.hangs:
            self.server.hold_up()
        if self.server.is_down:
            self._answer(503, b"ServiceUnavailable")
        elif fault := self._fault(url.path, url.query, body):
            self._answer(403, fault.encode())
        elif path == f"/{BUCKET}" and self.command == "GET":
            self._list(parse_qs(url.query))
        elif path.startswith(f"/{BUCKET}/"):
            self._object(path.removeprefix(f"/{BUCKET}/"), body)
        else:
            self._answer(404, b"NoSuchBucket")

    def _object(self, key: str, body: bytes) -> None:
        objects = self.server.objects
        if self.command == "PUT":
            objects[key] = body
            self._answer(200)
        elif self.command == "DELETE":
            objects.pop(key, None)
            self._answer(204)
        elif key not in objects:
            self._answer(404, b"NoSuchKey")
        elif found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            data = objects[key]
            stop = int(found[2]) + 1 if found[2] else len(data)
            self._answer(206, data[int(found[1]) : stop])
        else:
            self._answer(200, objects[key])

    def _list(self, query: dict[str, list[str]]) -> None:
        keys = sorted(self.server.objects)
        start = int(query.get("continuation-token", ["0"])[0])
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified>"
            f"<Size>{len(self.server.objects[key])}</Size></Contents>"
            for key in keys[start : start + PAGE]
        )
        more = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if len(keys) > start + PAGE else ""
        self._answer(
            200,
            f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{items}{more}</ListBucketResult>'.encode(),
        )

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Last-Modified", formatdate(MODIFIED, usegmt=True))
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.truncate:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif self.command != "HEAD":
            self.wfile.write(body)

    def _fault(self, path: str, query: str, body: bytes) -> str:
        """Why the request is not to be trusted; empty when it is."""
        found = _AUTHORIZATION.fullmatch(self.headers.get("Authorization", ""))
        if found is None:
            return "AuthorizationHeaderMalformed"
        access, day, region, names, signature = found.groups()
        digest = self.headers.get("x-amz-content-sha256", "")
        if (access, region) != (ACCESS, REGION):
            return "InvalidAccessKeyId"
        if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names.split(";")):
            return "AccessDenied: headers that have to be signed are not"
        if digest != hashlib.sha256(body).hexdigest():
            return "XAmzContentSHA256Mismatch"
        when = self.headers["x-amz-date"]
        head = "".join(f"{name}:{self.headers[name].strip()}\n" for name in names.split(";"))
        canonical = f"{self.command}\n{path}\n{'&'.join(sorted(query.split('&')))}\n{head}\n{names}\n{digest}"
        to_sign = "\n".join(
            (
                "AWS4-HMAC-SHA256",
                when,
                f"{day}/{region}/s3/aws4_request",
                hashlib.sha256(canonical.encode()).hexdigest(),
            )
        )
        key = b"AWS4" + SECRET.encode()
        for step in (day, region, "s3", "aws4_request", to_sign):
            key = hmac.new(key, step.encode(), hashlib.sha256).digest()
        return "" if key.hex() == signature and when.startswith(day) else "SignatureDoesNotMatch"


@contextmanager
def s3_service() -> Iterator[Service]:
    with Service() as service:
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join()
