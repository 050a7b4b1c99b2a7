"""Finding messages: by words, by what they have, in the channels that the asker may read.

However many messages there are, a search looks at a bounded number of them. The filters and the words each name a list
of messages (those of an author, in a channel, with a picture, with one of the words that have a part inside, …). Of the
rarest of these lists the newest messages are looked at, up to a bound, until the page is full.

What has changed since it was indexed is not found, so that nothing is found by what it no longer says.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from chatd.store import search_dialect, search_words
from chatd.store.db import Param, Row, TooSlow, Tx, marks
from chatd.store.discarded import NOT_DISCARDED
from chatd.store.search_words import MANY

# Messages of a list that are looked at: at first, when those that fit are counted, and until the page is full.
WINDOW = 500
SCANS = (4_000, 30_000)
# Terms of a list that each message is looked up in.
FEW = 8
# The newest hits, of which the most relevant are shown first.
RANKED = 1_000
DEADLINE_S = 2.0

NEWEST, OLDEST, SHORTEST = "newest", "oldest", "shortest"


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
    """`total` is exact where the rarest list has less than WINDOW messages, and past the page's end wherever there is a
    next page.
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
    lists = list(_lists(tx, search))
    if not all(it.values for it in lists):  # a word is nowhere
        return Found(0, [])
    (goes_on, _), rarest = min((_reach(tx, search, it), at) for at, it in enumerate(lists))
    end = search.offset + search.limit
    enough = RANKED if search.order == SHORTEST else end + 1  # one more than the page has: there is a next one
    hits = _hits(tx, search, lists, lists[rarest], WINDOW, WINDOW)
    # Messages of one value are read until there are enough; those of several are collected before.
    scans = SCANS if len(lists[rarest].values) > 1 else SCANS[-1:]
    with suppress(TooSlow):
        for count in scans if goes_on else ():
            if len(hits) < enough:
                hits = _hits(tx, search, lists, lists[rarest], count, enough)
    if search.order == SHORTEST:
        hits.sort(key=lambda hit: (hit.length, -hit.id))
    return Found(len(hits), [hit.id for hit in hits[search.offset : end]])


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


def _first(tx: Tx, search: Search, it: _List, count: int) -> _Sql:
    """The ids of the first messages of a list, in order. Those of each value are found by themselves, and merged."""
    order = f"ORDER BY id {search.direction} LIMIT ?"
    one = f"SELECT {it.id} AS id FROM {it.table} WHERE {it.column} = ? AND {it.id} > ? AND {it.id} < ? {order}"
    params = (search.after, search.before, count)
    if len(it.values) == 1:
        return _Sql(one, (*it.values, *params))
    each, params_of_each = search_dialect.for_each(tx, one, it.values, params)
    return _Sql(f"SELECT DISTINCT id FROM ({each}) each_one {order}", (*params_of_each, count))


def _reach(tx: Tx, search: Search, it: _List) -> tuple[bool, int]:
    """Whether a list goes on behind its first messages, and how many they are, or else how near the last one is."""
    first = _first(tx, search, it, WINDOW)
    last = "MIN" if search.direction == "DESC" else "-MAX"
    row = tx.rows(_Reach, f"SELECT COUNT(*), COALESCE({last}(id), 0) FROM ({first.text}) f", *first.params)[0]
    return (True, row.last) if row.count == WINDOW else (False, row.count)


def _hits(tx: Tx, search: Search, lists: list[_List], rarest: _List, count: int, enough: int) -> list[Hit]:
    """Those of the first messages of the rarest list that fit, in their order, until there are enough."""
    candidates = _first(tx, search, rarest, count)
    # Whether a message is in a list of few terms is known sooner than what its text has.
    few = {it.values for it in lists if it.column == "term" and len(it.values) <= FEW}
    conditions = list(_conditions(tx, search, {*search.wanted, *few} - {rarest.values}))
    return tx.rows(
        Hit,
        # SQLite reads a CROSS JOIN from left to right.
        f"SELECT s.id AS id, LENGTH(s.text) AS length FROM ({candidates.text}) c CROSS JOIN search_messages s"
        f" WHERE s.id = c.id AND {' AND '.join(condition.text for condition in conditions)}"
        f" {search_dialect.ordered(tx, 'c.id', search.direction)} LIMIT ?",
        *candidates.params,
        *(param for condition in conditions for param in condition.params),
        enough,
    )


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
    yield _Sql(f"s.channel_id {NOT_DISCARDED}", ())  # a thread's: its parent may be readable
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
