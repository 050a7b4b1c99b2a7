"""Threads over the wire: starting, editing, archiving, deleting, listing."""

from typing import Any

import pytest
import trio

from chatd.service import thread_archive
from tests.support.app import Server
from tests.support.client import Gateway, Json, gateway
from tests.support.world import PASSWORD, Guild, User, World

VIEW, SEND, MANAGE_THREADS = 1 << 10, 1 << 11, 1 << 34
CREATE_PUBLIC, CREATE_PRIVATE, SEND_IN_THREADS = 1 << 35, 1 << 36, 1 << 38
HAS_THREAD, PINNED, REQUIRE_TAG = 1 << 5, 1 << 1, 1 << 4
PUBLIC, PRIVATE, ANNOUNCEMENT = 11, 12, 10
TEXT, VOICE, CATEGORY, NEWS, FORUM, MEDIA = 0, 2, 4, 5, 15, 16

UNKNOWN_CHANNEL = (404, 10003)
UNKNOWN_TAG = (404, 10087)
TAG_REQUIRED = (400, 40067)
NO_TAGS = (400, 40066)
TOO_MANY_PINNED = (400, 30047)
NO_ACCESS = (403, 50001)
NO_PERMISSION = (403, 50013)
SYSTEM_MESSAGE = (403, 50021)
WRONG_TYPE = (400, 50024)
ARCHIVED = (400, 50083)
THREAD_EXISTS = (400, 160004)
LOCKED = (400, 160005)


async def start(user: User, channel_id: str, type_: int = PUBLIC, **fields: Any) -> Json:
    payload = {"name": "thread", "type": type_, **fields}
    return (await user.post(f"/channels/{channel_id}/threads", payload)).ok(201)


async def moderator(world: World, owner: User, guild: Guild) -> User:
    """A member with MANAGE_THREADS."""
    member = await world.person()
    await world.join(owner, guild, member)
    (await owner.put(f"/channels/{guild.general}/permissions/{member.id}", _member(allow=MANAGE_THREADS))).ok(204)
    return member


def _member(allow: int = 0, deny: int = 0) -> Json:
    return {"type": 1, "allow": str(allow), "deny": str(deny)}


async def deny_all(owner: User, guild: Guild, permissions: int, channel_id: str | None = None) -> None:
    path = f"/channels/{channel_id or guild.general}/permissions/{guild.id}"
    (await owner.put(path, {"type": 0, "deny": str(permissions)})).ok(204)


async def later(server: Server, world: World, user: User, seconds: float) -> User:
    """The person, whose token may be too old by then."""
    server.clock.advance(seconds)
    return world.user((await user.post("/auth/login", {"login": user.name, "password": PASSWORD})).ok())


async def all_told(server: Server, ear: Gateway) -> None:
    await server.core.live.bus.flush()
    await ear.heartbeat()


# --- starting --------------------------------------------------------------------------------------------------------


async def test_a_thread_from_a_message(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    message = await alice.say(guild.general, "what do you think?")
    path = f"/channels/{guild.general}/messages/{message['id']}"
    async with gateway(server.url, alice.token) as hers, gateway(server.url, bob.token) as his:
        made = (await bob.post(f"{path}/threads", {"name": "opinions", "auto_archive_duration": 60})).ok(201)
        now = "2027-01-15T08:00:00.000000+00:00"
        member = {"id": made["id"], "user_id": bob.id, "join_timestamp": now, "flags": 0}
        assert made == {
            "id": message["id"],
            "type": PUBLIC,
            "guild_id": guild.id,
            "parent_id": guild.general,
            "owner_id": bob.id,
            "name": "opinions",
            "last_message_id": made["last_message_id"],
            "rate_limit_per_user": 0,
            "flags": 0,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 60,
                "archive_timestamp": now,
                "locked": False,
                "create_timestamp": now,
            },
            "message_count": 0,
            "member_count": 1,
            "total_message_sent": 0,
            "member": member,
        }
        assert (await bob.get(f"/channels/{made['id']}")).ok() == made
        for ear in (hers, his):
            created = await ear.next("THREAD_CREATE")
            assert created["newly_created"] is True
            assert (created["id"], created["name"], "member" in created) == (made["id"], "opinions", False)
            joined = await ear.next("THREAD_MEMBERS_UPDATE")
            assert (joined["id"], joined["member_count"]) == (made["id"], 1)
            assert joined["added_members"][0].items() >= member.items()
            assert joined["added_members"][0]["member"]["user"]["id"] == bob.id
            starter = await ear.next("MESSAGE_CREATE")
            assert (starter["id"], starter["type"], starter["content"]) == (made["last_message_id"], 21, "")
            assert starter["message_reference"] == {
                "type": 0,
                "guild_id": guild.id,
                "channel_id": guild.general,
                "message_id": message["id"],
            }
            assert starter["referenced_message"]["content"] == "what do you think?"
            updated = await ear.next("MESSAGE_UPDATE")
            assert (updated["id"], updated["flags"] & HAS_THREAD) == (message["id"], HAS_THREAD)
            assert updated["thread"]["name"] == "opinions"
    shown = (await alice.get(path)).ok()
    assert (shown["flags"], shown["thread"]["id"]) == (HAS_THREAD, made["id"])
    [found] = (await alice.get(f"/channels/{made['id']}/messages")).ok()
    assert (found["type"], found["referenced_message"]["id"]) == (21, message["id"])
    # Started from the newest message: nothing is said in the parent.
    assert [found["id"] for found in (await alice.get(f"/channels/{guild.general}/messages")).ok()] == [message["id"]]
    again = await alice.post(f"{path}/threads", {"name": "again"})
    assert again.error == THREAD_EXISTS
    for method in ("PATCH", "DELETE"):
        answer = await alice.request(method, f"/channels/{made['id']}/messages/{found['id']}", {"content": "x"})
        assert answer.error == ((403, 50005) if method == "PATCH" else SYSTEM_MESSAGE)


async def test_a_thread_from_an_older_message_is_announced(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    message = await alice.say(guild.general)
    await alice.say(guild.general, "meanwhile")
    (await alice.post(f"/channels/{guild.general}/messages/{message['id']}/threads", {"name": "late"})).ok(201)
    newest = (await alice.get(f"/channels/{guild.general}/messages")).ok()[0]
    assert (newest["type"], newest["content"], newest["author"]["id"]) == (18, "late", alice.id)
    assert newest["message_reference"] == {"type": 0, "channel_id": message["id"], "guild_id": guild.id}
    assert "referenced_message" not in newest
    refused = await alice.post(f"/channels/{guild.general}/messages/{newest['id']}/threads", {"name": "x"})
    assert refused.error == SYSTEM_MESSAGE
    (await alice.delete(f"/channels/{guild.general}/messages/{newest['id']}")).ok(204)


async def test_which_kinds_of_channels_have_which_threads(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    kinds = (TEXT, NEWS, VOICE, CATEGORY)
    channels = {kind: await world.channel(alice, guild, type=kind) for kind in kinds}
    for kind, requested, expected in (
        (TEXT, None, PRIVATE),
        (TEXT, PRIVATE, PRIVATE),
        (TEXT, PUBLIC, PUBLIC),
        (TEXT, ANNOUNCEMENT, WRONG_TYPE),
        (NEWS, ANNOUNCEMENT, ANNOUNCEMENT),
        (NEWS, None, WRONG_TYPE),
        (NEWS, PUBLIC, WRONG_TYPE),
        (VOICE, PUBLIC, WRONG_TYPE),
        (CATEGORY, PUBLIC, WRONG_TYPE),
    ):
        answer = await bob.post(f"/channels/{channels[kind]}/threads", {"name": "x", "type": requested})
        found = answer.json["type"] if answer.status == 201 else answer.error
        assert found == expected, (kind, requested)
    said = await bob.say(channels[NEWS])
    made = (await bob.post(f"/channels/{channels[NEWS]}/messages/{said['id']}/threads", {"name": "x"})).ok(201)
    assert made["type"] == ANNOUNCEMENT
    inner = await bob.say(made["id"])
    for path in (f"/channels/{made['id']}/threads", f"/channels/{made['id']}/messages/{inner['id']}/threads"):
        assert (await bob.post(path, {"name": "x"})).error == WRONG_TYPE


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_what_starting_takes(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    message = await alice.say(guild.general)
    from_message = f"/channels/{guild.general}/messages/{message['id']}/threads"
    without = f"/channels/{guild.general}/threads"
    for denied, path, payload in (
        (CREATE_PUBLIC, from_message, {"name": "x"}),
        (CREATE_PUBLIC, without, {"name": "x", "type": PUBLIC}),
        (CREATE_PRIVATE, without, {"name": "x", "type": PRIVATE}),
    ):
        await deny_all(alice, guild, denied)
        assert (await bob.post(path, payload)).error == NO_PERMISSION, denied
    await deny_all(alice, guild, SEND | CREATE_PUBLIC)
    (await bob.post(without, {"name": "x", "type": PRIVATE})).ok(201)
    for payload, path in (
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "auto_archive_duration": 61}, "auto_archive_duration"),
        ({"name": "x", "rate_limit_per_user": 21601}, "rate_limit_per_user"),
    ):
        assert path in (await alice.post(without, payload)).errors, payload


async def test_a_thread_takes_defaults_from_its_channel(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    (
        await alice.patch(
            f"/channels/{guild.general}",
            {"default_auto_archive_duration": 4320, "default_thread_rate_limit_per_user": 7},
        )
    ).ok()
    made = await start(alice, guild.general)
    assert (made["thread_metadata"]["auto_archive_duration"], made["rate_limit_per_user"]) == (4320, 7)
    made = await start(alice, guild.general, auto_archive_duration=60, rate_limit_per_user=0)
    assert (made["thread_metadata"]["auto_archive_duration"], made["rate_limit_per_user"]) == (60, 0)


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_slowmode_holds_for_threads_too(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    (await alice.patch(f"/channels/{guild.general}", {"rate_limit_per_user": 10})).ok()
    thread = await start(bob, guild.general)
    await bob.say(guild.general)  # one message and one thread
    refused = await bob.post(f"/channels/{guild.general}/threads", {"name": "x"})
    assert refused.error == (429, 20016)
    server.clock.advance(10)
    await start(bob, guild.general)
    (await alice.patch(f"/channels/{thread['id']}", {"rate_limit_per_user": 10})).ok()
    await bob.say(thread["id"])
    assert (await bob.post(f"/channels/{thread['id']}/messages", {"content": "x"})).error == (429, 20016)


# --- forums ----------------------------------------------------------------------------------------------------------


async def test_a_post_in_a_forum(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    for kind in (FORUM, MEDIA):
        forum = await world.channel(alice, guild, type=kind, available_tags=[{"name": "question"}])
        tag = (await alice.get(f"/channels/{forum}")).ok()["available_tags"][0]["id"]
        path = f"/channels/{forum}/threads"
        await deny_all(alice, guild, CREATE_PUBLIC, forum)  # does not matter here
        async with gateway(server.url, alice.token) as ear:
            payload = {"name": "Why?", "message": {"content": f"<@{alice.id}> really <@1>"}, "applied_tags": [tag]}
            made = (await bob.post(path, payload)).ok(201)
            assert (made["type"], made["applied_tags"], made["message_count"]) == (PUBLIC, [tag], 0)
            assert made["message"]["id"] == made["id"] == made["message"]["channel_id"] == made["last_message_id"]
            assert made["message"]["content"] == payload["message"]["content"]
            assert made["member_count"] == 2  # whom it mentions is in it
            created = await ear.next("THREAD_CREATE")
            assert (created["id"], created["applied_tags"]) == (made["id"], [tag])
            assert (await ear.next("MESSAGE_CREATE"))["id"] == made["id"]
        assert (await alice.get(f"/channels/{forum}")).ok()["last_message_id"] == made["id"]
        await bob.say(made["id"], "more")
        shown = (await alice.get(f"/channels/{made['id']}")).ok()
        assert (shown["message_count"], shown["total_message_sent"]) == (1, 1)
        (await bob.delete(f"/channels/{made['id']}/messages/{made['id']}")).ok(204)
        shown = (await alice.get(f"/channels/{made['id']}")).ok()
        assert (shown["message_count"], shown["total_message_sent"]) == (1, 1)
        assert (await bob.post(path, {"name": "x"})).errors == {"message": "BASE_TYPE_REQUIRED"}
        assert (await bob.post(path, {"name": "x", "message": {}})).error == (400, 50006)
        assert (await bob.post(f"/channels/{forum}/messages", {"content": "x"})).status == 400
        await deny_all(alice, guild, SEND, forum)
        assert (await bob.post(path, payload)).error == NO_PERMISSION


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_tags(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    tags = [{"name": "open"}, {"name": "solved", "moderated": True}]
    forum = await world.channel(alice, guild, type=FORUM, available_tags=tags)
    open_, solved = (tag["id"] for tag in (await alice.get(f"/channels/{forum}")).ok()["available_tags"])

    async def post(user: User, *applied: str) -> Any:
        payload = {"name": "x", "message": {"content": "x"}, "applied_tags": list(applied)}
        answer = await user.post(f"/channels/{forum}/threads", payload)
        return answer.json["applied_tags"] if answer.status == 201 else answer.error

    assert await post(bob, open_) == [open_]
    assert await post(bob) == []
    assert await post(bob, "1") == UNKNOWN_TAG
    assert await post(bob, solved) == NO_PERMISSION
    assert await post(alice, solved, open_, solved) == [solved, open_]
    assert await post(alice, *["1"] * 6) == (400, 50035)
    (await alice.patch(f"/channels/{forum}", {"flags": REQUIRE_TAG})).ok()
    assert await post(bob) == await post(alice) == TAG_REQUIRED
    made = (
        await bob.post(
            f"/channels/{forum}/threads", {"name": "x", "message": {"content": "x"}, "applied_tags": [open_]}
        )
    ).ok(201)
    path = f"/channels/{made['id']}"
    assert (await bob.patch(path, {"applied_tags": []})).error == TAG_REQUIRED
    assert (await bob.patch(path, {"applied_tags": [open_, solved]})).error == NO_PERMISSION
    assert (await alice.patch(path, {"applied_tags": [solved]})).ok()["applied_tags"] == [solved]
    assert (await bob.patch(path, {"applied_tags": [open_]})).error == NO_PERMISSION
    (
        await alice.patch(
            f"/channels/{forum}", {"available_tags": [{"id": solved, "name": "solved", "moderated": True}]}
        )
    ).ok()
    assert await post(bob) == NO_TAGS


async def test_pinned_posts(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    forum = await world.channel(alice, guild, type=FORUM)
    one, other = [
        (await bob.post(f"/channels/{forum}/threads", {"name": "x", "message": {"content": "x"}})).ok(201)["id"]
        for _ in range(2)
    ]
    assert (await bob.patch(f"/channels/{one}", {"flags": PINNED})).error == NO_PERMISSION
    assert (await alice.patch(f"/channels/{one}", {"flags": PINNED})).ok()["flags"] == PINNED
    assert (await alice.patch(f"/channels/{other}", {"flags": PINNED})).error == TOO_MANY_PINNED
    alice = bob = await later(server, world, alice, 90 * 86400)
    await thread_archive.archive_idle(server.core)
    metadata = [(await bob.get(f"/channels/{id_}")).ok()["thread_metadata"]["archived"] for id_ in (one, other)]
    assert metadata == [False, True]
    assert (await alice.patch(f"/channels/{one}", {"archived": True})).ok()["flags"] == 0
    thread = await start(alice, guild.general)
    assert (await alice.patch(f"/channels/{thread['id']}", {"flags": PINNED})).error == WRONG_TYPE


# --- editing ---------------------------------------------------------------------------------------------------------


async def test_who_may_edit_what(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    carol = await moderator(world, alice, guild)
    dave = await world.person()
    await world.join(alice, guild, dave)
    who = {"starter": bob, "moderator": carol, "member": dave}
    for locked, changes, may in (
        (False, {"name": "renamed"}, {"starter", "moderator"}),
        (False, {"auto_archive_duration": 60}, {"starter", "moderator"}),
        (False, {"archived": True}, {"starter", "moderator"}),
        (False, {"invitable": False}, {"starter", "moderator"}),
        (False, {"locked": True}, {"moderator"}),
        (False, {"rate_limit_per_user": 5}, {"moderator"}),
        (True, {"name": "renamed"}, {"moderator"}),
        (True, {"archived": True}, {"moderator"}),
        (True, {"locked": False}, {"moderator"}),
    ):
        thread = await start(bob, guild.general, PRIVATE if "invitable" in changes else PUBLIC)
        path = f"/channels/{thread['id']}"
        if "invitable" in changes:
            (await bob.put(f"{path}/thread-members/{dave.id}")).ok(204)
        if locked:
            (await alice.patch(path, {"locked": True})).ok()
        for name, user in who.items():
            answer = await user.patch(path, changes)
            expected = (200, 0) if name in may else LOCKED if locked else NO_PERMISSION
            assert ((200, 0) if answer.status == 200 else answer.error) == expected, (name, locked, changes)
            if answer.status == 200:
                shown = {**answer.json, **answer.json["thread_metadata"]}
                assert shown.items() >= changes.items()
                (await alice.patch(path, {"archived": False, "locked": locked})).ok()


async def test_an_edit_is_told(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    thread = await start(alice, guild.general)
    path = f"/channels/{thread['id']}"
    async with gateway(server.url, bob.token) as ear:
        edited = (await alice.patch(path, {"name": "renamed"})).ok()
        event = await ear.next("THREAD_UPDATE")
        assert (event["name"], edited["name"], "member" in event) == ("renamed", "renamed", False)
        notice = await ear.next("MESSAGE_CREATE")
        assert (notice["type"], notice["content"], notice["channel_id"]) == (4, "renamed", thread["id"])
        assert (await alice.patch(path, {"name": "renamed"})).ok()["message_count"] == 1
        await all_told(server, ear)
        assert len(ear.named("THREAD_UPDATE")) == 1
        server.clock.advance(5)
        edited = (await alice.patch(path, {"auto_archive_duration": 60})).ok()
        assert edited["thread_metadata"]["archive_timestamp"] == "2027-01-15T08:00:05.000000+00:00"
        assert (await alice.patch(path, {"rate_limit_per_user": 5})).ok()["rate_limit_per_user"] == 5
        assert (await alice.patch(path, {"rate_limit_per_user": None, "name": "renamed"})).ok()[
            "rate_limit_per_user"
        ] == 0
    assert (await alice.patch(path, {"name": ""})).errors == {"name": "BASE_TYPE_BAD_LENGTH"}


async def test_an_archived_thread_only_waits(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    thread = await start(bob, guild.general)
    path = f"/channels/{thread['id']}"
    message = await bob.say(thread["id"])
    async with gateway(server.url, alice.token) as hers, gateway(server.url, bob.token) as his:
        (await alice.patch(path, {"archived": True})).ok()
        assert (await hers.next("THREAD_UPDATE"))["thread_metadata"]["archived"] is True
        for user, method, where, payload in (
            (bob, "PATCH", f"/messages/{message['id']}", {"content": "x"}),
            (alice, "PUT", "/thread-members/@me", ...),
            (bob, "DELETE", "/thread-members/@me", ...),
            (bob, "PUT", f"/thread-members/{alice.id}", ...),
            (alice, "DELETE", f"/thread-members/{bob.id}", ...),
            (alice, "PATCH", "", {"name": "x"}),
            (alice, "PATCH", "", {"archived": True}),
        ):
            assert (await user.request(method, path + where, payload)).error == ARCHIVED, (method, where)
        assert [found["id"] for found in (await alice.get(f"{path}/messages")).ok()] == [message["id"]]
        (await alice.delete(f"{path}/messages/{message['id']}")).ok(204)
        assert (await his.next("MESSAGE_DELETE"))["id"] == message["id"]
        server.clock.advance(9)
        said = await alice.say(thread["id"], "awake!")
        event = await hers.next("THREAD_UPDATE")
        assert event["thread_metadata"]["archived"] is False
        assert event["thread_metadata"]["archive_timestamp"] == "2027-01-15T08:00:09.000000+00:00"
        member = await his.next("THREAD_MEMBER_UPDATE")
        assert (member["user_id"], member["id"], member["guild_id"]) == (bob.id, thread["id"], guild.id)
        assert (await his.next("MESSAGE_CREATE"))["id"] == said["id"]
        joined = await hers.next("THREAD_CREATE", lambda d: "newly_created" not in d)
        assert joined["member"]["user_id"] == alice.id
    shown = (await alice.get(path)).ok()
    assert (shown["message_count"], shown["total_message_sent"], shown["member_count"]) == (1, 2, 2)


async def test_two_who_wake_a_thread_at_once_wake_it_once(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    thread = await start(alice, guild.general)
    (await alice.patch(f"/channels/{thread['id']}", {"archived": True})).ok()
    async with gateway(server.url, alice.token) as ear:
        async with trio.open_nursery() as nursery:
            for user in (alice, bob) * 5:
                nursery.start_soon(user.say, thread["id"])
        for _ in range(10):
            await ear.next("MESSAGE_CREATE")
        assert len(ear.named("THREAD_UPDATE")) == 1
        assert len(ear.named("THREAD_MEMBERS_UPDATE")) == 1
    shown = (await bob.get(f"/channels/{thread['id']}")).ok()
    assert (shown["message_count"], shown["member_count"], shown["member"]["user_id"]) == (10, 2, bob.id)


async def test_a_locked_thread_is_for_moderators(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    carol = await moderator(world, alice, guild)
    thread = await start(bob, guild.general)
    path = f"/channels/{thread['id']}"
    one, other = await bob.say(thread["id"]), await bob.say(thread["id"])
    (await carol.patch(path, {"locked": True})).ok()
    assert (await bob.post(f"{path}/messages", {"content": "x"})).error == LOCKED
    assert (await bob.patch(f"{path}/messages/{one['id']}", {"content": "x"})).error == LOCKED
    assert (await bob.put(f"{path}/thread-members/{alice.id}")).error == LOCKED
    (await bob.delete(f"{path}/messages/{one['id']}")).ok(204)
    await carol.say(thread["id"])
    (await carol.patch(path, {"archived": True})).ok()
    assert (await bob.post(f"{path}/messages", {"content": "x"})).error == ARCHIVED
    assert (await bob.delete(f"{path}/messages/{other['id']}")).error == ARCHIVED
    assert (await bob.patch(path, {"archived": False})).error == LOCKED
    await carol.say(thread["id"])
    assert (await bob.get(path)).ok()["thread_metadata"]["archived"] is False
    (await carol.patch(path, {"archived": True, "locked": False})).ok()
    assert (await bob.patch(path, {"archived": False})).ok()["thread_metadata"]["archived"] is False


async def test_talking_takes_its_own_permission(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    thread = await start(alice, guild.general)
    await deny_all(alice, guild, SEND)
    await bob.say(thread["id"])
    (await bob.post(f"/channels/{thread['id']}/typing")).ok(204)
    await deny_all(alice, guild, SEND_IN_THREADS)
    assert (await bob.post(f"/channels/{thread['id']}/messages", {"content": "x"})).error == NO_PERMISSION
    await bob.say(guild.general)
    await deny_all(alice, guild, VIEW)
    for method, where in (("GET", ""), ("GET", "/messages"), ("PUT", "/thread-members/@me")):
        assert (await bob.request(method, f"/channels/{thread['id']}{where}")).error == NO_ACCESS


async def test_what_threads_do_not_have(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    thread = await start(alice, guild.general)
    for method, where, payload in (
        ("POST", "/invites", {}),
        ("GET", "/invites", ...),
        ("PUT", f"/permissions/{guild.id}", {"type": 0, "deny": "0"}),
        ("DELETE", f"/permissions/{guild.id}", ...),
    ):
        assert (await alice.request(method, f"/channels/{thread['id']}{where}", payload)).error == WRONG_TYPE
    for method, where in (("PUT", "/thread-members/@me"), ("GET", "/thread-members")):
        assert (await alice.request(method, f"/channels/{guild.general}{where}")).error == WRONG_TYPE
    listed = (await alice.get(f"/guilds/{guild.id}/channels")).ok()
    assert thread["id"] not in {channel["id"] for channel in listed}


# --- the end ---------------------------------------------------------------------------------------------------------


async def test_delete(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    message = await bob.say(guild.general)
    path = f"/channels/{guild.general}/messages/{message['id']}"
    thread = (await bob.post(f"{path}/threads", {"name": "x"})).ok(201)
    assert (await bob.delete(f"/channels/{thread['id']}")).error == NO_PERMISSION
    async with gateway(server.url, bob.token) as ear:
        assert (await alice.delete(f"/channels/{thread['id']}")).ok(200)["id"] == thread["id"]
        gone = {"id": thread["id"], "guild_id": guild.id, "parent_id": guild.general, "type": PUBLIC}
        assert await ear.next("THREAD_DELETE") == gone
        updated = await ear.next("MESSAGE_UPDATE")
        assert (updated["flags"], "thread" in updated) == (0, False)
    assert (await alice.get(f"/channels/{thread['id']}")).error == UNKNOWN_CHANNEL
    assert (await alice.post(f"/channels/{thread['id']}/messages", {"content": "x"})).error == UNKNOWN_CHANNEL
    (await bob.post(f"{path}/threads", {"name": "once more"})).ok(201)
    orphan = (await alice.get(f"/channels/{thread['id']}")).ok()
    (await bob.delete(path)).ok(204)
    assert (await alice.get(f"/channels/{thread['id']}")).ok() == orphan
    [starter] = (await alice.get(f"/channels/{thread['id']}/messages")).ok()
    assert starter["referenced_message"] is None


async def test_a_channel_goes_with_its_threads(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    channel = await world.channel(alice, guild)
    public, private, archived = (
        await start(bob, channel),
        await start(alice, channel, PRIVATE),
        await start(bob, channel),
    )
    (await alice.patch(f"/channels/{archived['id']}", {"archived": True})).ok()
    async with gateway(server.url, bob.token) as ear:
        (await alice.delete(f"/channels/{channel}")).ok(200)
        assert (await ear.next("CHANNEL_DELETE"))["id"] == channel
        assert [event["id"] for event in ear.named("THREAD_DELETE")] == [public["id"]]
    for thread in (public, private, archived):
        assert (await alice.get(f"/channels/{thread['id']}")).error == UNKNOWN_CHANNEL
    assert (await alice.get(f"/guilds/{guild.id}/threads/active")).ok()["threads"] == []


# --- time ------------------------------------------------------------------------------------------------------------


async def test_threads_archive_themselves(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    quiet, busy, slow = [await start(alice, guild.general, auto_archive_duration=minutes) for minutes in (60, 60, 1440)]
    async with gateway(server.url, alice.token) as ear:
        alice = await later(server, world, alice, 3599)
        await thread_archive.archive_idle(server.core)
        await alice.say(busy["id"])
        server.clock.advance(1)
        await thread_archive.archive_idle(server.core)
        event = await ear.next("THREAD_UPDATE")
        assert (event["id"], event["thread_metadata"]["archived"]) == (quiet["id"], True)
        assert event["thread_metadata"]["archive_timestamp"] == "2027-01-15T09:00:00.000000+00:00"
        await thread_archive.archive_idle(server.core)
        await all_told(server, ear)
        assert len(ear.named("THREAD_UPDATE")) == 1
    active = (await alice.get(f"/guilds/{guild.id}/threads/active")).ok()
    assert [thread["id"] for thread in active["threads"]] == [slow["id"], busy["id"]]
    assert [member["id"] for member in active["members"]] == [slow["id"], busy["id"]]


# --- lists -----------------------------------------------------------------------------------------------------------


async def test_archived_threads_are_paged(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    threads: dict[int, list[str]] = {PUBLIC: [], PRIVATE: []}
    for kind in (PUBLIC, PRIVATE) * 3:
        thread = await start(alice, guild.general, kind)
        server.clock.advance(1)
        (await alice.patch(f"/channels/{thread['id']}", {"archived": True})).ok()
        threads[kind].insert(0, thread["id"])
    path = f"/channels/{guild.general}"
    for kind, where in ((PUBLIC, "public"), (PRIVATE, "private")):
        first = (await alice.get(f"{path}/threads/archived/{where}", limit=2)).ok()
        assert [thread["id"] for thread in first["threads"]] == threads[kind][:2]
        assert ([member["user_id"] for member in first["members"]], first["has_more"]) == ([alice.id] * 2, True)
        last = first["threads"][-1]
        assert last == {key: value for key, value in last.items() if key != "member"}
        before = last["thread_metadata"]["archive_timestamp"]
        rest = (await alice.get(f"{path}/threads/archived/{where}", limit=2, before=before)).ok()
        assert ([thread["id"] for thread in rest["threads"]], rest["has_more"]) == (threads[kind][2:], False)
    assert (await bob.get(f"{path}/threads/archived/private")).error == NO_PERMISSION
    assert len((await bob.get(f"{path}/threads/archived/public")).ok()["threads"]) == 3
    assert (await bob.get(f"{path}/users/@me/threads/archived/private")).ok()["threads"] == []
    mine = (await alice.get(f"{path}/users/@me/threads/archived/private", limit=2)).ok()
    assert ([thread["id"] for thread in mine["threads"]], mine["has_more"]) == (threads[PRIVATE][:2], True)
    before = mine["threads"][-1]["id"]
    mine = (await alice.get(f"{path}/users/@me/threads/archived/private", before=before)).ok()
    assert ([thread["id"] for thread in mine["threads"]], mine["has_more"]) == (threads[PRIVATE][2:], False)
    assert (await alice.get(f"{path}/threads/archived/public", before="x")).errors == {"before": "DATE_TIME_TYPE_PARSE"}


# --- what goes with it -----------------------------------------------------------------------------------------------


async def test_the_audit_log_tells_of_threads(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    thread = await start(alice, guild.general)
    path = f"/channels/{thread['id']}"
    reason = {"X-Audit-Log-Reason": "tidy"}
    (await alice.patch(path, {"name": "renamed", "locked": True}, headers=reason)).ok()
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", limit=2)).ok()
    edited, made = log["audit_log_entries"]
    assert (made["action_type"], made["target_id"]) == (110, thread["id"])
    assert {"key": "name", "new_value": "thread"} in made["changes"]
    assert (edited["action_type"], edited["reason"]) == (111, "tidy")
    assert edited["changes"] == [
        {"key": "name", "new_value": "renamed", "old_value": "thread"},
        {"key": "locked", "new_value": True, "old_value": False},
    ]
    assert [(found["id"], found["name"]) for found in log["threads"]] == [(thread["id"], "renamed")]
    (await alice.delete(path)).ok()
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", limit=1)).ok()
    assert (log["audit_log_entries"][0]["action_type"], log["threads"]) == (112, [])


async def test_a_permission_in_a_thread_is_explained(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    path = f"/guilds/{guild.id}/members/@me/permissions/explain"
    public, private = await start(alice, guild.general), await start(alice, guild.general, PRIVATE)
    await deny_all(alice, guild, SEND_IN_THREADS)
    told = (await bob.get(path, permission="SEND_MESSAGES", channel_id=public["id"])).ok()
    assert (told["granted"], told["steps"][-1]["rule"]) == (False, "thread")
    told = (await bob.get(path, permission="VIEW_CHANNEL", channel_id=public["id"])).ok()
    assert told["granted"] is True
    (await alice.patch(f"/channels/{private['id']}", {"archived": True})).ok()
    told = (await bob.get(path, permission="VIEW_CHANNEL", channel_id=private["id"])).ok()
    assert (told["granted"], told["steps"][-1]["rule"]) == (False, "private_thread")
