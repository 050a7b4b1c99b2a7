"""Webhooks (resources/webhook) and channel following (resources/channel)."""

from enum import IntEnum
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.channel import AppliedTags, ChannelName
from chatd.model.objects.embed import Url
from chatd.model.objects.message import Content, MessageCreate
from chatd.model.objects.user import User
from chatd.model.wire import ImageParams, Object, Params, Snowflake, length


class WebhookType(IntEnum):
    INCOMING = 1
    CHANNEL_FOLLOWER = 2


class SourceGuild(Object, frozen=True, kw_only=True):
    id: Snowflake
    name: str
    icon: str | None


class SourceChannel(Object, frozen=True, kw_only=True):
    id: Snowflake
    name: str


class Webhook(Object, frozen=True, kw_only=True):
    """A webhook with everything that anybody may see of it."""

    id: Snowflake
    type: int
    guild_id: Snowflake
    channel_id: Snowflake
    user: User | UnsetType = UNSET  # who made it
    name: str
    avatar: str | None
    token: str | UnsetType = UNSET
    application_id: Snowflake | None
    source_guild: SourceGuild | UnsetType = UNSET
    source_channel: SourceChannel | UnsetType = UNSET


# The end of the year 9999.
MAX_TIME_S = 253_402_300_799

WebhookName = Annotated[str, length(limits.WEBHOOK_NAME_LENGTH)]


class WebhookCreate(ImageParams, kw_only=True):
    """Create Webhook."""

    name: WebhookName
    avatar: str | None = None


class WebhookTokenPatch(ImageParams, kw_only=True):
    """Modify Webhook with Token."""

    name: WebhookName | UnsetType = UNSET
    avatar: str | UnsetType | None = UNSET


class WebhookPatch(WebhookTokenPatch, kw_only=True):
    """Modify Webhook."""

    channel_id: Snowflake | UnsetType | None = UNSET


class WebhookExecute(MessageCreate, kw_only=True):
    """Execute Webhook."""

    username: WebhookName | None = None
    avatar_url: Url | None = None
    thread_name: ChannelName | None = None
    applied_tags: AppliedTags | None = None


class ThreadQuery(Params, kw_only=True):
    """Get and Delete Webhook Message."""

    thread_id: Snowflake | UnsetType = UNSET


class ComponentsQuery(ThreadQuery, kw_only=True):
    """Edit Webhook Message."""

    with_components: bool = False


class ExecuteQuery(ComponentsQuery, kw_only=True):
    """Execute Webhook."""

    wait: bool = False


class SlackAttachmentField(Params, kw_only=True):
    title: str = ""
    value: str = ""
    short: bool = False


class SlackAttachment(Params, kw_only=True):
    title: str = ""
    title_link: Url | None = None
    pretext: str = ""
    text: str = ""
    color: str | None = None
    ts: Annotated[float, Meta(ge=0, le=MAX_TIME_S)] | None = None  # epoch seconds
    footer: str = ""
    footer_icon: Url | None = None
    author_name: str = ""
    author_link: Url | None = None
    author_icon: Url | None = None
    image_url: Url | None = None
    thumb_url: Url | None = None
    fields: list[SlackAttachmentField] = []


class SlackMessage(Params, kw_only=True):
    """Execute Slack-Compatible Webhook."""

    text: Content | None = None
    username: str | None = None
    icon_url: Url | None = None
    attachments: Annotated[list[SlackAttachment], Meta(max_length=limits.MESSAGE_EMBEDS)] = []


class WebhooksUpdate(Object, frozen=True, kw_only=True):
    """WEBHOOKS_UPDATE."""

    guild_id: Snowflake
    channel_id: Snowflake


class ChannelFollow(Params, kw_only=True):
    """Follow Announcement Channel."""

    webhook_channel_id: Snowflake


class FollowedChannel(Object, frozen=True, kw_only=True):
    channel_id: Snowflake  # that is followed
    webhook_id: Snowflake
