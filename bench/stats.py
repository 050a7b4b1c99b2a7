"""Medians and spreads of a few rounds. Pure."""

import math
import statistics
from collections.abc import Sequence

from msgspec import Struct


class Spread(Struct, frozen=True):
    """What the rounds of one figure gave."""

    median: float
    low: float
    high: float

    def overlaps(self, other: "Spread") -> bool:
        return self.low <= other.high and other.low <= self.high


def spread(rounds: Sequence[float]) -> Spread:
    return Spread(statistics.median(rounds), min(rounds), max(rounds))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratios(values: Sequence[float], references: Sequence[float]) -> list[float]:
    """Round by round, because a shared machine changes between rounds more than within one."""
    return [value / reference for value, reference in zip(values, references, strict=True) if reference]


def significant(value: float) -> str:
    """Three digits that mean something: 141,000 · 1,230 · 12.3 · 0.123."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        digits = len(str(int(abs(value)))) - 3
        return f"{round(value, -digits):,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
