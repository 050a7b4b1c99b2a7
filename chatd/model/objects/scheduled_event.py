"""Scheduled events of guilds (resources/guild-scheduled-event)."""

from enum import IntEnum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model.objects.user import User
from chatd.model.wire import ImageParams, Object, Params, Snowflake


class EntityType(IntEnum):
    """Where an event is."""

    STAGE_INSTANCE = 1
    VOICE = 2
    EXTERNAL = 3


class EventStatus(IntEnum):
    SCHEDULED = 1
    ACTIVE = 2
    COMPLETED = 3
    CANCELED = 4


# Only these count against the limit, are listed, and may still change.
OPEN = frozenset((EventStatus.SCHEDULED, EventStatus.ACTIVE))


class Frequency(IntEnum):
    """How often a recurring event is."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3


class NWeekday(Object, frozen=True, gc=False, kw_only=True):
    """A weekday of one week of the month; the fifth is the last. Monday is 0."""

    n: int
    day: int


class RecurrenceRule(Object, frozen=True, kw_only=True):
    start: str
    frequency: int
    interval: int
    by_weekday: tuple[int, ...] | None
    by_n_weekday: tuple[NWeekday, ...] | None
    by_month: tuple[int, ...] | None
    by_month_day: tuple[int, ...] | None
    end: None = None
    by_year_day: None = None
    count: None = None


class EntityMetadata(Object, frozen=True, gc=False, kw_only=True):
    location: str


class ScheduledEventExtra(Object, frozen=True, kw_only=True):
    """The part of an event that no query looks at; stored as JSON."""

    name: str
    description: str | None
    scheduled_start_time: str
    entity_metadata: EntityMetadata | None
    recurrence_rule: RecurrenceRule | None
    image: str | None = None
    privacy_level: int = 2  # for the guild only: there is no other


class ScheduledEvent(ScheduledEventExtra, frozen=True, kw_only=True):
    id: Snowflake
    guild_id: Snowflake
    channel_id: Snowflake | None
    creator_id: Snowflake | None
    scheduled_end_time: str | None
    status: int
    entity_type: int
    entity_id: None = None


class ScheduledEventView(ScheduledEvent, frozen=True, kw_only=True):
    """An event on the wire. `creator` is there as long as it is a member of the guild."""

    creator: User | UnsetType = UNSET
    user_count: int | UnsetType = UNSET
    guild_scheduled_event_exceptions: tuple[()] = ()


# --- what clients send -----------------------------------------------------------------------------------------------

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Description = Annotated[str, Meta(max_length=1000)]
Kind = Literal[1, 2, 3]
Weekday = Literal[0, 1, 2, 3, 4, 5, 6]


class EntityMetadataParams(Params, kw_only=True):
    location: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class NWeekdayParams(Params, kw_only=True):
    n: Annotated[int, Meta(ge=1, le=5)]
    day: Weekday


class RecurrenceRuleParams(Params, kw_only=True):
    """Which fields go together is the business of `service.recurrence`. The last three cannot be set."""

    start: str
    frequency: Literal[0, 1, 2, 3]
    interval: int | None = None
    by_weekday: Annotated[list[Weekday], Meta(max_length=7)] | None = None
    by_n_weekday: Annotated[list[NWeekdayParams], Meta(max_length=7)] | None = None
    by_month: Annotated[list[Annotated[int, Meta(ge=1, le=12)]], Meta(max_length=12)] | None = None
    by_month_day: Annotated[list[Annotated[int, Meta(ge=1, le=31)]], Meta(max_length=31)] | None = None
    end: str | None = None
    by_year_day: list[int] | None = None
    count: int | None = None


class ScheduledEventCreate(ImageParams, kw_only=True):
    """Create Guild Scheduled Event."""

    name: Name
    privacy_level: Literal[2]
    scheduled_start_time: str
    entity_type: Kind
    channel_id: Snowflake | None = None
    entity_metadata: EntityMetadataParams | None = None
    scheduled_end_time: str | None = None
    description: Description | None = None
    image: str | None = None
    recurrence_rule: RecurrenceRuleParams | None = None


class ScheduledEventPatch(ImageParams, kw_only=True):
    """Modify Guild Scheduled Event."""

    name: Name | UnsetType = UNSET
    privacy_level: Literal[2] | UnsetType = UNSET
    scheduled_start_time: str | UnsetType = UNSET
    entity_type: Kind | UnsetType | None = UNSET
    status: Literal[1, 2, 3, 4] | UnsetType | None = UNSET
    channel_id: Snowflake | UnsetType | None = UNSET
    entity_metadata: EntityMetadataParams | UnsetType | None = UNSET
    scheduled_end_time: str | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET
    image: str | UnsetType | None = UNSET
    recurrence_rule: RecurrenceRuleParams | UnsetType | None = UNSET


class ScheduledEventQuery(Params, kw_only=True):
    """List Scheduled Events for Guild, and Get Guild Scheduled Event."""

    with_user_count: bool = False
