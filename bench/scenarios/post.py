"""post: durable message creation with 1, 16 and 64 requests in flight; SQLite and PostgreSQL; edge and hypercorn.

Rate limits are on and not hit: the requests go round many bots in many channels. One session checks that every
message that was acknowledged is delivered once, in order.
"""

import contextlib
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from bench import load, postgres, servers, world
from bench.context import Context
from bench.results import Target
from bench.stats import ratios

# Discord's limits allow a bot 50 requests/s and about one message per second and channel: 200 × 50 pairs
# keep almost 10,000 messages/s below both.
BOTS, CHANNELS = 200, 50


class Case(Struct, frozen=True):
    database: str
    http: str
    in_flight: int

    @property
    def name(self) -> str:
        return f"{self.database}, {self.http}, {self.in_flight} in flight"


CASES = (
    *(Case("sqlite", "edge", k) for k in (1, 16, 64)),
    Case("sqlite", "hypercorn", 16),
    *(Case("postgres", "edge", k) for k in (1, 16, 64)),
)
TARGETS = {Case("sqlite", "edge", 16): Target(">=", 1500), Case("postgres", "edge", 16): Target(">=", 1000)}
EDGE, HYPERCORN = Case("sqlite", "edge", 16), Case("sqlite", "hypercorn", 16)
ENDS = {"post": "answer", "delivery": "delivery"}
FRONT_END_TARGET = Target(">=", 4)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--database", choices=("sqlite", "postgres"), help="only this database")
    parser.add_argument("--http", choices=("edge", "hypercorn"), help="only this front end")
    parser.add_argument("--in-flight", type=int, help="only so many requests in flight")


def cases(context: Context) -> list[Case]:
    options = context.options
    chosen = [
        case
        for case in CASES
        if options.database in (None, case.database)
        and options.http in (None, case.http)
        and options.in_flight in (None, case.in_flight)
    ]
    # a combination that is not among the usual ones was asked for explicitly
    return chosen or [Case(options.database or "sqlite", options.http or "edge", options.in_flight or 16)]


@contextlib.contextmanager
def populated(case: Case) -> Iterator[tuple[servers.Server, dict[str, Any]]]:
    """A server with limits on, on data that was set up with limits off."""
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(servers.scratch_folder())
        options = ["--http", case.http]
        if case.database == "postgres":
            options += ["--database", stack.enter_context(postgres.running())]
        with servers.chatd(data, options=options) as server:
            here = world.open_world(server)
            traffic = here.traffic(here.guild(channels=CHANNELS, bots=BOTS))
        yield stack.enter_context(servers.chatd(data, limits=True, options=options)), traffic


def measure(context: Context, case: Case) -> dict[str, Any]:
    with populated(case) as (server, traffic):
        report = load.run(
            server,
            context,
            sessions=1,
            publishers=case.in_flight,
            in_flight=case.in_flight,
            answered=True,
            warmup=context.options.warmup,
            duration=context.options.duration,
            # PostgreSQL shares the client's processor: a client that spins would make it wait for whole time slices
            spin=case.database != "postgres",
            **traffic,
        )
    context.result.judge(case.name, report["check"], allowed=frozenset({"refused_requests"}))
    if refused := report["check"]["refused_requests"]:
        context.result.note(f"{case.name}: {refused} requests were refused (statuses {report['statuses']})")
    window: dict[str, Any] = report["window"]
    return window


def run(context: Context) -> None:
    rates: dict[Case, list[float]] = {}
    for case in cases(context):
        windows = [measure(context, case) for _ in context.rounds(case.name)]
        rates[case] = [window["accepted_per_s"] for window in windows]
        context.result.add_all(f"{case.name}: messages", rates[case], "/s", TARGETS.get(case))
        for what, quantile in (("post", "p50"), ("post", "p99"), ("delivery", "p50"), ("delivery", "p99")):
            values = [window[f"{what}_ms"][quantile] for window in windows]
            context.result.add_all(f"{case.name}: POST to {ENDS[what]} {quantile}", values, "ms")
        context.result.add_all(f"{case.name}: CPU per message", [w["cpu_us_per_message"] for w in windows], "µs")
    if EDGE in rates and HYPERCORN in rates:
        quotients = ratios(rates[EDGE], rates[HYPERCORN])
        context.result.add_all("sqlite, 16 in flight: edge / hypercorn", quotients, "×", FRONT_END_TARGET)
