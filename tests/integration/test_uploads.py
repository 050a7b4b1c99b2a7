"""Uploads as they go wrong: refused before they are sent, broken off at any byte, garbled, or all at once."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from urllib.parse import urlsplit

import pytest
import trio
import trio.testing

from chatd.service import orphans
from tests.support.app import Server
from tests.support.client import form
from tests.support.world import World

front_ends = pytest.mark.parametrize("server", ["sqlite-edge", "sqlite-hypercorn"], indirect=True)
DEADLINE_S = 5.0
ATTACH_FILES = 1 << 15
MIB = 1 << 20
CONTENT, KIND = form({}, {"files[0]": ("a.bin", bytes(range(256)) * 1000)})


class Upload:
    """A POST of which the test sends what it likes."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def send(self, data: bytes) -> None:
        await self._stream.send_all(data)

    async def status(self) -> int:
        """Of the answer's first line."""
        with trio.fail_after(DEADLINE_S):
            received = b""
            while b"\r\n" not in received:
                data = await self._stream.receive_some()
                assert data, "closed without an answer"
                received += data
            return int(received.split()[1])


@asynccontextmanager
async def upload(
    server: Server, channel_id: str, authorization: str | None, length: int = len(CONTENT), *more: str
) -> AsyncIterator[Upload]:
    """A connection that has sent the head."""
    lines = [f"POST /api/v10/channels/{channel_id}/messages HTTP/1.1", f"Host: {urlsplit(server.url).netloc}"]
    lines += [f"Content-Type: {KIND}", f"Content-Length: {length}", f"Authorization: {authorization}", *more, "", ""]
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        await stream.send_all("\r\n".join(lines).encode())
        yield Upload(stream)


def stored(server: Server) -> list[str]:
    return [path.name for path in (server.directory / "media").rglob("*") if path.is_file()]


async def until_nothing_is_stored(server: Server) -> None:
    with trio.fail_after(DEADLINE_S):
        while stored(server):
            await trio.testing.wait_all_tasks_blocked(0.001)


# --- before the body -------------------------------------------------------------------------------------------------


@front_ends
@pytest.mark.options({"server.max_upload_bytes": 1 << 30})
async def test_who_may_not_upload_is_told_before_the_file_is_sent(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    everyone = f"/guilds/{guild.id}/roles/{guild.id}"
    permissions = int((await alice.get(everyone)).ok(200)["permissions"])
    (await alice.patch(everyone, {"permissions": str(permissions & ~ATTACH_FILES)})).ok(200)
    beginning = CONTENT[:200]
    for who, status in (("Bearer x", 401), (bob.authorization, 403)):
        async with upload(server, guild.general, who, 1 << 29) as request:
            await request.send(beginning)
            assert await request.status() == status
    async with upload(server, "1", alice.authorization, 1 << 29) as request:
        await request.send(beginning)
        assert await request.status() == 404
    assert stored(server) == []


async def test_who_waits_to_be_asked_is_asked_when_the_file_may_come(sqlite_server: Server) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        guild = await world.guild(alice)
        for who, status in (("Bearer x", 401), (alice.authorization, 100)):
            async with upload(sqlite_server, guild.general, who, len(CONTENT), "Expect: 100-continue") as request:
                assert await request.status() == status
                if status == 100:
                    await request.send(CONTENT)
                    assert await request.status() == 200


@front_ends
async def test_a_refused_upload_that_was_sent_in_full_keeps_the_connection(server: Server, world: World) -> None:
    alice = await world.person()
    async with upload(server, "1", alice.authorization) as request:
        await request.send(CONTENT)
        assert await request.status() == 404
    for _ in range(3):  # on one connection of the client's
        assert (await alice.upload("/channels/1/messages", {}, {"file": CONTENT})).error == (404, 10003)
    assert len(alice._idle) == 1


# --- broken off, and garbled -----------------------------------------------------------------------------------------


@front_ends
async def test_an_upload_that_breaks_off_leaves_nothing(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    half = len(CONTENT) // 2
    for sent in (0, 50, 200, half, len(CONTENT) - 1):
        async with upload(server, guild.general, alice.authorization) as request:
            await request.send(CONTENT[:sent])
            with trio.fail_after(DEADLINE_S):
                while sent >= half and not stored(server):
                    await trio.testing.wait_all_tasks_blocked(0.001)
        await until_nothing_is_stored(server)
    assert (await alice.get(f"/channels/{guild.general}/messages")).ok(200) == []


FRAGMENTS = [
    b"--b",
    b"--b\r\n",
    b"\r\n--b\r\n",
    b"\r\n--b--",
    b"\r\n",
    b"\0\xff",
    b'Content-Disposition: form-data; name="files[0]"; filename="f"\r\n\r\n',
    b'Content-Disposition: form-data; name="payload_json"\r\n\r\n',
    b'Content-Disposition: form-data; name="content"\r\n\r\n',
    b'{"content": "hi", "attachments": [{"id": 0}]}',
]


@front_ends
async def test_whatever_is_sent_is_answered(server: Server, world: World) -> None:
    """Bodies of what forms are made of, in any order; most begin well."""
    alice = await world.person()
    guild = await world.guild(alice)
    random = Random(13)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    kept = 0
    for _ in range(300):
        content = b"--b\r\n" * random.randrange(2) + b"".join(random.choices(FRAGMENTS, k=random.randrange(12)))
        answer = await alice.post(f"/channels/{guild.general}/messages", content=content, headers=headers)
        assert answer.status in (200, 400), content
        kept += len(answer.json["attachments"]) if answer.status == 200 else 0
    assert kept > 0
    assert len(stored(server)) == kept


# --- many ------------------------------------------------------------------------------------------------------------


async def test_a_thousand_uploads_leave_no_orphan(server: Server, world: World) -> None:
    """Ten at a time; one of every ten is refused for what it says."""
    alice = await world.person()
    guild = await world.guild(alice)

    async def hundred(number: int) -> None:
        client = alice.with_token(alice.authorization)
        for turn in range(100):
            is_bad = turn % 10 == number
            said = {"content": "x" * (2001 if is_bad else 5)}
            answer = await client.upload(f"/channels/{guild.general}/messages", said, {"file": b"%d" % turn})
            assert answer.status == (400 if is_bad else 200)
        await client.aclose()

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(hundred, number)
    named = await server.core.db.read(lambda tx: tx.scalar("SELECT COUNT(*) FROM attachments"))
    assert len(stored(server)) == named == 900
    modified_s = server.clock.ms // 1000 - 90_000
    for path in (server.directory / "media").rglob("*"):
        os.utime(path, (modified_s, modified_s))
    assert await orphans.collect(server.core) == 0
