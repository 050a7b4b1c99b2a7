"""The runner: what happens to every request, once: match, authenticate, limit, decode, call, encode.

Free of sockets: a `Request` in, a `Response` out. It answers whatever happens; nothing is raised to the front ends.
"""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from chatd import log
from chatd.metrics import Histogram, Labelled, Number, Registry
from chatd.model.errors import (
    INTERNAL_SERVER_ERROR,
    INVALID_API_VERSION,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    OVERLOADED,
    TOO_MANY_ATTACHMENTS,
    ApiError,
    rate_limited,
)
from chatd.model.limits import AUDIT_REASON_LENGTH, MESSAGE_ATTACHMENTS
from chatd.model.ratelimit import Rule, headers
from chatd.model.validate import decode_query, form_error
from chatd.model.wire import Snowflake, encode
from chatd.rest.body import parse_body, read_form
from chatd.rest.http import BodyFailed, Request, Response
from chatd.rest.route import MAJOR, Route, Router
from chatd.service import auth, uploads
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.uploads import Upload
from chatd.store.db import Overloaded, StoreFailed

logger = log.get(__name__)

# "1" has our own account routes, and like no version at all everything else.
VERSIONS = frozenset(("v10", "v9", "v1"))

# Answers that count toward the limit on invalid requests (topics/rate-limits, "Invalid Request Limit").
INVALID_STATUSES = frozenset((401, 403, 429))
INVALID_WINDOW_S = 600

# The longest is as long as a head may be: together 8 MiB.
PATHS = 512

_JSON = (b"Content-Type", b"application/json")
_ANY_ORIGIN = (b"Access-Control-Allow-Origin", b"*")

Headers = list[tuple[bytes, bytes]]


class Runner:
    """Serves a table of routes."""

    def __init__(self, core: Core, router: Router, metrics: Registry) -> None:
        self._core = core
        # Most requests are for the same paths, above all messages into a channel.
        self._routes_at = lru_cache(PATHS)(lambda path: router.find(_segments(path)))
        self._limiter = core.limiter
        self._is_limited = core.config.limits.rate_limits
        self._global = Rule(core.config.limits.global_per_s, 1)
        self._invalid = Rule(core.config.limits.invalid_per_10_min, INVALID_WINDOW_S)
        self._answers: Labelled[Number] = metrics.counters(
            "chatd_http_responses_total", "Answers to HTTP requests.", ("status",)
        )
        self._seconds: Histogram = metrics.histogram(
            "chatd_http_request_seconds", "Time from a request's last byte to its answer."
        )

    async def __call__(self, request: Request) -> Response:
        started = time.perf_counter()
        reply: Headers = []
        try:
            status, body = await self._run(request, reply)
        except ApiError as error:
            status, body = error.status, encode(error.body())
            reply += [(name.encode(), value.encode()) for name, value in error.headers.items()]
        except (Overloaded, StoreFailed) as error:
            logger.warning("refused", path=request.path, reason=repr(error))
            status, body = OVERLOADED.status, encode(OVERLOADED().body())
        except BodyFailed:
            raise  # the front end knows what to say, if there is anybody left to say it to
        except Exception:
            logger.exception("request failed", method=request.method, path=request.path)
            status, body = 500, encode({**INTERNAL_SERVER_ERROR().body(), "request_id": log.request_id.get()})
        if body:
            reply.append(_JSON)
        if status in INVALID_STATUSES and self._is_limited and not _is_shared(reply):
            self._limiter.hit(("invalid", request.peer), self._invalid, self._now())
        self._answers.labels(str(status)).value += 1
        self._seconds.observe(time.perf_counter() - started)
        return Response(status, reply, body)

    def takes_images(self, path: str) -> bool:
        """Whether some operation of the path takes images in its body."""
        try:
            found = self._routes_at(path)
        except ApiError:
            return False
        return found is not None and any(entry.takes_images for entry in found[0].values())

    async def _run(self, request: Request, reply: Headers) -> tuple[int, bytes]:
        entry, values = self._match(request)
        if entry.any_origin:
            reply.append(_ANY_ORIGIN)
        self._check_invalid(request)
        me = None
        if entry.needs_token:
            me = await auth.authenticate(self._core, request.headers.get("authorization"))
        arguments = _path_arguments(entry, values)
        self._limit(entry, arguments, me, request.peer, reply)
        if me is not None:
            arguments["me"] = me
        content_type = request.headers.get("content-type", "")
        if entry.body is not None and isinstance(request.body, bytes):
            arguments["body"] = parse_body(entry.body, content_type, request.body)
        if entry.query is not None:
            arguments["query"] = decode_query(entry.query, parse_qsl(request.query, keep_blank_values=True))
        if entry.takes_host:
            arguments["host"] = request.host
        if entry.takes_peer:
            arguments["peer"] = request.peer
        if entry.takes_reason:
            arguments["reason"] = _reason(request.headers.get("x-audit-log-reason", ""))
        if entry.takes_headers:
            arguments["headers"] = request.headers
        if entry.body is None or isinstance(request.body, bytes):
            result = await entry.service(self._core, **arguments)
        else:
            result = await self._call_with_form(entry, arguments, content_type, request.body)
        if result is None or entry.status == 204:
            return 204, b""
        return entry.status, encode(result)

    async def _call_with_form(
        self, entry: Route, arguments: dict[str, Any], content_type: str, body: AsyncIterator[bytes]
    ) -> Any:
        """The form's files are on disk until the handler has returned; then those are gone that it has not kept."""
        files: list[Upload] = []
        async with AsyncExitStack() as held:

            async def take(field: str, filename: str, pieces: AsyncIterator[bytes]) -> None:
                if entry.may_attach is not None and not files:
                    await entry.may_attach(self._core, **{name: arguments[name] for name in entry.may_attach_takes})
                if len(files) == MESSAGE_ATTACHMENTS:
                    raise TOO_MANY_ATTACHMENTS()
                files.append(await held.enter_async_context(uploads.receive(self._core, field, filename, pieces)))

            max_bytes = self._core.config.server.max_body_bytes
            takes_files = None if entry.may_attach is None else take
            arguments["body"] = await read_form(entry.body, content_type, body, max_bytes, takes_files)
            if files:
                arguments["files"] = files
            return await entry.service(self._core, **arguments)

    def _match(self, request: Request) -> tuple[Route, list[str]]:
        found = self._routes_at(request.path)
        if found is None:
            raise NOT_FOUND()
        routes, values = found
        entry = routes.get(request.method)
        if entry is None:
            error = METHOD_NOT_ALLOWED()
            error.headers["Allow"] = ", ".join(sorted(routes))
            raise error
        return entry, values

    # --- limits ------------------------------------------------------------------------------------------------

    def _check_invalid(self, request: Request) -> None:
        if self._is_limited:
            verdict = self._limiter.peek(("invalid", request.peer), self._invalid, self._now())
            if not verdict.allowed:
                raise rate_limited(verdict.reset_after_s, "global")

    def _limit(self, entry: Route, ids: dict[str, Any], me: Actor | None, peer: str, reply: Headers) -> None:
        """The global limit, then the route's own. Its headers go on every answer, whatever comes of the request."""
        if not self._is_limited:
            return
        who = peer if me is None else me.id
        now = self._now()
        verdict = self._limiter.hit(("global", who), self._global, now)
        if not verdict.allowed:
            raise rate_limited(verdict.reset_after_s, "global")
        if entry.limit is None:
            return
        major = next((ids[name] for name in MAJOR if name in ids), 0)
        # Whoever shows a webhook's token is the webhook (topics/rate-limits, "Rate Limits").
        token = ids.get("webhook_token")
        verdict = self._limiter.hit((entry.bucket, major, who if token is None else hash(token)), entry.limit, now)
        reply += headers(verdict, entry.bucket)
        if not verdict.allowed:
            raise rate_limited(verdict.reset_after_s)

    def _now(self) -> float:
        return self._core.clock_ms() / 1000


def _reason(header: str) -> str | None:
    """Docs: resources/audit-log: 1–512 URL-encoded characters; an empty one is none."""
    reason = unquote(header).replace("\0", "").strip()
    if len(reason) > AUDIT_REASON_LENGTH:
        raise form_error("reason", "BASE_TYPE_MAX_LENGTH", f"Must be {AUDIT_REASON_LENGTH} or fewer in length.")
    return reason or None


def _segments(path: str) -> list[str]:
    """What a template is compared with. Raises NOT_FOUND, INVALID_API_VERSION."""
    segments = path.split("/")[1:]
    if segments[0] != "api":
        raise NOT_FOUND()
    segments = segments[1:]
    if segments and segments[0][:1] == "v" and segments[0][1:].isdigit():
        if segments[0] not in VERSIONS:
            raise INVALID_API_VERSION()
        segments = segments[1:]
    return [unquote(segment) for segment in segments] if "%" in path else segments


def _is_shared(reply: Headers) -> bool:
    return (b"X-RateLimit-Scope", b"shared") in reply


def _path_arguments(entry: Route, values: list[str]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for (name, type_), value in zip(entry.path_types.items(), values, strict=True):
        if type_ is Snowflake:
            try:
                arguments[name] = Snowflake.from_json(value)
            except ValueError as error:
                raise form_error(name, "NUMBER_TYPE_COERCE", str(error)) from None
        elif "\0" in value:  # no database column takes it
            raise form_error(name, "STRING_TYPE_CONVERT", f'Could not interpret "{value[:100]}" as string.')
        else:
            arguments[name] = value
    return arguments
