import trio

from chatd.model.errors import ApiError
from chatd.service.passwords import Passwords


def cheap(memory_kib: int = 64, queue: int = 4) -> Passwords:
    return Passwords(memory_kib, time_cost=1, parallelism=1, queue=queue)


async def test_a_hash_fits_its_password_only() -> None:
    passwords = cheap()
    made = await passwords.hash("correct horse")
    assert made.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await passwords.verify(made, "correct horse")
    assert not await passwords.verify(made, "correct horses")


async def test_two_hashes_of_one_password_differ() -> None:
    passwords = cheap()
    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


async def test_nobody_has_any_password() -> None:
    await cheap().verify_nobody("correct horse")


async def test_a_hash_with_other_parameters_needs_a_new_one() -> None:
    made = await cheap(memory_kib=64).hash("correct horse")
    assert not cheap(memory_kib=64).needs_rehash(made)
    assert cheap(memory_kib=128).needs_rehash(made)


async def test_a_full_queue_refuses_and_is_usable_again_afterwards() -> None:
    passwords = cheap(queue=2)
    outcomes: list[str] = []

    async def hash_one() -> None:
        try:
            outcomes.append((await passwords.hash("correct horse"))[:9])
        except ApiError as refusal:
            outcomes.append(f"{refusal.status}, again in {refusal.extra['retry_after']:g} s")

    async with trio.open_nursery() as nursery:
        for _ in range(5):  # one works, two wait
            nursery.start_soon(hash_one)
    assert sorted(outcomes) == ["$argon2id"] * 3 + ["429, again in 2 s"] * 2
    await passwords.hash("correct horse")
