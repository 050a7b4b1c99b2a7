"""A guild with a person and a bot in it, made over REST like anybody would."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.support.http import Client

PASSWORD = "correct horse battery"
GUILD = "Reading room"
CHANNEL = "desk"
PERSON = "ada"
BOT = "Pinger"

# VIEW_CHANNEL, SEND_MESSAGES, READ_MESSAGE_HISTORY, MANAGE_MESSAGES and PIN_MESSAGES
BOT_PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 16 | 1 << 13 | 1 << 51


class World(NamedTuple):
    person: Client
    guild_id: str
    channel_id: str


@contextmanager
def world(url: str) -> Iterator[World]:
    with Client(url) as anybody:
        account = anybody.post("/auth/register", {"username": PERSON, "password": PASSWORD}).ok()
    with Client(url, f"Bearer {account['access_token']}") as person:
        guild_id = person.post("/guilds", {"name": GUILD}).ok()["id"]
        channel_id = person.post(f"/guilds/{guild_id}/channels", {"name": CHANNEL, "type": 0}).ok()["id"]
        yield World(person, guild_id, channel_id)


def add_bot(where: World) -> str:
    """A new bot in the guild, as in the developer portal; its token."""
    person, guild_id, _ = where
    application_id = person.post("/applications", {"name": BOT}).ok()["id"]
    token: str = person.post(f"/applications/{application_id}/bot/reset").ok()["token"]
    query = f"client_id={application_id}&scope=bot&permissions={BOT_PERMISSIONS}"
    person.post(f"/oauth2/authorize?{query}", {"guild_id": guild_id, "authorize": True}).ok()
    return token
