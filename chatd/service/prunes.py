"""Pruning: removing members who have long been inactive. Docs: resources/guild.

Discord does not say what inactive means. Here it is a person who is not online, joined more than `days` ago and has
written nothing in the guild since. Only those are removed who have no roles beyond the ones that were named, and who
stand below whoever prunes. Bots stay: they are installed, not members by habit.
"""

from collections.abc import Iterable

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import INVALID_ROLE
from chatd.model.objects.audit_log import AuditLogEvent, AuditLogOptions
from chatd.model.objects.prune import PruneParams, PruneQuery, PruneResult
from chatd.model.snowflake import lowest_at
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake, parse_timestamp
from chatd.service import access, audit_log, hierarchy, membership
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import messages

_NEEDED = p.MANAGE_GUILD | p.KICK_MEMBERS
_DAYS = 7
_DAY_MS = 86_400_000
# Members removed in one commit, with an entry in the audit log: the loop does nothing else while it tells of them.
BATCH = 100


async def count(core: Core, me: Actor, guild_id: Snowflake, query: PruneQuery) -> PruneResult:
    """Docs: resources/guild, "Get Guild Prune Count". Raises MISSING_PERMISSIONS, INVALID_ROLE."""
    guild = await access.guild(core, me, guild_id, _NEEDED)
    roles = [text for texts in query.include_roles for text in texts.split(",") if text]
    return PruneResult(pruned=len(await _inactive(core, me, guild, query.days, _ids(roles))))


async def begin(core: Core, me: Actor, guild_id: Snowflake, body: PruneParams, reason: str | None) -> PruneResult:
    """Docs: resources/guild, "Begin Guild Prune". Raises MISSING_PERMISSIONS, INVALID_ROLE."""
    wanted = body.include_roles or []
    roles = _ids(wanted.split(",")) if isinstance(wanted, str) else wanted
    days = body.days or _DAYS
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, _NEEDED)
        found = await _inactive(core, me, guild, days, roles)
        for start in range(0, len(found), BATCH):
            gone = found[start : start + BATCH]
            options = AuditLogOptions(delete_member_days=str(days), members_removed=str(len(gone)))
            entry = audit_log.entry(me, AuditLogEvent.MEMBER_PRUNE, None, reason or body.reason, options=options)
            await membership.end(core, guild, gone, [entry])
    return PruneResult(pruned=None if body.compute_prune_count in (False, "false") else len(found))


async def _inactive(core: Core, me: Actor, guild: GuildState, days: int, role_ids: Iterable[int]) -> list[int]:
    included = set(role_ids)
    if guild.id in included or not included <= guild.roles.keys():
        raise INVALID_ROLE()
    since_ms = core.clock_ms() - days * _DAY_MS
    writers = await core.db.read(messages.authors_since, guild.id, lowest_at(since_ms))
    mine = hierarchy.of_member(guild, me.id)
    return [
        user_id
        for user_id, member in guild.members.items()
        if user_id not in writers
        and included.issuperset(member.roles)
        and member.user.bot is not True
        and not core.live.is_online(user_id)
        and parse_timestamp(member.joined_at) < since_ms
        and hierarchy.of_member(guild, user_id) < mine
    ]


def _ids(texts: Iterable[str]) -> list[Snowflake]:
    try:
        return [Snowflake.from_json(text.strip()) for text in texts]
    except ValueError as error:
        raise form_error("include_roles", "NUMBER_TYPE_COERCE", str(error)) from None
