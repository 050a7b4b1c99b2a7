"""Messages: post, page. Docs: resources/message.

The path of a new message reads nothing from the database: token, guild, permissions and limits are in memory.
"""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from msgspec import UNSET, Raw
from msgspec.structs import replace

from chatd.model import permissions as p
from chatd.model.errors import (
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
)
from chatd.model.objects.gateway import TypingStart
from chatd.model.objects.message import (
    Message,
    MessageCreate,
    MessagePage,
)
from chatd.model.wire import Snowflake, encode
from chatd.service import (
    access,
    automod,
    backpressure,
    compose,
    message_content,
    message_events,
    render,
    slowmode,
    thread_members,
    unfurling,
    uploads,
    verification,
)
from chatd.service.access import GuildPlace, Here, ThreadPlace
from chatd.service.actors import Actor
from chatd.service.attachments import NO_FILES, NewFiles
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.service.uploads import Upload
from chatd.store import messages as store
from chatd.store.db import Missing, Tx
from chatd.store.messages import Page

# Encoded already: the same bytes go to whoever posted the message and to the sessions that see it.
EncodedMessage = Annotated[Raw, Message]


async def create(
    core: Core, me: Actor, channel_id: Snowflake, body: MessageCreate, files: Sequence[Upload] = ()
) -> EncodedMessage:
    """Post a message and tell everyone who can see the channel. Docs: resources/message, "Create Message".

    With `enforce_nonce`, a nonce that the author used in this channel within the last minutes returns the first
    message and posts none. Raises UNKNOWN_CHANNEL, MISSING_ACCESS, MISSING_PERMISSIONS,
    VERIFICATION_LEVEL_TOO_HIGH, EMPTY_MESSAGE.
    """
    if not files:
        return await _create(core, me, channel_id, body, NO_FILES)
    async with uploads.kept(core, channel_id, files, body.attachments or ()) as new:
        return await _create(core, me, channel_id, body, new)


async def _create(core: Core, me: Actor, channel_id: int, body: MessageCreate, new: NewFiles) -> EncodedMessage:
    here = await access.channel(core, me, channel_id, p.SEND_MESSAGES)
    verification.check(core, me, here)
    if not body.enforce_nonce or body.nonce is None:
        return (await _post(core, me, here, body, new))[1]
    claim = await core.nonces.claim((me.id, channel_id, str(body.nonce)), core.clock_ms() / 1000)
    if claim.message_id is not None:
        return Raw(encode(await _get(core, me, here, claim.message_id)))
    with claim:
        message_id, encoded = await _post(core, me, here, body, new)
        claim.settle(message_id)
    return encoded


async def page(core: Core, me: Actor, channel_id: Snowflake, query: MessagePage) -> list[Message]:
    """Newest first; without READ_MESSAGE_HISTORY nothing. Docs: resources/message, "Get Channel Messages"."""
    here = await access.channel(core, me, channel_id)
    compose.check_holds_messages(here)
    if not here.permissions & p.READ_MESSAGE_HISTORY:
        return []
    found = render.messages(core, await core.db.read(_read_page, me.id, channel_id, query))
    return message_content.shown(me, here, found)


async def show(core: Core, me: Actor, channel_id: Snowflake, message_id: Snowflake) -> Message:
    """Docs: resources/message, "Get Channel Message". Raises UNKNOWN_MESSAGE."""
    here = await access.channel(core, me, channel_id, p.READ_MESSAGE_HISTORY)
    return await _get(core, me, here, message_id)


async def typing(core: Core, me: Actor, channel_id: Snowflake) -> None:
    """Tell everyone who can see the channel. Docs: resources/channel, "Trigger Typing Indicator"."""
    here = await access.channel(core, me, channel_id, p.SEND_MESSAGES)
    compose.check_holds_messages(here)
    event = TypingStart(channel_id=channel_id, user_id=me.user.id, timestamp=core.clock_ms() // 1000)
    if isinstance(here, GuildPlace):
        event = replace(event, guild_id=here.channel.guild_id, member=here.guild.members[me.id])
    core.live.to_audience(here.bus_key, "TYPING_START", event, here.audience(core, "TYPING_START"))


# --- what other services share -------------------------------------------------------------------------------------


async def append(core: Core, here: Here, composed: Composed) -> tuple[int, EncodedMessage]:
    """Store a message and tell everyone who can see the channel; its id and itself.

    Raises OVERLOADED, UNKNOWN_CHANNEL.
    """
    await backpressure.room(core, here.bus_key)
    try:
        posted = await core.db.append(store.append, composed.draft, then=partial(_posted, core, here, composed))
    except Missing:  # deleted since we looked
        raise UNKNOWN_CHANNEL() from None
    unfurling.offer(core, here, posted[0], composed.draft)
    return posted


# --- posting -------------------------------------------------------------------------------------------------------


async def _post(core: Core, me: Actor, here: Here, body: MessageCreate, new: NewFiles) -> tuple[int, Raw]:
    composed = await compose.new(core, me, here, body, new)
    screened = None
    if automod.watches(here):
        screened = await automod.screen(core, me, here, *composed.words())
    slowmode.check(core, me, here)
    if isinstance(here, ThreadPlace):
        await thread_members.enter(core, me, here, composed.extra.mentions)
    posted = await append(core, here, composed)
    if screened is not None:
        await automod.report(core, me, screened, posted[0])
    return posted


def _posted(core: Core, here: Here, composed: Composed, message_id: int) -> tuple[int, Raw]:
    core.live.bus.horizon = message_id
    return message_id, message_events.posted(core, here, composed, message_id)


# --- reading -------------------------------------------------------------------------------------------------------


async def _get(core: Core, me: Actor, here: Here, message_id: int) -> Message:
    found = render.messages(core, await core.db.read(read_one, here.id, message_id, me.id))
    if not found:
        raise UNKNOWN_MESSAGE()
    return message_content.shown(me, here, found)[0]


def _read_page(tx: Tx, asker_id: int, channel_id: int, query: MessagePage) -> Page:
    if query.around is not UNSET:
        rows = store.around(tx, channel_id, query.around, query.limit)
    elif query.after is not UNSET:
        rows = store.after(tx, channel_id, query.after, query.limit)
    else:
        rows = store.before(tx, channel_id, 2**63 - 1 if query.before is UNSET else query.before, query.limit)
    return store.with_context(tx, rows, render.named_users, render.replied_to, asker_id)


def read_one(tx: Tx, channel_id: int, message_id: int, asker_id: int | None = None) -> Page:
    """The message, or an empty page."""
    row = store.get(tx, channel_id, message_id)
    return store.with_context(tx, [] if row is None else [row], render.named_users, render.replied_to, asker_id)
