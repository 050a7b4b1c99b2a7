"""Published messages: a copy for every channel that follows, which stays as its source is.

Docs: resources/message, "Crosspost Message" and "Message Reference Content Attribution".

What is left to do stands in the database (`store.crossposts`): copies that are to be posted, and those whose source
has been edited or deleted since, whoever did that. `deliver` does it, batch by batch, until nothing is left; a crash
in between loses nothing. Copies mention nobody: who is named is shown, and not called.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    ALREADY_CROSSPOSTED,
    INVALID_MESSAGE_TYPE,
    MISSING_PERMISSIONS,
    UNKNOWN_MESSAGE,
    WRONG_CHANNEL_TYPE,
    rate_limited,
)
from chatd.model.objects.attachment import StoredAttachment
from chatd.model.objects.channel import ChannelType
from chatd.model.objects.message import (
    MessageExtra,
    MessageFlags,
    MessageReference,
    MessageType,
    WebhookAuthor,
)
from chatd.model.objects.webhook import Webhook
from chatd.model.ratelimit import Rule
from chatd.model.wire import Snowflake
from chatd.service import access, message_edits, message_events, render
from chatd.service.access import GuildChannel
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.messages import EncodedMessage
from chatd.store import channels, journal, webhooks
from chatd.store import crossposts as store
from chatd.store import messages as message_store
from chatd.store.db import Overloaded, Tx
from chatd.store.messages import Draft, MessageRow, Page
from chatd.store.rows import to_text

# Copies in one transaction.
BATCH = 50

# What clients show in place of a message whose source is deleted.
DELETED = "[Original Message Deleted]"

_LIMIT = Rule(limits.CROSSPOSTS_PER_HOUR, 3600)
# What a copy has of its source's flags: how its contents are to be read.
_CARRIED_FLAGS = (
    MessageFlags.SUPPRESS_EMBEDS
    | MessageFlags.IS_VOICE_MESSAGE
    | MessageFlags.HAS_SNAPSHOT
    | MessageFlags.IS_COMPONENTS_V2
)


async def crosspost(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake) -> EncodedMessage:
    """Publish one's own message, or with MANAGE_MESSAGES any, to all that follow the channel.

    Docs: resources/message, "Crosspost Message". Raises WRONG_CHANNEL_TYPE, UNKNOWN_MESSAGE, MISSING_PERMISSIONS,
    INVALID_MESSAGE_TYPE, ALREADY_CROSSPOSTED, and a 429 for more than ten in a channel within an hour.
    """
    here = await access.guild_channel(core, me, channel_id, p.SEND_MESSAGES)
    if here.channel.type != ChannelType.GUILD_ANNOUNCEMENT:
        raise WRONG_CHANNEL_TYPE()
    await core.db.read(_publishable, me.id, here, message_id)
    _count(core, here)
    publish = partial(_publish, core.ids.next, me.id, here, message_id)
    published = await core.db.write(publish, then=partial(message_edits.edited, core, me, here))
    with suppress(Overloaded):  # it is published, and the copies are due all the same
        await _deliver_some(core)
    return published


async def deliver(core: Core) -> None:
    """Post the copies that are due, and bring the others up to date."""
    while await core.db.read(store.is_anything_left):
        await _deliver_some(core)


async def _deliver_some(core: Core) -> None:
    """A batch of each. Nobody who publishes waits for more: the others are the periodic job's."""
    for work in (_post, _update):
        await core.db.write(partial(work, core.ids.next), then=partial(_tell, core))


# --- publishing ------------------------------------------------------------------------------------------------------


def _count(core: Core, here: GuildChannel) -> None:
    """Of the channel, whoever publishes; counted only when nothing else is in the way."""
    if core.config.limits.rate_limits:
        verdict = core.limiter.hit(("crosspost", here.id), _LIMIT, core.clock_ms() / 1000)
        if not verdict.allowed:
            raise rate_limited(verdict.reset_after_s, "shared")


def _publishable(tx: Tx, me_id: int, here: GuildChannel, message_id: int) -> MessageRow:
    row = message_store.get(tx, here.id, message_id)
    if row is None:
        raise UNKNOWN_MESSAGE()
    if row.author_id != me_id and not here.permissions & p.MANAGE_MESSAGES:
        raise MISSING_PERMISSIONS()
    has_poll = render.extra_of(row.extra).poll is not UNSET  # which would need votes of its own in every copy
    if row.type != MessageType.DEFAULT or row.flags & MessageFlags.IS_CROSSPOST or has_poll:
        raise INVALID_MESSAGE_TYPE()
    if row.flags & MessageFlags.CROSSPOSTED:
        raise ALREADY_CROSSPOSTED()
    return row


def _publish(new_id: Callable[[], int], me_id: int, here: GuildChannel, message_id: int, tx: Tx) -> tuple[int, Page]:
    before = _publishable(tx, me_id, here, message_id)
    row = replace(before, flags=int(before.flags | MessageFlags.CROSSPOSTED))
    message_store.update(tx, row)
    store.publish(tx, row.id, here.id)
    position = new_id()
    journal.keep_edit(tx, position, here.bus_key, before, row)
    return position, message_store.with_context(tx, [row], render.named_users, render.replied_to, me_id)


# --- delivering: each of these is one transaction --------------------------------------------------------------------


class _Done(NamedTuple):
    """What is to be told of copies: the event of each, with its position and its guild."""

    name: str
    where: list[tuple[int, int]]
    page: Page


def _post(new_id: Callable[[], int], tx: Tx) -> _Done:
    due = store.undelivered(tx, BATCH)
    followers = {int(webhook.id): webhook for webhook in webhooks.by_ids(tx, [it.webhook_id for it in due])}
    sources = {row.id: row for row in message_store.by_ids(tx, [it.source_id for it in due])}
    references = {id_: _reference(tx, row) for id_, row in sources.items()}
    drafts = []
    for it in due:
        source, follower = sources[it.source_id], followers[it.webhook_id]
        author = WebhookAuthor(username=follower.name, avatar=follower.avatar)
        own = MessageExtra(webhook=author, message_reference=references[source.id])
        drafts.append(_copy(new_id, source, follower, own))
    ids = message_store.append(tx, drafts)
    store.delivered(tx, list(zip(ids, due, strict=True)))
    where = [(id_, int(followers[it.webhook_id].guild_id)) for id_, it in zip(ids, due, strict=True)]
    return _Done("MESSAGE_CREATE", where, _page(tx, message_store.by_ids(tx, ids)[::-1]))


def _update(new_id: Callable[[], int], tx: Tx) -> _Done:
    waiting = store.waiting(tx, BATCH)
    found = message_store.by_ids(tx, [id_ for it in waiting for id_ in (it.copy_id, it.source_id or 0)])
    known = {row.id: row for row in found}
    rows, where = [], []
    for copy in waiting:
        before = known[copy.copy_id]
        row = _like(before, known.get(copy.source_id or 0))
        message_store.update(tx, row)
        message_store.update_attachments(tx, row, _files(before), _files(row))
        store.done(tx, copy)
        position = new_id()
        journal.keep_edit(tx, position, copy.guild_id, before, row)
        rows.append(row)
        where.append((position, copy.guild_id))
    return _Done("MESSAGE_UPDATE", where, _page(tx, rows))


def _page(tx: Tx, rows: list[MessageRow]) -> Page:
    return message_store.with_context(tx, rows, render.named_users, render.replied_to)


def _reference(tx: Tx, source: MessageRow) -> MessageReference:
    key = channels.key(tx, source.channel_id)
    return MessageReference(
        type=0,
        channel_id=Snowflake(source.channel_id),
        message_id=Snowflake(source.id),
        guild_id=UNSET if key is None or key.guild_id is None else Snowflake(key.guild_id),
    )


def _copy(new_id: Callable[[], int], source: MessageRow, follower: Webhook, own: MessageExtra) -> Draft:
    return Draft(
        new_id=new_id,
        channel_id=follower.channel_id,
        author_id=follower.id,
        type=source.type,
        flags=int(MessageFlags.IS_CROSSPOST | source.flags & _CARRIED_FLAGS),
        content=source.content,
        nonce=None,
        extra=to_text(_extra_like(own, source)),
        attachments=_files(source),
    )


def _like(copy: MessageRow, source: MessageRow | None) -> MessageRow:
    """The copy as its source is now, None when that is deleted."""
    own = render.extra_of(copy.extra)
    if source is None:
        left = MessageExtra(webhook=own.webhook, message_reference=own.message_reference)
        flags = copy.flags & ~_CARRIED_FLAGS | MessageFlags.SOURCE_MESSAGE_DELETED
        return replace(copy, flags=int(flags), content=DELETED, extra=to_text(left))
    flags = copy.flags & ~_CARRIED_FLAGS | source.flags & _CARRIED_FLAGS
    extra = to_text(_extra_like(own, source))
    return replace(copy, flags=int(flags), content=source.content, edited_ms=source.edited_ms, extra=extra)


def _files(row: MessageRow) -> tuple[StoredAttachment, ...]:
    """Of the message and of what it forwards."""
    extra = render.extra_of(row.extra)
    return extra.attachments + (() if extra.snapshot is None else extra.snapshot.attachments)


def _extra_like(own: MessageExtra, source: MessageRow) -> MessageExtra:
    return replace(
        render.extra_of(source.extra),
        tts=False,
        mention_everyone=False,
        mention_roles=(),
        nonce=None,
        message_reference=own.message_reference,
        webhook=own.webhook,
    )


def _tell(core: Core, done: _Done) -> None:
    """Guilds that are not in memory have nobody listening."""
    for (position, guild_id), message in zip(done.where, render.messages(core, done.page), strict=True):
        core.live.bus.horizon = position
        guild = core.live.guilds.get(guild_id)
        here = None if guild is None else access.place(guild, message.channel_id)
        if here is not None:
            if done.name == "MESSAGE_CREATE":
                here.posted(message.id)
            message_events.publish(core, here, done.name, message)
