"""The commit of a change of one webhook: its rows, the audit log, and who hears of it. Docs: resources/webhook.

The caller holds the guild's lock.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from chatd.model import limits
from chatd.model.errors import TOO_MANY_GUILD_WEBHOOKS, TOO_MANY_WEBHOOKS, UNKNOWN_CHANNEL
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import AuditLogEntry, AuditLogEvent
from chatd.model.objects.webhook import Webhook, WebhooksUpdate
from chatd.model.wire import Snowflake
from chatd.service import audit_log, kept_events, message_events
from chatd.service.access import GuildChannel
from chatd.service.actors import Actor
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.service.kept_events import Kept
from chatd.store import messages as message_store
from chatd.store import webhooks as store
from chatd.store.db import Missing, Tx

UPDATE = "WEBHOOKS_UPDATE"


async def add(
    core: Core,
    me: Actor,
    here: GuildChannel,
    webhook: Webhook,
    reason: str | None,
    *,
    source_id: int | None = None,
    notices: Sequence[Composed] = (),
) -> None:
    """A new webhook, with what the system says of it.

    Raises TOO_MANY_WEBHOOKS, TOO_MANY_GUILD_WEBHOOKS, and UNKNOWN_CHANNEL where the source is gone.
    """

    def write(tx: Tx) -> None:
        _check_room(tx, webhook.channel_id)
        if store.count_of_guild(tx, webhook.guild_id) >= limits.GUILD_WEBHOOKS:
            raise TOO_MANY_GUILD_WEBHOOKS()
        store.insert(tx, webhook, source_id)

    changes = audit_log.differences({}, _audited(webhook))
    entry = audit_log.entry(me, AuditLogEvent.WEBHOOK_CREATE, webhook.id, reason, changes=changes)
    try:
        await _commit(core, here, webhook, [here.id], entry, write, notices)
    except Missing:
        raise UNKNOWN_CHANNEL() from None


async def change(core: Core, me: Actor, here: GuildChannel, old: Webhook, new: Webhook, reason: str | None) -> None:
    """It may have moved to another channel. Raises TOO_MANY_WEBHOOKS."""

    def write(tx: Tx) -> None:
        if new.channel_id != old.channel_id:
            _check_room(tx, new.channel_id)
        store.update(tx, new)

    changes = audit_log.differences(_audited(old), _audited(new))
    entry = audit_log.entry(me, AuditLogEvent.WEBHOOK_UPDATE, new.id, reason, changes=changes)
    await _commit(core, here, new, dict.fromkeys((old.channel_id, new.channel_id)), entry, write)


async def remove(core: Core, me: Actor, here: GuildChannel, webhook: Webhook, reason: str | None) -> None:
    changes = audit_log.differences(_audited(webhook), {})
    entry = audit_log.entry(me, AuditLogEvent.WEBHOOK_DELETE, webhook.id, reason, changes=changes)
    await _commit(core, here, webhook, [here.id], entry, lambda tx: store.delete(tx, webhook.id))


class _Committed(NamedTuple):
    """What is to be told, in this order."""

    notice_ids: list[int]
    updates: Sequence[tuple[int, Kept]]  # channel and WEBHOOKS_UPDATE
    entry: Kept  # of the audit log


async def _commit(
    core: Core,
    here: GuildChannel,
    webhook: Webhook,
    channel_ids: Iterable[int],
    entry: AuditLogEntry,
    write: Callable[[Tx], None],
    notices: Sequence[Composed] = (),
) -> None:
    """`channel_ids`: the channels that hear of it."""
    guild = here.guild

    def transaction(tx: Tx) -> _Committed:
        write(tx)
        notice_ids = message_store.append(tx, [notice.draft for notice in notices])
        events = [WebhooksUpdate(guild_id=webhook.guild_id, channel_id=Snowflake(id_)) for id_ in channel_ids]
        updates = [(it.channel_id, kept_events.keep(tx, core.ids.next, guild.id, UPDATE, it)) for it in events]
        return _Committed(notice_ids, updates, audit_log.record(tx, core.ids.next, guild.id, entry))

    def committed(outcome: _Committed) -> None:
        core.live.webhooks.drop(webhook.id)
        for notice, notice_id in zip(notices, outcome.notice_ids, strict=True):
            core.live.bus.horizon = notice_id
            message_events.posted(core, here, notice, notice_id)
        for channel_id, update in outcome.updates:
            kept_events.tell(core, guild.id, update, guild.audience(GATES[UPDATE][0], channel_id))
        audit_log.announce(core, guild, outcome.entry)

    await core.db.write(transaction, then=committed)


def _check_room(tx: Tx, channel_id: int) -> None:
    if store.count_of_channel(tx, channel_id) >= limits.CHANNEL_WEBHOOKS:
        raise TOO_MANY_WEBHOOKS()


def _audited(webhook: Webhook) -> dict[str, Any]:
    """What the audit log tells of a webhook (resources/audit-log, "Audit Log Change Exceptions")."""
    return {
        "type": webhook.type,
        "name": webhook.name,
        "avatar_hash": webhook.avatar,
        "channel_id": webhook.channel_id,
        "application_id": webhook.application_id,
    }
