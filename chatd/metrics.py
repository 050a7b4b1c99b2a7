"""Counters, gauges and histograms, and Prometheus' text form of them.

Owns the registry and its rendering. Does not own any metric: the module that counts asks the registry for one at
start-up and keeps it, so that counting is an addition to an attribute.

Trio's thread only: no operation takes a lock. A thread that has something to count hands it over with its result.

Labels come from fixed sets (route templates, never paths; event names, never ids), because a series is never forgotten.

Docs: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Generic, Literal, Protocol, TypeVar

# Seconds: from a fan-out in memory to a client that gives up.
LATENCY_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Sample = tuple[str, str, float]
"""What a metric adds to its family's name, what it adds to its own labels, and the value."""


class Metric(Protocol):
    def samples(self) -> Iterator[Sample]: ...


class Number:
    """A counter or a gauge. Hot code writes `number.value += 1`."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def samples(self) -> Iterator[Sample]:
        yield "", "", self.value


class Reading:
    """A gauge that is read when somebody asks for it, such as a queue's length."""

    __slots__ = ("read",)

    def __init__(self, read: Callable[[], float]) -> None:
        self.read = read

    def samples(self) -> Iterator[Sample]:
        yield "", "", self.read()


class Histogram:
    """How many observations were at most each bound, and the sum of all."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum: float = 0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def samples(self) -> Iterator[Sample]:
        for bound, count in zip((*self.bounds, math.inf), accumulate(self.counts), strict=True):
            yield "_bucket", f'le="{_number(bound)}"', count
        yield "_sum", "", self.sum
        yield "_count", "", sum(self.counts)


M = TypeVar("M", bound=Metric)


class Labelled(Generic[M]):
    """A metric for each combination of label values, made when it is first asked for."""

    def __init__(self, names: Sequence[str], make: Callable[[], M]) -> None:
        self._names = names
        self._make = make
        self._metrics: dict[tuple[str, ...], M] = {}

    def labels(self, *values: str) -> M:
        """One value per label, in the order of the names. Hot code keeps the result."""
        metric = self._metrics.get(values)
        if metric is None:
            if len(values) != len(self._names):
                raise ValueError(f"values {values} for labels {self._names}")
            metric = self._metrics[values] = self._make()
        return metric

    def __iter__(self) -> Iterator[tuple[str, M]]:
        for values, metric in self._metrics.items():
            yield _pairs(self._names, values), metric


class Readings:
    """Values that are read when somebody asks for them, by the values of their labels."""

    def __init__(self, names: Sequence[str], read: Callable[[], Mapping[tuple[str, ...], float]]) -> None:
        self._names = names
        self._read = read

    def __iter__(self) -> Iterator[tuple[str, Metric]]:
        for values, value in self._read().items():
            number = Number()
            number.value = value
            yield _pairs(self._names, values), number


class Registry:
    """All metrics of one server, in the order in which they were registered."""

    def __init__(self) -> None:
        self._families: dict[str, tuple[str, str, Iterable[tuple[str, Metric]]]] = {}

    def counter(self, name: str, help: str) -> Number:
        return self._single(name, "counter", help, Number())

    def counters(self, name: str, help: str, labels: Sequence[str]) -> Labelled[Number]:
        return self._labelled(name, "counter", help, labels, Number)

    def gauge(self, name: str, help: str) -> Number:
        return self._single(name, "gauge", help, Number())

    def gauges(self, name: str, help: str, labels: Sequence[str]) -> Labelled[Number]:
        return self._labelled(name, "gauge", help, labels, Number)

    def reading(self, name: str, help: str, read: Callable[[], float]) -> None:
        """A gauge that calls `read` for its value. `read` neither waits nor raises."""
        self._single(name, "gauge", help, Reading(read))

    def readings(
        self,
        name: str,
        help: str,
        labels: Sequence[str],
        read: Callable[[], Mapping[tuple[str, ...], float]],
        kind: Literal["counter", "gauge"] = "gauge",
    ) -> None:
        """As `reading`, for all series of a family at once."""
        self._add(name, kind, help, Readings(labels, read))

    def histogram(self, name: str, help: str, bounds: Sequence[float] = LATENCY_BOUNDS_S) -> Histogram:
        return self._single(name, "histogram", help, Histogram(bounds))

    def histograms(
        self, name: str, help: str, labels: Sequence[str], bounds: Sequence[float] = LATENCY_BOUNDS_S
    ) -> Labelled[Histogram]:
        return self._labelled(name, "histogram", help, labels, lambda: Histogram(bounds))

    def render(self) -> str:
        """The body of `GET /metrics`; its content type is `text/plain; version=0.0.4; charset=utf-8`."""
        lines = []
        for name, (kind, help, metrics) in self._families.items():
            lines += [f"# HELP {name} {_escape(help)}", f"# TYPE {name} {kind}"]
            for own, metric in metrics:
                for suffix, further, value in metric.samples():
                    labels = ",".join(filter(None, (own, further)))
                    lines.append(f"{name}{suffix}{f'{{{labels}}}' if labels else ''} {_number(value)}")
        return "\n".join(lines) + "\n"

    def _single(self, name: str, kind: str, help: str, metric: M) -> M:
        self._add(name, kind, help, [("", metric)])
        return metric

    def _labelled(self, name: str, kind: str, help: str, labels: Sequence[str], make: Callable[[], M]) -> Labelled[M]:
        metrics = Labelled(labels, make)
        self._add(name, kind, help, metrics)
        return metrics

    def _add(self, name: str, kind: str, help: str, metrics: Iterable[tuple[str, Metric]]) -> None:
        if name in self._families:
            raise ValueError(f"metric {name} is registered twice")
        self._families[name] = (kind, help, metrics)


def _pairs(names: Sequence[str], values: Sequence[str]) -> str:
    pairs = zip(names, values, strict=True)
    return ",".join(f'{name}="{_escape(value, quote=True)}"' for name, value in pairs)


def _escape(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
