"""What becomes of an AutoMod rule's form: from what a client sent to the rule that is stored.

Docs: resources/auto-moderation. Nothing is written here; what the page's tables say is `model.objects.auto_moderation`.
"""

from collections.abc import Sequence
from typing import Any

import trio
from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.auto_moderation import compile_filter
from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import MISSING_PERMISSIONS
from chatd.model.objects.auto_moderation import (
    TRIGGERS,
    Action,
    ActionMetadata,
    ActionParams,
    ActionType,
    AutoModerationRule,
    RuleCreate,
    RulePatch,
    Trigger,
    TriggerMetadata,
    TriggerMetadataParams,
)
from chatd.model.objects.channel import MESSAGE_TYPES
from chatd.model.textfilter import InvalidRegex, TextFilter, literal
from chatd.model.validate import FormErrors, form_error
from chatd.model.wire import Snowflake
from chatd.service import access
from chatd.service.actors import Actor
from chatd.service.core import Core


def new(core: Core, me: Actor, guild: GuildState, body: RuleCreate) -> AutoModerationRule:
    """Raises MISSING_PERMISSIONS or a form error."""
    trigger = TRIGGERS[body.trigger_type]
    if len(guild.auto_moderation.of_type(body.trigger_type)) >= trigger.per_guild:
        message = f"Maximum number of rules with trigger type {int(body.trigger_type)} is {trigger.per_guild}"
        raise form_error("", "AUTO_MODERATION_MAX_RULES_OF_TYPE_EXCEEDED", message)
    _check_event(trigger, body.event_type)
    return AutoModerationRule(
        id=Snowflake(core.ids.next()),
        guild_id=guild.guild.id,
        name=body.name,
        creator_id=me.user.id,
        event_type=body.event_type,
        trigger_type=body.trigger_type,
        trigger_metadata=_metadata(trigger, TriggerMetadata(**trigger.metadata), body.trigger_metadata),
        actions=_actions(core, me, guild, trigger, body.actions),
        enabled=bool(body.enabled),
        exempt_roles=_unique(body.exempt_roles or ()),
        exempt_channels=_unique(body.exempt_channels or ()),
    )


def changed(core: Core, me: Actor, guild: GuildState, old: AutoModerationRule, body: RulePatch) -> AutoModerationRule:
    """Fields of the metadata that are not given stay as they are; null is what they are by default.

    Raises MISSING_PERMISSIONS or a form error.
    """
    trigger = TRIGGERS[old.trigger_type]
    given: dict[str, Any] = {}
    if body.name is not UNSET:
        given["name"] = body.name
    if body.event_type is not UNSET:
        _check_event(trigger, body.event_type)
    if body.trigger_metadata is not UNSET:
        given["trigger_metadata"] = _metadata(trigger, old.trigger_metadata, body.trigger_metadata)
    if body.actions is not UNSET:
        given["actions"] = _actions(core, me, guild, trigger, body.actions)
    if body.enabled is not UNSET:
        given["enabled"] = bool(body.enabled)
    if body.exempt_roles is not UNSET:
        given["exempt_roles"] = _unique(body.exempt_roles or ())
    if body.exempt_channels is not UNSET:
        given["exempt_channels"] = _unique(body.exempt_channels or ())
    return replace(old, **given)


async def compiled(core: Core, rule: AutoModerationRule) -> TextFilter:
    """The rule's filter, made in a thread: a form may ask for tens of milliseconds. Raises a form error."""
    try:
        return await trio.to_thread.run_sync(compile_filter, rule, limiter=core.live.matching)
    except InvalidRegex as error:
        path = f"trigger_metadata.regex_patterns.{error.index}"
        raise form_error(path, "AUTO_MODERATION_INVALID_REGEX", f"Invalid regex: {error.reason}") from None


def _check_event(trigger: Trigger, event_type: int) -> None:
    if event_type != trigger.event:
        message = f'Value "{int(event_type)}" must be one of {{{int(trigger.event)}}}.'
        raise form_error("event_type", "BASE_TYPE_CHOICES", message)


def _metadata(trigger: Trigger, old: TriggerMetadata, body: TriggerMetadataParams | None) -> TriggerMetadata:
    given = {}
    for name, default in trigger.metadata.items():
        value = UNSET if body is None else getattr(body, name)
        if value is not UNSET:
            given[name] = default if value is None else value
    made = replace(old, **{name: _unique(value) if isinstance(value, list) else value for name, value in given.items()})
    if len(made.allow_list or ()) > trigger.allowed:
        message = f"Must be {trigger.allowed} or fewer in length."
        raise form_error("trigger_metadata.allow_list", "BASE_TYPE_MAX_LENGTH", message)
    _check_keywords(made)
    return made


def _check_keywords(metadata: TriggerMetadata) -> None:
    errors = FormErrors()
    for name in ("keyword_filter", "allow_list"):
        for index, keyword in enumerate(getattr(metadata, name) or ()):
            if not literal(keyword):
                path = ("trigger_metadata", name, index)
                errors.add(path, "BASE_TYPE_BAD_LENGTH", "A keyword needs more than wildcards and whitespace.")
    errors.raise_if_any()


def _actions(
    core: Core, me: Actor, guild: GuildState, trigger: Trigger, body: Sequence[ActionParams]
) -> tuple[Action, ...]:
    return tuple(_action(core, me, guild, trigger, params, f"actions.{index}") for index, params in enumerate(body))


def _action(core: Core, me: Actor, guild: GuildState, trigger: Trigger, params: ActionParams, path: str) -> Action:
    if params.type not in trigger.actions:
        message = f"This type of rule has no action of type {int(params.type)}."
        raise form_error(f"{path}.type", "AUTO_MODERATION_INVALID_ACTION", message)
    made = ActionMetadata()
    metadata = params.metadata
    if params.type == ActionType.BLOCK_MESSAGE:
        if metadata is not None and metadata.custom_message:
            made = ActionMetadata(custom_message=metadata.custom_message)
    elif params.type == ActionType.SEND_ALERT_MESSAGE:
        if metadata is None or metadata.channel_id is None:
            raise form_error(f"{path}.metadata.channel_id", "BASE_TYPE_REQUIRED", "This field is required")
        channel = guild.channels.get(metadata.channel_id)
        if channel is None or channel.type not in MESSAGE_TYPES:
            raise form_error(f"{path}.metadata.channel_id", "CHANNEL_INVALID", "Channel does not exist")
        made = ActionMetadata(channel_id=metadata.channel_id)
    elif params.type == ActionType.TIMEOUT:
        if metadata is None or metadata.duration_seconds is None:
            raise form_error(f"{path}.metadata.duration_seconds", "BASE_TYPE_REQUIRED", "This field is required")
        if not access.granted(core, guild, me.id) & p.MODERATE_MEMBERS:
            raise MISSING_PERMISSIONS()
        made = ActionMetadata(duration_seconds=metadata.duration_seconds)
    return Action(type=params.type, metadata=made)


def _unique(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))
