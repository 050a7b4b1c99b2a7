"""latency: from a POST to its last delivery, at a fixed rate; the C limit beside it.

A message's clock starts when it was due, not when a connection was free for it.
"""

from argparse import ArgumentParser

from bench import contest
from bench.contest import CHATD, ONE_WRITE, Case
from bench.context import Context
from bench.results import Target

TARGETS = {"p50": Target("<=", 1.5), "p99": Target("<=", 6.0)}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, default=100, help="sessions that receive every message (100)")
    parser.add_argument("--rate", type=float, default=100.0, help="messages per second (100)")


def run(context: Context) -> None:
    case = Case(context.options.sessions, rate=context.options.rate)
    reports = contest.run(context, case, (CHATD, ONE_WRITE))
    for contender in (CHATD, ONE_WRITE):
        label = f"{case.name}: {contender}"
        for quantile in ("p50", "p95", "p99", "max"):
            target = TARGETS.get(quantile) if contender == CHATD else None
            values = reports.window(contender, "last_delivery_ms", quantile)
            context.result.add_all(f"{label}, POST to last delivery {quantile}", values, "ms", target)
        for quantile in ("p50", "p99"):
            values = reports.window(contender, "post_ms", quantile)
            context.result.add_all(f"{label}, POST to its answer {quantile}", values, "ms")
