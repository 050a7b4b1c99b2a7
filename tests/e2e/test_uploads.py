"""Uploads to a server process: how much memory a large one takes, and what SIGKILL leaves of many."""

import hashlib
import http.client
import json
import os
import random
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.world import World, world
from tests.support.client import form
from tests.support.http import Client
from tests.support.server import Server

KIB = 1 << 10
MIB = 1 << 20
LARGE = 100 * MIB
ROOM = {"CHATD__SERVER__MAX_UPLOAD_BYTES": str(2 * LARGE), "CHATD__MEDIA__MAX_FILE_BYTES": str(LARGE)}

UPLOADERS = 4
KILLS = 5
# The kill comes after so many acknowledged uploads, at the least and at the most.
ACKNOWLEDGED = (3, 25)
DEADLINE_S = 30.0


# --- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("front_end", ["edge", "hypercorn"])
def test_a_large_upload_takes_little_memory(serve: Serve, front_end: str) -> None:
    server = serve("--http", front_end, environ=ROOM)
    with world(server.url) as where:
        send(server, where, [os.urandom(MIB)])  # what is imported and allocated once
        piece = os.urandom(MIB)
        before = forget_peak(server)
        attachment = send(server, where, [piece] * (LARGE // MIB))
        grown = peak(server) - before
        assert attachment["size"] == LARGE
        assert fetch(server, attachment) == (200, digest([piece] * (LARGE // MIB)))
        assert grown < 20 * MIB, f"{grown / MIB:.1f} MiB"
        assert peak(server) - before < 20 * MIB  # nor the way back


def send(server: Server, where: World, pieces: list[bytes]) -> Any:
    """The attachment."""
    head, _, tail = form({}, {"files[0]": ("large.bin", b"-")})[0].partition(b"\r\n\r\n-")
    kind = form({}, {})[1]

    def body() -> Iterator[bytes]:
        yield head + b"\r\n\r\n"
        yield from pieces
        yield tail

    length = len(head) + 4 + sum(map(len, pieces)) + len(tail)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    headers = {"Authorization": str(where.person.authorization), "Content-Type": kind, "Content-Length": str(length)}
    connection.request("POST", f"/api/v10/channels/{where.channel_id}/messages", body(), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    [attachment] = answer["attachments"]
    return attachment


def fetch(server: Server, attachment: Any) -> tuple[int, str]:
    """The status, and the digest of what came."""
    url = urlsplit(attachment["url"])
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
    connection.request("GET", f"{url.path}?{url.query}")
    answer = connection.getresponse()
    found = digest(iter(lambda: answer.read(MIB), b""))
    connection.close()
    return answer.status, found


def digest(pieces: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()


def forget_peak(server: Server) -> int:
    """What the process holds now, from which its peak is counted anew."""
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")
    return peak(server)


def peak(server: Server) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * KIB


# --- SIGKILL ---------------------------------------------------------------------------------------------------------


def test_kill_9_leaves_no_message_without_its_file_and_no_file_without_a_message(serve: Serve, tmp_path: Path) -> None:
    chance = random.Random(0)
    acknowledged: dict[str, str] = {}  # message and what its file was
    server = serve()
    with world(server.url) as where:
        for _ in range(KILLS):
            outcomes: SimpleQueue[str] = SimpleQueue()
            with ThreadPoolExecutor(UPLOADERS) as pool:
                uploaders = [
                    pool.submit(upload_until_cut_off, server, where, random.Random(n), outcomes)
                    for n in range(UPLOADERS)
                ]
                for _ in range(chance.randint(*ACKNOWLEDGED)):
                    outcomes.get(timeout=DEADLINE_S)
                server.kill()
                for uploader in uploaders:
                    acknowledged |= uploader.result(DEADLINE_S)
            media = tmp_path / "data/media"
            for path in media.rglob("*"):  # old enough to be collected, which is done first of all
                os.utime(path, (0, 0))
            server = serve()
            with Client(server.url, where.person.authorization) as person:
                named = history(person, f"/channels/{where.channel_id}/messages")
            assert {message["id"] for message in named} >= acknowledged.keys()
            for message in named:
                [attachment] = message["attachments"]
                status, content = fetch(server, attachment)
                assert status == 200
                assert content == acknowledged.get(message["id"], content)
            names = {attachment["id"] for message in named for attachment in message["attachments"]}
            deadline = time.monotonic() + DEADLINE_S
            while (left := {path.name for path in media.rglob("*") if path.is_file()}) != names:
                assert time.monotonic() < deadline, left ^ names
                time.sleep(0.01)


def upload_until_cut_off(
    server: Server, where: World, chance: random.Random, outcomes: SimpleQueue[str]
) -> dict[str, str]:
    acknowledged = {}
    with Client(server.url, where.person.authorization) as person:
        while True:
            data = chance.randbytes(chance.choice((10, KIB, 300 * KIB)))
            content, kind = form({}, {"files[0]": data})
            try:
                answer = person.request(
                    "POST",
                    f"/channels/{where.channel_id}/messages",
                    body=content,
                    headers={"Content-Type": kind},
                )
            except (OSError, http.client.HTTPException):
                return acknowledged
            acknowledged[answer.ok()["id"]] = digest([data])
            outcomes.put(answer.body["id"])


def history(person: Client, path: str) -> list[Any]:
    found: list[Any] = []
    before = ""
    while page := person.get(f"{path}?limit=100{before}").ok():
        found += page
        before = f"&before={page[-1]['id']}"
    return found
