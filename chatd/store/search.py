"""Finding messages: by words, by what they have, in the channels that the asker may read.

However many messages there are, a search looks at a bounded number of them. The filters and the words each name a list
of messages (those of an author, in a channel, with a picture, with one of the words that have a part inside, …). Of the
rarest of these lists the newest messages are looked at, and more of them, up to a bound, while the page is not full.

What has changed since it was indexed is not found, so that nothing is found by what it no longer says.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from chatd.model.limits import SEARCH_RESULTS
from chatd.store import search_dialect, search_words
from chatd.store.db import Param, Row, TooSlow, Tx, marks
from chatd.store.search_words import MANY

# How many messages of a list are looked at: more, while the page is not full.
WINDOWS = (1_000, 5_000, 30_000)
# Terms of a list that each message is looked up in.
FEW = 4
# The newest hits, of which the most relevant are shown first.
RANKED = 1_000
DEADLINE_S = 2.0
# For counting what is behind the page, where more than the first window is looked at.
COUNTING_S = 0.005

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
    """`total` is what fits of the messages looked at: all of a list that ends there, or past the page's end where
    there is a next page.
    """

    total: int
    message_ids: list[int]


class Hit(Row):
    id: int
    length: int


class _Reach(Row):
    count: int
    last: int


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
    """The last thing in its transaction, which may have run out of time. Raises TooSlow when nothing was found."""
    search_dialect.steer(tx)
    tx.allow(DEADLINE_S)
    found = Found(0, [])
    lists = list(_lists(tx, search))
    if not all(it.values for it in lists):  # a word is nowhere
        return found
    with suppress(TooSlow):
        for window, hits in _attempts(tx, search, lists):
            found = _page(tx, search, hits)
            if found.total > search.offset + search.limit:
                tx.allow(DEADLINE_S if window == WINDOWS[0] else COUNTING_S)
                return found._replace(total=max(found.total, _count(tx, hits)))
    return found


def _lists(tx: Tx, search: Search) -> Iterator[_List]:
    """Each has all messages that fit; the last one is the guild's. What names too many is none."""
    for part in search_words.parts("\n".join(search.words)):
        if (words := search_words.containing(tx, part)) is not None:
            terms = tuple(search_words.term_of(search.guild_id, word) for word in words)
            yield _List("search_terms", "message_id", "term", terms)
    for terms in search.wanted:
        if len(terms) <= MANY:
            yield _List("search_terms", "message_id", "term", terms)
    for column, values in (
        ("author_id", search.authors),
        ("channel_id", search.channels),
        ("guild_id", (search.guild_id,)),
    ):
        if 0 < len(values) <= MANY:
            yield _List("search_messages", "id", column, values)


def _attempts(tx: Tx, search: Search, lists: list[_List]) -> Iterator[tuple[int, _Sql]]:
    """Each time more messages are looked at: the first of the list whose first messages reach farthest."""
    for window in WINDOWS:
        firsts = [_first(tx, search, it, window) for it in lists]
        (goes_on, _), rarest = min((_reach(tx, search, first, window), at) for at, first in enumerate(firsts))
        # Whether a message is in a list of few terms is known sooner than what its text has.
        others = {it.values for it in lists if it.column == "term" and len(it.values) <= FEW}
        groups = {*search.wanted, *others} - {lists[rarest].values}
        yield window, _fitting(tx, search, firsts[rarest], groups)
        if not goes_on:
            return


def _first(tx: Tx, search: Search, it: _List, count: int) -> _Sql:
    """The ids of the first messages of a list, in order. Those of each value are found by themselves, and merged."""
    order = f"ORDER BY id {search.direction} LIMIT ?"
    one = f"SELECT {it.id} AS id FROM {it.table} WHERE {it.column} = ? AND {it.id} > ? AND {it.id} < ? {order}"
    params = (search.after, search.before, count)
    if len(it.values) == 1:
        return _Sql(one, (*it.values, *params))
    each, params_of_each = search_dialect.for_each(tx, one, it.values, params)
    return _Sql(f"SELECT DISTINCT id FROM ({each}) each_one {order}", (*params_of_each, count))


def _reach(tx: Tx, search: Search, first: _Sql, count: int) -> tuple[bool, int]:
    """Whether the list goes on behind them, and how many they are, or else how near the last one is."""
    last = "MIN" if search.direction == "DESC" else "-MAX"
    row = tx.rows(_Reach, f"SELECT COUNT(*), COALESCE({last}(id), 0) FROM ({first.text}) f", *first.params)[0]
    return (True, row.last) if row.count == count else (False, row.count)


def _fitting(tx: Tx, search: Search, candidates: _Sql, groups: set[tuple[int, ...]]) -> _Sql:
    """Those of the candidates that fit, in their order. They have what the list has that they are from."""
    conditions = list(_conditions(tx, search, groups))
    return _Sql(
        # SQLite reads a CROSS JOIN from left to right.
        f"SELECT s.id AS id, LENGTH(s.text) AS length FROM ({candidates.text}) c CROSS JOIN search_messages s"
        f" WHERE s.id = c.id AND {' AND '.join(condition.text for condition in conditions)}"
        f" {search_dialect.ordered(tx, 'c.id', search.direction)}",
        (*candidates.params, *(param for condition in conditions for param in condition.params)),
    )


def _page(tx: Tx, search: Search, hits: _Sql) -> Found:
    """Looks for one more than the page has, to know whether there is a next one."""
    end = search.offset + search.limit
    rows = tx.rows(
        Hit,
        f"SELECT id, length FROM ({hits.text} LIMIT ?) hits ORDER BY {search.order}",
        *hits.params,
        max(end + 1, RANKED) if search.order == SHORTEST else end + 1,
    )
    return Found(len(rows), [row.id for row in rows[search.offset : end]])


def _count(tx: Tx, hits: _Sql) -> int:
    return int(tx.scalar(f"SELECT COUNT(*) FROM ({hits.text} LIMIT ?) hits", *hits.params, SEARCH_RESULTS))


def _conditions(tx: Tx, search: Search, groups: set[tuple[int, ...]]) -> Iterator[_Sql]:
    """What a message has to fit."""
    for terms in groups:
        yield _Sql(f"{_of_terms(terms)} > 0", terms)
    if search.unwanted:
        yield _Sql(f"{_of_terms(search.unwanted)} = 0", search.unwanted)
    yield _Sql("s.guild_id = ?", (search.guild_id,))
    for word in search.words:
        yield _Sql(search_dialect.contains(tx), (word,))
    for column, values in (
        ("channel_id", search.channels),
        ("author_id", search.authors),
        ("author_type", search.author_types),
    ):
        if values:
            yield _Sql(f"s.{column} IN ({marks(len(values))})", values)
    yield _may_read(search)
    yield _Sql("NOT EXISTS (SELECT 1 FROM search_stale q WHERE q.message_id = s.id)", ())


def _of_terms(terms: tuple[int, ...]) -> str:
    """How many of them a message has. PostgreSQL would make EXISTS a join, and read the whole list for it."""
    return f"(SELECT COUNT(*) FROM search_terms t WHERE t.message_id = c.id AND t.term IN ({marks(len(terms))}))"


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
