"""What operators' tools ask, over the wire."""

import re

from chatd import __version__
from tests.support.client import Client
from tests.support.world import World


async def test_health(anybody: Client) -> None:
    answer = await anybody.get("//health")
    assert answer.ok(200) == {"status": "healthy", "version": __version__}
    assert answer.headers["Content-Type"] == "application/json"
    assert (await anybody.request("HEAD", "//health")).status == 200
    assert (await anybody.post("//health")).status == 404
    assert (await anybody.get("/health")).status == 404


async def test_ready(anybody: Client) -> None:
    body = (await anybody.get("//ready")).ok(200)
    took_ms = body["components"]["database"].pop("response_ms")
    assert took_ms >= 0
    assert body == {"status": "healthy", "components": {"database": {"status": "healthy"}}}


async def test_metrics(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    for _ in range(3):
        await alice.say(guild.general)
    assert (await alice.get("/users/1")).status == 404
    answer = await world.anybody.get("//metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.content.decode()
    assert re.search(r'^chatd_http_responses_total{status="404"} 1$', text, re.M)
    assert re.search(r"^chatd_http_request_seconds_count 7$", text, re.M)
    assert re.search(r"^chatd_gateway_sessions 0$", text, re.M)
    assert all(line.startswith(("#", "chatd_")) for line in text.splitlines())
