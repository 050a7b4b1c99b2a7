"""Messages (resources/message)."""

from enum import IntEnum, IntFlag
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.attachment import Attachment, AttachmentParams, StoredAttachment
from chatd.model.objects.component import MessageComponent
from chatd.model.objects.embed import Embed, EmbedParams
from chatd.model.objects.guild import MessageMember
from chatd.model.objects.poll import Poll, PollCreate
from chatd.model.objects.reaction import Reaction
from chatd.model.objects.sticker import StickerItem
from chatd.model.objects.thread import Thread
from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Snowflake


class MessageType(IntEnum):
    """Of those that this server does not write itself, a row may come from elsewhere."""

    DEFAULT = 0
    RECIPIENT_ADD = 1
    RECIPIENT_REMOVE = 2
    CALL = 3
    CHANNEL_NAME_CHANGE = 4
    CHANNEL_ICON_CHANGE = 5
    CHANNEL_PINNED_MESSAGE = 6
    USER_JOIN = 7
    GUILD_BOOST = 8
    GUILD_BOOST_TIER_1 = 9
    GUILD_BOOST_TIER_2 = 10
    GUILD_BOOST_TIER_3 = 11
    CHANNEL_FOLLOW_ADD = 12
    GUILD_DISCOVERY_DISQUALIFIED = 14
    GUILD_DISCOVERY_REQUALIFIED = 15
    GUILD_DISCOVERY_GRACE_PERIOD_INITIAL_WARNING = 16
    GUILD_DISCOVERY_GRACE_PERIOD_FINAL_WARNING = 17
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    THREAD_STARTER_MESSAGE = 21
    GUILD_INVITE_REMINDER = 22
    CONTEXT_MENU_COMMAND = 23
    AUTO_MODERATION_ACTION = 24
    ROLE_SUBSCRIPTION_PURCHASE = 25
    INTERACTION_PREMIUM_UPSELL = 26
    STAGE_START = 27
    STAGE_END = 28
    STAGE_SPEAKER = 29
    STAGE_TOPIC = 31
    GUILD_APPLICATION_PREMIUM_SUBSCRIPTION = 32
    GUILD_INCIDENT_ALERT_MODE_ENABLED = 36
    GUILD_INCIDENT_ALERT_MODE_DISABLED = 37
    GUILD_INCIDENT_REPORT_RAID = 38
    GUILD_INCIDENT_REPORT_FALSE_ALARM = 39
    PURCHASE_NOTIFICATION = 44
    POLL_RESULT = 46


# Written by people and applications; all others are the system's (resources/message, "Message Types"). These alone
# may be replied to, edited and forwarded.
AUTHORED_TYPES = frozenset(
    (MessageType.DEFAULT, MessageType.REPLY, MessageType.CHAT_INPUT_COMMAND, MessageType.CONTEXT_MENU_COMMAND)
)
# Those that show what they refer to, by the page's note on `referenced_message`.
REFERRING_TYPES = frozenset((MessageType.REPLY, MessageType.THREAD_STARTER_MESSAGE, MessageType.CONTEXT_MENU_COMMAND))
# By the page's table.
UNDELETABLE_TYPES = frozenset(
    (
        MessageType.RECIPIENT_ADD,
        MessageType.RECIPIENT_REMOVE,
        MessageType.CALL,
        MessageType.CHANNEL_NAME_CHANGE,
        MessageType.CHANNEL_ICON_CHANGE,
        MessageType.THREAD_STARTER_MESSAGE,
    )
)


class MessageFlags(IntFlag):
    CROSSPOSTED = 1 << 0
    IS_CROSSPOST = 1 << 1
    SUPPRESS_EMBEDS = 1 << 2
    SOURCE_MESSAGE_DELETED = 1 << 3
    HAS_THREAD = 1 << 5
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_VOICE_MESSAGE = 1 << 13
    HAS_SNAPSHOT = 1 << 14
    IS_COMPONENTS_V2 = 1 << 15


class ReferenceType(IntEnum):
    """Message Reference Types."""

    DEFAULT = 0
    FORWARD = 1


class MessageReference(Object, frozen=True, gc=False, kw_only=True):
    type: int
    channel_id: Snowflake
    message_id: Snowflake | UnsetType = UNSET  # without one it refers to the channel
    guild_id: Snowflake | UnsetType = UNSET


class WebhookAuthor(Object, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """The author of a webhook's message, as it was when the message was posted."""

    username: str
    avatar: str | None = None
    avatar_url: str | None = None
    application_id: Snowflake | None = None


class Snapshot(Object, frozen=True, omit_defaults=True, kw_only=True):
    """A forwarded message as it was ("Message Snapshot Structure"), stored: whom it mentions is looked up again."""

    type: int
    content: str
    timestamp: str
    edited_timestamp: str | None = None
    flags: int = 0
    mentions: tuple[Snowflake, ...] = ()
    mention_roles: tuple[Snowflake, ...] = ()
    embeds: tuple[Embed, ...] = ()
    attachments: tuple[StoredAttachment, ...] = ()
    components: tuple[MessageComponent, ...] = ()
    sticker_items: tuple[StickerItem, ...] = ()


class MessageExtra(Object, frozen=True, omit_defaults=True, kw_only=True):
    """The part of a message that no query looks at; stored as JSON, "{}" for most."""

    tts: bool = False
    mention_everyone: bool = False
    mentions: tuple[Snowflake, ...] = ()
    mention_roles: tuple[Snowflake, ...] = ()
    embeds: tuple[Embed, ...] = ()
    attachments: tuple[StoredAttachment, ...] = ()
    nonce: str | int | None = None
    message_reference: MessageReference | None = None
    components: tuple[MessageComponent, ...] = ()
    sticker_items: tuple[StickerItem, ...] = ()
    snapshot: Snapshot | None = None
    webhook: WebhookAuthor | None = None
    poll: Poll | UnsetType = UNSET
    link_embeds: tuple[Embed, ...] = ()  # of the content's links, each with the link as its URL


class MessageUser(User, frozen=True, gc=False, kw_only=True):
    """A mentioned user; in a guild's events with its membership."""

    member: MessageMember | UnsetType = UNSET


class WebhookUser(User, frozen=True, gc=False, kw_only=True):
    """A webhook as the author of a message."""

    avatar_url: str | UnsetType = UNSET  # ours: an image somewhere else, as the message asked for; nothing fetches it


class SnapshotMessage(Object, frozen=True, kw_only=True):
    """What is shown of a forwarded message."""

    type: int
    content: str
    timestamp: str
    edited_timestamp: str | None
    flags: int
    mentions: tuple[User, ...]
    mention_roles: tuple[Snowflake, ...]
    attachments: tuple[Attachment, ...]
    embeds: tuple[Embed, ...]
    components: tuple[MessageComponent, ...]
    sticker_items: tuple[StickerItem, ...] | UnsetType = UNSET


class MessageSnapshot(Object, frozen=True, kw_only=True):
    message: SnapshotMessage


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
    attachments: tuple[Attachment, ...] = ()
    components: tuple[MessageComponent, ...] = ()
    sticker_items: tuple[StickerItem, ...] | UnsetType = UNSET
    pinned: bool = False
    reactions: tuple[Reaction, ...] | UnsetType = UNSET  # only over REST: it depends on who asks
    nonce: str | int | UnsetType = UNSET
    webhook_id: Snowflake | UnsetType = UNSET
    application_id: Snowflake | UnsetType = UNSET
    message_reference: MessageReference | UnsetType = UNSET
    message_snapshots: tuple[MessageSnapshot, ...] | UnsetType = UNSET
    referenced_message: "Message | UnsetType | None" = UNSET
    thread: Thread | UnsetType = UNSET
    poll: Poll | UnsetType = UNSET


class AllowedMentions(Params, kw_only=True):
    parse: list[Literal["roles", "users", "everyone"]] | None = None
    roles: Annotated[list[Snowflake], Meta(max_length=limits.ALLOWED_MENTIONS)] | None = None
    users: Annotated[list[Snowflake], Meta(max_length=limits.ALLOWED_MENTIONS)] | None = None
    replied_user: bool | None = None


class MessageReferenceParams(Params, kw_only=True):
    message_id: Snowflake
    type: ReferenceType | None = None
    channel_id: Snowflake | None = None
    guild_id: Snowflake | None = None
    fail_if_not_exists: bool | None = None  # true


Content = Annotated[str, Meta(max_length=limits.MESSAGE_CONTENT_LENGTH)]
Attachments = Annotated[list[AttachmentParams], Meta(max_length=limits.MESSAGE_ATTACHMENTS)]
Embeds = Annotated[list[EmbedParams], Meta(max_length=limits.MESSAGE_EMBEDS)]
Components = Annotated[tuple[MessageComponent, ...], Meta(max_length=limits.COMPONENTS)]
StickerIds = Annotated[list[Snowflake], Meta(max_length=limits.MESSAGE_STICKERS)]
Nonce = Annotated[str, Meta(max_length=limits.MESSAGE_NONCE_LENGTH)] | int


class MessageCreate(Params, kw_only=True):
    """Create Message."""

    content: Content | None = None
    nonce: Nonce | None = None
    tts: bool | None = None
    embeds: Embeds | None = None
    embed: EmbedParams | None = None  # the older form, one embed
    attachments: Attachments | None = None
    allowed_mentions: AllowedMentions | None = None
    message_reference: MessageReferenceParams | None = None
    flags: int | None = None
    enforce_nonce: bool | None = None
    components: Components | None = None
    sticker_ids: StickerIds | None = None
    poll: PollCreate | None = None


class MessagePatch(Params, kw_only=True):
    """Edit Message."""

    content: Content | UnsetType | None = UNSET
    embeds: Embeds | UnsetType | None = UNSET
    attachments: Attachments | UnsetType | None = UNSET
    flags: int | UnsetType | None = UNSET
    allowed_mentions: AllowedMentions | UnsetType | None = UNSET
    components: Components | UnsetType | None = UNSET
    sticker_ids: StickerIds | UnsetType | None = UNSET


class BulkDelete(Params, kw_only=True):
    """Bulk Delete Messages."""

    messages: list[Snowflake]


class MessagePage(Params, kw_only=True):
    """Get Channel Messages: at most one of around, before and after."""

    around: Snowflake | UnsetType = UNSET
    before: Snowflake | UnsetType = UNSET
    after: Snowflake | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=limits.MESSAGES_PER_PAGE)] = limits.MESSAGES_PER_PAGE_DEFAULT
