"""Finding messages: by words, by what they have, in the channels that the asker may read.

However many messages there are, a search looks at a bounded number of them. It takes the narrowest list of messages
that the filters name (those of an author, in a channel, with a picture, …). A list that is short enough is looked
through to its end. Of a longer one the newest `WINDOW` messages are looked at: what is common is found there. What is
rare is found by the index of texts; without words that are in it, in the newest `SCAN` messages.

What has changed since it was indexed is not found, so that nothing is found by what it no longer says.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from chatd.model.limits import SEARCH_RESULTS
from chatd.store import search_text
from chatd.store.db import Param, Row, TooSlow, Tx, marks
from chatd.store.search_text import Candidates

WINDOW = 5_000
SCAN = 30_000
# The newest hits, of which the most relevant are shown first.
RANKED = 1_000
DEADLINE_S = 2.0
# For counting what is behind the page, where the list is longer than WINDOW.
COUNTING_S = 0.01

NEWEST, OLDEST, SHORTEST = "id DESC", "id", "length, id DESC"


class Search(NamedTuple):
    """A message has to fit all of it; empty tuples ask for nothing."""

    guild_id: int
    asker_id: int
    readable: tuple[int, ...]  # channels whose history the asker may read
    managed: tuple[int, ...]  # of these, where it sees all private threads
    channels: tuple[int, ...]  # any of these
    authors: tuple[int, ...]  # any of these
    author_types: tuple[int, ...]  # any of these
    wanted: tuple[tuple[int, ...], ...]  # of each group any term
    unwanted: tuple[int, ...]  # none of these terms
    words: tuple[str, ...]  # all of these, folded
    after: int
    before: int
    order: str
    limit: int
    offset: int

    @property
    def direction(self) -> str:
        """In which messages are looked at."""
        return "ASC" if self.order == OLDEST else "DESC"


class Found(NamedTuple):
    """`total` is exact for lists of up to WINDOW messages, and past the page's end wherever there is a next page."""

    total: int
    message_ids: list[int]


class Hit(Row):
    id: int
    length: int


class _Sql(NamedTuple):
    text: str
    params: tuple[Param, ...]


class _Hits(NamedTuple):
    """SQL for the messages that fit, and how long they may be counted."""

    text: str
    params: tuple[Param, ...]
    counting_s: float


class _List(NamedTuple):
    """Messages by a column that has an index with their ids."""

    table: str
    id: str
    column: str
    values: tuple[int, ...]


def find(tx: Tx, search: Search) -> Found:
    """The last thing in its transaction, which may have run out of time. Raises TooSlow when nothing was found."""
    search_text.steer(tx)
    tx.allow(DEADLINE_S)
    attempts = _attempts(tx, search)
    hits = next(attempts)
    found = _page(tx, search, hits)
    with suppress(TooSlow):
        while found.total <= search.offset + search.limit and (more := next(attempts, None)) is not None:
            hits = more
            found = _page(tx, search, hits)
        if found.total > search.offset + search.limit:
            tx.allow(hits.counting_s)
            found = found._replace(total=max(found.total, _count(tx, hits)))
    return found


def _attempts(tx: Tx, search: Search) -> Iterator[_Hits]:
    """Each time more messages are looked at."""
    lists = _lists(search)
    shortest, length = min(((it, _length(tx, search, it)) for it in lists), key=lambda pair: pair[1])
    if length <= WINDOW:
        yield _fitting(tx, search, _first(search, shortest, WINDOW), DEADLINE_S)
        return
    # A list of several values would have to be sorted as a whole.
    long = next(it for it in lists if len(it.values) == 1)
    indexed = search_text.candidates(tx, search.words, search.after, search.before, search.direction)
    if indexed is None or not search_text.comes_as_found(tx):
        yield _fitting(tx, search, _first(search, long, WINDOW))
    yield _fitting(tx, search, _first(search, long, SCAN) if indexed is None else indexed)


def _lists(search: Search) -> list[_List]:
    """The narrower ones first; the last one is the guild's."""
    columns = (("author_id", search.authors), ("channel_id", search.channels), ("guild_id", (search.guild_id,)))
    return [
        *(_List("search_terms", "message_id", "term", terms) for terms in search.wanted),
        *(_List("search_messages", "id", column, values) for column, values in columns if values),
    ]


def _length(tx: Tx, search: Search, it: _List) -> int:
    """Up to one more than is looked through."""
    sql = f"SELECT COUNT(*) FROM (SELECT 1 FROM {it.table} WHERE {_between(it)} LIMIT ?) part"
    return int(tx.scalar(sql, *it.values, search.after, search.before, WINDOW + 1))


def _first(search: Search, it: _List, count: int) -> Candidates:
    """The first messages of a list. They come in order, which is not asked for again: it would be sorted for."""
    order = f"ORDER BY {it.id} {search.direction} LIMIT ?"
    params = (*it.values, search.after, search.before, count)
    if it.table == "search_messages":
        return Candidates(f"(SELECT * FROM search_messages WHERE {_between(it)} {order}) s", (), params, "")
    ids = f"SELECT DISTINCT message_id FROM search_terms WHERE {_between(it)} {order}"
    return Candidates(
        # SQLite reads a CROSS JOIN from left to right.
        f"({ids}) t CROSS JOIN search_messages s",
        ("s.id = t.message_id",),
        params,
        "",
    )


def _between(it: _List) -> str:
    return f"{it.column} IN ({marks(len(it.values))}) AND {it.id} > ? AND {it.id} < ?"


def _fitting(tx: Tx, search: Search, candidates: Candidates, counting_s: float = COUNTING_S) -> _Hits:
    """Those of the candidates that fit, in their order."""
    conditions = list(_conditions(tx, search))
    return _Hits(
        f"SELECT s.id AS id, LENGTH(s.text) AS length FROM {candidates.source}"
        f" WHERE {' AND '.join([*candidates.conditions, *(condition.text for condition in conditions)])}"
        f" {candidates.order}",
        (*candidates.params, *(param for condition in conditions for param in condition.params)),
        counting_s,
    )


def _page(tx: Tx, search: Search, hits: _Hits) -> Found:
    """Looks for one more than the page has, to know whether there is a next one."""
    end = search.offset + search.limit
    rows = tx.rows(
        Hit,
        f"SELECT id, length FROM ({hits.text} LIMIT ?) hits ORDER BY {search.order}",
        *hits.params,
        max(end + 1, RANKED) if search.order == SHORTEST else end + 1,
    )
    return Found(len(rows), [row.id for row in rows[search.offset : end]])


def _count(tx: Tx, hits: _Hits) -> int:
    return int(tx.scalar(f"SELECT COUNT(*) FROM ({hits.text} LIMIT ?) hits", *hits.params, SEARCH_RESULTS))


def _conditions(tx: Tx, search: Search) -> Iterator[_Sql]:
    """What a message has to fit."""
    yield _Sql("s.guild_id = ?", (search.guild_id,))
    for word in search.words:
        yield _Sql(search_text.contains(tx), (word,))
    for column, values in (
        ("channel_id", search.channels),
        ("author_id", search.authors),
        ("author_type", search.author_types),
    ):
        if values:
            yield _Sql(f"s.{column} IN ({marks(len(values))})", values)
    yield _may_read(search)
    for terms in search.wanted:
        yield _Sql(f"EXISTS ({_of_terms(terms)})", terms)
    if search.unwanted:
        yield _Sql(f"NOT EXISTS ({_of_terms(search.unwanted)})", search.unwanted)
    yield _Sql("NOT EXISTS (SELECT 1 FROM search_stale q WHERE q.message_id = s.id)", ())


def _of_terms(terms: tuple[int, ...]) -> str:
    return f"SELECT 1 FROM search_terms t WHERE t.message_id = s.id AND t.term IN ({marks(len(terms))})"


def _may_read(search: Search) -> _Sql:
    """In a readable channel, a public thread of one, or a private thread there that the asker is in or manages."""
    readable = marks(len(search.readable))
    text = (
        f"s.view_id IN ({readable}) OR EXISTS (SELECT 1 FROM thread_members tm JOIN threads t ON"
        " t.channel_id = tm.channel_id WHERE tm.channel_id = s.view_id AND tm.user_id = ?"
        f" AND t.parent_id IN ({readable}))"
    )
    params = (*search.readable, search.asker_id, *search.readable)
    if not search.managed:
        return _Sql(f"({text})", params)
    parents = marks(len(search.managed))
    managed = f"SELECT 1 FROM threads t WHERE t.channel_id = s.view_id AND t.parent_id IN ({parents})"
    return _Sql(f"({text} OR EXISTS ({managed}))", (*params, *search.managed))
