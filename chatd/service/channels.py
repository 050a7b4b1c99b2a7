"""Channels of guilds: list, create, show, edit, move, delete; their overwrites. Docs: resources/channel and guild."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    ONE_PARENT_AT_A_TIME,
    TOO_MANY_OVERWRITES,
    UNKNOWN_OVERWRITE,
)
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import AuditLogEntry, AuditLogEvent
from chatd.model.objects.channel import (
    Channel,
    ChannelCreate,
    ChannelOrThreadPatch,
    ChannelPosition,
    DirectChannel,
    Overwrite,
    OverwritePut,
    OverwriteType,
)
from chatd.model.objects.guild import Guild
from chatd.model.objects.thread import Thread
from chatd.model.wire import Snowflake
from chatd.service import (
    access,
    audit_log,
    channel_forms,
    guild_settings,
    overwrites,
    scheduled_events,
    sight,
    thread_events,
    threads,
    voice,
)
from chatd.service.access import DirectAccess, GuildChannel, ThreadPlace
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import channels as store
from chatd.store import guilds
from chatd.store.db import Tx


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[Channel]:
    """Those that the asker may see. Docs: resources/guild, "Get Guild Channels"."""
    guild = await access.guild(core, me, guild_id)
    return list(guild.visible_channels(me.id))


async def create(core: Core, me: Actor, guild_id: Snowflake, body: ChannelCreate, reason: str | None) -> Channel:
    """Docs: resources/guild, "Create Guild Channel". Raises MISSING_PERMISSIONS, TOO_MANY_CHANNELS or a form error."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_CHANNELS)
        channel = channel_forms.new(core, me, guild, body)
        entries = [audit_log.created(me, AuditLogEvent.CHANNEL_CREATE, channel.id, channel, reason)]
        return await audit_log.change(
            core, guild, entries, store.insert, channel, then=lambda _: _created(core, guild, channel)
        )


async def show(core: Core, me: Actor, channel_id: Snowflake) -> Channel | Thread | DirectChannel:
    """Docs: resources/channel, "Get Channel"."""
    here = await access.channel(core, me, channel_id)
    if isinstance(here, DirectAccess):
        return here.direct.view(me.id)
    return here.state.view(me.id) if isinstance(here, ThreadPlace) else here.guild.channel(channel_id)


async def edit(
    core: Core, me: Actor, channel_id: Snowflake, body: ChannelOrThreadPatch, reason: str | None
) -> Channel | Thread:
    """Docs: resources/channel, "Modify Channel". Raises MISSING_PERMISSIONS, WRONG_CHANNEL_TYPE or a form error."""
    if isinstance(await access.channel(core, me, channel_id), ThreadPlace):
        return await threads.edit(core, me, channel_id, body, reason)
    async with (await access.guild_channel(core, me, channel_id)).guild.lock:
        here = await access.guild_channel(core, me, channel_id, p.MANAGE_CHANNELS)
        old, new = here.channel, channel_forms.changed(core, me, here, body)
        same_overwrites = replace(new, permission_overwrites=old.permission_overwrites)
        entries = audit_log.updated(me, AuditLogEvent.CHANNEL_UPDATE, new.id, old, same_overwrites, reason)
        entries += overwrites.entries(me, here.guild, old, new, reason)
        await commit(core, here.guild, _in_step(here.guild, old, new), entries)
        return here.guild.channel(channel_id)


async def move(core: Core, me: Actor, guild_id: Snowflake, body: list[ChannelPosition], reason: str | None) -> None:
    """Docs: resources/guild, "Modify Guild Channel Positions".

    Raises UNKNOWN_CHANNEL, MISSING_PERMISSIONS, MISSING_ACCESS, ONE_PARENT_AT_A_TIME or a form error.
    """
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        moved = [channel_forms.moved(core, me, guild, index, entry) for index, entry in enumerate(body)]
        changed = [new for new in moved if new != guild.channels[new.id]]
        if sum(new.parent_id != guild.channels[new.id].parent_id for new in changed) > 1:
            raise ONE_PARENT_AT_A_TIME()
        entries: list[AuditLogEntry] = []
        for new in changed:
            entries += overwrites.entries(me, guild, guild.channels[new.id], new, reason)
        if changed:
            await commit(core, guild, changed, entries)


async def delete(core: Core, me: Actor, channel_id: Snowflake, reason: str | None) -> Channel | Thread | DirectChannel:
    """Docs: resources/channel, "Delete/Close Channel". Closing a direct channel leaves it as it is.

    Raises MISSING_PERMISSIONS, REQUIRED_FOR_COMMUNITY.
    """
    here = await access.channel(core, me, channel_id)
    if isinstance(here, DirectAccess):
        return here.direct.view(me.id)
    if isinstance(here, ThreadPlace):
        return await threads.delete(core, me, channel_id, reason)
    async with here.guild.lock:
        here = await access.guild_channel(core, me, channel_id, p.MANAGE_CHANNELS)
        guild = here.guild
        settings = guild_settings.without_channel(guild.guild, channel_id)
        entries = [audit_log.deleted(me, AuditLogEvent.CHANNEL_DELETE, channel_id, here.channel, reason)]

        def deleted(_: None) -> Channel:
            gone = _deleted(core, guild, channel_id)
            guild_settings.updated(core, guild, settings)
            return gone

        return await audit_log.change(core, guild, entries, _delete, channel_id, settings, then=deleted)


async def put_overwrite(
    core: Core, me: Actor, channel_id: Snowflake, overwrite_id: Snowflake, body: OverwritePut, reason: str | None
) -> None:
    """Docs: resources/channel, "Edit Channel Permissions".

    Raises MISSING_PERMISSIONS, UNKNOWN_OVERWRITE, TOO_MANY_OVERWRITES.
    """
    async with (await access.guild_channel(core, me, channel_id)).guild.lock:
        here = await access.guild_channel(core, me, channel_id, p.MANAGE_ROLES)
        guild, before = here.guild, overwrites.of(here.channel, overwrite_id)
        kind = OverwriteType(overwrite_id not in guild.roles) if body.type is None else OverwriteType(body.type)
        if not overwrites.is_known(guild, here.channel.permission_overwrites, overwrite_id, kind):
            raise UNKNOWN_OVERWRITE()
        if before is None and len(here.channel.permission_overwrites) >= limits.CHANNEL_OVERWRITES:
            raise TOO_MANY_OVERWRITES()
        after = overwrites.made(overwrite_id, kind, body.allow, body.deny)
        overwrites.check_grantable(guild, me.id, here.channel, [] if before is None else [before], [after])
        others = (each for each in here.channel.permission_overwrites if each.id != overwrite_id)
        await _replace_overwrites(core, me, here, (*others, after), reason)


async def delete_overwrite(
    core: Core, me: Actor, channel_id: Snowflake, overwrite_id: Snowflake, reason: str | None
) -> None:
    """Docs: resources/channel, "Delete Channel Permission". Raises MISSING_PERMISSIONS, UNKNOWN_OVERWRITE."""
    async with (await access.guild_channel(core, me, channel_id)).guild.lock:
        here = await access.guild_channel(core, me, channel_id, p.MANAGE_ROLES)
        gone = overwrites.of(here.channel, overwrite_id)
        if gone is None:
            raise UNKNOWN_OVERWRITE()
        overwrites.check_grantable(here.guild, me.id, here.channel, [gone], [])
        left = tuple(each for each in here.channel.permission_overwrites if each.id != overwrite_id)
        await _replace_overwrites(core, me, here, left, reason)


async def _replace_overwrites(
    core: Core, me: Actor, here: GuildChannel, wanted: Iterable[Overwrite], reason: str | None
) -> None:
    new = replace(here.channel, permission_overwrites=tuple(sorted(wanted, key=lambda each: each.id)))
    entries = overwrites.entries(me, here.guild, here.channel, new, reason)
    await commit(core, here.guild, _in_step(here.guild, here.channel, new), entries)


def _in_step(guild: GuildState, old: Channel, new: Channel) -> list[Channel]:
    """The channel's new state, and those of the channels that have had its overwrites as their category's, and keep
    having them (topics/permissions, "Permission Syncing").
    """
    if new.permission_overwrites == old.permission_overwrites:
        return [new]
    synced = [
        replace(channel, permission_overwrites=new.permission_overwrites)
        for channel in guild.channels.values()
        if channel.parent_id == new.id and channel.permission_overwrites == old.permission_overwrites
    ]
    return [new, *synced]


# --- the commit, and what follows it ---------------------------------------------------------------------------------


async def commit(core: Core, guild: GuildState, changed: Sequence[Channel], entries: Sequence[AuditLogEntry]) -> None:
    """Write the channels' new states. Who gains sight of one gets CHANNEL_CREATE, who loses it CHANNEL_DELETE, all
    others CHANNEL_UPDATE. The caller holds the guild's lock.
    """
    await audit_log.change(core, guild, entries, _update, changed, then=lambda _: _changed_all(core, guild, changed))


def _delete(tx: Tx, channel_id: int, settings: Guild) -> None:
    store.delete(tx, channel_id)
    guilds.update(tx, settings)


def _update(tx: Tx, changed: Sequence[Channel]) -> None:
    for channel in changed:
        store.update(tx, channel)


def _changed_all(core: Core, guild: GuildState, changed: Sequence[Channel]) -> None:
    seen = sight.before(guild)
    guild.channels.update((int(channel.id), channel) for channel in changed)
    if any(_decides(channel) != _decides(seen.channels[channel.id]) for channel in changed):
        guild.changed()
    sight.tell(core, seen)
    for channel in changed:
        sight.update(core, seen, channel.id)


def _decides(channel: Channel) -> tuple[Sequence[Overwrite], int]:
    """What permissions in a channel depend on."""
    return channel.permission_overwrites, channel.type


def _created(core: Core, guild: GuildState, channel: Channel) -> Channel:
    guild.channels[channel.id] = channel
    guild.changed()
    core.live.channel_added(guild, channel.id)
    core.live.to_guild(guild, "CHANNEL_CREATE", channel, channel.id)
    return channel


def _deleted(core: Core, guild: GuildState, channel_id: int) -> Channel:
    voice.disconnect(core, guild, [state.user_id for state in guild.voice_in(channel_id)])
    scheduled_events.channel_deleted(core, guild, channel_id)
    gone = guild.channel(channel_id)
    audience = guild.audience(GATES["CHANNEL_DELETE"][0], channel_id)
    for thread in guild.threads.of_parent(channel_id):
        its_audience = guild.audience(GATES["THREAD_DELETE"][0], thread.id)
        core.live.thread_removed(guild, thread.id)
        if not thread.is_archived:
            thread_events.deleted(core, guild, thread.thread, its_audience)
    orphans = [channel for channel in guild.channels.values() if channel.parent_id == channel_id]
    del guild.channels[channel_id]
    guild.last_message_ids.pop(channel_id, None)
    core.live.channel_removed(channel_id)
    for channel in orphans:
        guild.channels[channel.id] = replace(channel, parent_id=None)
    guild.changed()
    for channel in orphans:
        core.live.to_guild(guild, "CHANNEL_UPDATE", guild.channel(channel.id), channel.id)
    core.live.to_audience(guild.id, "CHANNEL_DELETE", gone, audience)
    return gone
