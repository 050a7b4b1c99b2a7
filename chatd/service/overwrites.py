"""Permission overwrites: who may set which, and what the audit log has of it. Docs: resources/channel."""

from collections.abc import Sequence

from msgspec import UNSET

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import MISSING_PERMISSIONS
from chatd.model.objects.audit_log import AuditLogEntry, AuditLogEvent, AuditLogOptions
from chatd.model.objects.channel import Channel, Overwrite, OverwriteParams, OverwriteType
from chatd.model.validate import form_error
from chatd.model.wire import Permissions, Snowflake
from chatd.service import audit_log
from chatd.service.actors import Actor


def of(channel: Channel, target_id: int) -> Overwrite | None:
    return next((each for each in channel.permission_overwrites if each.id == target_id), None)


def is_known(guild: GuildState, old: Sequence[Overwrite], target_id: int, kind: int) -> bool:
    """Whether there is such a role or member, or has been when it got an overwrite: who leaves may come back."""
    known = guild.members if kind == OverwriteType.MEMBER else guild.roles
    return target_id in known or any(each.id == target_id and each.type == kind for each in old)


def wanted(guild: GuildState, old: Sequence[Overwrite], new: Sequence[OverwriteParams]) -> tuple[Overwrite, ...]:
    """The overwrites of a form, in the order of the database. Raises a form error for a target that is unknown."""
    for index, params in enumerate(new):
        if not is_known(guild, old, params.id, params.type):
            raise form_error(f"permission_overwrites.{index}.id", "INVALID_OVERWRITE_TARGET", "Unknown role or member")
    found = {params.id: made(params.id, params.type, params.allow, params.deny) for params in new}
    return tuple(found[target_id] for target_id in sorted(found))


def check_grantable(
    guild: GuildState, user_id: int, channel: Channel | None, old: Sequence[Overwrite], new: Sequence[Overwrite]
) -> None:
    """Only permissions that the user has in the guild or the channel may be allowed or denied anew, unless an overwrite
    of the channel gives it MANAGE_ROLES (resources/channel, "Edit Channel Permissions"). Raises MISSING_PERMISSIONS.
    """
    held = guild.permissions(user_id)
    if channel is not None:
        held |= guild.permissions_in(channel.id, user_id)
        member = guild.members[user_id]
        own = (o for o in channel.permission_overwrites if o.id == user_id or o.id in member.roles)
        if any(overwrite.allow & p.MANAGE_ROLES for overwrite in own):
            return
    before, after = {each.id: each for each in old}, {each.id: each for each in new}
    for target_id in before.keys() | after.keys():
        one, other = before.get(target_id, _NOTHING), after.get(target_id, _NOTHING)
        if ((one.allow ^ other.allow) | (one.deny ^ other.deny)) & ~held:
            raise MISSING_PERMISSIONS()


_NOTHING = Overwrite(id=Snowflake(0), type=0, allow=Permissions(0), deny=Permissions(0))


def made(target_id: Snowflake, kind: int, allow: int | None, deny: int | None) -> Overwrite:
    """Null is "0"; unknown bits are dropped."""
    return Overwrite(
        id=target_id, type=int(kind), allow=Permissions((allow or 0) & p.ALL), deny=Permissions((deny or 0) & p.ALL)
    )


def entries(me: Actor, guild: GuildState, old: Channel, new: Channel, reason: str | None) -> list[AuditLogEntry]:
    """An entry for each overwrite that differs between two states of a channel."""
    before = {each.id: each for each in old.permission_overwrites}
    after = {each.id: each for each in new.permission_overwrites}
    found = []
    for target_id in sorted(before.keys() | after.keys()):
        one, other = before.get(target_id), after.get(target_id)
        if one == other:
            continue
        role = guild.roles.get(target_id)
        options = AuditLogOptions(
            id=target_id,
            type=str((one or other or _NOTHING).type),
            role_name=UNSET if role is None else role.name,
        )
        changes = audit_log.differences(
            {} if one is None else audit_log.fields(one), {} if other is None else audit_log.fields(other)
        )
        action = (
            AuditLogEvent.CHANNEL_OVERWRITE_CREATE
            if one is None
            else AuditLogEvent.CHANNEL_OVERWRITE_DELETE
            if other is None
            else AuditLogEvent.CHANNEL_OVERWRITE_UPDATE
        )
        found.append(audit_log.entry(me, action, new.id, reason, changes=changes, options=options))
    return found
