"""Channels of guilds: list, create, show, edit, delete; and direct channels. Docs: resources/channel."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import asdict, replace

from chatd.live.directs import DirectState
from chatd.live.guilds import GuildState
from chatd.live.sessions import Session
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    CANNOT_MESSAGE_USER,
    MISSING_PERMISSIONS,
    TOO_MANY_CHANNELS,
    UNKNOWN_USER,
    WRONG_CHANNEL_TYPE,
)
from chatd.model.intents import GATES
from chatd.model.objects.channel import (
    VOICE_DEFAULTS,
    VOICE_TYPES,
    Channel,
    ChannelCreate,
    ChannelExtra,
    ChannelPatch,
    ChannelType,
    DirectChannel,
    Overwrite,
    OverwriteParams,
)
from chatd.model.objects.user import DirectChannelCreate, User
from chatd.model.validate import form_error
from chatd.model.wire import Permissions, Snowflake
from chatd.service import access
from chatd.service.access import DirectAccess, GuildChannel
from chatd.service.actors import Actor
from chatd.service.commits import change
from chatd.service.core import Core
from chatd.store import channels as store
from chatd.store import journal
from chatd.store.channels import LoadedDirect
from chatd.store.db import Missing, Tx

_VOICE_FIELDS = ("bitrate", "user_limit", "rtc_region")
# The kinds that may turn into one another.
_TEXT_KINDS = (ChannelType.GUILD_TEXT, ChannelType.GUILD_ANNOUNCEMENT)
# What setting null means, where it is not null itself.
_NULL_MEANS: dict[str, Any] = {
    "position": 0,
    "nsfw": False,
    "rate_limit_per_user": 0,
    "bitrate": VOICE_DEFAULTS.bitrate,
    "user_limit": VOICE_DEFAULTS.user_limit,
    "permission_overwrites": [],
}


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[Channel]:
    """Those that the asker may see. Docs: resources/guild, "Get Guild Channels"."""
    guild = await access.guild(core, me, guild_id)
    return list(guild.visible_channels(me.id))


async def create(core: Core, me: Actor, guild_id: Snowflake, body: ChannelCreate) -> Channel:
    """Docs: resources/guild, "Create Guild Channel". Raises MISSING_PERMISSIONS, TOO_MANY_CHANNELS or a form error."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_CHANNELS)
        channel = _new(core, me, guild, body)
        return await change(core, (guild.id,), store.insert, channel, then=lambda _: _created(core, guild, channel))


async def show(core: Core, me: Actor, channel_id: Snowflake) -> Channel | DirectChannel:
    """Docs: resources/channel, "Get Channel"."""
    here = await access.channel(core, me, channel_id)
    if isinstance(here, DirectAccess):
        return here.direct.view(me.id)
    return here.guild.channel(channel_id)


async def edit(core: Core, me: Actor, channel_id: Snowflake, body: ChannelPatch) -> Channel:
    """Docs: resources/channel, "Modify Channel". Raises MISSING_PERMISSIONS, WRONG_CHANNEL_TYPE or a form error."""
    async with (await access.guild_channel(core, me, channel_id)).guild.lock:
        here = await access.guild_channel(core, me, channel_id, p.MANAGE_CHANNELS)
        new = _changed(me, here, body)
        return await change(core, (here.guild.id,), store.update, new, then=lambda _: _edited(core, here.guild, new))


async def delete(core: Core, me: Actor, channel_id: Snowflake) -> Channel | DirectChannel:
    """Docs: resources/channel, "Delete/Close Channel". Closing a direct channel leaves it as it is."""
    here = await access.channel(core, me, channel_id)
    if isinstance(here, DirectAccess):
        return here.direct.view(me.id)
    async with here.guild.lock:
        here = await access.guild_channel(core, me, channel_id, p.MANAGE_CHANNELS)
        guild = here.guild
        return await change(
            core, (guild.id,), store.delete, channel_id, then=lambda _: _deleted(core, guild, channel_id)
        )


# --- direct channels -------------------------------------------------------------------------------------------------


async def open_direct(core: Core, me: Actor, body: DirectChannelCreate) -> DirectChannel:
    """The channel with another user, made when there is none yet. Docs: resources/user, "Create DM"."""
    if body.recipient_id == me.id:
        raise CANNOT_MESSAGE_USER()
    open_ = partial(_open, core.ids.next, me.id, body.recipient_id)
    try:
        direct = await core.db.write(open_, then=partial(_opened, core))
    except Missing:
        raise UNKNOWN_USER() from None
    return direct.view(me.id)


async def directs(core: Core, me: Actor) -> list[DirectChannel]:
    """Docs: resources/user (people's clients only; for bots it is empty, as on Discord)."""
    if me.is_bot:
        return []
    found = [await access.load_direct(core, id_) for id_ in await core.db.read(store.directs_of, me.id)]
    return [direct.view(me.id) for direct in found if direct is not None]


class _Opened(NamedTuple):
    channel_id: int
    loaded: LoadedDirect
    position: int | None  # of the commit that made it; None when it was there


def _open(new_id: Callable[[], int], one: int, other: int, tx: Tx) -> _Opened:
    made_id = new_id()
    channel_id = store.open_direct(tx, one, other, made_id)
    loaded = store.direct(tx, channel_id)
    if loaded is None:
        raise LookupError(f"direct channel {channel_id} has no users")
    if channel_id != made_id:
        return _Opened(channel_id, loaded, None)
    position = new_id()
    journal.mark(tx, position, frozenset(_told_of(loaded.users)))
    return _Opened(channel_id, loaded, position)


def _told_of(users: dict[int, User]) -> list[int]:
    """Bots hear of a direct channel by its first message (change log of 2019)."""
    return [user.id for user in users.values() if user.bot is not True]


def _opened(core: Core, opened: _Opened) -> DirectState:
    direct = core.live.install_direct(DirectState(opened.channel_id, *opened.loaded))
    if opened.position is not None:
        core.live.bus.horizon = opened.position
        for user_id in _told_of(direct.users):
            core.live.marked.add(user_id)
            core.live.to_user(user_id, "CHANNEL_CREATE", direct.view(user_id))
    return direct


# --- making and checking ---------------------------------------------------------------------------------------------


def _new(core: Core, me: Actor, guild: GuildState, body: ChannelCreate) -> Channel:
    if len(guild.channels) >= limits.GUILD_CHANNELS:
        raise TOO_MANY_CHANNELS()
    _check_parent(guild, body.type, body.parent_id)
    is_voice = body.type in VOICE_TYPES
    given = {
        name: value
        for name in ChannelExtra.__struct_fields__
        if (value := getattr(body, name, None)) is not None and (is_voice or name not in _VOICE_FIELDS)
    }
    extra = replace(VOICE_DEFAULTS if is_voice else ChannelExtra(), **given)
    siblings = [channel.position for channel in guild.channels.values() if channel.type == body.type]
    return Channel(
        id=Snowflake(core.ids.next()),
        type=body.type,
        guild_id=guild.guild.id,
        position=max(siblings, default=-1) + 1 if body.position is None else body.position,
        permission_overwrites=_overwrites(guild, guild.permissions(me.id), (), body.permission_overwrites or []),
        name=body.name,
        parent_id=body.parent_id,
        last_message_id=None,
        **asdict(extra),
    )


def _changed(me: Actor, here: GuildChannel, body: ChannelPatch) -> Channel:
    old = here.channel
    given: dict[str, Any] = {
        name: _NULL_MEANS.get(name) if value is None else value
        for name in body.__struct_fields__
        if (value := getattr(body, name)) is not UNSET
    }
    if given.get("type", old.type) != old.type and old.type not in _TEXT_KINDS:
        raise WRONG_CHANNEL_TYPE()
    if old.type != ChannelType.GUILD_VOICE and any(name in given for name in _VOICE_FIELDS):
        raise WRONG_CHANNEL_TYPE()
    if "permission_overwrites" in given:
        if not here.permissions & p.MANAGE_ROLES:
            raise MISSING_PERMISSIONS()
        given["permission_overwrites"] = _overwrites(
            here.guild, here.permissions, old.permission_overwrites, given["permission_overwrites"]
        )
    if "parent_id" in given and given["parent_id"] != old.parent_id:
        _check_parent(here.guild, old.type, given["parent_id"])
    return replace(old, **given)


def _check_parent(guild: GuildState, kind: int, parent_id: int | None) -> None:
    if parent_id is None:
        return
    parent = guild.channels.get(parent_id)
    if parent is None or parent.type != ChannelType.GUILD_CATEGORY:
        raise form_error("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist")
    if kind == ChannelType.GUILD_CATEGORY:
        raise form_error("parent_id", "CHANNEL_PARENT_INVALID_TYPE", "Categories cannot have a parent")
    if sum(1 for c in guild.channels.values() if c.parent_id == parent_id) >= limits.CHANNELS_PER_CATEGORY:
        raise form_error(
            "parent_id",
            "CHANNEL_PARENT_MAX_CHANNELS",
            f"Maximum number of channels in category reached ({limits.CHANNELS_PER_CATEGORY})",
        )


def _overwrites(
    guild: GuildState, held: int, old: Sequence[Overwrite], new: Sequence[OverwriteParams]
) -> tuple[Overwrite, ...]:
    """Only permissions that the asker has may be granted or denied anew (resources/channel, "Modify Channel")."""
    before = {overwrite.id: overwrite for overwrite in old}
    made = {
        params.id: Overwrite(
            id=params.id,
            type=params.type,
            allow=Permissions(params.allow & p.ALL),
            deny=Permissions(params.deny & p.ALL),
        )
        for params in new
    }
    for index, params in enumerate(new):
        known = guild.roles if params.type == 0 else guild.members
        if params.id not in known and params.id not in before:
            raise form_error(f"permission_overwrites.{index}.id", "INVALID_OVERWRITE_TARGET", "Unknown role or member")
    nothing = Overwrite(id=Snowflake(0), type=0, allow=Permissions(0), deny=Permissions(0))
    for target_id in before.keys() | made.keys():
        one, other = before.get(target_id, nothing), made.get(target_id, nothing)
        touched = (one.allow ^ other.allow) | (one.deny ^ other.deny)
        if touched & ~held:
            raise MISSING_PERMISSIONS()
    return tuple(made[target_id] for target_id in sorted(made))  # as the database gives them


# --- after the commit ------------------------------------------------------------------------------------------------


def _created(core: Core, guild: GuildState, channel: Channel) -> Channel:
    guild.channels[channel.id] = channel
    guild.changed()
    core.live.channel_added(guild, channel.id)
    core.live.to_guild(guild, "CHANNEL_CREATE", channel, channel.id)
    return channel


def _edited(core: Core, guild: GuildState, new: Channel) -> Channel:
    """Who gains sight of the channel gets CHANNEL_CREATE, who loses it CHANNEL_DELETE, all others CHANNEL_UPDATE."""
    before = _viewers(guild, new.id)
    guild.channels[new.id] = new
    guild.changed()
    after = _viewers(guild, new.id)
    shown = guild.channel(new.id)
    for name, sessions in (
        ("CHANNEL_DELETE", before.keys() - after.keys()),
        ("CHANNEL_UPDATE", before.keys() & after.keys()),
        ("CHANNEL_CREATE", after.keys() - before.keys()),
    ):
        core.live.to_sessions(guild.id, name, shown, sessions)
    return shown


def _deleted(core: Core, guild: GuildState, channel_id: int) -> Channel:
    gone = guild.channel(channel_id)
    audience = guild.audience(GATES["CHANNEL_DELETE"][0], channel_id)
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


def _viewers(guild: GuildState, channel_id: int) -> dict[Session, None]:
    """In the order of the audience."""
    return dict.fromkeys(guild.audience(GATES["CHANNEL_UPDATE"][0], channel_id))
