"""Rate limits over the wire, as libraries read them: seconds, headers, scopes."""

import re

import pytest

from tests.support.app import Server
from tests.support.client import Answer
from tests.support.world import PASSWORD, World

pytestmark = pytest.mark.options({"limits.rate_limits": True})

LIMITED = "/users/@me/guilds"  # 5 in 5 s
UNLIMITED = "/users/@me"
NAMES = [f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Reset", "Reset-After", "Bucket")]
START_S = 1_800_000_000


def limit_of(answer: Answer) -> list[str]:
    """The values of the headers, all but the bucket."""
    *values, bucket = (answer.headers[name] for name in NAMES)
    assert re.fullmatch(r"[0-9a-f]{32}", bucket)
    return values


def is_unlimited(answer: Answer) -> bool:
    return not any(name.lower().startswith("x-ratelimit") for name, _ in answer.headers)


async def test_a_window(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    assert limit_of(await alice.get(LIMITED)) == ["5", "4", f"{START_S + 5}.000", "5.000"]
    server.clock.advance(1.5)
    for remaining in "3210":
        assert limit_of(await alice.get(LIMITED)) == ["5", remaining, f"{START_S + 5}.000", "3.500"]
    for _ in range(2):  # a refusal costs nothing
        answer = await alice.get(LIMITED)
        assert answer.error == (429, 0)
        assert answer.json == {
            "message": "You are being rate limited.",
            "code": 0,
            "retry_after": 3.5,
            "global": False,
        }
        assert limit_of(answer) == ["5", "0", f"{START_S + 5}.000", "3.500"]
        assert answer.headers["Retry-After"] == "4"
        assert answer.headers["X-RateLimit-Scope"] == "user"
        assert answer.headers["Via"] == "1.1 chatd"
        assert "X-RateLimit-Global" not in answer.headers
        assert answer.headers["Content-Type"] == "application/json"
    (await bob.get(LIMITED)).ok()
    server.clock.advance(3.499)
    answer = await alice.get(LIMITED)
    assert (answer.json["retry_after"], answer.headers["Retry-After"]) == (0.001, "1")
    server.clock.advance(0.001)
    assert limit_of(await alice.get(LIMITED)) == ["5", "4", f"{START_S + 10}.000", "5.000"]


async def test_refusals_count_and_have_the_headers_too(world: World) -> None:
    alice = await world.person()
    for path, status in (("/channels/1", 404), ("/channels/x", 400), ("/channels/1", 404)):
        answer = await alice.get(path)
        assert answer.status == status
        # an id that cannot be read opens no bucket
        assert ("X-RateLimit-Limit" in answer.headers) == (status == 404)
    assert answer.headers["X-RateLimit-Remaining"] == "8"
    assert is_unlimited(await alice.get(UNLIMITED))
    assert is_unlimited(await world.anybody.get(LIMITED))  # 401


async def test_buckets_are_for_each_channel(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    other = await world.channel(alice, guild)
    one, two = f"/channels/{guild.general}/messages", f"/channels/{other}/messages"
    for _ in range(5):
        last = await alice.post(one, {"content": "x"})
        last.ok()
    assert (await alice.post(one, {"content": "x"})).status == 429
    elsewhere = await alice.post(two, {"content": "x"})
    assert elsewhere.ok()
    assert elsewhere.headers["X-RateLimit-Remaining"] == "4"
    # the bucket names the limit, not the channel
    assert elsewhere.headers["X-RateLimit-Bucket"] == last.headers["X-RateLimit-Bucket"]
    listed = await alice.get(one)
    assert listed.headers["X-RateLimit-Bucket"] != last.headers["X-RateLimit-Bucket"]
    # ids that are no major parameter share one
    for message_id, remaining in (("1", "4"), ("2", "3")):
        answer = await alice.get(f"{one}/{message_id}")
        assert answer.headers["X-RateLimit-Remaining"] == remaining


@pytest.mark.options({"limits.rate_limits": True, "limits.global_per_s": 3})
async def test_the_global_limit(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    for path in (UNLIMITED, LIMITED, UNLIMITED):
        (await alice.get(path)).ok()
    server.clock.advance(0.25)
    for path in (UNLIMITED, LIMITED):
        answer = await alice.get(path)
        assert answer.error == (429, 0)
        assert answer.json == {"message": "You are being rate limited.", "code": 0, "retry_after": 0.75, "global": True}
        assert answer.headers["X-RateLimit-Global"] == "true"
        assert answer.headers["X-RateLimit-Scope"] == "global"
        assert (answer.headers["Retry-After"], answer.headers["Via"]) == ("1", "1.1 chatd")
        assert not any(name in answer.headers for name in NAMES)
    (await bob.get(UNLIMITED)).ok()
    server.clock.advance(0.75)
    (await alice.get(UNLIMITED)).ok()


@pytest.mark.options({"limits.rate_limits": True, "limits.invalid_per_10_min": 3})
async def test_the_limit_on_invalid_requests(server: Server, world: World) -> None:
    alice = await world.person()
    for path in ("/applications/@me", LIMITED, "/invites/unknown"):
        # 403 and 401 count, 404 does not
        assert (await alice.get(path) if path == "/applications/@me" else await world.anybody.get(path)).status >= 400
    server.clock.advance(1)
    assert (await world.anybody.get(UNLIMITED)).status == 401
    answer = await alice.get(UNLIMITED)
    assert answer.status == 429
    assert (answer.json["global"], answer.json["retry_after"]) == (True, 599.0)
    # what is nobody's fault stays open, and so does everything later
    (await world.anybody.get("//health")).ok()
    server.clock.advance(599)
    (await alice.get(UNLIMITED)).ok()


async def test_accounts_are_limited_by_address(world: World) -> None:
    for number in range(5):
        await world.person(f"person{number}")
    answer = await world.anybody.post("/auth/register", {"username": "person5", "password": PASSWORD})
    assert answer.status == 429
    assert limit_of(answer)[:2] == ["5", "0"]


@pytest.mark.options({})
async def test_limits_may_be_lifted(world: World) -> None:
    alice = await world.person()
    for _ in range(60):
        answer = await alice.get(LIMITED)
        answer.ok()
        assert is_unlimited(answer)
    limit = (await alice.get("/gateway/bot")).ok()["session_start_limit"]
    assert limit["total"] == limit["remaining"]
