"""The bench's command line: `python -m bench SCENARIO [options]`, `list`, `all`, `compare A B`, `report`.

Exit codes: 0 measured; 1 correctness was violated (a message lost, doubled or out of order); 2 usage, or it could
not be measured. A target that is not reached is said in the table and does not fail the run.
"""

import argparse
import importlib.util
import inspect
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import compare, machine, report, results
from bench.build import CannotCompile
from bench.context import Context
from bench.load import LoadFailed
from bench.progress import Progress
from bench.scenarios import SCENARIOS
from bench.servers import DidNotStart
from bench.world import Refused

# What `make bench` runs: a few minutes, the figures that change first.
SHORT = (
    "fanout --sessions 1000 --in-flight 2 --in-flight 16 --duration 2",
    "fanout --sessions 1000 --rate 20 --duration 2",
    "post --database sqlite --http edge --in-flight 16 --duration 2",
    "latency --duration 2",
    "ready",
)


def _summary(name: str) -> str:
    return (inspect.getdoc(SCENARIOS[name]) or "").partition("\n")[0].partition(": ")[2]


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures chatd against the physical limit of this machine. Without arguments: a short selection.",
        epilog="Exit codes: 0 measured, 1 correctness violated, 2 usage or could not be measured.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--rounds", type=int, default=3, help="rounds; the table shows medians (3)")
    common.add_argument("--duration", type=float, default=4.0, help="seconds measured per round (4)")
    common.add_argument("--warmup", type=float, default=1.0, help="seconds before that (1)")
    common.add_argument(
        "--patience", type=float, default=10.0, help="seconds to wait for a calm machine per round (10)"
    )
    common.add_argument("--no-chart", action="store_true", help="no PNG beside the result")
    for name, scenario in SCENARIOS.items():
        text = inspect.getdoc(scenario) or ""
        command = commands.add_parser(name, parents=[common], help=_summary(name), description=text)
        scenario.arguments(command)
    commands.add_parser("list", help="the scenarios")
    commands.add_parser("all", parents=[common], help="every scenario with its default options (long)")
    comparison = commands.add_parser("compare", help="two result files as one table")
    comparison.add_argument("before", type=Path, metavar="A")
    comparison.add_argument("after", type=Path, metavar="B")
    commands.add_parser("report", help="rewrite the figures in bench/README.md from the newest results")
    return top


def measure(options: argparse.Namespace) -> int:
    """Run one scenario, save and show its result."""
    shown = {name: value for name, value in vars(options).items() if name != "command"}
    progress = Progress()
    result = results.start(options.command, shown, machine.describe())
    try:
        SCENARIOS[options.command].run(Context(options, result, progress))
    except (CannotCompile, DidNotStart, LoadFailed, Refused) as error:
        progress.done()
        print(f"bench {options.command}: {error}", file=sys.stderr)
        return 2
    progress.done()
    if result.others_cpu > machine.DISTURBED:
        result.note(
            f"Other processes kept up to {result.others_cpu:.1f} processors busy: absolute figures are worse than "
            "they should be, ratios are noisy."
        )
    path = results.save(result)
    machine_text = f"{result.machine.processor}, {result.machine.cores} cores, commit {result.machine.commit or '–'}"
    print(f"\n{options.command} · {machine_text}")
    print(results.table(result))
    for note in result.notes:
        print(note)
    print(path)
    if not options.no_chart and importlib.util.find_spec("matplotlib"):
        print(importlib.import_module("bench.chart").draw(result, path.with_suffix(".png")))
    for violation in result.violations:
        print(f"VIOLATED {violation}", file=sys.stderr)
    return 1 if result.violations else 0


def measure_many(selection: Sequence[Sequence[str]]) -> int:
    """Every scenario is run even if one fails; the worst exit code counts."""
    return max(measure(parser().parse_args(arguments)) for arguments in selection)


def show_comparison(before: Path, after: Path) -> int:
    try:
        print(compare.compare(results.load(before), results.load(after)))
    except (OSError, ValueError) as error:
        print(f"bench compare: {error}", file=sys.stderr)
        return 2
    return 0


def main(arguments: Sequence[str]) -> int:
    machine.raise_file_limit()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # what was started is stopped
    options = parser().parse_args(arguments)
    match options.command:
        case None:
            return measure_many([shlex.split(line) for line in SHORT])
        case "list":
            print(results.columns([[name, _summary(name)] for name in SCENARIOS]))
            return 0
        case "all":
            common = [f"--{name}={getattr(options, name)}" for name in ("rounds", "duration", "warmup", "patience")]
            return measure_many([[name, *common, *(["--no-chart"] if options.no_chart else [])] for name in SCENARIOS])
        case "compare":
            return show_comparison(options.before, options.after)
        case "report":
            print(report.write(results.newest()))
            return 0
        case _:
            return measure(options)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
