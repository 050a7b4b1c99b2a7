"""A discord.py bot that makes webhooks, and somebody without a bot who uses one: each command of the guild's owner is a
step, for whose outcome a line of JSON is printed.

Nothing of the library is changed but its addresses, as in the README's recipe.
"""

import datetime
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
import yarl

discord.http.Route.BASE = "http://127.0.0.1:8080/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL("ws://127.0.0.1:8080/gateway")
discord.Asset.BASE = "http://127.0.0.1:8080"

client = discord.Client(intents=discord.Intents.all())

Command = Callable[[discord.Guild], Awaitable[dict[str, Any]]]
COMMANDS: dict[str, Command] = {}

url: str  # the webhook's, as one would copy it


def command(run: Command) -> Command:
    COMMANDS[f"!{run.__name__}"] = run
    return run


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


@client.event
async def on_ready() -> None:
    say("ready")


@client.event
async def on_message(message: discord.Message) -> None:
    if message.author == message.guild.owner and message.content in COMMANDS:
        result = await COMMANDS[message.content](message.guild)
        say("done", command=message.content, **result)
    elif message.webhook_id is not None:
        flags = message.flags
        say("hooked", by=message.author.name, content=message.content, is_copy=flags.is_crossposted)


@client.event
async def on_raw_message_edit(payload: discord.RawMessageUpdateEvent) -> None:
    say("edited", content=payload.data["content"])


@client.event
async def on_webhooks_update(channel: discord.TextChannel) -> None:
    say("webhooks", channel=channel.name)


def channel(guild: discord.Guild, name: str) -> Any:
    return discord.utils.get(guild.channels, name=name)


@command
async def make(guild: discord.Guild) -> dict[str, Any]:
    global url
    general = channel(guild, "general")
    webhook = await general.create_webhook(name="Ticker", avatar=await guild.me.default_avatar.read(), reason="news")
    url = webhook.url
    other = await general.create_webhook(name="Other")
    listed = sorted(each.name for each in await general.webhooks())
    await other.delete(reason="a mistake")
    return {
        "listed": listed,
        "left": [each.name for each in await guild.webhooks()],
        "avatar": len(await webhook.avatar.read()),
        "creator": webhook.user.name,
    }


@command
async def post(guild: discord.Guild) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session:
        webhook = discord.Webhook.from_url(url, session=session)
        nothing = await webhook.send("unseen")
        embed = discord.Embed(title="News", colour=0x336699, timestamp=datetime.datetime.now(datetime.UTC))
        message = await webhook.send(
            f"hello {guild.owner.mention}",
            username="Masked",
            embeds=[embed],
            allowed_mentions=discord.AllowedMentions.none(),
            wait=True,
        )
        edited = await message.edit(content="hello again", embeds=[])
        fetched = await webhook.fetch_message(message.id)
        await message.delete()
        try:
            await webhook.fetch_message(message.id)
            left = True
        except discord.NotFound:
            left = False
        thread = await channel(guild, "general").create_thread(name="aside", type=discord.ChannelType.public_thread)
        aside = await webhook.send("in a thread", thread=thread, wait=True)
        await webhook.edit_message(aside.id, content="in the thread", thread=thread)
    return {
        "nothing": nothing,
        "author": message.author.name,
        "embeds": [each.to_dict()["title"] for each in message.embeds],
        "mentions": len(message.mentions),
        "edited": [edited.content, fetched.content, len(fetched.embeds)],
        "left": left,
        "aside": [(await thread.fetch_message(aside.id)).content, aside.channel.id == thread.id],
    }


@command
async def forum(guild: discord.Guild) -> dict[str, Any]:
    ideas = channel(guild, "ideas")
    webhook = await ideas.create_webhook(name="Ideas")
    tag = discord.utils.get(ideas.available_tags, name="news")
    message = await webhook.send("what about this?", thread_name="Idea", applied_tags=[tag], wait=True)
    thread = await client.fetch_channel(message.id)
    return {"thread": [thread.name, [each.name for each in thread.applied_tags], thread.owner_id == webhook.id]}


@command
async def manage(guild: discord.Guild) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session:
        webhook = await discord.Webhook.from_url(url, session=session).fetch()
        renamed = await webhook.edit(name="Renamed", avatar=None)
        await webhook.delete()
    return {"names": [webhook.name, renamed.name], "avatar": renamed.avatar is None}


@command
async def publish(guild: discord.Guild) -> dict[str, Any]:
    news, general = channel(guild, "news"), channel(guild, "general")
    follower = await news.follow(destination=general, reason="to know")
    message = await news.send("good news")
    await message.publish()
    copies = [each async for each in general.history(limit=5) if each.flags.is_crossposted]
    await message.edit(content="better news")
    [listed] = await general.webhooks()
    return {
        "is_same": listed.id == follower.id,
        "type": listed.type.name,
        "source": listed.source_channel.name,
        "copies": [[each.content, each.author.name, each.reference.message_id == message.id] for each in copies],
        "flags": (await news.fetch_message(message.id)).flags.crossposted,
    }


client.run(os.environ["BOT_TOKEN"])
