"""Scheduled events, and who is interested in them."""

from msgspec.structs import asdict

from chatd.model.objects.scheduled_event import OPEN, EntityType, ScheduledEvent, ScheduledEventExtra
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake, decoder, parse_timestamp, timestamp
from chatd.store.db import Row, Tx, cols, marks
from chatd.store.rows import narrow, to_text, users


class EventRow(Row):
    id: int
    guild_id: int
    channel_id: int | None
    creator_id: int | None
    entity_type: int
    status: int
    end_ms: int | None
    extra: str


class EventKey(Row):
    id: int
    guild_id: int


class UserCount(Row):
    event_id: int
    count: int


class UserId(Row):
    user_id: int


_SELECT = f"SELECT {cols(EventRow)} FROM scheduled_events "
_IS_OPEN = f"status IN ({', '.join(str(int(status)) for status in sorted(OPEN))})"

_extra = decoder(ScheduledEventExtra)


def insert(tx: Tx, event: ScheduledEvent) -> None:
    tx.run(
        f"INSERT INTO scheduled_events ({cols(EventRow)}) VALUES ({marks(EventRow)})",
        event.id,
        event.guild_id,
        event.channel_id,
        event.creator_id,
        event.entity_type,
        event.status,
        _end_ms(event),
        to_text(narrow(event, ScheduledEventExtra)),
    )


def update(tx: Tx, event: ScheduledEvent) -> None:
    tx.run(
        "UPDATE scheduled_events SET channel_id = ?, entity_type = ?, status = ?, end_ms = ?, extra = ? WHERE id = ?",
        event.channel_id,
        event.entity_type,
        event.status,
        _end_ms(event),
        to_text(narrow(event, ScheduledEventExtra)),
        event.id,
    )


def delete(tx: Tx, event_id: int) -> None:
    tx.run("DELETE FROM scheduled_events WHERE id = ?", event_id)


def get(tx: Tx, guild_id: int, event_id: int) -> ScheduledEvent | None:
    """Also when it is over."""
    row = tx.row(EventRow, _SELECT + "WHERE id = ? AND guild_id = ?", event_id, guild_id)
    return None if row is None else _event_from(row)


def of_guild(tx: Tx, guild_id: int) -> dict[int, ScheduledEvent]:
    """Those that are not over, by id, oldest first."""
    rows = tx.rows(EventRow, _SELECT + f"WHERE guild_id = ? AND {_IS_OPEN} ORDER BY id", guild_id)
    return {row.id: _event_from(row) for row in rows}


def ended(tx: Tx, now_ms: int, limit: int) -> list[EventKey]:
    """External events that are open and past their end, the earliest first."""
    return tx.rows(
        EventKey,
        f"SELECT id, guild_id FROM scheduled_events WHERE entity_type = ? AND {_IS_OPEN} AND end_ms <= ?"
        " ORDER BY end_ms LIMIT ?",
        int(EntityType.EXTERNAL),
        now_ms,
        limit,
    )


# --- interest --------------------------------------------------------------------------------------------------------


def add_user(tx: Tx, event_id: int, user_id: int) -> bool:
    """False when the user is interested already. Raises Missing when there is no such event."""
    sql = (
        "INSERT INTO scheduled_event_users (event_id, user_id) VALUES (?, ?) ON CONFLICT (event_id, user_id) DO NOTHING"
    )
    return bool(tx.run(sql, event_id, user_id))


def remove_user(tx: Tx, event_id: int, user_id: int) -> bool:
    """False when the user was not interested."""
    return bool(tx.run("DELETE FROM scheduled_event_users WHERE event_id = ? AND user_id = ?", event_id, user_id))


def user_counts(tx: Tx, event_ids: tuple[int, ...]) -> dict[int, int]:
    """Event -> how many are interested, for those that anybody is."""
    if not event_ids:
        return {}
    found = tx.rows(
        UserCount,
        "SELECT event_id, COUNT(*) FROM scheduled_event_users"
        f" WHERE event_id IN ({marks(len(event_ids))}) GROUP BY event_id",
        *event_ids,
    )
    return {row.event_id: row.count for row in found}


def users_before(tx: Tx, event_id: int, user_id: int, limit: int) -> list[User]:
    """The last ones before the user, in the order of their ids."""
    sql = "SELECT user_id FROM scheduled_event_users WHERE event_id = ? AND user_id < ? ORDER BY user_id DESC LIMIT ?"
    found = tx.rows(UserId, sql, event_id, user_id, limit)
    return list(users(tx, tuple(row.user_id for row in reversed(found))).values())


def users_after(tx: Tx, event_id: int, user_id: int, limit: int) -> list[User]:
    """The first ones after the user, in the order of their ids."""
    sql = "SELECT user_id FROM scheduled_event_users WHERE event_id = ? AND user_id > ? ORDER BY user_id LIMIT ?"
    found = tx.rows(UserId, sql, event_id, user_id, limit)
    return list(users(tx, tuple(row.user_id for row in found)).values())


def _end_ms(event: ScheduledEvent) -> int | None:
    return None if event.scheduled_end_time is None else parse_timestamp(event.scheduled_end_time)


def _event_from(row: EventRow) -> ScheduledEvent:
    return ScheduledEvent(
        id=Snowflake(row.id),
        guild_id=Snowflake(row.guild_id),
        channel_id=None if row.channel_id is None else Snowflake(row.channel_id),
        creator_id=None if row.creator_id is None else Snowflake(row.creator_id),
        scheduled_end_time=None if row.end_ms is None else timestamp(row.end_ms),
        status=row.status,
        entity_type=row.entity_type,
        **asdict(_extra.decode(row.extra)),
    )
