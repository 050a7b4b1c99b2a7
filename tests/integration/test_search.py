"""Searching a guild's messages: by words and by everything else, as far as the asker may read."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from chatd.model.errors import ApiError
from chatd.model.objects.account import Register
from chatd.model.objects.guild import GuildCreateParams
from chatd.model.objects.search import MessageSearch
from chatd.service import accounts, auth, guild_creation, search, search_index
from chatd.store.db import Overloaded, Tx
from tests.integration.test_restart import options, serving
from tests.support.app import Server
from tests.support.client import Answer, Client, Json
from tests.support.core import open_core
from tests.support.pictures import still
from tests.support.world import PASSWORD, Guild, User, World

__all__ = ["options"]

VIEW, HISTORY, MANAGE_THREADS = 1 << 10, 1 << 16, 1 << 34
PUBLIC, PRIVATE = 11, 12
NO_ACCESS, DISABLED, UNKNOWN_GUILD = (403, 50001), (403, 40006), (404, 10004)
NOTHING: tuple[int, list[str]] = (0, [])


async def ask(user: Client, guild: Guild, **query: Any) -> Answer:
    return await user.get(f"/guilds/{guild.id}/messages/search?{urlencode(query, doseq=True)}")


async def find(user: Client, guild: Guild, **query: Any) -> tuple[int, list[str]]:
    """The total, and the contents."""
    answer = (await ask(user, guild, **query)).ok(200)
    assert all(message["hit"] for (message,) in answer["messages"])
    return answer["total_results"], [message["content"] for (message,) in answer["messages"]]


async def say(server: Server, user: User, channel_id: str, *contents: str, **fields: Any) -> list[Json]:
    """Posted, and to be found."""
    said = [await user.say(channel_id, content, **fields) for content in contents]
    await server.core.search_index.catch_up()
    return said


# --- words -----------------------------------------------------------------------------------------------------------

TEXTS = [
    "Hello World",
    "the world is not enough",
    "日本語のテストです",
    "ｆｕｌｌ width, 100% or a_b",
    'a "quoted phrase" here',
    "Übergröße straße",
    "no",
]


# Query -> which of them, in order.
ASKED: list[tuple[dict[str, Any], list[int]]] = [
    ({"content": "WORLD"}, [1, 0]),
    ({"content": "world hello"}, [0]),
    ({"content": "orl"}, [1, 0]),  # inside a word
    ({"content": "worldly"}, []),
    ({"content": "o"}, [6, 4, 3, 1, 0]),
    ({"content": "no"}, [6, 1]),
    ({"content": "日本"}, [2]),
    ({"content": "語のテ"}, [2]),
    ({"content": "テスト 日本語"}, [2]),
    ({"content": "full"}, [3]),
    ({"content": "0%"}, [3]),
    ({"content": "%"}, [3]),
    ({"content": "a_b"}, [3]),
    ({"content": "a_c"}, []),
    ({"content": '"quoted phrase"'}, [4]),
    ({"content": '"phrase quoted"'}, []),
    ({"content": "phrase quoted"}, [4]),
    ({"content": "phrase quoted", "slop": 0}, []),
    ({"content": "quoted phrase", "slop": 0}, [4]),
    ({"content": "is not", "slop": 0}, [1]),
    ({"content": "ÜBERGRÖSSE STRASSE"}, [5]),
    ({"content": "   "}, [6, 5, 4, 3, 2, 1, 0]),
    ({"content": "world", "sort_by": "relevance"}, [0, 1]),
    ({"content": "world", "sort_order": "asc"}, [0, 1]),
]


async def test_words(server: Server, world: World) -> None:
    owner = await world.person()
    guild = await world.guild(owner)
    await say(server, owner, guild.general, *TEXTS)
    for query, expected in ASKED:
        found = await find(owner, guild, **query)
        assert found == (len(expected), [TEXTS[index] for index in expected]), query


# --- filters ---------------------------------------------------------------------------------------------------------


async def test_filters(server: Server, world: World) -> None:
    owner = await world.person()
    guild = await world.guild(owner)
    bot = await world.bot(owner, guild)
    here, there = guild.general, await world.channel(owner, guild)
    role = (await owner.post(f"/guilds/{guild.id}/roles", {})).ok(200)["id"]
    (plain,) = await say(server, owner, here, "plain")
    await say(server, owner, there, "elsewhere")
    await say(server, bot, here, "from a bot")
    await say(server, owner, here, f"for <@{bot.id}>")
    await say(server, owner, here, f"for <@&{role}>")
    await say(server, owner, here, "for @everyone")
    await say(server, owner, here, "look: https://Chat.test:8080/x?y and http://[broken")
    await say(server, owner, here, "embedded", embeds=[{"title": "t", "image": {"url": "https://chat.test/i.png"}}])
    (reply,) = await say(server, bot, here, "a reply", message_reference={"message_id": plain["id"]})
    webhook = (await owner.post(f"/channels/{there}/webhooks", {"name": "hook"})).ok(200)
    (await owner.post(f"/webhooks/{webhook['id']}/{webhook['token']}", {"content": "from a webhook"})).ok(204)
    (await owner.put(f"/channels/{here}/messages/pins/{plain['id']}")).ok(204)
    await server.core.search_index.catch_up()
    everything = ["a reply", "embedded", "look: https://Chat.test:8080/x?y and http://[broken", "for @everyone"]
    everything += [f"for <@&{role}>", f"for <@{bot.id}>", "from a bot", "elsewhere", "plain"]

    for query, expected in (
        ({"channel_id": there}, ["from a webhook", "elsewhere"]),
        ({"channel_id": [there, "1"]}, ["from a webhook", "elsewhere"]),
        ({"channel_id": "1"}, []),
        ({"author_id": bot.id}, ["a reply", "from a bot"]),
        ({"author_id": [bot.id, "1"], "content": "bot"}, ["from a bot"]),
        ({"author_type": "bot"}, ["a reply", "from a bot"]),
        ({"author_type": "-bot", "content": "e", "channel_id": there}, ["from a webhook", "elsewhere"]),
        ({"author_type": ["user", "-user"]}, []),
        ({"author_type": "webhook"}, ["from a webhook"]),
        ({"author_type": ["bot", "webhook"], "content": "from"}, ["from a webhook", "from a bot"]),
        ({"author_type": ["-bot", "-user"]}, ["from a webhook"]),
        ({"mentions": bot.id}, [f"for <@{bot.id}>"]),
        ({"mentions": [owner.id, bot.id]}, ["a reply", f"for <@{bot.id}>"]),
        ({"mentions_role_id": role}, [f"for <@&{role}>"]),
        ({"mention_everyone": "true"}, ["for @everyone"]),
        ({"mention_everyone": "false", "content": "for"}, [f"for <@&{role}>", f"for <@{bot.id}>"]),
        ({"replied_to_user_id": owner.id}, ["a reply"]),
        ({"replied_to_user_id": bot.id}, []),
        ({"replied_to_message_id": plain["id"]}, ["a reply"]),
        ({"pinned": "true", "author_type": "user"}, ["plain"]),
        ({"has": "link"}, [everything[2]]),
        ({"has": ["embed", "image"]}, ["embedded"]),
        ({"has": ["embed", "link"]}, []),
        ({"has": ["embed", "-image"]}, []),
        ({"has": "-link", "channel_id": there}, ["from a webhook", "elsewhere"]),
        ({"has": ["poll"]}, []),
        ({"link_hostname": "chat.TEST"}, [everything[2]]),
        ({"link_hostname": "test"}, []),
        ({"embed_type": "image"}, []),
        ({"attachment_extension": "txt"}, []),
        ({"max_id": plain["id"]}, []),
        ({"min_id": plain["id"], "max_id": reply["id"], "author_id": bot.id}, ["from a bot"]),
        ({"min_id": reply["id"], "author_id": bot.id}, []),
    ):
        assert await find(owner, guild, **query) == (len(expected), expected), query
    notice = ""  # of the pin
    assert await find(owner, guild) == (11, [notice, "from a webhook", *everything])


async def test_webhooks_and_layouts(server: Server, world: World, owner: User, guild: Guild, bot: User) -> None:
    made = (await owner.post(f"/channels/{guild.general}/webhooks", {"name": "news"})).ok(200)
    path = f"/webhooks/{made['id']}/{made['token']}?wait=true"
    (await world.anybody.post(path, {"content": "from a webhook"})).ok(200)
    tree = [{"type": 17, "components": [{"type": 10, "content": "see https://docs.test/page"}]}]
    layout = {"components": tree, "flags": 1 << 15}
    (await bot.post(f"/channels/{guild.general}/messages", layout)).ok(200)
    await server.core.search_index.catch_up()
    assert await find(owner, guild, author_type="webhook") == (1, ["from a webhook"])
    assert await find(owner, guild, author_id=made["id"]) == (1, ["from a webhook"])
    assert await find(owner, guild, author_type="bot") == (1, [""])
    assert await find(owner, guild, link_hostname="docs.test") == (1, [""])
    assert await find(owner, guild, content="page") == (1, [""])


async def test_files_polls_stickers_and_forwards(server: Server, world: World, owner: User, guild: Guild) -> None:
    path = f"/channels/{guild.general}/messages"
    files = {"files[0]": ("Notes.TXT", b"remember the milk"), "files[1]": ("i.png", still())}
    (await owner.upload(path, {"payload_json": '{"content": "files"}'}, files)).ok(200)
    sticker = {"name": "sticker", "tags": "wave", "description": "waves"}
    made = (await owner.upload(f"/guilds/{guild.id}/stickers", sticker, {"file": still()})).ok(201)
    await owner.say(guild.general, "sticker", sticker_ids=[made["id"]])
    poll = {"question": {"text": "Where?"}, "answers": [{"poll_media": {"text": "Here"}}], "duration": 1}
    said = await owner.say(guild.general, "poll", poll=poll)
    reference = {"type": 1, "channel_id": guild.general, "message_id": (await owner.say(guild.general, "plain"))["id"]}
    (await owner.post(path, {"message_reference": reference})).ok(200)
    await server.core.search_index.catch_up()
    assert said["poll"]
    forward = ""

    for query, expected in (
        ({"has": "file"}, ["files"]),
        ({"has": ["image", "file"]}, ["files"]),
        ({"has": "sound"}, []),
        ({"has": "video"}, []),
        ({"attachment_extension": ["txt", "doc"]}, ["files"]),
        ({"attachment_extension": "tx"}, []),
        ({"attachment_filename": "notes.txt"}, ["files"]),
        ({"has": "sticker"}, ["sticker"]),
        ({"has": "poll"}, ["poll"]),
        ({"has": "snapshot"}, [forward]),
        ({"has": ["-snapshot", "-poll", "-sticker", "-file"]}, ["plain"]),
        ({"replied_to_user_id": owner.id}, []),
    ):
        assert await find(owner, guild, **query) == (len(expected), expected), query


async def test_pages_hold_each_message_once(server: Server, world: World) -> None:
    owner = await world.person()
    guild = await world.guild(owner)
    said = await say(server, owner, guild.general, *(f"number {number}" for number in range(30)))
    ids = [message["id"] for message in said]

    async def page(**query: Any) -> list[str]:
        answer = (await ask(owner, guild, content="number", **query)).ok(200)
        assert answer["total_results"] == 30
        return [message["id"] for (message,) in answer["messages"]]

    assert await page() == ids[:4:-1]
    assert await page(offset=25) == ids[4::-1]
    assert await page(offset=30) == []
    assert await page(limit=3, offset=2, sort_order="asc") == ids[2:5]


async def test_bad_queries_are_refused(world: World, guild: Guild, owner: User) -> None:
    for query, path in (
        ({"limit": 0}, "limit"),
        ({"limit": 26}, "limit"),
        ({"offset": 9976}, "offset"),
        ({"content": "x" * 1025}, "content"),
        ({"has": "nothing"}, "has.0"),
        ({"author_id": ["1"] * 101}, "author_id"),
        ({"author_id": "x"}, "author_id.0"),
        ({"slop": 101}, "slop"),
        ({"sort_by": "size"}, "sort_by"),
    ):
        assert path in (await ask(owner, guild, **query)).errors, query


# --- who finds what --------------------------------------------------------------------------------------------------


async def test_only_readable_channels_are_searched(server: Server, world: World) -> None:
    owner, member = await world.person(), await world.person()
    guild = await world.guild(owner, member)
    hidden, mute, nsfw = [await world.channel(owner, guild, name) for name in ("hidden", "mute", "nsfw")]
    for channel_id, denied in ((hidden, VIEW), (mute, HISTORY)):
        overwrite = {"type": 0, "allow": "0", "deny": str(denied)}
        (await owner.put(f"/channels/{channel_id}/permissions/{guild.id}", overwrite)).ok(204)
    (await owner.patch(f"/channels/{nsfw}", {"nsfw": True})).ok(200)
    for name, channel_id in (("general", guild.general), ("hidden", hidden), ("mute", mute), ("nsfw", nsfw)):
        await say(server, owner, channel_id, f"word {name}")

    assert await find(member, guild, content="word") == (1, ["word general"])
    assert await find(member, guild, content="word", include_nsfw="true") == (2, ["word nsfw", "word general"])
    assert await find(member, guild, channel_id=[hidden, mute, nsfw]) == NOTHING
    assert await find(owner, guild, content="word") == (3, ["word mute", "word hidden", "word general"])

    (await owner.delete(f"/channels/{hidden}/permissions/{guild.id}")).ok(204)
    assert await find(member, guild, content="hidden") == (1, ["word hidden"])


async def test_threads_are_searched_by_who_sees_them(server: Server, world: World) -> None:
    owner, member, guest = await world.person(), await world.person(), await world.person()
    guild = await world.guild(owner, member, guest)
    made = {}
    for name, kind in (("public", PUBLIC), ("private", PRIVATE)):
        thread = (await owner.post(f"/channels/{guild.general}/threads", {"name": name, "type": kind})).ok(201)
        await say(server, owner, thread["id"], f"word {name}")
        made[name] = thread["id"]
    (await owner.put(f"/channels/{made['private']}/thread-members/{guest.id}")).ok(204)

    assert await find(member, guild, content="word") == (1, ["word public"])
    assert await find(member, guild, channel_id=made["private"]) == NOTHING
    assert await find(guest, guild, content="word") == (2, ["word private", "word public"])
    assert await find(owner, guild, content="word") == (2, ["word private", "word public"])
    (await owner.patch(f"/channels/{made['private']}", {"archived": True})).ok(200)
    answer = (await ask(guest, guild, content="word")).ok(200)
    assert {thread["id"] for thread in answer["threads"]} == set(made.values())
    assert [(it["id"], it["user_id"]) for it in answer["members"]] == [(made["private"], guest.id)]

    manager = await world.bot(owner, guild, permissions=VIEW | HISTORY | MANAGE_THREADS)
    assert await find(manager, guild, content="word") == (2, ["word private", "word public"])
    hiding = {"type": 0, "allow": "0", "deny": str(VIEW)}
    (await owner.put(f"/channels/{guild.general}/permissions/{guild.id}", hiding)).ok(204)
    assert await find(guest, guild, content="word") == NOTHING


async def test_other_guilds_and_direct_channels_are_not_searched(server: Server, world: World) -> None:
    owner, member = await world.person(), await world.person()
    guild, other = await world.guild(owner, member), await world.guild(owner)
    await say(server, owner, other.general, "word of another guild")
    await say(server, owner, await owner.dm(member), "word for one")
    assert await find(owner, guild) == NOTHING
    assert (await ask(member, other)).error == UNKNOWN_GUILD


async def test_bots_need_the_intent(server: Server, world: World, owner: User, guild: Guild, bot: User) -> None:
    await say(server, owner, guild.general, "word")
    assert await find(bot, guild) == (1, ["word"])
    (await owner.patch(f"/applications/{bot.id}", {"flags": 0})).ok(200)
    assert (await ask(bot, guild)).error == NO_ACCESS


# --- what becomes of messages ----------------------------------------------------------------------------------------


async def test_edits_and_deletions(server: Server, world: World, owner: User, guild: Guild) -> None:
    kept, edited, deleted = await say(server, owner, guild.general, "old kept", "old edited", "old deleted")
    (await owner.patch(f"/channels/{guild.general}/messages/{edited['id']}", {"content": "new https://a.test"})).ok(200)
    (await owner.delete(f"/channels/{guild.general}/messages/{deleted['id']}")).ok(204)
    # Before the index has heard of it as well as after.
    assert await find(owner, guild, content="old") == (1, ["old kept"])
    await server.core.search_index.catch_up()
    assert await find(owner, guild, content="old") == (1, ["old kept"])
    assert await find(owner, guild, content="new", has="link") == (1, ["new https://a.test"])

    (await owner.patch(f"/channels/{guild.general}/messages/{edited['id']}", {"content": "plain"})).ok(200)
    await server.core.search_index.catch_up()
    assert await find(owner, guild, has="link") == NOTHING
    (await owner.delete(f"/channels/{guild.general}")).ok(200)
    await server.core.search_index.catch_up()
    assert await find(owner, guild, include_nsfw="true") == NOTHING
    assert kept["content"] == "old kept"


@pytest.mark.options({"search.enabled": False})
async def test_whatever_there_is_gets_indexed(server: Server, world: World, owner: User, guild: Guild) -> None:
    count = 2 * search_index.BATCH + 1
    await say(server, owner, guild.general, *map(str, range(count)))
    index = search_index.SearchIndex(server.core.db, enabled=True)
    await index.catch_up()
    assert index.is_ready
    assert index.documents == count


async def test_the_index_goes_on_after_a_crash(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        owner = await world.person("owner")
        guild = await world.guild(owner)
        before, gone = await owner.say(guild.general, "word one"), await owner.say(guild.general, "word two")
        await running.core.search_index.catch_up()
        await owner.say(guild.general, "word three")
        (await owner.patch(f"/channels/{guild.general}/messages/{before['id']}", {"content": "word 1"})).ok(200)
        (await owner.delete(f"/channels/{guild.general}/messages/{gone['id']}")).ok(204)
    async with serving(options) as running, World(running.url) as world:
        owner = world.user(owner.pair)
        await running.core.search_index.catch_up()
        assert await find(owner, guild, content="word") == (2, ["word three", "word 1"])
        assert await find(owner, guild, content="one") == NOTHING


async def test_the_operator_may_turn_it_off(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        owner = await world.person("owner")
        guild = await world.guild(owner)
        said = await owner.say(guild.general, "word one")
        await running.core.search_index.catch_up()
    async with serving({**options, "search.enabled": False}) as running, World(running.url) as world:
        owner = world.user(owner.pair)
        assert (await ask(owner, guild)).error == DISABLED
        await running.core.search_index.catch_up()
        (await owner.patch(f"/channels/{guild.general}/messages/{said['id']}", {"content": "word 1"})).ok(200)
        for table in ("search_messages", "search_terms", "search_stale"):
            assert await running.core.db.read(_count, table) == 0
    async with serving(options) as running, World(running.url) as world:
        owner = world.user(owner.pair)
        await running.core.search_index.catch_up()
        assert await find(owner, guild, content="word") == (1, ["word 1"])


async def test_while_the_index_is_made_clients_are_told_to_come_back(tmp_path: Path) -> None:
    async with open_core(tmp_path) as core:
        registered = await accounts.register(core, Register(username="owner", password=PASSWORD))
        me = await auth.authenticate(core, f"Bearer {registered.access_token}")
        guild = await guild_creation.create(core, me, GuildCreateParams(name="Reading room"))
        with pytest.raises(ApiError) as refusal:
            await search.messages_of_guild(core, me, guild.id, MessageSearch())
        body = {"message": "Index not yet available. Try again later", "code": 110000}
        assert refusal.value.status == 202
        assert refusal.value.body() == {**body, "documents_indexed": 0, "retry_after": 2}
        await core.search_index.catch_up()
        assert (await search.messages_of_guild(core, me, guild.id, MessageSearch())).total_results == 0


async def test_searches_wait_for_their_turn_up_to_a_number(tmp_path: Path) -> None:
    async with open_core(tmp_path) as core, trio.open_nursery() as nursery:

        async def search_for_ever() -> None:
            async with core.search_index.turn():
                await trio.sleep_forever()

        for _ in range(1 + search_index.WAITING):
            nursery.start_soon(search_for_ever)
        await wait_all_tasks_blocked()
        with pytest.raises(Overloaded):
            await search_for_ever()
        nursery.cancel_scope.cancel()


def _count(tx: Tx, table: str) -> int:
    return int(tx.scalar(f"SELECT COUNT(*) FROM {table}"))
