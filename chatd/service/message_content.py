"""What applications without MESSAGE_CONTENT see of messages. Docs: events/gateway, "Message Content Intent".

They read their own messages, those that mention them, and direct ones; of all others everything but the content. Of
events a session's intents decide (`live.guilds`), of answers over REST the application's flags.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model.intents import MESSAGE_CONTENT
from chatd.model.objects.application import INTENT_FLAGS
from chatd.model.objects.message import Message, MessageSnapshot
from chatd.service.access import DirectAccess, Here
from chatd.service.actors import Actor

# The content, of a message and of one that it forwards.
_NOTHING: dict[str, Any] = {"content": "", "embeds": (), "attachments": (), "components": ()}


def reads_everything(me: Actor, here: Here) -> bool:
    flags = me.application_flags
    return flags is None or bool(flags & INTENT_FLAGS[MESSAGE_CONTENT]) or isinstance(here, DirectAccess)


def reads(me: Actor, here: Here, author_id: int, mentions: Sequence[int]) -> bool:
    return author_id == me.id or me.id in mentions or reads_everything(me, here)


def shown(me: Actor, here: Here, messages: list[Message]) -> list[Message]:
    """As the asker may see them."""
    return messages if reads_everything(me, here) else [_shown(me, here, message) for message in messages]


def _shown(me: Actor, here: Here, message: Message) -> Message:
    quoted = message.referenced_message
    if isinstance(quoted, Message):
        message = replace(message, referenced_message=_shown(me, here, quoted))
    mentions = [user.id for user in message.mentions]
    return message if reads(me, here, message.author.id, mentions) else _emptied(message)


def without(message: Message) -> Message:
    """The message without content, neither its own nor that of a message it quotes."""
    quoted = message.referenced_message
    return replace(_emptied(message), referenced_message=_emptied(quoted) if isinstance(quoted, Message) else quoted)


def _emptied(message: Message) -> Message:
    snapshots = message.message_snapshots
    if snapshots is not UNSET:
        snapshots = tuple(MessageSnapshot(message=replace(it.message, **_NOTHING)) for it in snapshots)
    return replace(message, **_NOTHING, poll=UNSET, message_snapshots=snapshots)
