"""What the routes of threads take and answer (resources/channel)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.channel import AppliedTags, AutoArchive, ChannelName, Slowmode
from chatd.model.objects.guild import Member
from chatd.model.objects.message import AllowedMentions, Attachments, Components, Content, Embeds, Message, StickerIds
from chatd.model.objects.thread import Thread, ThreadMember
from chatd.model.wire import Object, Params, Snowflake


class ThreadFromMessage(Params, kw_only=True):
    """Start Thread from Message."""

    name: ChannelName
    auto_archive_duration: AutoArchive | None = None
    rate_limit_per_user: Slowmode | None = None


class ForumMessage(Params, kw_only=True):
    """The first message of a thread in a forum or media channel."""

    content: Content | None = None
    embeds: Embeds | None = None
    attachments: Attachments | None = None
    allowed_mentions: AllowedMentions | None = None
    flags: int | None = None
    components: Components | None = None
    sticker_ids: StickerIds | None = None


class ThreadCreate(ThreadFromMessage, kw_only=True):
    """Start Thread without Message, and Start Thread in Forum or Media Channel: there with a message and tags."""

    type: Literal[10, 11, 12] | None = None
    invitable: bool | None = None
    message: ForumMessage | UnsetType = UNSET
    applied_tags: AppliedTags | None = None


class CreatedThread(Thread, frozen=True, kw_only=True):
    """A new thread in a forum or media channel."""

    message: Message


class ThreadMemberView(ThreadMember, frozen=True, kw_only=True):
    member: Member | UnsetType = UNSET


class ThreadMemberQuery(Params):
    """Get Thread Member."""

    with_member: bool = False


class ThreadMembersQuery(Params):
    """List Thread Members. Without `with_member` all are listed, up to API version 10."""

    with_member: bool = False
    after: Snowflake = Snowflake(0)
    limit: Annotated[int, Meta(ge=1, le=limits.THREAD_MEMBERS_PER_PAGE)] = limits.THREAD_MEMBERS_PER_PAGE


class ThreadList(Object, frozen=True, kw_only=True):
    """Threads, and the asker's memberships of them."""

    threads: tuple[Thread, ...]
    members: tuple[ThreadMember, ...]
    has_more: bool = False


class ArchivedQuery(Params):
    """List Public and Private Archived Threads. `before` is ISO 8601."""

    before: str | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class JoinedArchivedQuery(Params):
    """List Joined Private Archived Threads. `before` is a thread's id."""

    before: Snowflake | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
