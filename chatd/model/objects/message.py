"""Messages (resources/message)."""

from enum import IntEnum, IntFlag
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.embed import Embed, EmbedParams
from chatd.model.objects.guild import MessageMember
from chatd.model.objects.reaction import Reaction
from chatd.model.objects.thread import Thread
from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Snowflake


class MessageType(IntEnum):
    DEFAULT = 0
    RECIPIENT_ADD = 1
    RECIPIENT_REMOVE = 2
    CHANNEL_NAME_CHANGE = 4
    CHANNEL_PINNED_MESSAGE = 6
    THREAD_CREATED = 18
    REPLY = 19
    THREAD_STARTER_MESSAGE = 21
    AUTO_MODERATION_ACTION = 24


# Written by people; all others are the system's (resources/message, "Message Types").
AUTHORED_TYPES = frozenset((MessageType.DEFAULT, MessageType.REPLY))
# By the same page.
UNDELETABLE_TYPES = frozenset(
    (
        MessageType.RECIPIENT_ADD,
        MessageType.RECIPIENT_REMOVE,
        MessageType.CHANNEL_NAME_CHANGE,
        MessageType.THREAD_STARTER_MESSAGE,
    )
)


# Written by people; all others are the system's (resources/message, "Message Types").
AUTHORED_TYPES = frozenset((MessageType.DEFAULT, MessageType.REPLY))


class MessageFlags(IntFlag):
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    SUPPRESS_NOTIFICATIONS = 1 << 12


class MessageReference(Object, frozen=True, gc=False, kw_only=True):
    type: int
    channel_id: Snowflake
    message_id: Snowflake | UnsetType = UNSET  # without one it refers to the channel
    guild_id: Snowflake | UnsetType = UNSET


class MessageExtra(Object, frozen=True, omit_defaults=True, kw_only=True):
    """The part of a message that no query looks at; stored as JSON, "{}" for most."""

    tts: bool = False
    mention_everyone: bool = False
    mentions: tuple[Snowflake, ...] = ()
    mention_roles: tuple[Snowflake, ...] = ()
    embeds: tuple[Embed, ...] = ()
    nonce: str | int | None = None
    message_reference: MessageReference | None = None


class MessageUser(User, frozen=True, gc=False, kw_only=True):
    """A mentioned user; in a guild's events with its membership."""

    member: MessageMember | UnsetType = UNSET


class Message(Object, frozen=True, kw_only=True):
    id: Snowflake
    channel_id: Snowflake
    author: User
    content: str
    timestamp: str
    edited_timestamp: str | None
    tts: bool
    mention_everyone: bool
    mentions: tuple[User, ...]
    mention_roles: tuple[Snowflake, ...]
    embeds: tuple[Embed, ...]
    type: int
    flags: int
    attachments: tuple[()] = ()
    components: tuple[()] = ()
    pinned: bool = False
    reactions: tuple[Reaction, ...] | UnsetType = UNSET  # only over REST: it depends on who asks
    nonce: str | int | UnsetType = UNSET
    message_reference: MessageReference | UnsetType = UNSET
    referenced_message: "Message | UnsetType | None" = UNSET
    thread: Thread | UnsetType = UNSET


class AllowedMentions(Params, kw_only=True):
    parse: list[Literal["roles", "users", "everyone"]] | None = None
    roles: Annotated[list[Snowflake], Meta(max_length=limits.ALLOWED_MENTIONS)] | None = None
    users: Annotated[list[Snowflake], Meta(max_length=limits.ALLOWED_MENTIONS)] | None = None
    replied_user: bool | None = None


class MessageReferenceParams(Params, kw_only=True):
    message_id: Snowflake
    type: Literal[0] = 0
    channel_id: Snowflake | None = None
    guild_id: Snowflake | None = None
    fail_if_not_exists: bool = True


Content = Annotated[str, Meta(max_length=limits.MESSAGE_CONTENT_LENGTH)]
Nonce = Annotated[str, Meta(max_length=limits.MESSAGE_NONCE_LENGTH)] | int


class MessageCreate(Params, kw_only=True):
    """Create Message."""

    content: Content | None = None
    nonce: Nonce | None = None
    tts: bool | None = None
    embeds: Annotated[list[EmbedParams], Meta(max_length=limits.MESSAGE_EMBEDS)] | None = None
    embed: EmbedParams | None = None  # the older form, one embed
    allowed_mentions: AllowedMentions | None = None
    message_reference: MessageReferenceParams | None = None
    flags: int | None = None
    enforce_nonce: bool | None = None


class MessagePatch(Params, kw_only=True):
    """Edit Message."""

    content: Content | UnsetType | None = UNSET
    embeds: Annotated[list[EmbedParams], Meta(max_length=limits.MESSAGE_EMBEDS)] | UnsetType | None = UNSET
    flags: int | UnsetType | None = UNSET
    allowed_mentions: AllowedMentions | UnsetType | None = UNSET


class BulkDelete(Params, kw_only=True):
    """Bulk Delete Messages."""

    messages: list[Snowflake]


class MessagePage(Params, kw_only=True):
    """Get Channel Messages: at most one of around, before and after."""

    around: Snowflake | UnsetType = UNSET
    before: Snowflake | UnsetType = UNSET
    after: Snowflake | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=limits.MESSAGES_PER_PAGE)] = limits.MESSAGES_PER_PAGE_DEFAULT
