"""Polls over the wire: what may be asked, who votes and who sees it, and how a poll ends."""

from pathlib import Path
from typing import Any

import pytest
import trio

from chatd import app
from chatd.config import load
from chatd.model.wire import timestamp
from chatd.service import discarded, polls
from chatd.store.db import Tx
from tests.support.app import OPTIONS, Server
from tests.support.client import ALL_INTENTS, Answer, Gateway, Json, gateway
from tests.support.core import Clock
from tests.support.pictures import data_uri, still
from tests.support.world import PASSWORD, Guild, User, World

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)

HOUR_S = 3600
SEND_POLLS, READ_MESSAGE_HISTORY, USE_EXTERNAL_EMOJIS = 1 << 49, 1 << 16, 1 << 18
MESSAGE_CONTENT, GUILD_POLLS, DIRECT_POLLS = 1 << 15, 1 << 24, 1 << 25
UNKNOWN_MESSAGE, NO_BOTS, NO_PERMISSION = (404, 10008), (403, 20001), (403, 50013)
NOT_YOURS, BLOCKED, EXPIRED = (403, 50005), (403, 520000), (400, 520001)
CANNOT_EDIT, BAD_EMOJI, NOT_A_POLL = (400, 520003), (400, 520004), (400, 520006)
ADD, REMOVE = "MESSAGE_POLL_VOTE_ADD", "MESSAGE_POLL_VOTE_REMOVE"


def question(*answers: str, **fields: Any) -> Json:
    return {
        "question": {"text": "Where to?"},
        "answers": [{"poll_media": {"text": text}} for text in answers or ("Hills", "Sea", "Home")],
        **fields,
    }


class Poll:
    """The one of a message."""

    def __init__(self, message: Json) -> None:
        self.message = message
        self.channel_id, self.id = message["channel_id"], message["id"]
        self.path = f"/channels/{self.channel_id}/polls/{self.id}"
        self.message_path = f"/channels/{self.channel_id}/messages/{self.id}"

    async def vote(self, user: User, *answer_ids: int | str) -> Answer:
        return await user.put(f"{self.path}/answers/@me", {"answer_ids": answer_ids})

    async def voters(self, user: User, answer_id: int, **query: Any) -> list[str]:
        found = (await user.get(f"{self.path}/answers/{answer_id}", **query)).ok(200)
        return [voter["id"] for voter in found["users"]]

    async def end(self, user: User) -> Answer:
        return await user.post(f"{self.path}/expire")

    async def seen_by(self, user: User) -> list[tuple[int, int, bool]]:
        """Answer, count, and whether it has their vote; on the message and on its page."""
        message = (await user.get(self.message_path)).ok(200)
        page = (await user.get(f"/channels/{self.channel_id}/messages", around=self.id, limit=1)).ok(200)
        assert page == [message]
        return counted(message["poll"])


def counted(poll: Json) -> list[tuple[int, int, bool]]:
    return [(each["id"], each["count"], each["me_voted"]) for each in poll["results"]["answer_counts"]]


async def ask(author: User, channel_id: str, *answers: str, **fields: Any) -> Poll:
    payload = {"poll": question(*answers, **fields)}
    return Poll((await author.post(f"/channels/{channel_id}/messages", payload)).ok(200))


# --- asking ----------------------------------------------------------------------------------------------------------


async def test_a_poll_is_part_of_its_message(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    emoji = (await alice.post(f"/guilds/{guild.id}/emojis", {"name": "hills", "image": data_uri(still())})).ok(201)
    answers = [
        {"poll_media": {"text": "Hills", "emoji": {"id": emoji["id"]}}},
        {"poll_media": {"text": "Sea", "emoji": {"id": None, "name": "🌊", "animated": False}}},
        {"poll_media": {"text": "Home", "emoji": None}},
    ]
    asked = {
        "question": {"text": "Where to?", "emoji": {"name": "🌊"}},  # a question has none
        "answers": answers,
        "duration": 2.0,  # as discord.py sends it
        "allow_multiselect": True,
        "layout_type": 1,
    }
    async with gateway(server.url, bob.token) as ear:
        message = (await alice.post(f"/channels/{guild.general}/messages", {"poll": asked})).ok(200)
        assert message["poll"] == {
            "question": {"text": "Where to?"},
            "answers": [
                {
                    "answer_id": 1,
                    "poll_media": {
                        "text": "Hills",
                        "emoji": {"id": emoji["id"], "name": "hills", "animated": False},
                    },
                },
                {"answer_id": 2, "poll_media": {"text": "Sea", "emoji": {"id": None, "name": "🌊"}}},
                {"answer_id": 3, "poll_media": {"text": "Home"}},
            ],
            "expiry": timestamp(server.clock() + 2 * HOUR_S * 1000),
            "allow_multiselect": True,
            "layout_type": 1,
            "results": {"answer_counts": [], "is_finalized": False},
        }
        assert (message["content"], message["type"]) == ("", 0)
        assert (await ear.next("MESSAGE_CREATE"))["poll"] == message["poll"]
    assert (await bob.get(f"/channels/{guild.general}/messages")).ok(200) == [message]


async def test_what_may_be_left_out(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    asked = question(duration=None, allow_multiselect=None, layout_type=None)
    fields = {"content": "Vote!", "embeds": [{"title": "Please"}], "poll": asked}
    message = (await alice.post(f"/channels/{guild.general}/messages", fields)).ok(200)
    assert (message["content"], message["embeds"][0]["title"]) == ("Vote!", "Please")
    assert message["poll"]["expiry"] == timestamp(server.clock() + 24 * HOUR_S * 1000)
    assert message["poll"]["allow_multiselect"] is False
    assert "poll" not in await alice.say(guild.general)


@sqlite_only
@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"question": {}}, {"poll.question.text": "BASE_TYPE_REQUIRED"}),
        ({"question": {"text": ""}}, {"poll.question.text": "BASE_TYPE_BAD_LENGTH"}),
        ({"question": {"text": "q" * 301}}, {"poll.question.text": "BASE_TYPE_BAD_LENGTH"}),
        ({"answers": []}, {"poll.answers": "BASE_TYPE_BAD_LENGTH"}),
        ({"answers": question(*"elevenpeaks")["answers"]}, {"poll.answers": "BASE_TYPE_BAD_LENGTH"}),
        (
            {"answers": [{"poll_media": {"text": "a" * 56}}, {"poll_media": {}}]},
            {
                "poll.answers.0.poll_media.text": "BASE_TYPE_BAD_LENGTH",
                "poll.answers.1.poll_media.text": "BASE_TYPE_REQUIRED",
            },
        ),
        ({"duration": 0}, {"poll.duration": "NUMBER_TYPE_MIN"}),
        ({"duration": 769}, {"poll.duration": "NUMBER_TYPE_MAX"}),
        ({"duration": 1.5}, {"poll.duration": "NUMBER_TYPE_COERCE"}),
        ({"layout_type": 2}, {"poll.layout_type": "BASE_TYPE_CHOICES"}),
        ({"allow_multiselect": 1}, {"poll.allow_multiselect": "BOOLEAN_TYPE_CONVERT"}),
    ],
)
async def test_what_may_not_be_asked(world: World, change: Json, errors: Json) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    answer = await alice.post(f"/channels/{guild.general}/messages", {"poll": {**question(), **change}})
    assert answer.errors == errors
    assert (await alice.get(f"/channels/{guild.general}/messages")).ok(200) == []


@sqlite_only
async def test_emojis_that_cannot_be_used(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild, other = await world.guild(alice, bob), await world.guild(bob)
    made = (await bob.post(f"/guilds/{other.id}/emojis", {"name": "away", "image": data_uri(still())})).ok(201)
    for user, emoji, error in (
        (alice, {"name": "thumb"}, BAD_EMOJI),
        (alice, {"id": "1"}, BAD_EMOJI),
        (alice, {"id": made["id"]}, BAD_EMOJI),
        (bob, {"id": made["id"]}, None),
    ):
        asked = question(answers=[{"poll_media": {"text": "a", "emoji": emoji}}])
        answer = await user.post(f"/channels/{guild.general}/messages", {"poll": asked})
        assert (answer.status == 200) if error is None else (answer.error == error)
    await deny(alice, guild, USE_EXTERNAL_EMOJIS)
    answer = await bob.post(f"/channels/{guild.general}/messages", {"poll": asked})
    assert answer.error == NO_PERMISSION


async def test_who_may_ask(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    await deny(alice, guild, SEND_POLLS)
    refused = await bob.post(f"/channels/{guild.general}/messages", {"poll": question()})
    assert refused.error == NO_PERMISSION
    await ask(alice, guild.general)
    await ask(bob, await alice.dm(bob))
    thread = (await alice.post(f"/channels/{guild.general}/threads", {"name": "away", "type": 11})).ok(201)
    await ask(alice, thread["id"])


async def test_automod_reads_polls(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    rule = {
        "name": "no sea",
        "event_type": 1,
        "trigger_type": 1,
        "trigger_metadata": {"keyword_filter": ["sea"]},
        "actions": [{"type": 1}],
        "enabled": True,
    }
    (await alice.post(f"/guilds/{guild.id}/auto-moderation/rules", rule)).ok(200)
    refused = await bob.post(f"/channels/{guild.general}/messages", {"poll": question()})
    assert refused.error == (400, 200000)
    await ask(bob, guild.general, "Hills", "Home")


# --- voting ----------------------------------------------------------------------------------------------------------


async def test_a_vote_comes_moves_and_goes(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    poll = await ask(alice, guild.general)
    place = {"channel_id": guild.general, "message_id": poll.id, "guild_id": guild.id}
    async with gateway(server.url, alice.token, intents=GUILD_POLLS) as ear:
        for _ in range(2):  # the second time changes nothing
            (await poll.vote(bob, 2)).ok(204)
        assert await ear.next(ADD) == {**place, "user_id": bob.id, "answer_id": 2}
        (await poll.vote(alice, "2")).ok(204)
        assert (await ear.next(ADD))["user_id"] == alice.id
        assert await poll.seen_by(bob) == [(2, 2, True)]
        (await poll.vote(bob, 1)).ok(204)
        assert await ear.next(REMOVE) == {**place, "user_id": bob.id, "answer_id": 2}
        assert await ear.next(ADD) == {**place, "user_id": bob.id, "answer_id": 1}
        assert await poll.seen_by(alice) == [(1, 1, False), (2, 1, True)]
        assert await poll.seen_by(bob) == [(1, 1, True), (2, 1, False)]
        for _ in range(2):
            (await poll.vote(bob)).ok(204)
        assert await ear.next(REMOVE) == {**place, "user_id": bob.id, "answer_id": 1}
        await ear.heartbeat()
        assert [name for name, _ in ear.events if "POLL" in name] == [ADD, ADD, REMOVE, ADD, REMOVE]
    assert await poll.seen_by(bob) == [(2, 1, False)]
    assert (await bob.get(poll.message_path)).ok()["poll"]["results"]["is_finalized"] is False


async def test_several_answers_at_once(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    poll = await ask(alice, guild.general, allow_multiselect=True)
    async with gateway(server.url, alice.token) as ear:
        (await poll.vote(alice, 3, 1, 3)).ok(204)
        (await poll.vote(alice, 1, 2)).ok(204)
        told = [await ear.next(name) for name in (ADD, ADD, REMOVE, ADD)]
        assert [event["answer_id"] for event in told] == [1, 3, 3, 2]
    assert await poll.seen_by(alice) == [(1, 1, True), (2, 1, True)]


async def test_in_a_direct_channel(server: Server, world: World) -> None:
    alice, bob, eve = await world.person(), await world.person(), await world.person()
    poll = await ask(alice, await alice.dm(bob))
    async with gateway(server.url, alice.token, intents=DIRECT_POLLS) as ear:
        (await poll.vote(bob, 1)).ok(204)
        event = await ear.next(ADD)
        assert event == {"user_id": bob.id, "channel_id": poll.channel_id, "message_id": poll.id, "answer_id": 1}
    assert (await poll.vote(eve, 1)).error == (403, 50001)
    (await alice.put(f"/users/@me/relationships/{bob.id}", {"type": 2})).ok(204)
    assert (await poll.vote(bob, 2)).error == BLOCKED
    assert await poll.seen_by(alice) == [(1, 1, False)]


async def test_who_may_vote_for_what(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    bot = await world.bot(alice, guild)
    poll, no_poll = await ask(bot, guild.general), Poll(await alice.say(guild.general))
    assert (await poll.vote(bot, 1)).error == NO_BOTS
    assert (await poll.vote(bob, 4)).errors == {"answer_ids": "BASE_TYPE_CHOICES"}
    assert (await poll.vote(bob, 1, 2)).errors == {"answer_ids": "BASE_TYPE_MAX_LENGTH"}
    assert (await poll.vote(bob, *range(11))).errors == {"answer_ids": "BASE_TYPE_MAX_LENGTH"}
    assert (await no_poll.vote(bob, 1)).error == NOT_A_POLL
    assert (await Poll({**poll.message, "id": "1"}).vote(bob, 1)).error == UNKNOWN_MESSAGE
    timeout = {"communication_disabled_until": "2027-01-15T09:00:00Z"}
    (await alice.patch(f"/guilds/{guild.id}/members/{bob.id}", timeout)).ok(200)
    assert (await poll.vote(bob, 1)).error == NO_PERMISSION
    (await alice.patch(f"/guilds/{guild.id}/members/{bob.id}", {"communication_disabled_until": None})).ok(200)
    await deny(alice, guild, READ_MESSAGE_HISTORY)
    assert (await poll.vote(bob, 1)).error == NO_PERMISSION
    assert await poll.seen_by(alice) == []


async def test_pages_of_voters(world: World) -> None:
    people = [await world.person() for _ in range(4)]
    guild = await world.guild(*people)
    poll = await ask(people[0], guild.general)
    for person in reversed(people):
        (await poll.vote(person, 2 if person is people[3] else 1)).ok(204)
    ids = [person.id for person in people]
    for query, expected in (
        ({}, ids[:3]),
        ({"limit": 2}, ids[:2]),
        ({"after": ids[0]}, ids[1:3]),
        ({"after": ids[0], "limit": 1}, ids[1:2]),
        ({"after": ids[2]}, []),
    ):
        assert await poll.voters(people[1], 1, **query) == expected, query
    assert await poll.voters(people[1], 2) == [ids[3]]
    assert await poll.voters(people[1], 3) == []
    for wrong in ({"limit": 0}, {"limit": 101}, {"after": "x"}):
        assert list((await people[0].get(f"{poll.path}/answers/1", **wrong)).errors) == [*wrong]
    assert (await people[0].get(f"{poll.path}/answers/4")).error == (404, 0)
    assert (await people[0].get(f"/channels/{guild.general}/polls/1/answers/1")).error == UNKNOWN_MESSAGE


# --- the end ---------------------------------------------------------------------------------------------------------


async def test_its_author_ends_it(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    poll = await ask(alice, guild.general)
    for user, answer_id in ((alice, 2), (bob, 2)):
        (await poll.vote(user, answer_id)).ok(204)
    server.clock.advance(60)
    async with gateway(server.url, bob.token) as ear:
        ended = (await poll.end(alice)).ok(200)
        results = {"answer_counts": [{"id": 2, "count": 2, "me_voted": True}], "is_finalized": True}
        expected = {**poll.message["poll"], "expiry": timestamp(server.clock()), "results": results}
        assert ended == {**poll.message, "poll": expected}
        told = await ear.next("MESSAGE_UPDATE")
        assert told["poll"] == {
            **expected,
            "results": {**results, "answer_counts": [{"id": 2, "count": 2, "me_voted": False}]},
        }
        notice = await ear.next("MESSAGE_CREATE")
        assert (notice["type"], notice["content"], notice["author"]["id"]) == (46, "", alice.id)
        assert [user["id"] for user in notice["mentions"]] == [alice.id]
        place = {"channel_id": guild.general, "message_id": poll.id, "guild_id": guild.id}
        assert notice["message_reference"] == {"type": 0, **place}
        assert "referenced_message" not in notice
        assert told_of(notice) == {
            "poll_question_text": "Where to?",
            "victor_answer_votes": "2",
            "total_votes": "2",
            "victor_answer_id": "2",
            "victor_answer_text": "Sea",
        }
    assert [each["id"] for each in (await bob.get(f"/channels/{guild.general}/messages")).ok(200)] == [
        notice["id"],
        poll.id,
    ]
    assert await poll.seen_by(bob) == [(2, 2, True)]
    assert await poll.voters(bob, 2) == [alice.id, bob.id]
    for user in (alice, bob):
        assert (await poll.vote(user, 1)).error == EXPIRED
    assert (await poll.end(alice)).error == EXPIRED


async def test_who_may_end_what(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    poll, no_poll = await ask(bob, guild.general), Poll(await alice.say(guild.general))
    assert (await poll.end(alice)).error == NOT_YOURS
    assert (await no_poll.end(alice)).error == NOT_A_POLL
    assert (await Poll({**poll.message, "id": "1"}).end(bob)).error == UNKNOWN_MESSAGE
    (await poll.end(bob)).ok(200)


async def test_it_ends_at_its_time(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    channels = (guild.general, await alice.dm(bob))
    sooner = [await ask(alice, channel_id, duration=1) for channel_id in channels]
    later = await ask(alice, guild.general, duration=2)
    for poll in sooner:
        (await poll.vote(bob, 1)).ok(204)
    async with gateway(server.url, bob.token) as ear:
        server.clock.advance(HOUR_S - 1)
        await polls.end_due(server.core)
        assert ended(ear) == []
        server.clock.advance(1)
        bob = await again(world, bob)
        assert (await sooner[0].vote(bob, 2)).error == EXPIRED  # whether or not it has been counted
        for _ in range(2):
            await polls.end_due(server.core)
        for poll in sooner:
            await ear.next("MESSAGE_CREATE", lambda d, poll=poll: d["message_reference"]["message_id"] == poll.id)
        assert ended(ear) == [poll.id for poll in sooner]
        for poll, event in zip(sooner, ear.named("MESSAGE_UPDATE"), strict=True):
            assert event["poll"]["expiry"] == poll.message["poll"]["expiry"] == timestamp(server.clock())
    for poll in sooner:
        assert await poll.seen_by(bob) == [(1, 1, True)]
    (await later.vote(bob, 1)).ok(204)


async def test_polls_outlive_the_server(tmp_path: Path) -> None:
    clock = Clock()
    settings = load(None, {}, {**OPTIONS, "data.dir": str(tmp_path)})
    async with trio.open_nursery() as nursery:
        running = await nursery.start(lambda task_status: app.run(settings, clock_ms=clock, task_status=task_status))
        async with World(running.url) as world:
            alice = await world.person()
            guild = await world.guild(alice)
            thread = (await alice.post(f"/channels/{guild.general}/threads", {"name": "away", "type": 11})).ok(201)
            poll = await ask(alice, thread["id"], duration=1)
            (await poll.vote(alice, 1)).ok(204)
            (await alice.patch(f"/channels/{thread['id']}", {"archived": True})).ok(200)
        running.stop()
    clock.advance(HOUR_S)
    async with trio.open_nursery() as nursery:
        running = await nursery.start(lambda task_status: app.run(settings, clock_ms=clock, task_status=task_status))
        await polls.end_due(running.core)
        async with World(running.url) as world:
            alice = await again(world, alice)
            assert await poll.seen_by(alice) == [(1, 1, True)]
            [notice, message, *_] = (await alice.get(f"/channels/{thread['id']}/messages")).ok(200)
            assert (notice["type"], message["id"]) == (46, poll.id)
            assert message["poll"]["results"]["is_finalized"] is True
        running.stop()


async def test_what_is_told_of_a_result(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    emoji = (await alice.post(f"/guilds/{guild.id}/emojis", {"name": "hills", "image": data_uri(still())})).ok(201)
    answers = [
        {"poll_media": {"text": "Hills", "emoji": {"id": emoji["id"]}}},
        {"poll_media": {"text": "Sea", "emoji": {"name": "🌊"}}},
    ]
    for votes, expected in (
        ((), {"victor_answer_votes": "0", "total_votes": "0"}),
        (((alice, 1), (bob, 2)), {"victor_answer_votes": "1", "total_votes": "2"}),
        (
            ((alice, 1),),
            {
                "victor_answer_votes": "1",
                "total_votes": "1",
                "victor_answer_id": "1",
                "victor_answer_text": "Hills",
                "victor_answer_emoji_id": emoji["id"],
                "victor_answer_emoji_name": "hills",
            },
        ),
        (
            ((alice, 2), (bob, 2)),
            {
                "victor_answer_votes": "2",
                "total_votes": "2",
                "victor_answer_id": "2",
                "victor_answer_text": "Sea",
                "victor_answer_emoji_name": "🌊",
            },
        ),
    ):
        poll = await ask(alice, guild.general, answers=answers)
        for user, answer_id in votes:
            (await poll.vote(user, answer_id)).ok(204)
        (await poll.end(alice)).ok(200)
        [notice] = (await bob.get(f"/channels/{guild.general}/messages", limit=1)).ok(200)
        assert told_of(notice) == {"poll_question_text": "Where to?", **expected}


# --- as a part of messages -------------------------------------------------------------------------------------------


async def test_only_answers_tell_of_open_polls_results(server: Server, world: World) -> None:
    """Events go to everybody alike, and those of votes count: an edit's says nothing of an open poll's results."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    poll = await ask(alice, guild.general)
    (await poll.vote(alice, 1)).ok(204)
    without_results = {key: value for key, value in poll.message["poll"].items() if key != "results"}
    async with gateway(server.url, bob.token) as ear:
        answer = (await alice.patch(poll.message_path, {"flags": 4})).ok(200)
        assert counted(answer["poll"]) == [(1, 1, True)]
        assert (await ear.next("MESSAGE_UPDATE"))["poll"] == without_results
        (await alice.put(f"/channels/{guild.general}/messages/pins/{poll.id}")).ok(204)
        assert (await ear.next("MESSAGE_UPDATE"))["poll"] == without_results
        reply = await alice.say(guild.general, "re", message_reference={"message_id": poll.id})
        assert reply["referenced_message"]["poll"] == without_results
        for item in (await bob.get(f"/channels/{guild.general}/messages/pins")).ok(200)["items"]:
            assert counted(item["message"]["poll"]) == [(1, 1, False)]
        shown = (await alice.get(f"/channels/{guild.general}/messages/{reply['id']}")).ok(200)
        assert counted(shown["referenced_message"]["poll"]) == [(1, 1, True)]
        (await poll.end(alice)).ok(200)
        assert counted((await ear.next("MESSAGE_UPDATE"))["poll"]) == [(1, 1, False)]
        answer = (await alice.patch(poll.message_path, {"flags": 0})).ok(200)
        assert counted(answer["poll"]) == [(1, 1, True)]
        assert counted((await ear.next("MESSAGE_UPDATE"))["poll"]) == [(1, 1, False)]


async def test_they_cannot_be_edited(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    poll = await ask(alice, guild.general)
    for change in ({"content": "Vote!"}, {"embeds": []}, {"content": None}):
        assert (await alice.patch(poll.message_path, change)).error == CANNOT_EDIT
    assert (await alice.get(poll.message_path)).ok(200) == poll.message


async def test_they_are_content(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    async with gateway(server.url, bot.token, intents=ALL_INTENTS & ~MESSAGE_CONTENT) as ear:
        poll = await ask(alice, guild.general)
        assert "poll" not in await ear.next("MESSAGE_CREATE")
        await alice.say(guild.general, "re", message_reference={"message_id": poll.id})
        assert "poll" not in (await ear.next("MESSAGE_CREATE"))["referenced_message"]
        (await poll.end(alice)).ok(200)
        assert "poll" not in await ear.next("MESSAGE_UPDATE")
        assert (await ear.next("MESSAGE_CREATE"))["embeds"] == []
        own = await ask(bot, guild.general)
        assert (await ear.next("MESSAGE_CREATE"))["poll"] == own.message["poll"]


async def test_they_go_with_their_message(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    channel_id = await world.channel(alice, guild)
    poll, other = await ask(alice, guild.general), await ask(alice, channel_id)
    for each in (poll, other):
        (await each.vote(alice, 1)).ok(204)
    (await alice.delete(poll.message_path)).ok(204)
    assert (await poll.vote(alice, 1)).error == UNKNOWN_MESSAGE
    (await alice.delete(f"/channels/{channel_id}")).ok(200)
    await discarded.sweep(server.core)
    assert await server.core.db.read(_rows) == 0


def _rows(tx: Tx) -> int:
    return sum(tx.scalar(f"SELECT COUNT(*) FROM {table}") or 0 for table in ("open_polls", "poll_votes"))


def told_of(notice: Json) -> Json:
    """The embed's fields, by name."""
    [embed] = notice["embeds"]
    assert embed["type"] == "poll_result"
    return {field["name"]: field["value"] for field in embed["fields"]}


def ended(ear: Gateway) -> list[str]:
    return [message["id"] for message in ear.named("MESSAGE_UPDATE") if message["poll"]["results"]["is_finalized"]]


async def again(world: World, user: User) -> User:
    """Logged in once more: the token is good for 15 minutes."""
    payload = {"login": user.name, "password": PASSWORD}
    return world.user((await world.anybody.post("/auth/login", payload)).ok(200))


async def deny(owner: User, guild: Guild, permission: int) -> None:
    overwrite = {"id": guild.id, "type": 0, "allow": "0", "deny": str(permission)}
    (await owner.patch(f"/channels/{guild.general}", {"permission_overwrites": [overwrite]})).ok()
