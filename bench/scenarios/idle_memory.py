"""idle_memory: memory and CPU of sessions that only send heartbeats."""

from argparse import ArgumentParser

from bench import load, world
from bench.context import Context
from bench.results import Target

TARGET = Target("<=", 24)
SETTLE_S = 2.0


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, default=5000, help="sessions (5000)")
    parser.add_argument("--compress", choices=("plain", "zlib", "zstd"), default="plain", help="(plain)")


def run(context: Context) -> None:
    options = context.options
    compress = None if options.compress == "plain" else options.compress
    case = f"{options.sessions} idle sessions, {options.compress}"
    for _ in context.rounds(case):
        with world.fresh() as (here, guild):
            report = load.run(
                here.server,
                context,
                sessions=options.sessions,
                **here.sessions(guild, compress),
                settle=SETTLE_S,
                hold=options.duration,
            )
        context.result.judge(case, report["check"])
        target = TARGET if options.sessions == 5000 and not compress else None
        context.result.add(f"{case}: memory per session", report["connect"]["rss_kb_per_session"], "KiB", target)
        context.result.add(f"{case}: memory of the server", report["hold"]["rss_kb"] / 1024, "MiB")
        context.result.add(f"{case}: memory before", report["connect"]["rss_before_kb"] / 1024, "MiB")
        context.result.add(f"{case}: CPU", report["hold"]["server_cpu_share"] * 100, "%")
