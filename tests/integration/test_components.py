"""Components over the wire: who may send them, how they come back, IS_COMPONENTS_V2, edits, mentions, custom emojis."""

from typing import Any

import pytest

from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.pictures import data_uri, still
from tests.support.world import BOT_PERMISSIONS, Guild, User, World

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)

V2 = 1 << 15
MENTION_EVERYONE, USE_EXTERNAL_EMOJIS, MANAGE_MESSAGES = 1 << 17, 1 << 18, 1 << 13
EMPTY, BAD_FORM, NO_PERMISSION = (400, 50006), (400, 50035), (403, 50013)
LEGACY_FIELD = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"

BUTTON = {"type": 2, "style": 1, "label": "Press", "custom_id": "press"}
ROW = {"type": 1, "components": [BUTTON]}
SENT_ROW = {"type": 1, "id": 1, "components": [{**BUTTON, "id": 2, "disabled": False}]}


def text(content: str) -> Json:
    return {"type": 10, "content": content}


def sent_text(content: str, id_: int = 1) -> Json:
    return {"type": 10, "id": id_, "content": content}


async def made(world: World, permissions: int = BOT_PERMISSIONS) -> tuple[User, Guild, User]:
    alice = await world.person()
    guild = await world.guild(alice)
    return alice, guild, await world.bot(alice, guild, permissions=permissions)


async def layout(bot: User, guild: Guild, *tree: Json, **fields: Any) -> Json:
    payload = {"components": list(tree), "flags": V2, **fields}
    return (await bot.post(f"/channels/{guild.general}/messages", payload)).ok(200)


async def test_buttons_come_back_as_they_were(server: Server, world: World) -> None:
    alice, guild, bot = await made(world)
    path = f"/channels/{guild.general}/messages"
    async with gateway(server.url, alice.token, intents=None) as it:
        message = await bot.say(guild.general, "choose", components=[ROW])
        assert (message["components"], message["content"], message["flags"]) == ([SENT_ROW], "choose", 0)
        assert (await it.next("MESSAGE_CREATE"))["components"] == [SENT_ROW]
        assert (await alice.get(f"{path}/{message['id']}")).ok(200) == message
        alone = (await bot.post(path, {"components": [ROW]})).ok(200)
        assert (alone["content"], alone["components"]) == ("", [SENT_ROW])
        reply = await bot.say(guild.general, "x", message_reference={"message_id": message["id"]})
        assert reply["referenced_message"]["components"] == [SENT_ROW]


@sqlite_only
async def test_a_whole_layout(world: World) -> None:
    _, guild, bot = await made(world)
    tree = [
        {
            "type": 17,
            "accent_color": 0x123456,
            "spoiler": True,
            "components": [
                {
                    "type": 9,
                    "components": [text("# Title"), text("more")],
                    "accessory": {"type": 11, "media": {"url": "https://chat.test/i.png"}, "description": "picture"},
                },
                {"type": 14, "divider": False, "spacing": 2},
                {"type": 12, "items": [{"media": {"url": "https://chat.test/j.png"}, "spoiler": True}]},
                ROW,
            ],
        },
        {"type": 1, "components": [{"type": 5, "custom_id": "who", "placeholder": "Whom?", "min_values": 0}]},
    ]
    message = await layout(bot, guild, *tree)
    assert (message["content"], message["embeds"], message["flags"]) == ("", [], V2)
    [container, row] = message["components"]
    assert [it["id"] for it in (container, *container["components"], row)] == [1, 2, 6, 7, 8, 10]
    section, separator, gallery, _ = container["components"]
    for media in (section["accessory"]["media"], gallery["items"][0]["media"]):
        assert media["proxy_url"] == media["url"]
        assert int(media["id"]) > 0
    assert separator == {"type": 14, "id": 6, "divider": False, "spacing": 2}
    # What has come back may be sent again.
    again = await layout(bot, guild, *message["components"])
    assert [it["id"] for it in again["components"]] == [1, 10]


@sqlite_only
async def test_components_of_people_are_ignored(world: World) -> None:
    alice, guild, _ = await made(world)
    message = await alice.say(guild.general, "x", components=[ROW], flags=V2)
    assert (message["components"], message["flags"]) == ([], 0)
    path = f"/channels/{guild.general}/messages"
    assert (await alice.post(path, {"components": [ROW], "flags": V2})).error == EMPTY
    edited = (await alice.patch(f"{path}/{message['id']}", {"components": [ROW], "flags": V2})).ok(200)
    assert (edited["components"], edited["flags"], edited["edited_timestamp"]) == ([], 0, None)


@sqlite_only
@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"components": [text("x")]}, {"components.0": "UNION_TYPE_CHOICES"}),
        ({"components": [{"type": 4}]}, {"components.0": "UNION_TYPE_CHOICES"}),
        ({"components": 5}, {"components": "LIST_TYPE_CONVERT"}),
        ({"components": [{"type": 1, "components": []}]}, {"components.0.components": "BASE_TYPE_BAD_LENGTH"}),
        ({"components": [ROW] * 6}, {"components": "BASE_TYPE_MAX_LENGTH"}),
        (
            {"components": [text("x"), {"type": 13, "file": {"url": "attachment://a.png"}}], "flags": V2},
            {"components.1.file.url": "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"},
        ),
        ({"components": [text("x")], "flags": V2, "content": "x"}, {"content": LEGACY_FIELD}),
        ({"components": [text("x")], "flags": V2, "embeds": [{"title": "t"}]}, {"embeds": LEGACY_FIELD}),
        ({"content": "x", "flags": V2}, {"content": LEGACY_FIELD}),
    ],
)
async def test_what_is_refused(world: World, payload: Json, expected: dict[str, str]) -> None:
    _, guild, bot = await made(world, BOT_PERMISSIONS | 1 << 14)
    answer = await bot.post(f"/channels/{guild.general}/messages", payload)
    assert answer.error == BAD_FORM
    assert {path: answer.errors[path] for path in expected} == expected
    assert (await bot.get(f"/channels/{guild.general}/messages")).ok(200) == []


@sqlite_only
async def test_an_empty_layout(world: World) -> None:
    _, guild, bot = await made(world)
    for payload in ({"flags": V2}, {"flags": V2, "components": []}, {"components": None}):
        assert (await bot.post(f"/channels/{guild.general}/messages", payload)).error == EMPTY


async def test_edits(server: Server, world: World) -> None:
    alice, guild, bot = await made(world)
    message = await bot.say(guild.general, "choose", components=[ROW])
    path = f"/channels/{guild.general}/messages/{message['id']}"
    server.clock.advance(5)
    async with gateway(server.url, alice.token, intents=None) as it:
        edited = (await bot.patch(path, {"content": "chosen"})).ok(200)
        assert (edited["content"], edited["components"]) == ("chosen", [SENT_ROW])
        link = {"type": 2, "style": 5, "label": "Open", "url": "https://chat.test"}
        edited = (await bot.patch(path, {"components": [{"type": 1, "components": [link]}]})).ok(200)
        assert edited["components"][0]["components"] == [{**link, "id": 2, "disabled": False}]
        assert edited["edited_timestamp"] is not None
        assert (await it.next("MESSAGE_UPDATE", lambda d: d["components"] != [SENT_ROW]))["content"] == "chosen"
        assert (await bot.patch(path, {"components": None})).ok(200)["components"] == []
        assert (await bot.patch(path, {"content": "", "components": []})).error == EMPTY
        assert (await bot.patch(path, {"components": [text("x")]})).errors == {"components.0": "UNION_TYPE_CHOICES"}
        assert (await bot.get(path)).ok(200)["content"] == "chosen"


@sqlite_only
async def test_a_message_becomes_a_layout_for_good(world: World) -> None:
    alice, guild, bot = await made(world, BOT_PERMISSIONS | 1 << 14)
    message = await bot.say(guild.general, "words", embeds=[{"title": "t"}])
    path = f"/channels/{guild.general}/messages/{message['id']}"
    tree = [text("words")]
    answer = await bot.patch(path, {"components": tree, "flags": V2})
    assert answer.errors == {"content": LEGACY_FIELD, "embeds": LEGACY_FIELD}
    assert (await bot.patch(path, {"flags": V2})).errors == {"content": LEGACY_FIELD, "embeds": LEGACY_FIELD}
    # Of others' messages only the embeds may be hidden.
    assert (await alice.patch(path, {"flags": V2 | 4})).ok(200)["flags"] == 4
    edited = (await bot.patch(path, {"components": tree, "flags": V2, "content": None, "embeds": []})).ok(200)
    assert (edited["flags"], edited["content"], edited["embeds"]) == (V2, "", [])
    assert edited["components"] == [sent_text("words")]
    # The flag stays, whatever an edit says.
    for flags in ({}, {"flags": 0}, {"flags": V2}):
        edited = (await bot.patch(path, {"components": [text("other")], **flags})).ok(200)
        assert (edited["flags"], edited["components"]) == (V2, [sent_text("other")])
    assert (await bot.patch(path, {"content": "x"})).errors == {"content": LEGACY_FIELD}
    assert (await bot.patch(path, {"components": []})).error == EMPTY


@sqlite_only
async def test_text_displays_mention(server: Server, world: World) -> None:
    alice, guild, bot = await made(world, BOT_PERMISSIONS | MENTION_EVERYONE)
    role = (await alice.post(f"/guilds/{guild.id}/roles", {"name": "readers"})).ok(200)["id"]
    section = {
        "type": 9,
        "components": [text(f"<@{alice.id}>")],
        "accessory": {"type": 11, "media": {"url": "https://chat.test/i.png"}},
    }
    message = await layout(bot, guild, section, {"type": 17, "components": [text(f"@everyone <@&{role}>")]})
    assert [user["id"] for user in message["mentions"]] == [alice.id]
    assert (message["mention_roles"], message["mention_everyone"]) == ([role], True)
    quiet = await layout(bot, guild, text(f"<@{alice.id}> @here"), allowed_mentions={"parse": ["everyone"]})
    assert (quiet["mentions"], quiet["mention_everyone"]) == ([], True)
    path = f"/channels/{guild.general}/messages/{message['id']}"
    edited = (await bot.patch(path, {"components": [text(f"<@{bot.id}>")]})).ok(200)
    assert [user["id"] for user in edited["mentions"]] == [bot.id]
    assert (edited["mention_roles"], edited["mention_everyone"]) == ([], False)
    # Edits of buttons beside a text leave its mentions.
    plain = await bot.say(guild.general, f"<@{alice.id}>", components=[ROW])
    kept = (await bot.patch(f"/channels/{guild.general}/messages/{plain['id']}", {"components": []})).ok(200)
    assert [user["id"] for user in kept["mentions"]] == [alice.id]


@sqlite_only
async def test_custom_emojis(world: World) -> None:
    alice, guild, bot = await made(world)
    other = await world.guild(alice)
    picture = {"name": "wave", "image": data_uri(still())}
    own = (await alice.post(f"/guilds/{guild.id}/emojis", picture)).ok(201)["id"]
    foreign = (await alice.post(f"/guilds/{other.id}/emojis", picture)).ok(201)["id"]

    def with_emoji(emoji: Json) -> Json:
        option = {"label": "a", "value": "a", "emoji": emoji}
        return [
            {"type": 1, "components": [{**BUTTON, "emoji": emoji}]},
            {"type": 1, "components": [{"type": 3, "custom_id": "s", "options": [option]}]},
        ]

    path = f"/channels/{guild.general}/messages"
    sent = (await bot.post(path, {"components": with_emoji({"id": own, "name": "another"})})).ok(200)["components"]
    shown = {"id": own, "name": "wave", "animated": False}
    assert sent[0]["components"][0]["emoji"] == shown
    assert sent[1]["components"][0]["options"][0]["emoji"] == shown
    for unknown in (foreign, "5"):
        answer = await bot.post(path, {"components": with_emoji({"id": unknown})})
        assert answer.errors == {"components.0.components.0.emoji.id": "COMPONENT_INVALID_EMOJI"}
    everyone = f"/guilds/{guild.id}/roles/{guild.id}"
    permissions = int(guild.guild["roles"][0]["permissions"])
    await world.authorize(alice, bot.id, other, BOT_PERMISSIONS)
    (await alice.patch(everyone, {"permissions": str(permissions & ~USE_EXTERNAL_EMOJIS)})).ok(200)
    assert (await bot.post(path, {"components": with_emoji({"id": foreign})})).error == NO_PERMISSION
    (await alice.patch(everyone, {"permissions": str(permissions | USE_EXTERNAL_EMOJIS)})).ok(200)
    assert (await bot.post(path, {"components": with_emoji({"id": foreign})})).status == 200


@sqlite_only
async def test_the_first_message_of_a_post(world: World) -> None:
    alice, guild, bot = await made(world, BOT_PERMISSIONS | 1 << 35)
    forum = await world.channel(alice, guild, "forum", type=15)
    body = {"name": "post", "message": {"components": [text("words")], "flags": V2}}
    post = (await bot.post(f"/channels/{forum}/threads", body)).ok(201)
    assert (post["message"]["components"], post["message"]["flags"]) == ([sent_text("words")], V2)
