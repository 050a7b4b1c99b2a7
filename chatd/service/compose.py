"""What a message may contain: from what a client sent to what is stored. Docs: resources/message.

Nothing is written here, and nothing read from the database unless the message replies to another one or names users
who are not members.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from chatd.model import permissions as p
from chatd.model.errors import (
    EMPTY_MESSAGE,
    MISSING_PERMISSIONS,
    NOT_A_TEXT_CHANNEL,
)
from chatd.model.markup import Mentions
from chatd.model.objects.channel import MESSAGE_TYPES
from chatd.model.objects.embed import Embed
from chatd.model.objects.message import (
    Message,
    MessageCreate,
    MessageExtra,
    MessageFlags,
    MessagePatch,
    MessageReference,
    MessageType,
)
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake
from chatd.service import mentions, render, replies
from chatd.service.access import GuildPlace, Here
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.embeds import embeds_from
from chatd.store.messages import Draft
from chatd.store.rows import to_text

# What a sender may set.
_FLAGS = MessageFlags.SUPPRESS_EMBEDS | MessageFlags.SUPPRESS_NOTIFICATIONS


class Composed(NamedTuple):
    """A message ready to be stored, and what rendering it needs."""

    draft: Draft
    extra: MessageExtra
    users: dict[int, User]  # the author and the mentioned
    referenced: Message | UnsetType


class Change(NamedTuple):
    """What an edit may put in place of the old."""

    named: Mentions
    embeds: tuple[Embed, ...]


async def new(core: Core, me: Actor, here: Here, body: MessageCreate) -> Composed:
    """Raises MISSING_PERMISSIONS, EMPTY_MESSAGE, NOT_A_TEXT_CHANNEL or a form error."""
    check_holds_messages(here)
    content = body.content or ""
    embeds = embeds_from(body.embeds or ([body.embed] if body.embed is not None else []))
    check_not_empty(content, embeds)
    if embeds and not here.permissions & p.EMBED_LINKS:
        raise MISSING_PERMISSIONS()
    if body.tts and not here.permissions & p.SEND_TTS_MESSAGES:
        raise MISSING_PERMISSIONS()

    named = mentions.named(here, content, body.allowed_mentions)
    reference, target = None, None
    if body.message_reference is not None:
        target = await replies.target(core, here, body.message_reference)
        if target is not None:
            reference = MessageReference(
                type=0,
                channel_id=Snowflake(here.id),
                message_id=Snowflake(target.id),
                guild_id=here.channel.guild_id if isinstance(here, GuildPlace) else UNSET,
            )
            if mentions.replied_user(body.allowed_mentions) and target.author_id not in named.users:
                named = named._replace(users=(*named.users, target.author_id))

    shown = (target.author_id, *render.named_users(target)) if target is not None else ()
    known = await mentions.resolve(core, here, (*named.users, *shown))
    known[me.id] = me.user
    extra = MessageExtra(
        tts=bool(body.tts),
        mention_everyone=named.everyone,
        mentions=tuple(Snowflake(user_id) for user_id in named.users if user_id in known),
        mention_roles=tuple(Snowflake(role_id) for role_id in named.roles),
        embeds=embeds,
        nonce=body.nonce,
        message_reference=reference,
    )
    draft = Draft(
        new_id=core.ids.next,
        channel_id=here.id,
        author_id=me.id,
        type=int(MessageType.DEFAULT if reference is None else MessageType.REPLY),
        flags=int((body.flags or 0) & _FLAGS),
        content=content,
        nonce=str(body.nonce) if body.enforce_nonce and body.nonce is not None else None,
        extra=to_text(extra),
        mentioned=mentions.targets(here, extra),
    )
    referenced = UNSET if target is None else render.message(target, render.extra_of(target.extra), known)
    return Composed(draft, extra, known, referenced)


async def change(core: Core, me: Actor, here: Here, body: MessagePatch) -> Change:
    """As `new`, for an edit."""
    embeds = embeds_from(body.embeds or []) if body.embeds is not UNSET else ()
    if embeds and not here.permissions & p.EMBED_LINKS:
        raise MISSING_PERMISSIONS()
    content = "" if body.content is UNSET else body.content or ""
    rule = None if body.allowed_mentions is UNSET else body.allowed_mentions
    named = mentions.named(here, content, rule)
    known = await mentions.resolve(core, here, named.users)
    return Change(named._replace(users=tuple(user_id for user_id in named.users if user_id in known)), embeds)


def check_holds_messages(here: Here) -> None:
    if isinstance(here, GuildPlace) and here.channel.type not in MESSAGE_TYPES:
        raise NOT_A_TEXT_CHANNEL()


def check_not_empty(content: str, embeds: Sequence[Embed]) -> None:
    if not content.strip() and not embeds:
        raise EMPTY_MESSAGE()
