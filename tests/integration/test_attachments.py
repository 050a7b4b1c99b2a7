"""Files of messages over the wire: sent in every dress, fetched by their links, changed, and gone with their message."""

import json
import os
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.app import Server
from tests.support.client import Answer, Client, Json, gateway
from tests.support.pictures import look, still
from tests.support.world import User, World

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)

MIB = 1 << 20
MESSAGE_CONTENT = 1 << 15
ATTACH_FILES = 1 << 15
FILE = {"files[0]": ("notes.txt", b"remember the milk")}


async def post(
    user: User, channel_id: str, files: dict[str, Any], path: str = "/channels/{}/messages", **payload: Json
) -> Answer:
    return await user.upload(path.format(channel_id), {"payload_json": json.dumps(payload)}, files)


async def fetch(client: Client, url: str, *, headers: dict[str, str] | None = None, **query: object) -> Answer:
    split = urlsplit(url)
    more = "".join(f"{name}={value}&" for name, value in query.items())
    return await client.request("GET", f"/{split.path}?{split.query}{more}", headers=headers)


def stored(server: Server) -> list[str]:
    """What there is of uploads, finished or not, below the media directory."""
    media = server.directory / "media"
    return sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())


# --- sending and fetching --------------------------------------------------------------------------------------------


async def test_a_file_comes_back_as_it_was_sent(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    data = os.urandom(700_000)
    async with gateway(server.url, bob.token) as his:
        answer = await post(
            alice,
            guild.general,
            {"files[0]": ("a b.bin", data), "files[7]": ("größe.png", still())},
            content="look",
            attachments=[{"id": 7, "description": "a picture"}, {"id": "0", "title": "random"}],
        )
        message = answer.ok(200)
        event = await his.next("MESSAGE_CREATE")
    assert event["attachments"] == message["attachments"]
    picture, random = message["attachments"]
    assert {name: value for name, value in picture.items() if name not in ("id", "url", "proxy_url")} == {
        "filename": "groe.png",
        "size": len(still()),
        "content_type": "image/png",
        "width": look(still()).size[0],
        "height": look(still()).size[1],
        "title": "größe",
        "description": "a picture",
    }
    assert random.items() >= {"filename": "a_b.bin", "size": len(data), "title": "random"}.items()
    assert "content_type" not in random
    link = urlsplit(random["url"])
    assert f"{link.scheme}://{link.netloc}" == server.url
    assert link.path == f"/attachments/{guild.general}/{random['id']}/a_b.bin"
    terms = parse_qs(link.query)
    assert int(terms["ex"][0], 16) - int(terms["is"][0], 16) == 86_400
    assert re.fullmatch("[0-9a-f]{64}", terms["hm"][0])
    fetched = await fetch(world.anybody, random["url"])
    assert (fetched.status, fetched.content) == (200, data)
    said = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": 'attachment; filename="a_b.bin"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Accept-Ranges": "bytes",
        "ETag": f'"{random["id"]}"',
    }
    assert {name: fetched.headers[name] for name in said} == said
    shown = await fetch(world.anybody, picture["proxy_url"])
    assert (shown.content, shown.headers["content-type"]) == (still(), "image/png")
    assert shown.headers["content-disposition"] == 'inline; filename="groe.png"'
    # the same from history, where it is signed anew
    [again] = (await bob.get(f"/channels/{guild.general}/messages", limit=1)).ok(200)
    assert again["attachments"] == message["attachments"]


@pytest.mark.parametrize(
    ("fields", "files", "content", "names"),
    [
        ({}, {"files[0]": ("a.txt", b"a")}, "", ["a.txt"]),
        ({"payload_json": "{}"}, {"files[0]": ("a.txt", b"a")}, "", ["a.txt"]),
        ({"content": "hi", "tts": "false"}, {"file": ("a.txt", b"a")}, "hi", ["a.txt"]),
        ({"content": "hi"}, {}, "hi", []),
        ({"payload_json": '{"content": "hi"}'}, {}, "hi", []),
        ({}, {"file[1]": ("b.txt", b"b"), "file[0]": ("a.txt", b"a")}, "", ["b.txt", "a.txt"]),
        ({}, {"file0": ("a.txt", b"a"), "file1": ("b.txt", b"")}, "", ["a.txt", "b.txt"]),
        ({}, {"picture": ("a.txt", b"a")}, "", ["a.txt"]),
        (
            {"payload_json": '{"attachments": [{"id": 0, "filename": "c/../d e.txt"}]}'},
            {"files[0]": ("a.txt", b"a"), "files[1]": ("b.txt", b"b")},
            "",
            ["d_e.txt", "b.txt"],
        ),
    ],
)
async def test_the_forms_that_libraries_send(
    sqlite_server: Server, fields: dict[str, str], files: dict[str, Any], content: str, names: list[str]
) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        guild = await world.guild(alice)
        message = (await alice.upload(f"/channels/{guild.general}/messages", fields, files)).ok(200)
        assert message["content"] == content
        assert [attachment["filename"] for attachment in message["attachments"]] == names
        for attachment in message["attachments"]:
            assert (await fetch(world.anybody, attachment["url"])).status == 200
        assert len(stored(sqlite_server)) == len(names)
