"""What is found agrees with going through all messages, one after the other."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.store import migrate
from chatd.store import search as store
from chatd.store.connect import connect
from chatd.store.db import Connection
from chatd.store.search import NEWEST, OLDEST, SHORTEST, Search
from chatd.store.search_index import Entry, Source, Stale, advance, refresh
from tests.support.postgres import fresh_database

GUILDS, CHANNELS, AUTHORS, TERMS = (1, 2), (11, 12, 13), (21, 22), (31, 32, 33)
WORDS = ("a", "ab", "abc", "bcd", "日本", "日本語", "%", "_b", "x\\y")


class Message(NamedTuple):
    guild: int
    channel: int
    author: int
    terms: frozenset[int]
    text: str


messages = st.builds(
    Message,
    st.sampled_from((*GUILDS, GUILDS[0])),
    st.sampled_from(CHANNELS),
    st.sampled_from(AUTHORS),
    st.frozensets(st.sampled_from(TERMS)),
    st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
)
groups = st.lists(st.lists(st.sampled_from(TERMS), min_size=1, max_size=2, unique=True).map(tuple), max_size=2)
searches = st.builds(
    Search,
    guild_id=st.just(GUILDS[0]),
    asker_id=st.just(99),
    readable=st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True).map(tuple),
    managed=st.just(()),
    channels=st.lists(st.sampled_from(CHANNELS), max_size=2, unique=True).map(tuple),
    authors=st.lists(st.sampled_from(AUTHORS), max_size=1).map(tuple),
    author_types=st.just(()),
    wanted=groups.map(tuple),
    unwanted=st.lists(st.sampled_from(TERMS), max_size=1).map(tuple),
    words=st.lists(st.sampled_from((*WORDS, "b", "本", "c b")), max_size=2, unique=True).map(tuple),
    after=st.integers(0, 10),
    before=st.integers(20, 70),
    order=st.sampled_from((NEWEST, OLDEST, SHORTEST)),
    limit=st.integers(1, 5),
    offset=st.integers(0, 5),
)


def fits(search: Search, id_: int, it: Message) -> bool:
    return (
        it.guild == search.guild_id
        and it.channel in search.readable
        and (not search.channels or it.channel in search.channels)
        and (not search.authors or it.author in search.authors)
        and all(it.terms & set(group) for group in search.wanted)
        and not it.terms & set(search.unwanted)
        and all(word in it.text for word in search.words)
        and search.after < id_ < search.before
    )


def entry(id_: int, it: Message) -> Entry:
    source = Source(id_, it.channel, it.guild, it.channel, it.author, 0, 0, it.text, "{}", None)
    return Entry(source, 0, it.text, tuple(it.terms))


@pytest.fixture(params=["sqlite", "postgres"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    with ExitStack() as stack:
        url = f"sqlite://{tmp_path / 'chatd.sqlite'}"
        if request.param == "postgres":
            url = stack.enter_context(fresh_database(lambda url: None))
        migrate.up(url, now_ms=0)
        yield stack.enter_context(closing(connect(url)))


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """Nothing of it stays."""
    connection.begin()
    try:
        yield connection
    finally:
        connection.rollback()


@pytest.mark.parametrize("window", [4, 1000])
@given(past=st.lists(messages, max_size=60), edits=st.lists(messages, max_size=5), search=searches)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_found_agrees(
    connection: Connection,
    window: int,
    past: list[Message],
    edits: list[Message],
    search: Search,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "WINDOW", window)
    monkeypatch.setattr(store, "SCANS", (2 * window, store.SCANS[-1]))
    with transaction(connection) as tx:
        advance(tx, [entry(id_, it) for id_, it in enumerate(past, 1)], len(past))
        now = dict(enumerate(past, 1))
        changed = dict(zip(now, edits, strict=False))
        if changed:
            refresh(tx, [Stale(id_, id_) for id_ in changed], [entry(id_, it) for id_, it in changed.items()])
        now.update(changed)

        found = store.find(tx, search)

        rank = {
            NEWEST: lambda id_: (-id_, 0),
            OLDEST: lambda id_: (id_, 0),
            SHORTEST: lambda id_: (len(now[id_].text), -id_),
        }[search.order]
        expected = sorted((id_ for id_, it in now.items() if fits(search, id_, it)), key=rank)
        assert found.message_ids == expected[search.offset : search.offset + search.limit]
        assert found.total <= len(expected)
        assert found.total == len(expected) or found.total > search.offset + search.limit
