"""From rows and drafts to the objects of the API."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model.objects.attachment import Attachment
from chatd.model.objects.embed import Embed
from chatd.model.objects.guild import Member, MessageMember
from chatd.model.objects.message import (
    REFERRING_TYPES,
    Message,
    MessageExtra,
    MessageFlags,
    MessageSnapshot,
    MessageUser,
    Snapshot,
    SnapshotMessage,
    WebhookAuthor,
    WebhookUser,
)
from chatd.model.objects.poll import Poll, PollAnswerCount, PollResults
from chatd.model.objects.reaction import Reaction
from chatd.model.objects.thread import Thread
from chatd.model.objects.user import User
from chatd.model.snowflake import created_ms
from chatd.model.wire import Snowflake, decoder, timestamp
from chatd.service.attachment_views import shown
from chatd.service.core import Core
from chatd.store.messages import MessageRow, Page
from chatd.store.rows import WEBHOOK_DISCRIMINATOR

# Stands in for the author of a message whose account is gone.
DELETED_USER = User(id=Snowflake(0), username="deleted_user", discriminator="0000")

_SUPPRESS_EMBEDS = int(MessageFlags.SUPPRESS_EMBEDS)  # a plain integer is ten times faster

extra_of = decoder(MessageExtra).decode


def message(
    core: Core,
    row: MessageRow,
    extra: MessageExtra,
    users: Mapping[int, User],
    referenced: Message | UnsetType | None = UNSET,
    thread: Thread | UnsetType = UNSET,
    reactions: tuple[Reaction, ...] | UnsetType = UNSET,
    votes: tuple[PollAnswerCount, ...] | None = None,
) -> Message:
    """A message as REST shows it. `referenced` is what it replies to, null when that is deleted."""
    webhook = extra.webhook
    attachments: tuple[Attachment, ...] = ()
    embeds = shown_embeds(row, extra)
    components = extra.components
    if extra.attachments:
        attachments, embeds, components = shown(core, extra.attachments, embeds, components)
    return Message(
        id=Snowflake(row.id),
        channel_id=Snowflake(row.channel_id),
        author=users.get(row.author_id, DELETED_USER) if webhook is None else webhook_user(row.author_id, webhook),
        content=row.content,
        timestamp=timestamp(created_ms(row.id)),
        edited_timestamp=None if row.edited_ms is None else timestamp(row.edited_ms),
        tts=extra.tts,
        mention_everyone=extra.mention_everyone,
        mentions=tuple(users[user_id] for user_id in extra.mentions if user_id in users),
        mention_roles=extra.mention_roles,
        embeds=embeds,
        attachments=attachments,
        components=components,
        sticker_items=extra.sticker_items or UNSET,
        pinned=row.pinned_ms is not None,
        reactions=reactions,
        type=row.type,
        flags=row.flags,
        nonce=UNSET if extra.nonce is None else extra.nonce,
        webhook_id=UNSET if webhook is None else Snowflake(row.author_id),
        application_id=UNSET if webhook is None or webhook.application_id is None else webhook.application_id,
        message_reference=UNSET if extra.message_reference is None else extra.message_reference,
        message_snapshots=UNSET if extra.snapshot is None else (_snapshot(core, extra.snapshot, users),),
        referenced_message=referenced,
        thread=thread,
        poll=extra.poll if votes is None else _counted(extra.poll, votes),
    )


def webhook_user(webhook_id: int, author: WebhookAuthor) -> WebhookUser:
    return WebhookUser(
        id=Snowflake(webhook_id),
        username=author.username,
        discriminator=WEBHOOK_DISCRIMINATOR,
        avatar=author.avatar,
        bot=True,
        avatar_url=UNSET if author.avatar_url is None else author.avatar_url,
    )


def _snapshot(core: Core, snapshot: Snapshot, users: Mapping[int, User]) -> MessageSnapshot:
    attachments, embeds, components = shown(core, snapshot.attachments, snapshot.embeds, snapshot.components)
    return MessageSnapshot(
        message=SnapshotMessage(
            type=snapshot.type,
            content=snapshot.content,
            timestamp=snapshot.timestamp,
            edited_timestamp=snapshot.edited_timestamp,
            flags=snapshot.flags,
            mentions=tuple(users[user_id] for user_id in snapshot.mentions if user_id in users),
            mention_roles=snapshot.mention_roles,
            embeds=embeds,
            attachments=attachments,
            components=components,
            sticker_items=snapshot.sticker_items or UNSET,
        )
    )


def shown_embeds(row: MessageRow, extra: MessageExtra) -> tuple[Embed, ...]:
    if row.flags & _SUPPRESS_EMBEDS:
        return ()
    return (extra.embeds + extra.link_embeds)[: limits.MESSAGE_EMBEDS]


def messages(core: Core, page: Page) -> list[Message]:
    """A page of messages, each reply with what it replies to."""
    return [_with_reference(core, row, page) for row in page.rows]


def for_everybody(message: Message) -> Message:
    """The message without what depends on who asks, as events have it."""
    quoted = message.referenced_message
    if isinstance(quoted, Message):
        quoted = replace(quoted, reactions=UNSET, poll=_impersonal(quoted.poll))
    return replace(message, reactions=UNSET, poll=_impersonal(message.poll), referenced_message=quoted)


def _counted(poll: Poll | UnsetType, votes: tuple[PollAnswerCount, ...]) -> Poll | UnsetType:
    """With the votes as they are now."""
    if poll is UNSET:
        return poll
    return replace(poll, results=PollResults(answer_counts=votes, is_finalized=poll.results is not UNSET))


def _impersonal(poll: Poll | UnsetType) -> Poll | UnsetType:
    """As it is stored."""
    if poll is UNSET or poll.results is UNSET:
        return poll
    if not poll.results.is_finalized:
        return replace(poll, results=UNSET)
    counts = tuple(replace(count, me_voted=False) for count in poll.results.answer_counts)
    return replace(poll, results=replace(poll.results, answer_counts=counts))


def _with_reference(core: Core, row: MessageRow, page: Page) -> Message:
    extra = extra_of(row.extra)
    thread, reactions = page.threads.get(row.id, UNSET), page.reactions.get(row.id, UNSET)
    votes = page.votes.get(row.id)
    target = _target(row, extra)
    if not target:
        return message(core, row, extra, page.users, UNSET, thread, reactions, votes)
    found = page.references.get(target)
    referenced = None
    if found is not None:
        quoted = page.reactions.get(found.id, UNSET)
        votes_there = page.votes.get(found.id)
        referenced = message(core, found, extra_of(found.extra), page.users, reactions=quoted, votes=votes_there)
    return message(core, row, extra, page.users, referenced, thread, reactions, votes)


def named_users(row: MessageRow) -> Sequence[int]:
    """Whom the message mentions, or the one that it forwards."""
    extra = extra_of(row.extra)
    return extra.mentions if extra.snapshot is None else (*extra.mentions, *extra.snapshot.mentions)


def replied_to(row: MessageRow) -> int:
    """The id of the message that this one replies to, or 0."""
    return _target(row, extra_of(row.extra))


def _target(row: MessageRow, extra: MessageExtra) -> int:
    reference = extra.message_reference
    if reference is None or reference.message_id is UNSET or row.type not in REFERRING_TYPES:
        return 0
    return reference.message_id


def message_member(member: Member) -> MessageMember:
    """A member beside its user."""
    return MessageMember(  # one by one: a loop over their names would take eight times as long, for every message
        roles=member.roles,
        joined_at=member.joined_at,
        nick=member.nick,
        avatar=member.avatar,
        banner=member.banner,
        premium_since=member.premium_since,
        deaf=member.deaf,
        mute=member.mute,
        flags=member.flags,
        pending=member.pending,
        communication_disabled_until=member.communication_disabled_until,
    )


def mentioned(user: User, guild: GuildState) -> User:
    """A mentioned user with its membership, as the events of a guild have it."""
    member = guild.members.get(user.id)
    if member is None:
        return user
    fields = {name: getattr(user, name) for name in User.__struct_fields__}
    return MessageUser(**fields, member=message_member(member))
