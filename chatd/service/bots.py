"""Putting a bot into a guild. Docs: topics/oauth2, "Bot Authorization Flow"."""

from collections.abc import Sequence

from msgspec.structs import asdict

from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    BANNED,
    BOTS_CANNOT_USE_THIS,
    MISSING_PERMISSIONS,
    TOO_MANY_ROLES,
    UNKNOWN_APPLICATION,
    UNKNOWN_GUILD,
)
from chatd.model.objects.application import Authorize, Authorized, AuthorizeQuery
from chatd.model.objects.audit_log import AuditLogEntry, AuditLogEvent
from chatd.model.objects.role import Role, RoleExtra, RoleTags
from chatd.model.objects.user import User
from chatd.model.validate import form_error
from chatd.model.wire import Permissions, Snowflake
from chatd.service import access, integrations, membership, roles
from chatd.service.actors import Actor
from chatd.service.audit_log import change, entry
from chatd.service.core import Core
from chatd.store import applications, bans, members
from chatd.store.db import Tx
from chatd.store.rows import users


async def authorize(core: Core, me: Actor, query: AuthorizeQuery, body: Authorize, reason: str | None) -> Authorized:
    """What the consent page posts: the bot joins, with a role of its own for the permissions that it asks for.

    Raises MISSING_PERMISSIONS without MANAGE_GUILD, or when more is asked for than the asker has; UNKNOWN_APPLICATION.
    """
    if me.is_bot:
        raise BOTS_CANNOT_USE_THIS()
    if "bot" not in query.scope.split():
        raise form_error("scope", "OAUTH2_SCOPE_INVALID", 'The scope must contain "bot"')
    if not body.authorize:
        raise form_error("authorize", "OAUTH2_ACCESS_DENIED", "The resource owner denied the request")
    granted = query.permissions & p.ALL
    guild = await access.guild(core, me, body.guild_id, p.MANAGE_GUILD)
    if granted & ~access.granted(core, guild, me.id):
        raise MISSING_PERMISSIONS()
    await install(core, guild.id, query.client_id, granted, [entry(me, AuditLogEvent.BOT_ADD, query.client_id, reason)])
    return Authorized(location=f"/oauth2/authorized?guild_id={guild.id}&permissions={granted}")


async def install(
    core: Core, guild_id: int, application_id: int, granted: int, entries: Sequence[AuditLogEntry] = ()
) -> None:
    """Make the bot a member; one that is a member already stays as it is. `entries` go into the audit log.

    Raises UNKNOWN_GUILD, UNKNOWN_APPLICATION, TOO_MANY_ROLES.
    """
    guild = await access.load_guild(core, guild_id)
    if guild is None:
        raise UNKNOWN_GUILD()
    bot = (await core.db.read(users, (application_id,))).get(application_id)
    application = await core.db.read(applications.get, application_id)
    if application is None or bot is None or bot.bot is not True:
        raise UNKNOWN_APPLICATION()
    async with guild.lock:
        if bot.id in guild.members:
            return
        if granted and len(guild.roles) >= limits.GUILD_ROLES:
            raise TOO_MANY_ROLES()
        made = [_role(core, bot, granted)] if granted else []
        member = members.new(bot, core.clock_ms(), tuple(role.id for role in made))
        shifted = roles.above_everyone(guild)

        def insert(tx: Tx) -> None:
            if bans.exists(tx, guild_id, bot.id):
                raise BANNED()
            for role in made:
                roles.insert(tx, guild_id, role, shifted)
            members.insert(tx, guild_id, member)

        def installed(_: None) -> None:
            for role in made:
                roles.created(core, guild, role, shifted)
            membership.joined(core, guild, member)
            integrations.created(core, guild, application, bot)

        await change(core, guild, entries, insert, then=installed, streams=(bot.id,))


def _role(core: Core, bot: User, granted: int) -> Role:
    """The managed role of a bot (topics/permissions, "Role Tags Structure"); new roles start right above @everyone."""
    extra = RoleExtra(managed=True, tags=RoleTags(bot_id=bot.id))
    return Role(
        id=Snowflake(core.ids.next()),
        name=bot.username,
        color=0,
        position=1,
        permissions=Permissions(granted),
        **asdict(extra),
    )
