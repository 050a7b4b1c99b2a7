"""Bans: list, show, put, lift. Docs: resources/guild."""

from collections.abc import Sequence

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import BULK_BAN_FAILED, UNKNOWN_BAN, UNKNOWN_USER
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import AuditLogEvent
from chatd.model.objects.gateway import GuildBan
from chatd.model.objects.member import Ban, BanCreate, BansQuery, BulkBan, BulkBanCreate
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log, deletions, hierarchy, membership
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import bans as store
from chatd.store.db import Tx
from chatd.store.rows import users

DAY_S = 86400


async def page(core: Core, me: Actor, guild_id: Snowflake, query: BansQuery) -> list[Ban]:
    """By user id. Docs: resources/guild, "Get Guild Bans"."""
    guild = await access.guild(core, me, guild_id, p.BAN_MEMBERS)
    return await core.db.read(store.page, guild.id, query)


async def show(core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake) -> Ban:
    """Docs: resources/guild, "Get Guild Ban". Raises UNKNOWN_BAN."""
    guild = await access.guild(core, me, guild_id, p.BAN_MEMBERS)
    found = await core.db.read(store.get, guild.id, user_id)
    if found is None:
        raise UNKNOWN_BAN()
    return found


async def put(
    core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake, body: BanCreate, reason: str | None
) -> None:
    """Ban a user, member or not; one who is banned already stays so. Docs: resources/guild, "Create Guild Ban".

    Raises MISSING_PERMISSIONS, UNKNOWN_USER.
    """
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.BAN_MEMBERS)
        user = (await core.db.read(users, (int(user_id),))).get(user_id)
        if user is None:
            raise UNKNOWN_USER()
        hierarchy.check_above_member(guild, me.id, user_id)
        await _ban(core, me, guild, [user], reason)
    days = (body.delete_message_days or 0) * DAY_S
    seconds = days if body.delete_message_seconds is None else body.delete_message_seconds
    await deletions.of_authors(core, guild, (user_id,), seconds)


async def put_many(core: Core, me: Actor, guild_id: Snowflake, body: BulkBanCreate, reason: str | None) -> BulkBan:
    """Docs: resources/guild, "Bulk Guild Ban". Raises MISSING_PERMISSIONS, BULK_BAN_FAILED when it bans nobody."""
    wanted = tuple(dict.fromkeys(int(user_id) for user_id in body.user_ids))
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.BAN_MEMBERS | p.MANAGE_GUILD)
        found = await core.db.read(_not_banned, guild.id, wanted)
        banned = [user for user in found if hierarchy.is_above_member(guild, me.id, user.id)]
        if not banned:
            raise BULK_BAN_FAILED()
        await _ban(core, me, guild, banned, reason)
    done = [int(user.id) for user in banned]
    await deletions.of_authors(core, guild, done, body.delete_message_seconds or 0)
    failed = (Snowflake(user_id) for user_id in wanted if user_id not in done)
    return BulkBan(banned_users=tuple(user.id for user in banned), failed_users=tuple(failed))


async def delete(core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake, reason: str | None) -> None:
    """Docs: resources/guild, "Remove Guild Ban". Raises UNKNOWN_BAN."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.BAN_MEMBERS)
        lifted = await core.db.read(store.get, guild.id, user_id)
        if lifted is None:
            raise UNKNOWN_BAN()
        user = lifted.user
        entries = [audit_log.entry(me, AuditLogEvent.MEMBER_BAN_REMOVE, user_id, reason)]
        await audit_log.change(
            core,
            guild,
            entries,
            store.delete,
            guild.id,
            user_id,
            then=lambda _: _tell(core, guild, "GUILD_BAN_REMOVE", user),
        )


async def _ban(core: Core, me: Actor, guild: GuildState, banned: Sequence[User], reason: str | None) -> None:
    entries = [audit_log.entry(me, AuditLogEvent.MEMBER_BAN_ADD, user.id, reason) for user in banned]
    added: list[User] = []  # those who were not banned before

    def ban(tx: Tx) -> None:
        added[:] = [user for user in banned if store.insert(tx, guild.id, user.id, reason)]

    def tell() -> None:
        for user in added:
            _tell(core, guild, "GUILD_BAN_ADD", user)

    await membership.end(core, guild, [user.id for user in banned], entries, within=ban, first=tell)


def _not_banned(tx: Tx, guild_id: int, user_ids: tuple[int, ...]) -> list[User]:
    return [user for user in users(tx, user_ids).values() if not store.exists(tx, guild_id, user.id)]


def _tell(core: Core, guild: GuildState, name: str, user: User) -> None:
    """Besides the intent it takes BAN_MEMBERS or VIEW_AUDIT_LOG (events/gateway-events, "Guild Ban Add")."""
    needs = p.BAN_MEMBERS | p.VIEW_AUDIT_LOG
    told = (s for s in guild.audience(GATES[name][0]) if access.granted(core, guild, s.user.id) & needs)
    core.live.to_sessions(guild.id, name, GuildBan(guild_id=guild.guild.id, user=user), told)
