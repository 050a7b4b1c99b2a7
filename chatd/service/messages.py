"""Messages: post, edit, delete, page. Docs: resources/message.

The path of a new message reads nothing from the database: token, guild, permissions and limits are in memory.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import trio
from msgspec import UNSET, Raw
from msgspec.structs import replace

from chatd.live.frames import Event
from chatd.model import permissions as p
from chatd.model.errors import (
    MISSING_PERMISSIONS,
    NOT_YOUR_MESSAGE,
    OVERLOADED,
    SLOWMODE,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    rate_limited,
)
from chatd.model.objects.gateway import MessageDelete, TypingStart
from chatd.model.objects.message import (
    Message,
    MessageCreate,
    MessageFlags,
    MessagePage,
    MessagePatch,
)
from chatd.model.ratelimit import Rule
from chatd.model.wire import Snowflake, encode
from chatd.service import access, compose, render, verification
from chatd.service.access import DirectAccess, GuildChannel
from chatd.service.actors import Actor
from chatd.service.compose import Composed, Here
from chatd.service.core import Core
from chatd.store import journal
from chatd.store import messages as store
from chatd.store.db import Missing, Tx
from chatd.store.messages import MessageRow, Page
from chatd.store.rows import to_text

# Encoded already: the same bytes go to whoever posted the message and to the sessions that see it.
EncodedMessage = Annotated[Raw, Message]

# How long a post waits for room on the bus before it is refused.
ROOM_S = 5.0

# The flags of its own message that an author may set, and of others' messages with MANAGE_MESSAGES.
_EDITABLE_FLAGS = MessageFlags.SUPPRESS_EMBEDS


async def create(core: Core, me: Actor, channel_id: Snowflake, body: MessageCreate) -> EncodedMessage:
    """Post a message and tell everyone who can see the channel. Docs: resources/message, "Create Message".

    With `enforce_nonce`, a nonce that the author used in this channel within the last minutes returns the first
    message and posts none. Raises UNKNOWN_CHANNEL, MISSING_ACCESS, MISSING_PERMISSIONS,
    VERIFICATION_LEVEL_TOO_HIGH, EMPTY_MESSAGE.
    """
    here = await access.channel(core, me, channel_id, p.SEND_MESSAGES)
    verification.check(core, me, here)
    if not body.enforce_nonce or body.nonce is None:
        return (await _post(core, me, here, body))[1]
    claim = await core.nonces.claim((me.id, channel_id, str(body.nonce)), core.clock_ms() / 1000)
    if claim.message_id is not None:
        return Raw(encode(await _get(core, channel_id, claim.message_id)))
    with claim:
        message_id, encoded = await _post(core, me, here, body)
        claim.settle(message_id)
    return encoded


async def page(core: Core, me: Actor, channel_id: Snowflake, query: MessagePage) -> list[Message]:
    """Newest first; without READ_MESSAGE_HISTORY nothing. Docs: resources/message, "Get Channel Messages"."""
    here = await access.channel(core, me, channel_id)
    compose.check_holds_messages(here)
    if not here.permissions & p.READ_MESSAGE_HISTORY:
        return []
    return render.messages(await core.db.read(_read_page, channel_id, query))


async def show(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake) -> Message:
    """Docs: resources/message, "Get Channel Message". Raises UNKNOWN_MESSAGE."""
    await access.channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
    return await _get(core, channel_id, message_id)


async def edit(
    core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake, body: MessagePatch
) -> EncodedMessage:
    """Change one's own message, or with MANAGE_MESSAGES the flags of any. Docs: resources/message, "Edit Message".

    Raises UNKNOWN_MESSAGE, NOT_YOUR_MESSAGE, MISSING_PERMISSIONS, EMPTY_MESSAGE.
    """
    here = await access.channel(core, me, channel_id)
    change = await compose.change(core, me, here, body)
    edit = partial(_edit, core.ids.next, me.id, here, message_id, body, change, core.clock_ms())
    return await core.db.write(edit, then=partial(_edited, core, here))


async def delete(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake) -> None:
    """Delete one's own message, or with MANAGE_MESSAGES any. Docs: resources/message, "Delete Message".

    Raises UNKNOWN_MESSAGE, MISSING_PERMISSIONS.
    """
    here = await access.channel(core, me, channel_id)
    await core.db.write(partial(_delete, core.ids.next, me.id, here, message_id), then=partial(_deleted, core, here))


async def typing(core: Core, me: Actor, channel_id: Snowflake) -> None:
    """Tell everyone who can see the channel. Docs: resources/channel, "Trigger Typing Indicator"."""
    here = await access.channel(core, me, channel_id, p.SEND_MESSAGES)
    compose.check_holds_messages(here)
    event = TypingStart(channel_id=channel_id, user_id=me.user.id, timestamp=core.clock_ms() // 1000)
    if isinstance(here, GuildChannel):
        event = replace(event, guild_id=here.channel.guild_id, member=here.guild.members[me.id])
    core.live.to_audience(here.bus_key, "TYPING_START", event, here.audience(core, "TYPING_START"))


# --- posting -------------------------------------------------------------------------------------------------------


async def _post(core: Core, me: Actor, here: Here, body: MessageCreate) -> tuple[int, Raw]:
    composed = await compose.new(core, me, here, body)
    _check_slowmode(core, me, here)
    if not core.live.bus.has_room(here.bus_key):
        await _wait_for_room(core, here)
    try:
        return await core.db.append(store.append, composed.draft, then=partial(_posted, core, here, composed))
    except Missing:  # deleted since we looked
        raise UNKNOWN_CHANNEL() from None


async def _wait_for_room(core: Core, here: Here) -> None:
    with trio.move_on_after(ROOM_S) as waiting:
        await core.live.bus.room(here.bus_key)
    if waiting.cancelled_caught:
        raise OVERLOADED()


def _posted(core: Core, here: Here, composed: Composed, message_id: int) -> tuple[int, Raw]:
    core.live.bus.horizon = message_id
    draft = composed.draft
    row = MessageRow(
        message_id, draft.channel_id, draft.author_id, draft.type, draft.flags, draft.content, None, None, draft.extra
    )
    message = render.message(row, composed.extra, composed.users, composed.referenced)
    if isinstance(here, GuildChannel):
        here.guild.last_message_ids[draft.channel_id] = message_id
    else:
        here.direct.last_message_id = message_id
    return message_id, _publish(core, here, "MESSAGE_CREATE", message)


def _check_slowmode(core: Core, me: Actor, here: Here) -> None:
    """Docs: resources/channel, `rate_limit_per_user`."""
    if isinstance(here, DirectAccess) or not here.channel.rate_limit_per_user:
        return
    if here.permissions & (p.BYPASS_SLOWMODE | p.MANAGE_MESSAGES | p.MANAGE_CHANNELS):
        return
    rule = Rule(1, here.channel.rate_limit_per_user)
    verdict = core.limiter.hit(("slowmode", here.channel.id, me.id), rule, core.clock_ms() / 1000)
    if not verdict.allowed:
        raise rate_limited(verdict.reset_after_s, kind=SLOWMODE)


# --- publishing ----------------------------------------------------------------------------------------------------


def _publish(core: Core, here: Here, name: str, message: Message) -> Raw:
    """Send the event; the encoded message, which is most of the event's body, is returned."""
    encoded = encode(message)
    audience = here.audience(core, name, content=True)
    if audience:
        core.live.bus.publish(here.bus_key, _event(here, name, message, encoded, bool(audience.lean)), audience)
    return Raw(encoded)


def _event(here: Here, name: str, message: Message, encoded: bytes, needs_lean: bool) -> Event:
    if message.mentions and isinstance(here, GuildChannel):
        mentions = tuple(render.mentioned(user, here.guild) for user in message.mentions)
        encoded = encode(replace(message, mentions=mentions))
    context = _context(here, message.author.id)
    lean = _splice(encode(_without_content(message)), context) if needs_lean else None
    reveal = frozenset((int(message.author.id), *(int(user.id) for user in message.mentions)))
    return Event(name, _splice(encoded, context), lean, reveal)


def _without_content(message: Message) -> Message:
    """What a session without the MESSAGE_CONTENT intent sees; a quoted message is content as well."""
    quoted = message.referenced_message
    if isinstance(quoted, Message):
        quoted = replace(quoted, content="", embeds=())
    return replace(message, content="", embeds=(), referenced_message=quoted)


def _context(here: Here, author_id: int) -> bytes:
    """What the event has beyond the message: the fields that end its JSON (events/gateway-events, "Message Create")."""
    if isinstance(here, DirectAccess):
        return b',"channel_type":1}'
    member = here.guild.members.get(author_id)
    suffix = b"" if member is None else b',"member":' + encode(render.message_member(member))
    return b',"channel_type":%d,"guild_id":"%d"%b}' % (here.channel.type, here.guild.id, suffix)


def _splice(encoded: bytes, context: bytes) -> bytes:
    return encoded[:-1] + context


def told_again(here: Here, entry: journal.Entry, page: Page) -> Event:
    """The event of a journal entry, whose row is the page's, as it was published; its users as they are now."""
    if entry.name == journal.DELETED:
        event = Event(entry.name, encode(_deletion(here, page.rows[0].id)))
    else:
        message = render.messages(page)[0]
        event = _event(here, entry.name, message, encode(message), needs_lean=True)
    event.position = entry.position
    return event


# --- reading -------------------------------------------------------------------------------------------------------


async def _get(core: Core, channel_id: int, message_id: int) -> Message:
    found = render.messages(await core.db.read(_read_one, channel_id, message_id))
    if not found:
        raise UNKNOWN_MESSAGE()
    return found[0]


def _read_page(tx: Tx, channel_id: int, query: MessagePage) -> Page:
    if query.around is not UNSET:
        rows = store.around(tx, channel_id, query.around, query.limit)
    elif query.after is not UNSET:
        rows = store.after(tx, channel_id, query.after, query.limit)
    else:
        rows = store.before(tx, channel_id, 2**63 - 1 if query.before is UNSET else query.before, query.limit)
    return store.with_context(tx, rows, render.named_users, render.replied_to)


def _read_one(tx: Tx, channel_id: int, message_id: int) -> Page:
    row = store.get(tx, channel_id, message_id)
    return store.with_context(tx, [] if row is None else [row], render.named_users, render.replied_to)


# --- changing: each of these is one transaction ----------------------------------------------------------------------


def _edit(
    new_id: Callable[[], int],
    author_id: int,
    here: Here,
    message_id: int,
    body: MessagePatch,
    change: compose.Change,
    now_ms: int,
    tx: Tx,
) -> tuple[int, Page]:
    before = row = store.get(tx, here.id, message_id)
    if row is None or before is None:
        raise UNKNOWN_MESSAGE()
    if row.author_id != author_id:
        if body.content is not UNSET or body.embeds is not UNSET:
            raise NOT_YOUR_MESSAGE()
        if not here.permissions & p.MANAGE_MESSAGES:
            raise MISSING_PERMISSIONS()
    extra = render.extra_of(row.extra)
    content, embeds = row.content, extra.embeds
    edited_ms = row.edited_ms
    if body.content is not UNSET:
        content = body.content or ""
        named = change.named
        extra = replace(extra, mentions=named.users, mention_roles=named.roles, mention_everyone=named.everyone)
    if body.embeds is not UNSET:
        embeds = change.embeds
    if body.content is not UNSET or body.embeds is not UNSET:
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
    return position, store.with_context(tx, [row], render.named_users, render.replied_to)


def _edited(core: Core, here: Here, outcome: tuple[int, Page]) -> Raw:
    core.live.bus.horizon, page = outcome
    return _publish(core, here, "MESSAGE_UPDATE", render.messages(page)[0])


def _delete(new_id: Callable[[], int], me_id: int, here: Here, message_id: int, tx: Tx) -> tuple[int, int]:
    row = store.get(tx, here.id, message_id)
    if row is None:
        raise UNKNOWN_MESSAGE()
    if row.author_id != me_id and not (here.permissions & p.MANAGE_MESSAGES and isinstance(here, GuildChannel)):
        raise MISSING_PERMISSIONS()
    store.delete(tx, message_id)
    position = new_id()
    journal.keep_deletion(tx, position, here.bus_key, row)
    return position, message_id


def _deletion(here: Here, message_id: int) -> MessageDelete:
    guild_id = here.channel.guild_id if isinstance(here, GuildChannel) else UNSET
    return MessageDelete(id=Snowflake(message_id), channel_id=Snowflake(here.id), guild_id=guild_id)


def _deleted(core: Core, here: Here, outcome: tuple[int, int]) -> None:
    core.live.bus.horizon, message_id = outcome
    event = _deletion(here, message_id)
    core.live.to_audience(here.bus_key, "MESSAGE_DELETE", event, here.audience(core, "MESSAGE_DELETE"))
