"""A plain HTTP client for tests: one blocking connection, JSON in and out, nothing done behind the caller's back.

It shares no code with chatd, never retries and never follows a redirect. Not for use by two threads at once.
"""

import http.client
import json
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

TIMEOUT_S = 15.0


class Response(NamedTuple):
    status: int
    headers: http.client.HTTPMessage  # reads names in any case
    body: Any  # JSON decoded, None when empty, bytes when anything else

    def ok(self) -> Any:
        """The body of an answer that must be a success."""
        assert 200 <= self.status < 300, f"{self.status}: {self.body}"
        return self.body


class Client:
    """`authorization` is the header's whole value: "Bearer ..." for a person, "Bot ..." for a bot."""

    def __init__(
        self,
        base_url: str,
        authorization: str | None = None,
        *,
        prefix: str = "/api/v10",
        context: ssl.SSLContext | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.base_url = base_url
        self.authorization = authorization
        self._prefix = prefix
        host = urlsplit(base_url)
        assert host.hostname is not None, base_url
        if host.scheme == "https":
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host.hostname, host.port, timeout=timeout_s, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(host.hostname, host.port, timeout=timeout_s)

    def request(
        self,
        method: str,
        path: str,
        payload: object = ...,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """`payload` is sent as JSON, None as null; `body` is sent as it is."""
        fields = {} if self.authorization is None else {"Authorization": self.authorization}
        if payload is not ...:
            body = json.dumps(payload).encode()
            fields["Content-Type"] = "application/json"
        try:
            self._connection.request(method, self._prefix + path, body, {**fields, **(headers or {})})
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next request opens another one
            raise
        is_json = answer.headers.get_content_type() == "application/json"
        return Response(answer.status, answer.headers, json.loads(content) if content and is_json else content or None)

    def get(self, path: str, **options: Any) -> Response:
        return self.request("GET", path, **options)

    def post(self, path: str, payload: object = ..., **options: Any) -> Response:
        return self.request("POST", path, payload, **options)

    def put(self, path: str, payload: object = ..., **options: Any) -> Response:
        return self.request("PUT", path, payload, **options)

    def patch(self, path: str, payload: object = ..., **options: Any) -> Response:
        return self.request("PATCH", path, payload, **options)

    def delete(self, path: str, **options: Any) -> Response:
        return self.request("DELETE", path, **options)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
