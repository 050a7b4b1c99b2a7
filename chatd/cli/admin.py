"""What whoever runs the server may do, by anybody's leave: one function for each command, named in `COMMANDS`.

A running server answers these through its control socket, so that its memory and its sessions know of the change at
once; without one, the command line opens the data itself and calls the same `answer`.
"""

import os
import secrets
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeAlias, get_type_hints

from msgspec import UNSET, Meta, Raw, UnsetType

from chatd import __version__, log
from chatd.model import limits
from chatd.model.errors import ApiError, ErrorTree
from chatd.model.objects.account import Password, Register
from chatd.model.objects.application import ApplicationCreate
from chatd.model.objects.guild import GuildCreateParams, GuildName
from chatd.model.objects.user import User, Username
from chatd.model.snowflake import created_ms
from chatd.model.validate import decode
from chatd.model.wire import Params, Permissions, Snowflake, encode, length, timestamp
from chatd.service import access, accounts, applications, bots, guild_creation, retention, sessions
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import accounts as account_store
from chatd.store import guilds as guild_store
from chatd.store import retention as retention_store
from chatd.store.db import Missing, StoreError
from chatd.store.retention import Rule
from chatd.store.rows import users

logger = log.get(__name__)

# Rows of one answer; for more, ask again with `after`.
PAGE = 200
# These are made on the event loop: a few milliseconds.
SESSIONS_PAGE = 500

Answer: TypeAlias = dict[str, object]


class Request(Params):
    command: str
    arguments: Raw


class Refused(Exception):
    """Said in one line: what was asked for cannot be done."""


async def answer(core: Core, request: bytes) -> bytes:
    """`{"command", "arguments"}` → `{"ok": …}` or `{"error": "one line"}`. Raises nothing."""
    try:
        asked = decode(Request, request)
        command = COMMANDS.get(asked.command)
        if command is None:
            raise Refused(f"chatd {__version__} knows no command {asked.command!r}")
        arguments = decode(get_type_hints(command)["asked"], bytes(asked.arguments))
        return encode({"ok": await command(core, arguments)})
    except ApiError as error:
        problem = "; ".join(_sentences(error.errors or {})) or error.message
    except (Refused, StoreError) as error:
        problem = str(error)
    except Exception:
        logger.exception("command failed")
        problem = "internal error, the log says more"
    return encode({"error": problem})


# --- the server itself -----------------------------------------------------------------------------------------------


class Nothing(Params):
    """A command without arguments."""


async def status(core: Core, asked: Nothing) -> Answer:
    """Who answers."""
    return {"version": __version__, "pid": os.getpid()}


# --- people ----------------------------------------------------------------------------------------------------------


class UserCreate(Params, kw_only=True):
    username: Username
    password: Password | None = None
    email: Annotated[str, Meta(max_length=254)] | None = None


class Page(Params, kw_only=True):
    after: Snowflake = Snowflake(0)


class UserName(Params, kw_only=True):
    username: str


async def create_user(core: Core, asked: UserCreate) -> Answer:
    """Also while registration is closed. A password that is made here is part of the answer."""
    password = asked.password or secrets.token_urlsafe(12)
    account = await accounts.create(core, Register(username=asked.username, password=password, email=asked.email))
    made = {} if asked.password else {"password": password}
    return {"id": Snowflake(account.id), "username": account.username, **made}


async def list_users(core: Core, asked: Page) -> Answer:
    """Oldest first, bots too."""
    found = await core.db.read(account_store.list_users, asked.after, PAGE)
    return {
        "users": [
            {
                "id": Snowflake(row.id),
                "username": row.username,
                "email": row.email,
                "bot": bool(row.bot),
                "disabled": bool(row.disabled),
            }
            for row in found
        ]
    }


async def disable_user(core: Core, asked: UserName) -> Answer:
    user = await _person(core, asked.username)
    await accounts.disable(core, user.id)
    return {"id": user.id, "username": user.username}


# --- guilds and bots -------------------------------------------------------------------------------------------------


class GuildCreate(Params, kw_only=True):
    name: GuildName
    owner: str


class BotCreate(Params, kw_only=True):
    name: Annotated[str, length(limits.USERNAME_LENGTH)]
    owner: str
    guilds: list[Snowflake] = []
    permissions: Permissions = Permissions(0)


async def create_guild(core: Core, asked: GuildCreate) -> Answer:
    """With the channels that a guild has from the start."""
    guild = await guild_creation.create(core, await _actor(core, asked.owner), GuildCreateParams(name=asked.name))
    return {"id": guild.id, "name": guild.name, "owner_id": guild.owner_id}


async def list_guilds(core: Core, asked: Page) -> Answer:
    """Oldest first."""
    found = await core.db.read(guild_store.page, asked.after, PAGE)
    return {"guilds": [{"id": guild.id, "name": guild.name, "owner_id": guild.owner_id} for guild in found]}


async def create_bot(core: Core, asked: BotCreate) -> Answer:
    """An application, its bot, a token, and the bot in these guilds; of a guild that is not there nothing is made."""
    owner = await _actor(core, asked.owner)
    for guild_id in asked.guilds:
        if await access.load_guild(core, guild_id) is None:
            raise Refused(f"there is no guild {guild_id}")
    application = await applications.create(core, owner, ApplicationCreate(name=asked.name))
    token = await applications.reset_token(core, owner, application.id)
    for guild_id in asked.guilds:
        await bots.install(core, guild_id, application.id, asked.permissions)
    return {"application_id": application.id, "bot_id": application.bot.id, "token": token.token}


# --- retention -------------------------------------------------------------------------------------------------------


class RetentionScope(Params, kw_only=True):
    channel: Snowflake | None = None  # None: all that have no rule of their own


Age = Annotated[int, Meta(ge=retention.SHORTEST_S, le=retention.LONGEST_S)]


class RetentionRule(RetentionScope, kw_only=True):
    """What is not said stays as it holds for the channel, by its own rule or by another."""

    messages_s: Age | UnsetType | None = UNSET
    files_s: Age | UnsetType | None = UNSET
    keep_pinned: bool | UnsetType = UNSET


async def list_retention(core: Core, asked: Nothing) -> Answer:
    """The rule for everywhere, which has no channel, is the first."""
    return {"rules": [_told_rule(rule) for rule in await core.db.read(retention_store.rules)]}


async def set_retention(core: Core, asked: RetentionRule) -> Answer:
    """The rule as it is then."""
    values = {name: getattr(asked, name) for name in ("messages_s", "files_s", "keep_pinned")}
    said = {name: value for name, value in values.items() if value is not UNSET}
    try:
        rule = await core.db.write(retention_store.change, asked.channel or retention_store.EVERYWHERE, said)
    except Missing:
        raise Refused(f"there is no channel {asked.channel}") from None
    logger.info("retention set", channel=asked.channel, **said)
    return _told_rule(rule)


def _told_rule(rule: Rule) -> Answer:
    return {
        "channel": None if rule.scope == retention_store.EVERYWHERE else Snowflake(rule.scope),
        "messages_s": rule.messages_s,
        "files_s": rule.files_s,
        "keep_pinned": bool(rule.keep_pinned),
    }


async def clear_retention(core: Core, asked: RetentionScope) -> Answer:
    if not await core.db.write(retention_store.remove, asked.channel or retention_store.EVERYWHERE):
        raise Refused("there is no such rule")
    logger.info("retention cleared", channel=asked.channel)
    return {"channel": asked.channel}


async def list_due(core: Core, asked: Page) -> Answer:
    """What would be deleted now, by channel."""
    return {
        "channels": [
            {
                "id": Snowflake(channel.channel_id),
                "guild_id": None if channel.guild_id is None else Snowflake(channel.guild_id),
                **count._asdict(),
                "oldest": timestamp(created_ms(channel.oldest)),
            }
            for channel, count in await retention.due(core, asked.after)
        ]
    }


async def run_retention(core: Core, asked: Nothing) -> Answer:
    """Delete some of what is due; nothing when all is done."""
    return (await retention.run_some(core))._asdict()


# --- sessions: of a running server only ------------------------------------------------------------------------------


class SessionsPage(Params, kw_only=True):
    after: str = ""
    user: str | None = None
    guild: Snowflake | None = None


class Disconnect(Params, kw_only=True):
    id: str
    end: bool = False


async def list_sessions(core: Core, asked: SessionsPage) -> Answer:
    """By id, which is in no order that means anything."""
    return {"sessions": sessions.page(core, asked.after, SESSIONS_PAGE, asked.user, asked.guild)}


async def disconnect_session(core: Core, asked: Disconnect) -> Answer:
    """Its client may RESUME, unless it is to `end`."""
    session = core.live.sessions.get(asked.id)
    if session is None:
        raise Refused(f"there is no session {asked.id!r}")
    if asked.end:
        sessions.end(core, session)
    elif session.connection is None:
        raise Refused(f"session {asked.id} is not connected, it waits for RESUME; --end ends it")
    else:
        sessions.disconnect(session)
    logger.info("session disconnected by command", session=session.id, user=session.user.id, end=asked.end)
    return {"id": session.id, "user_id": session.user.id, "username": session.user.username, "ended": asked.end}


# --- who is meant ----------------------------------------------------------------------------------------------------


async def _actor(core: Core, username: str) -> Actor:
    """The person as services know whoever asks, without a token."""
    return Actor(await _person(core, username), token="")


async def _person(core: Core, username: str) -> User:
    found = await core.db.read(account_store.find_login, username)
    if found is None:
        raise Refused(f"nobody is called {username!r}")
    return (await core.db.read(users, (found.id,)))[found.id]


def _sentences(tree: ErrorTree, path: str = "") -> list[str]:
    """The leaves of a form's errors: "username: Username is already taken."."""
    found = [f"{path}: {leaf['message']}".removeprefix(": ") for leaf in tree.get("_errors", ())]
    for key, node in tree.items():
        if key != "_errors":
            found += _sentences(node, f"{path}.{key}".removeprefix("."))
    return found


# name -> function; the annotation of its parameter `asked` says what arguments it takes
COMMANDS: dict[str, Callable[[Core, Any], Coroutine[Any, Any, Answer]]] = {
    "status": status,
    "user create": create_user,
    "user list": list_users,
    "user disable": disable_user,
    "guild create": create_guild,
    "guild list": list_guilds,
    "bot create": create_bot,
    "retention show": list_retention,
    "retention set": set_retention,
    "retention clear": clear_retention,
    "retention due": list_due,
    "retention run": run_retention,
    "sessions list": list_sessions,
    "sessions disconnect": disconnect_session,
}
