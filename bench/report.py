"""Writes the newest results into bench/README.md, between two markers. The text around them is kept."""

from collections.abc import Sequence
from pathlib import Path

from bench.results import Result
from bench.stats import significant

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- figures: written by `python -m bench report` -->", "<!-- end of figures -->"


def figures(results: Sequence[Result]) -> str:
    """The results as Markdown: one table per scenario."""
    parts = []
    for result in results:
        machine = result.machine
        parts.append(
            f"### {result.scenario}\n\n"
            f"{result.started[:10]}, {machine.processor}, {machine.cores} cores, Linux {machine.kernel}, "
            f"Python {machine.python}, load {machine.load_average:.1f} before the run\n\n"
            "| figure | median | min – max | unit | target | |\n|---|--:|--:|---|---|---|"
        )
        for figure in result.figures:
            s = figure.spread
            target = str(figure.target) if figure.target else ""
            cells = [figure.name, significant(s.median), f"{significant(s.low)} – {significant(s.high)}", figure.unit]
            parts[-1] += f"\n| {' | '.join([*cells, target, figure.verdict])} |"
        parts[-1] += "".join(f"\n\n{note}" for note in result.notes)
    return "\n\n".join(parts)


def write(results: Sequence[Result], readme: Path = README) -> Path:
    """Raises ValueError when the README has lost its markers."""
    text = readme.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme} has no markers for the figures")
    readme.write_text(f"{before}{BEGIN}\n\n{figures(results)}\n\n{END}{after}")
    return readme
