"""The error tables and what goes over the wire for them."""

from itertools import pairwise

import pytest

from chatd.model import errors
from chatd.model.errors import ApiError, CloseKind, GatewayClose, Kind

KINDS = {name: value for name, value in vars(errors).items() if isinstance(value, Kind)}
CLOSES = {name: value for name, value in vars(errors).items() if isinstance(value, CloseKind)}


def test_codes_stand_in_the_documentations_order_and_once() -> None:
    codes = [kind.code for kind in KINDS.values() if kind.code]
    assert all(earlier < later for earlier, later in pairwise(codes))


def test_what_is_unknown_is_404() -> None:
    for name, kind in KINDS.items():
        assert name.startswith("UNKNOWN_") == (10_000 <= kind.code < 20_000), name
        if 10_000 <= kind.code < 20_000:
            assert kind.status == 404, name


def test_an_error_has_discords_flat_body() -> None:
    error = errors.UNKNOWN_CHANNEL()
    assert isinstance(error, ApiError)
    assert error.status == 404
    assert error.body() == {"message": "Unknown Channel", "code": 10003}
    assert str(error) == "404 10003: Unknown Channel"


@pytest.mark.parametrize(
    ("kind", "status", "code", "message"),
    [
        (errors.UNAUTHORIZED, 401, 0, "401: Unauthorized"),
        (errors.NOT_FOUND, 404, 0, "404: Not Found"),
        (errors.METHOD_NOT_ALLOWED, 405, 0, "405: Method Not Allowed"),
        (errors.BANNED, 403, 40007, "The user is banned from this guild."),
        (errors.ENTITY_TOO_LARGE, 413, 40005, "Request entity too large"),
        (errors.MISSING_ACCESS, 403, 50001, "Missing Access"),
        (errors.EMPTY_MESSAGE, 400, 50006, "Cannot send an empty message"),
        (errors.MISSING_PERMISSIONS, 403, 50013, "Missing Permissions"),
        (errors.INVALID_JSON, 400, 50109, "The request body contains invalid JSON."),
        (errors.CANNOT_REPLY, 403, 160002, "Cannot reply without permission to read message history"),
    ],
)
def test_the_errors_that_libraries_branch_on(kind: Kind, status: int, code: int, message: str) -> None:
    error = kind()
    assert (error.status, error.code, error.message) == (status, code, message)


def test_every_raise_makes_a_new_exception() -> None:
    assert errors.NOT_FOUND() is not errors.NOT_FOUND()


def test_an_invalid_form_carries_its_tree() -> None:
    tree = {"name": {"_errors": [{"code": "BASE_TYPE_REQUIRED", "message": "This field is required"}]}}
    error = errors.invalid_form(tree)
    assert error.status == 400
    assert error.body() == {"message": "Invalid Form Body", "code": 50035, "errors": tree}


def test_a_rate_limited_user_is_told_when_to_come_back() -> None:
    error = errors.rate_limited(64.5671)
    assert error.status == 429
    assert error.body() == {
        "message": "You are being rate limited.",
        "code": 0,
        "retry_after": 64.568,
        "global": False,
    }
    assert error.headers == {"Retry-After": "65", "X-RateLimit-Scope": "user", "Via": "1.1 chatd"}


def test_only_the_global_limit_has_the_global_header() -> None:
    error = errors.rate_limited(0.2, "global")
    assert error.headers["X-RateLimit-Global"] == "true"
    assert error.headers["X-RateLimit-Scope"] == "global"
    assert error.headers["Retry-After"] == "1"
    assert error.body()["global"] is True


def test_a_rate_limit_with_a_code_of_its_own() -> None:
    error = errors.rate_limited(3, "shared", errors.SLOWMODE)
    assert error.body()["code"] == 20016
    assert error.headers["X-RateLimit-Scope"] == "shared"


def test_gateway_close_codes_are_the_documented_ones() -> None:
    assert [close.code for close in CLOSES.values()] == [*range(4000, 4006), *range(4007, 4015)]


@pytest.mark.parametrize("close", CLOSES.values(), ids=str)
def test_a_close_says_whether_to_come_back(close: CloseKind) -> None:
    error = close()
    assert isinstance(error, GatewayClose)
    assert error.may_reconnect == (error.code not in {4004, 4010, 4011, 4012, 4013, 4014})
    assert error.may_reconnect or not error.may_resume
    assert len(error.reason.encode()) <= 123


def test_a_session_outlives_only_what_leaves_it_valid() -> None:
    assert {close.code for close in CLOSES.values() if close.may_resume} == {4000, 4001, 4002, 4005, 4008}
