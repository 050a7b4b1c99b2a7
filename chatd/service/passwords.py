"""Passwords: argon2id hashes, made and checked by one worker thread.

One hash takes tens of milliseconds of a core and megabytes of memory by design, so hashing is the cheapest way to wear
the server out. One worker bounds the cost, and at most `queue` calls wait for it: one more is refused with 429, and
whoever sent it may try again. Where hashes are stored is not known here.
"""

import secrets
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from chatd.model.errors import rate_limited

# A full queue at the default setting is through in about this time.
RETRY_AFTER_S = 2.0

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Passwords:
    def __init__(self, memory_kib: int, time_cost: int, parallelism: int, queue: int) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism)
        self._worker = trio.CapacityLimiter(1)
        self._queue = queue
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """The hash with its salt and parameters, as text."""
        return await self._run(self._hasher.hash, password)

    async def verify(self, hash_: str, password: str) -> bool:
        return await self._run(self._matches, hash_, password)

    async def verify_nobody(self, password: str) -> None:
        """Take the time of `verify`, so that an answer's delay does not tell which accounts exist."""
        await self._run(self._matches, self._nobodys, password)

    def needs_rehash(self, hash_: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(hash_)

    def _matches(self, hash_: str, password: str) -> bool:
        try:
            return self._hasher.verify(hash_, password)
        except VerifyMismatchError:
            return False

    async def _run(self, fn: Callable[[*Ts], T], *args: *Ts) -> T:
        if self._worker.statistics().tasks_waiting >= self._queue:
            raise rate_limited(RETRY_AFTER_S, "shared")
        return await trio.to_thread.run_sync(fn, *args, limiter=self._worker)
