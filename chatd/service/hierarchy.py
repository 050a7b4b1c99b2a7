"""Who stands above whom in a guild. Docs: topics/permissions, "Permission Hierarchy".

The owner stands above everyone; a member stands where its highest role does. Of roles at the same position the older
one is higher. Nobody acts on who stands as high as they do, and permissions do not help.
"""

from chatd.live.guilds import GuildState
from chatd.model.errors import MISSING_PERMISSIONS
from chatd.model.objects.role import Role

# Greater is higher.
Standing = tuple[float, int]

_OWNER: Standing = (float("inf"), 0)


def of_role(role: Role) -> Standing:
    return role.position, -role.id


def of_member(guild: GuildState, user_id: int) -> Standing:
    """Of who is no member, that of @everyone."""
    if user_id == guild.guild.owner_id:
        return _OWNER
    member = guild.members.get(user_id)
    held = () if member is None else (guild.roles[id_] for id_ in member.roles if id_ in guild.roles)
    return max((of_role(role) for role in held), default=(0, -guild.id))


def is_above_member(guild: GuildState, actor_id: int, user_id: int) -> bool:
    return of_member(guild, actor_id) > of_member(guild, user_id)


def check_above_member(guild: GuildState, actor_id: int, user_id: int) -> None:
    """Raises MISSING_PERMISSIONS unless the actor stands above the other one."""
    if not is_above_member(guild, actor_id, user_id):
        raise MISSING_PERMISSIONS()


def check_above_role(guild: GuildState, actor_id: int, role: Role) -> None:
    """Raises MISSING_PERMISSIONS unless the actor stands above the role."""
    if of_member(guild, actor_id) <= of_role(role):
        raise MISSING_PERMISSIONS()
