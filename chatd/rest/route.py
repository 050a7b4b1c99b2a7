"""Routes: one line per operation, and what their handlers' signatures say.

A handler is a service function `async (core, [me], ids…, [body], [query]) -> object`:

- `core`, and `me` where the operation needs a token; without `me` it is open to everybody
- the parameters that the template names: `Snowflake` or `str`
- `body`: a `Params`, or a list of them, decoded from the JSON body; a `FormParams` from the parts of a form
- `files`: the `Upload`s that came with the body; the route says who is asked before the first of them is taken in
- `query`: a `Params`, from the query string
- `host`: what the request was addressed to; `peer`: the client's address
- `reason`: the text of X-Audit-Log-Reason, or None
- `headers`: the request's, by their names in lower case
- the return annotation: an object is answered with 200, unless the route says otherwise; None with 204

A mismatch is found when the server starts.
"""

import hashlib
import inspect
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, get_type_hints

from msgspec import Struct

from chatd.model.ratelimit import Rule
from chatd.model.wire import ImageParams, Params, Snowflake

# Path parameters that have a bucket of their own (topics/rate-limits, "Rate Limits").
MAJOR = ("channel_id", "guild_id", "webhook_id")

_PARAMETER = re.compile(r"\{(\w+)\}")

Service = Callable[..., Coroutine[Any, Any, Any]]


class Route(Struct, frozen=True, kw_only=True):
    method: str
    template: str
    service: Service
    limit: Rule | None
    status: int
    bucket: bytes  # names the limit in X-RateLimit-Bucket
    path_types: dict[str, type]  # in the order of the template
    body: Any  # a type of Params, a list of them, or None
    query: type[Params] | None
    may_attach: Service | None  # None where no files are taken
    may_attach_takes: tuple[str, ...]  # of the handler's `me` and ids
    needs_token: bool
    takes_host: bool
    takes_peer: bool
    takes_reason: bool
    takes_headers: bool
    takes_images: bool
    any_origin: bool


def route(
    method: str,
    template: str,
    service: Service,
    *,
    limit: tuple[int, float] | None = None,
    status: int | None = None,
    may_attach: Service | None = None,
    any_origin: bool = False,
) -> Route:
    """Read the handler's signature. `limit` is (requests, seconds); `any_origin`: for scripts on anybody's web pages.

    Raises TypeError for what does not fit.
    """
    signature = inspect.signature(service)
    hints = get_type_hints(service)
    names = list(signature.parameters)
    path = _PARAMETER.findall(template)
    known = {"core", "me", "body", "files", "query", "host", "peer", "reason", "headers", *path}
    if names[:1] != ["core"] or not set(path) <= set(names) <= known:
        raise TypeError(f"{method} {template}: {service.__qualname__} takes {names}, the template names {path}")
    for name in path:
        if hints[name] not in (Snowflake, str):
            raise TypeError(f"{method} {template}: {name} is {hints[name]}, not Snowflake or str")
    asked_with = [] if may_attach is None else list(inspect.signature(may_attach).parameters)[1:]
    if ("files" in names) != (may_attach is not None) or not set(asked_with) <= {"me", *path} & set(names):
        raise TypeError(f"{method} {template}: files and who is asked for them, with {asked_with}, do not fit")
    body = hints.get("body")
    return Route(
        method=method,
        template=template,
        service=service,
        limit=None if limit is None else Rule(*limit),
        status=status or (204 if hints["return"] is type(None) else 200),
        bucket=hashlib.sha256(f"{method} {template}".encode()).hexdigest()[:32].encode(),
        path_types={name: hints[name] for name in path},
        body=body,
        query=hints.get("query"),
        may_attach=may_attach,
        may_attach_takes=tuple(asked_with),
        needs_token="me" in names,
        takes_host="host" in names,
        takes_peer="peer" in names,
        takes_reason="reason" in names,
        takes_headers="headers" in names,
        takes_images=isinstance(body, type) and issubclass(body, ImageParams),
        any_origin=any_origin,
    )


class _Node:
    """One path segment: what may follow, by its text or, for a parameter, whatever it is."""

    __slots__ = ("by_text", "parameter", "routes")

    def __init__(self) -> None:
        self.by_text: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.routes: dict[str, Route] = {}


class Router:
    """Finds the route of a method and a path. Text comes before parameters: `users/@me` before `users/{user_id}`."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._root = _Node()
        for entry in routes:
            node = self._root
            for segment in entry.template.strip("/").split("/"):
                if segment.startswith("{"):
                    node.parameter = node = node.parameter or _Node()
                else:
                    node = node.by_text.setdefault(segment, _Node())
            if entry.method in node.routes:
                raise TypeError(f"{entry.method} {entry.template} is there twice")
            node.routes[entry.method] = entry

    def find(self, path: Sequence[str]) -> tuple[dict[str, Route], list[str]] | None:
        """The routes at a path, by method, and the values of their parameters in order; None when there is none."""
        return _find(self._root, path, [])


def _find(node: _Node, path: Sequence[str], values: list[str]) -> tuple[dict[str, Route], list[str]] | None:
    if not path:
        return (node.routes, values) if node.routes else None
    head, rest = path[0], path[1:]
    if head in node.by_text:
        found = _find(node.by_text[head], rest, values)
        if found is not None:
            return found
    if node.parameter is not None and head:
        return _find(node.parameter, rest, [*values, head])
    return None
