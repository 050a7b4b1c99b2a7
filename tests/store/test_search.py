"""What words texts are made of, and what is looked for in the vocabulary."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatd.store import search, search_words
from chatd.store.db import Database, Tx
from chatd.store.search import NEWEST, Search
from chatd.store.search_index import Entry, Source, advance, begin
from chatd.store.search_words import MANY, PIECE, parts, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two words, two", {"two", "words"}),
        ("snake_case 42%", {"snake", "case", "42"}),
        ("über straße", {"über", "straße"}),
        ("हिन्दी", {"हिन्दी"}),
        ("안녕 세상", {"안녕", "세상"}),
        ("abc日本語", {"abc", "日", "本", "語", "日本", "本語"}),
        ("の", {"の"}),
        ("สวัส", {"ส", "ว", "ั", "สว", "วั", "ัส"}),
        ("!?", set()),
    ],
)
def test_words(text: str, expected: set[str]) -> None:
    assert words(text) == expected


texts = st.text(st.sampled_from("aaaaaaaaabcd日本語 _-"), max_size=5 * PIECE)


@given(texts, texts, texts)
@example("", "a" * PIECE, "b" * PIECE)
@example("a" * (PIECE // 2), "b" * PIECE, "c")
def test_each_part_of_a_text_is_inside_one_of_its_words(before: str, text: str, after: str) -> None:
    found = words(before + text + after)
    assert all(any(part in word for word in found) for part in parts(text))
    assert bool(parts(text)) == bool(re.search(r"[^\W_]", text))


def index(tx: Tx, *texts: str) -> None:
    entries = [Entry(Source(id_, 2, 1, 2, 3, 0, 0, text, "{}", None), 0, text, ()) for id_, text in enumerate(texts, 1)]
    advance(tx, entries, len(entries))


def find(tx: Tx, word: str) -> list[int]:
    query = Search(1, 9, (2,), (), (), (), (), (), (), (word,), 0, 1000, NEWEST, 25, 0)
    return search.find(tx, query).message_ids


async def test_words_are_found_by_any_part(database: Database) -> None:
    await database.write(index, "banana bread", "bread", "band 100%", "日本語")
    for part, expected in (("ana", {"banana"}), ("ban", {"banana", "band"}), ("d", {"bread", "band"}), ("x", set())):
        assert set(await database.read(search_words.containing, part) or ()) == expected
    for word, ids in (
        ("read", [2, 1]),
        ("a b", [1]),
        ("d 1", [3]),
        ("0%", [3]),
        ("本語", [4]),
        ("日", [4]),
        ("語日", []),
    ):
        assert await database.read(find, word) == ids, word


async def test_what_many_words_have_is_looked_for_in_the_newest_messages(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "WINDOW", 5)
    monkeypatch.setattr(search, "SCANS", (10, 20))
    await database.write(index, *(f"a{number:03}" for number in range(MANY + 1)))
    assert await database.read(search_words.containing, "a") is None
    assert await database.read(find, "a") == list(range(MANY + 1, MANY + 1 - 20, -1))
    assert await database.read(find, "a000") == [1]


async def test_the_vocabulary_is_forgotten_with_the_index(database: Database) -> None:
    await database.write(index, "word")
    await database.write(begin, 1)
    assert await database.read(search_words.containing, "word") == []
