"""Messages that the server writes in somebody's name. Docs: resources/message, "Message Types"."""

from msgspec import UNSET

from chatd.model.objects.message import MessageExtra, MessageReference, MessageType
from chatd.model.wire import Snowflake
from chatd.service.access import GuildChannel
from chatd.service.actors import Actor
from chatd.service.compose import Composed, Here
from chatd.service.core import Core
from chatd.store.messages import Draft
from chatd.store.rows import to_text


def pinned(core: Core, me: Actor, here: Here, message_id: int) -> Composed:
    """It refers to the message that is pinned."""
    reference = MessageReference(
        type=0,
        channel_id=Snowflake(here.id),
        message_id=Snowflake(message_id),
        guild_id=here.channel.guild_id if isinstance(here, GuildChannel) else UNSET,
    )
    extra = MessageExtra(message_reference=reference)
    draft = Draft(
        new_id=core.ids.next,
        channel_id=here.id,
        author_id=me.id,
        type=int(MessageType.CHANNEL_PINNED_MESSAGE),
        flags=0,
        content="",
        nonce=None,
        extra=to_text(extra),
    )
    return Composed(draft, extra, {me.id: me.user}, UNSET)
