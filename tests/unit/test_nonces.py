import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from chatd.model.snowflake import EPOCH_MS, lowest_at
from chatd.service.nonces import WINDOW_MS, Nonces

KEY = (1, 2, "nonce")
NOW_S = EPOCH_MS / 1000 + 1000
MESSAGE_ID = lowest_at(int(NOW_S * 1000))


async def test_the_first_claim_is_to_be_posted_and_later_ones_get_its_message() -> None:
    nonces = Nonces()
    first = await nonces.claim(KEY, NOW_S)
    assert first.message_id is None
    with first:
        first.settle(MESSAGE_ID)
    assert (await nonces.claim(KEY, NOW_S)).message_id == MESSAGE_ID


@pytest.mark.parametrize("other", [(9, 2, "nonce"), (1, 9, "nonce"), (1, 2, "other")])
async def test_another_author_channel_or_nonce_is_another_message(other: tuple[int, int, str]) -> None:
    nonces = Nonces()
    nonces.remember(KEY, MESSAGE_ID)
    with await nonces.claim(other, NOW_S) as claim:
        assert claim.message_id is None


async def test_a_claim_waits_for_the_one_under_way() -> None:
    nonces = Nonces()
    outcomes: list[int | None] = []

    async def claim() -> None:
        outcomes.append((await nonces.claim(KEY, NOW_S)).message_id)

    with await nonces.claim(KEY, NOW_S) as owner:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(claim)
            nursery.start_soon(claim)
            await wait_all_tasks_blocked()
            assert outcomes == []
            owner.settle(MESSAGE_ID)
    assert outcomes == [MESSAGE_ID, MESSAGE_ID]


async def test_of_those_who_wait_one_takes_over_an_abandoned_claim() -> None:
    nonces = Nonces()
    owners = 0

    async def claim() -> None:
        nonlocal owners
        with await nonces.claim(KEY, NOW_S) as mine:
            if mine.message_id is None:
                owners += 1
                await wait_all_tasks_blocked()
                mine.settle(MESSAGE_ID)
            assert mine.message_id == MESSAGE_ID

    async with trio.open_nursery() as nursery:
        with await nonces.claim(KEY, NOW_S):  # and leave without settling
            for _ in range(3):
                nursery.start_soon(claim)
            await wait_all_tasks_blocked()
            assert owners == 0
    assert owners == 1


async def test_a_claim_is_abandoned_when_posting_fails() -> None:
    nonces = Nonces()
    with pytest.raises(ZeroDivisionError), await nonces.claim(KEY, NOW_S):
        raise ZeroDivisionError
    assert (await nonces.claim(KEY, NOW_S)).message_id is None


async def test_a_cancelled_wait_claims_nothing() -> None:
    nonces = Nonces()
    owner = await nonces.claim(KEY, NOW_S)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(nonces.claim, KEY, NOW_S)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    owner.abandon()
    assert (await nonces.claim(KEY, NOW_S)).message_id is None


async def test_a_nonce_is_forgotten_after_the_window() -> None:
    nonces = Nonces()
    nonces.remember(KEY, MESSAGE_ID)
    last_s = NOW_S + WINDOW_MS / 1000
    assert (await nonces.claim(KEY, last_s - 0.001)).message_id == MESSAGE_ID
    assert (await nonces.claim(KEY, last_s)).message_id is None
    assert len(nonces) == 0


async def test_beyond_the_capacity_the_oldest_are_forgotten() -> None:
    nonces = Nonces(capacity=2)
    for number in range(3):
        nonces.remember((1, 2, str(number)), MESSAGE_ID + number)
    assert len(nonces) == 2
    assert (await nonces.claim((1, 2, "1"), NOW_S)).message_id == MESSAGE_ID + 1
    assert (await nonces.claim((1, 2, "0"), NOW_S)).message_id is None
