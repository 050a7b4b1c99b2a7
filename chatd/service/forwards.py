"""Forwarding: a message with a copy of another one as it was. Docs: resources/message, "Forwards"."""

from typing import NamedTuple

from msgspec import UNSET

from chatd.model import permissions as p
from chatd.model.errors import (
    CANNOT_FORWARD,
    CANNOT_REFERENCE,
    FORWARDED_MESSAGE_NOT_FOUND,
    INVALID_MESSAGE_TYPE,
)
from chatd.model.objects.message import (
    AUTHORED_TYPES,
    MessageExtra,
    MessageReference,
    MessageReferenceParams,
    ReferenceType,
    Snapshot,
)
from chatd.model.snowflake import created_ms
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake, timestamp
from chatd.service import access, message_content, render
from chatd.service.access import GuildPlace
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import messages as store
from chatd.store.messages import MessageRow


class Forwarded(NamedTuple):
    reference: MessageReference
    snapshot: Snapshot


async def take(core: Core, me: Actor, reference: MessageReferenceParams) -> Forwarded:
    """The message as it is now, if it may be forwarded.

    Raises what `access.channel` does for its channel, CANNOT_REFERENCE, FORWARDED_MESSAGE_NOT_FOUND,
    INVALID_MESSAGE_TYPE, CANNOT_FORWARD, or a form error.
    """
    if reference.channel_id is None:
        raise form_error("message_reference.channel_id", "BASE_TYPE_REQUIRED", "This field is required")
    there = await access.channel(core, me, reference.channel_id)
    if not there.permissions & p.READ_MESSAGE_HISTORY:
        raise CANNOT_REFERENCE()
    row = await core.db.read(store.get, there.id, reference.message_id)
    if row is None:
        raise FORWARDED_MESSAGE_NOT_FOUND()
    extra = render.extra_of(row.extra)
    if row.type not in AUTHORED_TYPES or extra.poll is not UNSET:
        raise INVALID_MESSAGE_TYPE()
    if not message_content.reads(me, there, row.author_id, extra.mentions):
        raise CANNOT_FORWARD()
    return Forwarded(
        MessageReference(
            type=int(ReferenceType.FORWARD),
            channel_id=Snowflake(there.id),
            message_id=Snowflake(row.id),
            guild_id=there.channel.guild_id if isinstance(there, GuildPlace) else UNSET,
        ),
        _snapshot(row, extra),
    )


def _snapshot(row: MessageRow, extra: MessageExtra) -> Snapshot:
    """Of a forward what it forwards: snapshots do not nest."""
    if extra.snapshot is not None:
        return extra.snapshot
    return Snapshot(
        type=row.type,
        content=row.content,
        timestamp=timestamp(created_ms(row.id)),
        edited_timestamp=None if row.edited_ms is None else timestamp(row.edited_ms),
        flags=row.flags,
        mentions=extra.mentions,
        mention_roles=extra.mention_roles,
        embeds=render.shown_embeds(row, extra),
        attachments=extra.attachments,
        components=extra.components,
        sticker_items=extra.sticker_items,
    )
