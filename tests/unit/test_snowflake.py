"""Layout and order of ids."""

import pytest

from chatd.model.snowflake import EPOCH_MS, SnowflakeGenerator, created_ms, lowest_at


def generator(*clock: int, worker: int = 0, process: int = 0, floor: int = 0) -> SnowflakeGenerator:
    """A generator whose clock shows these milliseconds after the epoch in turn, then stands still."""
    readings = iter(clock)
    last = clock[-1]
    return SnowflakeGenerator(worker, process, lambda: EPOCH_MS + next(readings, last), floor)


def test_the_example_of_the_documentation_decomposes() -> None:
    # reference, "Snowflake ID Format Structure": 175928847299117063
    assert created_ms(175928847299117063) == 1462015105796


def test_an_id_is_made_of_time_worker_process_and_increment() -> None:
    ids = generator(5, worker=3, process=9)
    assert [ids.next(), ids.next()] == [
        5 << 22 | 3 << 17 | 9 << 12 | 0,
        5 << 22 | 3 << 17 | 9 << 12 | 1,
    ]


def test_the_increment_starts_again_with_each_millisecond() -> None:
    ids = generator(5, 5, 6)
    assert [ids.next() & 0xFFF for _ in range(3)] == [0, 1, 0]


def test_a_full_millisecond_borrows_from_the_next() -> None:
    ids = generator(5)
    made = [ids.next() for _ in range(4097)]
    assert made == sorted(set(made))
    assert created_ms(made[4095]) == EPOCH_MS + 5
    assert created_ms(made[4096]) == EPOCH_MS + 6


def test_a_clock_that_steps_back_does_not_take_ids_back() -> None:
    ids = generator(1000, 1, 2, 3)
    made = [ids.next() for _ in range(4)]
    assert made == sorted(set(made))
    assert created_ms(made[-1]) == EPOCH_MS + 1000


@pytest.mark.parametrize("node", [0, 31])
def test_ids_are_above_the_floor_whichever_node_made_it(node: int) -> None:
    floor = 5000 << 22 | 31 << 17 | 31 << 12 | 0xFFF
    assert generator(1, worker=node, process=node, floor=floor).next() > floor


def test_a_node_number_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 31"):
        generator(0, worker=32)


def test_the_lowest_id_of_a_time_bounds_its_ids() -> None:
    ms = EPOCH_MS + 12345
    assert created_ms(lowest_at(ms)) == ms
    assert lowest_at(ms) <= generator(12345).next() < lowest_at(ms + 1)


def test_before_the_epoch_every_id_is_later() -> None:
    assert lowest_at(0) == 0
