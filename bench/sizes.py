"""Whether reading stays as fast when a server has millions of messages: one request at a time, on two archives.

What is read is in the machine's memory: each target is asked for once before.
"""

import contextlib
from argparse import ArgumentParser
from collections.abc import Callable, Mapping

from bench import load, world
from bench.archive import Archive, serving
from bench.context import Context
from bench.results import Target
from bench.servers import Server
from bench.stats import ratios

SMALL = 1_000  # messages
TARGET = Target("<=", 10)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--database", choices=("sqlite", "postgres"), help="only this database")
    parser.add_argument("--messages", type=int, default=5_000_000, help="messages in the large archive (5000000)")


def compare(
    context: Context,
    targets: Callable[[Archive], Mapping[str, list[str]]],
    check: Callable[[Context, Server, Archive], None],
    only_large: Callable[[str], bool] = lambda case: False,
) -> None:
    """GET every case's targets one after the other, on a small archive and a large one in turn."""
    for database in [context.options.database] if context.options.database else ["sqlite", "postgres"]:
        with contextlib.ExitStack() as stack:
            sizes = (SMALL, context.options.messages)
            running = {size: stack.enter_context(serving(database, size, context.progress)) for size in sizes}
            asked = {size: targets(here) for size, (_, here) in running.items()}
            for server, here in running.values():
                check(context, server, here)
            for case in asked[SMALL]:
                for size, (server, here) in running.items():
                    context.progress.show(f"{database}, {case}, {size:,} messages: reading all of it once")
                    _ask_once(server, here, asked[size][case])
                p99s: dict[int, list[float]] = {size: [] for size in sizes if size != SMALL or not only_large(case)}
                for _ in context.rounds(f"{database}, {case}"):
                    for size, values in p99s.items():
                        values.append(
                            _measure(context, f"{database}, {case}", size, running[size][0], asked[size][case])
                        )
                if SMALL in p99s:
                    quotients = ratios(p99s[context.options.messages], p99s[SMALL])
                    context.result.add_all(f"{database}, {case}: p99, large / small", quotients, "×", TARGET)


def _ask_once(server: Server, here: Archive, targets: list[str]) -> None:
    api = world.Api(server, f"Bot {here.token}")
    for target in targets:
        path, _ = target.split("\t")
        api.call("GET", path.removeprefix(world.API))


def _measure(context: Context, case: str, size: int, server: Server, targets: list[str]) -> float:
    """The p99 in ms."""
    case = f"{case}, {size:,} messages"
    report = load.run(
        server,
        context,
        method="GET",
        targets=targets,
        publishers=1,
        in_flight=1,
        warmup=context.options.warmup,
        duration=context.options.duration,
    )
    context.result.judge(case, report["check"])
    window = report["window"]
    for quantile in ("p50", "p99"):
        context.result.add(f"{case}: {quantile}", window["post_ms"][quantile], "ms")
    p99: float = window["post_ms"]["p99"]
    return p99
