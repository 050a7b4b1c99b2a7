"""What webhooks post: execute, show, edit, delete. Docs: resources/webhook.

A webhook posts on the same path as everybody else, and from memory. AutoMod, slowmode and the verification level are
about members and pass it over. Whom it mentions `allowed_mentions` says, and nothing else.
"""

from collections.abc import Mapping

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
from chatd.model.objects.message import AllowedMentions, Message, MessageCreate, MessagePatch, WebhookAuthor
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
    webhooks,
)
from chatd.service.access import GuildChannel, GuildPlace, ThreadPlace
from chatd.service.actors import Actor
from chatd.service.compose import Composed
from chatd.service.core import Core
from chatd.service.messages import EncodedMessage
from chatd.store.rows import to_text

# resources/message, "Allowed Mentions Object": what webhooks mention when they do not say.
_USERS_ONLY = AllowedMentions(parse=["users"])


async def execute(
    core: Core, webhook_id: Snowflake, webhook_token: str, body: WebhookExecute, query: ExecuteQuery
) -> EncodedMessage | None:
    """Post a message, in a forum with a new thread; with `wait` it is returned. Docs: "Execute Webhook".

    Raises UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN, EMPTY_MESSAGE, UNKNOWN_CHANNEL, FORUM_WEBHOOK_NEEDS_THREAD,
    FORUM_WEBHOOK_TWO_THREADS, WEBHOOK_THREAD_OUTSIDE_FORUM, what threads refuse, or a form error.
    """
    webhook, channel = await webhooks.by_token(core, webhook_id, webhook_token)
    if body.thread_name is None:
        here = await _place(core, channel, query.thread_id)
        if here.channel.type in FORUM_TYPES:
            raise FORUM_WEBHOOK_NEEDS_THREAD()
        posted = await _post(core, webhook, here, body, query)
    elif channel.channel.type not in FORUM_TYPES:
        raise WEBHOOK_THREAD_OUTSIDE_FORUM()
    elif query.thread_id is not UNSET:
        raise FORUM_WEBHOOK_TWO_THREADS()
    else:
        posted = await _post_thread(core, webhook, channel, body, query, body.thread_name)
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
) -> EncodedMessage:
    """Docs: "Edit Webhook Message". Raises as `show` does, EMPTY_MESSAGE, THREAD_IS_ARCHIVED or a form error."""
    webhook, channel = await webhooks.by_token(core, webhook_id, webhook_token)
    here = await _place(core, channel, query.thread_id)
    await _own(core, webhook, here, message_id)
    body.allowed_mentions = body.allowed_mentions or _USERS_ONLY
    me = _actor(webhook, None, body, query)
    return await message_edits.at(core, me, here, message_id, body)


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


# --- posting ---------------------------------------------------------------------------------------------------------


async def _execute_service(
    core: Core, webhook_id: int, webhook_token: str, body: WebhookExecute | None, query: ThreadQuery
) -> None:
    webhook, channel = await webhooks.by_token(core, webhook_id, webhook_token)
    here = await _place(core, channel, query.thread_id)
    if here.channel.type in FORUM_TYPES:
        raise WEBHOOK_SERVICE_IN_FORUM()
    if body is not None:
        await _post(core, webhook, here, body, ComponentsQuery())


async def _post(
    core: Core, webhook: Webhook, here: GuildPlace, body: WebhookExecute, query: ComponentsQuery
) -> EncodedMessage:
    composed = await _compose(core, webhook, here, body, query)
    if isinstance(here, ThreadPlace):
        await thread_members.admit(core, here, composed.extra.mentions)
    return (await messages.append(core, here, composed))[1]


async def _post_thread(
    core: Core, webhook: Webhook, channel: GuildChannel, body: WebhookExecute, query: ComponentsQuery, name: str
) -> EncodedMessage:
    guild, me = channel.guild, webhooks.actor(webhook)
    async with guild.lock:
        if channel.id not in guild.channels:
            raise UNKNOWN_WEBHOOK()
        forum = GuildChannel(guild, guild.channels[channel.id], channel.permissions)
        tags = thread_forms.tags(forum.channel, body.applied_tags or (), (), may_manage=False)
        form = ThreadFromMessage(name=name)
        thread = thread_forms.new(core, me, forum, core.ids.next(), ChannelType.PUBLIC_THREAD, form, applied_tags=tags)
        composed = await _compose(core, webhook, ThreadPlace(guild, thread, forum.permissions), body, query)
        created = await threads.start_post(core, me, forum, thread, composed, None)
        return Raw(encode(created.message))


async def _compose(
    core: Core, webhook: Webhook, here: GuildPlace, body: WebhookExecute, query: ComponentsQuery
) -> Composed:
    if body.avatar_url is not None and (fault := urls.fault(body.avatar_url)) is not None:
        raise form_error("avatar_url", *fault)
    author = WebhookAuthor(
        username=webhook.name if body.username is None else webhooks.checked_name(body.username, "username"),
        avatar=webhook.avatar if body.avatar_url is None else None,
        avatar_url=body.avatar_url,
        application_id=webhook.application_id,
    )
    body.allowed_mentions = body.allowed_mentions or _USERS_ONLY
    body.message_reference = body.nonce = body.sticker_ids = None  # which webhooks do not have
    composed = await compose.new(core, _actor(webhook, author, body, query), here, body)
    extra = replace(composed.extra, webhook=author)
    return composed._replace(extra=extra, draft=composed.draft._replace(extra=to_text(extra)))


def _actor(
    webhook: Webhook, author: WebhookAuthor | None, body: MessageCreate | MessagePatch, query: ComponentsQuery
) -> Actor:
    """Components are for applications. Others may ask for those that nobody answers: all else of them is ignored."""
    me = webhooks.actor(webhook, author)
    if not me.is_bot and query.with_components:
        for path, component in walk(body.components or ()):
            if getattr(component, "custom_id", UNSET) is not UNSET:
                raise form_error(path, "COMPONENT_INTERACTIVE_NOT_ALLOWED", "No application would answer this")
        me.application_flags = 0
    return me


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
    return render.messages(page)[0]
