"""What webhooks post, over the wire: in channels, threads and forums; shown, edited and deleted by their token."""

import json
import threading
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import trio

from chatd.service.polls import end_due as end_polls
from tests.integration.test_webhooks import at, by_token, make
from tests.support.app import Server
from tests.support.client import DEADLINE_S, Json, gateway
from tests.support.world import Guild, User, World

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK = (404, 10003), (404, 10008), (404, 10015)
EMPTY, UNKNOWN_TAG, TAG_REQUIRED = (400, 50006), (404, 10087), (400, 40067)
ARCHIVED, LOCKED = (400, 50083), (400, 160005)
SYSTEM_MESSAGE = (403, 50021)
NEEDS_THREAD, TWO_THREADS, OUTSIDE_FORUM, NO_SERVICE = (400, 220001), (400, 220002), (400, 220003), (400, 220004)


async def execute(world: World, webhook: Json, payload: Json, **query: object) -> Json:
    return (await world.anybody.post(by_token(webhook), payload, wait="true", **query)).ok(200)


def author(webhook: Json, **fields: Json) -> Json:
    return {
        "id": webhook["id"],
        "username": webhook["name"],
        "discriminator": "0000",
        "global_name": None,
        "avatar": webhook["avatar"],
        "bot": True,
        "banner": None,
        "accent_color": None,
        "flags": 0,
        "public_flags": 0,
        "primary_guild": None,
        **fields,
    }


async def test_posting(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    webhook = await make(alice, guild.general)
    async with gateway(server.url, bob.token) as ear:
        payload = {"content": "hello", "embeds": [{"title": "news"}], "tts": True, "flags": 4096 | 8192 | 1}
        message = await execute(world, webhook, payload)
        assert (message["content"], message["flags"], message["tts"], message["type"]) == ("hello", 4096, True, 0)
        assert message["embeds"] == [{"type": "rich", "title": "news"}]
        assert message["author"] == author(webhook)
        assert message["webhook_id"] == webhook["id"]
        assert "application_id" not in message
        event = await ear.next("MESSAGE_CREATE")
        assert event == {**message, "channel_type": 0, "guild_id": guild.id}
        answer = await world.anybody.post(by_token(webhook), {"content": "unseen"})
        assert (answer.status, answer.content) == (204, b"")
        assert (await ear.next("MESSAGE_CREATE"))["content"] == "unseen"
    page = (await bob.get(f"/channels/{guild.general}/messages")).ok(200)
    assert page[1] == message
    assert (await bob.get(f"/channels/{guild.general}")).ok()["last_message_id"] == page[0]["id"]


async def test_a_message_keeps_the_author_it_was_posted_with(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    webhook = await make(alice, guild.general)
    face = "https://chat.test/face.png"
    plain = await execute(world, webhook, {"content": "plain"})
    masked = await execute(world, webhook, {"content": "masked", "username": " Mask  ed ", "avatar_url": face})
    assert masked["author"] == author(webhook, username="Mask ed", avatar_url=face)
    (await alice.patch(at(webhook), {"name": "Renamed"})).ok()
    renamed = await execute(world, webhook, {"content": "renamed"})
    assert renamed["author"]["username"] == "Renamed"
    reply = await alice.say(guild.general, "indeed", message_reference={"message_id": masked["id"]})
    (await alice.delete(at(webhook))).ok()
    assert (await alice.get(f"/channels/{guild.general}/messages")).ok() == [reply, renamed, masked, plain]
    assert reply["referenced_message"] == masked
    assert reply["mentions"] == []
    (await alice.delete(f"/channels/{guild.general}/messages/{plain['id']}")).ok(204)
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs", action_type=72)).ok()["audit_log_entries"]
    assert [entry["target_id"] for entry in log] == [webhook["id"]]


async def test_what_is_refused(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    webhook = await make(alice, guild.general)
    for payload, errors in (
        ({"content": "x" * 2001}, {"content": "BASE_TYPE_MAX_LENGTH"}),
        ({"content": "x", "username": "clyde"}, {"username": "USERNAME_INVALID_CONTAINS"}),
        ({"content": "x", "username": ""}, {"username": "BASE_TYPE_BAD_LENGTH"}),
        ({"content": "x", "avatar_url": "javascript:x"}, {"avatar_url": "URL_TYPE_INVALID_URL"}),
        ({"embeds": [{}]}, {"embeds.0.description": "BASE_TYPE_REQUIRED"}),
    ):
        assert (await world.anybody.post(by_token(webhook), payload)).errors == errors
    for payload in ({}, {"content": " "}):
        assert (await world.anybody.post(by_token(webhook), payload)).error == EMPTY
    wrong = await world.anybody.post(by_token(webhook), {"content": "x"}, thread_id="x")
    assert wrong.errors == {"thread_id": "NUMBER_TYPE_COERCE"}
    assert (await alice.get(f"/channels/{guild.general}/messages")).ok() == []


async def test_whom_it_mentions(world: World) -> None:
    """Without a word about it users alone; what it says, whatever members may do."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    webhook = await make(alice, guild.general)
    role = (await alice.post(f"/guilds/{guild.id}/roles", {"name": "role"})).ok()["id"]
    content = f"<@{bob.id}> <@&{role}> @everyone"

    def called(message: Json) -> tuple[list[str], list[str], bool]:
        return [user["id"] for user in message["mentions"]], message["mention_roles"], message["mention_everyone"]

    assert called(await execute(world, webhook, {"content": content})) == ([bob.id], [], False)
    everything = {"parse": ["users", "roles", "everyone"]}
    message = await execute(world, webhook, {"content": content, "allowed_mentions": everything})
    assert called(message) == ([bob.id], [role], True)
    nobody = {"content": content, "allowed_mentions": {"parse": []}}
    assert called(await execute(world, webhook, nobody)) == ([], [], False)
    path = f"{by_token(webhook)}/messages/{message['id']}"
    assert called((await world.anybody.patch(path, {"content": f"{content}!"})).ok()) == ([bob.id], [], False)
    [state] = await read_states(bob, guild)
    assert state["mention_count"] == 2


async def test_components(world: World) -> None:
    """Applications have them; others those that nobody answers, when they ask for it."""
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild, permissions=1 << 29 | 1 << 10)
    peoples, applications = await make(alice, guild.general), await make(bot, guild.general)
    button = {"type": 2, "style": 1, "label": "Press", "custom_id": "press"}
    link = {"type": 2, "style": 5, "label": "Look", "url": "https://chat.test/"}
    clicked, linked = ({"content": "x", "components": [{"type": 1, "components": [it]}]} for it in (button, link))
    for payload in (clicked, linked):
        assert (await execute(world, peoples, payload))["components"] == []
        [row] = (await execute(world, applications, payload))["components"]
        assert row["components"][0]["label"] == payload["components"][0]["components"][0]["label"]
    [row] = (await execute(world, peoples, linked, with_components="true"))["components"]
    assert row["components"][0]["url"] == link["url"]
    refused = await world.anybody.post(by_token(peoples), clicked, with_components="true")
    assert refused.errors == {"components.0.components.0": "COMPONENT_INTERACTIVE_NOT_ALLOWED"}

    message = await execute(world, peoples, {"content": "plain"})
    path = f"{by_token(peoples)}/messages/{message['id']}"
    assert (await world.anybody.patch(path, {"components": linked["components"]})).ok()["components"] == []
    edited = await world.anybody.patch(path, {"components": linked["components"]}, with_components="true")
    assert len(edited.ok()["components"]) == 1
    v2 = {"flags": 1 << 15, "components": [{"type": 10, "content": "just text"}]}
    assert (await execute(world, peoples, v2, with_components="true"))["components"][0]["content"] == "just text"
    assert (await world.anybody.post(by_token(peoples), v2)).error == EMPTY


async def test_files(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    forum = await world.channel(alice, guild, type=15)
    webhook, poster = await make(alice, guild.general), await make(alice, forum)

    async def send(path: str, *names: str, method: str = "POST", **payload: Json) -> Json:
        parts = {f"files[{number}]": (name, name.encode()) for number, name in enumerate(names)}
        fields = {"payload_json": json.dumps(payload)}
        return (await world.anybody.upload(path, fields, parts, method=method, wait="true")).ok(200)

    message = await send(by_token(webhook), "a.txt", "b.txt", content="look", username="Masked")
    assert (message["content"], message["author"]["username"]) == ("look", "Masked")
    assert await contents(world, message) == {"a.txt": b"a.txt", "b.txt": b"b.txt"}
    kept = [{"id": message["attachments"][1]["id"]}, {"id": "0"}]
    path = f"{by_token(webhook)}/messages/{message['id']}"
    edited = await send(path, "c.txt", method="PATCH", attachments=kept)
    assert await contents(world, edited) == {"b.txt": b"b.txt", "c.txt": b"c.txt"}
    assert (await world.anybody.get(path)).ok()["attachments"][0]["filename"] == "b.txt"
    posted = await send(by_token(poster), "d.txt", thread_name="Post")
    assert await contents(world, posted) == {"d.txt": b"d.txt"}
    wrong = f"/webhooks/{webhook['id']}/x"
    refused = await world.anybody.upload(wrong, {"payload_json": "{}"}, {"files[0]": ("a.txt", b"a")})
    assert refused.error == (401, 50027)
    by_fields = await world.anybody.upload(by_token(webhook), {"content": "fields"}, {"file": ("e.txt", b"e")})
    by_fields.ok(204)
    [newest, *_] = (await alice.get(f"/channels/{guild.general}/messages")).ok()
    assert (newest["content"], len(newest["attachments"])) == ("fields", 1)


async def contents(world: World, message: Json) -> dict[str, bytes]:
    """What the message's links lead to, by name."""
    found = {}
    for attachment in message["attachments"]:
        link = urlsplit(attachment["url"])
        answer = await world.anybody.get(f"/{link.path}?{link.query}")
        assert answer.status == 200
        found[attachment["filename"]] = answer.content
    return found


async def test_polls(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    webhook = await make(alice, guild.general)
    answers = [{"poll_media": {"text": text}} for text in ("tea", "coffee")]
    poll = {"question": {"text": "Which?"}, "answers": answers, "duration": 1}
    message = await execute(world, webhook, {"poll": poll, "username": "Masked"})
    path = f"/channels/{guild.general}/polls/{message['id']}"
    (await bob.put(f"{path}/answers/@me", {"answer_ids": ["2"]})).ok(204)
    server.clock.advance(3600)
    await end_polls(server.core)
    pair = (await world.anybody.post("/auth/refresh", {"refresh_token": bob.pair["refresh_token"]})).ok()
    notice, ended = (await world.user(pair).get(f"/channels/{guild.general}/messages")).ok()
    assert ended["poll"]["results"]["is_finalized"] is True
    assert (notice["type"], notice["author"], notice["webhook_id"]) == (46, message["author"], webhook["id"])


async def test_services(server: Server, world: World) -> None:
    """Slack's and GitHub's own ways to say it."""
    alice = await world.person()
    guild = await world.guild(alice)
    webhook = await make(alice, guild.general)
    thread = (await alice.post(f"/channels/{guild.general}/threads", {"name": "thread", "type": 11})).ok()["id"]
    slack, github = (f"{by_token(webhook)}/{service}" for service in ("slack", "github"))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await world.anybody.post(slack, {"text": "plain", "username": "Bell"})).ok(200) == "ok"
    content = urlencode({"payload": json.dumps({"attachments": [{"title": "form"}]})}).encode()
    (await world.anybody.post(slack, content=content, headers=form, thread_id=thread)).ok(200)
    (await world.anybody.post(by_token(webhook), content=b"content=by+hand", headers=form)).ok(204)
    sender = {"id": 1, "login": "ada", "html_url": "https://code.test/ada", "avatar_url": "https://code.test/a.png"}
    code = {"id": 2, "name": "engine", "full_name": "ada/engine", "html_url": "https://code.test/engine"}
    for event in ("ping", "watch", "unheard_of"):
        payload = {"action": "started", "sender": sender, "repository": code, "zen": "Speak like a human."}
        (await world.anybody.post(github, payload, headers={"X-GitHub-Event": event})).ok(204)
    starred, by_hand, plain, _ = (await alice.get(f"/channels/{guild.general}/messages")).ok()
    assert (plain["content"], plain["author"]["username"], by_hand["content"]) == ("plain", "Bell", "by hand")
    assert [embed["title"] for embed in starred["embeds"]] == ["[ada/engine] New star added"]
    [inside] = (await alice.get(f"/channels/{thread}/messages")).ok()
    assert inside["embeds"][0]["title"] == "form"
    assert (await world.anybody.post(slack, {"text": 5})).errors == {"text": "STRING_TYPE_CONVERT"}
    assert (await world.anybody.post(slack, {})).error == EMPTY


async def read_states(user: User, guild: Guild) -> list[Json]:
    async with gateway(user.url, user.token) as connection:
        return [it for it in connection.ready["read_state"] if it["id"] == guild.general]


async def test_showing_editing_and_deleting(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    webhook, other = await make(alice, guild.general), await make(alice, guild.general)
    message = await execute(world, webhook, {"content": "hello", "username": "Masked"})
    path = f"{by_token(webhook)}/messages/{message['id']}"
    assert (await world.anybody.get(path)).ok(200) == message
    async with gateway(server.url, bob.token) as ear:
        edited = (await world.anybody.patch(path, {"content": "changed", "embeds": [{"title": "t"}]})).ok(200)
        assert (edited["content"], edited["author"]) == ("changed", message["author"])
        assert edited["edited_timestamp"] is not None
        assert (await ear.next("MESSAGE_UPDATE")).items() >= edited.items()
        suppressed = (await world.anybody.patch(path, {"flags": 4})).ok(200)
        assert (suppressed["flags"], suppressed["edited_timestamp"]) == (4, edited["edited_timestamp"])
        assert (await world.anybody.patch(path, {"content": "", "embeds": []})).error == EMPTY
        foreign = await alice.say(guild.general)
        for id_, whose in ((message["id"], other), (foreign["id"], webhook), ("1", webhook)):
            theirs = f"{by_token(whose)}/messages/{id_}"
            for method, payload in (
                ("GET", ...),
                ("PATCH", {"content": "mine"}),
                ("PATCH", {"flags": 4}),
                ("DELETE", ...),
            ):
                assert (await world.anybody.request(method, theirs, payload)).error == UNKNOWN_MESSAGE
        (await world.anybody.delete(path)).ok(204)
        assert (await ear.next("MESSAGE_DELETE"))["id"] == message["id"]
    assert (await world.anybody.get(path)).error == UNKNOWN_MESSAGE
    assert [it["id"] for it in (await bob.get(f"/channels/{guild.general}/messages")).ok()] == [foreign["id"]]
    assert (await alice.get(f"/guilds/{guild.id}/audit-logs", action_type=72)).ok()["audit_log_entries"] == []


async def test_the_creator_is_not_the_author(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    (await alice.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": str(1 << 29 | 3 << 10 | 1 << 16)})).ok()
    webhook = await make(bob, guild.general)
    message = await execute(world, webhook, {"content": "hello"})
    path = f"/channels/{guild.general}/messages/{message['id']}"
    assert (await bob.patch(path, {"content": "mine"})).error == (403, 50005)
    assert (await bob.delete(path)).error == (403, 50013)
    (await alice.put(f"/guilds/{guild.id}/bans/{bob.id}", {"delete_message_seconds": 3600})).ok()
    assert (await alice.get(path)).ok() == message
    assert (await alice.get(at(webhook))).ok()["user"]["id"] == bob.id


async def test_rules_for_members_do_not_hold(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    rule = {
        "name": "rule",
        "event_type": 1,
        "trigger_type": 1,
        "actions": [{"type": 1}],
        "enabled": True,
        "trigger_metadata": {"keyword_filter": ["spoiler"]},
    }
    (await alice.post(f"/guilds/{guild.id}/auto-moderation/rules", rule)).ok()
    (await alice.patch(f"/channels/{guild.general}", {"rate_limit_per_user": 3600})).ok()
    (await alice.patch(f"/guilds/{guild.id}", {"verification_level": 4})).ok()
    webhook = await make(alice, guild.general)
    for _ in range(2):
        await execute(world, webhook, {"content": "spoiler"})


async def test_in_threads(server: Server, world: World) -> None:
    alice, bob, carol = await world.person(), await world.person(), await world.person()
    guild = await world.guild(alice, bob, carol)
    webhook = await make(alice, guild.general)
    desk = await world.channel(alice, guild)
    made = (await alice.post(f"/channels/{guild.general}/threads", {"name": "thread", "type": 11})).ok()["id"]
    elsewhere = (await alice.post(f"/channels/{desk}/threads", {"name": "thread", "type": 11})).ok()["id"]
    (await alice.patch(f"/channels/{made}", {"archived": True})).ok()
    async with gateway(server.url, carol.token) as ear:
        message = await execute(world, webhook, {"content": f"<@{bob.id}>"}, thread_id=made)
        assert (await ear.next("THREAD_UPDATE"))["thread_metadata"]["archived"] is False
        added = (await ear.next("THREAD_MEMBERS_UPDATE"))["added_members"]
        assert [member["user_id"] for member in added] == [bob.id]
        assert (await ear.next("MESSAGE_CREATE"))["channel_id"] == made == message["channel_id"]
    assert {it["user_id"] for it in (await alice.get(f"/channels/{made}/thread-members")).ok()} == {alice.id, bob.id}
    assert (await alice.get(f"/channels/{made}")).ok()["message_count"] == 1
    path = f"{by_token(webhook)}/messages/{message['id']}"
    for method, payload in (("GET", ...), ("PATCH", {"content": "edited"}), ("DELETE", ...)):
        assert (await world.anybody.request(method, path, payload)).error == UNKNOWN_MESSAGE
        for thread_id in (elsewhere, desk, guild.general, "1"):
            answer = await world.anybody.request(method, path, payload, thread_id=thread_id)
            assert answer.error == UNKNOWN_CHANNEL
        (await world.anybody.request(method, path, payload, thread_id=made)).ok()
    for thread_id in (elsewhere, desk, guild.general, "1"):
        assert (
            await world.anybody.post(by_token(webhook), {"content": "x"}, thread_id=thread_id)
        ).error == UNKNOWN_CHANNEL


async def test_in_locked_and_archived_threads(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    webhook = await make(alice, guild.general)
    thread = (await alice.post(f"/channels/{guild.general}/threads", {"name": "thread", "type": 11})).ok()["id"]
    message = await execute(world, webhook, {"content": "hello"}, thread_id=thread)
    path = f"{by_token(webhook)}/messages/{message['id']}"
    (await alice.patch(f"/channels/{thread}", {"archived": True})).ok()
    assert (await world.anybody.patch(path, {"content": "changed"}, thread_id=thread)).error == ARCHIVED
    (await alice.patch(f"/channels/{thread}", {"archived": False})).ok()
    (await alice.patch(f"/channels/{thread}", {"archived": True, "locked": True})).ok()
    assert (await world.anybody.post(by_token(webhook), {"content": "x"}, thread_id=thread)).error == ARCHIVED
    assert (await world.anybody.delete(path, thread_id=thread)).error == ARCHIVED
    (await alice.patch(f"/channels/{thread}", {"archived": False})).ok()
    assert (await world.anybody.post(by_token(webhook), {"content": "x"}, thread_id=thread)).error == LOCKED
    assert (await world.anybody.get(path, thread_id=thread)).ok() == message


async def test_in_forums(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    tags = [{"name": "news"}, {"name": "ours", "moderated": True}]
    forum = await world.channel(alice, guild, type=15, available_tags=tags)
    news, ours = [tag["id"] for tag in (await alice.get(f"/channels/{forum}")).ok()["available_tags"]]
    webhook = await make(alice, forum)
    post = by_token(webhook)
    async with gateway(server.url, bob.token) as ear:
        payload = {"content": f"<@{bob.id}>", "thread_name": "Post", "applied_tags": [news], "username": "Masked"}
        first = await execute(world, webhook, payload)
        assert first["id"] == first["channel_id"]
        assert first["author"] == author(webhook, username="Masked")
        thread = await ear.next("THREAD_CREATE")
        assert (thread["name"], thread["owner_id"], thread["applied_tags"]) == ("Post", webhook["id"], [news])
        assert (await ear.next("THREAD_MEMBERS_UPDATE"))["member_count"] == 1
        told = await ear.next("MESSAGE_CREATE")
        assert (told["id"], told["author"]) == (first["id"], first["author"])
    second = await execute(world, webhook, {"content": "more"}, thread_id=first["channel_id"])
    assert [it["id"] for it in (await bob.get(f"/channels/{first['id']}/messages")).ok()] == [second["id"], first["id"]]
    (await world.anybody.patch(f"{post}/messages/{first['id']}", {"content": "edited"}, thread_id=first["id"])).ok()
    (await world.anybody.post(post, {"content": "alone", "thread_name": "Quiet"})).ok(204)

    refusals: list[tuple[Json, dict[str, Any], tuple[int, int]]] = [
        ({}, {}, NEEDS_THREAD),
        ({"thread_name": "x"}, {"thread_id": first["id"]}, TWO_THREADS),
        ({"thread_name": "x", "applied_tags": ["1"]}, {}, UNKNOWN_TAG),
        ({"thread_name": "x", "applied_tags": [ours]}, {}, (403, 50013)),
        ({"thread_name": "x", "content": ""}, {}, EMPTY),
    ]
    for payload, query, error in refusals:
        assert (await world.anybody.post(post, {"content": "x", **payload}, **query)).error == error
    for service, payload in (("slack", {"text": "x"}), ("github", {})):
        assert (await world.anybody.post(f"{post}/{service}", payload)).error == NO_SERVICE
    (await alice.patch(f"/channels/{forum}", {"flags": 16})).ok()
    assert (await world.anybody.post(post, {"content": "x", "thread_name": "x"})).error == TAG_REQUIRED
    assert len((await alice.get(f"/guilds/{guild.id}/threads/active")).ok()["threads"]) == 2
    plain = await make(alice, guild.general)
    assert (await world.anybody.post(by_token(plain), {"content": "x", "thread_name": "x"})).error == OUTSIDE_FORUM


async def test_a_thread_may_begin_with_it(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    webhook = await make(alice, guild.general)
    message = await execute(world, webhook, {"content": "hello"})
    path = f"/channels/{guild.general}/messages/{message['id']}/threads"
    thread = (await alice.post(path, {"name": "about it"})).ok(201)
    assert (await world.anybody.get(f"{by_token(webhook)}/messages/{message['id']}")).ok()["thread"]["id"] == thread[
        "id"
    ]
    [starter] = (await alice.get(f"/channels/{thread['id']}/messages")).ok()
    assert starter["referenced_message"]["author"] == message["author"]


@pytest.mark.options({"limits.rate_limits": True})
async def test_limits_are_of_the_webhook(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    webhook, other = await make(alice, guild.general), await make(alice, guild.general)
    for left in (4, 3, 2, 1, 0):
        answer = await world.anybody.post(by_token(webhook), {"content": "x"})
        assert (answer.status, answer.headers["X-RateLimit-Remaining"]) == (204, str(left))
    full = await alice.post(by_token(webhook), {"content": "x"})  # whoever it is that has the token
    assert (full.status, full.json["retry_after"], full.json["global"]) == (429, 2.0, False)
    (await world.anybody.post(by_token(other), {"content": "x"})).ok()
    wrong = await world.anybody.post(f"/webhooks/{webhook['id']}/x", {"content": "x"})
    assert wrong.headers["X-RateLimit-Remaining"] == "4"  # nobody without the token uses it up
    server.clock.advance(2)
    (await world.anybody.post(by_token(webhook), {"content": "x"})).ok()


async def test_posting_reads_nothing_from_the_database(sqlite_server: Server) -> None:
    async with World(sqlite_server.url) as world:
        alice = await world.person()
        guild = await world.guild(alice)
        webhook = await make(alice, guild.general)
        await execute(world, webhook, {"content": "first"})
        core, release = sqlite_server.core, threading.Event()
        async with trio.open_nursery() as nursery:
            for _ in range(core.config.database.readers):
                nursery.start_soon(core.db.read, lambda _: release.wait(DEADLINE_S))
            try:
                await execute(world, webhook, {"content": "second"})
            finally:
                release.set()
