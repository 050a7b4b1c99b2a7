"""The audit log's entries."""

from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from chatd.model.objects.audit_log import AuditLogChange, AuditLogEntry, AuditLogOptions, AuditLogQuery
from chatd.model.wire import Object, Snowflake, decoder
from chatd.store.db import Param, Row, Tx, cols, marks
from chatd.store.rows import narrow, to_text


class EntryRow(Row):
    id: int
    action_type: int
    user_id: int | None
    target_id: str | None
    extra: str


class EntryExtra(Object, frozen=True, kw_only=True):
    """The part of an entry that no query looks at; stored as JSON."""

    changes: tuple[AuditLogChange, ...] | UnsetType = UNSET
    options: AuditLogOptions | UnsetType = UNSET
    reason: str | UnsetType = UNSET


_extra = decoder(EntryExtra)


def insert(tx: Tx, guild_id: int, entry: AuditLogEntry) -> None:
    tx.run(
        f"INSERT INTO audit_log_entries (guild_id, {cols(EntryRow)}) VALUES (?, {marks(EntryRow)})",
        guild_id,
        entry.id,
        entry.action_type,
        entry.user_id,
        entry.target_id,
        to_text(narrow(entry, EntryExtra)),
    )


def page(tx: Tx, guild_id: int, query: AuditLogQuery) -> list[AuditLogEntry]:
    """Newest first; with `after` and without `before`, oldest first."""
    given: list[tuple[str, Param | UnsetType]] = [
        ("guild_id = ?", guild_id),
        ("user_id = ?", query.user_id),
        ("target_id = ?", UNSET if query.target_id is UNSET else str(int(query.target_id))),
        ("action_type = ?", query.action_type),
        ("id < ?", query.before),
        ("id > ?", query.after),
    ]
    wanted = [(condition, value) for condition, value in given if not isinstance(value, UnsetType)]
    order = "ASC" if query.before is UNSET and query.after is not UNSET else "DESC"
    found = tx.rows(
        EntryRow,
        f"SELECT {cols(EntryRow)} FROM audit_log_entries"
        f" WHERE {' AND '.join(condition for condition, _ in wanted)} ORDER BY id {order} LIMIT ?",
        *(value for _, value in wanted),
        query.limit,
    )
    return [_entry_from(row) for row in found]


def like(tx: Tx, guild_id: int, entry: AuditLogEntry, since: int) -> list[AuditLogEntry]:
    """Those after `since` of the same kind, by the same user and about the same target."""
    found = tx.rows(
        EntryRow,
        f"SELECT {cols(EntryRow)} FROM audit_log_entries"
        " WHERE guild_id = ? AND id > ? AND action_type = ? AND user_id = ? AND target_id = ?",
        guild_id,
        since,
        entry.action_type,
        entry.user_id,
        entry.target_id,
    )
    return [_entry_from(row) for row in found]


def update(tx: Tx, entry: AuditLogEntry) -> None:
    """Write back what is in `extra`."""
    tx.run("UPDATE audit_log_entries SET extra = ? WHERE id = ?", to_text(narrow(entry, EntryExtra)), entry.id)


def prune(tx: Tx, before: int) -> int:
    """Forget what is older; the number of entries forgotten."""
    return tx.run("DELETE FROM audit_log_entries WHERE id < ?", before)


def _entry_from(row: EntryRow) -> AuditLogEntry:
    return AuditLogEntry(
        id=Snowflake(row.id),
        action_type=row.action_type,
        user_id=None if row.user_id is None else Snowflake(row.user_id),
        target_id=row.target_id,
        **asdict(_extra.decode(row.extra)),
    )
