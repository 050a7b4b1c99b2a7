"""From rows and drafts to the objects of the API."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model.objects.guild import Member, MessageMember
from chatd.model.objects.message import Message, MessageExtra, MessageType, MessageUser
from chatd.model.objects.reaction import Reaction
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
    reactions: tuple[Reaction, ...] | UnsetType = UNSET,
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
        embeds=extra.embeds,
        pinned=row.pinned_ms is not None,
        reactions=reactions,
        type=row.type,
        flags=row.flags,
        nonce=UNSET if extra.nonce is None else extra.nonce,
        message_reference=UNSET if extra.message_reference is None else extra.message_reference,
        referenced_message=referenced,
        thread=thread,
    )


def messages(page: Page) -> list[Message]:
    """A page of messages, each reply with what it replies to."""
    return [_with_reference(row, page) for row in page.rows]


def for_everybody(message: Message) -> Message:
    """The message without what depends on who asks, as events have it."""
    quoted = message.referenced_message
    if isinstance(quoted, Message):
        quoted = replace(quoted, reactions=UNSET)
    return replace(message, reactions=UNSET, referenced_message=quoted)


def _with_reference(row: MessageRow, page: Page) -> Message:
    extra = extra_of(row.extra)
    thread, reactions = page.threads.get(row.id, UNSET), page.reactions.get(row.id, UNSET)
    target = _target(row, extra)
    if not target:
        return message(row, extra, page.users, UNSET, thread, reactions)
    found = page.references.get(target)
    referenced = None
    if found is not None:
        quoted = page.reactions.get(found.id, UNSET)
        referenced = message(found, extra_of(found.extra), page.users, reactions=quoted)
    return message(row, extra, page.users, referenced, thread, reactions)


def named_users(row: MessageRow) -> Sequence[int]:
    """Whom the message mentions."""
    return extra_of(row.extra).mentions


def replied_to(row: MessageRow) -> int:
    """The id of the message that this one replies to, or 0."""
    return _target(row, extra_of(row.extra))


def _target(row: MessageRow, extra: MessageExtra) -> int:
    """The notice of a pin only refers to its message."""
    reference = extra.message_reference
    if reference is None or reference.message_id is UNSET or row.type == MessageType.CHANNEL_PINNED_MESSAGE:
        return 0
    return reference.message_id


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
