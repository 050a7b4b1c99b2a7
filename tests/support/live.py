"""Sessions without sockets, guilds without a database, and a reader for what is pushed to them.

The reader is as strict as the strictest client library: it counts on nothing but the wire.
"""

import json
import zlib
from collections.abc import Iterable
from typing import Any

import trio
import zstandard
from msgspec.structs import asdict

from chatd.live.compress import Context, Contexts
from chatd.live.formats import ETF, ETF_ZLIB, ETF_ZSTD, FORMATS, JSON, PAYLOAD, ZLIB, ZSTD
from chatd.live.frames import control
from chatd.live.guilds import GuildState
from chatd.live.presence import Presence
from chatd.live.sessions import RING_BYTES, Session
from chatd.live.stream import Borrower
from chatd.live.threads import ThreadState
from chatd.model import intents as i
from chatd.model.objects.channel import Channel, ChannelExtra, Overwrite
from chatd.model.objects.gateway import Hello, Op
from chatd.model.objects.guild import Guild, Member, MemberExtra
from chatd.model.objects.role import Role, RoleExtra
from chatd.model.objects.thread import Thread, ThreadMetadata
from chatd.model.objects.user import User
from chatd.model.wire import Permissions, Snowflake
from tests.support import etf

TEXT, BINARY = 0x81, 0x82
HELLO = Hello(heartbeat_interval=1000)


class Wire:
    """The socket end of a session. A compressed one has said HELLO, with which its stream begins."""

    def __init__(self, format_: int = JSON, contexts: Contexts | None = None) -> None:
        codec = FORMATS[format_].codec
        self.format = format_
        self.context = None if codec is None else Context(codec, contexts or Contexts(100))
        self.pushes: list[bytes] = []
        if codec is not None:
            self.pushes.append(control(Op.HELLO, HELLO, format_, True))

    def push(self, data: bytes) -> None:
        self.pushes.append(data)

    def lend(self, borrower: Borrower | None) -> None:
        """It has no socket."""

    async def drained(self) -> None:
        await trio.lowlevel.checkpoint()

    def close(self, code: int, reason: str) -> None:
        raise AssertionError("nobody should close this")

    def dispatches(self) -> list[tuple[int, str, Any]]:
        """(s, t, d) of everything dispatched so far."""
        messages = read_stream(self.format, b"".join(self.pushes))
        return [(m["s"], m["t"], m["d"]) for m in messages if m["op"] == 0]


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """First byte and payload of every WebSocket frame; there must be nothing but whole, unmasked ones."""
    found = []
    while data:
        start, end = _payload(data)
        assert len(data) >= end, "a frame is cut short"
        found.append((data[0], data[start:end]))
        data = data[end:]
    return found


def is_whole(data: bytes | bytearray) -> bool:
    """Whether it ends with a frame."""
    at = 0
    while at < len(data):
        at += _payload(data[at : at + 10].ljust(10, b"\0"))[1]
    return at == len(data)


def _payload(data: bytes | bytearray) -> tuple[int, int]:
    """Where that of the first frame begins and ends, if it is not masked."""
    start = {126: 4, 127: 10}.get(data[1], 2)
    return start, start + (int.from_bytes(data[2:start], "big") if start > 2 else data[1])


def read_stream(format_: int, data: bytes) -> list[Any]:
    """Every message of a connection's output, read from its first byte on by one decompressor."""
    decompress = {
        ZLIB: zlib.decompressobj().decompress,
        ZSTD: zstandard.ZstdDecompressor().decompressobj().decompress,
        ETF_ZLIB: zlib.decompressobj().decompress,
        ETF_ZSTD: zstandard.ZstdDecompressor().decompressobj().decompress,
    }.get(format_, bytes)
    messages = []
    for first, payload in frames(data):
        if format_ in (ZLIB, ETF_ZLIB):
            # What discord.py does: a message is over with this ending, and not before.
            assert payload.endswith(b"\0\0\xff\xff")
        if format_ == PAYLOAD and first == BINARY:
            payload = zlib.decompress(payload)
        else:
            assert first == (TEXT if format_ in (JSON, PAYLOAD) else BINARY)
        if format_ in (ETF, ETF_ZLIB, ETF_ZSTD):
            message = etf.load(decompress(payload))
            # The one key that Discord does not send, which no library looks at.
            assert set(message.pop("_", "")) <= {" "}
        else:
            message = json.loads(decompress(payload))
        messages.append(message)
    return messages


def user(id_: int) -> User:
    return User(id=Snowflake(id_), username=f"user{id_}", discriminator="0")


def session(
    user_id: int = 1,
    wire: Wire | None = None,
    *,
    intents: int = i.ALL,
    shard: tuple[int, int] = (0, 1),
    ring_events: int = 100,
    ring_bytes: int = RING_BYTES,
    presence: Presence | None = None,
    seq: int = 0,
) -> Session:
    """Without a wire it has lost its socket."""
    made = Session(
        id_=f"{user_id}-{id(wire)}",
        token="",
        user=user(user_id),
        intents=intents,
        shard=shard,
        version=10,
        ring_events=ring_events,
        ring_bytes=ring_bytes,
        presence=presence or Presence(),
    )
    made.connection = wire
    made.seq = seq
    return made


# --- guilds ----------------------------------------------------------------------------------------------------------


def role(id_: int, permissions: int) -> Role:
    return Role(
        id=Snowflake(id_),
        name=f"role{id_}",
        color=0,
        position=0,
        permissions=Permissions(permissions),
        **asdict(RoleExtra()),
    )


def overwrite(id_: int, type_: int, allow: int = 0, deny: int = 0) -> Overwrite:
    return Overwrite(id=Snowflake(id_), type=type_, allow=Permissions(allow), deny=Permissions(deny))


def channel(id_: int, guild_id: int, overwrites: Iterable[Overwrite] = (), type_: int = 0) -> Channel:
    return Channel(
        id=Snowflake(id_),
        type=type_,
        guild_id=Snowflake(guild_id),
        position=0,
        permission_overwrites=tuple(overwrites),
        name=f"channel{id_}",
        parent_id=None,
        last_message_id=None,
        **asdict(ChannelExtra()),
    )


def thread(
    id_: int,
    parent_id: int,
    guild_id: int,
    members: Iterable[int] = (),
    *,
    private: bool = False,
    archived: bool = False,
) -> ThreadState:
    moment = "2026-01-01T00:00:00+00:00"
    metadata = ThreadMetadata(
        archived=archived, auto_archive_duration=60, archive_timestamp=moment, locked=False, create_timestamp=moment
    )
    made = Thread(
        id=Snowflake(id_),
        type=12 if private else 11,
        guild_id=Snowflake(guild_id),
        parent_id=Snowflake(parent_id),
        owner_id=Snowflake(1),
        name=f"thread{id_}",
        last_message_id=None,
        rate_limit_per_user=0,
        flags=0,
        thread_metadata=metadata,
        message_count=0,
        member_count=0,
        total_message_sent=0,
    )
    return ThreadState(made, dict.fromkeys(members, 0))


def member(user_id: int, *roles: int) -> Member:
    extra = asdict(MemberExtra())
    joined = "2026-01-01T00:00:00+00:00"
    return Member(user=user(user_id), roles=tuple(Snowflake(id_) for id_ in roles), joined_at=joined, **extra)


def guild(
    everyone: int,
    *,
    id_: int = 1000,
    owner_id: int = 1,
    roles: Iterable[Role] = (),
    channels: Iterable[Channel] = (),
    members: Iterable[Member] = (),
) -> GuildState:
    return GuildState(
        Guild(id=Snowflake(id_), name="guild", owner_id=Snowflake(owner_id)),
        {each.id: each for each in (role(id_, everyone), *roles)},
        {each.id: each for each in channels},
        {each.user.id: each for each in members},
        {},
        {},
        {},
        {},
        {},
        {},
    )
