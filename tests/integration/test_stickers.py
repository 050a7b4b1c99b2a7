"""Stickers over the wire: the form with a file, what files there may be, who may change which, and who hears of it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.store import guilds
from tests.support.app import Server, serve
from tests.support.client import ALL_INTENTS, Answer, Json, gateway
from tests.support.pictures import data_uri, moving, noise, still
from tests.support.world import Guild, User, World

MANAGE, GUILD_EXPRESSIONS = 1 << 30, 1 << 3
NO_PERMISSION, UNKNOWN_STICKER = (403, 50013), (404, 10060)
BAD_FORM, TOO_MANY, TOO_LONG = (400, 50035), (400, 30039), (400, 170007)
FORM = {"name": "wave", "description": "waves", "tags": "👋"}
LONG = (2500, 2501)  # ms, of two frames


async def upload(user: User, guild: Guild, file: bytes | None = None, **fields: str) -> Answer:
    return await user.upload(f"/guilds/{guild.id}/stickers", {**FORM, **fields}, {"file": file or still()})


def bare(sticker: Json) -> Json:
    """As everybody sees it."""
    return {name: value for name, value in sticker.items() if name != "user"}


async def test_create_edit_delete(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/guilds/{guild.id}/stickers"
    async with (
        gateway(server.url, bob.token) as his,
        gateway(server.url, alice.token, intents=ALL_INTENTS & ~GUILD_EXPRESSIONS) as hers,
    ):
        made = (await upload(bob, guild)).ok(201)
        assert bare(made) == {
            **FORM,
            "id": made["id"],
            "guild_id": guild.id,
            "type": 2,
            "format_type": 1,
            "available": True,
        }
        assert made["user"]["id"] == bob.id
        assert await his.next("GUILD_STICKERS_UPDATE") == {"guild_id": guild.id, "stickers": [bare(made)]}
        plain = (await alice.upload(path, {"name": "hi", "tags": "x"}, {"file": moving("gif")})).ok(201)
        assert (plain["description"], plain["format_type"]) == (None, 4)
        assert (await his.next("GUILD_STICKERS_UPDATE"))["stickers"] == [bare(made), bare(plain)]
        # what is not given stays
        made = {**made, "name": "waves", "description": None}
        assert (await bob.patch(f"{path}/{made['id']}", {"name": "waves", "description": None})).ok(200) == made
        assert (await his.next("GUILD_STICKERS_UPDATE"))["stickers"] == [bare(made), bare(plain)]
        assert (await alice.get(path)).ok(200) == [made, plain]
        assert (await alice.get(f"{path}/{made['id']}")).ok(200) == made
        assert (await bob.get(f"/guilds/{guild.id}")).ok(200)["stickers"] == [bare(made), bare(plain)]
        loaded = await server.core.db.read(guilds.load, int(guild.id))
        assert loaded is not None
        assert loaded.stickers == server.core.live.guilds[int(guild.id)].stickers
        (await alice.delete(f"{path}/{made['id']}")).ok(204)
        assert (await his.next("GUILD_STICKERS_UPDATE"))["stickers"] == [bare(plain)]
        await alice.say(guild.general)
        await hers.next("MESSAGE_CREATE")
        assert hers.named("GUILD_STICKERS_UPDATE") == []  # without the intent
    async with gateway(server.url, bob.token) as late:
        assert late.ready["guilds"][0]["stickers"] == [bare(plain)]
    assert (await alice.get(f"{path}/{made['id']}")).error == UNKNOWN_STICKER
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", target_id=made["id"])).ok()["audit_log_entries"]
    assert [(entry["action_type"], entry["user_id"]) for entry in log] == [(92, alice.id), (91, bob.id), (90, bob.id)]
    assert {"key": "description", "old_value": "waves"} in log[1]["changes"]


async def test_anybody_may_ask_for_a_sticker(world: World) -> None:
    alice, stranger = await world.person(), await world.person()
    sticker = (await upload(alice, await world.guild(alice))).ok(201)
    assert (await stranger.get(f"/stickers/{sticker['id']}")).ok(200) == bare(sticker)
    assert (await world.anybody.get("/sticker-packs")).ok(200) == {"sticker_packs": []}


async def test_who_may(world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob, carol)
    role = f"/guilds/{guild.id}/roles/{guild.id}"
    sticker = (await upload(bob, guild)).ok(201)
    one = f"/guilds/{guild.id}/stickers/{sticker['id']}"
    # with CREATE: what is one's own
    assert (await carol.patch(one, {"name": "mine"})).error == NO_PERMISSION
    assert (await carol.delete(one)).error == NO_PERMISSION
    assert (await carol.get(one)).ok(200) == sticker
    # with neither
    (await alice.patch(role, {"permissions": "0"})).ok(200)
    assert (await upload(bob, guild)).error == NO_PERMISSION
    assert (await bob.patch(one, {"name": "mine"})).error == NO_PERMISSION
    assert (await bob.get(one)).ok(200) == bare(sticker)
    # with MANAGE: all that there are, but no new ones
    (await alice.patch(role, {"permissions": str(MANAGE)})).ok(200)
    assert (await upload(carol, guild)).error == NO_PERMISSION
    assert (await carol.patch(one, {"name": "ours"})).ok(200) == {**sticker, "name": "ours"}
    (await carol.delete(one)).ok(204)


@pytest.mark.parametrize(
    ("file", "format_type", "extension"),
    [
        (still("png"), 1, "png"),
        (moving("png", (320, 320)), 2, "png"),
        (moving("gif", durations=(2500, 2500)), 4, "gif"),
        (still("gif"), 1, "png"),
    ],
    ids=["png", "apng", "gif", "gif that stands still"],
)
async def test_files(world: World, file: bytes, format_type: int, extension: str) -> None:
    """They are served as they were sent, where they can be."""
    alice = await world.person()
    made = (await upload(alice, await world.guild(alice), file)).ok(201)
    assert made["format_type"] == format_type
    answer = await world.anybody.get(f"//stickers/{made['id']}.{extension}")
    assert answer.status == 200
    assert answer.content == file or file == still("gif")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (still("jpeg"), {"file": "IMAGE_INVALID"}),
        (moving("webp"), {"file": "IMAGE_INVALID"}),
        (json.dumps({"v": "5.5.7", "fr": 60, "w": 320, "h": 320, "layers": []}).encode(), {"file": "IMAGE_INVALID"}),
        (still()[:50], {"file": "IMAGE_INVALID"}),
        (moving("png")[:-30], {"file": "IMAGE_INVALID"}),
        (still(size=(321, 1)), {"file": "IMAGE_DIMENSIONS_INVALID"}),
        (still("gif", size=(1, 321)), {"file": "IMAGE_DIMENSIONS_INVALID"}),
        (noise(420, 420), {"file": "BINARY_TYPE_MAX_SIZE"}),
        (moving("png", durations=LONG), TOO_LONG),
        (moving("gif", durations=(2500, 2510)), TOO_LONG),
    ],
    ids=["jpeg", "webp", "lottie", "half", "half apng", "wide", "high", "large", "long apng", "long gif"],
)
async def test_bad_files(sqlite_server: Server, file: bytes, expected: dict[str, str] | tuple[int, int]) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        guild = await world.guild(alice)
        answer = await upload(alice, guild, file)
        assert (answer.errors if isinstance(expected, dict) else answer.error) == expected
        assert [blob async for blob in sqlite_server.core.blobs.walk()] == []
        assert (await alice.get(f"/guilds/{guild.id}/stickers")).ok(200) == []


BAD_LENGTH, REGEX = "BASE_TYPE_BAD_LENGTH", "STRING_TYPE_REGEX"


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": "x"}, {"name": BAD_LENGTH}),
        ({"name": "x" * 31}, {"name": BAD_LENGTH}),
        ({"tags": ""}, {"tags": BAD_LENGTH}),
        ({"tags": "x" * 201}, {"tags": BAD_LENGTH}),
        ({"description": "x"}, {"description": REGEX}),
        ({"description": "x" * 101}, {"description": "BASE_TYPE_MAX_LENGTH"}),
        (
            {"name": "a\0b", "description": "\0\0"},
            {"name": "STRING_TYPE_CONVERT", "description": "STRING_TYPE_CONVERT"},
        ),
    ],
)
async def test_bad_fields(sqlite_server: Server, fields: dict[str, str], errors: dict[str, str]) -> None:
    """When a sticker is made and when it is changed."""
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        guild = await world.guild(alice)
        assert (await upload(alice, guild, **fields)).errors == errors
        made = (await upload(alice, guild, description="")).ok(201)
        path = f"/guilds/{guild.id}/stickers/{made['id']}"
        assert (await alice.patch(path, fields)).errors == errors
        assert (await alice.get(path)).ok(200) == made


async def test_it_takes_a_form(sqlite_server: Server) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        guild = await world.guild(alice)
        path = f"/guilds/{guild.id}/stickers"
        as_json = await alice.post(path, {**FORM, "file": data_uri(still())})
        assert as_json.errors == {"": "CONTENT_TYPE_INVALID"}
        required = "BASE_TYPE_REQUIRED"
        assert (await alice.post(path)).errors == {"name": required, "tags": required, "file": required}
        assert (await alice.upload(path, {**FORM, "file": "text"}, {})).errors == {"file": required}


async def test_limit(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    made = [(await upload(alice, guild)).ok(201) for _ in range(5)]
    assert (await upload(alice, guild)).error == TOO_MANY
    (await alice.delete(f"/guilds/{guild.id}/stickers/{made[0]['id']}")).ok(204)
    (await upload(alice, guild)).ok(201)


# Parts of bodies, some of which come together to a sticker.
HEAD, END = b"--xYz\r\nContent-Disposition: form-data; ", b"--xYz--"
FILE = HEAD + b'name="file"; filename="f"\r\n\r\n'
PARTS = [
    *(HEAD + b'name="%b"\r\n\r\n%b\r\n' % (name, text) for name in (b"name", b"tags") for text in (b"wave", b"\xff\0")),
    HEAD + b'name="payload_json"\r\n\r\n{}\r\n',
    *(FILE + file + b"\r\n" for file in (still(), moving("png")[:-9], moving("gif"))),
]
PIECES = [*PARTS, END, HEAD, FILE, b"--xYz\r\n", b"\r\n", b"\x89PNG\r\n\x1a\n"]
ANYTHING = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=12)
WELL_FORMED = st.lists(st.sampled_from(PARTS), max_size=8).map(lambda parts: [*parts, END])
BODIES = (ANYTHING | WELL_FORMED).map(b"".join)


# Each example has a server of its own, hence the many bodies in one.
@settings(max_examples=20)
@given(st.lists(BODIES, min_size=40, max_size=60))
async def test_garbage_is_refused(bodies: list[bytes]) -> None:
    async with serve() as server, World(server.url) as world:
        alice = await world.person()
        path = f"/guilds/{(await world.guild(alice)).id}/stickers"
        headers = {"Content-Type": "multipart/form-data; boundary=xYz"}
        for body in bodies:
            answer = await alice.post(path, content=body, headers=headers)
            assert answer.status == 201 or answer.error in (BAD_FORM, TOO_MANY), body
