"""The events of messages, from the commit to the bus; and what they were, to be told again after a restart.

Docs: events/gateway-events, "Messages".
"""

from msgspec import UNSET, Raw
from msgspec.structs import replace

from chatd.live.frames import Event
from chatd.model.objects.gateway import MessageDelete
from chatd.model.objects.message import Message
from chatd.model.wire import Snowflake, encode
from chatd.service import message_content, render
from chatd.service.access import DirectAccess, GuildPlace, Here
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.store import journal
from chatd.store.messages import MessageRow, Page


def posted(core: Core, here: Here, composed: Composed, message_id: int) -> Raw:
    """After the commit of a new message: MESSAGE_CREATE; the encoded message is returned."""
    here.posted(message_id)
    message = rendered(core, composed, message_id)
    if message.author.bot is not True:
        core.live.own_posts.note(int(message.author.id), here.id, message_id)
    return publish(core, here, "MESSAGE_CREATE", message)


def rendered(core: Core, composed: Composed, message_id: int) -> Message:
    draft = composed.draft
    row = MessageRow(
        message_id, draft.channel_id, draft.author_id, draft.type, draft.flags, draft.content, None, None, draft.extra
    )
    return render.message(core, row, composed.extra, composed.users, composed.referenced, votes=())


def publish(core: Core, here: Here, name: str, message: Message) -> Raw:
    """Send the event; the encoded message, which is most of the event's body, is returned."""
    encoded = encode(message)
    audience = here.audience(core, name, content=True)
    if audience:
        core.live.bus.publish(here.bus_key, _event(here, name, message, encoded, audience.has_lean), audience)
    return Raw(encoded)


def _event(here: Here, name: str, message: Message, encoded: bytes, needs_lean: bool) -> Event:
    if message.mentions and isinstance(here, GuildPlace):
        mentions = tuple(render.mentioned(user, here.guild) for user in message.mentions)
        encoded = encode(replace(message, mentions=mentions))
    context = _context(here, message.author.id)
    lean = _splice(encode(message_content.without(message)), context) if needs_lean else None
    reveal = frozenset((int(message.author.id), *(int(user.id) for user in message.mentions)))
    return Event(name, _splice(encoded, context), lean, reveal)


def _context(here: Here, author_id: int) -> bytes:
    """What the event has beyond the message: the fields that end its JSON (events/gateway-events, "Message Create")."""
    if isinstance(here, DirectAccess):
        return b',"channel_type":1}'
    member = here.guild.members.get(author_id)
    suffix = b"" if member is None else b',"member":' + encode(render.message_member(member))
    return b',"channel_type":%d,"guild_id":"%d"%b}' % (here.channel.type, here.guild.id, suffix)


def _splice(encoded: bytes, context: bytes) -> bytes:
    return encoded[:-1] + context


def deletion(here: Here, message_id: int) -> MessageDelete:
    guild_id = here.channel.guild_id if isinstance(here, GuildPlace) else UNSET
    return MessageDelete(id=Snowflake(message_id), channel_id=Snowflake(here.id), guild_id=guild_id)


def told_again(core: Core, here: Here, entry: journal.Entry, page: Page) -> Event:
    """The event of a journal entry, whose row is the page's, as it was published; its users as they are now."""
    if entry.name == journal.DELETED:
        event = Event(entry.name, encode(deletion(here, page.rows[0].id)))
    else:
        if entry.name == journal.POSTED:
            page = page._replace(votes={page.rows[0].id: ()})
        [message] = render.messages(core, page)
        event = _event(here, entry.name, message, encode(message), needs_lean=isinstance(here, GuildPlace))
    event.position = entry.position
    return event
