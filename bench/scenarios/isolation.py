"""isolation: the latency of a small guild, quiet and while a large guild is flooded.

Two load clients share a core; the one of the small guild is preferred by the scheduler, so that it measures the
server and not its neighbour.
"""

from argparse import ArgumentParser
from typing import Any

from bench import load, servers, world
from bench.context import Context
from bench.results import Target

SMALL_SESSIONS, SMALL_RATE = 20, 50.0
FLOOD_IN_FLIGHT = 16
POLITE = 19
# "p99 while flooded ≤ 3 × its quiet p99 + 5 ms"
FACTOR, ALLOWANCE_MS = 3.0, 5.0
TARGET = Target("<=", 1.0)
# The flood starts before the small guild is measured and must outlast it.
FLOOD_MARGIN_S = 4.0


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, default=5000, help="sessions of the large guild (5000)")


def measure_small(server: servers.Server, context: Context, **place: Any) -> dict[str, Any]:
    options = context.options
    report = load.run(
        server,
        context,
        sessions=SMALL_SESSIONS,
        rate=SMALL_RATE,
        publishers=4,
        warmup=options.warmup,
        duration=options.duration,
        **place,
    )
    context.result.judge("small guild", report["check"])
    delivery: dict[str, Any] = report["window"]["last_delivery_ms"]
    return delivery


def run(context: Context) -> None:
    options, add = context.options, context.result.add
    for _ in context.rounds(f"flood of {options.sessions} sessions"):
        with servers.chatd() as server:
            here = world.open_world(server)
            small, large = here.guild("small"), here.guild("large")
            quiet = measure_small(server, context, **here.traffic(small))
            with load.LoadClient(
                server,
                context.progress,
                sessions=options.sessions,
                publishers=FLOOD_IN_FLIGHT,
                in_flight=FLOOD_IN_FLIGHT,
                duration=options.warmup + options.duration + FLOOD_MARGIN_S,
                niceness=POLITE,
                **here.traffic(large),
            ) as flood:
                flood.wait_for("measure")
                flooded = measure_small(server, context, **here.traffic(small))
                flood_report = flood.finish()
        context.result.judge("large guild", flood_report["check"])
        add("small guild, quiet: POST to last delivery p50", quiet["p50"], "ms")
        add("small guild, quiet: POST to last delivery p99", quiet["p99"], "ms")
        add("small guild, flooded: POST to last delivery p50", flooded["p50"], "ms")
        add("small guild, flooded: POST to last delivery p99", flooded["p99"], "ms")
        allowed = FACTOR * quiet["p99"] + ALLOWANCE_MS
        add("flooded p99 / (3 × quiet p99 + 5 ms)", flooded["p99"] / allowed, "×", TARGET)
        add("large guild: deliveries meanwhile", flood_report["window"]["deliveries_per_s"], "/s")
