"""What a message may contain: from what a client sent to what is stored. Docs: resources/message.

Each kind of content has a page of its own; here they come together. Nothing is written, and nothing read from the
database unless the message refers to another one, names users who are not members, or shows what is not the guild's.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from chatd.model import permissions as p
from chatd.model.errors import (
    EMPTY_MESSAGE,
    FORWARD_WITH_CONTENT,
    MISSING_PERMISSIONS,
    NOT_A_TEXT_CHANNEL,
)
from chatd.model.objects.channel import MESSAGE_TYPES
from chatd.model.objects.component import texts
from chatd.model.objects.embed import Embed
from chatd.model.objects.message import (
    Message,
    MessageCreate,
    MessageExtra,
    MessageFlags,
    MessageType,
    ReferenceType,
)
from chatd.model.objects.poll import Poll
from chatd.model.objects.user import User
from chatd.model.validate import FormErrors
from chatd.model.wire import Snowflake, parse_timestamp
from chatd.service import (
    component_rules,
    components,
    forwards,
    mentions,
    message_stickers,
    poll_forms,
    render,
    replies,
    voice_messages,
)
from chatd.service.access import GuildPlace, Here
from chatd.service.actors import Actor
from chatd.service.attachments import NO_FILES, NewFiles, listed, names
from chatd.service.components import Tree
from chatd.service.core import Core
from chatd.service.embeds import embeds_from
from chatd.store.messages import Draft
from chatd.store.rows import to_text

# Plain integers: an operation on Python's flags takes a microsecond.
V2 = int(MessageFlags.IS_COMPONENTS_V2)
VOICE = int(MessageFlags.IS_VOICE_MESSAGE)
_HAS_SNAPSHOT = int(MessageFlags.HAS_SNAPSHOT)
# What a sender may set, and what only an application may; all other flags are ignored.
_FLAGS = int(MessageFlags.SUPPRESS_EMBEDS | MessageFlags.SUPPRESS_NOTIFICATIONS) | VOICE
_FLAGS_OF_APPLICATIONS = _FLAGS | V2


class Composed(NamedTuple):
    """A message ready to be stored, and what rendering it needs."""

    draft: Draft
    extra: MessageExtra
    users: dict[int, User]  # the author and the mentioned
    referenced: Message | UnsetType

    def words(self) -> tuple[str, tuple[Embed, ...], Poll | UnsetType]:
        """All that is said: in a forward by the other message."""
        snapshot = self.extra.snapshot
        if snapshot is not None:
            return snapshot.content, snapshot.embeds, UNSET
        return self.draft.content, self.extra.embeds, self.extra.poll


async def new(core: Core, me: Actor, here: Here, body: MessageCreate, files: NewFiles = NO_FILES) -> Composed:
    """Raises MISSING_PERMISSIONS, EMPTY_MESSAGE, NOT_A_TEXT_CHANNEL, a form error, or what a kind of content does."""
    check_holds_messages(here)
    if body.tts and not here.permissions & p.SEND_TTS_MESSAGES:
        raise MISSING_PERMISSIONS()
    flags = _flags(me, body)
    content = body.content or ""
    extra = await _contents(core, me, here, body, flags, files)
    reference, target = body.message_reference, None
    if reference is not None and reference.type == ReferenceType.FORWARD:
        forwarded = await forwards.take(core, me, reference)
        extra = replace(extra, message_reference=forwarded.reference, snapshot=forwarded.snapshot)
        flags = flags & ~(V2 | VOICE) | _HAS_SNAPSHOT
    check_contents(content, extra, flags)
    if flags & VOICE:
        voice_messages.check(here, content, extra)
    if reference is not None and extra.snapshot is None:
        target = await replies.target(core, here, reference)

    named = mentions.named(here, said(content, extra.components), body.allowed_mentions)
    shown: Sequence[int] = () if extra.snapshot is None else extra.snapshot.mentions
    if target is not None:
        extra = replace(extra, message_reference=replies.reference(here, target))
        shown = (target.author_id, *render.named_users(target))
        if mentions.replied_user(body.allowed_mentions) and target.author_id not in named.users:
            named = named._replace(users=(*named.users, target.author_id))
    known = await mentions.resolve(core, here, (*named.users, *shown))
    known[me.id] = me.user
    extra = replace(
        extra,
        mention_everyone=named.everyone,
        mentions=tuple(Snowflake(user_id) for user_id in named.users if user_id in known),
        mention_roles=tuple(Snowflake(role_id) for role_id in named.roles),
    )
    draft = Draft(
        new_id=core.ids.next,
        channel_id=here.id,
        author_id=me.id,
        type=int(MessageType.DEFAULT if target is None else MessageType.REPLY),
        flags=flags,
        content=content,
        nonce=str(body.nonce) if body.enforce_nonce and body.nonce is not None else None,
        extra=to_text(extra),
        attachments=extra.attachments if extra.snapshot is None else extra.snapshot.attachments,
        mentioned=mentions.targets(here, extra),
        poll_ends_ms=None if extra.poll is UNSET else parse_timestamp(extra.poll.expiry),
    )
    referenced = UNSET if target is None else render.message(core, target, render.extra_of(target.extra), known)
    return Composed(draft, extra, known, referenced)


def check_holds_messages(here: Here) -> None:
    if isinstance(here, GuildPlace) and here.channel.type not in MESSAGE_TYPES:
        raise NOT_A_TEXT_CHANNEL()


def check_contents(content: str, extra: MessageExtra, flags: int) -> None:
    """Whether there is anything, and nothing that does not go together."""
    is_empty = not (
        content.strip()
        or extra.embeds
        or extra.attachments
        or extra.components
        or extra.sticker_items
        or extra.poll is not UNSET
    )
    if extra.snapshot is not None and not is_empty:
        raise FORWARD_WITH_CONTENT()
    if extra.snapshot is None and is_empty:
        raise EMPTY_MESSAGE()
    if flags & V2:
        _check_only_components(content, extra)


def _check_only_components(content: str, extra: MessageExtra) -> None:
    errors = FormErrors()
    others = {
        "content": content,
        "embeds": extra.embeds,
        "sticker_ids": extra.sticker_items,
        "poll": extra.poll is not UNSET,
    }
    for name, value in others.items():
        if value:
            message = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            errors.add(name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message)
    errors.raise_if_any()


def said(content: str, tree: Tree) -> str:
    """All in which somebody may be mentioned."""
    return "\n".join((content, *texts(tree))) if tree else content


def _flags(me: Actor, body: MessageCreate) -> int:
    return (body.flags or 0) & (_FLAGS_OF_APPLICATIONS if me.is_bot else _FLAGS)


async def _contents(
    core: Core, me: Actor, here: Here, body: MessageCreate, flags: int, files: NewFiles
) -> MessageExtra:
    """What there is beside the text. Components are for applications: those of people are ignored."""
    embeds = embeds_from(body.embeds or ([body.embed] if body.embed is not None else []))
    if embeds and not here.permissions & p.EMBED_LINKS:
        raise MISSING_PERMISSIONS()
    attached = listed((), body.attachments or (), files) if files or body.attachments else ()
    extra = MessageExtra(tts=bool(body.tts), nonce=body.nonce, embeds=embeds, attachments=attached)
    if body.poll is not None:
        extra = replace(extra, poll=await poll_forms.new(core, me, here, body.poll))
    if body.sticker_ids:
        extra = replace(extra, sticker_items=await message_stickers.chosen(core, me, here, body.sticker_ids))
    if body.components and me.is_bot:
        tree = await components.received(core, me, here, body.components)
        component_rules.check(tree, bool(flags & V2), names(attached))
        extra = replace(extra, components=tree)
    return extra
