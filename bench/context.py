"""What every scenario gets: its options, the result it fills, and the progress line."""

from argparse import Namespace
from collections.abc import Iterator

from msgspec import Struct

from bench.machine import wait_until_calm
from bench.progress import Progress
from bench.results import Result


class Context(Struct):
    options: Namespace
    result: Result
    progress: Progress

    def rounds(self, case: str) -> Iterator[int]:
        """0, 1, 2, … for the wanted number of rounds; each is announced and starts on a calm machine if possible."""
        for number in range(self.options.rounds):
            self.progress.at(f"{self.result.scenario}: {case}, round {number + 1}/{self.options.rounds}:")
            wait_until_calm(self.options.patience)
            yield number
