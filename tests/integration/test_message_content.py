"""What an application without MESSAGE_CONTENT gets of messages, over REST and in events; and what flags hide."""

from typing import Any

import pytest

from tests.support.app import Server
from tests.support.client import ALL_INTENTS, Json, gateway
from tests.support.world import BOT_PERMISSIONS, Guild, User, World

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)

MESSAGE_CONTENT, EMBED_LINKS, MANAGE_MESSAGES, SEND_POLLS = 1 << 15, 1 << 14, 1 << 13, 1 << 49
ROW = {"type": 1, "components": [{"type": 2, "style": 1, "label": "l", "custom_id": "c"}]}
POLL = {"question": {"text": "?"}, "answers": [{"poll_media": {"text": "yes"}}]}


class Talk:
    """Of a bot with everything to say, read by one whose application has not the intent."""

    def __init__(self, alice: User, guild: Guild, bot: User, blind: User) -> None:
        self.alice, self.guild, self.bot, self.blind = alice, guild, bot, blind
        self.path = f"/channels/{guild.general}/messages"

    async def say(self, **fields: Any) -> Json:
        payload = {"content": "words", "embeds": [{"title": "t"}], "components": [ROW], **fields}
        return (await self.bot.post(self.path, payload)).ok(200)


async def talk(world: World) -> Talk:
    alice = await world.person()
    guild = await world.guild(alice)
    permissions = BOT_PERMISSIONS | EMBED_LINKS | SEND_POLLS
    bot = await world.bot(alice, guild, permissions=permissions)
    blind = await world.bot(alice, guild, permissions=permissions | MANAGE_MESSAGES)
    (await alice.patch(f"/applications/{blind.id}", {"flags": 1 << 13 | 1 << 15})).ok(200)  # presences, members
    return Talk(alice, guild, bot, blind)


def content(message: Json) -> list[Any]:
    return [message[name] for name in ("content", "embeds", "components")]


NOTHING = ["", [], []]


@sqlite_only
async def test_rest_hides_it(world: World) -> None:
    it = await talk(world)
    message = await it.say()
    poll = await it.say(poll=POLL)
    (await it.alice.put(f"{it.path}/pins/{message['id']}")).ok(204)
    hidden = (await it.blind.get(f"{it.path}/{message['id']}")).ok(200)
    assert content(hidden) == NOTHING
    # All else stays.
    assert hidden | {name: message[name] for name in ("content", "embeds", "components")} == message | {"pinned": True}
    assert "poll" not in (await it.blind.get(f"{it.path}/{poll['id']}")).ok(200)
    page = (await it.blind.get(it.path)).ok(200)
    assert [content(message) for message in page] == [NOTHING] * 3
    [pin] = (await it.blind.get(f"{it.path}/pins")).ok(200)["items"]
    [old] = (await it.blind.get(f"/channels/{it.guild.general}/pins")).ok(200)
    assert content(pin["message"]) == content(old) == NOTHING
    suppressed = (await it.blind.patch(f"{it.path}/{message['id']}", {"flags": 4})).ok(200)
    assert (suppressed["flags"], content(suppressed)) == (4, NOTHING)
    # Whose application has the intent, and people, read everything.
    for reader in (it.alice, await world.bot(it.alice, it.guild)):
        assert content((await reader.get(f"{it.path}/{message['id']}")).ok(200)) == ["words", [], message["components"]]


@sqlite_only
async def test_what_is_not_hidden(world: World) -> None:
    it = await talk(world)
    mentioned = await it.say(content=f"<@{it.blind.id}>")
    own = await it.blind.say(it.guild.general, "its own")
    for message in (mentioned, own):
        assert (await it.blind.get(f"{it.path}/{message['id']}")).ok(200) == message
    direct = await it.alice.dm(it.blind)
    said = await it.alice.say(direct, "between us")
    assert (await it.blind.get(f"/channels/{direct}/messages")).ok(200) == [said]
    # Of a reply each of the two messages counts for itself.
    silent = {"replied_user": False}
    reply = await it.say(message_reference={"message_id": own["id"]}, allowed_mentions=silent)
    seen = (await it.blind.get(f"{it.path}/{reply['id']}")).ok(200)
    assert (content(seen), seen["referenced_message"]["content"]) == (NOTHING, "its own")
    answer = await it.blind.say(it.guild.general, "so", message_reference={"message_id": reply["id"]})
    seen = (await it.blind.get(f"{it.path}/{answer['id']}")).ok(200)
    assert (seen["content"], content(seen["referenced_message"])) == ("so", NOTHING)


async def test_events_hide_it(server: Server, world: World) -> None:
    it = await talk(world)
    async with (
        gateway(server.url, it.blind.token, intents=ALL_INTENTS & ~MESSAGE_CONTENT) as lean,
        gateway(server.url, it.bot.token) as full,
    ):
        message = await it.say(poll=POLL)
        reply = await it.say(message_reference={"message_id": message["id"]})
        reference = {"type": 1, "channel_id": it.guild.general, "message_id": reply["id"]}
        (await it.bot.post(it.path, {"message_reference": reference})).ok(200)
        seen = [await lean.next("MESSAGE_CREATE") for _ in range(3)]
        told = [await full.next("MESSAGE_CREATE") for _ in range(3)]
    assert [content(message) for message in seen] == [NOTHING] * 3
    assert "poll" not in seen[0]
    assert "poll" in told[0]
    assert content(seen[1]["referenced_message"]) == NOTHING
    [snapshot] = seen[2]["message_snapshots"]
    assert content(snapshot["message"]) == NOTHING
    assert content(told[2]["message_snapshots"][0]["message"]) == content(reply)


@sqlite_only
async def test_suppressed_embeds_are_not_shown(world: World) -> None:
    it = await talk(world)
    message = await it.say(flags=4)
    assert (message["embeds"], message["flags"], message["content"]) == ([], 4, "words")
    path = f"{it.path}/{message['id']}"
    shown = (await it.bot.patch(path, {"flags": 0})).ok(200)
    assert [embed["title"] for embed in shown["embeds"]] == ["t"]
    assert shown["edited_timestamp"] is None
    assert (await it.alice.patch(path, {"flags": 4})).ok(200)["embeds"] == []
