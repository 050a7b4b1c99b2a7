"""Routes: what a handler's signature says, and which route a path belongs to."""

from typing import Any

import pytest

from chatd.model.ratelimit import Rule
from chatd.model.wire import Params, Snowflake
from chatd.rest.route import Router, route
from chatd.rest.table import ROUTES


class Body(Params):
    name: str


class Query(Params):
    limit: int = 1


async def full(
    core: Any,
    me: Any,
    guild_id: Snowflake,
    code: str,
    body: Body,
    query: Query,
    host: str,
    peer: str,
    reason: str | None,
) -> Body:
    return body


async def bare(core: Any) -> None:
    pass


async def of_channel(core: Any, channel_id: Snowflake) -> None:
    pass


def test_a_signature_says_everything() -> None:
    made = route("POST", "/guilds/{guild_id}/{code}", full, limit=(5, 10))
    assert made.path_types == {"guild_id": Snowflake, "code": str}
    assert (made.body, made.query, made.status, made.limit) == (Body, Query, 200, Rule(5, 10))
    assert (made.needs_token, made.takes_host, made.takes_peer, made.takes_reason) == (True, True, True, True)
    made = route("GET", "/x", bare)
    assert (made.path_types, made.body, made.query, made.status, made.limit) == ({}, None, None, 204, None)
    assert (made.needs_token, made.takes_host, made.takes_peer, made.takes_reason) == (False, False, False, False)
    assert route("GET", "/x", bare, status=201).status == 201


def test_a_bucket_is_named_for_method_and_template() -> None:
    names = {
        route(method, template, of_channel).bucket
        for method in ("GET", "PUT")
        for template in ("/channels/{channel_id}", "/x/{channel_id}")
    }
    assert len(names) == 4
    assert route("GET", "/x/{channel_id}", of_channel).bucket == route("GET", "/x/{channel_id}", of_channel).bucket


async def with_files(core: Any, me: Any, channel_id: Snowflake, body: Body, files: Any = ()) -> None:
    pass


async def open_to_all(core: Any, channel_id: Snowflake) -> None:
    pass


async def of_a_message(core: Any, me: Any, channel_id: Snowflake, message_id: Snowflake) -> None:
    pass


def test_who_is_asked_for_files() -> None:
    made = route("POST", "/x/{channel_id}", with_files, may_attach=open_to_all)
    assert (made.may_attach, made.may_attach_takes) == (open_to_all, ("channel_id",))
    assert route("POST", "/x/{channel_id}", of_channel).may_attach is None
    for service, may_attach in ((with_files, None), (of_channel, open_to_all), (with_files, of_a_message)):
        with pytest.raises(TypeError):
            route("POST", "/x/{channel_id}", service, may_attach=may_attach)


async def without_core(me: Any) -> None:
    pass


async def with_something_else(core: Any, thing: str) -> None:
    pass


async def with_an_odd_id(core: Any, channel_id: int) -> None:
    pass


@pytest.mark.parametrize(
    ("template", "service"),
    [
        ("/x", without_core),
        ("/x", with_something_else),
        ("/x", of_channel),
        ("/x/{channel_id}", bare),
        ("/x/{channel_id}", with_an_odd_id),
    ],
)
def test_what_does_not_fit_is_found_at_start(template: str, service: Any) -> None:
    with pytest.raises(TypeError):
        route("GET", template, service)


async def of_user(core: Any, user_id: str) -> None:
    pass


def test_finding() -> None:
    router = Router(
        [
            route("GET", "/users/@me", bare),
            route("GET", "/users/{user_id}", of_user),
            route("GET", "/users/@me/guilds", bare),
            route("GET", "/users/{user_id}/profile", of_user),
            route("PUT", "/users/@me", bare),
        ]
    )
    for path, expected in (
        ("users/@me", ("/users/@me", [])),
        ("users/7", ("/users/{user_id}", ["7"])),
        ("users/@me/guilds", ("/users/@me/guilds", [])),
        ("users/@me/profile", ("/users/{user_id}/profile", ["@me"])),  # text that leads nowhere is a value after all
        ("users", None),
        ("users/", None),
        ("users/7/guilds", None),
        ("users/7/profile/x", None),
        ("", None),
        ("users//profile", None),
    ):
        found = router.find(path.split("/"))
        assert (None if found is None else (found[0]["GET"].template, found[1])) == expected, path
    methods, _ = router.find(["users", "@me"]) or ({}, [])
    assert methods.keys() == {"GET", "PUT"}


def test_one_line_for_each_operation() -> None:
    with pytest.raises(TypeError, match="twice"):
        Router([route("GET", "/x/{user_id}", of_user), route("GET", "/x/{user_id}", of_user)])
    Router(ROUTES)
