"""What a run leaves behind: figures with all their rounds, targets, violations; as Structs, JSON files and a table."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bench.machine import Machine
from bench.stats import Spread, significant, spread

RESULTS = Path(__file__).parent / "results"


class Target(Struct, frozen=True):
    """A bound on the median of a figure."""

    sense: Literal[">=", "<="]
    value: float

    def reached(self, median: float) -> bool:
        return median >= self.value if self.sense == ">=" else median <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.sense == '>=' else '≤'} {significant(self.value)}"


class Figure(Struct):
    name: str
    unit: str
    rounds: list[float]
    target: Target | None = None

    @property
    def spread(self) -> Spread:
        return spread(self.rounds)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "reached" if self.target.reached(self.spread.median) else "NOT REACHED"


class Result(Struct):
    scenario: str
    started: str  # ISO 8601, UTC
    options: dict[str, Any]
    machine: Machine
    figures: list[Figure] = []
    violations: list[str] = []
    notes: list[str] = []
    others_cpu: float = 0.0  # processors that other processes kept busy, in the worst measuring window

    def add(self, name: str, value: float, unit: str, target: Target | None = None) -> None:
        """Another round of a figure; the first one decides unit and target."""
        figure = next((figure for figure in self.figures if figure.name == name), None)
        if figure is None:
            figure = Figure(name, unit, [], target)
            self.figures.append(figure)
        figure.rounds.append(value)

    def add_all(self, name: str, values: list[float], unit: str, target: Target | None = None) -> None:
        for value in values:
            self.add(name, value, unit, target)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def judge(self, case: str, check: Mapping[str, int], allowed: frozenset[str] = frozenset()) -> None:
        """Every count of the load client's check that is not zero is a violation (`delivered` counts what is right)."""
        for what, count in check.items():
            if count and what != "delivered" and what not in allowed:
                self.violations.append(f"{case}: {what.replace('_', ' ')} {count}")


def start(scenario: str, options: dict[str, Any], machine: Machine) -> Result:
    now = datetime.datetime.now(datetime.UTC)
    return Result(scenario, now.isoformat(timespec="seconds"), options, machine)


def save(result: Result, folder: Path = RESULTS) -> Path:
    folder.mkdir(exist_ok=True)
    stamp = result.started.replace("-", "").replace(":", "").replace("+0000", "Z")
    path = folder / f"{result.scenario}-{stamp}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    return path


def load(path: Path) -> Result:
    return msgspec.json.decode(path.read_bytes(), type=Result)


def newest(folder: Path = RESULTS) -> list[Result]:
    """The newest result of every scenario, in alphabetical order."""
    found: dict[str, Result] = {}
    for path in sorted(folder.glob("*.json")):
        result = load(path)
        if result.scenario not in found or result.started > found[result.scenario].started:
            found[result.scenario] = result
    return [found[name] for name in sorted(found)]


def columns(rows: list[list[str]], right: frozenset[int] = frozenset()) -> str:
    """Rows of cells as aligned text."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(widths[i]) if i in right else cell.ljust(widths[i]) for i, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def table(result: Result) -> str:
    rows = [["figure", "median", "min – max", "unit", "target", ""]]
    for figure in result.figures:
        s = figure.spread
        between = f"{significant(s.low)} – {significant(s.high)}"
        target = str(figure.target) if figure.target else ""
        rows.append([figure.name, significant(s.median), between, figure.unit, target, figure.verdict])
    return columns(rows, right=frozenset({1, 2}))
