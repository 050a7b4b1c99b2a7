"""Templates: a copy of a guild's settings, roles and channels, under a code. Docs: resources/guild-template.

Guilds are made of them in `guild_creation`. Members, bots' roles, messages, custom emojis and images are not copied.
Discord's audit log has nothing of templates.
"""

import secrets
import string

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import GUILD_HAS_A_TEMPLATE, UNKNOWN_GUILD_TEMPLATE
from chatd.model.objects.channel import Channel, ChannelType, DefaultReaction
from chatd.model.objects.guild_template import (
    GuildTemplate,
    GuildTemplateCreate,
    GuildTemplatePatch,
    SerializedChannel,
    SerializedGuild,
    SerializedRole,
    SerializedTag,
)
from chatd.model.wire import Snowflake, timestamp
from chatd.service import access
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import guild_templates as store
from chatd.store.db import Conflict
from chatd.store.guild_templates import TemplateRow
from chatd.store.rows import to_text, users

_ALPHABET = string.ascii_letters + string.digits
_CODE_LENGTH = 12

# The kinds that a template may have; what is another becomes its nearest (GuildTemplateChannelResponse).
_KINDS = {
    ChannelType.GUILD_ANNOUNCEMENT: ChannelType.GUILD_TEXT,
    ChannelType.GUILD_STAGE_VOICE: ChannelType.GUILD_VOICE,
    ChannelType.GUILD_MEDIA: ChannelType.GUILD_FORUM,
}
_BITRATE = 64000


async def show(core: Core, me: Actor, code: str) -> GuildTemplate:
    """Anybody with the code may look. Docs: "Get Guild Template". Raises UNKNOWN_GUILD_TEMPLATE."""
    row = await core.db.read(store.get, code)
    guild = None if row is None else await access.load_guild(core, row.guild_id)
    if row is None or guild is None:
        raise UNKNOWN_GUILD_TEMPLATE()
    return await _render(core, guild, row)


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[GuildTemplate]:
    """One or none. Docs: "Get Guild Templates"."""
    guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
    row = await core.db.read(store.of_guild, guild.id)
    return [] if row is None else [await _render(core, guild, row)]


async def create(core: Core, me: Actor, guild_id: Snowflake, body: GuildTemplateCreate) -> GuildTemplate:
    """Docs: "Create Guild Template". Raises GUILD_HAS_A_TEMPLATE, MISSING_PERMISSIONS."""
    guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
    row = TemplateRow(
        code="".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH)),
        guild_id=guild.id,
        name=body.name,
        description=body.description,
        usage_count=0,
        creator_id=me.id,
        created_ms=core.clock_ms(),
        updated_ms=core.clock_ms(),
        guild=to_text(_serialized(guild)),
    )
    try:
        await core.db.write(store.insert, row)
    except Conflict:
        raise GUILD_HAS_A_TEMPLATE() from None
    return await _render(core, guild, row)


async def sync(core: Core, me: Actor, guild_id: Snowflake, code: str) -> GuildTemplate:
    """Docs: "Sync Guild Template". Raises UNKNOWN_GUILD_TEMPLATE, MISSING_PERMISSIONS."""
    guild, row = await _find(core, me, guild_id, code)
    new = replace(row, guild=to_text(_serialized(guild)), updated_ms=core.clock_ms())
    await core.db.write(store.update, new)
    return await _render(core, guild, new)


async def edit(core: Core, me: Actor, guild_id: Snowflake, code: str, body: GuildTemplatePatch) -> GuildTemplate:
    """Docs: "Modify Guild Template". Raises UNKNOWN_GUILD_TEMPLATE, MISSING_PERMISSIONS."""
    guild, row = await _find(core, me, guild_id, code)
    if body.name is not UNSET:
        row = replace(row, name=body.name)
    if body.description is not UNSET:
        row = replace(row, description=body.description)
    await core.db.write(store.update, row)
    return await _render(core, guild, row)


async def delete(core: Core, me: Actor, guild_id: Snowflake, code: str) -> GuildTemplate:
    """Docs: "Delete Guild Template". Raises UNKNOWN_GUILD_TEMPLATE, MISSING_PERMISSIONS."""
    guild, row = await _find(core, me, guild_id, code)
    await core.db.write(store.delete, code)
    return await _render(core, guild, row)


async def _find(core: Core, me: Actor, guild_id: int, code: str) -> tuple[GuildState, TemplateRow]:
    guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
    row = await core.db.read(store.get, code)
    if row is None or row.guild_id != guild_id:
        raise UNKNOWN_GUILD_TEMPLATE()
    return guild, row


async def _render(core: Core, guild: GuildState, row: TemplateRow) -> GuildTemplate:
    creators = await core.db.read(users, (row.creator_id,))
    copy = store.decode(row.guild)
    return GuildTemplate(
        code=row.code,
        name=row.name,
        description=row.description,
        usage_count=row.usage_count,
        creator_id=Snowflake(row.creator_id),
        creator=creators.get(row.creator_id),
        created_at=timestamp(row.created_ms),
        updated_at=timestamp(row.updated_ms),
        source_guild_id=Snowflake(row.guild_id),
        serialized_source_guild=copy,
        is_dirty=True if copy != _serialized(guild) else None,
    )


# --- copying ---------------------------------------------------------------------------------------------------------


def _serialized(guild: GuildState) -> SerializedGuild:
    roles = [role for role in guild.sorted_roles() if not role.managed]
    role_places = {int(role.id): place for place, role in enumerate(roles)}
    # In the order in which they are shown, which is what becomes of their positions.
    channels = sorted(guild.channels.values(), key=lambda channel: (channel.position, channel.id))
    channel_places = {int(channel.id): Snowflake(place) for place, channel in enumerate(channels, 1)}
    settings = guild.guild
    return SerializedGuild(
        name=settings.name,
        description=settings.description,
        region=settings.region,
        verification_level=settings.verification_level,
        default_message_notifications=settings.default_message_notifications,
        explicit_content_filter=settings.explicit_content_filter,
        preferred_locale=settings.preferred_locale,
        afk_channel_id=channel_places.get(settings.afk_channel_id or 0),
        afk_timeout=settings.afk_timeout,
        system_channel_id=channel_places.get(settings.system_channel_id or 0),
        system_channel_flags=settings.system_channel_flags,
        roles=tuple(
            SerializedRole(
                id=role_places[role.id],
                name=role.name,
                permissions=role.permissions,
                color=role.color,
                colors=role.colors,
                hoist=role.hoist,
                mentionable=role.mentionable,
                unicode_emoji=role.unicode_emoji,
            )
            for role in roles
        ),
        channels=tuple(_channel(channel, channel_places, role_places) for channel in channels),
        icon_hash=settings.icon,
    )


def _channel(channel: Channel, places: dict[int, Snowflake], role_places: dict[int, int]) -> SerializedChannel:
    return SerializedChannel(
        id=int(places[channel.id]),
        type=int(_KINDS.get(ChannelType(channel.type), channel.type)),
        name=channel.name,
        position=channel.position,
        topic=channel.topic,
        bitrate=channel.bitrate or _BITRATE,
        user_limit=channel.user_limit or 0,
        nsfw=channel.nsfw,
        rate_limit_per_user=channel.rate_limit_per_user,
        parent_id=places.get(channel.parent_id or 0),
        permission_overwrites=tuple(
            replace(each, id=Snowflake(role_places[each.id]))
            for each in channel.permission_overwrites
            if each.id in role_places
        ),
        available_tags=_tags(channel),
        default_reaction_emoji=_reaction(channel),
        default_auto_archive_duration=channel.default_auto_archive_duration or None,
        default_thread_rate_limit_per_user=channel.default_thread_rate_limit_per_user or None,
        default_sort_order=None if channel.default_sort_order is UNSET else channel.default_sort_order,
        default_forum_layout=None if channel.default_forum_layout is UNSET else channel.default_forum_layout,
    )


def _tags(channel: Channel) -> tuple[SerializedTag, ...] | None:
    if channel.available_tags is UNSET:
        return None
    return tuple(
        SerializedTag(name=tag.name, moderated=tag.moderated, emoji_name=None if tag.emoji_id else tag.emoji_name)
        for tag in channel.available_tags
    )


def _reaction(channel: Channel) -> DefaultReaction | None:
    reaction = channel.default_reaction_emoji
    return None if reaction is UNSET or reaction is None or reaction.emoji_id is not None else reaction
