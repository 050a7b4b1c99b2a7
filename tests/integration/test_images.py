"""Images as clients set them and as libraries fetch them."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.model.errors import ApiError
from chatd.model.images import AVATARS, EMOJIS, ROLE_ICONS, STICKERS, name_of
from chatd.service import images, orphans
from chatd.service.core import Core
from chatd.service.pixels import Info
from chatd.store.blobs import whole
from tests.support.app import Server, serve
from tests.support.client import Answer, Client, Json, gateway
from tests.support.core import open_core
from tests.support.pictures import data_uri, look, moving, noise, still
from tests.support.s3 import s3_service
from tests.support.world import World

MIB = 1 << 20
STICKER = {"name": "st", "tags": "x", "description": ""}
EVENT = {
    "name": "picnic",
    "entity_type": 3,
    "privacy_level": 2,
    "entity_metadata": {"location": "park"},
    "scheduled_start_time": "2099-01-01T12:00:00+00:00",
    "scheduled_end_time": "2099-01-01T13:00:00+00:00",
}


async def cdn(client: Client, path: str, *, headers: dict[str, str] | None = None, **query: object) -> Answer:
    return await client.request("GET", f"//{path}", headers=headers, **query)


# --- setting and fetching --------------------------------------------------------------------------------------------


async def test_an_avatar_is_fetched_as_it_was_set(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    await world.guild(alice, bob)
    data = noise(300, 200)
    async with gateway(server.url, bob.token) as his:
        me = (await alice.patch("/users/@me", {"avatar": data_uri(data)})).ok(200)
        assert len(me["avatar"]) == 32
        assert (await his.next("GUILD_MEMBER_UPDATE"))["user"]["avatar"] == me["avatar"]
    assert (await bob.get(f"/users/{alice.id}")).ok()["avatar"] == me["avatar"]
    path = f"avatars/{alice.id}/{me['avatar']}"
    original = await cdn(world.anybody, f"{path}.png")
    assert (original.status, original.content) == (200, data)
    said = {
        "Content-Type": "image/png",
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Accept-Ranges": "bytes",
        "Content-Length": str(len(data)),
    }
    assert {name: original.headers[name] for name in said} == said
    assert (await cdn(world.anybody, f"{path}.png", size=1024)).content == data
    for extension, format_ in (("png", "png"), ("jpg", "jpeg"), ("jpeg", "jpeg"), ("webp", "webp")):
        answer = await cdn(world.anybody, f"{path}.{extension}", size=64)
        assert answer.headers["content-type"] == f"image/{format_}"
        assert (look(answer.content).format, look(answer.content).size) == (format_, (64, 43))
    # and away again
    assert (await alice.patch("/users/@me", {"global_name": "Al"})).ok()["avatar"] == me["avatar"]
    assert (await alice.patch("/users/@me", {"avatar": None})).ok()["avatar"] is None


async def test_an_animation_keeps_moving(world: World) -> None:
    alice = await world.person()
    data = moving()
    me = (await alice.patch("/users/@me", {"avatar": data_uri(data, "image/gif"), "banner": data_uri(data)})).ok()
    assert me["avatar"].startswith("a_")
    path = f"avatars/{alice.id}/{me['avatar']}"
    assert (await cdn(world.anybody, f"{path}.gif")).content == data
    assert (await cdn(world.anybody, f"banners/{alice.id}/{me['banner']}.gif")).content == data
    small = look((await cdn(world.anybody, f"{path}.gif", size=16)).content)
    assert (small.size, small.durations) == ((16, 8), (100, 50, 200))
    assert look((await cdn(world.anybody, f"{path}.webp", animated="true")).content).durations == (100, 50, 200)
    assert look((await cdn(world.anybody, f"{path}.webp")).content).durations == ()
    assert look((await cdn(world.anybody, f"{path}.png")).content).durations == ()


async def test_icons_of_guilds_and_applications(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    data = still()
    guild = (await alice.post("/guilds", {"name": "With icon", "icon": data_uri(data)})).ok(201)
    assert (await cdn(world.anybody, f"icons/{guild['id']}/{guild['icon']}.png")).content == data
    application = (await alice.post("/applications", {"name": "With icon"})).ok(201)["id"]
    # whoever may not set it does not get it stored either
    assert (await bob.patch(f"/applications/{application}", {"icon": data_uri(data)})).error == (403, 20012)
    icon = (await alice.patch(f"/applications/{application}", {"icon": data_uri(data)})).ok()["icon"]
    assert (await cdn(world.anybody, f"app-icons/{application}/{icon}.png")).content == data
    assert (await alice.patch(f"/applications/{application}", {"name": "Renamed"})).ok()["icon"] == icon
    assert (await alice.patch(f"/applications/{application}", {"icon": None})).ok()["icon"] is None


@pytest.mark.parametrize(
    ("avatar", "code"),
    [
        ("", "IMAGE_INVALID"),
        ("https://chat.test/i.png", "IMAGE_INVALID"),
        ("data:text/html;base64,PGI+", "IMAGE_INVALID"),
        ("data:image/png;base64,???", "IMAGE_INVALID"),
        ("data:image/png;base64,", "IMAGE_INVALID"),
        (data_uri(b"<script>alert(1)</script>"), "IMAGE_INVALID"),
        (data_uri(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"), "IMAGE_INVALID"),
        (data_uri(still()[:50]), "IMAGE_INVALID"),
        (data_uri(still() + bytes(4 * MIB)), "BINARY_TYPE_MAX_SIZE"),
        (7, "STRING_TYPE_CONVERT"),
    ],
    ids=["empty", "url", "html", "base64", "nothing", "script", "svg", "half", "large", "number"],
)
async def test_what_is_no_image_changes_nothing(sqlite_server: Server, avatar: Json, code: str) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        answer = await alice.patch("/users/@me", {"avatar": avatar, "global_name": "Al"})
        assert answer.errors == {"avatar": code}
        assert (await alice.get("/users/@me")).ok()["global_name"] is None
        assert [blob async for blob in sqlite_server.core.blobs.walk()] == []


async def test_large_bodies_only_where_images_are(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    large = {"content": "x" * 2 * MIB}
    assert (await alice.post(f"/channels/{guild.general}/messages", large)).error == (413, 40005)
    assert (await alice.patch("/users/@me", {**large, "global_name": "Al"})).ok()["global_name"] == "Al"
    assert (await alice.patch("/users/@me", {"avatar": "x" * 7 * MIB})).error == (413, 40005)


# --- what the CDN says -----------------------------------------------------------------------------------------------


@pytest.fixture
async def avatar(world: World) -> str:
    alice = await world.person()
    hash_ = (await alice.patch("/users/@me", {"avatar": data_uri(still())})).ok()["avatar"]
    return f"avatars/{alice.id}/{hash_}"


async def test_conditional_requests_and_ranges(world: World, avatar: str) -> None:
    whole_ = await cdn(world.anybody, f"{avatar}.png")
    tag = whole_.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        unchanged = await cdn(world.anybody, f"{avatar}.png", headers={"If-None-Match": known})
        assert (unchanged.status, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == tag
    assert (await cdn(world.anybody, f"{avatar}.png", size=16, headers={"If-None-Match": tag})).status == 200
    part = await cdn(world.anybody, f"{avatar}.png", headers={"Range": "bytes=2-5"})
    assert (part.status, part.content) == (206, whole_.content[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(whole_.content)}"
    assert part.headers["content-length"] == "4"
    stale = await cdn(world.anybody, f"{avatar}.png", headers={"Range": "bytes=2-5", "If-Range": '"old"'})
    assert (stale.status, stale.content) == (200, whole_.content)
    beyond = await cdn(world.anybody, f"{avatar}.png", headers={"Range": "bytes=99999-"})
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{len(whole_.content)}")
    head = await world.anybody.request("HEAD", f"//{avatar}.png")
    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole_.content))


@pytest.mark.parametrize(
    ("suffix", "status"),
    [
        (".png?size=16", 200),
        (".png?size=4096", 200),
        (".png?size=8", 400),
        (".png?size=100", 400),
        (".png?size=8192", 400),
        (".png?size=", 200),
        (".png?size=016", 400),
        (".gif", 415),
        (".svg", 415),
        ("", 404),
        (".", 415),
        ("0.png", 404),
    ],
)
async def test_sizes_and_formats(sqlite_server: Server, suffix: str, status: int) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        hash_ = (await alice.patch("/users/@me", {"avatar": data_uri(still())})).ok()["avatar"]
        answer = await cdn(world.anybody, f"avatars/{alice.id}/{hash_}{suffix}")
        assert answer.status == status
        if status != 200:
            assert answer.error == (status, 0)


@pytest.mark.parametrize(
    "path",
    [
        "avatars/1/0123456789abcdef0123456789abcdef.png",
        "avatars/../jwt.png",
        "avatars/%2e%2e/%2e%2e/jwt.key",
        "avatars/99999999999999999999/0123456789abcdef0123456789abcdef.png",
        "icons/1.png",
        "emojis/1.png",
        "emojis/.png",
        "stickers/1.gif",
        "guilds/1/users/2/avatars/0123456789abcdef0123456789abcdef.webp",
        "guilds/1/users/2/decorations/0123456789abcdef0123456789abcdef.webp",
        "embed/avatars/6.png",
        "embed/avatars/99999999999999999999999.png",
        "embed/avatars/0.gif",
    ],
)
async def test_what_is_not_there(sqlite_server: Server, path: str) -> None:
    async with Client(sqlite_server.url) as anybody:
        assert (await cdn(anybody, path)).error == (404, 0)
        assert (await anybody.post(f"//{path}")).error == (404, 0)


async def test_default_avatars(world: World) -> None:
    for index in range(6):
        answer = await cdn(world.anybody, f"embed/avatars/{index}.png", size=16)
        assert (answer.status, look(answer.content).size) == (200, (256, 256))
    again = await cdn(world.anybody, "embed/avatars/5.png", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status == 304


async def test_a_cache_that_somebody_empties_fills_again(sqlite_server: Server) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        hash_ = (await alice.patch("/users/@me", {"avatar": data_uri(still())})).ok()["avatar"]
        path = f"avatars/{alice.id}/{hash_}.png"
        assert (await cdn(world.anybody, path)).content == still()
        shutil.rmtree(sqlite_server.directory / "media-cache/avatars")
        assert (await cdn(world.anybody, path)).status == 404
        assert (await cdn(world.anybody, path)).content == still()


# --- in a bucket -----------------------------------------------------------------------------------------------------


async def test_images_in_a_bucket() -> None:
    with s3_service() as service:
        options = {f"media.{key}": value for key, value in service.options().items()}
        async with serve(**options) as server, World(server.url) as world:
            alice = await world.person()
            data = noise(64, 64)
            hash_ = (await alice.patch("/users/@me", {"avatar": data_uri(data)})).ok()["avatar"]
            name = f"avatars/{alice.id}/{hash_}"
            assert service.objects == {name: data}
            assert (await cdn(world.anybody, f"{name}.png")).content == data
            assert look((await cdn(world.anybody, f"{name}.webp", size=32)).content).size == (32, 32)
            service.shutdown()
            service.server_close()
            # what was made before is here, the rest says so
            assert (await cdn(world.anybody, f"{name}.png")).content == data
            assert (await cdn(world.anybody, f"{name}.jpg")).error == (503, 0)
            assert (await alice.patch("/users/@me", {"avatar": data_uri(data)})).error == (503, 130000)


async def test_nobody_waits_for_whoever_waits_for_the_bucket() -> None:
    """A lock of the guild's that is held meanwhile would keep everybody from changing anything there."""
    picture = data_uri(noise(128, 128))
    with s3_service() as service:
        options = {f"media.{key}": value for key, value in service.options().items()}
        async with serve(**options) as server, World(server.url) as world:
            alice = await world.person()
            guild = await world.guild(alice)
            path = f"/guilds/{guild.id}"
            webhook = (await alice.post(f"/channels/{guild.general}/webhooks", {"name": "w"})).ok(200)
            role = (await alice.post(f"{path}/roles", {"name": "r"})).ok(200)
            event = (await alice.post(f"{path}/scheduled-events", EVENT)).ok(200)

            requests: dict[str, Callable[[], Awaitable[Answer]]] = {
                "guild": lambda: alice.patch(path, {"icon": picture}),
                "member": lambda: alice.patch(f"{path}/members/@me", {"avatar": picture}),
                "new role": lambda: alice.post(f"{path}/roles", {"icon": picture}),
                "role": lambda: alice.patch(f"{path}/roles/{role['id']}", {"icon": picture}),
                "emoji": lambda: alice.post(f"{path}/emojis", {"name": "em", "image": picture}),
                "sticker": lambda: alice.upload(f"{path}/stickers", STICKER, {"file": still()}),
                "new event": lambda: alice.post(f"{path}/scheduled-events", {**EVENT, "image": picture}),
                "event": lambda: alice.patch(f"{path}/scheduled-events/{event['id']}", {"image": picture}),
                "new webhook": lambda: alice.post(
                    f"/channels/{guild.general}/webhooks", {"name": "w", "avatar": picture}
                ),
                "webhook": lambda: alice.patch(f"/webhooks/{webhook['id']}", {"avatar": picture}),
            }
            statuses: dict[str, int] = {}

            async def ask(name: str) -> None:
                statuses[name] = (await requests[name]()).status

            for name in requests:
                service.hang()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(ask, name)
                    assert await trio.to_thread.run_sync(service.wait), name
                    with trio.fail_after(5):
                        (await alice.patch(f"/channels/{guild.general}", {"topic": name})).ok(200)
                    assert name not in statuses
                    service.go_on()
            assert set(statuses.values()) <= {200, 201}, statuses


# --- below the wire --------------------------------------------------------------------------------------------------


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(tmp_path) as core:
        yield core


async def test_kinds_have_their_own_limits(core: Core) -> None:
    large = noise(300, 300)  # some 270 kB
    assert await images.store(core, AVATARS, 1, data_uri(large), "avatar")
    for kind in (ROLE_ICONS, EMOJIS):
        with pytest.raises(ApiError) as refused:
            await images.store(core, kind, 1, data_uri(large), "image")
        assert refused.value.errors == {
            "image": {"_errors": [{"code": "BINARY_TYPE_MAX_SIZE", "message": "File cannot be larger than 256.0 kb."}]}
        }
    # the path of an emoji has no hash, but whoever stores it learns whether it moves
    assert (await images.store(core, EMOJIS, 5, data_uri(moving()), "image")).startswith("a_")
    told = await images.store_file(core, STICKERS, 6, moving("png"), "file", lambda info: info)
    assert told == Info("png", 40, 20, True, 350)
    assert not (await images.store(core, ROLE_ICONS, 7, data_uri(moving()), "icon")).startswith("a_")
    assert await core.blobs.stat("emojis/5") is not None
    assert await core.blobs.stat("stickers/6") is not None


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(), st.binary().map(data_uri), st.text().map("data:image/png;base64,".__add__)))
async def test_garbage_is_refused(core: Core, text: str) -> None:
    with pytest.raises(ApiError) as refused:
        await images.store(core, AVATARS, 1, text, "avatar")
    assert refused.value.errors == {"avatar": {"_errors": [{"code": "IMAGE_INVALID", "message": "Invalid image"}]}}


async def test_orphans_are_collected(world: World, server: Server) -> None:
    core = server.core
    alice = await world.person()
    first = (await alice.patch("/users/@me", {"avatar": data_uri(still()), "banner": data_uri(still())})).ok()
    second = (await alice.patch("/users/@me", {"avatar": data_uri(still())})).ok()
    guild = (await alice.post("/guilds", {"name": "With icon", "icon": data_uri(still())})).ok(201)
    emoji = (await alice.post(f"/guilds/{guild['id']}/emojis", {"name": "kept", "image": data_uri(still())})).ok(201)
    channel = (await alice.post(f"/guilds/{guild['id']}/channels", {"name": "news"})).ok(201)
    hooks = f"/channels/{channel['id']}/webhooks"
    webhook = (await alice.post(hooks, {"name": "kept", "avatar": data_uri(still())})).ok(200)
    changed = (await alice.patch(f"/webhooks/{webhook['id']}", {"avatar": data_uri(still())})).ok(200)
    (await alice.delete(f"/webhooks/{webhook['id']}")).ok(204)
    old = name_of(AVATARS, (int(alice.id),), first["avatar"])
    await cdn(world.anybody, f"{old}.png", size=16)
    kept = {
        name_of(AVATARS, (int(alice.id),), second["avatar"]),
        f"banners/{alice.id}/{second['banner']}",
        f"icons/{guild['id']}/{guild['icon']}",
        f"emojis/{emoji['id']}",
        *(f"avatars/{webhook['id']}/{hash_}" for hash_ in (webhook["avatar"], changed["avatar"])),
        "others/1/2",  # of a kind that no table names
    }
    unnamed = {
        old,
        "attachments/1/2",
        "emojis/1",
        "stickers/1",
        "icons/12/0123456789abcdef0123456789abcdef",
        "guilds/1/users/2/avatars/" + "0" * 32,
    }
    for name in kept | unnamed:
        if await core.blobs.stat(name) is None:
            await core.blobs.put(name, whole(still()))
    age_files(server, seconds=3600)
    assert await orphans.collect(core) == 0
    age_files(server, seconds=86_400)
    assert await orphans.collect(core) == 6
    assert {blob.name async for blob in core.blobs.walk()} == kept
    assert (await cdn(world.anybody, f"{old}.png", size=16)).status == 404  # not from the cache either
    assert first["banner"] == second["banner"]


def age_files(server: Server, seconds: int) -> None:
    """As old as that by the server's clock."""
    modified_s = server.clock.ms // 1000 - seconds
    for path in (server.directory / "media").rglob("*"):
        if path.is_file():
            os.utime(path, (modified_s, modified_s))
