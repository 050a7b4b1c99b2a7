"""chunks: the latency of a small guild, calm and while bots ask for all members of a large guild again and again.

Heartbeats are measured beside events: they share the connection and the event loop with everything else. The two load
clients share a core; the one that measures is preferred by the scheduler.
"""

import math
from argparse import ArgumentParser
from typing import Any

from bench import load, servers, world
from bench.context import Context
from bench.results import Target
from bench.scenarios.isolation import ALLOWANCE_MS, FACTOR, POLITE

SMALL_SESSIONS, SMALL_RATE = 50, 50.0
# A connection may send 120 commands in 60 s, heartbeats included.
BEAT_S = ASK_S = 0.6
ASKERS_INTENTS = 1 << 0 | 1 << 1  # GUILDS, GUILD_MEMBERS
CHUNK_MEMBERS = 1000
MARGIN_S = 3.0  # bots ask before the small guild is measured, and until after it
TARGET = Target("<=", 1.0)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--members", type=int, default=10_000, help="members of the large guild (10000)")
    parser.add_argument("--askers", type=int, default=4, help="bots that ask (4)")
    parser.add_argument("--seconds", type=float, default=10.0, help="measured, calm and with them (10)")


def measure_small(context: Context, server: servers.Server, traffic: dict[str, Any]) -> dict[str, Any]:
    options = context.options
    settings = {"sessions": SMALL_SESSIONS, "rate": SMALL_RATE, "publishers": 4, "beat": BEAT_S}
    report = load.run(server, context, warmup=options.warmup, duration=options.seconds, **settings, **traffic)
    context.result.judge("small guild", report["check"])
    window: dict[str, Any] = report["window"]
    return window


def measure(context: Context, server: servers.Server, small: dict[str, Any], large: dict[str, Any]) -> None:
    options, add = context.options, context.result.add
    calm = measure_small(context, server, small)
    hold = options.warmup + options.seconds + MARGIN_S
    asking = {"sessions": options.askers, "ask_every": ASK_S, "intents": ASKERS_INTENTS, "hold": hold}
    with load.LoadClient(server, context.progress, niceness=POLITE, **asking, **large) as askers:
        askers.wait_for("hold")
        asked = measure_small(context, server, small)
        report = askers.finish()
    answers = report["asked"]
    context.result.judge("large guild", report["check"])
    missing = answers["answered"] * math.ceil(options.members / CHUNK_MEMBERS) - answers["chunks"]
    context.result.judge("large guild", {"missing chunks": max(0, missing), "no answer": int(not answers["answered"])})
    for what, key in (("heartbeat to its ACK", "heartbeat_ms"), ("POST to last delivery", "last_delivery_ms")):
        for quantile in ("p50", "p99"):
            add(f"{what} {quantile}, calm", calm[key][quantile], "ms")
            add(f"{what} {quantile}, asked", asked[key][quantile], "ms")
        add(f"{what} p99, asked / calm", asked[key]["p99"] / calm[key]["p99"], "×")
        allowed = FACTOR * calm[key]["p99"] + ALLOWANCE_MS
        add(f"{what}: asked p99 / (3 × calm p99 + 5 ms)", asked[key]["p99"] / allowed, "×", TARGET)
    add("members sent meanwhile", answers["answered"] * options.members / hold, "/s")
    add("question to the last chunk p50", answers["answer_ms"]["p50"], "ms")


def run(context: Context) -> None:
    options = context.options
    case = f"{options.askers} bots ask for {options.members} members"
    with servers.scratch_folder() as data:
        context.progress.at(f"chunks: making {options.members} members:")
        with servers.chatd(data) as server:
            here = world.open_world(server)
            small, large = here.guild("small"), here.guild("large", bots=options.askers)
            here.crowd(large, options.members - options.askers - 1)  # and the owner
        for _ in context.rounds(case):
            with servers.chatd(data) as server:
                measure(context, server, here.traffic(small), {**here.sessions(large), "ask": large.id})
