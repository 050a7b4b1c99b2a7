"""Messages that are as old as the operator wants them to become."""

from typing import Any

import trio
from msgspec import json

from chatd.cli import admin
from chatd.model.wire import encode
from chatd.service import deletions, orphans, retention
from chatd.store import messages
from chatd.store.messages import Draft
from tests.support.app import Server
from tests.support.client import Gateway, gateway, resumed
from tests.support.world import PASSWORD, Guild, User, World

DAY_S = 86_400


async def command(server: Server, name: str, **arguments: Any) -> Any:
    """As the command line asks."""
    answer = json.decode(await admin.answer(server.core, encode({"command": name, "arguments": arguments})))
    assert "error" not in answer, answer
    return answer["ok"]


async def keep(server: Server, seconds: int | None = DAY_S, **rule: Any) -> None:
    await command(server, "retention set", messages_s=seconds, **rule)


async def later(server: Server, world: World, user: User, seconds: float = DAY_S) -> User:
    """The person, whose token may be too old by then."""
    server.clock.advance(seconds)
    return world.user((await user.post("/auth/login", {"login": user.name, "password": PASSWORD})).ok())


async def contents(user: User, channel_id: str) -> list[str]:
    """Oldest first."""
    found = (await user.get(f"/channels/{channel_id}/messages", limit=100)).ok()
    return [message["content"] for message in reversed(found)]


async def pin(user: User, message: Any) -> None:
    (await user.put(f"/channels/{message['channel_id']}/pins/{message['id']}")).ok(204)


async def all_told(server: Server, ear: Gateway) -> None:
    await server.core.live.bus.flush()
    await ear.heartbeat()


async def settle(world: World) -> tuple[User, User, Guild]:
    alice, bob = await world.person(), await world.person()
    return alice, bob, await world.guild(alice, bob)


async def test_without_a_rule_nothing_expires(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await alice.say(guild.general)
    alice = await later(server, world, alice, 1000 * DAY_S)
    await retention.keep(server.core)
    assert await contents(alice, guild.general) == ["hello"]


async def test_old_messages_go_and_everybody_is_told(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    old = [await alice.say(guild.general, text) for text in ("one", "two")]
    alice = await later(server, world, alice)
    await alice.say(guild.general, "three")
    async with gateway(server.url, alice.token) as ear:
        await retention.keep(server.core)
        assert await contents(alice, guild.general) == ["one", "two", "three"]  # as old as the rule says, not older
        server.clock.advance(0.001)
        await retention.keep(server.core)
        assert await contents(alice, guild.general) == ["three"]
        told = await ear.next("MESSAGE_DELETE_BULK")
        ids = [message["id"] for message in old]
        assert told == {"ids": ids, "channel_id": guild.general, "guild_id": guild.id}
        await all_told(server, ear)
        assert len(ear.named("MESSAGE_DELETE_BULK")) == 1


async def test_many_go_in_batches(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    core = server.core
    drafts = [
        Draft(core.ids.next, int(guild.general), int(alice.id), 0, 0, str(number), None, "{}")
        for number in range(2 * deletions.BATCH + 1)
    ]
    ids = await core.db.write(messages.append, drafts)
    alice = await later(server, world, alice, 2 * DAY_S)
    async with gateway(server.url, alice.token) as ear:
        await retention.keep(core)
        batches = [(await ear.next("MESSAGE_DELETE_BULK"))["ids"] for _ in range(3)]
    assert [len(batch) for batch in batches] == [deletions.BATCH, deletions.BATCH, 1]
    assert [int(id_) for batch in batches for id_ in batch] == ids


async def test_pinned_messages_stay_unless_the_rule_says_otherwise(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    await alice.say(guild.general, "loose")
    await pin(alice, await alice.say(guild.general, "pinned"))
    alice = await later(server, world, alice, 2 * DAY_S)
    await retention.keep(server.core)
    assert await contents(alice, guild.general) == ["pinned"]
    assert (await command(server, "retention due"))["channels"] == []
    await keep(server, keep_pinned=False)
    await retention.keep(server.core)
    assert await contents(alice, guild.general) == []


async def test_the_rule_of_a_channel_takes_the_place_of_the_other(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    short, long_ = [await world.channel(alice, guild, name) for name in ("short", "long")]
    await keep(server, 10 * DAY_S)
    await keep(server, DAY_S, channel=short)
    await keep(server, None, channel=long_)
    for channel_id in (guild.general, short, long_):
        await alice.say(channel_id, "old")
    alice = await later(server, world, alice, 2 * DAY_S)
    await retention.keep(server.core)
    left = [await contents(alice, channel_id) for channel_id in (guild.general, short, long_)]
    assert left == [["old"], [], ["old"]]
    alice = await later(server, world, alice, 20 * DAY_S)
    await retention.keep(server.core)
    assert [await contents(alice, channel_id) for channel_id in (guild.general, long_)] == [[], ["old"]]
    await command(server, "retention clear", channel=long_)
    await retention.keep(server.core)
    assert await contents(alice, long_) == []


async def test_threads_go_with_their_channel_and_their_counts_with_the_messages(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server, channel=guild.general)
    made = (await alice.post(f"/channels/{guild.general}/threads", {"name": "thread", "type": 11})).ok(201)
    path = f"/channels/{made['id']}"
    await alice.say(made["id"], "old")
    alice = await later(server, world, alice, 2 * DAY_S)
    await alice.say(made["id"], "young")
    await retention.keep(server.core)
    assert await contents(alice, made["id"]) == ["young"]
    shown = (await alice.get(path)).ok()
    assert (shown["message_count"], shown["total_message_sent"]) == (1, 2)
    # A thread may have a rule of its own.
    await keep(server, None, channel=made["id"])
    alice = await later(server, world, alice, 2 * DAY_S)
    await retention.keep(server.core)
    assert await contents(alice, made["id"]) == ["young"]


async def test_a_categorys_rule_holds_for_its_channels_and_their_threads(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    category = await world.channel(alice, guild, "shelf", type=4)
    inside, exempt = [await world.channel(alice, guild, name, parent_id=category) for name in ("inside", "exempt")]
    thread = (await alice.post(f"/channels/{inside}/threads", {"name": "thread", "type": 11})).ok(201)["id"]
    await keep(server, channel=category)
    await keep(server, None, channel=exempt)
    for channel_id in (guild.general, inside, exempt, thread):
        await alice.say(channel_id, "old")
    alice = await later(server, world, alice, 2 * DAY_S)
    await retention.keep(server.core)
    left = [await contents(alice, channel_id) for channel_id in (guild.general, inside, exempt, thread)]
    assert left == [["old"], [], ["old"], []]


async def test_in_direct_messages_each_deletion_is_told_alone(server: Server, world: World) -> None:
    alice, bob, _ = await settle(world)
    channel_id = await alice.dm(bob)
    await keep(server)
    ids = [(await alice.say(channel_id, text))["id"] for text in ("one", "two")]
    bob = await later(server, world, bob, 2 * DAY_S)
    async with gateway(server.url, bob.token) as ear:
        await retention.keep(server.core)
        assert [await ear.next("MESSAGE_DELETE") for _ in ids] == [{"id": id_, "channel_id": channel_id} for id_ in ids]
    assert await contents(bob, channel_id) == []


async def test_files_go_with_the_messages_that_name_them(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    (await alice.upload(f"/channels/{guild.general}/messages", {}, {"files[0]": b"old"})).ok(200)
    await later(server, world, alice, 2 * DAY_S)
    assert await orphans.collect(server.core) == 0
    await retention.keep(server.core)
    assert await orphans.collect(server.core) == 1


async def test_what_is_gone_calls_nobody_any_more(server: Server, world: World) -> None:
    alice, bob, guild = await settle(world)
    await keep(server)
    await alice.say(guild.general, f"<@{bob.id}>")
    bob = await later(server, world, bob, 2 * DAY_S)
    assert await _mentions(server, bob) == [1]
    await retention.keep(server.core)
    assert await _mentions(server, bob) == []


async def _mentions(server: Server, user: User) -> list[int]:
    async with gateway(server.url, user.token) as ear:
        return [entry["mention_count"] for entry in ear.ready["read_state"]]


async def test_a_session_resumes_across_it(server: Server, world: World) -> None:
    alice, bob, guild = await settle(world)
    direct = await alice.dm(bob)
    await keep(server, 60)
    async with gateway(server.url, bob.token) as ear:
        await all_told(server, ear)
        ear.cut()
        for channel_id in (guild.general, direct):
            await alice.say(channel_id)
        server.clock.advance(61)
        await retention.keep(server.core)
    async with resumed(ear) as again:
        names = [name for name, _ in again.events if name.startswith("MESSAGE")]
    assert sorted(names) == ["MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK"]


# --- commands ------------------------------------------------------------------------------------------------------


async def test_rules_are_listed_replaced_and_cleared(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    assert (await command(server, "retention show"))["rules"] == []
    await keep(server, DAY_S, channel=guild.general)
    await keep(server, 60)
    await keep(server, 2 * DAY_S, keep_pinned=False)
    everywhere = {"channel": None, "messages_s": 2 * DAY_S, "files_s": None, "keep_pinned": False}
    own = {"channel": guild.general, "messages_s": DAY_S, "files_s": None, "keep_pinned": True}
    assert (await command(server, "retention show"))["rules"] == [everywhere, own]
    # A channel takes its rule along.
    (await alice.delete(f"/channels/{guild.general}")).ok(200)
    assert (await command(server, "retention show"))["rules"] == [everywhere]
    await command(server, "retention clear")
    assert (await command(server, "retention show"))["rules"] == []


async def test_what_is_not_said_stays_as_it_holds_there(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    category = await world.channel(alice, guild, "shelf", type=4)
    inside = await world.channel(alice, guild, "inside", parent_id=category)
    thread = (await alice.post(f"/channels/{inside}/threads", {"name": "thread", "type": 11})).ok(201)["id"]

    async def rule(**said: Any) -> tuple[Any, ...]:
        made = await command(server, "retention set", **said)
        return made["channel"], made["messages_s"], made["files_s"], made["keep_pinned"]

    assert await rule(files_s=60) == (None, None, 60, True)
    assert await rule(messages_s=90, keep_pinned=False) == (None, 90, 60, False)
    assert await rule(channel=category, files_s=70) == (category, 90, 70, False)
    assert await rule(channel=thread, messages_s=None) == (thread, None, 70, False)
    assert await rule(channel=guild.general, keep_pinned=True) == (guild.general, 90, 60, True)
    # From here on it is on its own.
    assert await rule(messages_s=80, files_s=None) == (None, 80, None, False)
    assert await rule(channel=guild.general, files_s=61) == (guild.general, 90, 61, True)


async def test_what_is_no_rule(sqlite_server: Server) -> None:
    async def problem(name: str, **arguments: Any) -> str:
        request = encode({"command": f"retention {name}", "arguments": arguments})
        error: str = json.decode(await admin.answer(sqlite_server.core, request))["error"]
        return error

    assert await problem("set", messages_s=60, channel="1") == "there is no channel 1"
    assert "60" in await problem("set", messages_s=59)
    assert "60" in await problem("set", files_s=59)
    assert str(2**31 - 1) in await problem("set", files_s=2**31)
    assert await problem("clear") == "there is no such rule"
    assert await problem("clear", channel="1") == "there is no such rule"


async def test_a_dry_run_says_what_a_run_deletes(server: Server, world: World) -> None:
    alice, bob, guild = await settle(world)
    direct = await alice.dm(bob)
    await keep(server)
    first = [(await alice.say(guild.general)), await alice.say(guild.general)][0]
    await pin(alice, await alice.say(guild.general))
    await alice.say(direct)
    alice = await later(server, world, alice, 2 * DAY_S)
    found = {row["id"]: row for row in (await command(server, "retention due"))["channels"]}
    oldest = first["timestamp"]
    # The notice of the pin is a message too.
    assert found == {
        guild.general: {"id": guild.general, "guild_id": guild.id, "messages": 3, "files": 0, "oldest": oldest},
        direct: {"id": direct, "guild_id": None, "messages": 1, "files": 0, "oldest": oldest},
    }
    last = max(found, key=int)
    assert (await command(server, "retention due", after=last))["channels"] == []
    assert len(await contents(alice, guild.general)) == 4
    assert await command(server, "retention run") == {"messages": 4, "files": 0}
    assert await command(server, "retention run") == {"messages": 0, "files": 0}
    assert (await command(server, "retention due"))["channels"] == []
    assert len(await contents(alice, guild.general)) == 1


async def test_posting_goes_on_meanwhile(server: Server, world: World) -> None:
    alice, _, guild = await settle(world)
    await keep(server)
    core = server.core
    draft = Draft(core.ids.next, int(guild.general), int(alice.id), 0, 0, "old", None, "{}")
    await core.db.write(messages.append, [draft] * (3 * deletions.BATCH))
    alice = await later(server, world, alice, 2 * DAY_S)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(retention.keep, core)
        for number in range(20):
            await alice.say(guild.general, str(number))
    assert await contents(alice, guild.general) == [str(number) for number in range(20)]
