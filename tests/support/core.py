"""A `Core` around a real database, without listeners: for tests that call service functions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from msgspec import convert

from chatd.config import Config
from chatd.live.bus import Bus
from chatd.live.formats import JSON
from chatd.live.presence import Presence
from chatd.live.sessions import Session
from chatd.live.state import Live
from chatd.live.stream import Borrower
from chatd.model import intents
from chatd.model.objects.account import Register
from chatd.model.objects.guild import GuildCreateParams, Member
from chatd.model.ratelimit import Limiter
from chatd.model.snowflake import SnowflakeGenerator
from chatd.model.wire import Snowflake
from chatd.service import accounts, auth, commits, guild_creation, membership
from chatd.service.actors import Actor, Actors
from chatd.service.core import Core
from chatd.service.links import Links
from chatd.service.nonces import Nonces
from chatd.service.passwords import Passwords
from chatd.service.renditions import Renditions
from chatd.service.search_index import SearchIndex
from chatd.store import members, migrate, open_database
from chatd.store.blobs import open_blobs
from chatd.store.disk import Disk

# A hash that costs well under a millisecond: tests are not about guessing passwords.
CHEAP_HASHES = {"argon2_memory_kib": 64, "argon2_time": 1}


class Clock:
    """Unix time that stands still until it is told otherwise."""

    def __init__(self, ms: int = 1_800_000_000_000) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms

    def advance(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@asynccontextmanager
async def open_core(directory: Path, clock: Clock | None = None, **sections: dict[str, Any]) -> AsyncIterator[Core]:
    """`sections` are tables of the configuration: `open_core(tmp_path, accounts={"registration": "closed"})`."""
    config = convert({**sections, "accounts": {**CHEAP_HASHES, **sections.get("accounts", {})}}, Config)
    clock = clock or Clock()
    url = config.database.url or str(directory / "chatd.sqlite")
    await trio.to_thread.run_sync(lambda: migrate.up(url, now_ms=clock()))
    accounts = config.accounts
    async with (
        open_database(url, readers=1) as db,
        open_blobs(config.media, directory) as blobs,
        trio.open_nursery() as nursery,
    ):
        renditions = Renditions(blobs, Disk(directory / "media-cache"), config.media.cache_bytes)
        await renditions.load()
        core = Core(
            config=config,
            db=db,
            live=Live(Bus(shards=2, capacity=1000)),
            ids=SnowflakeGenerator(0, 0, clock),
            limiter=Limiter(10_000),
            actors=Actors(),
            passwords=Passwords(
                accounts.argon2_memory_kib, accounts.argon2_time, accounts.argon2_parallelism, accounts.password_queue
            ),
            blobs=blobs,
            renditions=renditions,
            links=Links(bytes(range(32)), "http://chat.test", clock),
            nonces=Nonces(),
            search_index=SearchIndex(db, config.search.enabled),
            unfurls=None,
            jwt_key=bytes(range(32)),
            clock_ms=clock,
        )
        nursery.start_soon(core.live.bus.run)
        yield core
        nursery.cancel_scope.cancel()


async def person(core: Core, name: str) -> Actor:
    pair = await accounts.register(core, Register(username=name, password="correct horse"))
    return await auth.authenticate(core, f"Bearer {pair.access_token}")


async def shared_channel(core: Core, people: list[Actor]) -> Snowflake:
    """A guild of the first of them with all of them in it; its channel."""
    template = {"name": "guild", "channels": [{"name": "one"}]}
    view = await guild_creation.create(core, people[0], convert(template, GuildCreateParams))
    guild = core.live.guilds[view.id]
    for actor in people[1:]:
        member = members.new(actor.user, core.clock_ms())

        def joined(_: bool, member: Member = member) -> None:
            membership.joined(core, guild, member)

        await commits.change(core, (guild.id, actor.id), members.insert, guild.id, member, then=joined)
    [channel_id] = guild.channels
    return Snowflake(channel_id)


class RecordingConnection:
    """The socket end of a session: keeps what it is told to do."""

    format = JSON
    context = None

    def __init__(self) -> None:
        self.pushed = b""
        self.closed: tuple[int, str] | None = None

    def push(self, data: bytes) -> None:
        self.pushed += data

    def lend(self, borrower: Borrower | None) -> None:
        """It has no socket."""

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    async def drained(self) -> None:
        await trio.lowlevel.checkpoint()


def connect(core: Core, me: Actor) -> Session:
    """A session of the actor with all intents, on a RecordingConnection."""
    session = Session(
        id_=f"session-{len(core.live.sessions)}",
        token=me.token,
        user=me.user,
        intents=intents.ALL,
        shard=(0, 1),
        version=10,
        ring_events=16,
        presence=Presence(),
    )
    session.connection = RecordingConnection()
    core.live.sessions.add(session)
    return session
