"""Sets up what a scenario needs inside a server, through the public contracts only: people, guilds, channels, bots."""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bench import servers
from bench.servers import Server

API = "/api/v10"
ADMINISTRATOR = 1 << 3
TEXT_CHANNEL = 0
PASSWORD = "Bench-password-1"
APPLICATIONS_PER_ACCOUNT = 50  # servers bound how many applications an account owns
TRIES = 20  # of a request that is rate limited
BUS_SHARDS = 8  # by the milliseconds of a guild's id


class Refused(Exception):
    """The server answered a set-up request with an error."""


class Api:
    """A keep-alive connection of one account."""

    def __init__(self, server: Server, authorization: str = "") -> None:
        self._connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
        self.authorization = authorization

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        for _ in range(TRIES):
            payload = None if body is None else json.dumps(body)
            self._connection.request(method, f"{API}{path}", payload, headers)
            response = self._connection.getresponse()
            text = response.read()
            if response.status == 429:
                time.sleep(float(json.loads(text)["retry_after"]))
                continue
            if response.status >= 300:
                raise Refused(f"{method} {path}: {response.status} {text[:500].decode(errors='replace')}")
            return json.loads(text) if text else None
        raise Refused(f"{method} {path}: rate limited {TRIES} times")


class Guild(Struct):
    """A guild with its channels and the tokens of the bots in it."""

    id: str
    channels: list[str]
    bots: list[str]

    def publish_to(self) -> list[str]:
        """Every bot in every channel, as the load client's request lines."""
        return [f"{API}/channels/{channel}/messages\tBot {token}" for channel in self.channels for token in self.bots]


class World(Struct):
    """A server with an account that owns the guilds, and accounts that own the bots' applications."""

    server: Server
    api: Api
    gateway_path: str
    developers: list[Api] = []
    bots: int = 0

    def guild(self, name: str = "bench", *, channels: int = 1, bots: int = 1) -> Guild:
        made = self.api.call("POST", "/guilds", {"name": name})
        existing = self.api.call("GET", f"/guilds/{made['id']}/channels")
        guild = Guild(made["id"], [channel["id"] for channel in existing if channel["type"] == TEXT_CHANNEL], [])
        del guild.channels[channels:]
        for number in range(channels - len(guild.channels)):
            body = {"name": f"channel-{number}", "type": TEXT_CHANNEL}
            guild.channels.append(self.api.call("POST", f"/guilds/{guild.id}/channels", body)["id"])
        for number in range(bots):
            guild.bots.append(self.bot(f"{name}-{number}", guild))
        return guild

    def guild_apart(self, other: Guild) -> Guild:
        """A guild whose events chatd's bus does not carry in the same shard."""
        while True:
            made = self.guild(bots=0)
            if (int(made.id) >> 22) % BUS_SHARDS != (int(other.id) >> 22) % BUS_SHARDS:
                return made

    def crowd(self, guild: Guild, bots: int) -> list[str]:
        """So many more members, who may do what everybody may; their tokens."""
        return [self.bot(f"crowd-{number}", guild, permissions=0) for number in range(bots)]

    def bot(self, name: str, *guilds: Guild, permissions: int = ADMINISTRATOR) -> str:
        """A new application's bot, put into the guilds; its token. With permissions it gets a role, of which a guild
        has 250 at most.
        """
        if self.bots == APPLICATIONS_PER_ACCOUNT * len(self.developers):
            self.developers.append(register(self.server, f"bench_developer_{len(self.developers)}"))
        self.bots += 1
        developer = self.developers[-1]
        application = developer.call("POST", "/applications", {"name": name})
        token: str = developer.call("POST", f"/applications/{application['id']}/bot/reset")["token"]
        query = f"client_id={application['id']}&scope=bot&permissions={permissions}"
        for guild in guilds:
            self.api.call("POST", f"/oauth2/authorize?{query}", {"guild_id": guild.id, "authorize": True})
        return token

    def sessions(self, guild: Guild, compress: str | None = None) -> dict[str, Any]:
        """The load client's settings for sessions in the guild that only listen."""
        query = "v=10&encoding=json" + (f"&compress={compress}-stream" if compress else "")
        return {"path": f"{self.gateway_path}?{query}", "compress": compress, "tokens": guild.bots}

    def traffic(self, guild: Guild, compress: str | None = None) -> dict[str, Any]:
        """As `sessions`, and messages into the guild."""
        return {**self.sessions(guild, compress), "targets": guild.publish_to()}


def register(server: Server, username: str) -> Api:
    """A new account, logged in."""
    api = Api(server)
    answer = api.call("POST", "/auth/register", {"username": username, "password": PASSWORD})
    api.authorization = f"Bearer {answer['access_token']}"
    return api


def open_world(server: Server) -> World:
    api = register(server, "bench_owner")
    url = urlsplit(api.call("GET", "/gateway")["url"])
    return World(server, api, url.path or "/")


@contextlib.contextmanager
def fresh(*, channels: int = 1, bots: int = 1, **server_options: Any) -> Iterator[tuple[World, Guild]]:
    """A new server with one guild, for as long as the block lasts; options as for `servers.chatd`."""
    with servers.chatd(**server_options) as server:
        here = open_world(server)
        yield here, here.guild(channels=channels, bots=bots)


def page_of(api: Api, channel: str, limit: int, before: str | None = None) -> list[dict[str, Any]]:
    query = f"limit={limit}" + (f"&before={before}" if before else "")
    return msgspec.convert(api.call("GET", f"/channels/{channel}/messages?{query}"), list[dict[str, Any]])
