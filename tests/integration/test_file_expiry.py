"""Files of messages that are as old as the operator wants them to become."""

import json
from typing import Any

import pytest

from chatd.service import expired_files, orphans, retention
from chatd.service.render import extra_of
from chatd.store import messages
from chatd.store.messages import Draft
from tests.integration.test_attachments import fetch
from tests.integration.test_retention import DAY_S, all_told, command, contents, later, pin, settle
from tests.support.app import Server
from tests.support.client import Json, gateway, resumed
from tests.support.world import User, World

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)

FILE = {"files[0]": ("notes.txt", b"notes")}
V2 = 1 << 15


async def keep(server: Server, **rule: Any) -> None:
    await command(server, "retention set", **{"files_s": DAY_S, **rule})


async def post(user: User, channel_id: str, files: Any = FILE, **payload: Any) -> Json:
    form = {"payload_json": json.dumps(payload)}
    return (await user.upload(f"/channels/{channel_id}/messages", form, files)).ok(200)


async def expire(server: Server) -> None:
    await retention.keep_files(server.core)


async def history(user: User, channel_id: str) -> list[Json]:
    """Oldest first."""
    found: list[Json] = (await user.get(f"/channels/{channel_id}/messages", limit=100)).ok()
    return found[::-1]


async def test_a_message_loses_its_files_and_stays(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    await alice.say(guild.general, "plain")
    old = await post(alice, guild.general, {**FILE, "files[1]": b"more"}, content="old")
    alice = await later(server, world, alice)
    young = await post(alice, guild.general, content="young")
    async with gateway(server.url, alice.token) as ear:
        await expire(server)
        assert len((await history(alice, guild.general))[1]["attachments"]) == 2  # as old as the rule says, not older
        server.clock.advance(0.001)
        await expire(server)
        told = await ear.next("MESSAGE_UPDATE")
        assert (told["id"], told["content"], told["attachments"]) == (old["id"], "old", [])
        assert (told["edited_timestamp"], told["guild_id"]) == (None, guild.id)
        await expire(server)
        await all_told(server, ear)
        assert len(ear.named("MESSAGE_UPDATE")) == 1
    _, left, other = await history(alice, guild.general)
    assert left == {**old, "attachments": []}
    assert [file["filename"] for file in other["attachments"]] == ["notes.txt"]
    links = [message["attachments"][0]["url"] for message in (old, young)]
    fresh = (await alice.post("/attachments/refresh-urls", {"attachment_urls": links})).ok(200)["refreshed_urls"]
    assert [link["refreshed"] for link in fresh] == [None, links[1]]
    assert (await fetch(world.anybody, links[1])).content == b"notes"
    assert await orphans.collect(server.core) == 2


async def test_what_is_nothing_without_its_files_is_deleted(server: Server, world: World) -> None:
    alice, bob, guild = await settle(world)
    direct = await alice.dm(bob)
    await keep(server)
    alone = [await post(alice, channel_id) for channel_id in (guild.general, direct)]
    bob = await later(server, world, bob, 2 * DAY_S)
    async with gateway(server.url, bob.token) as ear:
        await expire(server)
        told = await ear.next("MESSAGE_DELETE_BULK")
        assert told == {"ids": [alone[0]["id"]], "channel_id": guild.general, "guild_id": guild.id}
        assert await ear.next("MESSAGE_DELETE") == {"id": alone[1]["id"], "channel_id": direct}
        await all_told(server, ear)
        assert ear.named("MESSAGE_UPDATE") == []
    assert [await history(bob, channel_id) for channel_id in (guild.general, direct)] == [[], []]


async def test_many_go_in_batches(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    # Of the first ones that are due, all stay; of the next, some are deleted.
    said = [*"x" * expired_files.BATCH, *["", "x"] * expired_files.BATCH]
    core = server.core
    first = await post(alice, guild.general, content="first")
    [row] = await core.db.read(messages.by_ids, [int(first["id"])])
    files = extra_of(row.extra).attachments
    drafts = [
        Draft(core.ids.next, row.channel_id, row.author_id, 0, 0, content, None, row.extra, files) for content in said
    ]
    await core.db.write(messages.append, drafts)
    alice = await later(server, world, alice, 2 * DAY_S)
    due = (await command(server, "retention due"))["channels"]
    assert [(it["messages"], it["files"], it["oldest"]) for it in due] == [(0, len(said) + 1, first["timestamp"])]
    assert await orphans.collect(core) == 0
    assert await command(server, "retention run") == {"messages": 0, "files": len(said) + 1}
    assert await command(server, "retention run") == {"messages": 0, "files": 0}
    assert (await command(server, "retention due"))["channels"] == []
    assert await contents(alice, guild.general) == ["first", *(content for content in said if content)]
    assert await orphans.collect(core) == 1


async def test_which_rule_holds(server: Server, world: World) -> None:
    alice, bob, guild = await settle(world)
    kept, thread_of = [await world.channel(alice, guild, name) for name in ("kept", "threads")]
    thread = (await alice.post(f"/channels/{thread_of}/threads", {"name": "thread", "type": 11})).ok(201)["id"]
    direct = await alice.dm(bob)
    await keep(server)
    await keep(server, channel=kept, files_s=None)
    await keep(server, channel=thread_of, files_s=3 * DAY_S)
    places = (guild.general, kept, thread, direct)
    for channel_id in places:
        await post(alice, channel_id, content="old")

    async def left() -> list[bool]:
        return [bool((await history(alice, channel_id))[-1]["attachments"]) for channel_id in places]

    alice = await later(server, world, alice, 2 * DAY_S)
    await expire(server)
    assert await left() == [False, True, True, False]
    alice = await later(server, world, alice, 2 * DAY_S)
    await expire(server)
    assert await left() == [False, True, False, False]


async def test_pinned_messages_keep_their_files_unless_the_rule_says_otherwise(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    await pin(alice, await post(alice, guild.general))
    alice = await later(server, world, alice, 2 * DAY_S)
    assert (await command(server, "retention due"))["channels"] == []
    await expire(server)
    assert (await history(alice, guild.general))[0]["attachments"] != []
    await keep(server, keep_pinned=False)
    assert (await command(server, "retention due"))["channels"][0]["files"] == 1
    await expire(server)
    assert [message["type"] for message in await history(alice, guild.general)] == [6]  # the notice


async def test_files_of_messages_that_go_are_not_counted(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server, files_s=DAY_S, messages_s=3 * DAY_S)
    await post(alice, guild.general, content="oldest")
    alice = await later(server, world, alice, 2 * DAY_S)
    await post(alice, guild.general, content="old")
    alice = await later(server, world, alice, 2 * DAY_S)
    [due] = (await command(server, "retention due"))["channels"]
    assert (due["messages"], due["files"]) == (1, 1)
    assert await command(server, "retention run") == {"messages": 1, "files": 0}
    assert await command(server, "retention run") == {"messages": 0, "files": 1}
    assert await contents(alice, guild.general) == ["old"]


async def test_a_forward_keeps_its_files_for_as_long_as_itself(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    first = await post(alice, guild.general, content="see")
    silent = await post(alice, guild.general)
    alice = await later(server, world, alice, DAY_S / 2)

    async def forward(message: Json) -> Json:
        reference = {"type": 1, "channel_id": guild.general, "message_id": message["id"]}
        return (await alice.post(f"/channels/{guild.general}/messages", {"message_reference": reference})).ok(200)

    second, _ = await forward(first), await forward(silent)
    alice = await later(server, world, alice, DAY_S / 2 + 1)
    await expire(server)
    left = await history(alice, guild.general)
    assert [bool(it["message_snapshots"][0]["message"]["attachments"]) for it in left[1:]] == [True, True]
    assert await orphans.collect(server.core) == 0
    alice = await later(server, world, alice)
    await expire(server)
    seen, forwarded = await history(alice, guild.general)
    [snapshot] = second["message_snapshots"]
    assert seen["id"] == first["id"]
    assert forwarded == {**second, "message_snapshots": [{"message": {**snapshot["message"], "attachments": []}}]}
    assert await orphans.collect(server.core) == 2


@sqlite_only
async def test_embeds_and_components_show_them_no_more(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    bot = await world.bot(alice, guild, permissions=1 << 3)
    await keep(server)
    icon, here, elsewhere = "attachment://notes.txt", {"url": "attachment://notes.txt"}, {"url": "https://a.test/i.png"}
    embeds: list[Json] = [
        {"title": "t", "image": here, "author": {"name": "a", "icon_url": icon}},
        {"image": here, "color": 1},
        {"image": elsewhere, "thumbnail": here, "footer": {"text": "f", "icon_url": "attachment://other.txt"}},
        {"color": 2},
    ]
    await post(bot, guild.general, embeds=embeds)
    await post(bot, guild.general, embeds=[{"image": here}])
    text = {"type": 10, "content": "words"}
    tree: list[Json] = [
        {"type": 9, "components": [text], "accessory": {"type": 11, "media": here}},
        {"type": 9, "components": [text], "accessory": {"type": 11, "media": elsewhere}},
        {"type": 17, "components": [text, {"type": 12, "items": [{"media": here}, {"media": elsewhere}]}]},
        {"type": 17, "components": [{"type": 12, "items": [{"media": here}]}]},
        {"type": 13, "file": here},
    ]
    message = await post(bot, guild.general, components=tree, flags=V2)
    await post(bot, guild.general, components=tree[3:], flags=V2)
    # A bot sends back what it was shown; a file it has to call by its name.
    path = f"/channels/{guild.general}/messages/{message['id']}"
    (await bot.patch(path, {"components": [*message["components"][:4], tree[4]]})).ok(200)
    server.clock.advance(2 * DAY_S)
    await expire(server)
    first, second = await history(bot, guild.general)
    assert first["embeds"] == [
        {"type": "rich", "title": "t", "author": {"name": "a"}},
        {"type": "rich", "image": elsewhere, "footer": embeds[2]["footer"]},
        {"type": "rich", "color": 2},
    ]
    words, section, container = second["components"]
    assert (words["type"], section["accessory"]["media"]["url"]) == (10, elsewhere["url"])
    assert [inner["type"] for inner in container["components"]] == [10, 12]
    assert [item["media"]["url"] for item in container["components"][1]["items"]] == [elsewhere["url"]]
    assert "attachments/" not in json.dumps([first, second])
    # What is left may be sent back too.
    (await bot.patch(path, {"components": second["components"]})).ok(200)


@sqlite_only
async def test_a_poll_stays(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    poll = {"question": {"text": "?"}, "answers": [{"poll_media": {"text": "yes"}}]}
    asked = await post(alice, guild.general, poll=poll)
    alice = await later(server, world, alice, 2 * DAY_S)
    await expire(server)
    left = (await history(alice, guild.general))[0]
    assert (left["id"], left["attachments"], left["poll"]["question"]) == (asked["id"], [], {"text": "?"})


async def test_a_session_resumes_across_it(server: Server, world: World) -> None:
    alice, bob, guild = await settle(world)
    direct = await alice.dm(bob)
    await keep(server, files_s=60)
    async with gateway(server.url, bob.token) as ear:
        await all_told(server, ear)
        ear.cut()
        for channel_id in (guild.general, direct):
            await post(alice, channel_id, content="x")
        server.clock.advance(61)
        await expire(server)
    async with resumed(ear) as again:
        told = [(name, data["channel_id"]) for name, data in again.events if name.startswith("MESSAGE")]
    assert sorted(told) == sorted(
        (name, channel_id) for name in ("MESSAGE_CREATE", "MESSAGE_UPDATE") for channel_id in (guild.general, direct)
    )
