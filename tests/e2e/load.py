"""Somebody in every channel who posts all the time, and writes down what became of each message.

Every other poster tries a message again, with its nonce, until it is there; the others go on to their next message. The
last message of each is there: who has been told of it has been told of all.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path

import h11
import trio

from tests.e2e.delivery import Channel
from tests.e2e.ledger import Ledger, faults, read
from tests.e2e.recorder import SHARDS
from tests.support.client import Client, Json
from tests.support.world import Guild, User, World

# Several, so that a session follows several of the server's streams.
GUILDS_A_SHARD = 2

PACE_S = 0.05
PAGE = 100

CUT_OFF = (OSError, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError, h11.RemoteProtocolError)


def shard_of(guild_id: str) -> int:
    """Docs: events/gateway, "Sharding"."""
    return (int(guild_id) >> 22) % SHARDS


async def guilds_in_every_shard(world: World, owner: User) -> list[Guild]:
    found: dict[int, list[Guild]] = {shard: [] for shard in range(SHARDS)}
    while min(map(len, found.values())) < GUILDS_A_SHARD:
        guild = await world.guild(owner)
        found[shard_of(guild.id)].append(guild)
    return [guild for guilds in found.values() for guild in guilds[:GUILDS_A_SHARD]]


class Load:
    """Posts to the server at `url` from `post` on until `end`."""

    def __init__(self, url: str, authorization: str, channels: Mapping[str, Guild], path: Path) -> None:
        """`channels` are by id, `path` is the ledger's."""
        self.posted = 0
        self._url = url
        self._authorization = authorization
        self._channels = channels
        self._ledger = Ledger(path)
        self._stopping = False
        self._done = trio.Event()
        self._news = trio.lowlevel.ParkingLot()

    async def post(self) -> None:
        async with trio.open_nursery() as nursery:
            for number, channel_id in enumerate(self._channels):
                nursery.start_soon(self._post_to, channel_id, number)
        self._done.set()

    async def until_posted(self, more: int) -> None:
        enough = self.posted + more
        while self.posted < enough:
            await self._news.park()

    async def end(self) -> None:
        self._stopping = True
        await self._done.wait()
        self._ledger.close()

    async def _post_to(self, channel_id: str, number: int) -> None:
        insists = number % 2 == 0
        nonces = (f"{number}-{count}" for count in itertools.count())
        nonce = next(nonces)
        async with Client(self._url, self._authorization) as client:
            while True:
                is_last = self._stopping
                is_there = await self._try(client, channel_id, nonce)
                if is_there and is_last:
                    return
                if is_there or not (insists or is_last):
                    nonce = next(nonces)
                await trio.sleep(PACE_S)

    async def _try(self, client: Client, channel_id: str, nonce: str) -> bool:
        """Whether the message is known to be there."""
        content = f"{nonce} in {channel_id}"
        payload = {"content": content, "nonce": nonce, "enforce_nonce": True}
        self._ledger.sending(nonce, content)
        try:
            answer = await client.post(f"/channels/{channel_id}/messages", payload)
        except CUT_OFF:
            self._ledger.unknown(nonce)
            return False
        if answer.status >= 500:
            self._ledger.unknown(nonce)
            return False
        self._ledger.ok(nonce, answer.ok()["id"])
        self.posted += 1
        self._news.unpark_all()
        return True

    async def histories(self) -> tuple[list[Channel], list[str]]:
        """What the channels hold, and what is wrong with it according to the ledger."""
        entries = read(self._ledger.path)
        channels: list[Channel] = []
        wrong: list[str] = []
        async with Client(self._url, self._authorization) as client:
            for number, (channel_id, guild) in enumerate(self._channels.items()):
                messages = await _history(client, channel_id)
                mine = {nonce: entry for nonce, entry in entries.items() if nonce.startswith(f"{number}-")}
                wrong += faults(mine, messages)
                contents = {message["id"]: message["content"] for message in reversed(messages)}
                channels.append(Channel(id=channel_id, guild=guild.id, shard=shard_of(guild.id), history=contents))
        return channels, wrong


async def _history(client: Client, channel_id: str) -> list[Json]:
    """All messages, the newest first, a page at a time."""
    messages: list[Json] = []
    page = (await client.get(f"/channels/{channel_id}/messages", limit=PAGE)).ok()
    while page:
        messages += page
        page = (await client.get(f"/channels/{channel_id}/messages", limit=PAGE, before=page[-1]["id"])).ok()
    return messages
