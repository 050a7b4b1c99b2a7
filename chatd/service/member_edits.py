"""Changes of members: nickname, roles, timeout, voice; and their removal. Docs: resources/guild.

Who may do what to whom is a table of permissions, and the hierarchy of roles (`hierarchy`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    INVALID_ROLE,
    MISSING_PERMISSIONS,
    NOT_CONNECTED_TO_VOICE,
    UNKNOWN_ROLE,
)
from chatd.model.images import MEMBER_AVATARS, MEMBER_BANNERS
from chatd.model.objects.audit_log import AuditLogChange, AuditLogEntry, AuditLogEvent, AuditLogOptions
from chatd.model.objects.guild import Member
from chatd.model.objects.member import CurrentMemberPatch, MemberPatch, NickPatch, NickView
from chatd.model.objects.role import Role
from chatd.model.validate import form_error
from chatd.model.wire import Object, Snowflake, parse_timestamp, timestamp
from chatd.service import access, audit_log, automod, hierarchy, images, members, membership, voice
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import members as store

# What it takes to change a field of somebody else.
NEEDS = {
    "nick": p.MANAGE_NICKNAMES,
    "roles": p.MANAGE_ROLES,
    "mute": p.MUTE_MEMBERS,
    "deaf": p.DEAFEN_MEMBERS,
    "channel_id": p.MOVE_MEMBERS,
    "communication_disabled_until": p.MODERATE_MEMBERS,
    "flags": p.MANAGE_GUILD,
}
# Those for which one must stand above the member; the others are about roles or voice, which have rules of their own.
_NEED_STANDING = ("nick", "communication_disabled_until", "flags")
# The flag that a moderator may set (resources/guild, "Guild Member Flags"): BYPASSES_VERIFICATION.
_EDITABLE_FLAGS = 1 << 2


async def edit(
    core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake, body: MemberPatch, reason: str | None
) -> Member:
    """Docs: resources/guild, "Modify Guild Member".

    Raises UNKNOWN_MEMBER, MISSING_PERMISSIONS, UNKNOWN_ROLE, INVALID_ROLE, NOT_CONNECTED_TO_VOICE or a form error.
    """
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        old = members.find(guild, user_id)
        given = {name: value for name in NEEDS if (value := getattr(body, name)) is not UNSET}
        _check_may(core, guild, me, user_id, given)
        if ("mute" in given or "deaf" in given) and user_id not in guild.voice:
            raise NOT_CONNECTED_TO_VOICE()
        moves, channel_id = "channel_id" in given, given.pop("channel_id", None)
        if moves:
            _check_may_move(core, guild, me, user_id, channel_id)
        new = _changed(core, guild, me, old, given)
        if new != old:
            await _commit(core, guild, new, _entries(me, guild, old, new, reason))
        if moves:
            await voice.move(core, guild, user_id, channel_id, [_move_entry(me, channel_id, reason)])
    await _check_name(core, guild, old, new)
    return new


async def edit_mine(core: Core, me: Actor, guild_id: Snowflake, body: CurrentMemberPatch, reason: str | None) -> Member:
    """Docs: resources/guild, "Modify Current Member". Raises MISSING_PERMISSIONS or a form error."""
    needed = p.CHANGE_NICKNAME if body.nick is not UNSET else 0
    guild = await access.guild(core, me, guild_id, needed)
    # Takes longer than anybody may hold the lock.
    avatar = await images.store(core, MEMBER_AVATARS, (guild.id, me.id), body.avatar, "avatar")
    banner = await images.store(core, MEMBER_BANNERS, (guild.id, me.id), body.banner, "banner")
    async with guild.lock:
        guild = await access.guild(core, me, guild_id, needed)
        old = guild.members[me.id]
        new = replace(
            old,
            nick=old.nick if body.nick is UNSET else body.nick or None,
            avatar=old.avatar if avatar is UNSET else avatar,
            banner=old.banner if banner is UNSET else banner,
        )
        if new != old:
            await _commit(core, guild, new, _entries(me, guild, old, new, reason))
    await _check_name(core, guild, old, new)
    return new


async def edit_nick(core: Core, me: Actor, guild_id: Snowflake, body: NickPatch, reason: str | None) -> NickView:
    """Docs: resources/guild, "Modify Current User Nick" (deprecated, and used)."""
    return NickView(nick=(await edit_mine(core, me, guild_id, CurrentMemberPatch(nick=body.nick), reason)).nick)


async def add_role(
    core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake, role_id: Snowflake, reason: str | None
) -> None:
    """Docs: resources/guild, "Add Guild Member Role"."""
    await _toggle(core, me, guild_id, user_id, role_id, reason, has=True)


async def remove_role(
    core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake, role_id: Snowflake, reason: str | None
) -> None:
    """Docs: resources/guild, "Remove Guild Member Role"."""
    await _toggle(core, me, guild_id, user_id, role_id, reason, has=False)


async def kick(core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake, reason: str | None) -> None:
    """Docs: resources/guild, "Remove Guild Member". Raises UNKNOWN_MEMBER, MISSING_PERMISSIONS."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.KICK_MEMBERS)
        members.find(guild, user_id)
        hierarchy.check_above_member(guild, me.id, user_id)
        entries = [audit_log.entry(me, AuditLogEvent.MEMBER_KICK, user_id, reason)]
        await membership.end(core, guild, [user_id], entries)


# --- checking and making ---------------------------------------------------------------------------------------------


def _check_may(core: Core, guild: GuildState, me: Actor, user_id: int, names: Iterable[str]) -> None:
    held = access.granted(core, guild, me.id)
    for name in names:
        is_own_nick = name == "nick" and user_id == me.id
        needs = p.CHANGE_NICKNAME if is_own_nick else NEEDS[name]
        if not held & needs:
            raise MISSING_PERMISSIONS()
        if name in _NEED_STANDING and not is_own_nick:
            hierarchy.check_above_member(guild, me.id, user_id)


def _check_may_move(core: Core, guild: GuildState, me: Actor, user_id: int, channel_id: int | None) -> None:
    """Whoever moves somebody must be able to connect to where they send them."""
    if user_id not in guild.voice:
        raise NOT_CONNECTED_TO_VOICE()
    needs = p.MOVE_MEMBERS | p.CONNECT
    if channel_id in guild.channels and access.granted(core, guild, me.id, channel_id or 0) & needs != needs:
        raise MISSING_PERMISSIONS()


def _changed(core: Core, guild: GuildState, me: Actor, old: Member, given: dict[str, Any]) -> Member:
    if "nick" in given:
        given["nick"] = given["nick"] or None
    for name in ("mute", "deaf"):
        if name in given:
            given[name] = bool(given[name])
    if "flags" in given:
        given["flags"] = old.flags & ~_EDITABLE_FLAGS | (given["flags"] or 0) & _EDITABLE_FLAGS
    if given.get("communication_disabled_until") is not None:
        given["communication_disabled_until"] = _timeout(core, guild, old, given["communication_disabled_until"])
    if "roles" in given:
        given["roles"] = _roles(guild, me, old.roles, given["roles"] or ())
    return replace(old, **given)


def _timeout(core: Core, guild: GuildState, member: Member, until: str) -> str:
    """Raises MISSING_PERMISSIONS for who cannot be silenced, a form error beyond four weeks."""
    field = "communication_disabled_until"
    if guild.permissions(member.user.id) & p.ADMINISTRATOR:
        raise MISSING_PERMISSIONS()
    try:
        until_ms = parse_timestamp(until)
    except ValueError as error:
        raise form_error(field, "DATE_TIME_TYPE_PARSE", str(error)) from None
    if until_ms > core.clock_ms() + limits.TIMEOUT_S * 1000:
        raise form_error(field, "INVALID_COMMUNICATION_DISABLED_TIMESTAMP", "Must be within 28 days.")
    return timestamp(until_ms)


def _roles(guild: GuildState, me: Actor, old: Sequence[int], wanted: Sequence[Snowflake]) -> tuple[Snowflake, ...]:
    """Each role that comes or goes must be below the asker, and be nobody else's to give."""
    roles = {int(role_id): _role(guild, role_id) for role_id in wanted if role_id != guild.id}
    for role_id in roles.keys() ^ set(old):
        role = guild.roles[role_id]
        if role.managed:
            raise INVALID_ROLE()
        hierarchy.check_above_role(guild, me.id, role)
    return tuple(role.id for _, role in sorted(roles.items()))


def _role(guild: GuildState, role_id: int) -> Role:
    found = guild.roles.get(role_id)
    if found is None:
        raise UNKNOWN_ROLE()
    return found


# --- the audit log ---------------------------------------------------------------------------------------------------


class _RoleName(Object, frozen=True, kw_only=True):
    """A role as an entry names it."""

    id: Snowflake
    name: str


def _entries(me: Actor, guild: GuildState, old: Member, new: Member, reason: str | None) -> list[AuditLogEntry]:
    entries = audit_log.updated(
        me, AuditLogEvent.MEMBER_UPDATE, old.user.id, old, replace(new, roles=old.roles), reason
    )
    changes = [
        AuditLogChange(key=key, new_value=[_RoleName(id=id_, name=guild.roles[id_].name) for id_ in moved])
        for key, one, other in (("$add", new, old), ("$remove", old, new))
        if (moved := [role_id for role_id in one.roles if role_id not in other.roles])
    ]
    if changes:
        entries.append(audit_log.entry(me, AuditLogEvent.MEMBER_ROLE_UPDATE, old.user.id, reason, changes=changes))
    return entries


def _move_entry(me: Actor, channel_id: Snowflake | None, reason: str | None) -> AuditLogEntry:
    """It names no member, as on Discord."""
    if channel_id is None:
        return audit_log.entry(me, AuditLogEvent.MEMBER_DISCONNECT, None, reason, options=AuditLogOptions(count="1"))
    options = AuditLogOptions(channel_id=channel_id, count="1")
    return audit_log.entry(me, AuditLogEvent.MEMBER_MOVE, None, reason, options=options)


# --- the commit ------------------------------------------------------------------------------------------------------


async def _toggle(
    core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake, role_id: Snowflake, reason: str | None, has: bool
) -> None:
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_ROLES)
        old = members.find(guild, user_id)
        if _role(guild, role_id).id == guild.id:
            raise INVALID_ROLE()
        kept = [held for held in old.roles if held != role_id]
        new = replace(old, roles=_roles(guild, me, old.roles, [*kept, role_id] if has else kept))
        if new != old:
            await _commit(core, guild, new, _entries(me, guild, old, new, reason))


async def _check_name(core: Core, guild: GuildState, old: Member, new: Member) -> None:
    """AutoMod takes the guild's lock itself."""
    if new.nick != old.nick:
        await automod.check_member(core, guild, new, automod.shown_name(new))


async def _commit(core: Core, guild: GuildState, new: Member, entries: Sequence[AuditLogEntry]) -> None:
    def committed(_: None) -> None:
        members.updated(core, guild, replace(new, user=guild.members[new.user.id].user))  # who may have a new name
        voice.flags_changed(core, guild, new.user.id)

    await audit_log.change(core, guild, entries, store.update, guild.id, new, then=committed, streams=(new.user.id,))
