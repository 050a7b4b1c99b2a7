"""From rows and drafts to the objects of the API."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, UnsetType

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model.objects.embed import Embed
from chatd.model.objects.guild import Member, MessageMember
from chatd.model.objects.message import Message, MessageExtra, MessageFlags, MessageUser
from chatd.model.objects.thread import Thread
from chatd.model.objects.user import User
from chatd.model.snowflake import created_ms
from chatd.model.wire import Snowflake, decoder, timestamp
from chatd.store.messages import MessageRow, Page

# Stands in for the author of a message whose account is gone.
DELETED_USER = User(id=Snowflake(0), username="deleted_user", discriminator="0000")

extra_of = decoder(MessageExtra).decode


def message(
    row: MessageRow,
    extra: MessageExtra,
    users: Mapping[int, User],
    referenced: Message | UnsetType | None = UNSET,
    thread: Thread | UnsetType = UNSET,
) -> Message:
    """A message as REST shows it. `referenced` is what it replies to, null when that is deleted."""
    return Message(
        id=Snowflake(row.id),
        channel_id=Snowflake(row.channel_id),
        author=users.get(row.author_id, DELETED_USER),
        content=row.content,
        timestamp=timestamp(created_ms(row.id)),
        edited_timestamp=None if row.edited_ms is None else timestamp(row.edited_ms),
        tts=extra.tts,
        mention_everyone=extra.mention_everyone,
        mentions=tuple(users[user_id] for user_id in extra.mentions if user_id in users),
        mention_roles=extra.mention_roles,
        embeds=_embeds(row, extra),
        type=row.type,
        flags=row.flags,
        nonce=UNSET if extra.nonce is None else extra.nonce,
        message_reference=UNSET if extra.message_reference is None else extra.message_reference,
        referenced_message=referenced,
        thread=thread,
    )


def _embeds(row: MessageRow, extra: MessageExtra) -> tuple[Embed, ...]:
    if not extra.link_embeds or row.flags & MessageFlags.SUPPRESS_EMBEDS:
        return extra.embeds
    return (*extra.embeds, *extra.link_embeds)[: limits.MESSAGE_EMBEDS]


def messages(page: Page) -> list[Message]:
    """A page of messages, each reply with what it replies to."""
    return [_with_reference(row, page) for row in page.rows]


def _with_reference(row: MessageRow, page: Page) -> Message:
    extra = extra_of(row.extra)
    thread = page.threads.get(row.id, UNSET)
    if extra.message_reference is None or extra.message_reference.message_id is UNSET:
        return message(row, extra, page.users, thread=thread)
    found = page.references.get(extra.message_reference.message_id)
    referenced = None if found is None else message(found, extra_of(found.extra), page.users)
    return message(row, extra, page.users, referenced, thread)


def named_users(row: MessageRow) -> Sequence[int]:
    """Whom the message mentions."""
    return extra_of(row.extra).mentions


def replied_to(row: MessageRow) -> int:
    """The id of the message that this one replies to, or 0."""
    reference = extra_of(row.extra).message_reference
    return 0 if reference is None or reference.message_id is UNSET else reference.message_id


def message_member(member: Member) -> MessageMember:
    """A member beside its user."""
    return MessageMember(**{name: getattr(member, name) for name in MessageMember.__struct_fields__})


def mentioned(user: User, guild: GuildState) -> User:
    """A mentioned user with its membership, as the events of a guild have it."""
    member = guild.members.get(user.id)
    if member is None:
        return user
    fields = {name: getattr(user, name) for name in User.__struct_fields__}
    return MessageUser(**fields, member=message_member(member))
