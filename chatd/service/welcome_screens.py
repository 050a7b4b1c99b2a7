"""What a Community guild shows to who has just joined. Docs: resources/guild.

Whether it is shown is the guild's feature WELCOME_SCREEN_ENABLED.
"""

from functools import partial

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import MISSING_PERMISSIONS, UNKNOWN_WELCOME_SCREEN
from chatd.model.objects.audit_log import AuditLogEvent
from chatd.model.objects.guild import COMMUNITY, WELCOME_SCREEN_ENABLED, Guild
from chatd.model.objects.welcome_screen import WelcomeChannel, WelcomeScreen, WelcomeScreenPatch
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log, guild_settings
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import welcome_screens as store
from chatd.store.db import Tx


async def show(core: Core, me: Actor, guild_id: Snowflake) -> WelcomeScreen:
    """Docs: resources/guild, "Get Guild Welcome Screen". Raises UNKNOWN_WELCOME_SCREEN, MISSING_PERMISSIONS."""
    guild = await access.guild(core, me, guild_id)
    is_enabled = WELCOME_SCREEN_ENABLED in guild.guild.features
    if not is_enabled and not access.granted(core, guild, me.id) & p.MANAGE_GUILD:
        raise MISSING_PERMISSIONS()
    screen = await core.db.read(store.get, guild.id)
    if screen is None:
        raise UNKNOWN_WELCOME_SCREEN()
    return _shown(guild, screen)


async def edit(
    core: Core, me: Actor, guild_id: Snowflake, body: WelcomeScreenPatch, reason: str | None
) -> WelcomeScreen:
    """Docs: resources/guild, "Modify Guild Welcome Screen". Raises MISSING_PERMISSIONS or a form error."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
        old = await core.db.read(store.get, guild.id)
        new = _changed(guild, old or WelcomeScreen(), body)
        # Discord's page has no kind of entry for it.
        changes = audit_log.differences({"welcome_screen": old}, {"welcome_screen": new})
        entries = [audit_log.entry(me, AuditLogEvent.GUILD_UPDATE, guild.id, reason, changes=changes)]
        await guild_settings.commit(
            core,
            me,
            guild,
            _switched(guild.guild, body),
            reason,
            also=partial(_put, guild_id, new),
            entries=entries if changes else [],
        )
        return new


def _put(guild_id: int, screen: WelcomeScreen, tx: Tx) -> None:
    store.put(tx, guild_id, screen)


def _shown(guild: GuildState, screen: WelcomeScreen) -> WelcomeScreen:
    """Without channels that are gone."""
    there = tuple(each for each in screen.welcome_channels if each.channel_id in guild.channels)
    return replace(screen, welcome_channels=there)


def _changed(guild: GuildState, old: WelcomeScreen, body: WelcomeScreenPatch) -> WelcomeScreen:
    new = _shown(guild, old)
    if body.description is not UNSET:
        new = replace(new, description=body.description or None)
    if body.welcome_channels is not UNSET:
        wanted = body.welcome_channels or []
        for index, each in enumerate(wanted):
            guild_settings.check_channel(guild, each.channel_id, f"welcome_channels.{index}.channel_id")
        channels = tuple(
            WelcomeChannel(
                channel_id=each.channel_id,
                description=each.description,
                emoji_id=each.emoji_id,
                emoji_name=each.emoji_name,
            )
            for each in wanted
        )
        new = replace(new, welcome_channels=channels)
    return new


def _switched(guild: Guild, body: WelcomeScreenPatch) -> Guild:
    if body.enabled is UNSET:
        return guild
    if body.enabled and COMMUNITY not in guild.features:
        raise form_error("enabled", "GUILD_FEATURE_REQUIRED", f"This server needs the feature {COMMUNITY}")
    others = set(guild.features) - {WELCOME_SCREEN_ENABLED}
    return replace(guild, features=tuple(sorted(others | {WELCOME_SCREEN_ENABLED} if body.enabled else others)))
