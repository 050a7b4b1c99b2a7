"""What search looks at, kept beside the messages: written in batches some time after them, in the order of their ids.

`search_state.position` is how far that has come. From then on triggers note what changes in `search_stale`, in the
transaction of the change, so that a crash forgets nothing. `search` does not show what is noted there.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chatd.store import search_dialect, search_words
from chatd.store.db import Row, Tx, cols, marks

USER, BOT, WEBHOOK = 0, 1, 2


class Source(Row):
    """A message, and what is known of where it is and who wrote it."""

    id: int
    channel_id: int
    guild_id: int | None
    view_id: int
    author_id: int
    author_is_bot: int
    type: int
    content: str
    extra: str
    pinned_ms: int | None


class Stale(Row):
    id: int
    message_id: int


class Entry(NamedTuple):
    """A message as it is indexed."""

    source: Source
    author_type: int
    text: str
    terms: tuple[int, ...]  # beside those of its words


class Indexed(Row):
    id: int
    guild_id: int
    text: str
    terms: bytes


_SOURCE = (
    "SELECT m.id, m.channel_id, c.guild_id, CASE WHEN c.type IN (10, 11) THEN c.parent_id ELSE c.id END,"
    " m.author_id, COALESCE(u.bot, 0), m.type, m.content, m.extra, m.pinned_ms"
    " FROM messages m JOIN channels c ON c.id = m.channel_id LEFT JOIN users u ON u.id = m.author_id "
)
_COLUMNS = ("id", "guild_id", "channel_id", "view_id", "author_id", "author_type", "text", "terms")


def revision(tx: Tx) -> int:
    """Which revision of the index this is; 0 where there is none."""
    return int(tx.scalar("SELECT revision FROM search_state"))


def begin(tx: Tx, revision: int) -> None:
    """Forget what there is and begin anew; revision 0 is the end of it."""
    tx.run("UPDATE search_state SET revision = ?, position = 0", revision)
    search_dialect.empty(tx)


def newest(tx: Tx) -> int:
    """The newest message there is, indexed or not."""
    return int(tx.scalar("SELECT MAX(id) FROM messages") or 0)


def position(tx: Tx) -> int:
    return int(tx.scalar("SELECT position FROM search_state"))


def following(tx: Tx, limit: int) -> list[Source]:
    """The oldest messages that have not been indexed yet."""
    return tx.rows(Source, _SOURCE + "WHERE m.id > ? ORDER BY m.id LIMIT ?", position(tx), limit)


def stale(tx: Tx, limit: int) -> list[Stale]:
    return tx.rows(Stale, "SELECT id, message_id FROM search_stale ORDER BY id LIMIT ?", limit)


def sources(tx: Tx, message_ids: list[int]) -> list[Source]:
    """Those that exist and had been indexed."""
    if not message_ids:
        return []
    sql = f"{_SOURCE}WHERE m.id IN ({marks(len(message_ids))}) AND m.id <= ?"
    return tx.rows(Source, sql, *message_ids, position(tx))


def advance(tx: Tx, entries: list[Entry], newest_id: int) -> None:
    """Index the messages up to `newest_id`."""
    _put(tx, entries)
    tx.run("UPDATE search_state SET position = ?", newest_id)


def refresh(tx: Tx, noted: list[Stale], entries: list[Entry]) -> None:
    """Index anew what was noted as stale; what has no entry any more is forgotten."""
    _remove(tx, [it.message_id for it in noted])
    _put(tx, entries)
    tx.run(f"DELETE FROM search_stale WHERE id IN ({marks(len(noted))})", *(it.id for it in noted))


def _put(tx: Tx, entries: list[Entry]) -> None:
    search_words.add(tx, {word for entry in entries for word in search_words.words(entry.text)})
    tx.insert_many("search_messages", _COLUMNS, [_row(entry) for entry in entries])
    terms = [(term, it.source.id) for it in entries for term in _terms(it.source.guild_id, it.text, it.terms)]
    # In their order, so that those in a row are in one place.
    tx.insert_many("search_terms", ("term", "message_id"), sorted(terms))


def _terms(guild_id: int | None, text: str, beside: Iterable[int]) -> Iterator[int]:
    """A message's, of its words and beside them."""
    yield from beside
    yield from (search_words.term_of(guild_id or 0, word) for word in search_words.words(text))


def _row(entry: Entry) -> tuple[int | str | bytes | None, ...]:
    it = entry.source
    terms = struct.pack(f"<{len(entry.terms)}q", *entry.terms)
    return it.id, it.guild_id, it.channel_id, it.view_id, it.author_id, entry.author_type, entry.text, terms


def _remove(tx: Tx, message_ids: list[int]) -> None:
    in_ids = f"IN ({marks(len(message_ids))})"
    for row in tx.rows(Indexed, f"SELECT {cols(Indexed)} FROM search_messages WHERE id {in_ids}", *message_ids):
        beside = (term for (term,) in struct.iter_unpack("<q", row.terms))
        for term in _terms(row.guild_id, row.text, beside):
            tx.run("DELETE FROM search_terms WHERE term = ? AND message_id = ?", term, row.id)
    tx.run(f"DELETE FROM search_messages WHERE id {in_ids}", *message_ids)
