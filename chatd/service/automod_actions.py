"""What AutoMod does about what it found: block, alert, time out, quarantine. Docs: resources/auto-moderation.

All actions that a message or a name calls for are one commit, with an audit log entry each.
"""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

from chatd.live.bus import Audience
from chatd.live.frames import Event
from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import AuditLogEntry, AuditLogEvent, AuditLogOptions
from chatd.model.objects.auto_moderation import (
    QUARANTINED,
    Action,
    ActionExecution,
    ActionType,
    AlertCreate,
    AutoModerationRule,
)
from chatd.model.objects.channel import Channel
from chatd.model.objects.embed import Embed, EmbedField
from chatd.model.objects.guild import Member
from chatd.model.objects.message import MessageExtra, MessageType
from chatd.model.objects.thread import Thread
from chatd.model.objects.user import User
from chatd.model.textfilter import Match
from chatd.model.wire import Snowflake, encode, parse_timestamp, timestamp
from chatd.service import audit_log, commits, members, render
from chatd.service.core import Core
from chatd.store import members as member_store
from chatd.store import messages
from chatd.store.db import Tx
from chatd.store.messages import Draft, MessageRow
from chatd.store.rows import to_text

_ENTRIES = {
    ActionType.BLOCK_MESSAGE: AuditLogEvent.AUTO_MODERATION_BLOCK_MESSAGE,
    ActionType.SEND_ALERT_MESSAGE: AuditLogEvent.AUTO_MODERATION_FLAG_TO_CHANNEL,
    ActionType.TIMEOUT: AuditLogEvent.AUTO_MODERATION_USER_COMMUNICATION_DISABLED,
    ActionType.BLOCK_MEMBER_INTERACTION: AuditLogEvent.AUTO_MODERATION_QUARANTINE_USER,
}


class Finding(NamedTuple):
    """A rule that was triggered, and by what; `match` is None where the rule counts."""

    rule: AutoModerationRule
    content: str
    match: Match | None


class _Step(NamedTuple):
    finding: Finding
    action: Action
    alert: Draft | None = None


async def execute(
    core: Core,
    guild: GuildState,
    user: User,
    findings: Sequence[Finding],
    channel: Channel | Thread | None = None,
    message_id: int | None = None,
) -> None:
    """`channel` is where the user said it, if it was a message, and `message_id` is there when it was let through.

    What cannot be done any more, because a channel or the member is gone, is left out.
    """
    async with guild.lock:
        member = before = guild.members.get(user.id)
        steps = []
        for finding in findings:
            for action in finding.rule.actions:
                alert = None
                if action.type == ActionType.SEND_ALERT_MESSAGE:
                    if action.metadata.channel_id not in guild.channels:
                        continue
                    alert = _alert(core, user, finding, action, channel, message_id)
                elif action.type != ActionType.BLOCK_MESSAGE:
                    if member is None:
                        continue
                    member = _punished(core, member, action)
                steps.append(_Step(finding, action, alert))
        entries = [_entry(user, step, channel) for step in steps]
        drafts = [step.alert for step in steps if step.alert is not None]
        changed = member if member is not None and member != before else None

        def executed(alert_ids: list[int]) -> None:
            if changed is not None:
                members.updated(core, guild, changed)
            ids = iter(alert_ids)
            for step in steps:
                alert_id = None if step.alert is None else next(ids)
                if step.alert is not None and alert_id is not None:
                    _publish_alert(core, guild, user, step.alert, alert_id)
                _tell(core, guild, user, step, channel, message_id, alert_id)

        await audit_log.change(core, guild, entries, _write, guild.id, drafts, changed, then=executed)


async def release(core: Core, guild: GuildState, user_id: int) -> None:
    """End a member's quarantine."""
    async with guild.lock:
        member = guild.members.get(user_id)
        if member is None or not member.flags & QUARANTINED:
            return
        free = replace(member, flags=member.flags & ~QUARANTINED)
        await commits.change(
            core, (guild.id,), member_store.update, guild.id, free, then=lambda _: members.updated(core, guild, free)
        )


def _write(tx: Tx, guild_id: int, alerts: list[Draft], member: Member | None) -> list[int]:
    """The ids of the alerts."""
    if member is not None:
        member_store.update(tx, guild_id, member)
    return messages.append(tx, alerts) if alerts else []


# --- punishments -----------------------------------------------------------------------------------------------------


def _punished(core: Core, member: Member, action: Action) -> Member:
    """A timeout that is to last longer anyway stays."""
    if action.type == ActionType.BLOCK_MEMBER_INTERACTION:
        return replace(member, flags=member.flags | QUARANTINED)
    until_ms = core.clock_ms() + (action.metadata.duration_seconds or 0) * 1000
    old = member.communication_disabled_until
    if old is not None and parse_timestamp(old) >= until_ms:
        return member
    return replace(member, communication_disabled_until=timestamp(until_ms))


# --- the alert -------------------------------------------------------------------------------------------------------


def _alert(
    core: Core, user: User, finding: Finding, action: Action, channel: Channel | Thread | None, message_id: int | None
) -> Draft:
    """A message by the user, with an embed whose fields Discord's clients know by name."""
    timeouts = [a.metadata.duration_seconds for a in finding.rule.actions if a.type == ActionType.TIMEOUT]
    is_quarantine = any(a.type == ActionType.BLOCK_MEMBER_INTERACTION for a in finding.rule.actions)
    fields = {
        "rule_name": finding.rule.name,
        "decision_id": str(uuid.uuid4()),
        "channel_id": None if channel is None else str(int(channel.id)),
        "flagged_message_id": None if message_id is None else str(message_id),
        "decision_outcome": "blocked" if channel is not None and message_id is None else "flagged",
        "keyword": finding.match and finding.match.keyword,
        "keyword_matched_content": finding.match and finding.match.content,
        "timeout_duration": str(timeouts[0]) if timeouts else None,
        "quarantine_user": "username" if is_quarantine else None,
    }
    embed = Embed(
        type="auto_moderation_message",
        description=finding.content,
        fields=tuple(EmbedField(name=name, value=value) for name, value in fields.items() if value),
    )
    return Draft(
        new_id=core.ids.next,
        channel_id=action.metadata.channel_id or 0,
        author_id=user.id,
        type=int(MessageType.AUTO_MODERATION_ACTION),
        flags=0,
        content="",
        nonce=None,
        extra=to_text(MessageExtra(embeds=(embed,))),
    )


def _publish_alert(core: Core, guild: GuildState, user: User, alert: Draft, alert_id: int) -> None:
    row = MessageRow(alert_id, alert.channel_id, alert.author_id, alert.type, 0, "", None, None, alert.extra)
    message = render.message(core, row, render.extra_of(alert.extra), {user.id: user})
    guild.last_message_ids[alert.channel_id] = alert_id
    name = "MESSAGE_CREATE"
    member = guild.members.get(user.id)
    event = AlertCreate(
        **asdict(message),
        channel_type=guild.channels[alert.channel_id].type,
        guild_id=guild.guild.id,
        member=UNSET if member is None else render.message_member(member),
    )
    audience = guild.audience(GATES[name][0], alert.channel_id, content=True)
    lean = encode(replace(event, embeds=()))
    core.live.bus.publish(guild.id, Event(name, encode(event), lean, frozenset((int(user.id),))), audience)


# --- who hears of it -------------------------------------------------------------------------------------------------


def _tell(
    core: Core,
    guild: GuildState,
    user: User,
    step: _Step,
    channel: Channel | Thread | None,
    message_id: int | None,
    alert_id: int | None,
) -> None:
    """Besides the intent it takes MANAGE_GUILD; what the user said takes MESSAGE_CONTENT (events/gateway-events)."""
    name = "AUTO_MODERATION_ACTION_EXECUTION"
    listening = [s for s in guild.audience(GATES[name][0]) if guild.permissions(s.user.id) & p.MANAGE_GUILD]
    full, lean = ([session for session in listening if session.lean is kind] for kind in (False, True))
    rule, match = step.finding.rule, step.finding.match
    event = ActionExecution(
        guild_id=guild.guild.id,
        action=step.action,
        rule_id=rule.id,
        rule_trigger_type=rule.trigger_type,
        user_id=user.id,
        content=step.finding.content,
        matched_keyword=match and match.keyword,
        matched_content=match and match.content,
        channel_id=UNSET if channel is None else channel.id,
        message_id=_id(message_id),
        alert_system_message_id=_id(alert_id),
    )
    without = replace(event, content="", matched_content="")
    core.live.bus.publish(guild.id, Event(name, encode(event), encode(without)), Audience(full, lean))


def _entry(user: User, step: _Step, channel: Channel | Thread | None) -> AuditLogEntry:
    return AuditLogEntry(
        id=Snowflake(0),
        action_type=int(_ENTRIES[step.action.type]),
        user_id=user.id,
        target_id=str(int(user.id)),
        options=AuditLogOptions(
            auto_moderation_rule_name=step.finding.rule.name,
            auto_moderation_rule_trigger_type=str(int(step.finding.rule.trigger_type)),
            channel_id=UNSET if channel is None else channel.id,
        ),
    )


def _id(value: int | None) -> Snowflake | UnsetType:
    return UNSET if value is None else Snowflake(value)
