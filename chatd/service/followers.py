"""Channels that follow announcement channels. Docs: resources/channel, "Follow Announcement Channel".

A follower is a webhook without a token in the channel that follows. What is published by it is in `crossposts`.
"""

from chatd.model import limits
from chatd.model.errors import WRONG_CHANNEL_TYPE
from chatd.model.images import AVATARS, ICONS
from chatd.model.markup import clipped
from chatd.model.objects.channel import ChannelType
from chatd.model.objects.webhook import ChannelFollow, FollowedChannel, Webhook, WebhookType
from chatd.model.wire import Snowflake
from chatd.service import access, backpressure, images, system_messages, webhook_changes, webhooks
from chatd.service.actors import Actor
from chatd.service.core import Core

# Kinds that may follow.
_TARGETS = frozenset((ChannelType.GUILD_TEXT, ChannelType.GUILD_ANNOUNCEMENT))


async def follow(
    core: Core, me: Actor, channel_id: Snowflake, body: ChannelFollow, reason: str | None
) -> FollowedChannel:
    """Have a channel, whose webhooks the asker manages, get what is published in this one, and say so there.

    Raises WRONG_CHANNEL_TYPE, MISSING_ACCESS, MISSING_PERMISSIONS, TOO_MANY_WEBHOOKS.
    """
    source = await access.guild_channel(core, me, channel_id)
    if source.channel.type != ChannelType.GUILD_ANNOUNCEMENT:
        raise WRONG_CHANNEL_TYPE()
    guild = source.guild.guild
    name = f"{guild.name} #{source.channel.name}"
    async with (await webhooks.managed(core, me, body.webhook_channel_id)).guild.lock:
        here = await webhooks.managed(core, me, body.webhook_channel_id)
        if here.channel.type not in _TARGETS:
            raise WRONG_CHANNEL_TYPE()
        await backpressure.room(core, here.bus_key)
        webhook_id = Snowflake(core.ids.next())
        webhook = Webhook(
            id=webhook_id,
            type=int(WebhookType.CHANNEL_FOLLOWER),
            guild_id=here.channel.guild_id,
            channel_id=here.channel.id,
            user=me.user,
            name=clipped(name, limits.WEBHOOK_NAME_LENGTH[1]),
            avatar=await images.copy(core, ICONS, guild.id, AVATARS, webhook_id, guild.icon),
            application_id=None,
        )
        notice = system_messages.followed(core, me, here.id, source.channel, name)
        await webhook_changes.add(core, me, here, webhook, reason, source_id=source.id, notices=[notice])
        return FollowedChannel(channel_id=source.channel.id, webhook_id=webhook_id)
