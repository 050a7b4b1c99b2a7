"""What becomes of a scheduled event's form: from what a client sent to the event that is stored.

Docs: resources/guild-scheduled-event, "Field Requirements By Entity Type" and "Valid Guild Scheduled Event Status
Transitions". Nothing is written here, and permissions are `scheduled_events`' business.
"""

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model.errors import FINISHED_EVENT, UNKNOWN_CHANNEL, WRONG_CHANNEL_TYPE
from chatd.model.objects.channel import ChannelType
from chatd.model.objects.scheduled_event import (
    OPEN,
    EntityMetadata,
    EntityMetadataParams,
    EntityType,
    EventStatus,
    ScheduledEvent,
    ScheduledEventCreate,
    ScheduledEventPatch,
)
from chatd.model.validate import FormErrors, form_error
from chatd.model.wire import Snowflake, parse_timestamp, timestamp
from chatd.service import recurrence
from chatd.service.actors import Actor
from chatd.service.core import Core

# The kind of channel that holds each kind of event; an external one is in none.
_CHANNEL_TYPES = {
    EntityType.STAGE_INSTANCE: ChannelType.GUILD_STAGE_VOICE,
    EntityType.VOICE: ChannelType.GUILD_VOICE,
}
_NEXT = {
    EventStatus.SCHEDULED: frozenset((EventStatus.ACTIVE, EventStatus.CANCELED)),
    EventStatus.ACTIVE: frozenset((EventStatus.COMPLETED,)),
}


def new(core: Core, me: Actor, guild: GuildState, event_id: Snowflake, body: ScheduledEventCreate) -> ScheduledEvent:
    """Without its image. Raises UNKNOWN_CHANNEL, WRONG_CHANNEL_TYPE or a form error."""
    event = ScheduledEvent(
        id=event_id,
        guild_id=guild.guild.id,
        channel_id=body.channel_id,
        creator_id=me.user.id,
        name=body.name,
        description=body.description,
        scheduled_start_time=_future(core, body.scheduled_start_time),
        scheduled_end_time=_end(body.scheduled_end_time),
        status=int(EventStatus.SCHEDULED),
        entity_type=body.entity_type,
        entity_metadata=_metadata(body.entity_type, body.entity_metadata),
        recurrence_rule=None if body.recurrence_rule is None else recurrence.rule(body.recurrence_rule),
    )
    _check(guild, event)
    return event


def changed(core: Core, guild: GuildState, old: ScheduledEvent, body: ScheduledEventPatch) -> ScheduledEvent:
    """Its image apart. Raises FINISHED_EVENT, UNKNOWN_CHANNEL, WRONG_CHANNEL_TYPE or a form error."""
    if old.status not in OPEN:
        raise FINISHED_EVENT()
    given = {
        name: value
        for name in body.__struct_fields__
        if name != "image" and (value := getattr(body, name)) is not UNSET
    }
    for name in ("entity_type", "status"):  # null is as good as absent
        given[name] = getattr(old, name) if given.get(name) is None else given[name]
    if given["status"] != old.status and given["status"] not in _NEXT[EventStatus(old.status)]:
        message = f"Cannot go from status {old.status} to {given['status']}"
        raise form_error("status", "GUILD_SCHEDULED_EVENT_INVALID_STATUS", message)
    if "scheduled_start_time" in given:
        if old.status != EventStatus.SCHEDULED:
            raise form_error(
                "scheduled_start_time",
                "GUILD_SCHEDULED_EVENT_SCHEDULE_INVALID_START_BY_STATUS",
                "Cannot update start time of an event that has started",
            )
        given["scheduled_start_time"] = _future(core, given["scheduled_start_time"])
    if "scheduled_end_time" in given:
        given["scheduled_end_time"] = _end(given["scheduled_end_time"])
    metadata: Any = given.get("entity_metadata", old.entity_metadata)
    given["entity_metadata"] = _metadata(given["entity_type"], metadata)
    if given.get("recurrence_rule") is not None:
        given["recurrence_rule"] = recurrence.rule(given["recurrence_rule"])
    event = replace(old, **given)
    _check(guild, event)
    return event


def _check(guild: GuildState, event: ScheduledEvent) -> None:
    """What its kind asks for, and that it ends after it starts."""
    errors = FormErrors()
    channel_type = _CHANNEL_TYPES.get(EntityType(event.entity_type))
    missing = "This field is required"
    if channel_type is None:
        if event.channel_id is not None:
            errors.add("channel_id", "BASE_TYPE_INVALID", "An external event is in no channel")
        if event.entity_metadata is None:
            errors.add("entity_metadata.location", "BASE_TYPE_REQUIRED", missing)
        if event.scheduled_end_time is None:
            errors.add("scheduled_end_time", "BASE_TYPE_REQUIRED", missing)
    elif event.channel_id is None:
        errors.add("channel_id", "BASE_TYPE_REQUIRED", missing)
    # Both are written by `timestamp`, so that they compare as texts.
    if event.scheduled_end_time is not None and event.scheduled_end_time <= event.scheduled_start_time:
        errors.add("scheduled_end_time", "GUILD_SCHEDULED_EVENT_SCHEDULE_INVALID", "Must end after it starts")
    errors.raise_if_any()
    if event.channel_id is not None:
        channel = guild.channels.get(event.channel_id)
        if channel is None:
            raise UNKNOWN_CHANNEL()
        if channel.type != channel_type:
            raise WRONG_CHANNEL_TYPE()


def _metadata(kind: int, said: EntityMetadataParams | EntityMetadata | None) -> EntityMetadata | None:
    """Silently dropped where the event is in a channel."""
    if kind != EntityType.EXTERNAL or said is None or said.location is None:
        return None
    return EntityMetadata(location=said.location)


def _future(core: Core, said: str) -> str:
    start_ms = _ms("scheduled_start_time", said)
    if start_ms < core.clock_ms():
        raise form_error(
            "scheduled_start_time", "GUILD_SCHEDULED_EVENT_SCHEDULE_PAST", "Cannot schedule event in the past."
        )
    return timestamp(start_ms)


def _end(said: str | None) -> str | None:
    return None if said is None else timestamp(_ms("scheduled_end_time", said))


def _ms(field: str, said: str) -> int:
    try:
        return parse_timestamp(said)
    except ValueError as error:
        raise form_error(field, "DATE_TIME_TYPE_PARSE", str(error)) from None
