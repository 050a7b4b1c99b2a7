"""Draws a result as a PNG: a panel per unit, a bar per figure, whiskers from minimum to maximum, targets as ticks.

The only importer of matplotlib (extra `bench`); without it the bench leaves the chart out.
"""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from bench.results import Figure, Result

BAR, REACHED, MISSED, TARGET = "#5865a8", "#3a8f5c", "#c0553d", "#222222"
COLOURS = {"": BAR, "reached": REACHED, "NOT REACHED": MISSED}
INCHES_PER_BAR = 0.32


def _panel(axes: Axes, unit: str, figures: list[Figure]) -> None:
    for row, figure in enumerate(figures):
        s = figure.spread
        whiskers = [[s.median - s.low], [s.high - s.median]]
        axes.barh(row, s.median, color=COLOURS[figure.verdict], xerr=whiskers, error_kw={"lw": 1, "capsize": 2})
        if figure.target:
            axes.plot([figure.target.value] * 2, [row - 0.45, row + 0.45], color=TARGET, lw=2)
    axes.set_yticks(range(len(figures)), [figure.name for figure in figures], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel(unit or "share", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)


def draw(result: Result, path: Path) -> Path:
    units: dict[str, list[Figure]] = {}
    for figure in result.figures:
        units.setdefault(figure.unit, []).append(figure)
    heights = [len(figures) + 2 for figures in units.values()]
    drawing = Drawing(figsize=(11, 1 + INCHES_PER_BAR * sum(heights)))
    panels = drawing.subplots(len(units), 1, squeeze=False, height_ratios=heights)
    for axes, (unit, figures) in zip(panels[:, 0], units.items(), strict=True):
        _panel(axes, unit, figures)
    machine = result.machine
    title = f"{result.scenario}: {machine.processor}, {machine.cores} cores, {result.started[:10]}"
    drawing.suptitle(f"{title}{f', commit {machine.commit}' if machine.commit else ''}", fontsize=10)
    drawing.tight_layout()
    drawing.savefig(path, dpi=110)
    return path
