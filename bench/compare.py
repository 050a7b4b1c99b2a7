"""Two result files as one table: medians, spreads and the change of every figure both have. Pure."""

from bench.results import Figure, Result, columns
from bench.stats import significant


def _cell(figure: Figure) -> str:
    s = figure.spread
    return f"{significant(s.median)} ({significant(s.low)} – {significant(s.high)})"


def change(before: Figure, after: Figure) -> str:
    """Change of the median in per cent, or why it says nothing."""
    if before.spread.overlaps(after.spread):
        return "within the spread"
    if not before.spread.median:
        return "was 0"
    return f"{(after.spread.median / before.spread.median - 1) * 100:+.0f} %"


def compare(before: Result, after: Result) -> str:
    """Raises ValueError when the files have no figure in common."""
    then = {figure.name: figure for figure in before.figures}
    now = {figure.name: figure for figure in after.figures}
    common = [name for name in then if name in now]
    if not common:
        raise ValueError(f"{before.scenario} and {after.scenario} have no figure in common")
    rows = [["figure", "unit", f"A {before.machine.commit}", f"B {after.machine.commit}", "change"]]
    rows += [
        [name, now[name].unit, _cell(then[name]), _cell(now[name]), change(then[name], now[name])] for name in common
    ]
    lines = [columns(rows, right=frozenset({2, 3}))]
    for label, only in (("A", then.keys() - now.keys()), ("B", now.keys() - then.keys())):
        lines += [f"only in {label}: {name}" for name in sorted(only)]
    if before.machine.processor != after.machine.processor or before.machine.cores != after.machine.cores:
        lines.append("The machines differ: compare ratios only.")
    return "\n".join(lines)
