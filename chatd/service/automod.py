"""AutoMod at work: which rules a message or a name triggers. Docs: resources/auto-moderation.

    screened = await automod.screen(…) if automod.watches(here) else None  # raises when the message is blocked
    …                                                                      # the message is posted
    if screened is not None:
        await automod.report(…, screened, message_id)

Bots and members who manage the guild are never looked at. What Discord does not publish is this server's own, and
simple: SPAM is a member that repeats a text, wherever in the guild; a mention raid is a guild in which many are
mentioned at once.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeGuard

import trio
from msgspec import UNSET, UnsetType

from chatd.live.auto_moderation import compile_filter
from chatd.live.guilds import GuildState
from chatd.model import markup
from chatd.model import permissions as p
from chatd.model.errors import BLOCKED_BY_AUTOMOD, ApiError, Kind
from chatd.model.objects.auto_moderation import QUARANTINED, ActionType, AutoModerationRule, TriggerType
from chatd.model.objects.embed import Embed
from chatd.model.objects.guild import Member
from chatd.model.objects.poll import Poll
from chatd.model.ratelimit import Rule
from chatd.model.textfilter import fold
from chatd.model.validate import FormErrors
from chatd.service import automod_actions as actions
from chatd.service.access import GuildPlace, Here
from chatd.service.actors import Actor
from chatd.service.automod_actions import Finding
from chatd.service.core import Core

# The same text so often by one member is fine; once more within the window is spam.
SPAM = Rule(limit=4, window_s=30.0)
# So many mentions in a guild, by everyone who is looked at, are fine; more within the window are a raid.
MENTION_RAID = Rule(limit=50, window_s=10.0)

_WORD_TRIGGERS = frozenset((TriggerType.KEYWORD, TriggerType.KEYWORD_PRESET, TriggerType.MEMBER_PROFILE))


class Screened(NamedTuple):
    """What somebody may say here although it triggers rules."""

    here: GuildPlace
    findings: list[Finding]


def watches(here: Here) -> TypeGuard[GuildPlace]:
    """Whether any rule may have something against a message there: all that other guilds pay for AutoMod."""
    return isinstance(here, GuildPlace) and bool(here.guild.auto_moderation.message_rules)


async def screen(
    core: Core,
    me: Actor,
    here: GuildPlace,
    content: str,
    embeds: Iterable[Embed] = (),
    poll: Poll | UnsetType = UNSET,
    *,
    is_new: bool = True,
    refusal: Kind = BLOCKED_BY_AUTOMOD,
) -> Screened | None:
    """What is about to be said, if it triggers rules; `report` it once it has been said.

    When one of them blocks messages, the actions of all are executed at once and `refusal` is raised. What `is_new`
    counts as said once more by the member.
    """
    member = here.guild.members.get(me.id)
    if member is None or _is_trusted(here.guild, member):
        return None
    texts = [content, *(text for embed in embeds if (text := _text_of(embed)))]
    texts += [] if poll is UNSET else [_text_of_poll(poll)]
    if not any(texts):  # files alone say nothing, however often
        return None
    places = {here.channel.id, here.channel.parent_id}
    rules = [
        rule
        for rule in here.guild.auto_moderation.message_rules
        if not _is_exempt(rule, member) and places.isdisjoint(rule.exempt_channels)
    ]
    findings = []
    for rule in rules:
        finding = await _judge(core, here.guild, member, rule, texts, is_new)
        if finding is not None:
            findings.append(finding)
    blocking = [a for finding in findings for a in finding.rule.actions if a.type == ActionType.BLOCK_MESSAGE]
    if blocking:
        await actions.execute(core, here.guild, me.user, findings, here.channel)
        raise _refusal(refusal, next((a.metadata.custom_message for a in blocking if a.metadata.custom_message), None))
    return Screened(here, findings) if findings else None


async def report(core: Core, me: Actor, screened: Screened, message_id: int) -> None:
    """Execute the actions of rules that let a message through."""
    here = screened.here
    await actions.execute(core, here.guild, me.user, screened.findings, here.channel, message_id)


async def check_member(core: Core, guild: GuildState, member: Member, name: str) -> None:
    """To be called when somebody has joined or shows another `name`: after the commit, without the guild's lock.

    Who triggers a rule is in quarantine until its name no longer does.
    """
    rules = guild.auto_moderation.profile_rules
    if not rules and not member.flags & QUARANTINED:
        return
    findings = []
    if not _is_trusted(guild, member):
        for rule in rules:
            finding = None if _is_exempt(rule, member) else await _judge(core, guild, member, rule, [name], False)
            if finding is not None:
                findings.append(finding)
    if findings:
        await actions.execute(core, guild, member.user, findings)
    elif member.flags & QUARANTINED:
        await actions.release(core, guild, member.user.id)


async def check_user(core: Core, user_id: int) -> None:
    """`check_member` wherever the user is a member: it has another name."""
    for guild in [guild for guild in core.live.guilds.values() if user_id in guild.members]:
        member = guild.members.get(user_id)
        if member is not None:
            await check_member(core, guild, member, shown_name(member))


def shown_name(member: Member) -> str:
    return member.nick or member.user.global_name or member.user.username


# --- exemptions ------------------------------------------------------------------------------------------------------


def _is_trusted(guild: GuildState, member: Member) -> bool:
    return member.user.bot is True or bool(guild.permissions(member.user.id) & (p.ADMINISTRATOR | p.MANAGE_GUILD))


def _is_exempt(rule: AutoModerationRule, member: Member) -> bool:
    return bool(rule.exempt_roles) and not set(rule.exempt_roles).isdisjoint(member.roles)


# --- judging ---------------------------------------------------------------------------------------------------------


async def _judge(
    core: Core, guild: GuildState, member: Member, rule: AutoModerationRule, texts: Sequence[str], is_new: bool
) -> Finding | None:
    """The texts are a message's content and its embeds, or a name."""
    if rule.trigger_type in _WORD_TRIGGERS:
        return await _search(core, guild, rule, texts)
    if rule.trigger_type == TriggerType.MENTION_SPAM:
        found = _has_too_many_mentions(core, guild, rule, texts[0], is_new)
    else:
        found = is_new and _is_repeated(core, guild, member, texts)
    return Finding(rule, texts[0], None) if found else None


async def _search(core: Core, guild: GuildState, rule: AutoModerationRule, texts: Sequence[str]) -> Finding | None:
    filter_ = guild.auto_moderation.filter_of(rule)
    if filter_ is None:
        filter_ = await trio.to_thread.run_sync(compile_filter, rule, limiter=core.live.matching)
        guild.auto_moderation.compiled(rule, filter_)
    for text in texts:
        if filter_.is_slow(text):  # hostile rules delay one another
            match = await trio.to_thread.run_sync(filter_.search, text, limiter=core.live.matching)
        else:
            match = filter_.search(text)
        if match is not None:
            return Finding(rule, text, match)
    return None


def _is_repeated(core: Core, guild: GuildState, member: Member, texts: Sequence[str]) -> bool:
    key = ("spam", guild.id, member.user.id, hash(tuple(map(fold, texts))))
    return not core.limiter.hit(key, SPAM, core.clock_ms() / 1000).allowed


def _has_too_many_mentions(core: Core, guild: GuildState, rule: AutoModerationRule, content: str, is_new: bool) -> bool:
    named = markup.mentions(content)
    count = len(named.users) + len(named.roles)
    if count > (rule.trigger_metadata.mention_total_limit or 0):
        return True
    if not is_new or not rule.trigger_metadata.mention_raid_protection_enabled:
        return False
    now = core.clock_ms() / 1000
    return not all(core.limiter.hit(("mention raid", guild.id), MENTION_RAID, now).allowed for _ in range(count))


def _text_of(embed: Embed) -> str:
    """All that an embed says, a line each."""
    said = [embed.title, embed.description, embed.url]
    said += [embed.author.name] if embed.author is not UNSET else []
    for field in embed.fields if embed.fields is not UNSET else ():
        said += [field.name, field.value]
    said += [embed.footer.text] if embed.footer is not UNSET else []
    return "\n".join(text for text in said if text is not UNSET)


def _text_of_poll(poll: Poll) -> str:
    return "\n".join((poll.question.text, *(answer.poll_media.text for answer in poll.answers)))


def _refusal(kind: Kind, custom_message: str | None) -> ApiError:
    if custom_message is None:
        return kind()
    errors = FormErrors()
    errors.add("", "AUTO_MODERATION_CUSTOM_MESSAGE", custom_message)
    return ApiError(*kind, errors=errors.tree)
