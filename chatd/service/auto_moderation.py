"""AutoMod's rules: list, show, create, edit, delete. Docs: resources/auto-moderation. What they do is `automod`."""

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import NOT_FOUND
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import AuditLogEvent
from chatd.model.objects.auto_moderation import AutoModerationRule, RuleCreate, RulePatch
from chatd.model.textfilter import TextFilter
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log
from chatd.service import auto_moderation_forms as forms
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import auto_moderation as store


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[AutoModerationRule]:
    """Oldest first. Docs: "List Auto Moderation Rules for Guild"."""
    guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
    return [rule for _, rule in sorted(guild.auto_moderation.rules.items())]


async def show(core: Core, me: Actor, guild_id: Snowflake, rule_id: Snowflake) -> AutoModerationRule:
    """Docs: "Get Auto Moderation Rule". Raises NOT_FOUND: the table of error codes has none for rules."""
    return _find(await access.guild(core, me, guild_id, p.MANAGE_GUILD), rule_id)


async def create(
    core: Core, me: Actor, guild_id: Snowflake, body: RuleCreate, reason: str | None
) -> AutoModerationRule:
    """Docs: "Create Auto Moderation Rule". Raises MISSING_PERMISSIONS or a form error."""
    async with (await access.guild(core, me, guild_id, p.MANAGE_GUILD)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
        rule = forms.new(core, me, guild, body)
        filter_ = await forms.compiled(core, rule)
        entries = [audit_log.created(me, AuditLogEvent.AUTO_MODERATION_RULE_CREATE, rule.id, rule, reason)]

        def created(_: None) -> AutoModerationRule:
            return _put(core, guild, rule, filter_, "AUTO_MODERATION_RULE_CREATE")

        return await audit_log.change(core, guild, entries, store.insert, rule, then=created)


async def edit(
    core: Core, me: Actor, guild_id: Snowflake, rule_id: Snowflake, body: RulePatch, reason: str | None
) -> AutoModerationRule:
    """Docs: "Modify Auto Moderation Rule". Raises NOT_FOUND, MISSING_PERMISSIONS or a form error."""
    async with (await access.guild(core, me, guild_id, p.MANAGE_GUILD)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
        old = _find(guild, rule_id)
        rule = forms.changed(core, me, guild, old, body)
        filter_ = await forms.compiled(core, rule)
        entries = audit_log.updated(me, AuditLogEvent.AUTO_MODERATION_RULE_UPDATE, rule_id, old, rule, reason)

        def updated(_: None) -> AutoModerationRule:
            return _put(core, guild, rule, filter_, "AUTO_MODERATION_RULE_UPDATE")

        return await audit_log.change(core, guild, entries, store.update, rule, then=updated)


async def delete(core: Core, me: Actor, guild_id: Snowflake, rule_id: Snowflake, reason: str | None) -> None:
    """Docs: "Delete Auto Moderation Rule". Raises NOT_FOUND."""
    async with (await access.guild(core, me, guild_id, p.MANAGE_GUILD)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
        rule = _find(guild, rule_id)
        entries = [audit_log.deleted(me, AuditLogEvent.AUTO_MODERATION_RULE_DELETE, rule_id, rule, reason)]

        def deleted(_: None) -> None:
            guild.auto_moderation.drop(rule_id)
            _tell(core, guild, "AUTO_MODERATION_RULE_DELETE", rule)

        await audit_log.change(core, guild, entries, store.delete, rule_id, then=deleted)


def _find(guild: GuildState, rule_id: int) -> AutoModerationRule:
    found = guild.auto_moderation.rules.get(rule_id)
    if found is None:
        raise NOT_FOUND()
    return found


def _put(core: Core, guild: GuildState, rule: AutoModerationRule, filter_: TextFilter, name: str) -> AutoModerationRule:
    guild.auto_moderation.put(rule, filter_)
    _tell(core, guild, name, rule)
    return rule


def _tell(core: Core, guild: GuildState, name: str, rule: AutoModerationRule) -> None:
    """Besides the intent it takes MANAGE_GUILD (events/gateway-events, "Auto Moderation")."""
    listening = guild.audience(GATES[name][0])
    allowed = (session for session in listening if guild.permissions(session.user.id) & p.MANAGE_GUILD)
    core.live.to_sessions(guild.id, name, rule, allowed)
