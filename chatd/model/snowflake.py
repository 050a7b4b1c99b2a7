"""Ids: 42 bits of milliseconds since 2015 | 5 bits worker | 5 bits process | 12 bits increment.

Docs: reference, "Snowflakes". The generator is handed its clock; it reads none.
"""

import threading
from collections.abc import Callable

EPOCH_MS = 1_420_070_400_000  # the first second of 2015, UTC

_TIME_SHIFT = 22
_NODE_SHIFT = 12
_INCREMENTS = 1 << 12  # per millisecond
_NODES = 1 << 5


class SnowflakeGenerator:
    """Strictly increasing ids of one node, from any thread.

    When the clock stands still or steps back, or more than 4096 ids are wanted in a millisecond, ids go on from the
    last one and so run ahead of the clock until it has caught up. `floor` is the largest id already in use: every id is
    above it, also when the clock has stepped back since it was made or another node made it.
    """

    def __init__(self, worker: int, process: int, clock_ms: Callable[[], int], floor: int = 0) -> None:
        if not (0 <= worker < _NODES and 0 <= process < _NODES):
            raise ValueError(f"worker and process must be 0 to {_NODES - 1}, not {worker} and {process}")
        self._node = (worker << 5 | process) << _NODE_SHIFT
        self._clock_ms = clock_ms
        self._lock = threading.Lock()
        # Time and increment as one number, so that "the next one" is an addition with its carry.
        self._tick = ((floor >> _TIME_SHIFT) + 1) * _INCREMENTS - 1

    def next(self) -> int:
        with self._lock:
            tick = self._tick = max((self._clock_ms() - EPOCH_MS) * _INCREMENTS, self._tick + 1)
        return tick // _INCREMENTS << _TIME_SHIFT | self._node | tick % _INCREMENTS


def created_ms(snowflake: int) -> int:
    """The epoch milliseconds at which an id was made."""
    return (snowflake >> _TIME_SHIFT) + EPOCH_MS


def lowest_at(ms: int) -> int:
    """The lowest id of a millisecond; 0 for times before ids existed. For paging by time."""
    return max(ms - EPOCH_MS, 0) << _TIME_SHIFT
