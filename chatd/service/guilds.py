"""Guilds: create, list, show, join. Docs: resources/guild."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict, replace

from chatd.live.guilds import GuildState
from chatd.live.presence import update as presence_update
from chatd.live.sessions import Session
from chatd.model import intents, limits
from chatd.model import permissions as p
from chatd.model.errors import TOO_MANY_GUILDS
from chatd.model.images import ICONS
from chatd.model.intents import GATES
from chatd.model.objects.channel import DEFAULTS, Channel, ChannelType
from chatd.model.objects.gateway import GuildMemberAdd
from chatd.model.objects.guild import (
    ChannelTemplate,
    Guild,
    GuildCreate,
    GuildCreateParams,
    GuildExtra,
    GuildView,
    Member,
    MyGuild,
    RoleTemplate,
)
from chatd.model.objects.role import Role, RoleColors, RoleExtra
from chatd.model.validate import form_error
from chatd.model.wire import Params, Permissions, Snowflake
from chatd.service import access, images, scheduled_events
from chatd.service.actors import Actor
from chatd.service.commits import change
from chatd.service.core import Core
from chatd.store import channels, guilds, members, roles
from chatd.store.db import Tx
from chatd.store.guilds import LoadedGuild

# What Discord makes of a guild that is created without channels. The ids are placeholders.
DEFAULT_CHANNELS = (
    ChannelTemplate(id=Snowflake(1), type=4, name="Text Channels"),
    ChannelTemplate(id=Snowflake(2), type=0, name="general", parent_id=Snowflake(1)),
    ChannelTemplate(id=Snowflake(3), type=4, name="Voice Channels"),
    ChannelTemplate(id=Snowflake(4), type=2, name="General", parent_id=Snowflake(3)),
)


class GuildQuery(Params):
    with_counts: bool = False


class MyGuildsQuery(Params):
    """Get Current User Guilds."""

    before: Snowflake | UnsetType = UNSET
    after: Snowflake | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200)] = limits.GUILDS_PER_PAGE
    with_counts: bool = False


async def create(core: Core, me: Actor, body: GuildCreateParams) -> GuildView:
    """Docs: resources/guild, "Create Guild" (as it was until 2025). Raises TOO_MANY_GUILDS or a form error."""
    if len(await access.load_memberships(core, me.id)) >= limits.GUILDS_PER_USER:
        raise TOO_MANY_GUILDS()
    made = _from_template(core, me, body)
    if body.icon is not None:
        icon = await images.store(core, ICONS, made.guild.id, body.icon, "icon")
        made = made._replace(guild=replace(made.guild, icon=icon))
    return await change(core, (made.guild.id, me.id), _insert, made, then=lambda _: _created(core, me, made))


async def mine(core: Core, me: Actor, query: MyGuildsQuery) -> list[MyGuild]:
    """Oldest first. Docs: resources/user, "Get Current User Guilds"."""
    ids = sorted(await access.load_memberships(core, me.id))
    if query.before is not UNSET:
        ids = [id_ for id_ in ids if id_ < query.before][-query.limit :]
    elif query.after is not UNSET:
        ids = [id_ for id_ in ids if id_ > query.after]
    found = [await access.load_guild(core, id_) for id_ in ids[: query.limit]]
    return [_my_guild(core, me, guild, query.with_counts) for guild in found if guild is not None]


async def show(core: Core, me: Actor, guild_id: Snowflake, query: GuildQuery) -> GuildView:
    """Docs: resources/guild, "Get Guild"."""
    guild = await access.guild(core, me, guild_id)
    return _view(core, guild, query.with_counts)


# --- what other services share ---------------------------------------------------------------------------------------


def joined(core: Core, guild: GuildState, member: Member) -> None:
    """After the commit of a new membership: everyone learns of the member, its sessions of the guild."""
    core.live.member_added(guild, member)
    event = GuildMemberAdd(guild_id=guild.guild.id, **asdict(member))
    core.live.to_guild(guild, "GUILD_MEMBER_ADD", event)
    for session in core.live.sessions.of_user(member.user.id):
        subscribe(core, session, guild)


def subscribe(core: Core, session: Session, guild: GuildState, unavailable: bool | UnsetType = UNSET) -> None:
    """Send the session a snapshot and everything after it. Nothing may come between the two: this does not await.

    `unavailable` is false for a guild that READY announced as unavailable, absent for one just joined.
    """
    if session in guild.sessions or not session.serves(guild.id):
        return
    core.live.follow(session, guild.id)
    if session.intents & GATES["GUILD_CREATE"][0]:
        core.live.push(session, "GUILD_CREATE", snapshot(core, session, guild, unavailable))
    guild.add_session(session)


def snapshot(core: Core, session: Session, guild: GuildState, unavailable: bool | UnsetType) -> GuildCreate:
    """The guild as the session's user sees it. Docs: events/gateway-events, "Guild Create"."""
    large = len(guild.members) > session.large_threshold
    me = guild.members[session.user.id]
    voice_states = guild.visible_voice(me.user.id) if session.intents & intents.GUILD_VOICE_STATES else ()
    # Without the presence intent, and of very large guilds, only the user and who is in voice, and no presences.
    in_voice = {me.user.id, *(state.user_id for state in voice_states)}
    listed: Sequence[Member] = [guild.members[id_] for id_ in in_voice if id_ in guild.members]
    with_presences = session.intents & intents.GUILD_PRESENCES and len(guild.members) <= limits.LISTED_MEMBERS
    if with_presences:
        everyone = guild.members.values()
        listed = [m for m in everyone if not large or m.user.id in in_voice or core.live.is_online(m.user.id)]
    return GuildCreate(
        **asdict(guild.guild),
        roles=guild.sorted_roles(),
        joined_at=me.joined_at,
        large=large,
        member_count=len(guild.members),
        members=tuple(listed),
        channels=guild.visible_channels(session.user.id),
        presences=tuple(
            presence_update(guild.id, m.user, core.live.presence_of(m.user.id))
            for m in listed
            if with_presences and core.live.is_online(m.user.id)
        ),
        unavailable=unavailable,
        voice_states=voice_states,
        guild_scheduled_events=tuple(scheduled_events.view(guild, event) for event in guild.visible_events(me.user.id)),
    )


# --- creating --------------------------------------------------------------------------------------------------------


def _from_template(core: Core, me: Actor, body: GuildCreateParams) -> LoadedGuild:
    """The guild with new ids for everything, placeholders resolved."""
    guild_id = Snowflake(core.ids.next())
    templates = body.channels or list(DEFAULT_CHANNELS)
    named = _name_channels(core, templates)
    made = [
        _channel(core, guild_id, template, position, named, index)
        for index, (position, template) in enumerate(_positions(templates))
    ]
    system = _resolve(named, body.system_channel_id, ChannelType.GUILD_TEXT, "system_channel_id")
    if system is None and not body.channels:
        system = next(channel.id for channel in made if channel.type == ChannelType.GUILD_TEXT)
    extra = GuildExtra(
        region=body.region or "local",
        verification_level=body.verification_level,
        default_message_notifications=body.default_message_notifications,
        explicit_content_filter=body.explicit_content_filter,
        afk_channel_id=_resolve(named, body.afk_channel_id, ChannelType.GUILD_VOICE, "afk_channel_id"),
        afk_timeout=body.afk_timeout,
        system_channel_id=system,
        system_channel_flags=body.system_channel_flags,
    )
    guild = Guild(id=guild_id, name=body.name, owner_id=me.user.id, **asdict(extra))
    # The first role of the template is @everyone, whatever it says.
    everyone, *others = body.roles or [RoleTemplate(id=Snowflake(0))]
    made_roles = [_role(guild_id, "@everyone", everyone, 0)]
    made_roles += [_role(core.ids.next(), role.name, role, place) for place, role in enumerate(others, 1)]
    return LoadedGuild(
        guild,
        {role.id: role for role in made_roles},
        {channel.id: channel for channel in made},
        {me.id: members.new(me.user, core.clock_ms())},
        {},
        {},
        {},
    )


class _Named(NamedTuple):
    """A channel of the template that others may name."""

    id: Snowflake
    type: int


def _name_channels(core: Core, templates: Sequence[ChannelTemplate]) -> dict[Snowflake, _Named]:
    """By placeholder."""
    named: dict[Snowflake, _Named] = {}
    for index, template in enumerate(templates):
        if template.id is UNSET:
            continue
        if template.id in named:
            message = f'Value "{template.id}" names two channels of this request.'
            raise form_error(f"channels.{index}.id", "CHANNEL_PLACEHOLDER_DUPLICATE", message)
        named[template.id] = _Named(Snowflake(core.ids.next()), template.type)
    return named


def _positions(templates: Sequence[ChannelTemplate]) -> list[tuple[int, ChannelTemplate]]:
    """Positions count within each kind."""
    counts: dict[int, int] = {}
    placed = []
    for template in templates:
        position = counts.get(template.type, 0)
        counts[template.type] = position + 1
        placed.append((position, template))
    return placed


def _channel(
    core: Core,
    guild_id: Snowflake,
    template: ChannelTemplate,
    position: int,
    named: dict[Snowflake, _Named],
    index: int,
) -> Channel:
    path = f"channels.{index}.parent_id"
    if int(template.type) == ChannelType.GUILD_CATEGORY and template.parent_id is not None:
        raise form_error(path, "CHANNEL_PARENT_INVALID_TYPE", "Categories cannot have a parent")
    extra = replace(DEFAULTS[template.type], topic=template.topic)
    return Channel(
        id=Snowflake(core.ids.next()) if template.id is UNSET else named[template.id].id,
        type=template.type,
        guild_id=guild_id,
        position=position,
        permission_overwrites=(),
        name=template.name,
        parent_id=_resolve(named, template.parent_id, ChannelType.GUILD_CATEGORY, path),
        last_message_id=None,
        **asdict(extra),
    )


def _role(id_: int, name: str, template: RoleTemplate, position: int) -> Role:
    extra = RoleExtra(
        colors=RoleColors(primary_color=template.color), hoist=template.hoist, mentionable=template.mentionable
    )
    default = p.DEFAULT_EVERYONE if position == 0 else 0
    return Role(
        id=Snowflake(id_),
        name=name,
        color=template.color,
        position=position,
        permissions=Permissions(p.ALL & (default if template.permissions is None else template.permissions)),
        **asdict(extra),
    )


def _resolve(
    named: dict[Snowflake, _Named], placeholder: Snowflake | None, kind: ChannelType, path: str
) -> Snowflake | None:
    if placeholder is None:
        return None
    found = named.get(placeholder)
    if found is None or found.type != kind:
        message = f'Value "{placeholder}" is no channel of the right type in this request.'
        raise form_error(path, "CHANNEL_PLACEHOLDER_UNKNOWN", message)
    return found.id


def _insert(tx: Tx, made: LoadedGuild) -> None:
    guilds.insert(tx, made.guild)
    for role in made.roles.values():
        roles.insert(tx, made.guild.id, role)
    for channel in made.channels.values():
        channels.insert(tx, channel)
    for member in made.members.values():
        members.insert(tx, made.guild.id, member)


def _created(core: Core, me: Actor, made: LoadedGuild) -> GuildView:
    guild = core.live.install_guild(GuildState(*made))
    core.live.member_added(guild, made.members[me.id])
    for session in core.live.sessions.of_user(me.id):
        subscribe(core, session, guild)
    return guild.view()


# --- showing ---------------------------------------------------------------------------------------------------------


def _view(core: Core, guild: GuildState, with_counts: bool) -> GuildView:
    view = guild.view()
    return replace(view, **counts(core, guild)) if with_counts else view


def counts(core: Core, guild: GuildState) -> dict[str, int]:
    online = sum(1 for user_id in guild.members if core.live.is_online(user_id))
    return {"approximate_member_count": len(guild.members), "approximate_presence_count": online}


def _my_guild(core: Core, me: Actor, guild: GuildState, with_counts: bool) -> MyGuild:
    return MyGuild(
        id=guild.guild.id,
        name=guild.guild.name,
        icon=guild.guild.icon,
        banner=guild.guild.banner,
        owner=guild.guild.owner_id == me.id,
        permissions=Permissions(guild.permissions(me.id)),
        features=guild.guild.features,
        **(counts(core, guild) if with_counts else {}),
    )
