"""Pinned messages: list, pin, unpin. Docs: resources/message."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import SYSTEM_MESSAGE, TOO_MANY_PINS, UNKNOWN_MESSAGE
from chatd.model.objects.audit_log import AuditLogEvent, AuditLogOptions
from chatd.model.objects.message import AUTHORED_TYPES, Message
from chatd.model.objects.pin import ChannelPins, ChannelPinsUpdate, MessagePin, PinsQuery
from chatd.model.validate import form_error
from chatd.model.wire import MAX_STRING_INT, Snowflake, parse_timestamp, timestamp
from chatd.service import (
    access,
    audit_log,
    backpressure,
    kept_events,
    message_content,
    message_events,
    render,
    system_messages,
    thread_rules,
)
from chatd.service.access import GuildPlace, Here
from chatd.service.actors import Actor
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.service.kept_events import Kept
from chatd.store import journal
from chatd.store import messages as message_store
from chatd.store import pins as store
from chatd.store.db import Tx
from chatd.store.messages import MessageRow, Page


async def page(core: Core, me: Actor, channel_id: Snowflake, query: PinsQuery) -> ChannelPins:
    """The last pinned first; without READ_MESSAGE_HISTORY nothing. Docs: "Get Channel Pins"."""
    before_ms = MAX_STRING_INT if query.before is None else _parse(query.before)
    pins = await _read(core, me, channel_id, before_ms, query.limit + 1)
    return ChannelPins(items=tuple(pins[: query.limit]), has_more=len(pins) > query.limit)


async def newest(core: Core, me: Actor, channel_id: Snowflake) -> list[Message]:
    """As `page`, the older form. Docs: "Get Pinned Messages"."""
    return [pin.message for pin in await _read(core, me, channel_id, MAX_STRING_INT, limits.PINS_PER_PAGE)]


async def pin(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, reason: str | None) -> None:
    """Pin a message, and say so in the channel; one that is pinned stays as it is. Docs: "Pin Message".

    Raises UNKNOWN_MESSAGE, MISSING_PERMISSIONS, SYSTEM_MESSAGE, TOO_MANY_PINS.
    """
    here = await access.channel(core, me, channel_id, p.PIN_MESSAGES)
    thread_rules.check_is_open(here)
    await backpressure.room(core, here.bus_key)
    notice = system_messages.pinned(core, me, here, message_id)
    await core.db.write(
        partial(_pin, core.ids.next, me, here, message_id, reason, core.clock_ms(), notice),
        then=partial(_changed, core, here),
    )


async def unpin(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, reason: str | None) -> None:
    """Docs: "Unpin Message". Raises UNKNOWN_MESSAGE, MISSING_PERMISSIONS."""
    here = await access.channel(core, me, channel_id, p.PIN_MESSAGES)
    thread_rules.check_is_open(here)
    unpin = partial(_unpin, core.ids.next, me, here, message_id, reason)
    await core.db.write(unpin, then=partial(_changed, core, here))


# --- reading ---------------------------------------------------------------------------------------------------------


async def _read(core: Core, me: Actor, channel_id: int, before_ms: int, limit: int) -> list[MessagePin]:
    here = await access.channel(core, me, channel_id)
    if not here.permissions & p.READ_MESSAGE_HISTORY:
        return []
    found = await core.db.read(_page, me.id, channel_id, before_ms, limit)
    messages = message_content.shown(me, here, render.messages(core, found))
    return [
        MessagePin(pinned_at=timestamp(row.pinned_ms or 0), message=message)
        for row, message in zip(found.rows, messages, strict=True)
    ]


def _page(tx: Tx, asker_id: int, channel_id: int, before_ms: int, limit: int) -> Page:
    rows = store.before(tx, channel_id, before_ms, limit)
    return message_store.with_context(tx, rows, render.named_users, render.replied_to, asker_id)


def _parse(text: str) -> int:
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise form_error("before", "DATE_TIME_TYPE_PARSE", str(error)) from None


# --- changing --------------------------------------------------------------------------------------------------------


class _Changed(NamedTuple):
    """What is to be told, in this order."""

    position: int
    page: Page  # the message
    last_pin_ms: int | None
    update: Kept
    notice: tuple[Composed, int] | None  # the system's message and its id
    entry: Kept | None  # of the audit log


def _pin(
    new_id: Callable[[], int],
    me: Actor,
    here: Here,
    message_id: int,
    reason: str | None,
    now_ms: int,
    notice: Composed,
    tx: Tx,
) -> _Changed | None:
    row = _get(tx, here, message_id)
    if row.pinned_ms is not None:
        return None
    if row.type not in AUTHORED_TYPES:
        raise SYSTEM_MESSAGE()
    if store.count(tx, here.id) >= limits.CHANNEL_PINS:
        raise TOO_MANY_PINS()
    pinned_ms = max(now_ms, (store.last(tx, here.id) or 0) + 1)
    changed = _put(new_id, here, row, pinned_ms, tx)
    [notice_id] = message_store.append(tx, [notice.draft])
    entry = _log(new_id, me, here, row, AuditLogEvent.MESSAGE_PIN, reason, tx)
    return changed._replace(notice=(notice, notice_id), entry=entry)


def _unpin(
    new_id: Callable[[], int], me: Actor, here: Here, message_id: int, reason: str | None, tx: Tx
) -> _Changed | None:
    row = _get(tx, here, message_id)
    if row.pinned_ms is None:
        return None
    changed = _put(new_id, here, row, None, tx)
    return changed._replace(entry=_log(new_id, me, here, row, AuditLogEvent.MESSAGE_UNPIN, reason, tx))


def _get(tx: Tx, here: Here, message_id: int) -> MessageRow:
    row = message_store.get(tx, here.id, message_id)
    if row is None:
        raise UNKNOWN_MESSAGE()
    return row


def _put(new_id: Callable[[], int], here: Here, before: MessageRow, pinned_ms: int | None, tx: Tx) -> _Changed:
    store.put(tx, before.id, pinned_ms)
    row = replace(before, pinned_ms=pinned_ms)
    position = new_id()
    journal.keep_edit(tx, position, here.bus_key, before, row)
    last_ms = store.last(tx, here.id)
    update = ChannelPinsUpdate(
        channel_id=Snowflake(here.id),
        last_pin_timestamp=None if last_ms is None else timestamp(last_ms),
        guild_id=here.channel.guild_id if isinstance(here, GuildPlace) else UNSET,
    )
    kept = kept_events.keep(tx, new_id, here.bus_key, "CHANNEL_PINS_UPDATE", update)
    page = message_store.with_context(tx, [row], render.named_users, render.replied_to)
    return _Changed(position, page, last_ms, kept, None, None)


def _log(
    new_id: Callable[[], int],
    me: Actor,
    here: Here,
    row: MessageRow,
    action: AuditLogEvent,
    reason: str | None,
    tx: Tx,
) -> Kept | None:
    if not isinstance(here, GuildPlace):
        return None
    options = AuditLogOptions(channel_id=here.channel.id, message_id=Snowflake(row.id))
    entry = audit_log.entry(me, action, row.author_id, reason, options=options)
    return audit_log.record(tx, new_id, here.guild.id, entry)


def _changed(core: Core, here: Here, changed: _Changed | None) -> None:
    if changed is None:
        return
    core.live.bus.horizon = changed.position
    [message] = render.messages(core, changed.page)
    message_events.publish(core, here, "MESSAGE_UPDATE", message)
    _remember(here, changed.last_pin_ms)
    kept_events.tell(core, here.bus_key, changed.update, here.audience(core, changed.update.name))
    if changed.notice is not None:
        core.live.bus.horizon = changed.notice[1]
        message_events.posted(core, here, *changed.notice)
    if changed.entry is not None and isinstance(here, GuildPlace):
        audit_log.announce(core, here.guild, changed.entry)


def _remember(here: Here, last_pin_ms: int | None) -> None:
    if not isinstance(here, GuildPlace):
        here.direct.last_pin_ms = last_pin_ms
    elif last_pin_ms is None:
        here.guild.last_pins.pop(here.id, None)
    else:
        here.guild.last_pins[here.id] = last_pin_ms
