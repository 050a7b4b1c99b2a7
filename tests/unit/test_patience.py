"""How long a client may take for a body, on a clock that jumps."""

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from chatd.rest.http import BodyFailed, Limits, Patience

LIMITS = Limits(body_deadline_s=10, body_bytes_per_s=100)


def after(seconds: float) -> Callable[[], Awaitable[bytes]]:
    async def receive() -> bytes:
        await trio.sleep(seconds)
        return b"x"

    return receive


async def test_what_came_extends_it(autojump_clock: MockClock) -> None:
    patience = Patience(LIMITS)
    assert await patience.wait(after(9), 0) == b"x"
    assert await patience.wait(after(5), 500) == b"x"
    with pytest.raises(BodyFailed) as failed:
        await patience.wait(after(5), 800)
    assert failed.value.status == 408


async def test_only_waiting_for_the_client_counts(autojump_clock: MockClock) -> None:
    patience = Patience(LIMITS)
    for _ in range(9):
        await patience.wait(after(1), 0)
        await trio.sleep(1000)  # a slow disk
    with pytest.raises(BodyFailed):
        await patience.wait(after(2), 0)
