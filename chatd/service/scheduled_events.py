"""Scheduled events: list, create, show, edit, delete. Docs: resources/guild-scheduled-event.

The guild keeps those that are scheduled or under way; one that is over is found in the database alone.
"""

from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    TOO_MANY_SCHEDULED_EVENTS,
    UNKNOWN_SCHEDULED_EVENT,
)
from chatd.model.images import EVENT_COVERS
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import AuditLogEvent
from chatd.model.objects.scheduled_event import (
    OPEN,
    EntityType,
    EventStatus,
    ScheduledEvent,
    ScheduledEventCreate,
    ScheduledEventPatch,
    ScheduledEventQuery,
    ScheduledEventView,
)
from chatd.model.wire import Snowflake, parse_timestamp
from chatd.service import access, audit_log, commits, images, scheduled_event_forms
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import scheduled_events as store

# What it takes to host an event ("Guild Scheduled Event Permissions Requirements"), in its channel if it has one.
_HOSTING: dict[int, int] = {
    EntityType.STAGE_INSTANCE: p.MANAGE_CHANNELS | p.MUTE_MEMBERS | p.MOVE_MEMBERS,
    EntityType.VOICE: p.VIEW_CHANNEL | p.CONNECT,
    EntityType.EXTERNAL: 0,
}
# One round of `complete_ended`; the rest waits for the next.
_ENDED_BATCH = 100


async def of_guild(core: Core, me: Actor, guild_id: Snowflake, query: ScheduledEventQuery) -> list[ScheduledEventView]:
    """Those that the asker may see and that are not over. Docs: "List Scheduled Events for Guild"."""
    guild = await access.guild(core, me, guild_id)
    events = guild.visible_events(me.id)
    counts: dict[int, int] = {}
    if query.with_user_count:
        counts = await core.db.read(store.user_counts, tuple(event.id for event in events))
    return [view(guild, event, counts.get(event.id, 0) if query.with_user_count else UNSET) for event in events]


async def create(
    core: Core, me: Actor, guild_id: Snowflake, body: ScheduledEventCreate, reason: str | None
) -> ScheduledEventView:
    """Docs: "Create Guild Scheduled Event".

    Raises TOO_MANY_SCHEDULED_EVENTS, UNKNOWN_CHANNEL, WRONG_CHANNEL_TYPE, MISSING_ACCESS, MISSING_PERMISSIONS or a
    form error.
    """
    event_id = Snowflake(core.ids.next())

    def planned(guild: GuildState) -> ScheduledEvent:
        event = scheduled_event_forms.new(core, me, guild, event_id, body)
        _check_may(core, me, guild, event, p.CREATE_EVENTS)
        return event

    guild = await access.guild(core, me, guild_id)
    planned(guild)
    image = await images.store(core, EVENT_COVERS, event_id, body.image, "image")  # longer than a lock may be held
    async with guild.lock:
        guild = await access.guild(core, me, guild_id)
        event = _with_image(planned(guild), image)
        if len(guild.scheduled_events) >= limits.SCHEDULED_EVENTS:
            raise TOO_MANY_SCHEDULED_EVENTS()
        entries = [audit_log.created(me, AuditLogEvent.GUILD_SCHEDULED_EVENT_CREATE, event.id, event, reason)]
        return await audit_log.change(
            core, guild, entries, store.insert, event, then=lambda _: _created(core, guild, event)
        )


async def show(
    core: Core, me: Actor, guild_id: Snowflake, event_id: Snowflake, query: ScheduledEventQuery
) -> ScheduledEventView:
    """Docs: "Get Guild Scheduled Event". Raises UNKNOWN_SCHEDULED_EVENT, MISSING_ACCESS."""
    guild = await access.guild(core, me, guild_id)
    event = await find(core, me, guild, event_id)
    count: int | UnsetType = UNSET
    if query.with_user_count:
        count = (await core.db.read(store.user_counts, (event.id,))).get(event.id, 0)
    return view(guild, event, count)


async def edit(
    core: Core, me: Actor, guild_id: Snowflake, event_id: Snowflake, body: ScheduledEventPatch, reason: str | None
) -> ScheduledEventView:
    """Docs: "Modify Guild Scheduled Event". Its host's permissions are needed where it is and where it goes.

    Raises UNKNOWN_SCHEDULED_EVENT, MISSING_ACCESS, MISSING_PERMISSIONS, FINISHED_EVENT, UNKNOWN_CHANNEL,
    WRONG_CHANNEL_TYPE or a form error.
    """
    guild = await access.guild(core, me, guild_id)
    old = await find(core, me, guild, event_id)
    _check_may(core, me, guild, old, _changing(me, old))
    image = await images.store(core, EVENT_COVERS, event_id, body.image, "image")  # longer than a lock may be held
    async with guild.lock:
        guild = await access.guild(core, me, guild_id)
        old = await find(core, me, guild, event_id)
        _check_may(core, me, guild, old, _changing(me, old))
        new = scheduled_event_forms.changed(core, guild, old, body)
        _check_may(core, me, guild, new, _changing(me, old))
        new = _with_image(new, image)
        entries = audit_log.updated(me, AuditLogEvent.GUILD_SCHEDULED_EVENT_UPDATE, event_id, old, new, reason)
        return await audit_log.change(
            core, guild, entries, store.update, new, then=lambda _: _changed(core, guild, old, new)
        )


async def delete(core: Core, me: Actor, guild_id: Snowflake, event_id: Snowflake, reason: str | None) -> None:
    """Docs: "Delete Guild Scheduled Event". Raises UNKNOWN_SCHEDULED_EVENT, MISSING_ACCESS, MISSING_PERMISSIONS."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        event = await find(core, me, guild, event_id)
        _check_may(core, me, guild, event, _changing(me, event))
        entries = [audit_log.deleted(me, AuditLogEvent.GUILD_SCHEDULED_EVENT_DELETE, event_id, event, reason)]
        await audit_log.change(
            core, guild, entries, store.delete, event_id, then=lambda _: _deleted(core, guild, event)
        )


def _with_image(event: ScheduledEvent, image: str | UnsetType | None) -> ScheduledEvent:
    return event if image is UNSET else replace(event, image=image)


# --- access ----------------------------------------------------------------------------------------------------------


def _changing(me: Actor, event: ScheduledEvent) -> int:
    """Any of these permissions lets the asker change the event."""
    return p.MANAGE_EVENTS | (p.CREATE_EVENTS if event.creator_id == me.id else 0)


def _check_may(core: Core, me: Actor, guild: GuildState, event: ScheduledEvent, any_of: int) -> None:
    if not guild.sees_event(me.id, event):
        raise MISSING_ACCESS()
    held = access.granted(core, guild, me.id, event.channel_id or 0)
    hosting = _HOSTING[event.entity_type]
    if not held & any_of or held & hosting != hosting:
        raise MISSING_PERMISSIONS()


# --- what other services share ---------------------------------------------------------------------------------------


async def find(core: Core, me: Actor, guild: GuildState, event_id: Snowflake) -> ScheduledEvent:
    """The event, whether or not it is over. Raises UNKNOWN_SCHEDULED_EVENT, MISSING_ACCESS."""
    event = guild.scheduled_events.get(event_id) or await core.db.read(store.get, guild.id, event_id)
    if event is None:
        raise UNKNOWN_SCHEDULED_EVENT()
    if not guild.sees_event(me.id, event):
        raise MISSING_ACCESS()
    return event


def view(guild: GuildState, event: ScheduledEvent, user_count: int | UnsetType = UNSET) -> ScheduledEventView:
    """The event on the wire."""
    creator = guild.members.get(event.creator_id or 0)
    return ScheduledEventView(
        **asdict(event), creator=UNSET if creator is None else creator.user, user_count=user_count
    )


def channel_deleted(core: Core, guild: GuildState, channel_id: int) -> None:
    """In the commit's callback, while the channel is still in the guild: its events are gone with it."""
    for event in [each for each in guild.scheduled_events.values() if each.channel_id == channel_id]:
        _deleted(core, guild, event)


# --- without anybody's doing -----------------------------------------------------------------------------------------


async def complete_ended(core: Core) -> None:
    """External events are completed at their end; no event starts by itself.

    Docs: "Guild Scheduled Event Status Update Automation".
    """
    for key in await core.db.read(store.ended, core.clock_ms(), _ENDED_BATCH):
        guild = await access.load_guild(core, key.guild_id)
        if guild is not None:
            async with guild.lock:
                await _complete(core, guild, key.id)


async def _complete(core: Core, guild: GuildState, event_id: int) -> None:
    """Unless it has been changed since: then it is not over, or not there."""
    old = guild.scheduled_events.get(event_id)
    if old is None or old.entity_type != EntityType.EXTERNAL or old.scheduled_end_time is None:
        return
    if parse_timestamp(old.scheduled_end_time) <= core.clock_ms():
        new = replace(old, status=int(EventStatus.COMPLETED))
        await commits.change(core, (guild.id,), store.update, new, then=lambda _: _changed(core, guild, old, new))


# --- after the commit ------------------------------------------------------------------------------------------------


def _created(core: Core, guild: GuildState, event: ScheduledEvent) -> ScheduledEventView:
    guild.scheduled_events[event.id] = event
    shown = view(guild, event)
    core.live.to_guild(guild, "GUILD_SCHEDULED_EVENT_CREATE", shown, event.channel_id or 0)
    return shown


def _changed(core: Core, guild: GuildState, old: ScheduledEvent, new: ScheduledEvent) -> ScheduledEventView:
    """To who sees its old channel or its new one, the event disappears or appears; to who sees both, it has changed."""
    if new.status in OPEN:
        guild.scheduled_events[new.id] = new
    else:
        guild.scheduled_events.pop(new.id, None)
    gate = GATES["GUILD_SCHEDULED_EVENT_UPDATE"][0]
    before = dict.fromkeys(guild.audience(gate, old.channel_id or 0))
    after = dict.fromkeys(guild.audience(gate, new.channel_id or 0))
    shown = view(guild, new)
    for name, payload, sessions in (
        ("GUILD_SCHEDULED_EVENT_DELETE", view(guild, old), [each for each in before if each not in after]),
        ("GUILD_SCHEDULED_EVENT_CREATE", shown, [each for each in after if each not in before]),
        ("GUILD_SCHEDULED_EVENT_UPDATE", shown, [each for each in after if each in before]),
    ):
        core.live.to_sessions(guild.id, name, payload, sessions)
    return shown


def _deleted(core: Core, guild: GuildState, event: ScheduledEvent) -> None:
    guild.scheduled_events.pop(event.id, None)
    core.live.to_guild(guild, "GUILD_SCHEDULED_EVENT_DELETE", view(guild, event), event.channel_id or 0)
