"""slow_consumers: a tenth of the sessions never reads; what the others feel, and what becomes of the stalled.

The stalled must be closed, must not grow the server's memory without bound, and must get what they missed by
RESUME. They wake up at the end of the measuring window: only then does a client see that it was closed.
"""

from argparse import ArgumentParser
from typing import Any

from bench import load, world
from bench.context import Context
from bench.results import Target

RATE = 50.0
# Long contents fill a stalled session's buffers within seconds.
CONTENT_BYTES = 1800
# Time for every bound (bytes, write deadline) to be reached.
DURATION_S = 30.0
P99_TARGET, CLOSED_TARGET, RESUMED_TARGET = Target("<=", 1.5), Target(">=", 1.0), Target(">=", 1.0)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, default=500, help="sessions (500)")
    parser.add_argument("--share", type=float, default=0.1, help="share of them that never reads (0.1)")
    parser.add_argument("--seconds", type=float, default=DURATION_S, help=f"with stalled sessions ({DURATION_S:g})")


def measure(context: Context, *, stalled: int, duration: float) -> dict[str, Any]:
    with world.fresh() as (here, guild):
        report = load.run(
            here.server,
            context,
            sessions=context.options.sessions,
            stalled=stalled,
            publishers=8,
            rate=RATE,
            content=CONTENT_BYTES,
            warmup=context.options.warmup,
            duration=duration,
            spin=True,
            **here.traffic(guild),
        )
    context.result.judge(f"{stalled} stalled", report["check"])
    return report


def run(context: Context) -> None:
    options, add = context.options, context.result.add
    stalled = round(options.sessions * options.share)
    for _ in context.rounds(f"{stalled} of {options.sessions} sessions stalled"):
        calm = measure(context, stalled=0, duration=options.duration)
        mixed = measure(context, stalled=stalled, duration=options.seconds)
        calm_ms, mixed_ms = calm["window"]["delivery_ms"], mixed["window"]["delivery_ms"]
        woken = mixed["stalled"]
        grown = mixed["window"]["rss_kb"] - mixed["connect"]["rss_after_kb"]
        grown_calm = calm["window"]["rss_kb"] - calm["connect"]["rss_after_kb"]
        add("delivery p50 of the others, none stalled", calm_ms["p50"], "ms")
        add("delivery p50 of the others, some stalled", mixed_ms["p50"], "ms")
        add("delivery p99 of the others, none stalled", calm_ms["p99"], "ms")
        add("delivery p99 of the others, some stalled", mixed_ms["p99"], "ms")
        add("p99 of the others, some stalled / none", mixed_ms["p99"] / calm_ms["p99"], "×", P99_TARGET)
        add("stalled sessions closed", woken["closed"] / stalled, "of all", CLOSED_TARGET)
        add("closed sessions resumed", woken["resumed"] / max(1, woken["closed"]), "of them", RESUMED_TARGET)
        add("memory gained, none stalled", grown_calm / 1024, "MiB")
        add("memory gained, some stalled", grown / 1024, "MiB")
