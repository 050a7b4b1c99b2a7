"""The index that search looks at: brought up to date behind the messages, and asked, one question at a time.

Posting a message writes nothing here. `catch_up` follows the messages in the order of their ids, and what triggers of
the database note of changes; how far it has come is stored with what it wrote, so that it goes on after a crash.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import trio

from chatd import log
from chatd.model.objects.message import MessageExtra
from chatd.model.snowflake import created_ms
from chatd.model.wire import decoder, timestamp
from chatd.service.search_facets import REVISION, Document, fold, replied_to, terms
from chatd.store import messages, search_index
from chatd.store.db import Database, Overloaded, Tx
from chatd.store.search_index import BOT, USER, WEBHOOK, Entry, Source, Stale

logger = log.get(__name__)

_extra_of = decoder(MessageExtra).decode

# Messages written at a time: posts wait for as long, on SQLite some 3 ms.
BATCH = 32
# How long the index rests after a batch, in times of what that took. Where posts wait it rests longer: a flood pays a
# few percent for it, and the index lags behind until the flood is over.
REST, LONG_REST = 4, 60
# Searches that may wait for their turn; beyond it 503.
WAITING = 32
PROGRESS_S = 10.0


class Batch(NamedTuple):
    """`noted` are to be indexed anew; without them the entries are the next messages, up to `newest_id` (0: none).

    Nothing is behind the last one, when it is read.
    """

    noted: list[Stale]
    entries: list[Entry]
    newest_id: int
    is_last: bool = False


class SearchIndex:
    def __init__(self, db: Database, enabled: bool) -> None:
        self.enabled = enabled
        self.is_ready = False  # it has everything that was there when the server started
        self.documents = 0  # indexed since then
        self._db = db
        self._begun = False
        self._newest_at_start = 0
        self._catching_up = trio.Lock()
        # One at a time: two would keep both readers and processors from everybody else.
        self._turn = trio.CapacityLimiter(1)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """To be held while searching. Raises Overloaded."""
        if self._turn.statistics().tasks_waiting >= WAITING:
            raise Overloaded(f"{WAITING} searches wait already")
        async with self._turn:
            yield

    async def catch_up(self) -> None:
        """Index what has been posted and changed so far."""
        async with self._catching_up:
            await self._catch_up()

    async def _catch_up(self) -> None:
        if not self._begun:
            await self._begin()
            self._begun = True
        if not self.enabled:
            return
        reported = begun = trio.current_time()
        while (batch := await self._db.read(_next)).noted or batch.newest_id:
            if batch.noted:
                await self._db.write_aside(search_index.refresh, batch.noted, batch.entries)
            else:
                await self._db.write_aside(search_index.advance, batch.entries, batch.newest_id)
            self.documents += len(batch.entries)
            self.is_ready = self.is_ready or batch.newest_id >= self._newest_at_start
            if trio.current_time() - reported >= PROGRESS_S:
                reported = trio.current_time()
                up_to = timestamp(created_ms(batch.newest_id)) if batch.newest_id else "changes"
                logger.info("search: indexing", documents=self.documents, up_to=up_to)
            took_s = trio.current_time() - begun
            await trio.sleep(took_s * REST)
            if self._db.is_busy:
                await trio.sleep(took_s * (LONG_REST - REST))
            if batch.is_last:
                break
            begun = trio.current_time()
        self.is_ready = True

    async def _begin(self) -> None:
        revision = REVISION if self.enabled else 0
        if await self._db.read(search_index.revision) != revision:
            await self._db.write_aside(search_index.begin, revision)
        self._newest_at_start = await self._db.read(search_index.newest)


def _next(tx: Tx) -> Batch:
    if noted := search_index.stale(tx, BATCH):
        return Batch(noted, _entries(tx, search_index.sources(tx, list({it.message_id for it in noted}))), 0)
    following = search_index.following(tx, BATCH)
    return Batch([], _entries(tx, following), following[-1].id if following else 0, len(following) < BATCH)


def _entries(tx: Tx, sources: Sequence[Source]) -> list[Entry]:
    """Direct messages have none."""
    found = [(it, _extra_of(it.extra)) for it in sources if it.guild_id is not None]
    replied = tuple({replied_to(it, extra) for it, extra in found} - {0})
    authors = {row.id: row.author_id for row in messages.by_ids(tx, replied)}
    return [entry(Document(it, extra, authors.get(replied_to(it, extra), 0))) for it, extra in found]


def entry(document: Document) -> Entry:
    source = document.source
    return Entry(source, _author_type(document), fold(document.text), terms(document))


def _author_type(document: Document) -> int:
    if document.extra.webhook is not None:
        return WEBHOOK
    return BOT if document.source.author_is_bot else USER
