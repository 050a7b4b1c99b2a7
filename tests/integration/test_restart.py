"""Sessions survive the server: stopped in order, and killed."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import trio

from chatd import app
from chatd.config import load
from chatd.service import checkpoints, crossposts, polls, retention
from chatd.store import crossposts as store
from chatd.store import journal, open_database
from chatd.store import retention as retention_store
from chatd.store.db import Tx, cols
from chatd.store.sessions import SessionRow
from chatd.web.fetch import Web, public_web
from tests.support.app import OPTIONS
from tests.support.client import ALL_INTENTS, Client, Gateway, Json, connect, gateway, resumed
from tests.support.core import Clock
from tests.support.postgres import fresh_database
from tests.support.site import local_web, response, site
from tests.support.world import Guild, User, World

POLL = {"question": {"text": "Where to?"}, "answers": [{"poll_media": {"text": text}} for text in "ab"], "duration": 1}


@pytest.fixture(params=["sqlite", "postgres"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    settings = {**OPTIONS, "data.dir": str(tmp_path), "gateway.checkpoint_s": 0.01}
    if request.param == "sqlite":
        yield settings
        return
    with fresh_database(lambda url: None) as url:
        yield {**settings, "database.url": url}


@asynccontextmanager
async def serving(
    options: dict[str, Any],
    *,
    kill: bool = False,
    clock: Callable[[], int] = app.unix_ms,
    web: Callable[[], Web] = public_web,
) -> AsyncIterator[app.Running]:
    """A run of the server; with `kill` it ends without a farewell: nothing is drained, nothing more is written."""
    async with killable(options, clock, web) as (running, killed):
        yield running
        if kill:
            killed.cancel()
        else:
            running.stop()


@asynccontextmanager
async def killable(
    options: dict[str, Any], clock: Callable[[], int] = app.unix_ms, web: Callable[[], Web] = public_web
) -> AsyncIterator[tuple[app.Running, trio.CancelScope]]:
    """A run of the server, and the scope whose cancellation kills it."""
    killed = trio.CancelScope()

    async def run(task_status: trio.TaskStatus[app.Running]) -> None:
        with killed:
            await app.run(load(None, {}, options), clock_ms=clock, web=web, task_status=task_status)

    async with trio.open_nursery() as nursery:
        yield await nursery.start(run), killed


async def settle(world: World) -> tuple[User, User, Guild]:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    return alice, bot, guild


async def seen(client: Gateway, count: int) -> list[str]:
    """The contents of the messages that the client has got, once they are that many."""
    while len(client.named("MESSAGE_CREATE")) < count:
        await client.next("MESSAGE_CREATE")
    return [message["content"] for message in client.named("MESSAGE_CREATE")]


async def test_a_stop_in_order_is_no_excuse(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            sent = [await alice.say(guild.general, f"before {number}") for number in range(5)]
            assert await seen(client, 5) == [message["content"] for message in sent]
            running.stop()
            assert (await client.until_closed()).code == 1012
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client, seq=client.seq - 2) as again:
            assert await seen(again, 2) == ["before 3", "before 4"]
            async with alice.on(running.url) as somebody:
                (await somebody.post(f"/channels/{guild.general}/messages", {"content": "after"})).ok(200)
            assert await seen(again, 3) == ["before 3", "before 4", "after"]


async def test_what_was_committed_when_the_server_was_killed_is_told(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            first = await alice.say(guild.general, "one")
            await seen(client, 1)
            await until_noted(running)
            client.cut()
            await alice.say(guild.general, "two")
            await alice.patch(f"/channels/{guild.general}/messages/{first['id']}", {"content": "one, edited"})
            gone = await alice.say(guild.general, "three")
            await alice.delete(f"/channels/{guild.general}/messages/{gone['id']}")
            await alice.say(guild.general, "four")
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            names = [name for name, _ in again.events if name.startswith("MESSAGE")]
            assert names == ["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_CREATE", "MESSAGE_DELETE", "MESSAGE_CREATE"]
            assert await seen(again, 3) == ["two", "three", "four"]
            assert again.named("MESSAGE_UPDATE")[0]["content"] == "one, edited"
            assert again.named("MESSAGE_DELETE")[0]["id"] == gone["id"]


async def test_embeds_of_links_are_told(options: dict[str, Any]) -> None:
    async with site({"/": response(b"<title>Page</title>")}) as linked:
        unfurling = {**options, "unfurl.enabled": True}
        async with serving(unfurling, kill=True, web=local_web) as running, World(running.url) as world:
            alice, bot, guild = await settle(world)
            async with gateway(running.url, bot.token) as client, gateway(running.url, alice.token) as other:
                await until_noted(running)
                client.cut()
                await alice.say(guild.general, linked.url())
                await other.next("MESSAGE_UPDATE")
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            assert again.named("MESSAGE_CREATE")[0]["embeds"] == []
            assert again.named("MESSAGE_UPDATE")[0]["embeds"][0]["title"] == "Page"


async def test_reactions_pins_and_deletions_are_told_as_they_were(options: dict[str, Any]) -> None:
    """Another session of the same user, which hears of everything as it happens, is the measure."""
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        direct = await alice.dm(bot)
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(gateway(running.url, user.token, intents=ALL_INTENTS))
                for user in (alice, bot) * 2
            ]
            left, stayed = clients[:2], clients[2:]
            first, second = await bot.say(guild.general, "one"), await bot.say(direct, "two")
            for client in clients:
                await seen(client, 2)
            await until_noted(running)
            known = [len(client.events) for client in stayed]
            for client in left:
                client.cut()
            await react_pin_and_delete(alice, bot, guild, first, second)
            for client in stayed:
                await seen(client, 9)
            told = [client.events[count:] for client, count in zip(stayed, known, strict=True)]
    names = {name for name, _ in told[0]}
    assert len(names) == 10
    assert "GUILD_AUDIT_LOG_ENTRY_CREATE" in names
    assert "GUILD_AUDIT_LOG_ENTRY_CREATE" not in {name for name, _ in told[1]}
    async with serving(options) as running:
        for client, expected in zip(left, told, strict=True):
            client.url = running.url
            async with resumed(client) as again:
                assert [event for event in again.events if event[0] != "RESUMED"] == expected


async def test_votes_and_ends_of_polls_are_told_once(options: dict[str, Any]) -> None:
    """One poll is ended by its author while the bot is away, the other by its time while the server is."""
    options["gateway.resume_window_s"] = 7200.0
    clock = Clock()
    async with serving(options, kill=True, clock=clock) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        messages = f"/channels/{guild.general}/messages"
        async with gateway(running.url, bot.token) as left, gateway(running.url, bot.token) as stayed:
            first, second = [(await alice.post(messages, {"poll": POLL})).ok(200) for _ in range(2)]
            for client in (left, stayed):
                await seen(client, 2)
            await until_noted(running)
            known = len(stayed.events)
            left.cut()
            for poll, answer_ids in ((first, [1]), (second, [1]), (first, [2])):
                path = f"/channels/{guild.general}/polls/{poll['id']}/answers/@me"
                (await alice.put(path, {"answer_ids": answer_ids})).ok(204)
            (await alice.put(f"{messages}/pins/{first['id']}")).ok(204)
            (await alice.post(f"/channels/{guild.general}/polls/{first['id']}/expire")).ok(200)
            await bot.say(guild.general, "the end")
            await seen(stayed, 5)
            told = stayed.events[known:]
    votes = ["MESSAGE_POLL_VOTE_ADD"] * 2 + ["MESSAGE_POLL_VOTE_REMOVE", "MESSAGE_POLL_VOTE_ADD"]
    pin, end = ["MESSAGE_UPDATE", "CHANNEL_PINS_UPDATE", "MESSAGE_CREATE"], ["MESSAGE_UPDATE", "MESSAGE_CREATE"]
    assert [name for name, _ in told] == [*votes, *pin, *end, "MESSAGE_CREATE"]
    clock.advance(3600)
    async with serving(options, kill=True, clock=clock) as running:
        await polls.end_due(running.core)
        left.url = running.url
        async with resumed(left) as again:
            await seen(again, 4)
            missed = [event for event in again.events if event[0] != "RESUMED"]
            assert missed[: len(told)] == told
            assert [name for name, _ in missed[len(told) :]] == end
            assert missed[-2][1]["poll"]["results"] == {
                "answer_counts": [{"id": 1, "count": 1, "me_voted": False}],
                "is_finalized": True,
            }
            await until_noted(running)
            again.cut()  # a farewell would end the session
    async with serving(options, clock=clock) as running:
        await polls.end_due(running.core)
        again.url = running.url
        async with resumed(again) as last:
            assert [name for name, _ in last.events] == ["RESUMED"]


async def test_files_are_told_with_links_that_are_good(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        path = f"/channels/{guild.general}/messages"
        async with gateway(running.url, bot.token) as client:
            await until_noted(running)
            client.cut()
            message = (await alice.upload(path, {}, {"file": b"1"})).ok(200)
            (await alice.upload(f"{path}/{message['id']}", {}, {"file": b"2"}, method="PATCH")).ok(200)
    async with serving(options) as running, Client(running.url) as anybody:
        client.url = running.url
        async with resumed(client) as again:
            [posted], [edited] = again.named("MESSAGE_CREATE"), again.named("MESSAGE_UPDATE")
            links = [urlsplit(attachment["url"]) for attachment in (*posted["attachments"], *edited["attachments"])]
            assert {f"{link.scheme}://{link.netloc}" for link in links} == {running.url}
            contents = [(await anybody.get(f"/{link.path}?{link.query}")).content for link in links]
            assert contents == [b"1", b"1", b"2"]


async def test_files_whose_time_is_over_are_told_of_once(options: dict[str, Any]) -> None:
    clock = Clock()
    async with serving(options, kill=True, clock=clock) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        path = f"/channels/{guild.general}/messages"
        async with gateway(running.url, bot.token) as client:
            await until_noted(running)
            client.cut()
            (await alice.upload(path, {"content": "see"}, {"file": b"1"})).ok(200)
            await running.core.db.write(retention_store.change, retention_store.EVERYWHERE, {"files_s": 60})
            clock.advance(61)
            await retention.keep_files(running.core)
    async with serving(options, clock=clock) as running:
        client.url = running.url
        async with resumed(client) as again:
            told = [(name, data["attachments"] == []) for name, data in again.events if name != "RESUMED"]
    assert told == [("MESSAGE_CREATE", False), ("MESSAGE_UPDATE", True)]


async def test_layouts_and_forwards_are_told_as_they_were(options: dict[str, Any]) -> None:
    """To a session that reads content, and to one that does not."""
    lean_intents = ALL_INTENTS & ~(1 << 15)
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        other = await world.bot(alice, guild)
        messages = f"/channels/{guild.general}/messages"
        async with AsyncExitStack() as stack:
            full, lean, full_stayed, lean_stayed = [
                await stack.enter_async_context(gateway(running.url, other.token, intents=intents))
                for intents in (ALL_INTENTS, lean_intents) * 2
            ]
            await alice.say(guild.general, "before")
            for client in (full, lean, full_stayed, lean_stayed):
                await seen(client, 1)
            await until_noted(running)
            known = [len(client.events) for client in (full_stayed, lean_stayed)]
            for client in (full, lean):
                client.cut()
            tree = [{"type": 17, "components": [{"type": 10, "content": f"<@{alice.id}>"}, {"type": 14}]}]
            layout = (await bot.post(messages, {"components": tree, "flags": 1 << 15})).ok(200)
            reference = {"type": 1, "channel_id": guild.general, "message_id": layout["id"]}
            (await alice.post(messages, {"message_reference": reference})).ok(200)
            edited = [{"type": 10, "content": "other words", "id": 9}]
            (await bot.patch(f"{messages}/{layout['id']}", {"components": edited})).ok(200)
            await alice.say(guild.general, "the end")
            for client in (full_stayed, lean_stayed):
                await seen(client, 4)
            told = [client.events[count:] for client, count in zip((full_stayed, lean_stayed), known, strict=True)]
    assert [name for name, _ in told[0]] == ["MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_CREATE"]
    async with serving(options) as running:
        for client, expected in zip((full, lean), told, strict=True):
            client.url = running.url
            async with resumed(client) as again:
                assert [event for event in again.events if event[0] != "RESUMED"] == expected


async def react_pin_and_delete(alice: User, bot: User, guild: Guild, first: Json, second: Json) -> None:
    """Every event of messages, ended by a message: nine have been posted since the beginning, two of them before."""
    messages = f"/channels/{guild.general}/messages"
    thumb, heart = quote("👍"), quote("❤️")
    for path in (f"{messages}/{first['id']}", f"/channels/{second['channel_id']}/messages/{second['id']}"):
        for user in (alice, bot):
            for emoji in (thumb, heart):
                (await user.put(f"{path}/reactions/{emoji}/@me")).ok(204)
        (await bot.delete(f"{path}/reactions/{thumb}/@me")).ok(204)
    (await alice.delete(f"{messages}/{first['id']}/reactions/{heart}")).ok(204)
    (await alice.delete(f"{messages}/{first['id']}/reactions")).ok(204)
    (await alice.put(f"{messages}/pins/{first['id']}")).ok(204)
    (await alice.put(f"/channels/{second['channel_id']}/messages/pins/{second['id']}")).ok(204)
    (await alice.delete(f"{messages}/pins/{first['id']}")).ok(204)
    gone = [(await bot.say(guild.general, "gone"))["id"] for _ in range(4)]
    (await alice.delete(f"{messages}/{gone[0]}")).ok(204)
    (await alice.delete(f"{messages}/{gone[1]}")).ok(204)  # counted in the entry of the one before
    (await alice.post(f"{messages}/bulk-delete", {"messages": gone[2:]})).ok(204)
    await bot.say(guild.general, "the end")


async def test_webhooks_and_what_they_post_are_told_as_they_were(options: dict[str, Any]) -> None:
    """Another session of the same user is the measure, as above."""
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        news = await world.channel(alice, guild, "news", type=5)
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(gateway(running.url, it.token)) for it in (alice, bot) * 2]
            left, stayed = clients[:2], clients[2:]
            await alice.say(guild.general, "one")
            for client in clients:
                await seen(client, 1)
            await until_noted(running)
            known = [len(client.events) for client in stayed]
            for client in left:
                client.cut()
            await use_webhooks(running, alice, guild, news)
            for client in stayed:
                await seen(client, 7)
            told = [client.events[count:] for client, count in zip(stayed, known, strict=True)]
    assert {"WEBHOOKS_UPDATE", "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"} <= {name for name, _ in told[1]}
    async with serving(options) as running:
        for client, expected in zip(left, told, strict=True):
            client.url = running.url
            async with resumed(client) as again:
                assert [event for event in again.events if event[0] != "RESUMED"] == expected


async def use_webhooks(running: app.Running, alice: User, guild: Guild, news: str) -> None:
    """Six messages: two of a webhook, the notice of a follower, what is published, its copy, and one to end with."""
    webhook = (await alice.post(f"/channels/{guild.general}/webhooks", {"name": "Ticker"})).ok()
    path = f"/webhooks/{webhook['id']}/{webhook['token']}"
    kept, gone = [
        (await alice.post(path, {"content": "hello", "username": name}, wait="true")).ok()["id"] for name in "ab"
    ]
    (await alice.patch(f"{path}/messages/{kept}", {"content": "changed"})).ok()
    (await alice.delete(f"{path}/messages/{gone}")).ok()
    (await alice.patch(path, {"name": "Renamed"})).ok()
    (await alice.delete(path)).ok()
    (await alice.post(f"/channels/{news}/followers", {"webhook_channel_id": guild.general})).ok()
    source = f"/channels/{news}/messages/{(await alice.say(news, 'news'))['id']}"
    (await alice.post(f"{source}/crosspost")).ok()
    (await alice.patch(source, {"content": "better news"})).ok()
    await crossposts.deliver(running.core)
    (await alice.delete(source)).ok()
    await crossposts.deliver(running.core)
    await alice.say(guild.general, "the end")


async def test_copies_that_a_crash_has_left_undone_are_posted(options: dict[str, Any]) -> None:
    def publish(tx: Tx) -> None:  # all that is committed before the copies are
        store.publish(tx, int(source["id"]), int(news))

    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, _, guild = await settle(world)
        news = await world.channel(alice, guild, "news", type=5)
        (await alice.post(f"/channels/{news}/followers", {"webhook_channel_id": guild.general})).ok()
        source = await alice.say(news, "news")
        await running.core.db.write(publish)
    async with serving(options) as running, alice.on(running.url) as her:
        await crossposts.deliver(running.core)
        copy, notice = (await her.get(f"/channels/{guild.general}/messages")).ok()
        assert (copy["content"], copy["message_reference"]["message_id"]) == ("news", source["id"])
        assert notice["type"] == 12


@pytest.mark.parametrize(
    "change", [("PATCH", "/channels/{}", {"topic": "new"}), ("DELETE", "/guilds/{}", ...)], ids=["edit", "end"]
)
async def test_nobody_resumes_across_a_change_that_cannot_be_told_again(
    options: dict[str, Any], change: tuple[str, str, Any]
) -> None:
    method, path, payload = change
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            await alice.say(guild.general, "one")
            await seen(client, 1)
            await until_noted(running)
            client.cut()
            changed = guild.id if "guilds" in path else guild.general
            (await alice.request(method, path.format(changed), payload)).ok()
    async with serving(options) as running:
        client.url = running.url
        await refused(client, bot.token)


async def test_who_was_in_voice_is_told_to_have_left_before_a_stop(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            await in_voice(client, guild)
            running.stop()
            assert (await client.until_closed()).code == 1012
            assert [state["channel_id"] is None for state in client.named("VOICE_STATE_UPDATE")] == [False, True]
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again, alice.on(running.url) as somebody:
            (await somebody.post(f"/channels/{guild.general}/messages", {"content": "after"})).ok(200)
            assert await seen(again, 1) == ["after"]


async def test_nobody_resumes_who_knows_of_voice_states_that_a_crash_has_undone(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        _, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            await in_voice(client, guild)
            await until_noted(running)
            client.cut()
    for _ in range(2):  # not even after another restart
        async with serving(options, kill=True) as running:
            client.url = running.url
            await refused(client, bot.token)
    async with serving(options, kill=True) as running, gateway(running.url, bot.token) as client:
        assert client.named("GUILD_CREATE")[0]["voice_states"] == []
        await until_noted(running)
        client.cut()
    async with serving(options) as running:  # it is as if it had never been
        client.url = running.url
        async with resumed(client):
            pass


async def in_voice(client: Gateway, guild: Guild) -> None:
    channel_id = next(channel["id"] for channel in guild.channels if channel["type"] == 2)
    await client.send(4, {"guild_id": guild.id, "channel_id": channel_id})
    await client.next("VOICE_SERVER_UPDATE")


async def test_a_persons_session_survives_a_stop_and_its_own_posts_are_read(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, alice.token, intents=None) as client:
            mine = await alice.say(guild.general, "mine")
            assert await seen(client, 1) == ["mine"]
            running.stop()
            await client.until_closed()
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again, bot.on(running.url) as somebody:
            await somebody.post(f"/channels/{guild.general}/messages", {"content": "after"})
            assert await seen(again, 1) == ["after"]
        async with gateway(running.url, alice.token, intents=None) as anew:
            [entry] = anew.ready["read_state"]
            assert (entry["id"], entry["last_message_id"]) == (guild.general, mine["id"])


async def test_after_a_kill_nobody_misses_what_another_device_has_read(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, alice.token, intents=None) as client:
            message = await bot.say(guild.general, "one")
            await seen(client, 1)
            await until_noted(running)
            client.cut()
            (await alice.post(f"/channels/{guild.general}/messages/{message['id']}/ack")).ok(200)
    async with serving(options) as running, connect(running.url) as again:
        await again.send(6, {"token": alice.token, "session_id": client.ready["session_id"], "seq": client.seq})
        assert await again.control(9) is False
        ready = await again.identify(alice.token, None)
        assert [entry["last_message_id"] for entry in ready["read_state"]] == [message["id"]]


async def test_only_what_the_session_may_see_is_told(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, _, guild = await settle(world)
        everyone = {"id": guild.id, "type": 0, "allow": "0", "deny": "1024"}
        hidden = await world.channel(alice, guild, permission_overwrites=[everyone])
        bare = await world.bot(alice, guild, permissions=0)
        async with gateway(running.url, bare.token, intents=1 | 1 << 9) as client:
            await alice.say(guild.general, "seen, but not read")
            await client.next("MESSAGE_CREATE")
            await until_noted(running)
            client.cut()
            await alice.say(hidden, "hidden")
            await alice.say(guild.general, "secret")
            await alice.say(guild.general, f"for <@{bare.user['id']}>")
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            assert await seen(again, 2) == ["", f"for <@{bare.user['id']}>"]


async def test_a_note_that_makes_no_sense_costs_one_session(options: dict[str, Any]) -> None:
    async with serving(options) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as lost, gateway(running.url, bot.token) as kept:
            await alice.say(guild.general, "one")
            await seen(lost, 1)
            await seen(kept, 1)
            running.stop()
            await lost.until_closed()
    spoiled = "UPDATE gateway_sessions SET presence = 'nonsense' WHERE id = ?"
    async with open_database(app.database_url(load(None, {}, options))) as database:
        await database.write(lambda tx: tx.run(spoiled, lost.ready["session_id"]))
    async with serving(options) as running:
        lost.url = kept.url = running.url
        async with resumed(kept):
            pass
        await refused(lost, bot.token)


async def test_who_needs_what_a_full_journal_has_forgotten_starts_anew(options: dict[str, Any]) -> None:
    options["gateway.journal_entries"] = 3
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, busy = await settle(world)
        quiet = await world.guild(alice)
        other = await world.bot(alice, quiet)
        async with gateway(running.url, bot.token) as left, gateway(running.url, other.token) as spared:
            first = await alice.say(busy.general, "one")
            await seen(left, 1)
            await alice.say(quiet.general, "calm")
            await seen(spared, 1)
            await until_noted(running)
            left.cut()
            spared.cut()
            for number in range(4):
                await alice.patch(f"/channels/{busy.general}/messages/{first['id']}", {"content": f"edit {number}"})
            await alice.say(quiet.general, "still calm")
            await checkpoints.bound_journal(running.core)
            entries = await running.core.db.read(journal.of_guild, int(busy.id), 0, 100)
            # A message's posting is its own entry: three edits, and in place of the first one the mark.
            assert [entry.name for entry in entries if entry.name != journal.POSTED] == ["", *["MESSAGE_UPDATE"] * 3]
    async with serving(options) as running:
        left.url = spared.url = running.url
        await refused(left, bot.token)
        async with resumed(spared) as again:
            assert await seen(again, 1) == ["still calm"]


async def test_nobody_is_told_again_what_the_journal_is_too_young_for(options: dict[str, Any]) -> None:
    clock = Clock()
    async with serving(options, clock=clock) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        async with gateway(running.url, bot.token) as client:
            start = client.seq
            first = await alice.say(guild.general, "one")
            await alice.patch(f"/channels/{guild.general}/messages/{first['id']}", {"content": "one, edited"})
            await client.next("MESSAGE_UPDATE")
            clock.advance(running.core.config.gateway.resume_window_s + 1)
            await checkpoints.bound_journal(running.core)
            await alice.say(guild.general, "two")
            await seen(client, 2)
            running.stop()
            await client.until_closed()
    async with serving(options, clock=clock) as running:
        client.url = running.url
        await refused(client, bot.token, seq=start + 1)
        async with resumed(client, seq=start + 2) as again:
            assert await seen(again, 1) == ["two"]


async def refused(client: Gateway, token: str, seq: int | None = None) -> None:
    """RESUME is answered with op 9."""
    async with connect(client.url) as again:
        resume = {"token": token, "session_id": client.ready["session_id"], "seq": client.seq if seq is None else seq}
        await again.send(6, resume)
        assert await again.control(9) is False


async def test_streams_of_several_shards_are_told_in_the_order_of_commits(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, here, there = await settle_apart(world, running)
        direct = await alice.dm(bot)
        other = await world.person()  # whose messages the bot has heard nothing of so far
        async with gateway(running.url, bot.token) as client:
            said = [await alice.say(channel, "before") for channel in (here.general, there.general, direct) * 2]
            await seen(client, len(said))
            await until_noted(running)
            client.cut()
            said += [await alice.say(channel, "after") for channel in (there.general, direct, here.general) * 5]
            said.append(await other.say(await other.dm(bot), "after"))
            await alice.patch(f"/channels/{there.general}/messages/{said[0]['id']}", {"content": "of another channel"})
            await alice.patch(f"/channels/{here.general}/messages/{said[0]['id']}", {"content": "edited"})
            await alice.delete(f"/channels/{direct}/messages/{said[2]['id']}")
            said.append(await alice.say(there.general, "after"))
    async with serving(options) as running:
        client.url = running.url
        # Back to before the note, which told of its first six.
        async with resumed(client, seq=client.seq - 4) as again:
            names = [name for name, _ in again.events if name != "RESUMED"]
            assert names == ["MESSAGE_CREATE"] * 20 + ["MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_CREATE"]
            assert [message["id"] for message in again.named("MESSAGE_CREATE")] == [it["id"] for it in said[2:]]
            assert again.named("MESSAGE_UPDATE")[0]["content"] == "edited"
            async with alice.on(running.url) as somebody:
                (await somebody.post(f"/channels/{here.general}/messages", {"content": "now"})).ok(200)
            assert (await seen(again, 22))[-1] == "now"


async def test_a_crash_with_events_in_flight(options: dict[str, Any]) -> None:
    """Nothing that was acknowledged is missing, and nothing comes twice, whatever the client had got by then."""
    async with killable(options) as (running, killed), World(running.url) as world:
        alice, bot, here, there = await settle_apart(world, running)
        direct = await alice.dm(bot)
        acknowledged: set[str] = set()

        async def post(channel: str) -> None:
            async with alice.on(running.url) as poster:
                while not killed.cancel_called:
                    with suppress(Exception):  # the server dies under it
                        answer = await poster.post(f"/channels/{channel}/messages", {"content": "a word"})
                        acknowledged.add(answer.ok(200)["id"])

        async with gateway(running.url, bot.token) as client:
            await until_noted(running)
            async with trio.open_nursery() as posters:
                for channel in (here.general, there.general, direct) * 3:
                    posters.start_soon(post, channel)
                await seen(client, 100)
                killed.cancel()
            await client.until_closed()
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            got = [int(message["id"]) for message in client.named("MESSAGE_CREATE") + again.named("MESSAGE_CREATE")]
    assert got == sorted(set(got))
    assert {int(id_) for id_ in acknowledged} <= set(got)


async def test_who_has_just_come_and_what_has_just_changed_is_noted_soon(options: dict[str, Any]) -> None:
    options["gateway.checkpoint_s"] = 3600.0
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, here, there = await settle_apart(world, running)
        async with gateway(running.url, bot.token) as client:
            await until_noted(running)
            await alice.patch(f"/channels/{there.general}", {"topic": "new"})
            await client.next("CHANNEL_UPDATE")
            await until_noted(running)
            async with gateway(running.url, bot.token) as late:
                await until_noted(running)
                client.cut()
                late.cut()
                await alice.say(here.general, "one")
    async with serving(options) as running:
        for broken in (client, late):
            broken.url = running.url
            async with resumed(broken) as again:
                assert await seen(again, 1) == ["one"]


async def test_a_change_that_the_session_hears_nothing_of_does_not_end_it(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, here, _ = await settle_apart(world, running)
        async with gateway(running.url, bot.token, intents=1 << 9) as client:
            await until_noted(running)
            await alice.patch(f"/channels/{here.general}", {"topic": "new"})
            await until_noted(running)
            client.cut()
            await alice.say(here.general, "one")
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            assert len(await seen(again, 1)) == 1


async def test_nobody_resumes_across_more_than_is_read_back(options: dict[str, Any]) -> None:
    options |= {"gateway.ring_events": 8, "gateway.checkpoint_s": 3600.0}
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, here, there = await settle_apart(world, running)
        async with gateway(running.url, bot.token) as client:
            await until_noted(running)
            client.cut()
            for number in range(20):
                await alice.say((here, there)[number % 2].general, "one of many")
    async with serving(options) as running, connect(running.url) as again:
        await again.send(6, {"token": bot.token, "session_id": client.ready["session_id"], "seq": client.seq})
        assert await again.control(9) is False


async def test_who_has_come_far_is_noted_soon(options: dict[str, Any]) -> None:
    options |= {"gateway.ring_events": 16, "gateway.checkpoint_s": 3600.0}
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, here, _ = await settle_apart(world, running)
        async with gateway(running.url, bot.token) as client:
            await until_noted(running)
            for total in (10, 20, 30):
                before = client.seq
                for number in range(10):
                    await alice.say(here.general, str(number))
                await seen(client, total)
                await until_noted(running, beyond=before)
            client.cut()
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            assert again.seq == client.seq


async def test_what_can_be_told_again_is_not_noted_at_once_while_it_is_little(options: dict[str, Any]) -> None:
    options |= {"gateway.ring_events": 64, "gateway.checkpoint_s": 3600.0}
    async with serving(options) as running, World(running.url) as world:
        alice, bot, here, _ = await settle_apart(world, running)
        async with gateway(running.url, bot.token) as client:
            await until_noted(running)
            notes = checkpoints.Checkpoints(running.core)

            async def noted_after(messages: int, *marks: int) -> bool:
                wanted = client.seq + messages
                for number in range(messages):
                    await alice.say(here.general, str(number))
                while client.seq < wanted:
                    await client.next("MESSAGE_CREATE")
                running.core.live.marked.update(marks)  # taken at once: the server's own notes don't come in between
                await notes.save()
                return wanted in {row.seq for row in await running.core.db.read(_rows)}

            await notes.save(final=True)
            assert [await noted_after(1) for _ in range(6)] == [False, False, True, False, False, True]
            assert [await noted_after(16) for _ in range(2)] == [True, True]
            assert [await noted_after(1, here.id) for _ in range(2)] == [True, True]


async def test_members_that_were_asked_for_are_counted(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, here, there = await settle_apart(world, running)
        async with gateway(running.url, bot.token) as client:
            await alice.say(here.general, "before")
            await client.send(8, {"guild_id": here.id, "query": "", "limit": 0})
            await client.next("GUILD_MEMBERS_CHUNK")
            await until_noted(running)
            await alice.say(there.general, "one")
            await alice.say(here.general, "two")
            await seen(client, 3)
            await until_noted(running)
            client.cut()
            await alice.say(there.general, "three")
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client, seq=client.seq - 2) as again:
            assert await seen(again, 3) == ["one", "two", "three"]


async def test_direct_messages_have_their_content_when_told_again(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, *_ = await settle_apart(world, running)
        direct = await alice.dm(bot)
        async with gateway(running.url, bot.token, intents=1 | 1 << 12) as client:
            await until_noted(running)
            client.cut()
            await alice.say(direct, "for you alone")
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            assert await seen(again, 1) == ["for you alone"]


async def settle_apart(world: World, running: app.Running) -> tuple[User, User, Guild, Guild]:
    """A person and a bot in two guilds, which are in different shards of the bus."""
    alice = await world.person()
    here = there = await world.guild(alice)
    shard_of = running.core.live.bus.shard_of
    while shard_of(int(there.id)) == shard_of(int(here.id)):
        there = await world.guild(alice)
    return alice, await world.bot(alice, here, there), here, there


async def test_threads_are_what_they_were(options: dict[str, Any]) -> None:
    """Their counts as well, although no message writes them."""
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, _, guild = await settle(world)
        begun = await alice.say(guild.general, "let us talk")
        path = f"/channels/{guild.general}"
        (await alice.post(f"{path}/messages/{begun['id']}/threads", {"name": "talk"})).ok(201)
        threads = [begun["id"]]
        for kind in (11, 12):
            made = (await alice.post(f"{path}/threads", {"name": "thread", "type": kind})).ok(201)
            threads.append(made["id"])
        for thread_id in threads:
            said = [await alice.say(thread_id) for _ in range(4)]
            (await alice.delete(f"/channels/{thread_id}/messages/{said[0]['id']}")).ok(204)
            (await alice.patch(f"/channels/{thread_id}", {"auto_archive_duration": 60})).ok()
            (await alice.delete(f"/channels/{thread_id}/messages/{said[1]['id']}")).ok(204)
            await alice.say(thread_id)
        (await alice.patch(f"/channels/{threads[1]}", {"archived": True})).ok()
        before = [(await alice.get(f"/channels/{thread_id}")).ok() for thread_id in threads]
        assert {(thread["message_count"], thread["total_message_sent"]) for thread in before} == {(3, 5)}
    async with serving(options) as running, alice.on(running.url) as again:
        assert [(await again.get(f"/channels/{thread_id}")).ok() for thread_id in threads] == before
        listed = (await again.get(f"/guilds/{guild.id}/threads/active")).ok()
        assert [thread["id"] for thread in listed["threads"]] == [threads[2], threads[0]]
        [archived] = (await again.get(f"/channels/{guild.general}/threads/archived/public")).ok()["threads"]
        assert archived == {name: value for name, value in before[1].items() if name != "member"}


async def test_what_was_said_in_threads_is_told(options: dict[str, Any]) -> None:
    async with serving(options, kill=True) as running, World(running.url) as world:
        alice, bot, guild = await settle(world)
        path = f"/channels/{guild.general}/threads"
        public, secret, archived = [
            (await alice.post(path, {"name": "thread", "type": kind})).ok(201)["id"] for kind in (11, 12, 11)
        ]
        old = await alice.say(archived, "old")
        (await alice.patch(f"/channels/{archived}", {"archived": True})).ok()
        async with gateway(running.url, bot.token) as client:
            await alice.say(public, "one")
            await seen(client, 1)
            await until_noted(running)
            client.cut()
            await alice.say(secret, "not for the bot")
            await alice.say(public, "two")
            (await alice.delete(f"/channels/{archived}/messages/{old['id']}")).ok(204)
    async with serving(options) as running:
        client.url = running.url
        async with resumed(client) as again:
            assert await seen(again, 1) == ["two"]
            assert (await again.next("MESSAGE_DELETE"))["id"] == old["id"]


async def until_noted(running: app.Running, beyond: int | None = None) -> None:
    """Where the sessions stand, with everything that has happened so far, or `beyond` some, has been written down."""
    counted = {session.id: session.seq for session in running.core.live.sessions}
    marked = await running.core.db.read(_newest_mark)

    async def is_noted() -> bool:
        rows = await running.core.db.read(_rows)
        if beyond is not None:
            return all(row.seq > beyond for row in rows)
        return counted == {row.id: row.seq for row in rows if row.position >= marked}

    with trio.fail_after(5):
        # The server's own task writes it, and tells nobody.
        while not await is_noted():  # noqa: ASYNC110
            await trio.sleep(0.005)


def _newest_mark(tx: Tx) -> int:
    """Bars apart: they lie ahead of everything."""
    return tx.scalar("SELECT MAX(position) FROM journal WHERE name = ? AND position < ?", "", journal.BAR) or 0


def _rows(tx: Tx) -> list[SessionRow]:
    return tx.rows(SessionRow, f"SELECT {cols(SessionRow)} FROM gateway_sessions")


async def test_rules_of_automod_hold_after_a_restart(options: dict[str, Any]) -> None:
    rule = {
        "name": "no cats",
        "event_type": 1,
        "trigger_type": 1,
        "trigger_metadata": {"keyword_filter": ["*cat*"]},
        "actions": [{"type": 1}],
        "enabled": True,
    }
    async with serving(options) as running, World(running.url) as world:
        alice, bob = await world.person(), await world.person()
        guild = await world.guild(alice, bob)
        rule = (await alice.post(f"/guilds/{guild.id}/auto-moderation/rules", rule)).ok(200)
    async with serving(options) as running, alice.on(running.url) as hers, bob.on(running.url) as his:
        path = f"/channels/{guild.general}/messages"
        assert (await his.post(path, {"content": "location"})).error == (400, 200000)
        (await his.post(path, {"content": "place"})).ok(200)
        assert (await hers.get(f"/guilds/{guild.id}/auto-moderation/rules")).ok(200) == [rule]
