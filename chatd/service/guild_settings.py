"""A guild's own settings: edit, hand over, delete. Docs: resources/guild.

Its widget, vanity URL and welcome screen are also settings: their modules commit with `commit`.
"""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import MISSING_PERMISSIONS, OWNER_CANNOT_BE_BOT, REQUIRED_FOR_COMMUNITY, UNKNOWN_MEMBER
from chatd.model.images import BANNERS, DISCOVERY_SPLASHES, HOME_HEADERS, ICONS, SPLASHES
from chatd.model.objects.audit_log import AuditLogEntry, AuditLogEvent
from chatd.model.objects.channel import ChannelType
from chatd.model.objects.gateway import GuildDelete
from chatd.model.objects.guild import (
    COMMUNITY,
    DISCOVERABLE,
    MUTABLE_FEATURES,
    WELCOME_SCREEN_ENABLED,
    Guild,
    GuildExtra,
    GuildPatch,
    GuildView,
)
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log, commits, images, sight
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import guilds as store
from chatd.store import journal
from chatd.store.db import Tx

# What null means in Modify Guild.
_DEFAULTS = GuildExtra()

_IMAGES = {
    "icon": ICONS,
    "splash": SPLASHES,
    "discovery_splash": DISCOVERY_SPLASHES,
    "banner": BANNERS,
    "home_header": HOME_HEADERS,
}

_TEXT = (ChannelType.GUILD_TEXT, ChannelType.GUILD_ANNOUNCEMENT)
# The settings that name a channel, and the kinds that it may be of.
_CHANNELS = {
    "afk_channel_id": (ChannelType.GUILD_VOICE,),
    "system_channel_id": (ChannelType.GUILD_TEXT,),
    "rules_channel_id": _TEXT,
    "public_updates_channel_id": _TEXT,
    "safety_alerts_channel_id": _TEXT,
}
_REQUIRED_FOR_COMMUNITY = ("rules_channel_id", "public_updates_channel_id")
_ADMINISTRATORS_FEATURES = frozenset((COMMUNITY, DISCOVERABLE))
# What a guild has only as long as it has COMMUNITY.
_FEATURES_OF_COMMUNITY = frozenset((DISCOVERABLE, WELCOME_SCREEN_ENABLED))


async def edit(core: Core, me: Actor, guild_id: Snowflake, body: GuildPatch, reason: str | None) -> GuildView:
    """Docs: resources/guild, "Modify Guild".

    Raises MISSING_PERMISSIONS, UNKNOWN_MEMBER and OWNER_CANNOT_BE_BOT for a new owner, or a form error.
    """
    guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
    for name, kind in _IMAGES.items():  # takes longer than anybody may hold the lock
        setattr(body, name, await images.store(core, kind, guild.id, getattr(body, name), name))
    async with guild.lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
        await commit(core, me, guild, _changed(core, me, guild, body), reason)
        return guild.view()


async def delete(core: Core, me: Actor, guild_id: Snowflake) -> None:
    """By its owner alone, and for good. (Docs: resources/guild, "Delete Guild", as it was until 2025.)"""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        if guild.guild.owner_id != me.id:
            raise MISSING_PERMISSIONS()
        # After the deletion nothing says any more that these followed the guild.
        followers = {session.user.id for session in core.live.sessions} & guild.members.keys()
        await commits.change(core, (guild.id, *followers), _delete, guild.id, then=lambda _: _deleted(core, guild))


# --- the form --------------------------------------------------------------------------------------------------------


def _changed(core: Core, me: Actor, guild: GuildState, body: GuildPatch) -> Guild:
    given: dict[str, Any] = {
        name: getattr(_DEFAULTS, name) if value is None else value
        for name in body.__struct_fields__
        if (value := getattr(body, name)) is not UNSET
    }
    if "name" in given:
        given["name"] = trimmed(given["name"])
    for name, kinds in _CHANNELS.items():
        check_channel(guild, given.get(name), name, kinds)
    if given.get("owner_id", guild.guild.owner_id) != guild.guild.owner_id:
        _check_handover(guild, me, given["owner_id"])
    if "features" in given:
        given["features"] = _features(core, me, guild, given["features"])
    new = replace(guild.guild, **given)
    if COMMUNITY in new.features:
        for name in _REQUIRED_FOR_COMMUNITY:
            if getattr(new, name) is None:
                raise form_error(name, "BASE_TYPE_REQUIRED", "This field is required")
    return new


def trimmed(name: str) -> str:
    """A guild's name without the white space around it. Raises a form error when too little is left."""
    name = name.strip()
    if len(name) < 2:
        raise form_error("name", "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length.")
    return name


def check_channel(guild: GuildState, channel_id: int | None, field: str, kinds: tuple[ChannelType, ...] = ()) -> None:
    """Raises a form error unless the channel is the guild's and of one of these kinds; without kinds any will do."""
    if channel_id is None:
        return
    channel = guild.channels.get(channel_id)
    if channel is None or (kinds and channel.type not in kinds):
        raise form_error(field, "CHANNEL_INVALID", "Must be a channel of this server, of the right type")


def _check_handover(guild: GuildState, me: Actor, new_owner_id: int) -> None:
    if guild.guild.owner_id != me.id:
        raise MISSING_PERMISSIONS()
    member = guild.members.get(new_owner_id)
    if member is None:
        raise UNKNOWN_MEMBER()
    if member.user.bot is True:
        raise OWNER_CANNOT_BE_BOT()


def _features(core: Core, me: Actor, guild: GuildState, wanted: list[str]) -> tuple[str, ...]:
    """Clients send the whole list: of what may not be switched, what was there stays and nothing is added."""
    old = frozenset(guild.guild.features)
    new = (old - MUTABLE_FEATURES) | (MUTABLE_FEATURES & set(wanted))
    if COMMUNITY not in new:
        new -= _FEATURES_OF_COMMUNITY
    if (old ^ new) & _ADMINISTRATORS_FEATURES and not access.granted(core, guild, me.id) & p.ADMINISTRATOR:
        raise MISSING_PERMISSIONS()
    return tuple(sorted(new))


# --- the commit, and what follows it ---------------------------------------------------------------------------------


async def commit(
    core: Core,
    me: Actor,
    guild: GuildState,
    new: Guild,
    reason: str | None,
    also: Callable[[Tx], object] | None = None,
    entries: list[AuditLogEntry] | None = None,
) -> None:
    """Write the guild's new state, with what `also` writes and further `entries`. The caller holds the guild's lock."""
    entries = audit_log.updated(me, AuditLogEvent.GUILD_UPDATE, guild.id, guild.guild, new, reason) + (entries or [])

    def write(tx: Tx) -> None:
        store.update(tx, new)
        if also is not None:
            also(tx)

    await audit_log.change(core, guild, entries, write, then=lambda _: updated(core, guild, new))


def without_channel(guild: Guild, channel_id: int) -> Guild:
    """The guild once the channel is deleted. Raises REQUIRED_FOR_COMMUNITY."""
    naming = {name: None for name in (*_CHANNELS, "widget_channel_id") if getattr(guild, name) == channel_id}
    if COMMUNITY in guild.features and not naming.keys().isdisjoint(_REQUIRED_FOR_COMMUNITY):
        raise REQUIRED_FOR_COMMUNITY()
    return replace(guild, **naming)


def updated(core: Core, guild: GuildState, new: Guild) -> None:
    """After the commit: the settings take their place, and an owner its rights."""
    if new == guild.guild:
        return
    seen = sight.before(guild)
    is_handed_over = new.owner_id != guild.guild.owner_id
    guild.guild = new
    if is_handed_over:
        guild.changed()
    core.live.to_guild(guild, "GUILD_UPDATE", guild.view())
    sight.tell(core, seen)


def _delete(tx: Tx, guild_id: int) -> None:
    store.delete(tx, guild_id)
    journal.lift(tx, guild_id)


def _deleted(core: Core, guild: GuildState) -> None:
    core.live.to_guild(guild, "GUILD_DELETE", GuildDelete(id=guild.guild.id))
    core.live.guild_removed(guild)
