"""Messages over the wire: paging, replies, mentions, embeds, nonces, edits, slowmode, direct channels."""

import pytest
import trio

from chatd.store import messages as store
from chatd.store.messages import Draft
from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.world import Guild, User, World

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)

UNKNOWN_MESSAGE = (404, 10008)
NOT_YOURS = (403, 50005)
NO_PERMISSION = (403, 50013)
NO_ACCESS = (403, 50001)


async def test_a_new_message(server: Server, world: World) -> None:
    alice = await world.person("alice")
    guild = await world.guild(alice)
    message = await alice.say(guild.general, "hello", nonce="n1", flags=1 << 12 | 1 << 6)
    assert message["author"].items() >= {"id": alice.id, "username": "alice", "discriminator": "0"}.items()
    created_ms = (int(message["id"]) >> 22) + 1420070400000
    assert created_ms == server.clock.ms
    assert message == {
        "id": message["id"],
        "channel_id": guild.general,
        "author": message["author"],
        "content": "hello",
        "timestamp": "2027-01-15T08:00:00.000000+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "pinned": False,
        "type": 0,
        "flags": 1 << 12,  # the one of the two that a sender may set
        "nonce": "n1",
    }
    assert (await alice.get(f"/channels/{guild.general}/messages/{message['id']}")).ok() == message
    channel = (await alice.get(f"/channels/{guild.general}")).ok()
    assert channel["last_message_id"] == message["id"]


async def test_pages(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}/messages"
    assert (await alice.get(path)).ok() == []
    ids = [(await alice.say(guild.general, str(number)))["id"] for number in range(7)]
    assert ids == sorted(ids, key=int)

    async def page(**query: object) -> list[int]:
        return [int(message["content"]) for message in (await alice.get(path, **query)).ok()]

    beyond = str(int(ids[-1]) + 1)
    for query, expected in (
        ({}, [6, 5, 4, 3, 2, 1, 0]),
        ({"limit": 2}, [6, 5]),
        ({"limit": 100}, [6, 5, 4, 3, 2, 1, 0]),
        ({"before": ids[3]}, [2, 1, 0]),
        ({"before": ids[3], "limit": 2}, [2, 1]),
        ({"before": ids[0]}, []),
        ({"before": 2**63 - 1, "limit": 1}, [6]),
        ({"before": 0}, []),
        ({"after": ids[3]}, [6, 5, 4]),
        ({"after": ids[3], "limit": 2}, [5, 4]),
        ({"after": 0, "limit": 2}, [1, 0]),
        ({"after": ids[6]}, []),
        ({"around": ids[3], "limit": 3}, [4, 3, 2]),
        ({"around": ids[3], "limit": 1}, [3]),
        ({"around": ids[0], "limit": 3}, [1, 0]),
        ({"around": ids[6], "limit": 3}, [6, 5]),
        ({"around": beyond, "limit": 4}, [6, 5, 4]),
        ({"around": 2**63 - 1, "limit": 2}, [6, 5]),
        ({"around": ids[3]}, [6, 5, 4, 3, 2, 1, 0]),
    ):
        assert await page(**query) == expected, query


@sqlite_only
async def test_default_page_is_fifty(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    for number in range(51):
        await alice.say(guild.general, str(number))
    answer = await alice.get(f"/channels/{guild.general}/messages")
    assert [message["content"] for message in answer.ok()] == [str(number) for number in range(50, 0, -1)]


async def test_replies(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    first = await alice.say(guild.general, "question")
    reply = await bob.say(guild.general, "answer", message_reference={"message_id": first["id"]})
    assert (reply["type"], reply["referenced_message"]) == (19, first)
    assert reply["message_reference"] == {
        "type": 0,
        "channel_id": guild.general,
        "message_id": first["id"],
        "guild_id": guild.id,
    }
    assert [user["id"] for user in reply["mentions"]] == [alice.id]
    quiet = await bob.say(
        guild.general, "x", message_reference={"message_id": first["id"]}, allowed_mentions={"replied_user": False}
    )
    assert quiet["mentions"] == []
    # gone, and that is fine with the sender
    gone = await bob.say(guild.general, "x", message_reference={"message_id": "1", "fail_if_not_exists": False})
    assert (gone["type"], "referenced_message" in gone) == (0, False)
    # gone since
    (await alice.delete(f"/channels/{guild.general}/messages/{first['id']}")).ok(204)
    later = (await bob.get(f"/channels/{guild.general}/messages/{reply['id']}")).ok()
    assert (later["type"], later["referenced_message"]) == (19, None)


async def test_replying_needs_history(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    first = await alice.say(guild.general)
    await _overwrite(alice, guild, deny=1 << 16)
    answer = await bob.post(
        f"/channels/{guild.general}/messages", {"content": "x", "message_reference": {"message_id": first["id"]}}
    )
    assert answer.error == (403, 160002)
    assert (await bob.get(f"/channels/{guild.general}/messages")).ok() == []
    assert (await bob.get(f"/channels/{guild.general}/messages/{first['id']}")).error == NO_PERMISSION


async def test_mentions(world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    stranger = await world.person()
    roles = [{"id": 0}, {"id": 1, "name": "open", "mentionable": True}, {"id": 2, "name": "closed"}]
    guild = await world.guild(alice, bob, carol, roles=roles)
    everyone, open_, closed = (role["id"] for role in (await alice.get(f"/guilds/{guild.id}/roles")).ok())
    text = f"<@{bob.id}> <@!{carol.id}> <@{bob.id}> <@{stranger.id}> <@&{open_}> <@&{closed}> <@&{everyone}> @everyone"

    async def named(user: User, content: str = text, **fields: Json) -> tuple[list[str], list[str], bool]:
        message = await user.say(guild.general, content, **fields)
        return [user["id"] for user in message["mentions"]], message["mention_roles"], message["mention_everyone"]

    assert await named(alice) == ([bob.id, carol.id, stranger.id], [open_, closed, everyone], True)
    for rule, expected in (
        ({}, ([], [], False)),
        ({"parse": []}, ([], [], False)),
        ({"parse": ["users"]}, ([bob.id, carol.id, stranger.id], [], False)),
        ({"parse": ["roles"]}, ([], [open_, closed, everyone], False)),
        ({"parse": ["everyone"]}, ([], [], True)),
        ({"users": [carol.id, alice.id], "roles": [closed]}, ([carol.id], [closed], False)),
    ):
        assert await named(alice, allowed_mentions=rule) == expected, rule
    await _overwrite(alice, guild, deny=1 << 17)
    assert await named(bob) == ([bob.id, carol.id, stranger.id], [open_], False)
    # ids that nobody has, or nobody could have
    nobody = "<@123456789012345678> <@99999999999999999999> <@&99999999999999999999>"
    assert await named(alice, nobody) == ([], [], False)
    assert await named(alice, "<@> <@x> <@1> @here") == ([], [], True)


async def test_embeds(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    embeds = [
        {"title": "t" * 256, "timestamp": "2026-01-02T03:04:05+02:00", "url": None, "type": "video", "unknown": 1},
        {"fields": [{"name": "n", "value": "v"}] * 25},
        {"description": "d" * 4096},
    ]
    message = await alice.say(guild.general, "", embeds=embeds)
    assert message["embeds"] == [
        {"type": "rich", "title": "t" * 256, "timestamp": "2026-01-02T01:04:05.000000+00:00"},
        {"type": "rich", "fields": [{"name": "n", "value": "v", "inline": False}] * 25},
        {"type": "rich", "description": "d" * 4096},
    ]
    assert (await alice.get(f"/channels/{guild.general}/messages/{message['id']}")).ok() == message
    assert (await alice.say(guild.general, "", embed={"title": "old form"}))["embeds"][0]["title"] == "old form"
    # 6,000 characters over all, exactly
    await alice.say(guild.general, "", embeds=[{"description": "d" * 3000}] * 2)
    await _overwrite(alice, guild, deny=1 << 14)
    answer = await bob.post(f"/channels/{guild.general}/messages", {"embeds": [{"title": "x"}]})
    assert answer.error == NO_PERMISSION


async def test_forms_hold_json(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"/channels/{guild.general}/messages"
    form = b'--b\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n{"content": "one"}\r\n--b--\r\n'
    for content, kind in (
        (form, 'multipart/form-data; boundary="b"'),
        (b"payload_json=%7B%22content%22%3A%22one%22%7D", "application/x-www-form-urlencoded"),
        (b"content=one", "application/x-www-form-urlencoded"),
        (b'{"content": "one"}', "Application/JSON; charset=utf-8"),
    ):
        answer = await alice.post(path, content=content, headers={"Content-Type": kind})
        assert answer.ok(200)["content"] == "one", kind


@pytest.mark.parametrize("text", ["\u0001", "👩‍👩‍👧‍👦" * 100, "𝕏" * 2000, "\u202e\ufeff\ufffd", "a\r\nb\tc"])
@sqlite_only
async def test_content_comes_back_as_it_was(world: World, text: str) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    message = await alice.say(guild.general, text)
    assert message["content"] == text
    assert (await alice.get(f"/channels/{guild.general}/messages/{message['id']}")).ok()["content"] == text


async def test_nonce_posts_once(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    said: list[Json] = []

    async def say() -> None:
        said.append(await alice.say(guild.general, "once", nonce="n", enforce_nonce=True))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(say)
    assert said == [said[0]] * 5
    others = [
        await bob.say(guild.general, "x", nonce="n", enforce_nonce=True),
        await alice.say(guild.general, "x", nonce="n"),  # not enforced
        await alice.say(guild.general, "x", nonce=7, enforce_nonce=True),
    ]
    assert (await alice.say(guild.general, "again", nonce="7", enforce_nonce=True)) == others[-1]
    server.clock.advance(301)
    others.append(await alice.say(guild.general, "x", nonce="n", enforce_nonce=True))
    assert len({message["id"] for message in (*others, said[0])}) == 5
    assert len((await alice.get(f"/channels/{guild.general}/messages")).ok()) == 5


async def test_edits(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    message = await bob.say(guild.general, "first", embeds=[{"title": "t"}], nonce="n")
    path = f"/channels/{guild.general}/messages/{message['id']}"
    server.clock.advance(1)
    edited = (await bob.patch(path, {"content": f"<@{alice.id}>"})).ok(200)
    assert [user["id"] for user in edited.pop("mentions")] == [alice.id]
    expected = {**message, "content": f"<@{alice.id}>", "edited_timestamp": "2027-01-15T08:00:01.000000+00:00"}
    del expected["mentions"]
    assert edited == expected
    assert (await bob.patch(path, {})).ok()["content"] == f"<@{alice.id}>"
    assert (await bob.patch(path, {"content": None})).ok()["content"] == ""
    assert (await bob.patch(path, {"embeds": []})).error == (400, 50006)
    assert (await bob.patch(path, {"content": "x", "embeds": []})).ok()["embeds"] == []
    # others: only the flag, and only with MANAGE_MESSAGES
    assert (await alice.patch(path, {"content": "mine"})).error == NOT_YOURS
    assert (await alice.patch(path, {"flags": 4})).ok()["flags"] == 4
    assert (await bob.patch(path, {"flags": 0})).ok()["flags"] == 0
    assert (await bob.patch(f"/channels/{guild.general}/messages/1", {"content": "x"})).error == UNKNOWN_MESSAGE


@sqlite_only
async def test_flags(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    suppress_embeds, silent, voice = 1 << 2, 1 << 12, 1 << 13
    everything_else = ~(suppress_embeds | silent | voice) & (1 << 40) - 1
    message = await alice.say(guild.general, "hello", flags=everything_else | silent)
    assert message["flags"] == silent
    path = f"/channels/{guild.general}/messages"
    edited = (await alice.patch(f"{path}/{message['id']}", {"flags": everything_else | suppress_embeds})).ok(200)
    assert edited["flags"] == silent | suppress_embeds
    refused = await alice.post(path, {"content": "hello", "flags": voice})
    assert refused.error == (400, 50159)


# resources/message, "Message Types": what nobody deletes, and the rest.
UNDELETABLE = {1, 2, 3, 4, 5, 21}
TYPES = {*range(30), 31, 32, 36, 37, 38, 39, 44, 46} - {13}


async def test_messages_of_every_type(server: Server, world: World) -> None:
    """Most of them this server does not write: their rows come from elsewhere."""
    alice = await world.person()
    guild = await world.guild(alice)
    core = server.core
    for kind in sorted(TYPES):
        draft = Draft(core.ids.next, int(guild.general), int(alice.id), kind, 0, "", None, "{}")
        await core.db.append(store.append, draft, then=lambda id_: id_)
    found = (await alice.get(f"/channels/{guild.general}/messages", limit=100)).ok(200)
    assert {message["type"] for message in found} == TYPES
    for message in found:
        path = f"/channels/{guild.general}/messages/{message['id']}"
        answer = await alice.delete(path)
        if message["type"] in UNDELETABLE:
            assert answer.error == (403, 50021)
        else:
            assert answer.status == 204, message["type"]
        if message["type"] in {8, 9, 10, 11}:  # a boost and the levels that it reaches
            assert (message["content"], message["author"]["id"]) == ("", alice.id)


async def test_deletes(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    hers, his = await alice.say(guild.general), await bob.say(guild.general)
    path = f"/channels/{guild.general}/messages"
    assert (await bob.delete(f"{path}/{hers['id']}")).error == NO_PERMISSION
    for message in (hers, his):
        (await alice.delete(f"{path}/{message['id']}")).ok(204)
        assert (await alice.delete(f"{path}/{message['id']}")).error == UNKNOWN_MESSAGE
        assert (await alice.get(f"{path}/{message['id']}")).error == UNKNOWN_MESSAGE
    # a message is where it is
    other = await world.channel(alice, guild)
    message = await alice.say(guild.general)
    for method in ("GET", "DELETE"):
        answer = await alice.request(method, f"/channels/{other}/messages/{message['id']}")
        assert answer.error == UNKNOWN_MESSAGE


async def test_slowmode(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    (await alice.patch(f"/channels/{guild.general}", {"rate_limit_per_user": 30})).ok()
    await bob.say(guild.general)
    server.clock.advance(10.5)
    answer = await bob.post(f"/channels/{guild.general}/messages", {"content": "too soon"})
    assert answer.error == (429, 20016)
    assert answer.json == {
        "message": "This action cannot be performed due to slowmode rate limit",
        "code": 20016,
        "retry_after": 19.5,
        "global": False,
    }
    assert answer.headers["Retry-After"] == "20"
    for _ in range(2):
        await alice.say(guild.general)  # may manage the channel
    server.clock.advance(19.5)
    await bob.say(guild.general)


async def test_a_refused_message_does_not_count_for_slowmode(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    (await alice.patch(f"/channels/{guild.general}", {"rate_limit_per_user": 30})).ok()
    assert (await bob.post(f"/channels/{guild.general}/messages", {"content": ""})).error == (400, 50006)
    await bob.say(guild.general)


async def test_typing(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    async with gateway(server.url, alice.token) as ear:
        (await bob.post(f"/channels/{guild.general}/typing")).ok(204)
        event = await ear.next("TYPING_START")
    assert event["member"]["user"]["id"] == bob.id
    del event["member"]
    assert event == {
        "channel_id": guild.general,
        "guild_id": guild.id,
        "user_id": bob.id,
        "timestamp": server.clock.ms // 1000,
    }
    await _overwrite(alice, guild, deny=1 << 11)
    assert (await bob.post(f"/channels/{guild.general}/typing")).error == NO_PERMISSION
    assert (await bob.post(f"/channels/{guild.general}/messages", {"content": "x"})).error == NO_PERMISSION


async def test_a_direct_channel_is_for_two(server: Server, world: World) -> None:
    alice, bob, eve = await world.person(), await world.person(), await world.person()
    async with gateway(server.url, bob.token) as ear:
        channel_id = await alice.dm(bob)
        assert (await ear.next("CHANNEL_CREATE"))["recipients"][0]["id"] == alice.id
        message = await alice.say(channel_id, f"<@{bob.id}> hi @everyone <@&{channel_id}>")
        event = await ear.next("MESSAGE_CREATE")
        assert (event["id"], event["channel_type"], "guild_id" in event) == (message["id"], 1, False)
        (await alice.post(f"/channels/{channel_id}/typing")).ok(204)
        assert "guild_id" not in await ear.next("TYPING_START")
    assert (message["mention_everyone"], message["mention_roles"]) == (False, [])
    assert await bob.dm(alice) == channel_id
    assert [channel["id"] for channel in (await bob.get("/users/@me/channels")).ok()] == [channel_id]
    shown = (await bob.get(f"/channels/{channel_id}")).ok()
    assert (shown["type"], shown["recipients"][0]["id"], shown["last_message_id"]) == (1, alice.id, message["id"])
    messages = f"/channels/{channel_id}/messages"
    assert [found["id"] for found in (await bob.get(messages)).ok()] == [message["id"]]
    reply = await bob.say(channel_id, "re", message_reference={"message_id": message["id"]})
    assert reply["referenced_message"]["id"] == message["id"]
    # neither may touch what the other wrote, and nobody else may do anything
    assert (await bob.delete(f"{messages}/{message['id']}")).error == NO_PERMISSION
    assert (await bob.patch(f"{messages}/{message['id']}", {"content": "x"})).error == NOT_YOURS
    for method, path, payload in (
        ("GET", f"/channels/{channel_id}", ...),
        ("GET", messages, ...),
        ("GET", f"{messages}/{message['id']}", ...),
        ("POST", messages, {"content": "x"}),
        ("POST", f"/channels/{channel_id}/typing", ...),
        ("PATCH", f"{messages}/{message['id']}", {"content": "x"}),
        ("DELETE", f"{messages}/{message['id']}", ...),
        ("DELETE", f"/channels/{channel_id}", ...),
    ):
        assert (await eve.request(method, path, payload)).error == NO_ACCESS, (method, path)
    assert (await eve.get("/users/@me/channels")).ok() == []
    (await alice.delete(f"/channels/{channel_id}")).ok(200)
    assert len((await bob.get(messages)).ok()) == 2


async def _overwrite(owner: User, guild: Guild, *, allow: int = 0, deny: int = 0) -> None:
    """For everybody, in #general."""
    overwrite = {"id": guild.id, "type": 0, "allow": str(allow), "deny": str(deny)}
    (await owner.patch(f"/channels/{guild.general}", {"permission_overwrites": [overwrite]})).ok()
