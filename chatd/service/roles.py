"""Roles: list, show, create, edit, move, delete. Docs: resources/guild, topics/permissions.

Nobody touches a role that stands as high as their own, or grants a permission that they do not have.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import INVALID_ROLE, MISSING_PERMISSIONS, TOO_MANY_ROLES, UNKNOWN_ROLE
from chatd.model.images import ROLE_ICONS
from chatd.model.objects.audit_log import AuditLogEntry, AuditLogEvent
from chatd.model.objects.gateway import GuildRole, GuildRoleDelete
from chatd.model.objects.role import Role, RoleColors, RoleExtra, RoleParams, RolePosition
from chatd.model.wire import Permissions, Snowflake
from chatd.service import access, audit_log, hierarchy, images, sight
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import roles as store
from chatd.store.db import Tx

# What null means in Modify Guild Role.
_DEFAULTS: dict[str, Any] = {
    "name": "new role",
    "hoist": False,
    "icon": None,
    "unicode_emoji": None,
    "mentionable": False,
}


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[Role]:
    """Docs: resources/guild, "Get Guild Roles"."""
    return list((await access.guild(core, me, guild_id)).sorted_roles())


async def show(core: Core, me: Actor, guild_id: Snowflake, role_id: Snowflake) -> Role:
    """Docs: resources/guild, "Get Guild Role". Raises UNKNOWN_ROLE."""
    return _find(await access.guild(core, me, guild_id), role_id)


async def member_counts(core: Core, me: Actor, guild_id: Snowflake) -> dict[str, int]:
    """Role -> how many members have it; without @everyone. Docs: resources/guild, "Get Guild Role Member Counts"."""
    guild = await access.guild(core, me, guild_id)
    counts = {str(role_id): 0 for role_id in guild.roles if role_id != guild.id}
    for member in guild.members.values():
        for role_id in member.roles:
            counts[str(int(role_id))] += 1
    return counts


async def create(core: Core, me: Actor, guild_id: Snowflake, body: RoleParams, reason: str | None) -> Role:
    """It stands right above @everyone. Docs: resources/guild, "Create Guild Role".

    Raises MISSING_PERMISSIONS, TOO_MANY_ROLES or a form error.
    """
    id_ = Snowflake(core.ids.next())
    await _store_icon(core, me, guild_id, id_, body)
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_ROLES)
        if len(guild.roles) >= limits.GUILD_ROLES:
            raise TOO_MANY_ROLES()
        blank = Role(
            id=id_,
            name=_DEFAULTS["name"],
            position=1,
            permissions=guild.roles[guild.id].permissions,
            color=0,
            **asdict(RoleExtra()),
        )
        role = _changed(blank, body)
        if role.permissions != blank.permissions:
            _check_grant(core, guild, me, 0, role.permissions)
        entries = [audit_log.created(me, AuditLogEvent.ROLE_CREATE, role.id, role, reason)]
        shifted = above_everyone(guild)
        return await audit_log.change(
            core, guild, entries, insert, guild.id, role, shifted, then=lambda _: created(core, guild, role, shifted)
        )


async def edit(
    core: Core, me: Actor, guild_id: Snowflake, role_id: Snowflake, body: RoleParams, reason: str | None
) -> Role:
    """Docs: resources/guild, "Modify Guild Role".

    Raises UNKNOWN_ROLE, MISSING_PERMISSIONS, INVALID_ROLE or a form error.
    """
    await _store_icon(core, me, guild_id, role_id, body)
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_ROLES)
        old = _find(guild, role_id)
        if role_id != guild.id:  # whoever manages roles may change @everyone's permissions
            hierarchy.check_above_role(guild, me.id, old)
        elif body.name is not UNSET and body.name != old.name:
            raise INVALID_ROLE()
        new = _changed(old, body)
        _check_grant(core, guild, me, old.permissions, new.permissions)
        entries = audit_log.updated(me, AuditLogEvent.ROLE_UPDATE, role_id, old, new, reason)
        await _commit(core, guild, [new], entries)
        return new


async def move(core: Core, me: Actor, guild_id: Snowflake, body: list[RolePosition], reason: str | None) -> list[Role]:
    """All roles, in their new order. Docs: resources/guild, "Modify Guild Role Positions".

    Raises UNKNOWN_ROLE, INVALID_ROLE for @everyone, MISSING_PERMISSIONS for what is or comes to stand above the asker.
    """
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_ROLES)
        changed: dict[int, Role] = {}
        for entry in body:
            old = _find(guild, entry.id)
            if entry.position is None or entry.position == old.position:
                continue
            if entry.id == guild.id:
                raise INVALID_ROLE()
            changed[entry.id] = replace(old, position=max(entry.position, 1))  # nothing stands below @everyone
        for role_id, new in changed.items():
            hierarchy.check_above_role(guild, me.id, guild.roles[role_id])
            hierarchy.check_above_role(guild, me.id, new)
        if changed:
            entries: list[AuditLogEntry] = []
            for role_id, new in changed.items():
                entries += audit_log.updated(me, AuditLogEvent.ROLE_UPDATE, role_id, guild.roles[role_id], new, reason)
            await _commit(core, guild, list(changed.values()), entries)
        return list(guild.sorted_roles())


async def delete(core: Core, me: Actor, guild_id: Snowflake, role_id: Snowflake, reason: str | None) -> None:
    """Docs: resources/guild, "Delete Guild Role". Raises UNKNOWN_ROLE, INVALID_ROLE (managed), MISSING_PERMISSIONS."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_ROLES)
        role = _find(guild, role_id)
        if role_id == guild.id or role.managed:
            raise INVALID_ROLE()
        hierarchy.check_above_role(guild, me.id, role)
        entries = [audit_log.deleted(me, AuditLogEvent.ROLE_DELETE, role_id, role, reason)]
        await audit_log.change(
            core, guild, entries, store.delete, role_id, then=lambda _: deleted(core, guild, role_id)
        )


# --- making and checking ---------------------------------------------------------------------------------------------


def above_everyone(guild: GuildState) -> list[Role]:
    """The roles that make room for a new one at position 1, moved up."""
    return [replace(role, position=role.position + 1) for role in guild.roles.values() if role.position > 0]


def _find(guild: GuildState, role_id: int) -> Role:
    found = guild.roles.get(role_id)
    if found is None:
        raise UNKNOWN_ROLE()
    return found


async def _store_icon(core: Core, me: Actor, guild_id: int, role_id: int, body: RoleParams) -> None:
    """Before the lock is taken: it takes longer than anybody may hold that. Put the icon's hash in its place."""
    if isinstance(body.icon, str):
        await access.guild(core, me, guild_id, p.MANAGE_ROLES)
        body.icon = await images.store(core, ROLE_ICONS, role_id, body.icon, "icon")


def _changed(old: Role, body: RoleParams) -> Role:
    given = {
        name: default if value is None else value
        for name, default in _DEFAULTS.items()
        if (value := getattr(body, name)) is not UNSET
    }
    if body.permissions is not UNSET and body.permissions is not None:
        given["permissions"] = Permissions(body.permissions & p.ALL)
    colors = old.colors
    if body.colors is not UNSET and body.colors is not None:
        colors = RoleColors(
            primary_color=body.colors.primary_color or 0,
            secondary_color=body.colors.secondary_color,
            tertiary_color=body.colors.tertiary_color,
        )
    elif body.color is not UNSET:
        colors = RoleColors(primary_color=body.color or 0)
    return replace(old, **given, colors=colors, color=colors.primary_color)


def _check_grant(core: Core, guild: GuildState, me: Actor, before: int, after: int) -> None:
    if (before ^ after) & ~access.granted(core, guild, me.id):
        raise MISSING_PERMISSIONS()


# --- the commit, and what follows it ---------------------------------------------------------------------------------


async def _commit(core: Core, guild: GuildState, changed: Sequence[Role], entries: Sequence[AuditLogEntry]) -> None:
    await audit_log.change(core, guild, entries, _update, changed, then=lambda _: _updated(core, guild, changed))


def _update(tx: Tx, changed: Sequence[Role]) -> None:
    for role in changed:
        store.update(tx, role)


def insert(tx: Tx, guild_id: int, role: Role, shifted: Sequence[Role]) -> None:
    """`shifted`: `above_everyone`, as long as the lock is held."""
    _update(tx, shifted)
    store.insert(tx, guild_id, role)


def created(core: Core, guild: GuildState, role: Role, shifted: Sequence[Role]) -> Role:
    """After the commit of `insert`."""
    guild.roles.update((int(each.id), each) for each in (*shifted, role))
    guild.changed()
    core.live.to_guild(guild, "GUILD_ROLE_CREATE", GuildRole(guild_id=guild.guild.id, role=role))
    _tell(core, guild, shifted)
    return role


def _updated(core: Core, guild: GuildState, changed: Sequence[Role]) -> None:
    by_id = {int(role.id): role for role in changed}
    if all(role.permissions == guild.roles[role_id].permissions for role_id, role in by_id.items()):
        guild.roles.update(by_id)
        _tell(core, guild, changed)
        return
    seen = sight.before(guild)
    guild.roles.update(by_id)
    guild.changed()
    _tell(core, guild, changed)
    sight.tell(core, seen)


def _tell(core: Core, guild: GuildState, changed: Sequence[Role]) -> None:
    for role in changed:
        core.live.to_guild(guild, "GUILD_ROLE_UPDATE", GuildRole(guild_id=guild.guild.id, role=role))


def deleted(core: Core, guild: GuildState, role_id: Snowflake) -> None:
    """Members lose it without an event of their own, as on Discord; channels that had an overwrite for it change."""
    seen = sight.before(guild)
    del guild.roles[role_id]
    for member in tuple(guild.members.values()):
        if role_id in member.roles:
            guild.put_member(replace(member, roles=tuple(id_ for id_ in member.roles if id_ != role_id)))
    freed = [c for c in guild.channels.values() if any(o.id == role_id for o in c.permission_overwrites)]
    for channel in freed:
        left = tuple(o for o in channel.permission_overwrites if o.id != role_id)
        guild.channels[channel.id] = replace(channel, permission_overwrites=left)
    guild.changed()
    core.live.to_guild(guild, "GUILD_ROLE_DELETE", GuildRoleDelete(guild_id=guild.guild.id, role_id=role_id))
    sight.tell(core, seen)
    for channel in freed:
        sight.update(core, seen, channel.id)
