"""journal: what it costs that sessions survive a restart: with the journal and the notes, and without both.

Posts alone pay for the notes only, since messages are their own journal; edits and deletions are written twice. A
request counts when it is answered and, if it is a post, delivered.
"""

from argparse import ArgumentParser
from typing import Any

from bench import load, world
from bench.context import Context
from bench.results import Target
from bench.stats import ratios

IN_FLIGHT = 16
# every so many'th message is edited, then deleted -> what that is called
MIXES = {0: "posts", 8: "80 % posts, 10 % edits, 10 % deletions", 1: "a third each"}
# The last is nobody's day: it is there to show what a single edit or deletion pays.
TARGETS = {0: Target(">=", 0.85), 8: Target(">=", 0.85)}
MODULES = {"with": "chatd", "without": "bench.unjournalled"}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, action="append", help="sessions; may be repeated (100 and 1000)")
    # Twice the default of `gateway.checkpoint_s`: every window has as many notes in it.
    parser.add_argument("--seconds", type=float, default=10.0, help="measured each time (10)")


def measure(context: Context, case: str, sessions: int, mix: int, module: str) -> dict[str, Any]:
    options = context.options
    with world.fresh(module=module) as (here, guild):
        report = load.run(
            here.server,
            context,
            sessions=sessions,
            mix=mix,
            publishers=IN_FLIGHT,
            in_flight=IN_FLIGHT,
            warmup=options.warmup,
            duration=options.seconds,
            spin=True,
            **here.traffic(guild),
        )
    context.result.judge(case, report["check"])
    window: dict[str, Any] = report["window"]
    return window


def run(context: Context) -> None:
    add = context.result.add_all
    for sessions in context.options.sessions or (100, 1000):
        for mix, name in MIXES.items():
            case = f"{sessions} sessions, {name}"
            windows: dict[str, list[dict[str, Any]]] = {journal: [] for journal in MODULES}
            for _ in context.rounds(case):
                for journal, module in MODULES.items():
                    windows[journal].append(measure(context, f"{case}, {journal}", sessions, mix, module))
            rates = {journal: [window["accepted_per_s"] for window in windows[journal]] for journal in MODULES}
            for journal in MODULES:
                costs = [window["cpu_us_per_message"] for window in windows[journal]]
                add(f"{case}: requests, {journal}", rates[journal], "/s")
                add(f"{case}: CPU per request, {journal}", costs, "µs")
            quotients = ratios(rates["with"], rates["without"])
            add(f"{case}: requests, with / without", quotients, "×", TARGETS.get(mix))
