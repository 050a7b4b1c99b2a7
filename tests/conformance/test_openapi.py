"""Every success validates against Discord's own description of its REST API, which is kept beside the repository.

What it does not describe is our own and listed here; fields beyond it are fine.
"""

import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from chatd.rest.table import ROUTES
from tests.support.calls import answers
from tests.support.world import World

DOCUMENT = Path(__file__).parents[3] / "shared/discord/openapi.json"

# Accounts, applications, and what Discord's own client and developer portal do.
OURS = {
    "POST /auth/register",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/logout",
    "POST /oauth2/authorize",
    "GET /applications",
    "POST /applications",
    "POST /applications/{application_id}/bot/reset",
    "GET /users/@me/channels",
    "GET /guilds/{guild_id}/members/@me/permissions/explain",
    "PUT /channels/{channel_id}/polls/{message_id}/answers/@me",
    "PUT /guilds/{guild_id}/scheduled-events/{event_id}/users/@me",
    "DELETE /guilds/{guild_id}/scheduled-events/{event_id}/users/@me",
    "GET /users/@me/mentions",
    "POST /channels/{channel_id}/messages/{message_id}/ack",
    "POST /attachments/refresh-urls",
    "POST /read-states/ack-bulk",
    "GET /users/@me/relationships",
    "POST /users/@me/relationships",
    "PUT /users/@me/relationships/{user_id}",
    "DELETE /users/@me/relationships/{user_id}",
    "PATCH /guilds/{guild_id}/members/@me/nick",
    "POST /guilds",
    "DELETE /guilds/{guild_id}",
    "PATCH /guilds/{guild_id}/vanity-url",
    "POST /guilds/templates/{code}",
    "POST /invites/{code}",
}

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="there is no ../shared/discord/openapi.json")


@functools.cache
def document() -> Any:
    described = json.loads(DOCUMENT.read_text())
    # Forwards, which Discord's pages have (resources/message, "Message Reference Types") and its document has not.
    described["components"]["schemas"]["MessageReferenceType"]["oneOf"].append({"const": 1})
    return described


@functools.cache
def operations() -> dict[str, tuple[str, str]]:
    """Our way to name an operation -> the document's path and method."""
    return {
        f"{method.upper()} {_anonymous(path)}": (path, method)
        for path, methods in document()["paths"].items()
        for method in methods
    }


def _anonymous(template: str) -> str:
    return re.sub(r"{\w+}", "{}", template)


def faults(operation: str, status: int, content: bytes) -> list[str]:
    """What the document says against an answer."""
    path, method = operations()[_anonymous(operation)]
    responses = document()["paths"][path][method]["responses"]
    if str(status) not in responses:
        return [f"status {status}, not one of {[*responses]}"]
    if status == 204:
        return ["has a body"] if content else []
    pointer = "/".join(("", "paths", path.replace("/", "~1"), method, "responses", str(status), "content"))
    schema = {"$ref": f"urn:discord#{pointer}/application~1json/schema"}
    return [
        f"{error.json_path}: {error.message[:300]}"
        for error in _validator(json.dumps(schema)).iter_errors(json.loads(content))
    ]


@functools.cache
def _validator(schema: str) -> Draft202012Validator:
    registry = Registry().with_resource("urn:discord", DRAFT202012.create_resource(document()))
    return Draft202012Validator(json.loads(schema), registry=registry)


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_successes_are_as_described(world: World) -> None:
    found = {
        f"{call.operation} {fault}"
        async for call, answer in answers(world)
        if call.route not in OURS and call.status < 400
        for fault in faults(call.operation, answer.status, answer.content)
    }
    assert not found


def test_every_route_is_described_or_ours() -> None:
    unknown = {f"{route.method} {route.template}" for route in ROUTES} - OURS
    assert {operation for operation in unknown if _anonymous(operation) not in operations()} == set()
