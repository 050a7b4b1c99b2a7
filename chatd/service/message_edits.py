"""Editing a message. Docs: resources/message, "Edit Message"."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from msgspec import UNSET, Raw
from msgspec.structs import replace

from chatd.model import permissions as p
from chatd.model.errors import (
    CANNOT_EDIT_POLL,
    CANNOT_EDIT_STICKERS,
    CANNOT_EDIT_VOICE_MESSAGE,
    MISSING_PERMISSIONS,
    NOT_YOUR_MESSAGE,
    SYSTEM_MESSAGE,
    UNKNOWN_MESSAGE,
)
from chatd.model.markup import Mentions
from chatd.model.objects.embed import Embed
from chatd.model.objects.message import AUTHORED_TYPES, MessageExtra, MessageFlags, MessagePatch
from chatd.model.wire import Snowflake, encode
from chatd.service import (
    access,
    automod,
    component_rules,
    components,
    compose,
    mentions,
    message_content,
    message_events,
    render,
    thread_rules,
    unfurling,
    uploads,
)
from chatd.service.access import Here
from chatd.service.actors import Actor
from chatd.service.attachments import NewFiles, listed, names
from chatd.service.compose import V2, VOICE
from chatd.service.core import Core
from chatd.service.embeds import embeds_from
from chatd.service.messages import EncodedMessage
from chatd.service.uploads import Upload
from chatd.store import journal
from chatd.store import messages as store
from chatd.store.db import Tx
from chatd.store.messages import MessageRow, Page
from chatd.store.rows import to_text

# The flag that may be set and unset: of an own message, and with MANAGE_MESSAGES of any.
_SWITCHED = int(MessageFlags.SUPPRESS_EMBEDS)


class _Change(NamedTuple):
    """What an edit may put in place of the old."""

    named: Mentions
    embeds: tuple[Embed, ...]
    components: components.Tree
    files: NewFiles  # beside those that the message has


async def edit(
    core: Core,
    me: Actor,
    channel_id: Snowflake,
    message_id: Snowflake,
    body: MessagePatch,
    files: Sequence[Upload] = (),
) -> EncodedMessage:
    """Change one's own message, or with MANAGE_MESSAGES the flags of any. Docs: resources/message, "Edit Message".

    Raises UNKNOWN_MESSAGE, NOT_YOUR_MESSAGE, MISSING_PERMISSIONS, CANNOT_EDIT_POLL, CANNOT_EDIT_STICKERS,
    CANNOT_EDIT_VOICE_MESSAGE, or what `compose.new` does.
    """
    described = () if body.attachments is UNSET else body.attachments or ()
    async with uploads.kept(core, channel_id, files, described) as new:
        return await at(core, me, await access.channel(core, me, channel_id), message_id, body, new)


async def at(core: Core, me: Actor, here: Here, message_id: int, body: MessagePatch, new: NewFiles) -> EncodedMessage:
    """As `edit`, in a place that the author sees, with files that are kept."""
    thread_rules.check_is_open(here)
    if not me.is_bot:  # as in a new message
        body.components = UNSET
    change = await _change(core, me, here, body, new)
    screened = None
    if automod.watches(here) and _says_something(body, change):
        await core.db.read(_editable, me.id, here, message_id, body, change)
        screened = await automod.screen(core, me, here, body.content or "", change.embeds, is_new=False)
    edit = partial(_edit, core.ids.next, me, here, message_id, body, change, core.clock_ms())
    message = await core.db.write(edit, then=partial(edited, core, me, here))
    if screened is not None:
        await automod.report(core, me, screened, message_id)
    return message


def edited(core: Core, me: Actor, here: Here, outcome: tuple[int, Page]) -> EncodedMessage:
    """After the commit: MESSAGE_UPDATE; the encoded message is returned. `outcome`: the position and the message."""
    core.live.bus.horizon, page = outcome
    [message] = render.messages(core, page)
    sent = message_events.publish(core, here, "MESSAGE_UPDATE", render.for_everybody(message))
    if page.rows[0].author_id == me.id:
        unfurling.offer(core, here, page.rows[0].id, page.rows[0])
    [shown] = message_content.shown(me, here, [message])
    return Raw(encode(shown)) if page.reactions or page.votes or shown is not message else sent


async def _change(core: Core, me: Actor, here: Here, body: MessagePatch, new: NewFiles) -> _Change:
    """Raises MISSING_PERMISSIONS or a form error."""
    embeds = embeds_from(body.embeds or []) if body.embeds is not UNSET else ()
    if embeds and not here.permissions & p.EMBED_LINKS:
        raise MISSING_PERMISSIONS()
    tree = await components.received(core, me, here, body.components) if body.components else ()
    rule = None if body.allowed_mentions is UNSET else body.allowed_mentions
    named = mentions.named(here, compose.said(body.content or "", tree), rule)
    known = await mentions.resolve(core, here, named.users)
    there = tuple(user_id for user_id in named.users if user_id in known)
    return _Change(named._replace(users=there), embeds, tree, new)


# --- the transaction -------------------------------------------------------------------------------------------------


def _edit(
    new_id: Callable[[], int],
    me: Actor,
    here: Here,
    message_id: int,
    body: MessagePatch,
    change: _Change,
    now_ms: int,
    tx: Tx,
) -> tuple[int, Page]:
    before = _editable(tx, me.id, here, message_id, body, change)
    flags = _flags(me, before, body)
    content = before.content if body.content is UNSET else body.content or ""
    extra_before = render.extra_of(before.extra)
    extra = _contents(extra_before, flags, body, change)
    edited_ms = before.edited_ms
    extra = replace(extra, link_embeds=unfurling.kept(extra.link_embeds, content))
    if _says_something(body, change) or flags & V2 > before.flags & V2:
        compose.check_contents(content, extra, flags)
        edited_ms = now_ms
    row = replace(before, content=content, flags=flags, edited_ms=edited_ms, extra=to_text(extra))
    store.update(tx, row)
    store.update_attachments(tx, row, extra_before.attachments, extra.attachments)
    position = new_id()
    journal.keep_edit(tx, position, here.bus_key, before, row)
    return position, store.with_context(tx, [row], render.named_users, render.replied_to, me.id)


def _flags(me: Actor, row: MessageRow, body: MessagePatch) -> int:
    """Other changes than these are ignored. Once set, IS_COMPONENTS_V2 stays."""
    if body.flags is UNSET or body.flags is None:
        return row.flags
    added = body.flags & V2 if me.is_bot and row.author_id == me.id else 0
    return (row.flags & ~_SWITCHED) | (body.flags & _SWITCHED) | added


def _contents(extra: MessageExtra, flags: int, body: MessagePatch, change: _Change) -> MessageExtra:
    """Whom the message mentions is found anew in its text: with IS_COMPONENTS_V2 that of the components."""
    if (body.components if flags & V2 else body.content) is not UNSET:
        named = change.named
        extra = replace(extra, mentions=named.users, mention_roles=named.roles, mention_everyone=named.everyone)
    if body.embeds is not UNSET:
        extra = replace(extra, embeds=change.embeds)
    extra = replace(extra, attachments=listed(extra.attachments, body.attachments, change.files))
    if body.components is not UNSET:
        extra = replace(extra, components=change.components)
    if not (body.components is body.attachments is UNSET):
        component_rules.check(extra.components, bool(flags & V2), names(extra.attachments))
    if body.sticker_ids is not UNSET and (body.sticker_ids or []) != [it.id for it in extra.sticker_items]:
        if body.sticker_ids or not flags & V2:
            raise CANNOT_EDIT_STICKERS()
        extra = replace(extra, sticker_items=())
    return extra


def _editable(tx: Tx, me_id: int, here: Here, message_id: int, body: MessagePatch, change: _Change) -> MessageRow:
    """The message, if this is an edit that the user may make."""
    row = store.get(tx, here.id, message_id)
    if row is None:
        raise UNKNOWN_MESSAGE()
    if row.author_id != me_id:
        if _says_something(body, change):
            raise NOT_YOUR_MESSAGE()
        if not here.permissions & p.MANAGE_MESSAGES:
            raise MISSING_PERMISSIONS()
    elif _says_something(body, change) and row.type not in AUTHORED_TYPES:
        raise SYSTEM_MESSAGE()
    elif _says_something(body, change) and row.flags & VOICE:
        raise CANNOT_EDIT_VOICE_MESSAGE()
    elif _says_something(body, change) and render.extra_of(row.extra).poll is not UNSET:
        raise CANNOT_EDIT_POLL()
    return row


def _says_something(body: MessagePatch, change: _Change) -> bool:
    parts = (body.content, body.embeds, body.attachments, body.components, body.sticker_ids)
    return any(part is not UNSET for part in parts) or bool(change.files)
