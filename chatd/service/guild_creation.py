"""New guilds: from a form, or from a template. Docs: resources/guild and guild-template (as they were until 2025).

Forms name their roles and channels by placeholders; here they get ids.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import asdict, replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import TOO_MANY_GUILDS, UNKNOWN_GUILD_TEMPLATE
from chatd.model.images import ICONS
from chatd.model.objects.channel import Channel, ChannelType, Overwrite, OverwriteParams, OverwriteType
from chatd.model.objects.guild import (
    ChannelTemplate,
    Guild,
    GuildCreateParams,
    GuildExtra,
    GuildView,
    RoleTemplate,
)
from chatd.model.objects.guild_template import GuildFromTemplate
from chatd.model.objects.role import Role, RoleColors, RoleExtra
from chatd.model.validate import form_error
from chatd.model.wire import Permissions, Snowflake, decoder
from chatd.service import access, channel_forms, images, membership, overwrites
from chatd.service.actors import Actor
from chatd.service.commits import change
from chatd.service.core import Core
from chatd.service.guild_settings import trimmed
from chatd.store import channels, guild_templates, members, roles
from chatd.store import guilds as store
from chatd.store.db import Tx
from chatd.store.guilds import LoadedGuild

# What Discord makes of a guild that is created without channels. The ids are placeholders.
DEFAULT_CHANNELS = (
    ChannelTemplate(id=Snowflake(1), type=4, name="Text Channels"),
    ChannelTemplate(id=Snowflake(2), type=0, name="general", parent_id=Snowflake(1)),
    ChannelTemplate(id=Snowflake(3), type=4, name="Voice Channels"),
    ChannelTemplate(id=Snowflake(4), type=2, name="General", parent_id=Snowflake(3)),
)


async def create(core: Core, me: Actor, body: GuildCreateParams) -> GuildView:
    """Docs: resources/guild, "Create Guild". Raises TOO_MANY_GUILDS or a form error."""
    await _check_room(core, me)
    made = _planned(core, me, body)
    if body.icon is not None:
        icon = await images.store(core, ICONS, made.guild.id, body.icon, "icon")
        made = made._replace(guild=replace(made.guild, icon=icon))
    return await change(core, (made.guild.id, me.id), _insert, made, then=lambda _: _created(core, me, made))


async def create_from_template(core: Core, me: Actor, code: str, body: GuildFromTemplate) -> GuildView:
    """Docs: resources/guild-template, "Create Guild from Guild Template".

    Raises UNKNOWN_GUILD_TEMPLATE, TOO_MANY_GUILDS or a form error.
    """
    await _check_room(core, me)
    row = await core.db.read(guild_templates.get, code)
    if row is None:
        raise UNKNOWN_GUILD_TEMPLATE()
    form, source = decoder(GuildCreateParams).decode(row.guild), guild_templates.decode(row.guild)
    form.name = body.name
    made = _planned(core, me, form)
    guild = replace(made.guild, description=source.description, preferred_locale=source.preferred_locale)
    made = made._replace(guild=guild)

    def insert(tx: Tx) -> None:
        _insert(tx, made)
        guild_templates.use(tx, code)

    return await change(core, (guild.id, me.id), insert, then=lambda _: _created(core, me, made))


async def _check_room(core: Core, me: Actor) -> None:
    if len(await access.load_memberships(core, me.id)) >= limits.GUILDS_PER_USER:
        raise TOO_MANY_GUILDS()


# --- placeholders ----------------------------------------------------------------------------------------------------


def _planned(core: Core, me: Actor, body: GuildCreateParams) -> LoadedGuild:
    """The guild with new ids for everything, placeholders resolved. Raises a form error."""
    guild_id = Snowflake(core.ids.next())
    # The first role of the template is @everyone, whatever it says.
    everyone, *others = body.roles or [RoleTemplate(id=Snowflake(0))]
    made_roles = [_role(guild_id, "@everyone", everyone, 0)]
    made_roles += [_role(core.ids.next(), role.name, role, place) for place, role in enumerate(others, 1)]
    role_ids = {template.id: role.id for template, role in zip((everyone, *others), made_roles, strict=True)}
    templates = body.channels or list(DEFAULT_CHANNELS)
    _check_categories(templates)
    named = _name_channels(core, templates)
    made = [
        _channel(core, guild_id, template, position, named, role_ids, f"channels.{index}.")
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
    guild = Guild(id=guild_id, name=trimmed(body.name), owner_id=me.user.id, **asdict(extra))
    return LoadedGuild(
        guild,
        {role.id: role for role in made_roles},
        {channel.id: channel for channel in made},
        {me.id: members.new(me.user, core.clock_ms())},
        {},
        {},
        {},
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
        named[template.id] = _Named(Snowflake(core.ids.next()), _kind(template))
    return named


def _kind(template: ChannelTemplate) -> ChannelType:
    return ChannelType(template.type or ChannelType.GUILD_TEXT)


def _check_categories(templates: Sequence[ChannelTemplate]) -> None:
    inside: Counter[Snowflake] = Counter()
    for index, template in enumerate(templates):
        if template.parent_id is not None:
            inside[template.parent_id] += 1
            if inside[template.parent_id] > limits.CHANNELS_PER_CATEGORY:
                raise channel_forms.category_full(f"channels.{index}.parent_id")


def _positions(templates: Sequence[ChannelTemplate]) -> list[tuple[int, ChannelTemplate]]:
    """Positions count within each kind."""
    counts: dict[int, int] = {}
    placed = []
    for template in templates:
        position = counts.get(_kind(template), 0)
        counts[_kind(template)] = position + 1
        placed.append((position, template))
    return placed


def _channel(
    core: Core,
    guild_id: Snowflake,
    template: ChannelTemplate,
    position: int,
    named: dict[Snowflake, _Named],
    role_ids: dict[Snowflake, Snowflake],
    at: str,
) -> Channel:
    kind, path = _kind(template), f"{at}parent_id"
    if kind is ChannelType.GUILD_CATEGORY and template.parent_id is not None:
        raise form_error(path, "CHANNEL_PARENT_INVALID_TYPE", "Categories cannot have a parent")
    return Channel(
        id=Snowflake(core.ids.next()) if template.id is UNSET else named[template.id].id,
        type=int(kind),
        guild_id=guild_id,
        position=position,
        permission_overwrites=_overwrites(template.permission_overwrites or (), role_ids, at),
        name=template.name,
        parent_id=_resolve(named, template.parent_id, ChannelType.GUILD_CATEGORY, path),
        last_message_id=None,
        **asdict(channel_forms.new_extra(core, kind, template, at)),
    )


def _overwrites(
    wanted: Sequence[OverwriteParams], role_ids: dict[Snowflake, Snowflake], at: str
) -> tuple[Overwrite, ...]:
    made: dict[Snowflake, Overwrite] = {}
    for index, each in enumerate(wanted):
        role_id = role_ids.get(each.id)
        if role_id is None or OverwriteType(each.type) is not OverwriteType.ROLE:
            path = f"{at}permission_overwrites.{index}.id"
            raise form_error(path, "INVALID_OVERWRITE_TARGET", "Is no role of this request.")
        made[role_id] = overwrites.made(role_id, each.type, each.allow, each.deny)
    return tuple(made[role_id] for role_id in sorted(made))


def _role(id_: int, name: str, template: RoleTemplate, position: int) -> Role:
    colors = RoleColors(primary_color=template.color)
    if template.colors is not None:
        colors = RoleColors(
            primary_color=template.colors.primary_color or 0,
            secondary_color=template.colors.secondary_color,
            tertiary_color=template.colors.tertiary_color,
        )
    extra = RoleExtra(
        colors=colors,
        hoist=template.hoist,
        mentionable=template.mentionable,
        unicode_emoji=template.unicode_emoji,
    )
    default = p.DEFAULT_EVERYONE if position == 0 else 0
    return Role(
        id=Snowflake(id_),
        name=name,
        color=colors.primary_color,
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


# --- the commit, and what follows it ---------------------------------------------------------------------------------


def _insert(tx: Tx, made: LoadedGuild) -> None:
    store.insert(tx, made.guild)
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
        membership.subscribe(core, session, guild)
    return guild.view()
