"""`enforce_nonce`: a message that is posted again with the nonce of its first attempt is not posted twice.

    claim = await nonces.claim(key, now)
    if claim.message_id is None:  # ours to post
        with claim:
            claim.settle(await post())

A nonce is remembered for `WINDOW_MS` after its message. When more than `capacity` are remembered the oldest are
forgotten earlier, and a retry that comes after that posts a second message. Claims that are under way are bounded by
the requests that are.
"""

from collections import OrderedDict
from types import TracebackType
from typing import Self, TypeAlias

import trio

from chatd.model.snowflake import created_ms

# Discord checks nonces of "the past few minutes" (resources/message, "Create Message").
WINDOW_MS = 300_000
# About 30 MB when full: five minutes of 300 messages per second.
CAPACITY = 100_000

Key: TypeAlias = tuple[int, int, str]  # author, channel, nonce


class Nonces:
    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._posted: OrderedDict[Key, int] = OrderedDict()  # message ids, which say their age; oldest first
        self._under_way: dict[Key, trio.Event] = {}

    def __len__(self) -> int:
        return len(self._posted)

    async def claim(self, key: Key, now: float) -> "Claim":
        """Who claims a key first owns it; the others wait for the outcome. `now` is in epoch seconds."""
        self._expire(now)
        while True:
            message_id = self._posted.get(key)
            if message_id is not None:
                return Claim(self, key, message_id)
            under_way = self._under_way.get(key)
            if under_way is None:
                self._under_way[key] = trio.Event()
                return Claim(self, key, None)
            await under_way.wait()

    def remember(self, key: Key, message_id: int) -> None:
        """A message that is in the database; at start-up in the order of ids."""
        self._posted[key] = message_id
        if len(self._posted) > self._capacity:
            self._posted.popitem(last=False)

    def end(self, key: Key) -> None:
        """The owner is done; those who wait look again."""
        self._under_way.pop(key).set()

    def _expire(self, now: float) -> None:
        posted = self._posted
        while posted and created_ms(next(iter(posted.values()))) <= now * 1000 - WINDOW_MS:
            posted.popitem(last=False)


class Claim:
    """The right to post the one message of a key, or the id of the message that was posted.

    The owner settles it once the message is committed; leaving the `with` block unsettled abandons it, and one of
    those who wait becomes the owner.
    """

    __slots__ = ("_key", "_nonces", "message_id")

    def __init__(self, nonces: Nonces, key: Key, message_id: int | None) -> None:
        self._nonces = nonces
        self._key = key
        self.message_id = message_id

    def settle(self, message_id: int) -> None:
        self.message_id = message_id
        self._nonces.remember(self._key, message_id)
        self._nonces.end(self._key)

    def abandon(self) -> None:
        self._nonces.end(self._key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.message_id is None:
            self.abandon()
