"""Messages that the server writes in somebody's name. Docs: resources/message, "Message Types"; topics/threads."""

from collections.abc import Iterable

from msgspec import UNSET, UnsetType

from chatd.model.objects.channel import Channel
from chatd.model.objects.message import Message, MessageExtra, MessageReference, MessageType
from chatd.model.objects.thread import Thread
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake
from chatd.service.access import GuildPlace, Here
from chatd.service.actors import Actor
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.store.messages import Draft
from chatd.store.rows import to_text


def pinned(core: Core, me: Actor, here: Here, message_id: int) -> Composed:
    """It refers to the message that is pinned."""
    reference = MessageReference(
        type=0,
        channel_id=Snowflake(here.id),
        message_id=Snowflake(message_id),
        guild_id=here.channel.guild_id if isinstance(here, GuildPlace) else UNSET,
    )
    return _compose(core, me, here.id, MessageType.CHANNEL_PINNED_MESSAGE, "", reference=reference)


def followed(core: Core, me: Actor, channel_id: int, source: Channel, name: str) -> Composed:
    """It refers to the channel that is followed, and says its name."""
    reference = MessageReference(type=0, channel_id=source.id, guild_id=source.guild_id)
    return _compose(core, me, channel_id, MessageType.CHANNEL_FOLLOW_ADD, name, reference=reference)


def thread_created(core: Core, me: Actor, thread: Thread) -> Composed:
    """In the thread's parent; it refers to the thread."""
    reference = MessageReference(type=0, channel_id=thread.id, guild_id=thread.guild_id)
    return _compose(core, me, thread.parent_id, MessageType.THREAD_CREATED, thread.name, reference=reference)


def thread_starter(core: Core, me: Actor, thread: Thread, first: Message) -> Composed:
    """The first message of a thread that began with a message, to which it refers."""
    reference = MessageReference(type=0, channel_id=thread.parent_id, message_id=first.id, guild_id=thread.guild_id)
    kind = MessageType.THREAD_STARTER_MESSAGE
    return _compose(core, me, thread.id, kind, "", reference=reference, referenced=first)


def renamed(core: Core, me: Actor, thread: Thread) -> Composed:
    return _compose(core, me, thread.id, MessageType.CHANNEL_NAME_CHANGE, thread.name)


def added(core: Core, me: Actor, thread: Thread, user: User) -> Composed:
    return _compose(core, me, thread.id, MessageType.RECIPIENT_ADD, "", users=[user])


def removed(core: Core, me: Actor, thread: Thread, user: User) -> Composed:
    return _compose(core, me, thread.id, MessageType.RECIPIENT_REMOVE, "", users=[user])


def _compose(
    core: Core,
    me: Actor,
    channel_id: int,
    kind: MessageType,
    content: str,
    *,
    users: Iterable[User] = (),
    reference: MessageReference | None = None,
    referenced: Message | UnsetType = UNSET,
) -> Composed:
    mentioned = {int(user.id): user for user in users}
    extra = MessageExtra(mentions=tuple(Snowflake(user_id) for user_id in mentioned), message_reference=reference)
    draft = Draft(
        new_id=core.ids.next,
        channel_id=channel_id,
        author_id=me.id,
        type=int(kind),
        flags=0,
        content=content,
        nonce=None,
        extra=to_text(extra),
    )
    return Composed(draft, extra, {int(me.id): me.user, **mentioned}, referenced)
