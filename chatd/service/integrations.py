"""Integrations of guilds: their bots, seen from the other side. Docs: resources/guild.

A bot is one integration of each guild that it is in, with the id of its application.
"""

from msgspec.structs import asdict

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import UNKNOWN_INTEGRATION
from chatd.model.objects.audit_log import AuditLogEvent
from chatd.model.objects.integration import (
    GuildIntegration,
    GuildIntegrationsUpdate,
    Integration,
    IntegrationAccount,
    IntegrationApplication,
)
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log, membership
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import applications
from chatd.store.applications import ApplicationRow
from chatd.store.db import Tx


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[Integration]:
    """Oldest application first, at most 50. Docs: resources/guild, "Get Guild Integrations"."""
    guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
    bots = sorted(user_id for user_id, member in guild.members.items() if member.user.bot is True)
    rows = await core.db.read(_applications, bots[: limits.INTEGRATIONS_LISTED])
    return [_integration(row, guild.members[row.id].user) for row in rows if row.id in guild.members]


async def delete(core: Core, me: Actor, guild_id: Snowflake, integration_id: Snowflake, reason: str | None) -> None:
    """The bot leaves the guild. Docs: resources/guild, "Delete Guild Integration". Raises UNKNOWN_INTEGRATION."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
        bot = _bot(guild, integration_id)
        gone = {"name": bot.username, "type": "discord"}
        changes = audit_log.differences(gone, {})
        entry = audit_log.entry(me, AuditLogEvent.INTEGRATION_DELETE, bot.id, reason, changes=changes)
        await membership.end(core, guild, [bot.id], [entry])


def created(core: Core, guild: GuildState, row: ApplicationRow, bot: User) -> None:
    """After the commit that made the bot a member. (How it ends is told by `membership.left`.)"""
    event = GuildIntegration(guild_id=guild.guild.id, **asdict(_integration(row, bot)))
    core.live.to_guild(guild, "INTEGRATION_CREATE", event)
    core.live.to_guild(guild, "GUILD_INTEGRATIONS_UPDATE", GuildIntegrationsUpdate(guild_id=guild.guild.id))


def _integration(row: ApplicationRow, bot: User) -> Integration:
    extra = applications.extra_of(row)
    return Integration(
        id=bot.id,
        name=row.name,
        account=IntegrationAccount(id=str(int(bot.id)), name=bot.username),
        application=IntegrationApplication(
            id=bot.id, name=row.name, icon=extra.icon, description=extra.description, bot=bot
        ),
    )


def _applications(tx: Tx, ids: list[int]) -> list[ApplicationRow]:
    return [row for id_ in ids if (row := applications.get(tx, id_)) is not None]


def _bot(guild: GuildState, user_id: int) -> User:
    member = guild.members.get(user_id)
    if member is None or member.user.bot is not True:
        raise UNKNOWN_INTEGRATION()
    return member.user
