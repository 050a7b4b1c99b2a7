"""Who is interested in scheduled events. Docs: resources/guild-scheduled-event, "Guild Scheduled Event User Object"."""

from msgspec import UNSET

from chatd.live.guilds import GuildState
from chatd.model.errors import BOTS_CANNOT_USE_THIS, FINISHED_EVENT, UNKNOWN_SCHEDULED_EVENT_USER
from chatd.model.objects.scheduled_event import OPEN, ScheduledEvent
from chatd.model.objects.scheduled_event_user import (
    ScheduledEventInterest,
    ScheduledEventUser,
    ScheduledEventUsersQuery,
)
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake
from chatd.service import access, commits, scheduled_events
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import scheduled_events as store
from chatd.store.db import Tx


async def page(
    core: Core, me: Actor, guild_id: Snowflake, event_id: Snowflake, query: ScheduledEventUsersQuery
) -> list[ScheduledEventUser]:
    """By user id, also those who have left the guild. Docs: "Get Guild Scheduled Event Users".

    Raises UNKNOWN_SCHEDULED_EVENT, MISSING_ACCESS.
    """
    guild = await access.guild(core, me, guild_id)
    event = await scheduled_events.find(core, me, guild, event_id)
    if query.before is not UNSET:
        found = await core.db.read(store.users_before, event.id, query.before, query.limit)
    else:
        found = await core.db.read(store.users_after, event.id, 0 if query.after is UNSET else query.after, query.limit)
    return [_interested(guild, event, user, query.with_member) for user in found]


async def join(core: Core, me: Actor, guild_id: Snowflake, event_id: Snowflake) -> ScheduledEventUser:
    """The asker is interested; a second time it changes nothing. People's only: ours, as Discord's own client does it.

    Raises BOTS_CANNOT_USE_THIS, UNKNOWN_SCHEDULED_EVENT, MISSING_ACCESS, FINISHED_EVENT.
    """
    guild, event = await _open(core, me, guild_id, event_id)
    async with guild.lock:
        guild, event = await _open(core, me, guild_id, event_id)

        def joined(is_new: bool) -> None:
            if is_new:
                _tell(core, guild, event, me, "GUILD_SCHEDULED_EVENT_USER_ADD")

        await commits.change(core, (guild.id,), store.add_user, event.id, me.id, then=joined)
    return _interested(guild, event, me.user, with_member=True)


async def leave(core: Core, me: Actor, guild_id: Snowflake, event_id: Snowflake) -> None:
    """The asker is not interested any more.

    Raises BOTS_CANNOT_USE_THIS, UNKNOWN_SCHEDULED_EVENT, UNKNOWN_SCHEDULED_EVENT_USER, MISSING_ACCESS, FINISHED_EVENT.
    """
    guild, event = await _open(core, me, guild_id, event_id)
    async with guild.lock:
        guild, event = await _open(core, me, guild_id, event_id)
        await commits.change(
            core,
            (guild.id,),
            _remove_user,
            event.id,
            me.id,
            then=lambda _: _tell(core, guild, event, me, "GUILD_SCHEDULED_EVENT_USER_REMOVE"),
        )


async def _open(core: Core, me: Actor, guild_id: Snowflake, event_id: Snowflake) -> tuple[GuildState, ScheduledEvent]:
    """The guild and its event, in which people may still be interested."""
    if me.is_bot:
        raise BOTS_CANNOT_USE_THIS()
    guild = await access.guild(core, me, guild_id)
    event = await scheduled_events.find(core, me, guild, event_id)
    if event.status not in OPEN:
        raise FINISHED_EVENT()
    return guild, event


def _remove_user(tx: Tx, event_id: int, user_id: int) -> None:
    if not store.remove_user(tx, event_id, user_id):
        raise UNKNOWN_SCHEDULED_EVENT_USER()


def _interested(guild: GuildState, event: ScheduledEvent, user: User, with_member: bool) -> ScheduledEventUser:
    return ScheduledEventUser(
        guild_scheduled_event_id=event.id,
        user_id=user.id,
        user=user,
        member=guild.members.get(user.id, UNSET) if with_member else UNSET,
    )


def _tell(core: Core, guild: GuildState, event: ScheduledEvent, me: Actor, name: str) -> None:
    payload = ScheduledEventInterest(guild_scheduled_event_id=event.id, user_id=me.user.id, guild_id=event.guild_id)
    core.live.to_guild(guild, name, payload, event.channel_id or 0)
