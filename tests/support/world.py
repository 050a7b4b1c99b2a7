"""People, guilds and bots, made over REST as anybody would."""

import itertools
from types import TracebackType
from typing import Any, Self

from tests.support.client import Answer, Client, Json

PASSWORD = "correct horse"

# VIEW_CHANNEL, SEND_MESSAGES and READ_MESSAGE_HISTORY
BOT_PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 16


class User(Client):
    """A person or a bot: a client with its token. `pair` is a person's answer from register or login."""

    def __init__(self, url: str, token: str, user: Json, pair: Json = None) -> None:
        super().__init__(url, f"Bot {token}" if user.get("bot") else f"Bearer {token}")
        self.token = token
        self.user = user
        self.id: str = user["id"]
        self.name: str = user["username"]
        self.pair = pair

    async def say(self, channel_id: str, content: str = "hello", **fields: Any) -> Json:
        return (await self.post(f"/channels/{channel_id}/messages", {"content": content, **fields})).ok(200)

    def on(self, url: str) -> Client:
        """The same token elsewhere."""
        return Client(url, self.authorization)

    async def dm(self, other: "User") -> str:
        """The id of the channel of the two."""
        channel_id: str = (await self.post("/users/@me/channels", {"recipient_id": other.id})).ok(200)["id"]
        return channel_id


class Guild:
    """A guild as its owner got it. `general` is its first text channel."""

    def __init__(self, guild: Json, channels: list[Json]) -> None:
        self.id: str = guild["id"]
        self.guild = guild
        self.channels = channels
        self.general: str = next(channel["id"] for channel in channels if channel["type"] == 0)


class World:
    """Makes what a test needs on the server at `url`; names are made up where none is given."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.anybody = Client(url)
        self._clients = [self.anybody]
        self._numbers = itertools.count(1)

    async def person(self, name: str | None = None, **fields: Any) -> User:
        payload = {"username": name or f"person{next(self._numbers)}", "password": PASSWORD, **fields}
        return self.user((await self.anybody.post("/auth/register", payload)).ok(201))

    def user(self, pair: Json) -> User:
        """The client of a token pair."""
        user = User(self.url, pair["access_token"], pair["user"], pair)
        self._clients.append(user)
        return user

    async def guild(self, owner: User, *members: User, name: str = "Reading room", **fields: Any) -> Guild:
        guild = (await owner.post("/guilds", {"name": name, **fields})).ok(201)
        made = Guild(guild, (await owner.get(f"/guilds/{guild['id']}/channels")).ok(200))
        if members:
            await self.join(owner, made, *members)
        return made

    async def channel(self, owner: User, guild: Guild, name: str = "desk", **fields: Any) -> str:
        made = (await owner.post(f"/guilds/{guild.id}/channels", {"name": name, **fields})).ok(201)
        channel_id: str = made["id"]
        return channel_id

    async def join(self, owner: User, guild: Guild, *members: User) -> None:
        """By an invite to the guild."""
        code = (await owner.post(f"/channels/{guild.general}/invites", {})).ok(200)["code"]
        for member in members:
            (await member.post(f"/invites/{code}")).ok(200)

    async def bot(
        self, owner: User, *guilds: Guild, name: str | None = None, permissions: int = BOT_PERMISSIONS
    ) -> User:
        """A new application's bot, authorized by its owner into the guilds."""
        application = (await owner.post("/applications", {"name": name or f"Bot {next(self._numbers)}"})).ok(201)
        token = (await owner.post(f"/applications/{application['id']}/bot/reset")).ok(200)["token"]
        for guild in guilds:
            (await self.authorize(owner, application["id"], guild, permissions)).ok(200)
        bot = User(self.url, token, application["bot"])
        self._clients.append(bot)
        return bot

    async def authorize(self, owner: User, application_id: str, guild: Guild, permissions: int) -> Answer:
        payload = {"guild_id": guild.id, "authorize": True}
        query = {"client_id": application_id, "scope": "bot", "permissions": permissions}
        return await owner.post("/oauth2/authorize", payload, **query)

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
