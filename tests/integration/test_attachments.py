"""Files of messages over the wire: sent in every dress, fetched by their links, changed, gone with their message."""

import json
import os
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chatd.service import discarded, orphans
from tests.support.app import Server, serve
from tests.support.client import ALL_INTENTS, Answer, Client, Json, gateway
from tests.support.pictures import look, moving, noise, still
from tests.support.s3 import s3_service
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


REFUSED: dict[str, tuple[Json, dict[str, Any], tuple[int, int]]] = {
    "nothing": ({}, {}, (400, 50006)),
    "unknown": ({"attachments": [{"id": 1}]}, FILE, (400, 50035)),
    "without files": ({"attachments": [{"id": 0}]}, {}, (400, 50035)),
    "twice": ({}, {"files[0]": b"", "file[0]": b""}, (400, 50035)),
    "listed twice": ({"attachments": [{"id": 0}, {"id": 0}]}, FILE, (400, 50035)),
    "long description": ({"attachments": [{"id": 0, "description": "x" * 1025}]}, FILE, (400, 50035)),
    "eleven": ({}, {f"files[{n}]": b"x" for n in range(11)}, (400, 30015)),
    "large": ({}, {"files[0]": b"x" * (MIB + 1)}, (413, 40005)),
    "second large": ({}, {"files[0]": b"", "files[1]": b"x" * (MIB + 1)}, (413, 40005)),
    "large in all": ({}, {f"files[{n}]": b"x" * MIB for n in range(4)}, (413, 40005)),
    "long content": ({"content": "x" * 2001}, FILE, (400, 50035)),
}


@pytest.mark.options({"media.max_file_bytes": MIB, "server.max_upload_bytes": 3 * MIB})
@pytest.mark.parametrize("server", ["sqlite-edge", "sqlite-hypercorn"], indirect=True)
async def test_what_is_refused_leaves_nothing(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    for name, (payload, files, error) in REFUSED.items():
        assert (await post(alice, guild.general, files, **payload)).error == error, name
        assert stored(server) == [], name
    malformed = {"Content-Type": "multipart/form-data; boundary=b"}
    start = b'--b\r\nContent-Disposition: form-data; name="files[0]"; filename="f"\r\n\r\n'
    for content in (b"", start + b"x", start + b"x\r\n--b", b"--b\r\n\r\n"):
        answer = await alice.post(f"/channels/{guild.general}/messages", content=content, headers=malformed)
        assert answer.status == 400, content
    assert stored(server) == []
    assert (await alice.get(f"/channels/{guild.general}/messages")).ok(200) == []
    # the largest that is taken
    (await post(alice, guild.general, {"files[0]": b"x" * MIB})).ok(200)


async def test_who_may_attach(server: Server, world: World) -> None:
    alice, bob, stranger = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    everyone = f"/guilds/{guild.id}/roles/{guild.id}"
    permissions = int((await alice.get(everyone)).ok(200)["permissions"])
    (await alice.patch(everyone, {"permissions": str(permissions & ~ATTACH_FILES)})).ok(200)
    assert (await post(bob, guild.general, FILE)).error == (403, 50013)
    assert (await post(stranger, guild.general, FILE)).error == (403, 50001)
    (await post(bob, guild.general, {}, content="a form without a file")).ok(200)
    mine = await bob.say(guild.general)
    path = f"/channels/{guild.general}/messages/{mine['id']}"
    assert (await bob.upload(path, {}, FILE, method="PATCH")).error == (403, 50013)
    assert (await bob.upload(f"/guilds/{guild.id}/roles", {}, FILE)).errors == {"files[0]": "ATTACHMENTS_NOT_SUPPORTED"}
    assert stored(server) == []
    (await post(alice, guild.general, FILE)).ok(200)
    (await post(bob, await bob.dm(alice), FILE)).ok(200)


# --- links -----------------------------------------------------------------------------------------------------------


async def test_links_are_good_for_a_day_and_for_one_file(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    reader, stranger = await world.bot(alice, guild), await world.bot(alice)  # whose tokens outlive the links
    first, second = (await post(alice, guild.general, {"files[0]": b"1", "files[1]": b"2"})).ok(200)["attachments"]
    bare, _, query = first["url"].partition("?")
    other = second["url"].partition("?")[0]
    for url in (bare, f"{bare}?ex=0&is=0&hm=0", f"{other}?{query}", f"{bare}x?{query}", f"{bare}/?{query}"):
        assert (await fetch(world.anybody, url)).error == (404, 0)
    assert (await fetch(world.anybody, first["url"])).headers["cache-control"] == "private, max-age=86400, immutable"
    server.clock.advance(86_400)
    assert (await fetch(world.anybody, first["url"])).error == (404, 0)
    [message] = (await reader.get(f"/channels/{guild.general}/messages")).ok(200)
    assert message["attachments"][0]["url"] != first["url"]
    assert (await fetch(world.anybody, message["attachments"][0]["url"])).content == b"1"
    # one may ask for a new one, who may read the channel
    asked = {"attachment_urls": [first["url"], bare, "https://elsewhere.test/a.png", "http://[", f"{bare}x"]}
    refreshed = (await reader.post("/attachments/refresh-urls", asked)).ok(200)["refreshed_urls"]
    assert [entry["original"] for entry in refreshed] == asked["attachment_urls"]
    signed = message["attachments"][0]["url"]
    assert [entry["refreshed"] for entry in refreshed] == [signed, signed, None, None, None]
    unseen = (await stranger.post("/attachments/refresh-urls", asked)).ok(200)["refreshed_urls"]
    assert {entry["refreshed"] for entry in unseen} == {None}
    assert (await reader.post("/attachments/refresh-urls", {"attachment_urls": [""] * 51})).error == (400, 50035)


async def test_parts_of_a_file(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    data = os.urandom(300_000)
    [attachment] = (await post(alice, guild.general, {"files[0]": data})).ok(200)["attachments"]
    url = attachment["url"]
    part = await fetch(world.anybody, url, headers={"Range": "bytes=1000-279999"})
    assert (part.status, part.content) == (206, data[1000:280_000])
    assert part.headers["content-range"] == f"bytes 1000-279999/{len(data)}"
    assert (await fetch(world.anybody, url, headers={"Range": "bytes=-5"})).content == data[-5:]
    assert (await fetch(world.anybody, url, headers={"Range": "bytes=300000-"})).status == 416
    assert (await fetch(world.anybody, url, headers={"If-None-Match": f'"{attachment["id"]}"'})).status == 304
    split = urlsplit(url)
    head = await world.anybody.request("HEAD", f"/{split.path}?{split.query}")
    assert (head.status, head.content, head.headers["content-length"]) == (200, b"", str(len(data)))


async def test_pictures_in_other_sizes(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    files = {
        "files[0]": ("wide.png", noise(300, 200)),
        "files[1]": ("moving.gif", moving("gif")),
        "files[2]": ("still.gif", still("gif")),
        "files[3]": ("broken.png", noise(30, 20)[:-40]),
        "files[4]": ("a.txt", b"text"),
    }
    message = (await post(alice, guild.general, files)).ok(200)
    wide, animated, gif, broken, text = (attachment["url"] for attachment in message["attachments"])
    assert message["attachments"][1].items() >= {"width": 40, "height": 20, "flags": 1 << 5}.items()
    small = await fetch(world.anybody, wide, width=30, height=20)
    assert (look(small.content).format, look(small.content).size) == ("png", (30, 20))
    assert look((await fetch(world.anybody, wide, width=150, height=20)).content).size == (30, 20)
    assert look((await fetch(world.anybody, wide, width=75)).content).size == (75, 50)
    assert (await fetch(world.anybody, wide, width=4000, height=4000)).content == noise(300, 200)
    assert (await fetch(world.anybody, wide, width=0, height="x")).content == noise(300, 200)
    webp = await fetch(world.anybody, wide, format="webp", width=30)
    assert (webp.headers["content-type"], look(webp.content).size) == ("image/webp", (30, 20))
    assert look((await fetch(world.anybody, animated, width=20)).content).durations == (100, 50, 200)
    assert look((await fetch(world.anybody, animated, width=20, format="png")).content).durations == ()
    assert look((await fetch(world.anybody, gif, width=24)).content).format == "png"
    assert (await fetch(world.anybody, gif, format="gif")).error == (415, 0)
    assert (await fetch(world.anybody, broken, width=10)).error == (415, 0)
    assert (await fetch(world.anybody, broken)).content == files["files[3]"][1]
    assert (await fetch(world.anybody, text, width=10)).content == b"text"


# --- editing ---------------------------------------------------------------------------------------------------------


async def test_an_edit_keeps_drops_and_adds(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    first, second = (message := (await post(alice, guild.general, {"files[0]": b"1", "files[1]": b"2"})).ok(200))[
        "attachments"
    ]
    path = f"/channels/{guild.general}/messages/{message['id']}"

    async def names(answer: Answer) -> list[str]:
        """After the edit, as everybody hears of it; and there are the files of these."""
        edited = answer.ok(200)
        assert (await his.next("MESSAGE_UPDATE"))["attachments"] == edited["attachments"]
        assert (await bob.get(path)).ok(200)["attachments"] == edited["attachments"]
        for attachment in edited["attachments"]:
            assert (await fetch(world.anybody, attachment["url"])).status == 200
        return [attachment["filename"] for attachment in edited["attachments"]]

    async def patch(files: dict[str, Any], payload: Json) -> Answer:
        return await alice.upload(path, {"payload_json": json.dumps(payload)}, files, method="PATCH")

    async with gateway(server.url, bob.token) as his:
        # what is not named stays
        assert await names(await alice.patch(path, {"content": "hi"})) == ["files0", "files1"]
        assert await names(await patch({"file": ("3.txt", b"3")}, {})) == ["files0", "files1", "3.txt"]
        # only what is listed stays, in this order, and what is new comes where it is listed or behind
        kept = {"id": second["id"], "description": "two", "is_spoiler": True}
        listed = [{"id": 0, "filename": "4.txt"}, kept]
        new = {"files[0]": ("x", b"4"), "files[1]": ("5.txt", b"5")}
        assert await names(await patch(new, {"attachments": listed})) == ["4.txt", "files1", "5.txt"]
        [_, told, _] = (await alice.get(path)).ok(200)["attachments"]
        assert told.items() >= {"description": "two", "flags": 1 << 3}.items()
        assert (await fetch(world.anybody, first["url"])).error == (404, 0)  # at once
        unsaid = {"id": second["id"], "description": None, "is_spoiler": False}
        assert await names(await alice.patch(path, {"attachments": [unsaid]})) == ["files1"]
        [told] = (await alice.get(path)).ok(200)["attachments"]
        assert told.keys() & {"description", "flags"} == set()
        # what is gone or never was cannot be kept, and then nothing changes
        for id_ in (first["id"], "9"):
            refused = await patch({"files[3]": b"x"}, {"attachments": [{"id": id_}], "content": "no"})
            assert refused.errors == {"attachments.0.id": "ATTACHMENT_NOT_FOUND"}
        many = {f"files[{n}]": b"x" for n in range(10)}
        assert (await patch(many, {"content": "no"})).error == (400, 30015)
        assert (await bob.patch(path, {"attachments": []})).error == (403, 50005)
        assert (await bob.upload(path, {}, FILE, method="PATCH")).error == (403, 50005)
        assert [name for name in stored(server) if name.endswith(second["id"])] != []
        assert len(stored(server)) == 5  # of those refused there is none
        assert await names(await alice.patch(path, {"attachments": []})) == []
        assert (await alice.get(path)).ok(200)["content"] == "hi"
        assert (await alice.patch(path, {"content": ""})).error == (400, 50006)
    age_files(server)
    assert await orphans.collect(server.core) == 5
    assert stored(server) == []


async def test_a_file_is_content_enough(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    message = (await post(alice, guild.general, FILE)).ok(200)
    path = f"/channels/{guild.general}/messages/{message['id']}"
    assert (await alice.patch(path, {"content": "x"})).ok(200)["content"] == "x"
    assert (await alice.patch(path, {"content": ""})).ok(200)["content"] == ""
    assert (await alice.patch(path, {"attachments": []})).error == (400, 50006)
    assert (await alice.patch(path, {"attachments": None, "content": "y"})).ok(200)["attachments"] == []


async def test_embeds_show_files_of_their_message(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    embed = {
        "description": "see",
        "image": {"url": "attachment://cat.png"},
        "thumbnail": {"url": "attachment://my cat.png"},
        "author": {"name": "a", "icon_url": "attachment://none.png"},
        "footer": {"text": "f", "icon_url": "https://elsewhere.test/i.png"},
    }
    files = {"files[0]": ("cat.png", still()), "files[1]": ("my cat.png", noise(9, 9)), "files[2]": ("a.txt", b"a")}
    message = (await post(alice, guild.general, files, embeds=[embed])).ok(200)
    assert [attachment["filename"] for attachment in message["attachments"]] == ["a.txt"]
    [shown] = message["embeds"]
    assert (await fetch(world.anybody, shown["image"]["url"])).content == still()
    assert (await fetch(world.anybody, shown["thumbnail"]["url"])).content == noise(9, 9)
    assert shown["author"]["icon_url"] == "attachment://none.png"
    assert shown["footer"]["icon_url"] == "https://elsewhere.test/i.png"
    # a bot sends back what it was shown
    path = f"/channels/{guild.general}/messages/{message['id']}"
    again = (await alice.patch(path, {"embeds": [{**shown, "description": "more"}]})).ok(200)
    assert again["embeds"] == [{**shown, "description": "more"}]
    assert again["attachments"] == message["attachments"]


async def test_components_show_files_of_their_message(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild, permissions=1 << 3)
    picture, text = {"url": "attachment://cat.png"}, {"url": "attachment://my notes.txt"}
    tree = [
        {
            "type": 17,
            "components": [
                {"type": 9, "components": [{"type": 10, "content": "hi"}], "accessory": {"type": 11, "media": picture}},
                {"type": 12, "items": [{"media": picture}, {"media": {"url": "https://elsewhere.test/i.png"}}]},
            ],
        },
        {"type": 13, "file": text},
    ]
    files = {"files[0]": ("cat.png", still()), "files[1]": ("my notes.txt", b"notes"), "files[2]": b"unseen"}
    message = (await post(bot, guild.general, files, components=tree, flags=1 << 15)).ok(200)
    assert [attachment["filename"] for attachment in message["attachments"]] == ["files2"]
    container, file = message["components"]
    section, gallery = container["components"]
    for media in (section["accessory"]["media"], gallery["items"][0]["media"]):
        assert media["url"] == media["proxy_url"]
        assert (await fetch(world.anybody, media["url"])).content == still()
    assert gallery["items"][1]["media"]["url"] == "https://elsewhere.test/i.png"
    assert (file["name"], file["size"]) == ("my_notes.txt", 5)
    assert (await fetch(world.anybody, file["file"]["url"])).content == b"notes"
    # what they show has to be there, also after an edit
    refused = await post(bot, guild.general, {}, components=tree, flags=1 << 15)
    assert set(refused.errors.values()) == {"UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"}
    path = f"/channels/{guild.general}/messages/{message['id']}"
    changed = {"components": [{"type": 13, "file": {"url": "attachment://new.txt"}}], "attachments": [{"id": 0}]}
    new = {"files[0]": ("new.txt", b"new")}
    edited = (await bot.upload(path, {"payload_json": json.dumps(changed)}, new, method="PATCH")).ok(200)
    assert edited["attachments"] == []
    assert (await fetch(world.anybody, edited["components"][0]["file"]["url"])).content == b"new"
    # A file that is shown stays.
    refused = await bot.patch(path, {"attachments": []})
    assert refused.errors == {"components.0.file.url": "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"}
    assert (await fetch(world.anybody, file["file"]["url"])).error == (404, 0)


async def test_voice_messages(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    voice = {"id": 0, "duration_secs": 1.5, "waveform": "AAAA"}
    file = {"files[0]": ("voice.ogg", b"OggS" + bytes(50))}
    message = (await post(alice, guild.general, file, flags=1 << 13, attachments=[voice])).ok(200)
    [attachment] = message["attachments"]
    told = {"content_type": "audio/ogg", "duration_secs": 1.5, "waveform": "AAAA"}
    assert attachment.items() >= told.items()
    assert message["flags"] == 1 << 13
    path = f"/channels/{guild.general}/messages/{message['id']}"
    for change in ({"content": "x"}, {"attachments": []}, {"embeds": []}):
        assert (await alice.patch(path, change)).error == (400, 50162)
    assert (await alice.patch(path, {"flags": 4})).ok(200)["flags"] == 1 << 13 | 4
    no_content, no_audio, no_metadata = 50159, 50160, 50161
    for files, payload, code in (
        (file, {}, no_metadata),
        (file, {"attachments": [{**voice, "waveform": None}]}, no_metadata),
        (file, {"attachments": [{**voice, "duration_secs": None}]}, no_metadata),
        ({**file, "files[1]": b""}, {"attachments": [voice]}, no_audio),
        ({"files[0]": ("voice.ogg", b"words")}, {"attachments": [voice]}, no_audio),
        ({}, {"content": "x"}, no_content),
        (file, {"attachments": [voice], "content": "x"}, no_content),
        (file, {"attachments": [voice], "embeds": [{"title": "t"}]}, no_content),
    ):
        assert (await post(alice, guild.general, files, flags=1 << 13, **payload)).error == (400, code)
    everyone = guild.guild["roles"][0]
    permissions = str(int(everyone["permissions"]) & ~(1 << 46))
    (await alice.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": permissions})).ok(200)
    bob = await world.person()
    await world.join(alice, guild, bob)
    assert (await post(bob, guild.general, file, flags=1 << 13, attachments=[voice])).error == (403, 50173)
    assert (await post(bob, await bob.dm(alice), file, flags=1 << 13, attachments=[voice])).status == 200


# --- who sees what, and where ----------------------------------------------------------------------------------------


async def test_files_are_content(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    async with gateway(server.url, bob.token, intents=ALL_INTENTS & ~MESSAGE_CONTENT) as lean:
        first = (await post(alice, guild.general, FILE)).ok(200)
        assert (await lean.next("MESSAGE_CREATE"))["attachments"] == []
        await alice.say(guild.general, message_reference={"message_id": first["id"]})
        reply = await lean.next("MESSAGE_CREATE")
        assert reply["referenced_message"]["attachments"] == []
        (await post(alice, guild.general, FILE, content=f"<@{bob.id}>")).ok(200)
        assert len((await lean.next("MESSAGE_CREATE"))["attachments"]) == 1


async def test_a_post_in_a_forum_may_have_files(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    forum = await world.channel(alice, guild, "forum", type=15)
    payload = {"name": "Post", "message": {"attachments": [{"id": 0, "description": "d"}]}}
    async with gateway(server.url, bob.token) as his:
        thread = (await post(alice, forum, FILE, "/channels/{}/threads", **payload)).ok(201)
        [attachment] = thread["message"]["attachments"]
        assert attachment["description"] == "d"
        assert (await his.next("MESSAGE_CREATE"))["attachments"] == [attachment]
    assert (await fetch(world.anybody, attachment["url"])).content == b"remember the milk"
    assert (await post(alice, forum, FILE, "/channels/{}/threads", name="Post")).error == (400, 50035)
    assert len(stored(server)) == 1
    (await alice.delete(f"/channels/{thread['id']}")).ok(200)
    assert (await fetch(world.anybody, attachment["url"])).error == (404, 0)


@sqlite_only
async def test_files_alone_are_no_spam(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    rule = {"name": "r", "event_type": 1, "trigger_type": 3, "actions": [{"type": 1}], "enabled": True}
    (await alice.post(f"/guilds/{guild.id}/auto-moderation/rules", rule)).ok(200)
    for _ in range(10):
        (await post(bob, guild.general, FILE)).ok(200)
    blocked = [await post(bob, guild.general, FILE, content="buy") for _ in range(10)]
    assert blocked[-1].error == (400, 200000)


# --- what is left of it ----------------------------------------------------------------------------------------------


def age_files(server: Server, seconds: int = 90_000) -> None:
    """As old as that by the server's clock; unless told otherwise, old enough to be collected."""
    modified_s = server.clock.ms // 1000 - seconds
    for name in stored(server):
        os.utime(server.directory / "media" / name, (modified_s, modified_s))


async def test_files_go_with_their_messages(server: Server, world: World) -> None:
    alice = await world.person()
    guild, doomed = await world.guild(alice), await world.guild(alice)
    channel = await world.channel(alice, guild)
    kept = (await post(alice, guild.general, FILE)).ok(200)
    single = (await post(alice, guild.general, FILE)).ok(200)
    several = [(await post(alice, guild.general, FILE)).ok(200) for _ in range(2)]
    in_channel = (await post(alice, channel, FILE)).ok(200)
    in_guild = (await post(alice, doomed.general, FILE)).ok(200)
    path = f"/channels/{guild.general}/messages"
    (await alice.delete(f"{path}/{single['id']}")).ok(204)
    (await alice.post(f"{path}/bulk-delete", {"messages": [message["id"] for message in several]})).ok(204)
    (await alice.delete(f"/channels/{channel}")).ok(200)
    (await alice.delete(f"/guilds/{doomed.id}")).ok(204)
    for message in (single, *several, in_channel, in_guild):
        assert (await fetch(world.anybody, message["attachments"][0]["url"])).error == (404, 0)
    await discarded.sweep(server.core)
    age_files(server, 3600)
    assert await orphans.collect(server.core) == 0
    age_files(server)
    assert await orphans.collect(server.core) == 5
    assert stored(server) == [f"attachments/{guild.general}/{kept['attachments'][0]['id']}"]
    assert (await fetch(world.anybody, kept["attachments"][0]["url"])).status == 200


async def test_a_forward_keeps_the_file(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}/messages"
    message = (await post(alice, guild.general, FILE, content="look")).ok(200)
    reference = {"type": 1, "message_id": message["id"], "channel_id": guild.general}
    forward = (await alice.post(path, {"message_reference": reference})).ok(200)
    assert forward["attachments"] == []
    [snapshot] = forward["message_snapshots"]
    assert snapshot["message"]["attachments"] == message["attachments"]
    (await alice.delete(f"{path}/{message['id']}")).ok(204)
    age_files(server)
    assert await orphans.collect(server.core) == 0
    assert (await fetch(world.anybody, message["attachments"][0]["url"])).content == b"remember the milk"
    [again] = (await alice.get(path)).ok(200)
    assert again["message_snapshots"] == forward["message_snapshots"]
    (await alice.delete(f"{path}/{forward['id']}")).ok(204)
    assert await orphans.collect(server.core) == 1


@sqlite_only
async def test_a_nonce_that_is_repeated_keeps_one_file(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    first = (await post(alice, guild.general, FILE, nonce="n", enforce_nonce=True)).ok(200)
    assert (await post(alice, guild.general, FILE, nonce="n", enforce_nonce=True)).ok(200) == first
    assert len(stored(server)) == 1


async def test_files_in_a_bucket() -> None:
    with s3_service() as service:
        options = {f"media.{key}": value for key, value in service.options().items()}
        async with serve(**options) as server, World(server.url) as world:
            alice = await world.person()
            guild = await world.guild(alice)
            data = os.urandom(600_000)
            [attachment] = (await post(alice, guild.general, {"files[0]": data})).ok(200)["attachments"]
            assert service.objects == {f"attachments/{guild.general}/{attachment['id']}": data}
            assert (await fetch(world.anybody, attachment["url"])).content == data
            part = await fetch(world.anybody, attachment["url"], headers={"Range": "bytes=5-9"})
            assert (part.status, part.content) == (206, data[5:10])
            assert stored(server) == []
            service.is_down = True
            assert (await post(alice, guild.general, FILE)).error == (503, 130000)
            assert (await fetch(world.anybody, attachment["url"])).error == (503, 0)
            assert len((await alice.get(f"/channels/{guild.general}/messages")).ok(200)) == 1
            assert stored(server) == []
