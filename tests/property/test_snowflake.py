"""Whatever the clock does, ids rise."""

import threading
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chatd.model.snowflake import EPOCH_MS, SnowflakeGenerator

clocks = st.lists(st.integers(0, 2**41), min_size=1, max_size=50)
floors = st.integers(0, 2**62)
nodes = st.integers(0, 31)


@given(clocks, floors, nodes, nodes)
def test_ids_rise_strictly_above_the_floor(clock: list[int], floor: int, worker: int, process: int) -> None:
    readings = iter(clock)
    ids = SnowflakeGenerator(worker, process, lambda: EPOCH_MS + next(readings), floor)
    made = [floor] + [ids.next() for _ in clock]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert all(id_ >> 17 & 31 == worker and id_ >> 12 & 31 == process for id_ in made[1:])


def test_threads_never_get_the_same_id() -> None:
    ids = SnowflakeGenerator(0, 0, lambda: EPOCH_MS)
    made: list[list[int]] = [[] for _ in range(4)]

    def take(mine: list[int]) -> None:
        mine.extend(ids.next() for _ in range(5000))

    threads = [threading.Thread(target=take, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id_ for mine in made for id_ in mine}) == 20_000
    assert all(mine == sorted(mine) for mine in made)
