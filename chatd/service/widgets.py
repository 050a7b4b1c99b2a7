"""A guild's widget: what anybody may see of it on a web page, when it is switched on. Docs: resources/guild."""

from itertools import islice

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import UNKNOWN_GUILD, WIDGET_DISABLED
from chatd.model.objects.channel import VOICE_TYPES
from chatd.model.objects.guild import INVITES_DISABLED, Member
from chatd.model.objects.widget import Widget, WidgetChannel, WidgetMember, WidgetPatch, WidgetSettings
from chatd.model.wire import Snowflake
from chatd.service import access, guild_settings, invites
from chatd.service.actors import Actor
from chatd.service.core import Core

_OPEN = p.VIEW_CHANNEL | p.CONNECT
_DEFAULT_AVATARS = 6


async def settings(core: Core, me: Actor, guild_id: Snowflake) -> WidgetSettings:
    """Docs: resources/guild, "Get Guild Widget Settings"."""
    return _settings(await access.guild(core, me, guild_id, p.MANAGE_GUILD))


async def edit(core: Core, me: Actor, guild_id: Snowflake, body: WidgetPatch, reason: str | None) -> WidgetSettings:
    """Docs: resources/guild, "Modify Guild Widget". Raises MISSING_PERMISSIONS or a form error."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
        new = guild.guild
        if body.channel_id is not UNSET:
            guild_settings.check_channel(guild, body.channel_id, "channel_id")
            new = replace(new, widget_channel_id=body.channel_id)
        if body.enabled is not UNSET:
            new = replace(new, widget_enabled=bool(body.enabled))
        await guild_settings.commit(core, me, guild, new, reason)
        return _settings(guild)


async def show(core: Core, guild_id: Snowflake, host: str) -> Widget:
    """Docs: resources/guild, "Get Guild Widget". Nobody's account can be told from it. The invite is a link to what
    the API says of it; there is none while invites are paused. Raises UNKNOWN_GUILD, WIDGET_DISABLED.
    """
    guild = await access.load_guild(core, guild_id)
    if guild is None:
        raise UNKNOWN_GUILD()
    if not guild.guild.widget_enabled:
        raise WIDGET_DISABLED()
    base = core.config.server.public_url.rstrip("/") or f"http{'s' * bool(core.config.server.tls_cert)}://{host}"
    invite = await _invite(core, guild)
    shown = [
        channel
        for channel in guild.channels.values()
        if channel.type in VOICE_TYPES and guild.permissions_of_everyone(channel) & _OPEN == _OPEN
    ]
    open_ids = {channel.id for channel in shown}
    online = [member for member in guild.members.values() if core.live.is_online(member.user.id)]
    return Widget(
        id=guild.guild.id,
        name=guild.guild.name,
        instant_invite=None if invite is None else f"{base}/api/v10/invites/{invite}",
        channels=tuple(WidgetChannel(id=it.id, name=it.name, position=it.position) for it in shown),
        members=tuple(
            _member(core, guild, member, place, base, open_ids)
            for place, member in enumerate(islice(online, limits.WIDGET_MEMBERS))
        ),
        presence_count=len(online),
    )


def _settings(guild: GuildState) -> WidgetSettings:
    return WidgetSettings(enabled=guild.guild.widget_enabled, channel_id=guild.guild.widget_channel_id)


async def _invite(core: Core, guild: GuildState) -> str | None:
    channel = guild.channels.get(guild.guild.widget_channel_id or 0)
    if channel is None or INVITES_DISABLED in guild.guild.features:
        return None
    return await invites.of_widget(core, guild, channel)


def _member(
    core: Core, guild: GuildState, member: Member, place: int, base: str, open_ids: set[Snowflake]
) -> WidgetMember:
    shown = WidgetMember(
        id=str(place),
        username=member.nick or member.user.global_name or member.user.username,
        discriminator="0000",
        avatar=None,
        status=core.live.presence_of(member.user.id).status,
        avatar_url=f"{base}/embed/avatars/{place % _DEFAULT_AVATARS}.png",
    )
    state = guild.voice.get(member.user.id)
    if state is None or state.channel_id not in open_ids:
        return shown
    return replace(
        shown,
        deaf=state.deaf,
        mute=state.mute,
        self_deaf=state.self_deaf,
        self_mute=state.self_mute,
        suppress=state.suppress,
        channel_id=state.channel_id,
    )
