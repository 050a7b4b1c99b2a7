"""A discord.py bot that moderates: it does what the owner of its guild tells it to, and prints a line of JSON for what
came of that and for every event that moderators look at. `js/moderator.js` is the same bot.

Nothing of the library is changed but its addresses, as in the README's recipe.
"""

import json
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import discord
import yarl

discord.http.Route.BASE = "http://127.0.0.1:8080/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL("ws://127.0.0.1:8080/gateway")

client = discord.Client(intents=discord.Intents.all())

Command = Callable[[discord.Guild], Awaitable[dict[str, Any]]]
COMMANDS: dict[str, Command] = {}


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


# --- channels, roles, members ----------------------------------------------------------------------------------------


@command
async def structure(guild: discord.Guild) -> dict[str, Any]:
    regulars = await guild.create_role(name="regulars", permissions=discord.Permissions(mention_everyone=True))
    muted = await guild.create_role(name="muted", mentionable=True)
    moderators = await guild.create_role(
        name="moderators",
        permissions=discord.Permissions(manage_messages=True, kick_members=True, moderate_members=True),
        colour=discord.Colour(0x336699),
        hoist=True,
        reason="somebody has to",
    )
    await regulars.edit(name="old hands")

    private = {
        guild.default_role: discord.PermissionOverwrite(view_channel=False),
        moderators: discord.PermissionOverwrite(view_channel=True, manage_messages=True),
        guild.me: discord.PermissionOverwrite(view_channel=True),
    }
    back_office = await guild.create_category("back office", overwrites=private, reason="for moderators")
    await back_office.create_text_channel("cases")
    hall = await guild.create_category("hall")
    notices = await hall.create_text_channel("notices", topic="what is new")
    await notices.set_permissions(guild.default_role, send_messages=False, add_reactions=False, reason="read only")
    await notices.set_permissions(member(guild, "regular"), send_messages=True)
    talk = await hall.create_text_channel("talk", slowmode_delay=5)
    await talk.set_permissions(muted, send_messages=False, connect=False)
    await talk.edit(name="small-talk", nsfw=True, slowmode_delay=0, reason="no hurry")
    stairs = await guild.create_voice_channel("stairs", category=hall, user_limit=9)
    await stairs.set_permissions(regulars, connect=True, speak=False)
    await stairs.set_permissions(guild.default_role, connect=False)
    ideas = await guild.create_forum("ideas", topic="one each", category=hall)
    await ideas.set_permissions(muted, view_channel=False)
    await ideas.move(beginning=True)
    return {}


@command
async def ranks(guild: discord.Guild) -> dict[str, Any]:
    role = {role.name: role for role in guild.roles}
    await role["moderators"].edit(position=role["old hands"].position, reason="they stand above")
    return {}


@command
async def members(guild: discord.Guild) -> dict[str, Any]:
    role = {role.name: role for role in guild.roles}
    await member(guild, "moderator").edit(nick="the law", roles=[role["moderators"]], reason="elected")
    await member(guild, "regular").add_roles(role["old hands"], role["muted"])
    await member(guild, "regular").remove_roles(role["muted"], reason="served")
    await member(guild, "noisy").add_roles(role["muted"])
    await member(guild, "loud").timeout(timedelta(hours=1), reason="calm down")
    return {}


@command
async def cache(guild: discord.Guild) -> dict[str, Any]:
    """The guild as the gateway has told of it, and as REST shows it."""
    fetched = await client.fetch_guild(guild.id, with_counts=True)
    return {
        "cached": {
            "name": guild.name,
            "count": guild.member_count,
            "roles": sorted(described_role(role) for role in guild.roles),
            "channels": sorted(described_channel(channel) for channel in guild.channels),
            "members": sorted(described_member(member) for member in guild.members),
        },
        "fetched": {
            "name": fetched.name,
            "count": fetched.approximate_member_count,
            "roles": sorted(described_role(role) for role in await guild.fetch_roles()),
            "channels": sorted(described_channel(channel) for channel in await guild.fetch_channels()),
            "members": sorted([described_member(member) async for member in guild.fetch_members()]),
        },
    }


def described_role(role: discord.Role) -> list[Any]:
    return [role.position, role.name, str(role.permissions.value), role.colour.value, role.hoist, role.mentionable]


def described_channel(channel: discord.abc.GuildChannel) -> list[Any]:
    overwrites = sorted(
        [str(target.id), *(str(half.value) for half in overwrite.pair())]
        for target, overwrite in channel.overwrites.items()
    )
    return [channel.name, channel.type.value, channel.position, str(channel.category_id), overwrites]


def described_member(member: discord.Member) -> list[Any]:
    return [member.name, member.nick or "", sorted(role.name for role in member.roles), member.is_timed_out()]


@command
async def permissions(guild: discord.Guild) -> dict[str, Any]:
    """What the library makes of everybody's roles and overwrites."""
    return {
        "permissions": {
            member.name: {
                "": str(member.guild_permissions.value),
                **{str(channel.id): str(channel.permissions_for(member).value) for channel in guild.channels},
            }
            for member in guild.members
        }
    }


def member(guild: discord.Guild, name: str) -> discord.Member:
    found = guild.get_member_named(name)
    assert found is not None, name
    return found


# --- moderation ------------------------------------------------------------------------------------------------------


@command
async def expel(guild: discord.Guild) -> dict[str, Any]:
    await member(guild, "noisy").kick(reason="noise")
    spammer = member(guild, "loud")
    await spammer.ban(reason="spam & more: 100 %", delete_message_seconds=3600)
    entry = await guild.fetch_ban(spammer)
    banned = [[ban.user.name, ban.reason] async for ban in guild.bans()]
    await guild.unban(spammer, reason="appealed")
    return {
        "ban": [entry.user.name, entry.reason],
        "banned": banned,
        "left": [ban.user.name async for ban in guild.bans()],
    }


@command
async def audit(guild: discord.Guild) -> dict[str, Any]:
    """What the bot did, the oldest first, and what one kind of it changed."""
    entries = [entry async for entry in guild.audit_logs(limit=None, user=guild.me, oldest_first=True)]
    [elected] = [entry async for entry in guild.audit_logs(action=discord.AuditLogAction.member_update, limit=1)]
    return {
        "entries": [[entry.action.value, entry.reason] for entry in entries],
        "newest": [elected.target.name, elected.reason],
    }


@command
async def invites(guild: discord.Guild) -> dict[str, Any]:
    made = await guild.text_channels[0].create_invite(max_uses=3, max_age=600, reason="for a friend")
    listed = {invite.code: invite.max_uses for invite in await guild.invites()}
    fetched = await client.fetch_invite(made.code)
    await made.delete(reason="used up")
    return {
        "listed": listed.get(made.code),
        "count": fetched.approximate_member_count,
        "left": made.code in {invite.code for invite in await guild.invites()},
    }


@command
async def events(guild: discord.Guild) -> dict[str, Any]:
    start = discord.utils.utcnow() + timedelta(days=1)
    event = await guild.create_scheduled_event(
        name="Reading",
        start_time=start,
        end_time=start + timedelta(hours=2),
        entity_type=discord.EntityType.external,
        privacy_level=discord.PrivacyLevel.guild_only,
        location="upstairs",
    )
    await event.edit(name="Long reading", reason="it grew")
    listed = [each.name for each in await guild.fetch_scheduled_events()]
    await event.delete()
    return {"listed": listed, "left": len(await guild.fetch_scheduled_events())}


@command
async def settings(guild: discord.Guild) -> dict[str, Any]:
    await guild.edit(
        name="Reading hall",
        verification_level=discord.VerificationLevel.low,
        system_channel=guild.text_channels[0],
        reason="moved",
    )
    everybody = [role for role in guild.roles if role.is_assignable()]
    return {
        "name": (await client.fetch_guild(guild.id)).name,
        "inactive": await guild.estimate_pruned_members(days=7, roles=everybody),
        "pruned": await guild.prune_members(days=7, roles=everybody, reason="tidy"),
    }


@command
async def threads(guild: discord.Guild) -> dict[str, Any]:
    channel = guild.text_channels[0]
    message = await channel.send("about this")
    public = await message.create_thread(name="public")
    await public.send("first")
    private = await channel.create_thread(name="private", invitable=False)
    await private.add_user(guild.owner)
    there = sorted(thread.name for thread in await guild.active_threads())
    inside = sorted(member.id for member in await private.fetch_members())
    await private.remove_user(guild.owner)
    await public.edit(name="closed", archived=True, locked=True, reason="said enough")
    archived = [thread.name async for thread in channel.archived_threads()]
    await private.delete(reason="mistake")
    return {
        "active": there,
        "inside": inside == sorted([guild.me.id, guild.owner.id]),
        "archived": archived,
        "left": [thread.name for thread in await guild.active_threads()],
    }


@command
async def auto_moderation(guild: discord.Guild) -> dict[str, Any]:
    rule = await guild.create_automod_rule(
        name="no lottery",
        event_type=discord.AutoModRuleEventType.message_send,
        trigger=discord.AutoModTrigger(keyword_filter=["*lottery*"]),
        actions=[
            discord.AutoModRuleAction(custom_message="not here"),
            discord.AutoModRuleAction(channel_id=guild.text_channels[0].id),
        ],
        enabled=True,
        reason="every day",
    )
    rules = await guild.fetch_automod_rules()
    return {
        "rules": [[each.name, each.trigger.keyword_filter] for each in rules],
        "same": [each.id for each in rules] == [rule.id],
    }


@command
async def demolish(guild: discord.Guild) -> dict[str, Any]:
    await discord.utils.get(guild.roles, name="muted").delete(reason="nobody left")
    for channel in discord.utils.get(guild.categories, name="back office").channels:
        await channel.delete()
    await discord.utils.get(guild.categories, name="back office").delete(reason="no cases")
    return {}


@command
async def end(guild: discord.Guild) -> dict[str, Any]:
    return {}


# --- what moderators look at -----------------------------------------------------------------------------------------


@client.event
async def on_member_update(before: discord.Member, after: discord.Member) -> None:
    if before.is_timed_out() != after.is_timed_out():
        say("timeout", user=after.name, on=after.is_timed_out())


@client.event
async def on_member_remove(member: discord.Member) -> None:
    say("left", user=member.name)


@client.event
async def on_member_ban(guild: discord.Guild, user: discord.User) -> None:
    say("banned", user=user.name)


@client.event
async def on_member_unban(guild: discord.Guild, user: discord.User) -> None:
    say("unbanned", user=user.name)


@client.event
async def on_audit_log_entry_create(entry: discord.AuditLogEntry) -> None:
    if entry.user_id == client.user.id:
        say("audited", entry=[entry.action.value, entry.reason])


@client.event
async def on_automod_action(execution: discord.AutoModAction) -> None:
    say("blocked", action=execution.action.type.value, content=execution.content, keyword=execution.matched_keyword)


client.run(os.environ["BOT_TOKEN"])
