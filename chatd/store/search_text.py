"""Finding words inside texts: the one part of search in which the databases differ.

Both have an index of trigrams, which knows no words and so serves languages without spaces: FTS5 on SQLite, the
extension pg_trgm on PostgreSQL. A word without three characters in a row that the index knows is not in it.
"""

import re
from typing import NamedTuple

from chatd.store.db import Param, Tx, marks

# PostgreSQL's trigrams are made of letters and digits; in the C locale it knows those of ASCII alone.
_INDEXED = {"sqlite": re.compile(r".{3}", re.DOTALL), "postgres": re.compile(r"[^\W_]{3}")}
_INDEXED_IN_C = re.compile(r"[0-9a-z]{3}")

_CONTAINS = {"sqlite": "INSTR(s.text, ?) > 0", "postgres": "STRPOS(s.text, ?) > 0"}
_POSTGRES_INDEX = "SELECT COUNT(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexname = ?"
_POSTGRES_LOCALE = "SELECT datctype FROM pg_database WHERE datname = current_database()"
_POSTGRES_STEERING = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)


class Candidates(NamedTuple):
    """What a search looks at, as parts of a SELECT of `search_messages s`."""

    source: str
    conditions: tuple[str, ...]
    params: tuple[Param, ...]
    order: str


def steer(tx: Tx) -> None:
    """Have PostgreSQL look candidates up one by one, instead of reading whole tables, and plan each search anew."""
    if tx.dialect == "postgres":
        tx.scalar(_POSTGRES_STEERING)


def put(tx: Tx, texts: list[tuple[int, str]]) -> None:
    """Add messages with their texts. On PostgreSQL the row of `search_messages` is enough."""
    if tx.dialect == "sqlite":
        tx.insert_many("search_text", ("rowid", "text"), texts)


def remove(tx: Tx, message_ids: list[int]) -> None:
    if tx.dialect == "sqlite":
        tx.run(f"DELETE FROM search_text WHERE rowid IN ({marks(len(message_ids))})", *message_ids)


def empty(tx: Tx) -> None:
    """Forget all rows of search, in a moment however many they are."""
    if tx.dialect == "postgres":
        tx.run("TRUNCATE search_messages, search_terms, search_stale")
        return
    for table in ("search_messages", "search_terms", "search_stale"):
        tx.run(f"DELETE FROM {table}")
    tx.run("INSERT INTO search_text (search_text) VALUES ('delete-all')")


def shortcoming(tx: Tx) -> str:
    """What keeps the index from finding all texts, in words for the operator; empty when nothing does."""
    if tx.dialect == "sqlite":
        return ""
    if not tx.scalar(_POSTGRES_INDEX, "search_messages_by_text"):
        return "there is no index of texts, only the newest messages are searched: see docs/operations.md on pg_trgm"
    if tx.scalar(_POSTGRES_LOCALE) in ("C", "POSIX"):
        return "the database's locale is C, texts beyond ASCII are not in the index: see docs/operations.md on pg_trgm"
    return ""


def candidates(tx: Tx, words: tuple[str, ...], after: int, before: int, direction: str) -> Candidates | None:
    """The messages between the two that may have the words; None where no index says which they are."""
    if tx.dialect == "postgres" and not tx.scalar(_POSTGRES_INDEX, "search_messages_by_text"):
        return None
    in_c = tx.dialect == "postgres" and tx.scalar(_POSTGRES_LOCALE) in ("C", "POSIX")
    pattern = _INDEXED_IN_C if in_c else _INDEXED[tx.dialect]
    indexed = [word for word in words if pattern.search(word)]
    if not indexed:
        return None
    if tx.dialect == "sqlite":
        phrases = " AND ".join('"{}"'.format(word.replace('"', '""')) for word in indexed)
        return Candidates(
            "search_text f CROSS JOIN search_messages s",
            ("f.search_text MATCH ?", "f.rowid > ?", "f.rowid < ?", "s.id = f.rowid"),
            (phrases, after, before),
            f"ORDER BY f.rowid {direction}",
        )
    # The OFFSET keeps PostgreSQL from reading messages in the order of their ids until enough have the words.
    conditions = " AND ".join(["text LIKE ?"] * len(indexed))
    return Candidates(
        f"(SELECT * FROM search_messages WHERE {conditions} OFFSET 0) s",
        ("s.id > ?", "s.id < ?"),
        (*map(_pattern, indexed), after, before),
        f"ORDER BY s.id {direction}",
    )


def comes_as_found(tx: Tx) -> bool:
    """Whether a few `candidates` are found without the others. PostgreSQL collects all before it sorts them."""
    return tx.dialect == "sqlite"


def contains(tx: Tx) -> str:
    """The condition that a text has the word that is its parameter."""
    return _CONTAINS[tx.dialect]


def _pattern(word: str) -> str:
    """For LIKE."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"
