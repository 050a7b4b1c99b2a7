"""The demo: a guild with channels, roles, people, a bot and a conversation, made once on an empty server.

What one needs to log in is kept in `demo.json` in the data directory, readable by its owner alone, and is told again
at every start with `--demo`.
"""

import os
import secrets
from pathlib import Path

import msgspec

from chatd.model import permissions as p
from chatd.model.objects.account import Register
from chatd.model.objects.application import ApplicationCreate
from chatd.model.objects.channel import OverwriteParams
from chatd.model.objects.guild import ChannelTemplate, GuildCreateParams, GuildView, RoleTemplate
from chatd.model.objects.message import MessageCreate
from chatd.model.objects.user import User
from chatd.model.wire import Object, Permissions, Snowflake, decoder, encode
from chatd.service import accounts, applications, bots, channels, guild_creation, membership, messages
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import accounts as account_store
from chatd.store import members
from chatd.store.rows import user_from

FILE = "demo.json"

OWNER = "alice"
# username -> the role that it gets
ROLE_OF = {"bob": "Admin", "carol": "Moderator"}
BOT = "Echo"
BOT_PERMISSIONS = p.VIEW_CHANNEL | p.SEND_MESSAGES | p.READ_MESSAGE_HISTORY | p.MANAGE_MESSAGES | p.ADD_REACTIONS

GUILD = GuildCreateParams(
    name="chatd demo",
    roles=[
        RoleTemplate(id=Snowflake(0)),
        RoleTemplate(
            id=Snowflake(1),
            name="Moderator",
            color=0x3498DB,
            hoist=True,
            mentionable=True,
            permissions=Permissions(
                p.KICK_MEMBERS
                | p.BAN_MEMBERS
                | p.VIEW_AUDIT_LOG
                | p.MANAGE_MESSAGES
                | p.MANAGE_NICKNAMES
                | p.MANAGE_THREADS
                | p.MODERATE_MEMBERS
                | p.MUTE_MEMBERS
                | p.MOVE_MEMBERS
                | p.PIN_MESSAGES
            ),
        ),
        RoleTemplate(
            id=Snowflake(2), name="Admin", color=0xE74C3C, hoist=True, permissions=Permissions(p.ADMINISTRATOR)
        ),
    ],
    channels=[
        ChannelTemplate(id=Snowflake(1), type=4, name="Text Channels"),
        ChannelTemplate(
            id=Snowflake(2),
            parent_id=Snowflake(1),
            type=5,
            name="announcements",
            topic="What is new",
            permission_overwrites=[OverwriteParams(id=Snowflake(0), type=0, deny=Permissions(p.SEND_MESSAGES))],
        ),
        ChannelTemplate(id=Snowflake(3), parent_id=Snowflake(1), type=0, name="general", topic="Anything about chatd"),
        ChannelTemplate(id=Snowflake(4), parent_id=Snowflake(1), type=0, name="random", topic="Anything else"),
        ChannelTemplate(id=Snowflake(5), type=4, name="Voice Channels"),
        ChannelTemplate(id=Snowflake(6), parent_id=Snowflake(5), type=2, name="Lounge"),
    ],
    system_channel_id=Snowflake(3),
)

# (channel, author, content)
CONVERSATION = [
    ("announcements", "alice", "Welcome! This server runs on our own machine and speaks Discord's API."),
    ("general", "alice", "Hello everyone, is anybody here yet?"),
    ("general", "bob", "I am. That was quick: it was up before I had found the README."),
    ("general", "carol", "Here too! Do our bots really run without changes?"),
    ("general", "alice", "Yes. Give the library the new base URL and keep the rest as it is."),
    ("general", BOT, "Hello, I am the demo's bot. My token is printed when the server starts."),
    ("general", "carol", "Found it in the terminal. And everything we write is kept in one SQLite file?"),
    ("general", "bob", "One file in the data directory. PostgreSQL is a flag away when it gets too small."),
    ("general", "carol", "Then I will bring ours over this evening."),
    ("random", "bob", "Coffee or tea?"),
    ("random", "carol", "Tea. **Always** tea."),
    ("random", "alice", "Coffee until noon, then tea. ☕"),
    ("announcements", "bob", "Moderators are here for you: ask carol when something is wrong."),
]


class Logins(Object, frozen=True, kw_only=True):
    """What is kept in the file."""

    guild_id: Snowflake
    passwords: dict[str, str]
    bot_id: Snowflake
    token: str


class NotEmpty(Exception):
    """The server has people of these names already, who are not the demo's."""


async def seed(core: Core) -> None:
    """Make the demo, unless it is there. Raises NotEmpty."""
    file = Path(core.config.data.dir) / FILE
    if file.exists() and await core.db.read(account_store.get, _read(file).bot_id) is not None:
        return
    passwords = {name: secrets.token_urlsafe(9) for name in (OWNER, *ROLE_OF)}
    if any([await core.db.read(account_store.find_login, name) is not None for name in passwords]):
        raise NotEmpty(f"--demo needs a server that has no {' or '.join(passwords)} yet: give it another --data")

    actors = {name: await _person(core, name, password) for name, password in passwords.items()}
    guild = await guild_creation.create(core, actors[OWNER], GUILD)
    for name, role in ROLE_OF.items():
        await _join(core, guild, actors[name].user, role)
    application = await applications.create(core, actors[OWNER], ApplicationCreate(name=BOT))
    token = (await applications.reset_token(core, actors[OWNER], application.id)).token
    await bots.install(core, guild.id, application.id, BOT_PERMISSIONS)
    actors[BOT] = Actor(application.bot, token, application_flags=application.flags)

    channel_ids = {channel.name: channel.id for channel in await channels.of_guild(core, actors[OWNER], guild.id)}
    for channel, author, content in CONVERSATION:
        await messages.create(core, actors[author], channel_ids[channel], MessageCreate(content=content))
    # Last, so that what it says is there.
    _write(file, Logins(guild_id=guild.id, passwords=passwords, bot_id=application.bot.id, token=token))


def instructions(data: Path, url: str) -> str:
    """How to log in at `url`, and the bot's token."""
    logins = _read(data / FILE)
    width = max(map(len, logins.passwords))
    people = "\n".join(
        f"    {name:{width}}  {password}  {ROLE_OF.get(name, 'owner')}" for name, password in logins.passwords.items()
    )
    body = encode({"login": OWNER, "password": logins.passwords[OWNER]}).decode()
    return f"""
The guild "{GUILD.name}" ({logins.guild_id}) has these people, with their passwords:

{people}

Log in over REST:

    curl -sS {url}/api/v10/auth/login -H 'Content-Type: application/json' -d '{body}'

The bot {BOT} ({logins.bot_id}) has this token:

    {logins.token}
"""


async def _person(core: Core, name: str, password: str) -> Actor:
    """The new account, as services know whoever asks, without a token."""
    account = await accounts.create(core, Register(username=name, password=password))
    return Actor(user_from(account), token="")


async def _join(core: Core, guild: GuildView, user: User, role_name: str) -> None:
    role = next(role for role in guild.roles if role.name == role_name)
    member = members.new(user, core.clock_ms(), (role.id,))
    state = core.live.guilds[guild.id]
    await core.db.write(members.insert, guild.id, member, then=lambda _: membership.joined(core, state, member))


def _read(file: Path) -> Logins:
    return decoder(Logins).decode(file.read_bytes())


def _write(file: Path, logins: Logins) -> None:
    with open(file, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as target:
        target.write(msgspec.json.format(encode(logins)) + b"\n")
