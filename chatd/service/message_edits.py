"""Editing a message. Docs: resources/message, "Edit Message"."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from msgspec import UNSET, Raw
from msgspec.structs import replace

from chatd.model import permissions as p
from chatd.model.errors import MISSING_PERMISSIONS, NOT_YOUR_MESSAGE, SYSTEM_MESSAGE, UNKNOWN_MESSAGE
from chatd.model.markup import Mentions
from chatd.model.objects.embed import Embed
from chatd.model.objects.message import AUTHORED_TYPES, MessageFlags, MessagePatch
from chatd.model.wire import Snowflake, encode
from chatd.service import access, automod, compose, mentions, message_events, render, thread_rules
from chatd.service.access import Here
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.embeds import embeds_from
from chatd.service.messages import EncodedMessage
from chatd.store import journal
from chatd.store import messages as store
from chatd.store.db import Tx
from chatd.store.messages import MessageRow, Page
from chatd.store.rows import to_text

# The flags of its own message that an author may set, and of others' messages with MANAGE_MESSAGES.
_EDITABLE_FLAGS = MessageFlags.SUPPRESS_EMBEDS


class _Change(NamedTuple):
    """What an edit may put in place of the old."""

    named: Mentions
    embeds: tuple[Embed, ...]


async def edit(
    core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, body: MessagePatch
) -> EncodedMessage:
    """Change one's own message, or with MANAGE_MESSAGES the flags of any. Docs: resources/message, "Edit Message".

    Raises UNKNOWN_MESSAGE, NOT_YOUR_MESSAGE, MISSING_PERMISSIONS, EMPTY_MESSAGE.
    """
    here = await access.channel(core, me, channel_id)
    thread_rules.check_is_open(here)
    change = await _change(core, me, here, body)
    screened = None
    if automod.watches(here) and _says_something(body):
        await core.db.read(_editable, me.id, here, message_id, body)
        screened = await automod.screen(core, me, here, body.content or "", change.embeds, is_new=False)
    edit = partial(_edit, core.ids.next, me.id, here, message_id, body, change, core.clock_ms())
    edited = await core.db.write(edit, then=partial(_edited, core, here))
    if screened is not None:
        await automod.report(core, me, screened, message_id)
    return edited


async def _change(core: Core, me: Actor, here: Here, body: MessagePatch) -> _Change:
    """Raises MISSING_PERMISSIONS or a form error."""
    embeds = embeds_from(body.embeds or []) if body.embeds is not UNSET else ()
    if embeds and not here.permissions & p.EMBED_LINKS:
        raise MISSING_PERMISSIONS()
    content = "" if body.content is UNSET else body.content or ""
    rule = None if body.allowed_mentions is UNSET else body.allowed_mentions
    named = mentions.named(here, content, rule)
    known = await mentions.resolve(core, here, named.users)
    return _Change(named._replace(users=tuple(user_id for user_id in named.users if user_id in known)), embeds)


# --- the transaction, and what follows it ----------------------------------------------------------------------------


def _edit(
    new_id: Callable[[], int],
    author_id: int,
    here: Here,
    message_id: int,
    body: MessagePatch,
    change: _Change,
    now_ms: int,
    tx: Tx,
) -> tuple[int, Page]:
    before = row = _editable(tx, author_id, here, message_id, body)
    extra = render.extra_of(row.extra)
    content, embeds = row.content, extra.embeds
    edited_ms = row.edited_ms
    if body.content is not UNSET:
        content = body.content or ""
        named = change.named
        extra = replace(extra, mentions=named.users, mention_roles=named.roles, mention_everyone=named.everyone)
    if body.embeds is not UNSET:
        embeds = change.embeds
    if _says_something(body):
        edited_ms = now_ms
        compose.check_not_empty(content, embeds)
    flags = row.flags
    if body.flags is not UNSET and body.flags is not None:
        flags = (flags & ~_EDITABLE_FLAGS) | (body.flags & _EDITABLE_FLAGS)
    row = replace(
        row, content=content, flags=int(flags), edited_ms=edited_ms, extra=to_text(replace(extra, embeds=embeds))
    )
    store.update(tx, row)
    position = new_id()
    journal.keep_edit(tx, position, here.bus_key, before, row)
    return position, store.with_context(tx, [row], render.named_users, render.replied_to, author_id)


def _editable(tx: Tx, me_id: int, here: Here, message_id: int, body: MessagePatch) -> MessageRow:
    """The message, if this is an edit that the user may make."""
    row = store.get(tx, here.id, message_id)
    if row is None:
        raise UNKNOWN_MESSAGE()
    if row.author_id != me_id:
        if _says_something(body):
            raise NOT_YOUR_MESSAGE()
        if not here.permissions & p.MANAGE_MESSAGES:
            raise MISSING_PERMISSIONS()
    elif _says_something(body) and row.type not in AUTHORED_TYPES:
        raise SYSTEM_MESSAGE()
    return row


def _says_something(body: MessagePatch) -> bool:
    return body.content is not UNSET or body.embeds is not UNSET


def _edited(core: Core, here: Here, outcome: tuple[int, Page]) -> Raw:
    core.live.bus.horizon, page = outcome
    [message] = render.messages(page)
    sent = message_events.publish(core, here, "MESSAGE_UPDATE", render.for_everybody(message))
    return Raw(encode(message)) if page.reactions else sent
