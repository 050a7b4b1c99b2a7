"""The vocabulary of search: every word that messages have or had, to be found by any part of it.

`search_words` has a row for each ending of a word (of "word": word, ord, rd and d): the words that have a part inside
are those with an ending that begins with it. A word stays there when no message has it any more, until the index is
made anew. Of scripts without spaces characters and pairs of them are indexed, which need no vocabulary.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from chatd.store.db import Row, Tx

# Words that have the same part. Of what more have, the newest messages are full.
MANY = 64
# Of what is searched for at once; its longest.
PARTS = 8
# Longer words are taken for several that overlap, so that each part of up to PIECE / 2 characters is in one of them.
PIECE = 32

# Han, Hiragana and Katakana, Thai, Lao, Burmese, Khmer: scripts that put no spaces between words.
_UNSPACED = (
    "\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
)
# Scripts of India: Python takes their vowels for no part of a word.
_MARKED = "\u0900-\u0dff"
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_RUN = re.compile(rf"([{_UNSPACED}]+)|((?:[^\W_{_UNSPACED}]+|[{_MARKED}]+)+)")
_LAST = "\U0010ffff"
_AT_ONCE = 500  # looked up with one statement


class _Word(Row):
    word: str


def term(guild_id: int, kind: str, value: object) -> int:
    """63 bits: two that mean different things are the same about never."""
    digest = blake2b(f"{guild_id} {kind} {value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def term_of(guild_id: int, word: str) -> int:
    return term(guild_id, "word", word)


def words(text: str) -> set[str]:
    """Those of a folded text; where there are no spaces, each character and each two in a row."""
    found: set[str] = set()
    for unspaced, run in _RUN.findall(text):
        found.update((*unspaced, *_pairs(unspaced)) if unspaced else _pieces(run))
    return found


def parts(text: str) -> list[str]:
    """What is inside words of each text that has this one inside."""
    found: set[str] = set()
    for unspaced, run in _RUN.findall(text):
        found.update(_pairs(unspaced) or unspaced if unspaced else (run[: PIECE // 2],))
    return sorted(found, key=len, reverse=True)[:PARTS]


def containing(tx: Tx, part: str) -> list[str] | None:
    """The words that have it inside; None for too many."""
    if _IS_UNSPACED.match(part):
        return [part]
    sql = "SELECT word FROM search_words WHERE ending >= ? AND ending < ? ORDER BY ending LIMIT ?"
    found = tx.rows(_Word, sql, part, part + _LAST, MANY + 1)
    return None if len(found) > MANY else list({row.word for row in found})


def add(tx: Tx, given: set[str]) -> None:
    """Those that are new, of scripts with spaces: others are found as they are."""
    spaced = [word for word in given if not _IS_UNSPACED.match(word)]
    new = set(spaced).difference(_known(tx, spaced))
    tx.insert_many(
        "search_words", ("ending", "word"), sorted((word[at:], word) for word in new for at in range(len(word)))
    )


def _known(tx: Tx, given: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(given), _AT_ONCE):
        some = given[start : start + _AT_ONCE]
        values = ", ".join(["(?)"] * len(some))
        # SQLite reads a CROSS JOIN from left to right.
        sql = f"SELECT word FROM (VALUES {values}) v CROSS JOIN search_words WHERE word = column1 AND ending = column1"
        yield from (row.word for row in tx.rows(_Word, sql, *some))


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _pieces(run: str) -> list[str]:
    return [run[at : at + PIECE] for at in range(0, max(len(run) - PIECE // 2, 1), PIECE // 2)]
