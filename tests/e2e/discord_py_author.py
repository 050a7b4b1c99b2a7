"""A discord.py bot that writes: it posts what the owner of its guild tells it to, and prints a line of JSON for what
came of that and for everything that other bots post. `js/author.js` is the same bot.

Nothing of the library is changed but its addresses, as in the README's recipe.
"""

import io
import json
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import discord
import yarl

discord.http.Route.BASE = "http://127.0.0.1:8080/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL("ws://127.0.0.1:8080/gateway")

client = discord.Client(intents=discord.Intents.all())

Command = Callable[[discord.Message], Awaitable[dict[str, Any]]]
COMMANDS: dict[str, Command] = {}


def command(run: Command) -> Command:
    COMMANDS[run.__name__] = run
    return run


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


@client.event
async def on_ready() -> None:
    say("ready")


@client.event
async def on_message(message: discord.Message) -> None:
    name, _, order = message.content.partition(" ")
    if message.author != message.guild.owner:
        say("message", id=str(message.id), message=described(message))
    elif name == client.user.name:
        say("done", command=order, **await COMMANDS[order](message))


# --- how things look, in the words that both bots use ----------------------------------------------------------------


def described(message: discord.Message) -> dict[str, Any]:
    reference = message.reference
    resolved = None if reference is None else reference.resolved or reference.cached_message
    return {
        "id": str(message.id),
        "type": message.type.value,
        "author": message.author.name,
        "content": message.content,
        "embeds": [described_embed(embed) for embed in message.embeds],
        "files": [[file.filename, file.size, file.description] for file in message.attachments],
        "webhook": None if message.webhook_id is None else str(message.webhook_id),
        "mentions": sorted(user.name for user in message.mentions),
        "reference": None if reference is None else str(reference.message_id),
        "quoted": resolved.content if isinstance(resolved, discord.Message) else None,
        "poll": None if message.poll is None else described_poll(message.poll),
    }


def described_embed(embed: discord.Embed) -> dict[str, Any]:
    return {
        "type": embed.type,
        "title": embed.title,
        "description": embed.description,
        "url": embed.url,
        "color": None if embed.colour is None else embed.colour.value,
        "timestamp": None if embed.timestamp is None else round(embed.timestamp.timestamp() * 1000),
        "footer": [embed.footer.text, embed.footer.icon_url],
        "image": embed.image.url,
        "thumbnail": embed.thumbnail.url,
        "author": [embed.author.name, embed.author.url, embed.author.icon_url],
        "fields": [[field.name, field.value, field.inline] for field in embed.fields],
    }


def described_poll(poll: discord.Poll) -> dict[str, Any]:
    return {
        "question": poll.question,
        "answers": [[answer.id, answer.text, answer.emoji and answer.emoji.name] for answer in poll.answers],
        "multiple": poll.multiple,
        "ends": round(poll.expires_at.timestamp() * 1000),
        "final": poll.is_finalised(),
        "votes": [answer.vote_count for answer in poll.answers],
    }


def digest(messages: list[discord.Message]) -> str:
    return sha256("\n".join(message.content for message in messages).encode()).hexdigest()


# --- messages --------------------------------------------------------------------------------------------------------


@command
async def embeds(order: discord.Message) -> dict[str, Any]:
    full = discord.Embed(
        title="Title",
        description="**Described** <at length>",
        url="https://example.com/?a=1&b=2",
        colour=0x336699,
        timestamp=datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
    )
    full.set_footer(text="Footer", icon_url="https://example.com/footer.png")
    full.set_image(url="https://example.com/image.png")
    full.set_thumbnail(url="https://example.com/thumbnail.png")
    full.set_author(name="Author", url="https://example.com/author", icon_url="https://example.com/author.png")
    full.add_field(name="Field", value="Value", inline=True)
    full.add_field(name="Größe", value="📏", inline=False)
    sent = [full, discord.Embed(description="Just this")]
    message = await order.channel.send("With embeds", embeds=sent)
    return {"sent": [described_embed(embed) for embed in sent], "message": described(message)}


@command
async def reply(order: discord.Message) -> dict[str, Any]:
    message = await order.reply("Yes?", mention_author=False)
    return {"message": described(message), "fetched": described(await order.channel.fetch_message(message.id))}


@command
async def edit(order: discord.Message) -> dict[str, Any]:
    message = await order.channel.send("Fisrt")
    edited = await message.edit(content="First", embed=discord.Embed(title="corrected"))
    return {"message": described(edited)}


@command
async def react(order: discord.Message) -> dict[str, Any]:
    message = await order.channel.send("Hands up")
    for emoji in ("👍", "❤️", order.guild.emojis[0]):
        await message.add_reaction(emoji)
    await message.remove_reaction("❤️", client.user)
    await message.add_reaction("❤️")
    return {"message": described(message)}


@command
async def unreact(order: discord.Message) -> dict[str, Any]:
    message = await order.channel.fetch_message(order.reference.message_id)
    seen = [[str(it.emoji), it.count, it.me] for it in message.reactions]
    thumbs = discord.utils.get(message.reactions, emoji="👍")
    users = sorted([user.name async for user in thumbs.users()])
    await message.remove_reaction("👍", order.author)
    await message.clear_reaction("❤️")
    await message.clear_reactions()
    return {"seen": seen, "users": users}


@command
async def pin(order: discord.Message) -> dict[str, Any]:
    message = await order.channel.send("Keep this")
    await message.pin()
    pins = [pinned.content async for pinned in order.channel.pins()]
    await message.unpin()
    return {"message": described(message), "pins": pins, "left": [it.content async for it in order.channel.pins()]}


@command
async def purge(order: discord.Message) -> dict[str, Any]:
    messages = [await order.channel.send(f"Noise {number}") for number in range(3)]
    await order.channel.delete_messages(messages)
    return {"ids": [str(message.id) for message in messages]}


@command
async def history(order: discord.Message) -> dict[str, Any]:
    channel = discord.utils.get(order.guild.text_channels, name="archive")
    newest = [message async for message in channel.history(limit=None)]
    middle = newest[len(newest) // 2]
    older = [message async for message in channel.history(limit=None, before=middle)]
    younger = [message async for message in channel.history(limit=None, after=middle)]
    around = [message async for message in channel.history(limit=50, around=middle)]
    return {
        "newest": digest(newest),
        "before": digest(older),
        "after": digest(sorted(younger, key=lambda it: it.id)),
        "around": digest(sorted(around, key=lambda it: it.id)),
    }


@command
async def thread(order: discord.Message) -> dict[str, Any]:
    first = await order.channel.send("About this")
    made = await first.create_thread(name="aside")
    await made.send("Indeed")
    again = await order.channel.fetch_message(first.id)
    return {
        "first": described(first),
        "thread": again.thread.name,
        "starter": described(await made.parent.fetch_message(made.id)),
        "messages": [described(message) async for message in made.history(oldest_first=True)],
    }


# --- files -----------------------------------------------------------------------------------------------------------


@command
async def upload(order: discord.Message) -> dict[str, Any]:
    message = await order.channel.send("With files", files=[file("a.bin"), file("b.txt")])
    return {"message": described(message)}


@command
async def swap_file(order: discord.Message) -> dict[str, Any]:
    message = await order.channel.fetch_message(order.reference.message_id)
    edited = await message.edit(attachments=[message.attachments[1], file("c.bin")])
    return {"message": described(edited)}


@command
async def download(order: discord.Message) -> dict[str, Any]:
    message = await order.channel.fetch_message(order.reference.message_id)
    return {"files": [[it.filename, sha256(await it.read()).hexdigest()] for it in message.attachments]}


def file(name: str) -> discord.File:
    """A hundred thousand bytes that depend on the name."""
    content = b"".join(sha256(f"{name} {number}".encode()).digest() for number in range(3125))
    return discord.File(io.BytesIO(content), name, description=f"It is {name}")


# --- webhooks and search ---------------------------------------------------------------------------------------------


@command
async def webhook(order: discord.Message) -> dict[str, Any]:
    hook = await order.channel.create_webhook(name="Hook")
    message = await hook.send("Through a hook", username="Somebody", file=file("d.bin"), wait=True)
    edited = await hook.edit_message(message.id, content="Exchanged", attachments=[file("e.bin")])
    fetched = await hook.fetch_message(message.id)
    gone = await hook.send("Gone", wait=True)
    await hook.delete_message(gone.id)
    renamed = await hook.edit(name="Crook")
    listed = [each.name for each in await order.channel.webhooks()]
    await renamed.delete()
    return {
        "id": str(hook.id),
        "message": described(message),
        "edited": described(edited),
        "fetched": described(fetched),
        "gone": str(gone.id),
        "listed": listed,
        "left": len(await order.channel.webhooks()),
    }


@command
async def search(order: discord.Message) -> dict[str, Any]:
    """The library has no call for it, so this is what it calls everything with."""
    route = discord.http.Route("GET", "/guilds/{guild_id}/messages/search", guild_id=order.guild.id)
    word = await client.http.request(route, params={"content": "4321"})
    mine = await client.http.request(route, params={"author_id": client.user.id, "has": "poll"})
    return {
        "word": [message["content"] for [message] in word["messages"]],
        "mine": [message["id"] for [message] in mine["messages"]],
        "total": mine["total_results"],
    }


# --- polls -----------------------------------------------------------------------------------------------------------


@command
async def poll(order: discord.Message) -> dict[str, Any]:
    asked = discord.Poll("Where to?", timedelta(hours=2), multiple=True)
    asked.add_answer(text="Hills", emoji=order.guild.emojis[0])
    asked.add_answer(text="Sea", emoji="🌊")
    asked.add_answer(text="Home")
    return {"message": described(await order.channel.send(poll=asked))}


@command
async def end_poll(order: discord.Message) -> dict[str, Any]:
    message = await order.channel.fetch_message(order.reference.message_id)
    counted = described_poll(message.poll)
    voters = [sorted([voter.name async for voter in answer.voters()]) for answer in message.poll.answers]
    ended = await message.end_poll()
    return {"counted": counted, "voters": voters, "ended": described_poll(ended.poll)}


# --- what everybody sees ---------------------------------------------------------------------------------------------


@client.event
async def on_message_edit(before: discord.Message, after: discord.Message) -> None:
    say("edited", id=str(after.id), message=described(after))


@client.event
async def on_raw_reaction_add(reaction: discord.RawReactionActionEvent) -> None:
    say("reacted", id=str(reaction.message_id), emoji=reaction.emoji.name, by=reaction.member.name)


@client.event
async def on_raw_reaction_remove(reaction: discord.RawReactionActionEvent) -> None:
    by = client.get_user(reaction.user_id).name
    say("unreacted", id=str(reaction.message_id), emoji=reaction.emoji.name, by=by)


@client.event
async def on_raw_reaction_clear_emoji(reaction: discord.RawReactionClearEmojiEvent) -> None:
    say("cleared", id=str(reaction.message_id), emoji=reaction.emoji.name)


@client.event
async def on_raw_reaction_clear(reaction: discord.RawReactionClearEvent) -> None:
    say("cleared", id=str(reaction.message_id), emoji=None)


@client.event
async def on_guild_channel_pins_update(channel: discord.abc.GuildChannel, last_pin: datetime | None) -> None:
    say("pins", any=last_pin is not None)


@client.event
async def on_bulk_message_delete(messages: list[discord.Message]) -> None:
    say("purged", ids=sorted(str(message.id) for message in messages))


@client.event
async def on_poll_vote_add(user: discord.Member, answer: discord.PollAnswer) -> None:
    say("voted", by=user.name, answer=answer.text)


@client.event
async def on_poll_vote_remove(user: discord.Member, answer: discord.PollAnswer) -> None:
    say("unvoted", by=user.name, answer=answer.text)


@client.event
async def on_thread_create(thread: discord.Thread) -> None:
    say("thread", name=thread.name)


client.run(os.environ["BOT_TOKEN"])
