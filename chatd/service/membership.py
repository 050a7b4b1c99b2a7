"""The end of a membership, whatever ends it: leaving, a kick, a ban, a prune. (How one begins: `guilds.joined`.)"""

from collections.abc import Collection, Sequence

from msgspec import UNSET

from chatd.live.guilds import GuildState
from chatd.model.errors import INVALID_GUILD
from chatd.model.objects.audit_log import AuditLogEntry
from chatd.model.objects.gateway import GuildDelete, GuildMemberRemove
from chatd.model.objects.integration import GuildIntegrationsUpdate, IntegrationDelete
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log, roles, voice
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import members
from chatd.store import roles as role_store
from chatd.store.db import Tx


async def leave(core: Core, me: Actor, guild_id: Snowflake) -> None:
    """Docs: resources/user, "Leave Guild". Raises INVALID_GUILD for the owner, who hands it over or deletes it."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        if guild.guild.owner_id == me.id:
            raise INVALID_GUILD()
        await end(core, guild, [me.id])


async def end(core: Core, guild: GuildState, user_ids: Collection[int], entries: Sequence[AuditLogEntry] = ()) -> None:
    """End these memberships in one commit, bots' with their managed roles. The caller holds the guild's lock."""
    managed = [role.id for role in guild.roles.values() if role.tags is not UNSET and role.tags.bot_id in user_ids]

    def delete(tx: Tx) -> None:
        for user_id in user_ids:
            members.delete(tx, guild.id, user_id)
        for role_id in managed:
            role_store.delete(tx, role_id)

    def ended(_: None) -> None:
        for user_id in user_ids:
            left(core, guild, guild.members[user_id].user)
        for role_id in managed:
            roles.deleted(core, guild, role_id)

    await audit_log.change(core, guild, entries, delete, then=ended, streams=user_ids)


def left(core: Core, guild: GuildState, user: User) -> None:
    """After the commit: the user's sessions lose the guild, everyone else learns of it.

    Docs: events/gateway-events, "Guild Delete" (without `unavailable`: the user was removed), "Guild Member Remove".
    """
    voice.disconnect(core, guild, (user.id,))
    own = [session for session in core.live.sessions.of_user(user.id) if session in guild.sessions]
    for session in own:
        guild.remove_session(session)
    core.live.member_removed(guild, user.id)
    core.live.to_sessions(guild.id, "GUILD_DELETE", GuildDelete(id=guild.guild.id), own)
    event = GuildMemberRemove(guild_id=guild.guild.id, user=user)
    core.live.to_guild(guild, "GUILD_MEMBER_REMOVE", event)
    if user.bot is True:
        gone = IntegrationDelete(id=user.id, guild_id=guild.guild.id, application_id=user.id)
        core.live.to_guild(guild, "INTEGRATION_DELETE", gone)
        core.live.to_guild(guild, "GUILD_INTEGRATIONS_UPDATE", GuildIntegrationsUpdate(guild_id=guild.guild.id))
