"""Finding messages: by words, by what they have, in the channels that the asker may read.

However many messages there are, a search looks at a bounded number of them. It takes the narrowest list of messages
that the filters name (those of an author, in a channel, with a picture, …). A list that is short enough is looked
through to its end. Of a longer one the newest `WINDOW` messages are looked at: what is common is found there. What is
rare is found by the index of texts; without words that are in it, in the newest `SCAN` messages.

What has changed since it was indexed is not found, so that nothing is found by what it no longer says.
"""

from collections.abc import Iterator
from typing import NamedTuple

from chatd.store import search_text
from chatd.store.db import Param, Row, TooSlow, Tx, marks

WINDOW = 10_000
SCAN = 50_000
# Results are counted as far as this, or one past the page.
COUNTED = 1_000
DEADLINE_S = 2.0

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
    """There may be more than `total`; there are more than the page if there is a next one, as far as was looked."""

    total: int
    message_ids: list[int]


class Hit(Row):
    id: int
    total: int


class _Sql(NamedTuple):
    text: str
    params: tuple[Param, ...]


class _List(NamedTuple):
    """Messages by a column that has an index with their ids."""

    table: str
    id: str
    column: str
    values: tuple[int, ...]


def find(tx: Tx, search: Search) -> Found:
    """Raises TooSlow when nothing was found in time."""
    tx.allow(DEADLINE_S)
    search_text.steer(tx)
    found: Found | None = None
    try:
        for candidates in _attempts(tx, search):
            found = _look_at(tx, search, candidates)
            if found.total > search.offset + search.limit:
                break
    except TooSlow:
        if found is None:
            raise
    assert found is not None  # there is always a first attempt
    return found


def _attempts(tx: Tx, search: Search) -> Iterator[_Sql]:
    """Messages to look at, in the order of the search; each time more of them."""
    lists = _lists(search)
    shortest, length = min(((it, _length(tx, search, it)) for it in lists), key=lambda pair: pair[1])
    if length <= WINDOW:
        yield _first(search, shortest, WINDOW)
        return
    # A list of several values would have to be sorted as a whole.
    long = next(it for it in lists if len(it.values) == 1)
    yield _first(search, long, WINDOW)
    indexed = search_text.candidates(tx, search.words, search.after, search.before, search.direction)
    yield _first(search, long, SCAN) if indexed is None else _Sql(*indexed)


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


def _first(search: Search, it: _List, count: int) -> _Sql:
    """The first messages of a list."""
    order = f"ORDER BY {it.id} {search.direction} LIMIT ?"
    params = (*it.values, search.after, search.before, count)
    if it.table == "search_messages":
        return _Sql(f"SELECT {search_text.COLUMNS} FROM search_messages s WHERE {_between(it)} {order}", params)
    ids = f"SELECT DISTINCT message_id FROM search_terms WHERE {_between(it)} {order}"
    return _Sql(
        # SQLite reads a CROSS JOIN from left to right.
        f"SELECT {search_text.COLUMNS} FROM ({ids}) t CROSS JOIN search_messages s WHERE s.id = t.message_id"
        f" ORDER BY t.message_id {search.direction}",
        params,
    )


def _between(it: _List) -> str:
    return f"{it.column} IN ({marks(len(it.values))}) AND {it.id} > ? AND {it.id} < ?"


def _look_at(tx: Tx, search: Search, candidates: _Sql) -> Found:
    """Those of the candidates that fit, as far as they are counted, and a page of them."""
    conditions = list(_conditions(search))
    sql = (
        # The first ones as they come: no ORDER BY, which would have to see all of them.
        f"WITH hits AS (SELECT s.id AS id, LENGTH(s.text) AS length FROM ({candidates.text}) s"
        f" WHERE {' AND '.join(condition.text for condition in conditions)} LIMIT ?)"
        f" SELECT id, (SELECT COUNT(*) FROM hits) AS total FROM hits ORDER BY {search.order} LIMIT ? OFFSET ?"
    )
    params = (
        *candidates.params,
        *(param for condition in conditions for param in condition.params),
        max(search.offset + search.limit + 1, COUNTED),
    )
    hits = tx.rows(Hit, sql, *params, search.limit, search.offset)
    if hits or not search.offset:
        return Found(hits[0].total if hits else 0, [hit.id for hit in hits])
    # Past the last one no row tells the total.
    hits = tx.rows(Hit, sql, *params, 1, 0)
    return Found(hits[0].total if hits else 0, [])


def _conditions(search: Search) -> Iterator[_Sql]:
    """What a message has to fit."""
    yield _Sql("s.guild_id = ?", (search.guild_id,))
    yield _may_read(search)
    yield _Sql("NOT EXISTS (SELECT 1 FROM search_stale q WHERE q.message_id = s.id)", ())
    for column, values in (
        ("channel_id", search.channels),
        ("author_id", search.authors),
        ("author_type", search.author_types),
    ):
        if values:
            yield _Sql(f"s.{column} IN ({marks(len(values))})", values)
    for terms in search.wanted:
        yield _Sql(f"EXISTS ({_of_terms(terms)})", terms)
    if search.unwanted:
        yield _Sql(f"NOT EXISTS ({_of_terms(search.unwanted)})", search.unwanted)
    for word in search.words:
        yield _Sql("s.text LIKE ? ESCAPE '\\'", (search_text.containing(word),))


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
