"""What is particular to the indexes of texts."""

import pytest

from chatd.store import search, search_text
from chatd.store.db import Database, Tx
from chatd.store.search import NEWEST, Search
from chatd.store.search_index import Entry, Source, advance

TEXTS = ("日本語のテスト", "an english text", "ab")


def index(tx: Tx) -> None:
    entries = [Entry(Source(id_, 2, 1, 2, 3, 0, 0, text, "{}", None), 0, text, ()) for id_, text in enumerate(TEXTS, 1)]
    advance(tx, entries, len(entries))


def find(tx: Tx, word: str) -> list[int]:
    query = Search(1, 9, (2,), (), (), (), (), (), (), (word,), 0, 100, NEWEST, 25, 0)
    return search.find(tx, query).message_ids


def candidates(tx: Tx, word: str) -> bool:
    return search_text.candidates(tx, (word,), 0, 100, "DESC") is not None


async def test_words_of_three_characters_are_in_the_index(database: Database) -> None:
    for word in ("日本語", "のテスト", "english", "glish te"):
        assert await database.read(candidates, word)
    for word in ("日本", "ab", "b", "語"):
        assert not await database.read(candidates, word)


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)
async def test_without_an_index_texts_are_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await database.read(search_text.shortcoming) == ""
    await database.write(index)
    await database.write(lambda tx: tx.run("DROP INDEX search_messages_by_text"))
    assert "no index of texts" in await database.read(search_text.shortcoming)
    monkeypatch.setattr(search, "WINDOW", 1)  # not all is looked at because there is little
    assert not await database.read(candidates, "english")
    assert await database.read(find, "english") == [2]
    assert await database.read(find, "日本語") == [1]
