"""What becomes of a channel's form: from what a client sent to the channel that is stored. Docs: resources/channel.

Nothing is written here. Permissions that depend on what the form says are checked here, the others by `channels`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    TOO_MANY_CHANNELS,
    UNKNOWN_CHANNEL,
    WRONG_CHANNEL_TYPE,
    ApiError,
)
from chatd.model.objects.channel import (
    DEFAULTS,
    FIELDS,
    FORUM_TYPES,
    Channel,
    ChannelCreate,
    ChannelExtra,
    ChannelPatch,
    ChannelPosition,
    ChannelType,
    DefaultReaction,
    ForumTag,
    ForumTagParams,
    Overwrite,
)
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake
from chatd.service import access, overwrites
from chatd.service.access import GuildChannel
from chatd.service.actors import Actor
from chatd.service.core import Core

# The kinds that may turn into one another.
_TEXT_KINDS = (ChannelType.GUILD_TEXT, ChannelType.GUILD_ANNOUNCEMENT)


def new(core: Core, me: Actor, guild: GuildState, body: ChannelCreate) -> Channel:
    """Raises TOO_MANY_CHANNELS, MISSING_PERMISSIONS or a form error."""
    if len(guild.channels) >= limits.GUILD_CHANNELS:
        raise TOO_MANY_CHANNELS()
    kind = ChannelType.GUILD_TEXT if body.type is None else ChannelType(body.type)
    _check_parent(guild, kind, body.parent_id)
    extra = new_extra(core, kind, body)
    siblings = [channel.position for channel in guild.channels.values() if channel.type == kind]
    made: tuple[Overwrite, ...] = ()
    if body.permission_overwrites:
        made = overwrites.wanted(guild, (), body.permission_overwrites)
        overwrites.check_grantable(guild, me.id, None, (), made)
    elif body.parent_id is not None:  # in step with its category: discord.py sends an empty list where none are given
        made = guild.channels[body.parent_id].permission_overwrites
    return Channel(
        id=Snowflake(core.ids.next()),
        type=int(kind),
        guild_id=guild.guild.id,
        position=max(siblings, default=-1) + 1 if body.position is None else body.position,
        permission_overwrites=made,
        name=body.name,
        parent_id=body.parent_id,
        last_message_id=None,
        **asdict(extra),
    )


def new_extra(core: Core, kind: ChannelType, body: ChannelCreate, at: str = "") -> ChannelExtra:
    """What a new channel has besides its place; `at` is the form's path, for errors. Raises a form error."""
    given = {
        name: value for name in FIELDS[kind] & set(body.__struct_fields__) if (value := getattr(body, name)) is not None
    }
    return replace(DEFAULTS[kind], **_extra(core, kind, given, (), at))


def changed(core: Core, me: Actor, here: GuildChannel, body: ChannelPatch) -> Channel:
    """Raises WRONG_CHANNEL_TYPE for a field that the kind does not have, MISSING_PERMISSIONS or a form error."""
    old = here.channel
    given = {name: value for name in ChannelPatch.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    kind = given.get("type", old.type)
    if kind != old.type and old.type not in _TEXT_KINDS:
        raise WRONG_CHANNEL_TYPE()
    extra = {name: given.pop(name) for name in ChannelExtra.__struct_fields__ if name in given}
    if not extra.keys() <= FIELDS[kind]:
        raise WRONG_CHANNEL_TYPE()
    if "permission_overwrites" in given:
        if not here.permissions & p.MANAGE_ROLES:
            raise MISSING_PERMISSIONS()
        wanted = overwrites.wanted(here.guild, old.permission_overwrites, given["permission_overwrites"] or ())
        overwrites.check_grantable(here.guild, me.id, old, old.permission_overwrites, wanted)
        given["permission_overwrites"] = wanted
    if given.get("position", 0) is None:
        given["position"] = 0
    if "parent_id" in given and given["parent_id"] != old.parent_id:
        _check_parent(here.guild, old.type, given["parent_id"])
    tags = () if old.available_tags is UNSET else old.available_tags
    return replace(old, **given, **_extra(core, kind, extra, tags))


def _extra(core: Core, kind: int, given: Mapping[str, Any], tags: Sequence[ForumTag], at: str = "") -> dict[str, Any]:
    """Checked against what the kind allows; null means the kind's default."""
    forum = kind in FORUM_TYPES
    if len(given.get("topic") or "") > limits.CHANNEL_TOPIC_LENGTH and not forum:
        message = f"Must be {limits.CHANNEL_TOPIC_LENGTH} or fewer in length."
        raise form_error(f"{at}topic", "BASE_TYPE_MAX_LENGTH", message)
    if (given.get("user_limit") or 0) > limits.VOICE_USERS and kind != ChannelType.GUILD_STAGE_VOICE:
        raise form_error(
            f"{at}user_limit", "NUMBER_TYPE_MAX", f"int value should be less than or equal to {limits.VOICE_USERS}."
        )
    made = {name: getattr(DEFAULTS[kind], name) if value is None else value for name, value in given.items()}
    if given.get("available_tags") is not None:
        made["available_tags"] = _tags(core, given["available_tags"], tags, at)
    if (emoji := given.get("default_reaction_emoji")) is not None:
        made["default_reaction_emoji"] = DefaultReaction(emoji_id=emoji.emoji_id, emoji_name=emoji.emoji_name)
    return made


def _tags(core: Core, wanted: Sequence[ForumTagParams], old: Sequence[ForumTag], at: str) -> tuple[ForumTag, ...]:
    known = {tag.id for tag in old}
    names = [tag.name for tag in wanted]
    for index, tag in enumerate(wanted):
        if tag.name in names[:index]:
            raise form_error(f"{at}available_tags.{index}.name", "TAG_NAMES_MUST_BE_UNIQUE", "Tag names must be unique")
    return tuple(
        ForumTag(
            id=tag.id if tag.id is not None and tag.id in known else Snowflake(core.ids.next()),
            name=tag.name,
            moderated=bool(tag.moderated),
            emoji_id=tag.emoji_id,
            emoji_name=tag.emoji_name,
        )
        for tag in wanted
    )


def moved(core: Core, me: Actor, guild: GuildState, index: int, entry: ChannelPosition) -> Channel:
    """The channel as one entry wants it. What is needed depends on what the entry changes (see the page)."""
    old = guild.channels.get(entry.id)
    if old is None:
        raise UNKNOWN_CHANNEL()
    new = old if entry.position is UNSET else replace(old, position=entry.position or 0)
    if entry.parent_id is UNSET or entry.parent_id == old.parent_id:
        _check_may_order(core, me, guild, old)
    else:
        if not access.granted(core, guild, me.id, old.id) & p.VIEW_CHANNEL:
            raise MISSING_ACCESS()
        _check_parent(guild, old.type, entry.parent_id, f"{index}.parent_id")
        for place in (old.id, entry.parent_id or 0):
            if not access.granted(core, guild, me.id, place) & p.MANAGE_CHANNELS:
                raise MISSING_ACCESS()
        new = replace(new, parent_id=entry.parent_id)
    if entry.lock_permissions and new.parent_id is not None:
        if not access.granted(core, guild, me.id, old.id) & p.MANAGE_ROLES:
            raise MISSING_PERMISSIONS()
        wanted = guild.channels[new.parent_id].permission_overwrites
        overwrites.check_grantable(guild, me.id, old, old.permission_overwrites, wanted)
        new = replace(new, permission_overwrites=wanted)
    return new


def _check_may_order(core: Core, me: Actor, guild: GuildState, channel: Channel) -> None:
    for place in (0, channel.parent_id):
        if place is not None and access.granted(core, guild, me.id, place) & p.MANAGE_CHANNELS:
            return
    raise MISSING_PERMISSIONS()


def _check_parent(guild: GuildState, kind: int, parent_id: int | None, path: str = "parent_id") -> None:
    if parent_id is None:
        return
    parent = guild.channels.get(parent_id)
    if parent is None or parent.type != ChannelType.GUILD_CATEGORY:
        raise form_error(path, "CHANNEL_PARENT_INVALID", "Category does not exist")
    if kind == ChannelType.GUILD_CATEGORY:
        raise form_error(path, "CHANNEL_PARENT_INVALID_TYPE", "Categories cannot have a parent")
    if sum(1 for c in guild.channels.values() if c.parent_id == parent_id) >= limits.CHANNELS_PER_CATEGORY:
        raise category_full(path)


def category_full(path: str) -> ApiError:
    message = f"Maximum number of channels in category reached ({limits.CHANNELS_PER_CATEGORY})"
    return form_error(path, "CHANNEL_PARENT_MAX_CHANNELS", message)
