"""What a person's client gets and no bot: guilds at once in READY, how far it has read, and who called it."""

from typing import Any

import pytest
import trio

from tests.support.app import Server
from tests.support.client import Gateway, Json, gateway, resumed
from tests.support.world import Guild, User, World

BULK = "/read-states/ack-bulk"


@pytest.fixture
async def reader(server: Server, world: World, owner: User, guild: Guild) -> User:
    """A member for a minute, so that nothing is older than the membership."""
    reader = await world.person("reader")
    await world.join(owner, guild, reader)
    server.clock.advance(60)
    return reader


def ack(message: Json) -> str:
    return f"/channels/{message['channel_id']}/messages/{message['id']}/ack"


async def read_states(server: Server, user: User) -> dict[str, Any]:
    """Channel -> (last message read, mentions) of a new READY."""
    async with gateway(server.url, user.token, intents=None) as it:
        return {entry["id"]: (entry["last_message_id"], entry["mention_count"]) for entry in it.ready["read_state"]}


# --- READY -----------------------------------------------------------------------------------------------------------


async def test_people_get_their_guilds_at_once(server: Server, world: World, owner: User, guild: Guild) -> None:
    bot = await world.bot(owner, guild)
    async with (
        gateway(server.url, owner.token, intents=None) as person,
        gateway(server.url, bot.token) as program,
    ):
        [whole] = person.ready["guilds"]
        assert (whole["id"], whole["unavailable"]) == (guild.id, False)
        assert [channel["id"] for channel in whole["channels"]] == [channel["id"] for channel in guild.channels]
        [created] = program.named("GUILD_CREATE")
        assert whole.keys() == created.keys()
        assert "application" not in person.ready
        assert "read_state" not in program.ready
        said = await bot.say(guild.general)
        assert (await person.next("MESSAGE_CREATE"))["id"] == said["id"]
        assert person.named("GUILD_CREATE") == []


async def test_without_the_guilds_intent_people_get_no_guilds(server: Server, owner: User, guild: Guild) -> None:
    async with gateway(server.url, owner.token, intents=1 << 9) as it:
        assert it.ready["guilds"] == [{"id": guild.id, "unavailable": True}]
        said = await owner.say(guild.general)
        assert (await it.next("MESSAGE_CREATE"))["id"] == said["id"]


@pytest.mark.options({"gateway.send_buffer_bytes": 8192})
async def test_guilds_that_do_not_fit_follow(server: Server, world: World, owner: User) -> None:
    made = [(await world.guild(owner)).id for _ in range(8)]
    async with gateway(server.url, owner.token, intents=None) as it:
        assert [guild["id"] for guild in it.ready["guilds"]] == made
        following = [guild["id"] for guild in it.ready["guilds"] if guild["unavailable"]]
        assert 0 < len(following) < len(made)
        assert [guild["id"] for guild in it.named("GUILD_CREATE")] == following


async def test_nothing_is_lost_or_doubled_between_ready_and_the_first_event(
    server: Server, owner: User, guild: Guild
) -> None:
    said: list[int] = []
    all_said = trio.Event()

    async def listen() -> None:
        async with gateway(server.url, owner.token, intents=None) as it:
            await all_said.wait()
            await quiet(server, it)
            [last] = [it["last_message_id"] for it in it.ready["guilds"][0]["channels"] if it["id"] == guild.general]
            assert [int(d["id"]) for d in it.named("MESSAGE_CREATE")] == [id_ for id_ in said if id_ > int(last or 0)]

    async with trio.open_nursery() as nursery:
        for number in range(40):
            if number % 8 == 0:
                nursery.start_soon(listen)
            said.append(int((await owner.say(guild.general))["id"]))
        all_said.set()


# --- acknowledging ---------------------------------------------------------------------------------------------------


async def test_mentions_count_until_they_are_read(server: Server, owner: User, guild: Guild, reader: User) -> None:
    assert await read_states(server, reader) == {}
    first = await owner.say(guild.general, f"<@{reader.id}>")
    await owner.say(guild.general, "@everyone")
    assert (await read_states(server, reader))[guild.general][1] == 2
    last = await owner.say(guild.general, "nobody")
    assert (await reader.post(ack(first), {"token": None})).ok(200) == {"token": None}
    assert await read_states(server, reader) == {guild.general: (first["id"], 1)}
    (await reader.post(ack(last))).ok(200)
    assert await read_states(server, reader) == {guild.general: (last["id"], 0)}


async def test_the_other_devices_hear_of_it(server: Server, owner: User, guild: Guild, reader: User) -> None:
    messages = [await owner.say(guild.general, f"<@{reader.id}>") for _ in range(3)]
    async with (
        gateway(server.url, reader.token, intents=None) as phone,
        gateway(server.url, reader.token, intents=None) as laptop,
        gateway(server.url, owner.token, intents=None) as others,
    ):
        steps: list[tuple[Json, Json, int, int]] = [
            (messages[1], {}, 1, 1),
            (messages[0], {"manual": True}, 0, 2),
            (messages[2], {"manual": False}, 2, 0),
        ]
        for message, payload, number, count in steps:
            (await reader.post(ack(message), payload)).ok(200)
            for it in (phone, laptop):
                d = await it.next("MESSAGE_ACK")
                assert (d["channel_id"], d["message_id"]) == (guild.general, messages[number]["id"])
                assert d["mention_count"] == count
        assert [d["version"] for d in phone.named("MESSAGE_ACK")] == [1, 2, 3]
        # Nothing changes, nobody hears of it.
        (await reader.post(ack(messages[0]))).ok(200)
        (await reader.post(ack(messages[2]))).ok(200)
        await quiet(server, phone, others)
        assert len(phone.named("MESSAGE_ACK")) == 3
        assert others.named("MESSAGE_ACK") == []


async def test_nobody_reads_the_future(server: Server, owner: User, guild: Guild, reader: User) -> None:
    (await reader.post(f"/channels/{guild.general}/messages/{2**62}/ack")).ok(200)
    assert await read_states(server, reader) == {}
    first = await owner.say(guild.general)
    (await reader.post(f"/channels/{guild.general}/messages/{2**62}/ack")).ok(200)
    await owner.say(guild.general, f"<@{reader.id}>")
    assert await read_states(server, reader) == {guild.general: (first["id"], 1)}


async def test_several_channels_at_once(server: Server, world: World, owner: User, guild: Guild, reader: User) -> None:
    desk = await world.channel(owner, guild)
    hidden = await world.channel(owner, guild, permission_overwrites=[{"id": guild.id, "type": 0, "deny": "1024"}])
    here, there = await owner.say(guild.general, "@everyone"), await owner.say(desk, "@everyone")
    secret = await owner.say(hidden, "@everyone")

    def entries(*messages: Json) -> Json:
        return {"read_states": [{"channel_id": it["channel_id"], "message_id": it["id"]} for it in messages]}

    assert (await reader.post(BULK, entries(here, secret))).error == (403, 50001)
    assert {count for _, count in (await read_states(server, reader)).values()} == {1}
    async with gateway(server.url, reader.token, intents=None) as it:
        (await reader.post(BULK, entries(here, there))).ok(204)
        assert {(await it.next("MESSAGE_ACK"))["channel_id"] for _ in range(2)} == {guild.general, desk}
    assert await read_states(server, reader) == {guild.general: (here["id"], 0), desk: (there["id"], 0)}
    assert set((await reader.post(BULK, {"read_states": []})).errors) == {"read_states"}
    assert set((await reader.post(BULK, entries(*[here] * 101))).errors) == {"read_states"}


async def test_who_posts_has_read(server: Server, owner: User, guild: Guild, reader: User) -> None:
    await owner.say(guild.general, f"<@{reader.id}>")
    mine = await reader.say(guild.general, "@everyone, and myself")
    assert await read_states(server, reader) == {guild.general: (mine["id"], 0)}
    (await reader.post(f"/channels/{guild.general}/messages/0/ack", {"manual": True})).ok(200)
    assert (await read_states(server, reader))[guild.general][1] == 1  # one's own do not count


async def test_what_is_older_than_the_membership_is_read(
    server: Server, world: World, owner: User, guild: Guild
) -> None:
    await owner.say(guild.general, "@everyone")
    server.clock.advance(1)
    newcomer = await world.person()
    await world.join(owner, guild, newcomer)
    assert await read_states(server, newcomer) == {}


async def test_every_direct_message_calls(server: Server, owner: User, reader: User) -> None:
    direct = await owner.dm(reader)
    said = [await owner.say(direct) for _ in range(3)]
    assert await read_states(server, reader) == {direct: ("0", 3)}
    (await reader.post(ack(said[1]))).ok(200)
    (await owner.delete(f"/channels/{direct}/messages/{said[2]['id']}")).ok(204)
    assert await read_states(server, reader) == {direct: (said[1]["id"], 0)}
    assert await read_states(server, owner) == {direct: (said[2]["id"], 0)}


async def test_resume_tells_what_another_device_has_read(
    server: Server, owner: User, guild: Guild, reader: User
) -> None:
    message = await owner.say(guild.general)
    async with gateway(server.url, reader.token, intents=None) as it:
        it.cut()
        await it.until_closed()
    (await reader.post(ack(message))).ok(200)
    async with resumed(it) as again:
        assert [d["message_id"] for d in again.named("MESSAGE_ACK")] == [message["id"]]


async def test_nothing_read_is_lost_between_ready_and_the_first_event(
    server: Server, owner: User, guild: Guild, reader: User
) -> None:
    said = [await owner.say(guild.general) for _ in range(40)]
    all_read = trio.Event()

    async def listen() -> None:
        async with gateway(server.url, reader.token, intents=None) as it:
            await all_read.wait()
            await quiet(server, it)
            in_ready = [entry["last_message_id"] for entry in it.ready["read_state"]]
            read = in_ready + [d["message_id"] for d in it.named("MESSAGE_ACK")]
            # Every one that follows, and perhaps again what is in READY.
            assert read[-1] == said[-1]["id"]
            assert dict.fromkeys(read).keys() == {
                message["id"] for message in said if int(message["id"]) >= int(read[0])
            }

    async with trio.open_nursery() as nursery:
        for number, message in enumerate(said):
            if number % 4 == 0:
                nursery.start_soon(listen)
            (await reader.post(ack(message))).ok(200)
        all_read.set()


# --- recent mentions -------------------------------------------------------------------------------------------------


async def test_recent_mentions(server: Server, world: World, owner: User, guild: Guild, reader: User) -> None:
    other = await world.guild(owner, reader, name="Other")
    hidden = await world.channel(owner, guild, permission_overwrites=[{"id": guild.id, "type": 0, "deny": "1024"}])
    direct = await owner.dm(reader)
    texts = [f"<@{reader.id}>", "@everyone", f"<@{owner.id}>", f"@everyone <@{reader.id}>"]
    named, everyone, _, both = [(await owner.say(guild.general, text))["id"] for text in texts]
    await owner.say(hidden, f"<@{reader.id}>")
    elsewhere = (await owner.say(other.general, f"<@{reader.id}>"))["id"]
    private = (await owner.say(direct, f"<@{reader.id}>"))["id"]
    await owner.say(direct, "not a mention")
    gone = await owner.say(guild.general, f"<@{reader.id}>")
    (await owner.delete(f"/channels/{guild.general}/messages/{gone['id']}")).ok(204)
    await reader.say(guild.general, f"<@{reader.id}>")

    async def found(**query: object) -> list[str]:
        return [message["id"] for message in (await reader.get("/users/@me/mentions", **query)).ok(200)]

    assert await found() == [private, elsewhere, both, everyone, named]
    assert await found(everyone="false") == [private, elsewhere, both, named]
    assert await found(guild_id=guild.id) == [both, everyone, named]
    assert await found(limit=2) == [private, elsewhere]
    assert await found(limit=2, before=elsewhere) == [both, everyone]
    for query in ({"limit": 0}, {"limit": 101}, {"before": "x"}):
        assert (await reader.get("/users/@me/mentions", **query)).errors.keys() == query.keys()


async def quiet(server: Server, *connections: Gateway) -> None:
    await server.core.live.bus.flush()
    for it in connections:
        await it.heartbeat()
