"""What a message may reply to. Docs: resources/message, "Message Reference Structure"."""

from msgspec import UNSET

from chatd.model import permissions as p
from chatd.model.errors import CANNOT_REPLY
from chatd.model.objects.message import AUTHORED_TYPES, MessageReference, MessageReferenceParams, ReferenceType
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake
from chatd.service.access import GuildPlace, Here
from chatd.service.core import Core
from chatd.store import messages as store
from chatd.store.messages import MessageRow


async def target(core: Core, here: Here, reference: MessageReferenceParams) -> MessageRow | None:
    """The message replied to; None when it is gone and that is fine with the sender."""
    if not here.permissions & p.READ_MESSAGE_HISTORY:
        raise CANNOT_REPLY()
    if reference.channel_id is not None and reference.channel_id != here.id:
        raise form_error(
            "message_reference", "MESSAGE_REFERENCE_CHANNEL_MISMATCH", "Can only reply to a message of the same channel"
        )
    found = await core.db.read(store.get, here.id, reference.message_id)
    if found is not None and found.type not in AUTHORED_TYPES:
        raise form_error(
            "message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message"
        )
    if found is None and reference.fail_if_not_exists is not False:
        raise form_error("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return found


def reference(here: Here, target: MessageRow) -> MessageReference:
    return MessageReference(
        type=int(ReferenceType.DEFAULT),
        channel_id=Snowflake(here.id),
        message_id=Snowflake(target.id),
        guild_id=here.channel.guild_id if isinstance(here, GuildPlace) else UNSET,
    )
