"""An ordinary discord.py bot that prints a line of JSON for everything it sees.

The four lines from `import discord` on are the README's recipe. The end-to-end tests run a copy of this file with
another address in them.
"""

import datetime
import json
import os

import discord
import yarl

discord.http.Route.BASE = "http://127.0.0.1:8080/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL("ws://127.0.0.1:8080/gateway")

client = discord.Client(intents=discord.Intents.all())
pong: discord.Message


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


@client.event
async def on_connect() -> None:  # after READY, not after RESUMED
    say("identified")


@client.event
async def on_ready() -> None:
    guilds = [
        {
            "name": guild.name,
            "channels": sorted(channel.name for channel in guild.channels),
            "roles": sorted(role.name for role in guild.roles),
            "members": sorted(member.name for member in guild.members),
            "me": guild.me.name,
        }
        for guild in client.guilds
    ]
    say("ready", session=client.ws.session_id, user=client.user.name, guilds=guilds)


@client.event
async def on_resumed() -> None:
    say("resumed", session=client.ws.session_id)


@client.event
async def on_message(message: discord.Message) -> None:
    global pong
    say("message", content=message.content, author=message.author.name)
    if message.content == "!ping":
        pong = await message.channel.send("pong")
    elif message.content == "!edit":
        await pong.edit(content="pong, edited")
    elif message.content == "!delete":
        await pong.delete()
    elif message.content == "!react":
        await pong.add_reaction("👍")
    elif message.content == "!pin":
        await pong.pin()
        say("pinned", contents=[pin.content async for pin in message.channel.pins()])
    elif message.content == "!purge":
        await message.channel.delete_messages([pong, message])


@client.event
async def on_message_edit(before: discord.Message, after: discord.Message) -> None:
    say("edited", before=before.content, after=after.content)


@client.event
async def on_message_delete(message: discord.Message) -> None:
    say("deleted", content=message.content)


@client.event
async def on_reaction_add(reaction: discord.Reaction, user: discord.User) -> None:
    say("reacted", emoji=str(reaction.emoji), by=user.name, count=reaction.count)


@client.event
async def on_reaction_remove(reaction: discord.Reaction, user: discord.User) -> None:
    say("unreacted", emoji=str(reaction.emoji), by=user.name, count=reaction.count)


@client.event
async def on_guild_channel_pins_update(channel: discord.TextChannel, last_pin: datetime.datetime | None) -> None:
    say("pins", any=last_pin is not None)


@client.event
async def on_bulk_message_delete(messages: list[discord.Message]) -> None:
    say("purged", contents=sorted(message.content for message in messages))


client.run(os.environ["BOT_TOKEN"])
