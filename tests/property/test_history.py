"""Paging a channel's past skips nothing and repeats nothing, whatever is posted and deleted meanwhile."""

from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.model.objects.message import Message, MessageCreate, MessagePage
from chatd.model.wire import Snowflake, convert, decoder
from chatd.service import deletions, messages
from chatd.service.actors import Actor
from chatd.service.core import Core
from tests.support.core import open_core, person, shared_channel
from tests.support.databases import empty

AT_FIRST = 15

# What is done beside the reading: None posts a message, a number deletes the one at that place of the past.
changes = st.lists(st.none() | st.integers(0, 40), min_size=5, max_size=40)


class Past:
    """A channel that changes while it is read."""

    def __init__(self, core: Core, me: Actor, channel_id: Snowflake) -> None:
        self._core, self._me, self._channel_id = core, me, channel_id
        self.posted: list[int] = []
        self.deleted: set[int] = set()  # or just being deleted
        self._readings: list[tuple[list[int], list[int]]] = []  # what was seen, and what was there from the beginning

    async def post(self) -> None:
        encoded = await messages.create(self._core, self._me, self._channel_id, MessageCreate(content="hello"))
        self.posted.append(decoder(Message).decode(encoded).id)

    async def delete(self, place: int) -> None:
        message_id = self.posted[place % len(self.posted)]
        if message_id not in self.deleted:
            self.deleted.add(message_id)
            await deletions.one(self._core, self._me, self._channel_id, Snowflake(message_id), None)

    async def page(self, **query: int) -> list[int]:
        """Ids, newest first."""
        page = await messages.page(self._core, self._me, self._channel_id, convert(query, MessagePage))
        ids = [int(message.id) for message in page]
        assert ids == sorted(set(ids), reverse=True)
        assert len(ids) <= query["limit"]
        return ids

    async def change(self, changes: list[int | None]) -> None:
        for place in changes:
            await (self.post() if place is None else self.delete(place))

    async def read_back(self, limit: int) -> None:
        """From the newest message to the oldest."""
        at_first = list(self.posted)
        seen: list[int] = []
        while page := await self.page(limit=limit, **({"before": seen[-1]} if seen else {})):
            seen += page
        self._readings.append((seen, at_first))

    async def read_on(self, limit: int, done: trio.Event) -> None:
        """From the oldest message on, until nothing comes any more."""
        seen: list[int] = []
        while True:
            is_last = done.is_set()
            page = await self.page(limit=limit, after=seen[-1] if seen else 0)
            seen += page[::-1]
            if is_last and not page:
                break
        self._readings.append((seen[::-1], self.posted))

    def judge(self) -> None:
        """When all is done: of what was there all the time each reading has seen all, and nothing twice."""
        for seen, there in self._readings:
            assert seen == sorted(set(seen), reverse=True)
            assert set(there) - self.deleted <= set(seen) <= set(self.posted)

    async def look_around(self, limit: int) -> None:
        """Nothing changes meanwhile. As many older as younger ones, as far as there are, and no hole between them."""
        left = sorted(set(self.posted) - self.deleted)
        for message_id in self.posted:
            page = sorted(await self.page(limit=limit, around=message_id))
            older = [it for it in left if it <= message_id][-(limit // 2 + 1) :]
            younger = [it for it in left if it > message_id][: limit - limit // 2 - 1]
            assert page == older + younger


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@given(done=st.lists(changes, min_size=1, max_size=3), limits=st.lists(st.integers(1, 7), min_size=2, max_size=4))
@settings(max_examples=12)
def test_paging_beside_changes(database: str, done: list[list[int | None]], limits: list[int]) -> None:
    with empty(database) as (directory, url):
        trio.run(_run, url, directory, done, limits)


async def _run(url: str, directory: Path, done: list[list[int | None]], limits: list[int]) -> None:
    async with open_core(directory, database={"url": url}) as core:
        owner = await person(core, "owner")
        past = Past(core, owner, await shared_channel(core, [owner]))
        for _ in range(AT_FIRST):
            await past.post()
        changed = trio.Event()
        async with trio.open_nursery() as readers:
            for limit in limits:
                readers.start_soon(past.read_back, limit)
                readers.start_soon(past.read_on, limit, changed)
            async with trio.open_nursery() as writers:
                for part in done:
                    writers.start_soon(past.change, part)
            changed.set()
        past.judge()
        for limit in limits:
            await past.look_around(limit)
