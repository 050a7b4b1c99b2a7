"""AutoMod's rules (resources/auto-moderation)."""

from enum import IntEnum
from typing import Annotated, Any, NamedTuple

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.guild import MessageMember
from chatd.model.objects.message import Message
from chatd.model.wire import Object, Params, Snowflake, length

# The member's flag AUTOMOD_QUARANTINED_USERNAME (resources/guild, "Guild Member Flags").
QUARANTINED = 1 << 7


class TriggerType(IntEnum):
    KEYWORD = 1
    SPAM = 3
    KEYWORD_PRESET = 4
    MENTION_SPAM = 5
    MEMBER_PROFILE = 6


class EventType(IntEnum):
    MESSAGE_SEND = 1
    MEMBER_UPDATE = 2


class KeywordPreset(IntEnum):
    PROFANITY = 1
    SEXUAL_CONTENT = 2
    SLURS = 3


class ActionType(IntEnum):
    BLOCK_MESSAGE = 1
    SEND_ALERT_MESSAGE = 2
    TIMEOUT = 3
    BLOCK_MEMBER_INTERACTION = 4


class Trigger(NamedTuple):
    """What goes with a trigger type: `metadata` has the fields of its metadata, and what they are by default."""

    per_guild: int
    event: EventType
    actions: frozenset[ActionType]
    metadata: dict[str, Any]
    allowed: int = 0  # keywords in allow_list


_MESSAGE_ACTIONS = frozenset((ActionType.BLOCK_MESSAGE, ActionType.SEND_ALERT_MESSAGE))
_KEYWORD_METADATA = {"keyword_filter": (), "regex_patterns": (), "allow_list": ()}
_MENTION_METADATA = {
    "mention_total_limit": limits.AUTOMOD_MENTIONS_DEFAULT,
    "mention_raid_protection_enabled": False,
}

TRIGGERS = {
    TriggerType.KEYWORD: Trigger(
        6,
        EventType.MESSAGE_SEND,
        _MESSAGE_ACTIONS | {ActionType.TIMEOUT},
        _KEYWORD_METADATA,
        limits.AUTOMOD_ALLOWED,
    ),
    TriggerType.SPAM: Trigger(1, EventType.MESSAGE_SEND, _MESSAGE_ACTIONS, {}),
    TriggerType.KEYWORD_PRESET: Trigger(
        1,
        EventType.MESSAGE_SEND,
        _MESSAGE_ACTIONS,
        {"presets": (), "allow_list": ()},
        limits.AUTOMOD_ALLOWED_PRESET,
    ),
    TriggerType.MENTION_SPAM: Trigger(
        1, EventType.MESSAGE_SEND, _MESSAGE_ACTIONS | {ActionType.TIMEOUT}, _MENTION_METADATA
    ),
    TriggerType.MEMBER_PROFILE: Trigger(
        1,
        EventType.MEMBER_UPDATE,
        frozenset((ActionType.SEND_ALERT_MESSAGE, ActionType.BLOCK_MEMBER_INTERACTION)),
        _KEYWORD_METADATA,
        limits.AUTOMOD_ALLOWED,
    ),
}


class TriggerMetadata(Object, frozen=True, kw_only=True):
    """Set are the fields of the rule's trigger type, all of them."""

    keyword_filter: tuple[str, ...] | UnsetType = UNSET
    regex_patterns: tuple[str, ...] | UnsetType = UNSET
    presets: tuple[KeywordPreset, ...] | UnsetType = UNSET
    allow_list: tuple[str, ...] | UnsetType = UNSET
    mention_total_limit: int | UnsetType = UNSET
    mention_raid_protection_enabled: bool | UnsetType = UNSET


class ActionMetadata(Object, frozen=True, kw_only=True):
    channel_id: Snowflake | UnsetType = UNSET
    duration_seconds: int | UnsetType = UNSET
    custom_message: str | UnsetType = UNSET


class Action(Object, frozen=True, kw_only=True):
    type: ActionType
    metadata: ActionMetadata = ActionMetadata()


class RuleExtra(Object, frozen=True, kw_only=True):
    """The part of a rule that no query looks at; stored as JSON."""

    name: str
    creator_id: Snowflake
    event_type: EventType
    trigger_type: TriggerType
    trigger_metadata: TriggerMetadata
    actions: tuple[Action, ...]
    enabled: bool
    exempt_roles: tuple[Snowflake, ...]
    exempt_channels: tuple[Snowflake, ...]


class AutoModerationRule(RuleExtra, frozen=True, kw_only=True):
    id: Snowflake
    guild_id: Snowflake


class ActionExecution(Object, frozen=True, kw_only=True):
    """AUTO_MODERATION_ACTION_EXECUTION."""

    guild_id: Snowflake
    action: Action
    rule_id: Snowflake
    rule_trigger_type: TriggerType
    user_id: Snowflake
    content: str
    matched_keyword: str | None
    matched_content: str | None
    channel_id: Snowflake | UnsetType = UNSET
    message_id: Snowflake | UnsetType = UNSET
    alert_system_message_id: Snowflake | UnsetType = UNSET


class AlertCreate(Message, frozen=True, kw_only=True):
    """MESSAGE_CREATE of a SEND_ALERT_MESSAGE action."""

    channel_type: int
    guild_id: Snowflake
    member: MessageMember | UnsetType = UNSET


Keyword = Annotated[str, Meta(min_length=1, max_length=limits.AUTOMOD_KEYWORD_LENGTH)]
Regex = Annotated[str, Meta(min_length=1, max_length=limits.AUTOMOD_REGEX_LENGTH)]
RuleName = Annotated[str, length(limits.AUTOMOD_NAME_LENGTH)]


class TriggerMetadataParams(Params, kw_only=True):
    """Fields that do not belong to the trigger type are ignored: libraries send them all."""

    keyword_filter: Annotated[list[Keyword], Meta(max_length=limits.AUTOMOD_KEYWORDS)] | UnsetType | None = UNSET
    regex_patterns: Annotated[list[Regex], Meta(max_length=limits.AUTOMOD_REGEXES)] | UnsetType | None = UNSET
    presets: Annotated[list[KeywordPreset], Meta(max_length=len(KeywordPreset))] | UnsetType | None = UNSET
    allow_list: Annotated[list[Keyword], Meta(max_length=limits.AUTOMOD_ALLOWED_PRESET)] | UnsetType | None = UNSET
    mention_total_limit: Annotated[int, Meta(ge=0, le=limits.AUTOMOD_MENTIONS)] | UnsetType | None = UNSET
    mention_raid_protection_enabled: bool | UnsetType | None = UNSET


class ActionMetadataParams(Params, kw_only=True):
    channel_id: Snowflake | None = None
    duration_seconds: Annotated[int, Meta(ge=0, le=limits.TIMEOUT_S)] | None = None
    custom_message: Annotated[str, Meta(max_length=limits.AUTOMOD_CUSTOM_MESSAGE_LENGTH)] | None = None


class ActionParams(Params, kw_only=True):
    type: ActionType
    metadata: ActionMetadataParams | None = None


Actions = Annotated[list[ActionParams], Meta(min_length=1, max_length=limits.AUTOMOD_ACTIONS)]
ExemptRoles = Annotated[list[Snowflake], Meta(max_length=limits.AUTOMOD_EXEMPT_ROLES)]
ExemptChannels = Annotated[list[Snowflake], Meta(max_length=limits.AUTOMOD_EXEMPT_CHANNELS)]


class RuleCreate(Params, kw_only=True):
    """Create Auto Moderation Rule."""

    name: RuleName
    event_type: EventType
    trigger_type: TriggerType
    actions: Actions
    trigger_metadata: TriggerMetadataParams | None = None
    enabled: bool | None = None
    exempt_roles: ExemptRoles | None = None
    exempt_channels: ExemptChannels | None = None


class RulePatch(Params, kw_only=True):
    """Modify Auto Moderation Rule; its trigger type is for good."""

    name: RuleName | UnsetType = UNSET
    event_type: EventType | UnsetType = UNSET
    trigger_metadata: TriggerMetadataParams | UnsetType | None = UNSET
    actions: Actions | UnsetType = UNSET
    enabled: bool | UnsetType | None = UNSET
    exempt_roles: ExemptRoles | UnsetType | None = UNSET
    exempt_channels: ExemptChannels | UnsetType | None = UNSET
