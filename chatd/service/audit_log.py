"""The audit log: an entry for every administrative change, in the change's own transaction. Docs: resources/audit-log.

Services describe what they are about to do with `created`, `updated`, `deleted` or `entry`, and commit with `change`;
or in a change that leaves no mark in the journal with `record` or `count`, followed by `announce`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, TypeVarTuple

from msgspec import UNSET
from msgspec.structs import asdict, replace

from chatd.live.bus import Audience
from chatd.live.guilds import GuildState
from chatd.live.sessions import Session
from chatd.model import permissions as p
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import (
    AuditLog,
    AuditLogChange,
    AuditLogEntry,
    AuditLogEntryCreate,
    AuditLogEvent,
    AuditLogOptions,
    AuditLogQuery,
)
from chatd.model.objects.auto_moderation import AutoModerationRule
from chatd.model.objects.scheduled_event import ScheduledEventView
from chatd.model.wire import Object, Snowflake
from chatd.service import access, commits, kept_events
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.kept_events import Kept
from chatd.store import audit_log as store
from chatd.store import scheduled_events, threads, webhooks
from chatd.store.db import Tx
from chatd.store.rows import users

T = TypeVar("T")
R = TypeVar("R")
Ts = TypeVarTuple("Ts")

ENTRY_CREATE = "GUILD_AUDIT_LOG_ENTRY_CREATE"

_OF_THREADS = frozenset((AuditLogEvent.THREAD_CREATE, AuditLogEvent.THREAD_UPDATE))

_OF_WEBHOOKS = frozenset((AuditLogEvent.WEBHOOK_CREATE, AuditLogEvent.WEBHOOK_UPDATE, AuditLogEvent.WEBHOOK_DELETE))

# Fields that say where something is, not what it is like.
_IDENTITY = frozenset(("id", "guild_id", "last_message_id", "last_pin_timestamp", "user"))
_ON_SCHEDULED_EVENTS = frozenset(
    (
        AuditLogEvent.GUILD_SCHEDULED_EVENT_CREATE,
        AuditLogEvent.GUILD_SCHEDULED_EVENT_UPDATE,
        AuditLogEvent.GUILD_SCHEDULED_EVENT_DELETE,
    )
)


async def page(core: Core, me: Actor, guild_id: Snowflake, query: AuditLogQuery) -> AuditLog:
    """Newest first; with `after` alone oldest first. Docs: resources/audit-log, "Get Guild Audit Log".

    Raises UNKNOWN_GUILD, MISSING_PERMISSIONS.
    """
    guild = await access.guild(core, me, guild_id, p.VIEW_AUDIT_LOG)
    found = await core.db.read(_page, guild.id, query)
    return replace(found, auto_moderation_rules=_rules(guild, found.audit_log_entries))


def entry(
    me: Actor,
    action: AuditLogEvent,
    target_id: int | str | None,
    reason: str | None,
    *,
    changes: Sequence[AuditLogChange] | None = None,
    options: AuditLogOptions | None = None,
) -> AuditLogEntry:
    """One entry; its id is taken when it is written. Numbers in `options` are strings."""
    return AuditLogEntry(
        id=Snowflake(0),
        action_type=int(action),
        user_id=me.user.id,
        target_id=target_id if isinstance(target_id, str | None) else str(int(target_id)),
        changes=UNSET if changes is None else tuple(changes),
        options=UNSET if options is None else options,
        reason=UNSET if reason is None else reason,
    )


def created(me: Actor, action: AuditLogEvent, target_id: int | str, made: Object, reason: str | None) -> AuditLogEntry:
    """An entry with all that the new object has."""
    return entry(me, action, target_id, reason, changes=differences({}, fields(made)))


def deleted(me: Actor, action: AuditLogEvent, target_id: int | str, gone: Object, reason: str | None) -> AuditLogEntry:
    """An entry with all that the object had."""
    return entry(me, action, target_id, reason, changes=differences(fields(gone), {}))


def updated(
    me: Actor, action: AuditLogEvent, target_id: int | str, before: Object, after: Object, reason: str | None
) -> list[AuditLogEntry]:
    """An entry with what differs; none when nothing does."""
    changes = differences(fields(before), fields(after))
    return [entry(me, action, target_id, reason, changes=changes)] if changes else []


def fields(object_: Object) -> dict[str, Any]:
    """What an entry's changes may name: the object's fields that are set."""
    return {
        name: value
        for name in object_.__struct_fields__
        if name not in _IDENTITY and (value := getattr(object_, name)) is not UNSET
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[AuditLogChange]:
    """In the order of the fields. A value that is null or absent is left out of its change."""
    changes = []
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old != new:
            changes.append(
                AuditLogChange(
                    key=key, new_value=UNSET if new is None else new, old_value=UNSET if old is None else old
                )
            )
    return changes


async def change(
    core: Core,
    guild: GuildState,
    entries: Sequence[AuditLogEntry],
    fn: Callable[[Tx, *Ts], T],
    *args: *Ts,
    then: Callable[[T], R],
    streams: Iterable[int] = (),
) -> R:
    """`commits.change` of a guild, with its entries; their events follow those that `then` publishes.

    `streams` names further streams that the change concerns: users, other guilds.
    """

    def transaction(tx: Tx) -> tuple[list[AuditLogEntry], T]:
        result = fn(tx, *args)
        written = [replace(each, id=Snowflake(core.ids.next())) for each in entries]
        for each in written:
            store.insert(tx, guild.id, each)
        return written, result

    def committed(outcome: tuple[list[AuditLogEntry], T]) -> R:
        answer = then(outcome[1])
        for each in outcome[0]:
            _announce(core, guild, each)
        return answer

    return await commits.change(core, (guild.id, *streams), transaction, then=committed)


def record(tx: Tx, new_id: Callable[[], int], guild_id: int, entry: AuditLogEntry) -> Kept:
    """Write an entry with a change that leaves no mark: its event, which `announce` tells, is kept."""
    written = replace(entry, id=Snowflake(new_id()))
    store.insert(tx, guild_id, written)
    return kept_events.keep(tx, new_id, guild_id, ENTRY_CREATE, _event(guild_id, written))


def count(tx: Tx, new_id: Callable[[], int], guild_id: int, entry: AuditLogEntry, since: int) -> Kept | None:
    """As `record` for an entry that counts one, unless there is one after `since` that differs in its count only: then
    that one counts on. Discord does so for deletions that follow one another, and has no event for it.
    """
    for earlier in store.like(tx, guild_id, entry, since):
        options = earlier.options
        if options is not UNSET and options.count is not UNSET and _uncounted(earlier) == _uncounted(entry):
            store.update(tx, replace(earlier, options=replace(options, count=str(int(options.count) + 1))))
            return None
    return record(tx, new_id, guild_id, entry)


def _uncounted(entry: AuditLogEntry) -> AuditLogEntry:
    options = UNSET if entry.options is UNSET else replace(entry.options, count=UNSET)
    return replace(entry, id=Snowflake(0), options=options)


def announce(core: Core, guild: GuildState, kept: Kept) -> None:
    kept_events.tell(core, guild.id, kept, Audience(_readers(core, guild)))


def _announce(core: Core, guild: GuildState, entry: AuditLogEntry) -> None:
    core.live.to_sessions(guild.id, ENTRY_CREATE, _event(guild.id, entry), _readers(core, guild))


def _readers(core: Core, guild: GuildState) -> list[Session]:
    """Those who may read the log (events/gateway-events, "Guild Audit Log Entry Create")."""
    listening = guild.audience(GATES[ENTRY_CREATE][0])
    return [session for session in listening if access.granted(core, guild, session.user.id) & p.VIEW_AUDIT_LOG]


def _event(guild_id: int, entry: AuditLogEntry) -> AuditLogEntryCreate:
    values = {field: getattr(entry, field) for field in entry.__struct_fields__}
    return AuditLogEntryCreate(guild_id=Snowflake(guild_id), **values)


def _rules(guild: GuildState, entries: Iterable[AuditLogEntry]) -> tuple[AutoModerationRule, ...]:
    """What the entries name of the rules that there are."""
    named = {int(entry.target_id) for entry in entries if entry.target_id is not None and entry.target_id.isdigit()}
    return tuple(rule for rule_id, rule in guild.auto_moderation.rules.items() if rule_id in named)


def _page(tx: Tx, guild_id: int, query: AuditLogQuery) -> AuditLog:
    entries = store.page(tx, guild_id, query)
    named: list[int] = [entry.user_id for entry in entries if entry.user_id is not None]
    named += [int(entry.target_id) for entry in entries if entry.target_id is not None and entry.target_id.isdigit()]
    events = (int(entry.target_id or 0) for entry in entries if entry.action_type in _ON_SCHEDULED_EVENTS)
    started = [int(entry.target_id) for entry in entries if entry.action_type in _OF_THREADS and entry.target_id]
    hooks = [int(entry.target_id) for entry in entries if entry.action_type in _OF_WEBHOOKS and entry.target_id]
    return AuditLog(
        audit_log_entries=tuple(entries),
        users=tuple(users(tx, tuple(dict.fromkeys(named))).values()),
        guild_scheduled_events=tuple(
            ScheduledEventView(**asdict(event))
            for event_id in dict.fromkeys(events)
            if (event := scheduled_events.get(tx, guild_id, event_id)) is not None
        ),
        threads=tuple(threads.shown(tx, tuple(dict.fromkeys(started))).values()),
        # Whoever reads the log may not manage webhooks: no tokens.
        webhooks=tuple(replace(webhook, token=UNSET) for webhook in webhooks.by_ids(tx, list(dict.fromkeys(hooks)))),
    )
