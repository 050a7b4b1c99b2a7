"""A discord.py bot that posts, edits and forwards components, and prints what it has sent and what it has got back.

`js/layouts.js` is the same bot. Nothing of the library is changed but its addresses, as in the README's recipe.
"""

import json
import os
from typing import Any

import discord
import yarl
from discord import ui

discord.http.Route.BASE = "http://127.0.0.1:8080/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL("ws://127.0.0.1:8080/gateway")

client = discord.Client(intents=discord.Intents.all())

PICTURE = "https://chat.test/i.png"


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def tree(message: discord.Message | discord.MessageSnapshot) -> list[Any]:
    return [component.to_dict() for component in message.components]


def buttons() -> ui.View:
    view = ui.View(timeout=None)
    view.add_item(ui.Button(label="Press", custom_id="press", style=discord.ButtonStyle.danger, emoji="🔥", row=0))
    view.add_item(ui.Button(label="Open", url="https://chat.test/", disabled=True, row=0))
    options = [discord.SelectOption(label=word, description="a word", default=word == "two") for word in ("one", "two")]
    view.add_item(ui.Select(custom_id="words", options=options, min_values=0, max_values=2, row=1))
    view.add_item(ui.ChannelSelect(custom_id="where", channel_types=[discord.ChannelType.text], row=2))
    return view


def layout(title: str) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    view.add_item(
        ui.Container(
            ui.Section(ui.TextDisplay(title), accessory=ui.Thumbnail(PICTURE, description="a picture", spoiler=True)),
            ui.Separator(visible=False, spacing=discord.SeparatorSpacing.large),
            ui.MediaGallery(discord.MediaGalleryItem(PICTURE), discord.MediaGalleryItem(PICTURE, spoiler=True)),
            ui.ActionRow(ui.Button(label="Press", custom_id="press")),
            accent_color=0x123456,
            spoiler=True,
        )
    )
    view.add_item(ui.Section("words", accessory=ui.Button(label="End", custom_id="end", emoji="👍")))
    view.add_item(ui.ActionRow(ui.MentionableSelect(custom_id="whom", placeholder="Whom?")))
    view.add_item(ui.TextDisplay("the end", id=77))
    return view


@client.event
async def on_ready() -> None:
    say("ready")


@client.event
async def on_message(message: discord.Message) -> None:
    if message.author == client.user:
        say("got", id=str(message.id), tree=tree(message))
    elif message.content == "!buttons":
        view = buttons()
        sent = await message.channel.send("choose", view=view)
        say("sent", id=str(sent.id), sent=view.to_components(), tree=tree(sent))
    elif message.content == "!layout":
        view = layout("# Title")
        sent = await message.channel.send(view=view)
        say("sent", id=str(sent.id), sent=view.to_components(), tree=tree(sent))
        view = layout("# Another title")
        edited = await sent.edit(view=view)
        say("edited", id=str(sent.id), sent=view.to_components(), tree=tree(edited))
        fetched = await message.channel.fetch_message(sent.id)
        say("fetched", v2=fetched.flags.components_v2, tree=tree(fetched))
        forwarded = await fetched.forward(message.channel)
        [snapshot] = forwarded.message_snapshots
        say("forwarded", forward=forwarded.flags.forwarded, tree=tree(snapshot))


client.run(os.environ["BOT_TOKEN"])
