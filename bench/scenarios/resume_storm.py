"""resume_storm: every session is cut at once, messages are posted meanwhile, and all come back with RESUME.

Each session must get exactly what it missed: none lost, none doubled, in order.
"""

from argparse import ArgumentParser

from bench import load, world
from bench.context import Context

CONCURRENCY = 256
BEFORE = 20  # messages that everybody sees before the cut


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, default=1000, help="sessions (1000)")
    parser.add_argument("--missed", type=int, default=100, help="messages posted while all are away (100)")


def run(context: Context) -> None:
    options = context.options
    case = f"{options.sessions} sessions, {options.missed} missed messages"
    for _ in context.rounds(case):
        with world.fresh() as (here, guild):
            report = load.run(
                here.server,
                context,
                sessions=options.sessions,
                concurrency=CONCURRENCY,
                publishers=4,
                in_flight=4,
                count=BEFORE,
                cut=options.missed,
                **here.traffic(guild),
            )
        resume = report["resume"]
        context.result.judge(case, report["check"])
        context.result.judge(case, {"sessions that could not resume": resume["not_resumable"]})
        context.result.add(f"{case}: resumed", resume["per_s"], "/s")
        context.result.add(f"{case}: all back after", resume["seconds"], "s")
        context.result.add(f"{case}: connect to RESUMED p50", resume["resume_ms"]["p50"], "ms")
        context.result.add(f"{case}: connect to RESUMED p99", resume["resume_ms"]["p99"], "ms")
        context.result.add(f"{case}: replayed events", resume["replayed_frames"] / resume["seconds"], "/s")
