"""What a message may contain: from what a client sent to what is stored. Docs: resources/message.

Nothing is written here, and nothing read from the database unless the message replies to another one or names users
who are not members.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from chatd.model import limits, markup
from chatd.model import permissions as p
from chatd.model.errors import (
    CANNOT_REPLY,
    EMPTY_MESSAGE,
    MISSING_PERMISSIONS,
    NOT_A_TEXT_CHANNEL,
)
from chatd.model.markup import Mentions
from chatd.model.objects.channel import MESSAGE_TYPES
from chatd.model.objects.embed import Embed, EmbedParams
from chatd.model.objects.message import (
    AUTHORED_TYPES,
    AllowedMentions,
    Message,
    MessageCreate,
    MessageExtra,
    MessageFlags,
    MessagePatch,
    MessageReference,
    MessageReferenceParams,
    MessageType,
)
from chatd.model.objects.user import User
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake, parse_timestamp, timestamp
from chatd.service import poll_forms, render
from chatd.service.access import DirectAccess, GuildPlace
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import messages as store
from chatd.store.messages import Draft, MessageRow
from chatd.store.rows import to_text, users

Here = GuildPlace | DirectAccess

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
    poll = UNSET if body.poll is None else await poll_forms.new(core, me, here, body.poll)
    if poll is UNSET:
        check_not_empty(content, embeds)
    if embeds and not here.permissions & p.EMBED_LINKS:
        raise MISSING_PERMISSIONS()
    if body.tts and not here.permissions & p.SEND_TTS_MESSAGES:
        raise MISSING_PERMISSIONS()

    named = _named(here, content, body.allowed_mentions)
    reference, target = None, None
    if body.message_reference is not None:
        target = await _reply_target(core, here, body.message_reference)
        if target is not None:
            reference = MessageReference(
                type=0,
                channel_id=Snowflake(here.id),
                message_id=Snowflake(target.id),
                guild_id=here.channel.guild_id if isinstance(here, GuildPlace) else UNSET,
            )
            if _notifies_author(body.allowed_mentions) and target.author_id not in named.users:
                named = named._replace(users=(*named.users, target.author_id))

    shown = render.named_users(target) if target is not None else ()
    known = await _resolve(core, here, (*named.users, *((target.author_id, *shown) if target is not None else ())))
    known[me.id] = me.user
    extra = MessageExtra(
        tts=bool(body.tts),
        mention_everyone=named.everyone,
        mentions=tuple(Snowflake(user_id) for user_id in named.users if user_id in known),
        mention_roles=tuple(Snowflake(role_id) for role_id in named.roles),
        embeds=embeds,
        nonce=body.nonce,
        message_reference=reference,
        poll=poll,
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
        mentioned=_mentioned(here, extra),
        poll_ends_ms=None if poll is UNSET else parse_timestamp(poll.expiry),
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
    named = _named(here, content, rule)
    known = await _resolve(core, here, named.users)
    return Change(named._replace(users=tuple(user_id for user_id in named.users if user_id in known)), embeds)


def check_holds_messages(here: Here) -> None:
    if isinstance(here, GuildPlace) and here.channel.type not in MESSAGE_TYPES:
        raise NOT_A_TEXT_CHANNEL()


def check_not_empty(content: str, embeds: Sequence[Embed]) -> None:
    if not content.strip() and not embeds:
        raise EMPTY_MESSAGE()


def embeds_from(received: Sequence[EmbedParams]) -> tuple[Embed, ...]:
    """Check what the types cannot say: something to show in each, 6,000 characters over all, a time that is one."""
    embeds = tuple(_embed_from(embed, f"embeds.{index}") for index, embed in enumerate(received))
    if sum(map(_characters, embeds)) > limits.EMBEDS_LENGTH:
        raise form_error(
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            f"Embed size exceeds maximum size of {limits.EMBEDS_LENGTH}",
        )
    return embeds


def _embed_from(received: EmbedParams, path: str) -> Embed:
    given = {name: value for name in received.__struct_fields__ if (value := getattr(received, name)) is not None}
    if not given:
        raise form_error(f"{path}.description", "BASE_TYPE_REQUIRED", "This field is required")
    if "timestamp" in given:
        try:
            given["timestamp"] = timestamp(parse_timestamp(given["timestamp"]))
        except ValueError as error:
            raise form_error(f"{path}.timestamp", "DATE_TIME_TYPE_PARSE", str(error)) from None
    if "fields" in given:
        given["fields"] = tuple(given["fields"])
    return Embed(**given)


def _characters(embed: Embed) -> int:
    """What counts toward the limit (resources/message, "Embed Limits")."""
    texts = [embed.title, embed.description]
    texts += [embed.footer.text] if embed.footer is not UNSET else []
    texts += [embed.author.name] if embed.author is not UNSET else []
    for field in embed.fields if embed.fields is not UNSET else ():
        texts += [field.name, field.value]
    return sum(len(text) for text in texts if text is not UNSET)


def _named(here: Here, content: str, rule: AllowedMentions | None) -> Mentions:
    """Who is mentioned: what the content names, the rule allows, and the author may mention."""
    named = markup.allowed(markup.mentions(content), rule)
    if isinstance(here, DirectAccess):
        return named._replace(roles=(), everyone=False)
    may_mention_all = bool(here.permissions & p.MENTION_EVERYONE)
    roles = here.guild.roles
    return named._replace(
        roles=tuple(id_ for id_ in named.roles if id_ in roles and (may_mention_all or roles[id_].mentionable)),
        everyone=named.everyone and may_mention_all,
    )


def _mentioned(here: Here, extra: MessageExtra) -> tuple[int, ...]:
    """Whom the message calls: a guild stands for @everyone in it."""
    everyone = (here.guild.id,) if extra.mention_everyone and isinstance(here, GuildPlace) else ()
    return tuple(dict.fromkeys((*extra.mentions, *extra.mention_roles, *everyone)))


def _notifies_author(rule: AllowedMentions | None) -> bool:
    return rule is None or bool(rule.replied_user)


async def _reply_target(core: Core, here: Here, reference: MessageReferenceParams) -> MessageRow | None:
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
    if found is None and reference.fail_if_not_exists:
        raise form_error("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return found


async def _resolve(core: Core, here: Here, user_ids: Sequence[int]) -> dict[int, User]:
    """Those of the users that exist, from memory where they are members."""
    members = here.guild.members if isinstance(here, GuildPlace) else {}
    known = {user_id: members[user_id].user for user_id in user_ids if user_id in members}
    strangers = tuple(user_id for user_id in dict.fromkeys(user_ids) if user_id not in known)
    if strangers:
        known.update(await core.db.read(users, strangers))
    return known
