import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from chatd.gateway.identifies import IdentifyQueue


async def test_so_many_at_a_time_and_first_come_first_served(nursery: trio.Nursery) -> None:
    queue = IdentifyQueue(2, 100, 5.0)
    begun: list[int] = []
    turns = [trio.Event() for _ in range(6)]

    async def client(number: int) -> None:
        assert await queue.enter()
        begun.append(number)
        await turns[number].wait()
        queue.leave()

    for number in range(6):
        nursery.start_soon(client, number)
        await wait_all_tasks_blocked()
    assert (begun, queue.waiting) == ([0, 1], 4)
    for number, turn in enumerate(turns):
        turn.set()
        await wait_all_tasks_blocked()
        assert begun == list(range(min(number + 3, 6)))
    assert queue.waiting == 0


async def test_who_finds_the_queue_full_is_turned_away_at_once(autojump_clock: MockClock) -> None:
    queue = IdentifyQueue(1, 0, 5.0)
    started = trio.current_time()
    assert await queue.enter()
    assert not await queue.enter()
    assert trio.current_time() == started
    queue.leave()
    assert await queue.enter()


async def test_who_waits_for_too_long_is_turned_away_and_takes_no_turn(autojump_clock: MockClock) -> None:
    queue = IdentifyQueue(1, 100, 5.0)
    started = trio.current_time()
    assert await queue.enter()
    assert not await queue.enter()
    assert trio.current_time() - started == 5.0
    queue.leave()
    assert await queue.enter()
