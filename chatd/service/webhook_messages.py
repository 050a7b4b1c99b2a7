"""What webhooks post: execute, show, edit, delete. Docs: resources/webhook.

A webhook posts on the same path as everybody else, and from memory. AutoMod, slowmode and the verification level are
about members and pass it over. Whom it mentions `allowed_mentions` says, and nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import UNSET, Raw, UnsetType
from msgspec.structs import replace

from chatd.model import urls
from chatd.model.errors import (
    FORUM_WEBHOOK_NEEDS_THREAD,
    FORUM_WEBHOOK_TWO_THREADS,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    WEBHOOK_SERVICE_IN_FORUM,
    WEBHOOK_THREAD_OUTSIDE_FORUM,
)
from chatd.model.objects.channel import FORUM_TYPES, ChannelType
from chatd.model.objects.component import walk
from chatd.model.objects.github import GithubEvent
from chatd.model.objects.message import AllowedMentions, Message, MessageFlags, MessagePatch, WebhookAuthor
from chatd.model.objects.thread_requests import ThreadFromMessage
from chatd.model.objects.webhook import (
    ComponentsQuery,
    ExecuteQuery,
    SlackMessage,
    ThreadQuery,
    Webhook,
    WebhookExecute,
)
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake, encode
from chatd.service import (
    access,
    compose,
    deletions,
    github_embeds,
    message_edits,
    messages,
    render,
    slack_embeds,
    thread_forms,
    thread_members,
    thread_rules,
    threads,
    uploads,
    webhooks,
)
from chatd.service.access import GuildChannel, GuildPlace, ThreadPlace
from chatd.service.actors import Actor
from chatd.service.attachments import NO_FILES, NewFiles
from chatd.service.components import Tree
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.service.messages import EncodedMessage
from chatd.service.uploads import Upload
from chatd.store.rows import to_text

# resources/message, "Allowed Mentions Object": what webhooks mention when they do not say.
_USERS_ONLY = AllowedMentions(parse=["users"])


async def execute(
    core: Core,
    webhook_id: Snowflake,
    webhook_token: str,
    body: WebhookExecute,
    query: ExecuteQuery,
    files: Sequence[Upload] = (),
) -> EncodedMessage | None:
    """Post a message, in a forum with a new thread; with `wait` it is returned. Docs: "Execute Webhook".

    Raises UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN, EMPTY_MESSAGE, UNKNOWN_CHANNEL, FORUM_WEBHOOK_NEEDS_THREAD,
    FORUM_WEBHOOK_TWO_THREADS, WEBHOOK_THREAD_OUTSIDE_FORUM, what threads refuse, or a form error.
    """
    webhook, channel = await webhooks.by_token(core, webhook_id, webhook_token)
    _check_thread_name(channel, body, query)
    here = await _place(core, channel, query.thread_id)
    async with uploads.kept(core, here.id, files, body.attachments or ()) as new:
        said = _Said(body, query.with_components, new)
        if body.thread_name is None:
            posted = await _post(core, webhook, here, said)
        else:
            posted = await _post_thread(core, webhook, channel, said, body.thread_name)
    return posted if query.wait else None


async def execute_slack(
    core: Core, webhook_id: Snowflake, webhook_token: str, body: SlackMessage, query: ThreadQuery
) -> str:
    """Docs: "Execute Slack-Compatible Webhook". Raises as `execute` does, and WEBHOOK_SERVICE_IN_FORUM."""
    await _execute_service(core, webhook_id, webhook_token, slack_embeds.message(body), query)
    return "ok"


async def execute_github(
    core: Core,
    webhook_id: Snowflake,
    webhook_token: str,
    body: GithubEvent,
    query: ThreadQuery,
    headers: Mapping[str, str],
) -> None:
    """Events that there is nothing to say of are taken all the same. Docs: "Execute GitHub-Compatible Webhook".

    Raises as `execute_slack` does.
    """
    message = github_embeds.message(headers.get("x-github-event", ""), body)
    await _execute_service(core, webhook_id, webhook_token, message, query)


async def show(
    core: Core, webhook_id: Snowflake, webhook_token: str, message_id: Snowflake, query: ThreadQuery
) -> Message:
    """Docs: "Get Webhook Message". Raises UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE."""
    webhook, channel = await webhooks.by_token(core, webhook_id, webhook_token)
    return await _own(core, webhook, await _place(core, channel, query.thread_id), message_id)


async def edit(
    core: Core,
    webhook_id: Snowflake,
    webhook_token: str,
    message_id: Snowflake,
    body: MessagePatch,
    query: ComponentsQuery,
    files: Sequence[Upload] = (),
) -> EncodedMessage:
    """Docs: "Edit Webhook Message". Raises as `show` does, EMPTY_MESSAGE, THREAD_IS_ARCHIVED or a form error."""
    webhook, channel = await webhooks.by_token(core, webhook_id, webhook_token)
    here = await _place(core, channel, query.thread_id)
    await _own(core, webhook, here, message_id)
    body.allowed_mentions = body.allowed_mentions or _USERS_ONLY
    me = webhooks.actor(webhook)
    _admit_components(me, body.components, query.with_components)
    described = () if body.attachments is UNSET else body.attachments or ()
    async with uploads.kept(core, here.id, files, described) as new:
        return await message_edits.at(core, me, here, message_id, body, new)


async def delete(
    core: Core, webhook_id: Snowflake, webhook_token: str, message_id: Snowflake, query: ThreadQuery
) -> None:
    """Docs: "Delete Webhook Message". Raises as `show` does, and THREAD_IS_ARCHIVED."""
    webhook, channel = await webhooks.by_token(core, webhook_id, webhook_token)
    here = await _place(core, channel, query.thread_id)
    await _own(core, webhook, here, message_id)
    if isinstance(here, ThreadPlace):
        thread_rules.check_may_delete_messages(here)
    await deletions.at(core, webhooks.actor(webhook), here, message_id, None)


async def may_attach(core: Core, webhook_id: Snowflake, webhook_token: str) -> None:
    """Raises UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN."""
    await webhooks.by_token(core, webhook_id, webhook_token)


# --- posting ---------------------------------------------------------------------------------------------------------


class _Said(NamedTuple):
    """What is to be posted."""

    body: WebhookExecute
    with_components: bool = False
    files: NewFiles = NO_FILES


async def _execute_service(
    core: Core, webhook_id: int, webhook_token: str, body: WebhookExecute | None, query: ThreadQuery
) -> None:
    webhook, channel = await webhooks.by_token(core, webhook_id, webhook_token)
    here = await _place(core, channel, query.thread_id)
    if here.channel.type in FORUM_TYPES:
        raise WEBHOOK_SERVICE_IN_FORUM()
    if body is not None:
        await _post(core, webhook, here, _Said(body))


def _check_thread_name(channel: GuildChannel, body: WebhookExecute, query: ExecuteQuery) -> None:
    is_forum = channel.channel.type in FORUM_TYPES
    if body.thread_name is None:
        if is_forum and query.thread_id is UNSET:
            raise FORUM_WEBHOOK_NEEDS_THREAD()
    elif not is_forum:
        raise WEBHOOK_THREAD_OUTSIDE_FORUM()
    elif query.thread_id is not UNSET:
        raise FORUM_WEBHOOK_TWO_THREADS()


async def _post(core: Core, webhook: Webhook, here: GuildPlace, said: _Said) -> EncodedMessage:
    composed = await _compose(core, webhook, here, said)
    if isinstance(here, ThreadPlace):
        await thread_members.admit(core, here, composed.extra.mentions)
    return (await messages.append(core, here, composed))[1]


async def _post_thread(core: Core, webhook: Webhook, channel: GuildChannel, said: _Said, name: str) -> EncodedMessage:
    guild, me = channel.guild, webhooks.actor(webhook)
    async with guild.lock:
        if channel.id not in guild.channels:
            raise UNKNOWN_WEBHOOK()
        forum = GuildChannel(guild, guild.channels[channel.id], channel.permissions)
        tags = thread_forms.tags(forum.channel, said.body.applied_tags or (), (), may_manage=False)
        form = ThreadFromMessage(name=name)
        thread = thread_forms.new(core, me, forum, core.ids.next(), ChannelType.PUBLIC_THREAD, form, applied_tags=tags)
        composed = await _compose(core, webhook, ThreadPlace(guild, thread, forum.permissions), said)
        created = await threads.start_post(core, me, forum, thread, composed, None)
        return Raw(encode(created.message))


async def _compose(core: Core, webhook: Webhook, here: GuildPlace, said: _Said) -> Composed:
    body = said.body
    if body.avatar_url is not None and (fault := urls.fault(body.avatar_url)) is not None:
        raise form_error("avatar_url", *fault)
    author = WebhookAuthor(
        username=webhook.name if body.username is None else webhooks.checked_name(body.username, "username"),
        avatar=webhook.avatar if body.avatar_url is None else None,
        avatar_url=body.avatar_url,
        application_id=webhook.application_id,
    )
    body.allowed_mentions = body.allowed_mentions or _USERS_ONLY
    # What webhooks do not have is ignored.
    body.message_reference = body.nonce = body.sticker_ids = None
    body.flags = (body.flags or 0) & ~MessageFlags.IS_VOICE_MESSAGE
    me = webhooks.actor(webhook, author)
    _admit_components(me, body.components, said.with_components)
    composed = await compose.new(core, me, here, body, said.files)
    extra = replace(composed.extra, webhook=author)
    return composed._replace(extra=extra, draft=composed.draft._replace(extra=to_text(extra)))


def _admit_components(me: Actor, tree: Tree | UnsetType | None, is_asked: bool) -> None:
    """Components are for applications. Others may ask for those that nobody answers; otherwise they are ignored."""
    if me.is_bot or not is_asked:
        return
    for path, component in walk(tree or ()):
        if getattr(component, "custom_id", UNSET) is not UNSET:
            raise form_error(path, "COMPONENT_INTERACTIVE_NOT_ALLOWED", "No application would answer this")
    me.application_flags = 0


# --- where and what --------------------------------------------------------------------------------------------------


async def _place(core: Core, channel: GuildChannel, thread_id: Snowflake | UnsetType) -> GuildPlace:
    """The webhook's channel, or a thread of it. Raises UNKNOWN_CHANNEL."""
    if thread_id is UNSET:
        return channel
    found = await access.load_place(core, channel.guild, thread_id)
    if not isinstance(found, ThreadPlace) or found.channel.parent_id != channel.id:
        raise UNKNOWN_CHANNEL()
    return ThreadPlace(found.guild, found.channel, channel.permissions)


async def _own(core: Core, webhook: Webhook, here: GuildPlace, message_id: int) -> Message:
    """Raises UNKNOWN_MESSAGE, also for what others have posted."""
    page = await core.db.read(messages.read_one, here.id, message_id, webhook.id)
    if not page.rows or page.rows[0].author_id != webhook.id:
        raise UNKNOWN_MESSAGE()
    return render.messages(core, page)[0]
