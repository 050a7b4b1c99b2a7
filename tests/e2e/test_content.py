"""Unmodified bots of two libraries write: what one has sent, the other sees, and both agree with the server's people.

Each of the two does everything while the other one looks on; they describe messages in the same words.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.e2e.bot import DEADLINE_S, Bot, running, skip_unless_installed
from tests.e2e.conftest import Serve
from tests.e2e.permissions import BITS
from tests.support.client import Json
from tests.support.pictures import data_uri, still
from tests.support.world import Guild, User, World

LIBRARIES = {"py": "discord.py author", "js": "discord.js author"}

# Who acts, on which database.
RUNS = [("py", "sqlite"), ("js", "postgres")]

ARCHIVED = 5_000
# Requests on their way at once, on one connection: so many fit into its buffers.
PIPELINED = 100

FILE_BYTES = 100_000

BOT_PERMISSIONS = sum(BITS)


class Stage:
    """One bot acts, as the owner of the guild tells it to; the other one looks on."""

    def __init__(self, actor: str, bots: Mapping[str, Bot], owner: User, member: User, guild: Guild) -> None:
        self.actor = actor
        self.bots = bots
        [self.observing] = [bot for name, bot in bots.items() if name != actor]
        self.owner = owner
        self.member = member
        self.guild = guild
        self.messages = f"/channels/{guild.general}/messages"

    async def order(self, command: str, about: Json = None, bot: str = "") -> dict[str, Any]:
        """What the bot, the acting one if no other, says when it has done it."""
        name = bot or self.actor
        fields = {"message_reference": {"message_id": about["id"]}} if about else {}
        await self.owner.say(self.guild.general, f"{name} {command}", **fields)
        return await self.bots[name].until("done", command=command)

    async def observed(self, event: str, message: Json) -> None:
        """The other bot sees the message as this one describes it."""
        seen = await self.observing.until(event, id=message["id"])
        assert seen["message"] == message


Step = Callable[[Stage], Awaitable[None]]


async def posts_embeds(stage: Stage) -> None:
    result = await stage.order("embeds")
    assert result["message"]["embeds"] == result["sent"]
    assert [embed["title"] for embed in result["sent"]] == ["Title", None]
    await stage.observed("message", result["message"])


async def replies(stage: Stage) -> None:
    result = await stage.order("reply")
    assert result["message"] == result["fetched"]
    assert (result["message"]["type"], result["message"]["quoted"]) == (19, f"{stage.actor} reply")
    await stage.observed("message", result["message"])


async def edits(stage: Stage) -> None:
    result = await stage.order("edit")
    assert (result["message"]["content"], result["message"]["embeds"][0]["title"]) == ("First", "corrected")
    await stage.observed("edited", result["message"])


async def reacts(stage: Stage) -> None:
    message = (await stage.order("react"))["message"]
    for event, emoji in (
        ("reacted", "👍"),
        ("reacted", "❤️"),
        ("reacted", "hills"),
        ("unreacted", "❤️"),
        ("reacted", "❤️"),
    ):
        await stage.observing.until(event, id=message["id"], emoji=emoji, by=stage.actor)
    (await stage.owner.put(f"{stage.messages}/{message['id']}/reactions/%F0%9F%91%8D/@me")).ok(204)
    await stage.observing.until("reacted", id=message["id"], emoji="👍", by="owner")
    result = await stage.order("unreact", message)
    [thumbs, hills, heart] = result["seen"]
    assert (thumbs, heart) == (["👍", 2, True], ["❤️", 1, True])
    assert hills[0].startswith("<:hills:")
    assert result["users"] == sorted(["owner", stage.actor])
    await stage.observing.until("unreacted", id=message["id"], emoji="👍", by="owner")
    await stage.observing.until("cleared", id=message["id"], emoji="❤️")
    await stage.observing.until("cleared", id=message["id"], emoji=None)
    assert "reactions" not in (await stage.owner.get(f"{stage.messages}/{message['id']}")).ok(200)


async def pins(stage: Stage) -> None:
    result = await stage.order("pin")
    assert (result["pins"], result["left"]) == (["Keep this"], [])
    await stage.observed("message", result["message"])
    await stage.observing.until("pins", any=True)
    notice = await stage.observing.until("message")
    assert (notice["message"]["type"], notice["message"]["reference"]) == (6, result["message"]["id"])
    await stage.observing.until("pins", any=False)


async def purges(stage: Stage) -> None:
    ids = (await stage.order("purge"))["ids"]
    await stage.observing.until("purged", ids=sorted(ids))
    left = {message["id"] for message in (await stage.owner.get(stage.messages)).ok(200)}
    assert left.isdisjoint(ids)


async def sends_files(stage: Stage) -> None:
    """What arrives is what was sent, byte by byte, also when one file is kept and the other exchanged."""
    message = (await stage.order("upload"))["message"]
    await stage.observed("message", message)
    await has_files(stage, message, "a.bin", "b.txt")
    edited = (await stage.order("swap_file", message))["message"]
    await stage.observed("edited", edited)
    await has_files(stage, edited, "b.txt", "c.bin")


async def has_files(stage: Stage, message: Json, *names: str) -> None:
    assert message["files"] == [[name, FILE_BYTES, f"It is {name}"] for name in names]
    digests = [[name, hashlib.sha256(content(name)).hexdigest()] for name in names]
    for bot in stage.bots:
        assert (await stage.order("download", message, bot))["files"] == digests


def content(name: str) -> bytes:
    """What the bots upload under this name."""
    return b"".join(hashlib.sha256(f"{name} {number}".encode()).digest() for number in range(FILE_BYTES // 32))


async def writes_through_a_webhook(stage: Stage) -> None:
    result = await stage.order("webhook")
    message, edited = result["message"], result["edited"]
    assert (message["author"], message["webhook"]) == ("Somebody", result["id"])
    assert message["files"] == [["d.bin", FILE_BYTES, "It is d.bin"]]
    await stage.observed("message", message)
    assert edited == result["fetched"]
    assert edited == {**message, "content": "Exchanged", "files": [["e.bin", FILE_BYTES, "It is e.bin"]]}
    await stage.observed("edited", edited)
    await stage.observing.until("message", id=result["gone"])
    await has_files(stage, edited, "e.bin")
    assert (result["listed"], result["left"]) == (["Crook"], 0)
    assert (await stage.owner.get(f"{stage.messages}/{result['gone']}")).error == (404, 10008)


async def searches(stage: Stage) -> None:
    """What is newest is found a moment later."""
    poll = (await stage.order("poll"))["message"]
    with trio.fail_after(DEADLINE_S):
        while poll["id"] not in (await stage.order("search"))["mine"]:
            pass
    result = await stage.order("search")  # the poll is the newest, so everything is there
    assert result["word"] == ["4321"]
    assert result["mine"] == [poll["id"], *result["mine"][1:]]
    assert result["total"] == len(result["mine"])


async def reads_history(stage: Stage) -> None:
    """In all four modes."""
    middle = ARCHIVED - 1 - ARCHIVED // 2
    found = await stage.order("history")
    assert {mode: found[mode] for mode in ("newest", "before", "after", "around")} == {
        "newest": digest(range(ARCHIVED)[::-1]),
        "before": digest(range(middle)[::-1]),
        "after": digest(range(middle + 1, ARCHIVED)),
        "around": digest(range(middle - 25, middle + 25)),
    }


async def starts_a_thread(stage: Stage) -> None:
    result = await stage.order("thread")
    await stage.observed("message", result["first"])
    assert result["starter"] == result["first"]
    assert result["thread"] == "aside"
    [starter, message] = result["messages"]
    assert (starter["type"], starter["reference"], starter["quoted"]) == (21, result["first"]["id"], "About this")
    assert (message["type"], message["content"]) == (0, "Indeed")
    await stage.observing.until("thread", name="aside")
    await stage.observed("message", message)


async def polls(stage: Stage) -> None:
    message = (await stage.order("poll"))["message"]
    answers = [[1, "Hills", "hills"], [2, "Sea", "🌊"], [3, "Home", None]]
    expected = {"question": "Where to?", "answers": answers, "multiple": True, "final": False, "votes": [0, 0, 0]}
    assert {name: value for name, value in message["poll"].items() if name != "ends"} == expected
    await stage.observed("message", message)

    poll = f"/channels/{stage.guild.general}/polls/{message['id']}"
    for user, answer_ids, events in (
        (stage.member, [1, 2], [("voted", "Hills"), ("voted", "Sea")]),
        (stage.owner, [2, 3], [("voted", "Sea"), ("voted", "Home")]),
        (stage.owner, [2], [("unvoted", "Home")]),
    ):
        (await user.put(f"{poll}/answers/@me", {"answer_ids": answer_ids})).ok(204)
        for event, answer in events:
            await stage.observing.until(event, by=user.name, answer=answer)

    result = await stage.order("end_poll", message)
    assert result["counted"] == {**message["poll"], "votes": [1, 2, 0]}
    assert result["voters"] == [["member"], ["member", "owner"], []]
    ended = result["ended"]
    assert ended == {**result["counted"], "ends": ended["ends"], "final": True}
    assert ended["ends"] < message["poll"]["ends"]
    await stage.observed("edited", {**message, "poll": ended})
    notice = (await stage.observing.until("message"))["message"]
    assert (notice["type"], notice["reference"], notice["mentions"]) == (46, message["id"], [stage.actor])
    [embed] = notice["embeds"]
    assert embed["type"] == "poll_result"
    told = {name: value for name, value, _ in embed["fields"]}
    assert (told["victor_answer_text"], told["victor_answer_votes"], told["total_votes"]) == ("Sea", "2", "3")


STEPS: list[Step] = [
    posts_embeds,
    replies,
    edits,
    reacts,
    pins,
    purges,
    sends_files,
    writes_through_a_webhook,
    sends_files,
    writes_through_a_webhook,
    writes_through_a_webhook,
    reads_history,
    starts_a_thread,
    polls,
    searches,
]


@pytest.mark.trio
@pytest.mark.parametrize(("actor", "database"), RUNS, indirect=["database"])
async def test_bots_write_and_see_the_same(actor: str, serve: Serve, tmp_path: Path) -> None:
    for library in LIBRARIES.values():
        skip_unless_installed(library)
    server = await trio.to_thread.run_sync(serve)
    async with World(server.url) as world, AsyncExitStack() as stack:
        owner, member = await world.person("owner"), await world.person("member")
        guild = await world.guild(owner, member)
        (await owner.post(f"/guilds/{guild.id}/emojis", {"name": "hills", "image": data_uri(still())})).ok(201)
        await fill(server.port, owner, await world.channel(owner, guild, "archive"))
        bots: dict[str, Bot] = {}
        for name, library in LIBRARIES.items():
            user = await world.bot(owner, guild, name=name, permissions=BOT_PERMISSIONS)
            directory = tmp_path / name
            directory.mkdir()
            bots[name] = await stack.enter_async_context(
                running(library, user.token, f"127.0.0.1:{server.port}", directory)
            )
        for bot in bots.values():
            await bot.until("ready")
        scene = Stage(actor, bots, owner, member, guild)
        for step in STEPS:
            await step(scene)


async def fill(port: int, author: User, channel_id: str) -> None:
    """Messages with the numbers up to ARCHIVED, in their order."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        for start in range(0, ARCHIVED, PIPELINED):
            requests = [_post(author, channel_id, f"{number}") for number in range(start, start + PIPELINED)]
            await stream.send_all(b"".join(requests))
            answers = b""
            while answers.count(b"HTTP/1.1 200 ") < PIPELINED or not answers.endswith(b"}"):
                answers += await stream.receive_some()


def _post(author: User, channel_id: str, content: str) -> bytes:
    body = json.dumps({"content": content}).encode()
    head = [
        f"POST /api/v10/channels/{channel_id}/messages HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: {author.authorization}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def digest(numbers: range) -> str:
    return hashlib.sha256("\n".join(map(str, numbers)).encode()).hexdigest()
