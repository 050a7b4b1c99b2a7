"""The audit log (resources/audit-log)."""

from enum import IntEnum
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.auto_moderation import AutoModerationRule
from chatd.model.objects.scheduled_event import ScheduledEventView
from chatd.model.objects.thread import Thread
from chatd.model.objects.user import User
from chatd.model.objects.webhook import Webhook
from chatd.model.wire import Object, Params, Snowflake


class AuditLogEvent(IntEnum):
    """What was done, in the order of the page; the kinds that this server writes or will."""

    GUILD_UPDATE = 1
    CHANNEL_CREATE = 10
    CHANNEL_UPDATE = 11
    CHANNEL_DELETE = 12
    CHANNEL_OVERWRITE_CREATE = 13
    CHANNEL_OVERWRITE_UPDATE = 14
    CHANNEL_OVERWRITE_DELETE = 15
    MEMBER_KICK = 20
    MEMBER_PRUNE = 21
    MEMBER_BAN_ADD = 22
    MEMBER_BAN_REMOVE = 23
    MEMBER_UPDATE = 24
    MEMBER_ROLE_UPDATE = 25
    MEMBER_MOVE = 26
    MEMBER_DISCONNECT = 27
    BOT_ADD = 28
    ROLE_CREATE = 30
    ROLE_UPDATE = 31
    ROLE_DELETE = 32
    INVITE_CREATE = 40
    INVITE_UPDATE = 41
    INVITE_DELETE = 42
    WEBHOOK_CREATE = 50
    WEBHOOK_UPDATE = 51
    WEBHOOK_DELETE = 52
    EMOJI_CREATE = 60
    EMOJI_UPDATE = 61
    EMOJI_DELETE = 62
    MESSAGE_DELETE = 72
    MESSAGE_BULK_DELETE = 73
    MESSAGE_PIN = 74
    MESSAGE_UNPIN = 75
    INTEGRATION_DELETE = 82
    STICKER_CREATE = 90
    STICKER_UPDATE = 91
    STICKER_DELETE = 92
    GUILD_SCHEDULED_EVENT_CREATE = 100
    GUILD_SCHEDULED_EVENT_UPDATE = 101
    GUILD_SCHEDULED_EVENT_DELETE = 102
    THREAD_CREATE = 110
    THREAD_UPDATE = 111
    THREAD_DELETE = 112
    AUTO_MODERATION_RULE_CREATE = 140
    AUTO_MODERATION_RULE_UPDATE = 141
    AUTO_MODERATION_RULE_DELETE = 142
    AUTO_MODERATION_BLOCK_MESSAGE = 143
    AUTO_MODERATION_FLAG_TO_CHANNEL = 144
    AUTO_MODERATION_USER_COMMUNICATION_DISABLED = 145
    AUTO_MODERATION_QUARANTINE_USER = 146


class AuditLogChange(Object, frozen=True, kw_only=True):
    """One field: without `old_value` it was null before, without `new_value` it is null now."""

    key: str
    new_value: Any = UNSET
    old_value: Any = UNSET


class AuditLogOptions(Object, frozen=True, kw_only=True):
    """Optional Audit Entry Info: numbers are strings here."""

    auto_moderation_rule_name: str | UnsetType = UNSET
    auto_moderation_rule_trigger_type: str | UnsetType = UNSET
    channel_id: Snowflake | UnsetType = UNSET
    count: str | UnsetType = UNSET
    delete_member_days: str | UnsetType = UNSET
    id: Snowflake | UnsetType = UNSET
    members_removed: str | UnsetType = UNSET
    message_id: Snowflake | UnsetType = UNSET
    role_name: str | UnsetType = UNSET
    type: str | UnsetType = UNSET


class AuditLogEntry(Object, frozen=True, kw_only=True):
    """One administrative action. `target_id` is an invite's code where it is no id."""

    id: Snowflake
    action_type: int
    user_id: Snowflake | None
    target_id: str | None
    changes: tuple[AuditLogChange, ...] | UnsetType = UNSET
    options: AuditLogOptions | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class AuditLogEntryCreate(AuditLogEntry, frozen=True, kw_only=True):
    """GUILD_AUDIT_LOG_ENTRY_CREATE."""

    guild_id: Snowflake


class AuditLog(Object, frozen=True, kw_only=True):
    """A page of entries, with what they are about as far as it still is there."""

    audit_log_entries: tuple[AuditLogEntry, ...]
    users: tuple[User, ...]
    application_commands: tuple[()] = ()
    auto_moderation_rules: tuple[AutoModerationRule, ...] = ()
    guild_scheduled_events: tuple[ScheduledEventView, ...] = ()
    integrations: tuple[()] = ()
    threads: tuple[Thread, ...] = ()
    webhooks: tuple[Webhook, ...] = ()


class AuditLogQuery(Params, kw_only=True):
    """Get Guild Audit Log."""

    user_id: Snowflake | UnsetType = UNSET
    target_id: Snowflake | UnsetType = UNSET
    action_type: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType = UNSET
    before: Snowflake | UnsetType = UNSET
    after: Snowflake | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=limits.AUDIT_ENTRIES_PER_PAGE)] = 50
