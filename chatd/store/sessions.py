"""Where gateway sessions stood, for after a restart."""

from collections.abc import Sequence

from chatd.store.db import Row, Tx, cols


class SessionRow(Row):
    id: str
    user_id: int
    intents: int
    shard_id: int
    shard_count: int
    version: int
    seq: int
    position: int
    base_position: int
    exact: int
    seen_ms: int
    presence: str  # live.presence.Presence


# As many as stay well below any database's limit on parameters.
_CHUNK = 50


def save(tx: Tx, rows: Sequence[SessionRow], ended: Sequence[str]) -> None:
    """Store where these stand now, and forget those that ended."""
    for start in range(0, len(ended), _CHUNK):
        ids = ended[start : start + _CHUNK]
        tx.run(f"DELETE FROM gateway_sessions WHERE id IN ({', '.join('?' * len(ids))})", *ids)
    names = SessionRow.__struct_fields__
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name != "id")
    one = f"({', '.join('?' * len(names))})"
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        tx.run(
            f"INSERT INTO gateway_sessions ({cols(SessionRow)}) VALUES {', '.join([one] * len(chunk))}"
            f" ON CONFLICT (id) DO UPDATE SET {updates}",
            *(getattr(row, name) for row in chunk for name in names),
        )


def load(tx: Tx, seen_after_ms: int) -> list[SessionRow]:
    """Those that had a connection lately; the others are forgotten."""
    tx.run("DELETE FROM gateway_sessions WHERE seen_ms <= ?", seen_after_ms)
    return tx.rows(SessionRow, f"SELECT {cols(SessionRow)} FROM gateway_sessions ORDER BY id")
