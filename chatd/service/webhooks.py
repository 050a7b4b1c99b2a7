"""Webhooks: make, list, show, change and delete them. Docs: resources/webhook.

What they post is in `webhook_messages`. An application's webhook shows its token to that application alone; who has
the token needs nothing else.
"""

import re
import secrets

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import (
    INVALID_WEBHOOK_TOKEN,
    UNKNOWN_CHANNEL,
    UNKNOWN_WEBHOOK,
    WRONG_CHANNEL_TYPE,
)
from chatd.model.images import AVATARS
from chatd.model.objects.channel import WEBHOOK_TYPES
from chatd.model.objects.message import WebhookAuthor
from chatd.model.objects.webhook import (
    Webhook,
    WebhookCreate,
    WebhookPatch,
    WebhookTokenPatch,
    WebhookType,
)
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake
from chatd.service import access, images, render, webhook_changes
from chatd.service.access import GuildChannel
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import webhooks as store

# What webhooks may do where they post, whoever made them.
PERMISSIONS = (
    p.VIEW_CHANNEL
    | p.SEND_MESSAGES
    | p.SEND_TTS_MESSAGES
    | p.EMBED_LINKS
    | p.ATTACH_FILES
    | p.MENTION_EVERYONE
    | p.USE_EXTERNAL_EMOJIS
    | p.BYPASS_SLOWMODE
    | p.SEND_POLLS
)

# 68 characters: as long as libraries look for in a webhook's address.
TOKEN_BYTES = 51

_FORBIDDEN = re.compile("clyde|discord", re.IGNORECASE)


async def create(core: Core, me: Actor, channel_id: Snowflake, body: WebhookCreate, reason: str | None) -> Webhook:
    """Docs: "Create Webhook".

    Raises MISSING_PERMISSIONS, WRONG_CHANNEL_TYPE, TOO_MANY_WEBHOOKS, TOO_MANY_GUILD_WEBHOOKS or a form error.
    """
    guild = (await managed(core, me, channel_id)).guild
    name = checked_name(body.name, "name")
    webhook_id = Snowflake(core.ids.next())
    avatar = None
    if body.avatar is not None:  # takes longer than anybody may hold the lock
        avatar = await images.store(core, AVATARS, webhook_id, body.avatar, "avatar")
    async with guild.lock:
        here = await managed(core, me, channel_id)
        webhook = Webhook(
            id=webhook_id,
            type=int(WebhookType.INCOMING),
            guild_id=here.channel.guild_id,
            channel_id=here.channel.id,
            user=me.user,
            name=name,
            avatar=avatar,
            token=secrets.token_urlsafe(TOKEN_BYTES),
            application_id=me.user.id if me.is_bot else None,
        )
        await webhook_changes.add(core, me, here, webhook, reason)
        return webhook


async def of_channel(core: Core, me: Actor, channel_id: Snowflake) -> list[Webhook]:
    """Oldest first. Docs: "Get Channel Webhooks". Raises MISSING_PERMISSIONS, WRONG_CHANNEL_TYPE."""
    await access.guild_channel(core, me, channel_id, p.MANAGE_WEBHOOKS)
    return [_shown(webhook, me) for webhook in await core.db.read(store.of_channel, channel_id)]


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[Webhook]:
    """Oldest first. Docs: "Get Guild Webhooks". Raises MISSING_PERMISSIONS."""
    await access.guild(core, me, guild_id, p.MANAGE_WEBHOOKS)
    return [_shown(webhook, me) for webhook in await core.db.read(store.of_guild, guild_id)]


async def show(core: Core, me: Actor, webhook_id: Snowflake) -> Webhook:
    """Docs: "Get Webhook". Raises UNKNOWN_WEBHOOK, MISSING_PERMISSIONS."""
    webhook = await _read(core, webhook_id)
    if webhook.application_id != me.id:
        await access.guild_channel(core, me, webhook.channel_id, p.MANAGE_WEBHOOKS)
    return _shown(webhook, me)


async def show_with_token(core: Core, webhook_id: Snowflake, webhook_token: str) -> Webhook:
    """Docs: "Get Webhook with Token". Raises UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN."""
    webhook, _ = await by_token(core, webhook_id, webhook_token)
    return replace(webhook, user=UNSET)


async def edit(core: Core, me: Actor, webhook_id: Snowflake, body: WebhookPatch, reason: str | None) -> Webhook:
    """Docs: "Modify Webhook". It may move to another channel of its guild.

    Raises UNKNOWN_WEBHOOK, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, WRONG_CHANNEL_TYPE, TOO_MANY_WEBHOOKS or a form error.
    """
    old = await _read(core, webhook_id)
    guild = (await managed(core, me, old.channel_id)).guild
    await _store_avatar(core, webhook_id, body)
    async with guild.lock:
        old = await _read(core, webhook_id)
        here = await managed(core, me, old.channel_id)
        channel_id = body.channel_id or old.channel_id
        if channel_id != old.channel_id and (await managed(core, me, channel_id)).guild is not here.guild:
            raise UNKNOWN_CHANNEL()
        return _shown(await _edit(core, me, here, old, body, channel_id, reason), me)


async def edit_with_token(
    core: Core, webhook_id: Snowflake, webhook_token: str, body: WebhookTokenPatch, reason: str | None
) -> Webhook:
    """Docs: "Modify Webhook with Token". Raises UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN or a form error."""
    guild = (await by_token(core, webhook_id, webhook_token))[1].guild
    await _store_avatar(core, webhook_id, body)
    async with guild.lock:
        old, here = await by_token(core, webhook_id, webhook_token)
        new = await _edit(core, actor(old), here, old, body, old.channel_id, reason)
        return replace(new, user=UNSET)


async def delete(core: Core, me: Actor, webhook_id: Snowflake, reason: str | None) -> None:
    """Docs: "Delete Webhook". What it has posted stays. Raises UNKNOWN_WEBHOOK, MISSING_PERMISSIONS."""
    webhook = await _read(core, webhook_id)
    async with (await managed(core, me, webhook.channel_id)).guild.lock:
        webhook = await _read(core, webhook_id)
        here = await managed(core, me, webhook.channel_id)
        await webhook_changes.remove(core, me, here, webhook, reason)


async def delete_with_token(core: Core, webhook_id: Snowflake, webhook_token: str, reason: str | None) -> None:
    """Docs: "Delete Webhook with Token". Raises UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN."""
    async with (await by_token(core, webhook_id, webhook_token))[1].guild.lock:
        webhook, here = await by_token(core, webhook_id, webhook_token)
        await webhook_changes.remove(core, actor(webhook), here, webhook, reason)


# --- what other services share ---------------------------------------------------------------------------------------


async def by_token(core: Core, webhook_id: int, token: str) -> tuple[Webhook, GuildChannel]:
    """The webhook, and its channel as it may use it; mostly from memory.

    Raises UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN.
    """
    webhook = core.live.webhooks.get(webhook_id)
    if webhook is None:
        await _read(core, webhook_id)  # keeps made-up ids away from the writer
        # On the writer, so that what is remembered is changed by whatever commits later.
        webhook = await core.db.write(store.get, webhook_id, then=lambda found: _remember(core, found))
    guild = None if webhook is None else await access.load_guild(core, webhook.guild_id)
    if webhook is None or guild is None or webhook.channel_id not in guild.channels:
        raise UNKNOWN_WEBHOOK()
    if webhook.token is UNSET or not secrets.compare_digest(webhook.token.encode(), token.encode()):
        raise INVALID_WEBHOOK_TOKEN()
    return webhook, GuildChannel(guild, guild.channels[webhook.channel_id], PERMISSIONS)


def actor(webhook: Webhook, author: WebhookAuthor | None = None) -> Actor:
    """The webhook as who does something, an application where it is one's."""
    shown = author or WebhookAuthor(username=webhook.name, avatar=webhook.avatar)
    flags = None if webhook.application_id is None else 0
    return Actor(render.webhook_user(webhook.id, shown), token="", application_flags=flags)


def checked_name(name: str, field: str) -> str:
    """Without white space around it. Raises a form error."""
    name = " ".join(name.split())
    if not name:
        low, high = limits.WEBHOOK_NAME_LENGTH
        raise form_error(field, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
    if (found := _FORBIDDEN.search(name)) is not None:
        raise form_error(field, "USERNAME_INVALID_CONTAINS", f'Username cannot contain "{found.group().lower()}"')
    return name


async def managed(core: Core, me: Actor, channel_id: int) -> GuildChannel:
    """A channel whose webhooks the asker manages. Raises MISSING_PERMISSIONS, WRONG_CHANNEL_TYPE."""
    here = await access.guild_channel(core, me, channel_id, p.MANAGE_WEBHOOKS)
    if here.channel.type not in WEBHOOK_TYPES:
        raise WRONG_CHANNEL_TYPE()
    return here


# --- the rest --------------------------------------------------------------------------------------------------------


async def _store_avatar(core: Core, webhook_id: int, body: WebhookTokenPatch) -> None:
    """Before the lock is taken: it takes longer than anybody may hold that. Put the avatar's hash in its place."""
    body.avatar = await images.store(core, AVATARS, webhook_id, body.avatar, "avatar")


async def _edit(
    core: Core,
    me: Actor,
    here: GuildChannel,
    old: Webhook,
    body: WebhookTokenPatch,
    channel_id: Snowflake,
    reason: str | None,
) -> Webhook:
    name = old.name if body.name is UNSET else checked_name(body.name, "name")
    avatar = old.avatar if body.avatar is UNSET else body.avatar
    new = replace(old, name=name, avatar=avatar, channel_id=channel_id)
    if new == old:
        return old
    await webhook_changes.change(core, me, here, old, new, reason)
    return new


async def _read(core: Core, webhook_id: int) -> Webhook:
    found = await core.db.read(store.get, webhook_id)
    if found is None:
        raise UNKNOWN_WEBHOOK()
    return found


def _remember(core: Core, webhook: Webhook | None) -> Webhook | None:
    if webhook is not None:
        core.live.webhooks.put(webhook)
    return webhook


def _shown(webhook: Webhook, me: Actor) -> Webhook:
    """As the asker may see it."""
    is_open = webhook.application_id is None or webhook.application_id == me.id
    return webhook if is_open else replace(webhook, token=UNSET)
