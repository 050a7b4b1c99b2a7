"""Who is next: IDENTIFY is the dearest thing that a client may ask for, so only so many are worked on at a time.

What runs at once runs in every turn of the event loop. A restart that brings thousands of IDENTIFYs in a second would
otherwise keep heartbeats, RESUMEs and deliveries waiting for all of them; these never come here.
"""

import trio


class IdentifyQueue:
    """First come, first served, up to `waiting_limit` of them and for `patience_s` each."""

    def __init__(self, concurrency: int, waiting_limit: int, patience_s: float) -> None:
        self.waiting = 0
        # GUILD_CREATEs are work of the same kind; apart, so that who has its READY gets them before others begin.
        self.feeds = trio.Semaphore(concurrency)
        # RESUMEs pass these by; of their tokens so many are looked up at a time, or the database would refuse the rest.
        self.resumes = trio.Semaphore(concurrency)
        self._turns = trio.Semaphore(concurrency)
        self._waiting_limit = waiting_limit
        self._patience_s = patience_s

    async def enter(self) -> bool:
        """Whether the caller's turn has come, which it ends with `leave`. Not: too many wait, or it took too long."""
        try:
            self._turns.acquire_nowait()
        except trio.WouldBlock:
            return await self._wait()
        return True

    def leave(self) -> None:
        self._turns.release()

    async def _wait(self) -> bool:
        if self.waiting >= self._waiting_limit:
            return False
        self.waiting += 1
        try:
            with trio.move_on_after(self._patience_s):
                await self._turns.acquire()
                return True
        finally:
            self.waiting -= 1
        return False
