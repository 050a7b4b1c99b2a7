"""fanout: messages posted into one channel, delivered to N gateway sessions; against the C limit of the same run.

Without --sessions, --in-flight and --rate it measures all the cases that have targets.
"""

from argparse import ArgumentParser

from bench import contest
from bench.contest import CHATD, CONTENDERS, JOINED, ONE_WRITE, Case, Reports
from bench.context import Context
from bench.results import Result, Target
from bench.stats import ratios

ONE_AT_A_TIME = 2  # in flight: the next message is ready when one has been sent out
FLOODED = 16  # in flight from here on: a server has something to join
COST_AT_100, COST_AT_5000 = Case(100, in_flight=FLOODED), Case(5000, in_flight=FLOODED)
CALM = Case(1000, rate=20)

CASES = (
    Case(1000, in_flight=ONE_AT_A_TIME),
    COST_AT_100,
    Case(1000, in_flight=FLOODED),
    COST_AT_5000,
    CALM,
    Case(1000, in_flight=ONE_AT_A_TIME, compress="zlib"),
    Case(1000, in_flight=FLOODED, spread=True),
)

THROUGHPUT = {
    Case(1000, in_flight=ONE_AT_A_TIME): Target(">=", 0.80),
    Case(100, in_flight=FLOODED): Target(">=", 0.60),
    Case(1000, in_flight=FLOODED): Target(">=", 0.60),
    Case(5000, in_flight=FLOODED): Target(">=", 0.60),
    Case(1000, in_flight=ONE_AT_A_TIME, compress="zlib"): Target(">=", 0.60),
}
CALM_TARGET = Target("<=", 1.4)
COST_TARGET = Target("<=", 1.25)
NAMES = {"chatd": CHATD, "one": ONE_WRITE, "joined": JOINED}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, action="append", help="number of sessions; may be repeated")
    parser.add_argument("--in-flight", type=int, action="append", help="messages on their way at once; may be repeated")
    parser.add_argument("--rate", type=float, action="append", help="messages per second; may be repeated")
    parser.add_argument("--compress", choices=("plain", "zlib", "zstd"), default="plain", help="(plain)")
    parser.add_argument("--spread", action="store_true", help="the sessions are in a second guild as well")
    parser.add_argument("--only", choices=NAMES, action="append", help="measure only this contender; may be repeated")


def cases(context: Context) -> list[Case]:
    options = context.options
    compress = None if options.compress == "plain" else options.compress
    if not (options.sessions or options.in_flight or options.rate):
        return [case for case in CASES if options.compress == "plain" or case.compress == compress]
    loads = [{"in_flight": k} for k in options.in_flight or []] + [{"rate": rate} for rate in options.rate or []]
    return [
        Case(sessions, compress=compress, spread=options.spread, **chosen)
        for sessions in options.sessions or [1000]
        for chosen in loads or [{"in_flight": ONE_AT_A_TIME}]
    ]


def run(context: Context) -> None:
    contenders = tuple(NAMES[name] for name in context.options.only or ()) or CONTENDERS
    costs: dict[Case, dict[str, list[float]]] = {}
    for case in cases(context):
        reports = contest.run(context, case, contenders)
        report_absolute(context.result, case, reports)
        if CHATD in contenders:
            report_ratios(context.result, case, reports)
        costs[case] = {name: reports.window(name, "cpu_us_per_delivery") for name in contenders}
    if COST_AT_100 in costs and COST_AT_5000 in costs:
        for name in contenders:
            growth = ratios(costs[COST_AT_5000][name], costs[COST_AT_100][name])
            target = COST_TARGET if name == CHATD else None
            context.result.add_all(f"cost per delivery at 5000 sessions / at 100: {name}", growth, "×", target)


def report_absolute(result: Result, case: Case, reports: Reports) -> None:
    for name in reports.of:
        label = f"{case.name}: {name}"
        result.add_all(f"{label}, deliveries", reports.window(name, "deliveries_per_s"), "/s")
        result.add_all(f"{label}, CPU per delivery", reports.window(name, "cpu_us_per_delivery"), "µs")
        result.add_all(f"{label}, delivery p50", reports.window(name, "delivery_ms", "p50"), "ms")
        result.add_all(f"{label}, delivery p99", reports.window(name, "delivery_ms", "p99"), "ms")
        result.add_all(f"{label}, client busy", reports.window(name, "client_busy_share"), "")


def report_ratios(result: Result, case: Case, reports: Reports) -> None:
    """Against the limit that fits: joined writes when a flood gives something to join, one write otherwise."""
    limit = JOINED if case.in_flight >= FLOODED else ONE_WRITE
    if limit not in reports.of:
        return

    def ratio(what: str, *keys: str, target: Target | None) -> None:
        values = ratios(reports.window(CHATD, *keys), reports.window(limit, *keys))
        result.add_all(f"{case.name}: {what}, chatd / {limit}", values, "×", target)

    if case.in_flight:
        ratio("deliveries", "deliveries_per_s", target=THROUGHPUT.get(case))
        return
    target = CALM_TARGET if case == CALM else None
    ratio("CPU per delivery", "cpu_us_per_delivery", target=target)
    ratio("delivery p50", "delivery_ms", "p50", target=target)
    ratio("delivery p99", "delivery_ms", "p99", target=target)
