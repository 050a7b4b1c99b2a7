"""Who is in which voice channel: op 4, its events, and voice states over REST. There is no sound."""

from typing import Any

import pytest
from msgspec.structs import replace

from chatd.model.errors import ApiError
from chatd.service import voice
from tests.support.app import Server
from tests.support.client import ALL_INTENTS, Gateway, gateway
from tests.support.core import Clock
from tests.support.world import BOT_PERMISSIONS, Guild, User, World

VOICE_STATES = 1 << 7
CONNECT, SPEAK, MUTE_MEMBERS, MOVE_MEMBERS, REQUEST_TO_SPEAK = 1 << 20, 1 << 21, 1 << 22, 1 << 24, 1 << 32
VIEW_CHANNEL = 1 << 10
STAGE = 13

STATE = {
    "deaf": False,
    "mute": False,
    "self_deaf": False,
    "self_mute": False,
    "self_stream": False,
    "self_video": False,
    "suppress": False,
    "request_to_speak_timestamp": None,
}


def lounge(guild: Guild) -> str:
    """The voice channel that a guild begins with."""
    found: str = next(channel["id"] for channel in guild.channels if channel["type"] == 2)
    return found


async def speak(it: Gateway, guild: Guild, channel_id: str | None, **fields: Any) -> None:
    """Op 4."""
    await it.send(4, {"guild_id": guild.id, "channel_id": channel_id, "self_mute": False, "self_deaf": False, **fields})


async def told(it: Gateway, user: User) -> Any:
    """The next that is said of the user."""
    return await it.next("VOICE_STATE_UPDATE", lambda d: d["user_id"] == user.id)


async def place(it: Gateway, user: User) -> str | None:
    channel_id: str | None = (await told(it, user))["channel_id"]
    return channel_id


async def quiet(server: Server, *sessions: Gateway) -> None:
    """What the commands have led to has been read."""
    for it in sessions:
        await it.heartbeat()
    await server.core.live.bus.flush()
    for it in sessions:
        await it.heartbeat()


def deny(bits: int, *targets: tuple[str, int]) -> dict[str, Any]:
    return {
        "permission_overwrites": [{"id": id_, "type": type_, "allow": "0", "deny": str(bits)} for id_, type_ in targets]
    }


async def test_join_mute_move_and_leave(server: Server, world: World, owner: User, guild: Guild, bot: User) -> None:
    first, second = lounge(guild), await world.channel(owner, guild, "second", type=2)
    async with gateway(server.url, owner.token, intents=None) as watcher, gateway(server.url, bot.token) as it:
        await speak(it, guild, first)
        for each in (it, watcher):
            state = await told(each, bot)
            assert state.pop("member")["user"]["id"] == bot.id
            expected = {"guild_id": guild.id, "channel_id": first, "user_id": bot.id}
            assert state == {**STATE, **expected, "session_id": it.ready["session_id"]}
        assert await it.next("VOICE_SERVER_UPDATE") == {"guild_id": guild.id, "token": "", "endpoint": None}
        await speak(it, guild, first, self_mute=True, self_deaf=True)
        muted = await told(watcher, bot)
        assert (muted["channel_id"], muted["self_mute"], muted["self_deaf"]) == (first, True, True)
        async with gateway(server.url, owner.token, intents=None) as newcomer:
            [created] = newcomer.ready["guilds"]
            [state] = created["voice_states"]
            assert (state["user_id"], state["channel_id"], state["self_mute"]) == (bot.id, first, True)
            assert not {"guild_id", "member"} & state.keys()
        await speak(it, guild, second)
        assert await place(watcher, bot) == second
        await speak(it, guild, None)
        assert await place(watcher, bot) is None
        await quiet(server, it, watcher)
        assert len(it.named("VOICE_SERVER_UPDATE")) == 2
        assert watcher.named("VOICE_SERVER_UPDATE") == []


async def test_states_over_rest(server: Server, world: World, owner: User, guild: Guild, bot: User) -> None:
    stage = await world.channel(owner, guild, "stage", type=STAGE)
    async with gateway(server.url, owner.token, intents=None) as watcher, gateway(server.url, bot.token) as it:
        await speak(it, guild, stage)
        joined = await told(watcher, bot)
        assert joined["suppress"] is True  # on a stage everyone begins in the audience
        for client, path in ((bot, "@me"), (owner, bot.id)):
            assert (await client.get(f"/guilds/{guild.id}/voice-states/{path}")).ok(200) == joined
        mine, his = f"/guilds/{guild.id}/voice-states/@me", f"/guilds/{guild.id}/voice-states/{bot.id}"
        now = "2027-01-15T08:00:00.000000+00:00"
        (await bot.patch(mine, {"channel_id": stage, "request_to_speak_timestamp": now})).ok(204)
        assert (await told(watcher, bot))["request_to_speak_timestamp"] == now
        (await owner.patch(his, {"channel_id": stage, "suppress": False})).ok(204)
        spoken = await told(watcher, bot)
        assert (spoken["suppress"], spoken["request_to_speak_timestamp"]) == (False, None)
        (await bot.patch(mine, {"suppress": True})).ok(204)
        assert (await told(watcher, bot))["suppress"] is True
        assert (await owner.get(f"/guilds/{guild.id}/voice-states/@me")).error == (404, 10065)
    [region] = (await owner.get("/voice/regions")).ok(200)
    assert (await owner.get(f"/guilds/{guild.id}/regions")).ok(200) == [region]
    assert region["id"] == (await owner.get(f"/guilds/{guild.id}")).ok(200)["region"]


# --- what follows is the same on every variant -----------------------------------------------------------------------

only_sqlite = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)


@only_sqlite
@pytest.mark.parametrize(
    "request_",
    [
        {"channel_id": "1"},
        {"channel_id": "text"},
        {"channel_id": "hidden"},
        {"channel_id": "closed"},
        {"guild_id": "1"},
        {"guild_id": "foreign", "channel_id": "foreign channel"},
        {"guild_id": None},
        {"channel_id": None},
    ],
)
async def test_what_may_not_be_changes_nothing(
    server: Server, world: World, owner: User, guild: Guild, bot: User, request_: Any
) -> None:
    foreign = await world.guild(await world.person())
    names = {
        "text": guild.general,
        "hidden": await world.channel(owner, guild, "hidden", type=2, **deny(VIEW_CHANNEL, (bot.id, 1))),
        "closed": await world.channel(owner, guild, "closed", type=2, **deny(CONNECT, (bot.id, 1))),
        "foreign": foreign.id,
        "foreign channel": lounge(foreign),
    }
    async with gateway(server.url, bot.token) as it, gateway(server.url, owner.token, intents=None) as watcher:
        asked = {key: names.get(value, value) for key, value in request_.items()}
        await it.send(4, {"guild_id": guild.id, "channel_id": lounge(guild), **asked})
        await quiet(server, it, watcher)
        for each in (it, watcher):
            assert each.named("VOICE_STATE_UPDATE") == each.named("VOICE_SERVER_UPDATE") == []
        await speak(it, guild, lounge(guild))
        assert await place(watcher, bot) == lounge(guild)


@only_sqlite
async def test_a_full_channel_takes_those_alone_who_may_move_members(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    small = await world.channel(owner, guild, "small", type=2, user_limit=1)
    mover = await world.bot(owner, guild, permissions=BOT_PERMISSIONS | CONNECT | MOVE_MEMBERS)
    second = await world.bot(owner, guild)
    async with (
        gateway(server.url, bot.token) as one,
        gateway(server.url, second.token) as late,
        gateway(server.url, mover.token) as strong,
    ):
        await speak(one, guild, small)
        assert await place(strong, bot) == small
        await speak(late, guild, small)
        await quiet(server, late, strong)
        await speak(one, guild, small, self_mute=True)  # who is in may go on
        assert (await told(strong, bot))["self_mute"] is True
        await speak(strong, guild, small)
        assert await place(late, mover) == small
        assert [d["user_id"] for d in late.named("VOICE_STATE_UPDATE") if d["user_id"] == second.id] == []


@only_sqlite
async def test_saying_the_same_again_tells_nobody(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        for _ in range(3):
            await speak(it, guild, lounge(guild))
        await quiet(server, it)
        assert [name for name, _ in it.events if name.startswith("VOICE")] == [
            "VOICE_STATE_UPDATE",
            "VOICE_SERVER_UPDATE",
        ]


@only_sqlite
async def test_events_need_the_intent_and_sight_of_the_channel(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    other = await world.bot(owner, guild)
    hidden = await world.channel(owner, guild, "hidden", type=2, **deny(VIEW_CHANNEL, (other.id, 1)))
    async with (
        gateway(server.url, bot.token) as it,
        gateway(server.url, other.token) as sees_less,
        gateway(server.url, bot.token, intents=ALL_INTENTS & ~VOICE_STATES) as without,
    ):
        await speak(it, guild, hidden)
        await speak(it, guild, lounge(guild))
        assert await place(sees_less, bot) == lounge(guild)
        await speak(it, guild, hidden)
        assert await place(sees_less, bot) is None  # as far as it can see
        await speak(it, guild, None)
        await quiet(server, it, sees_less, without)
        assert [d["channel_id"] for d in it.named("VOICE_STATE_UPDATE")] == [hidden, lounge(guild), hidden, None]
        assert [d["channel_id"] for d in sees_less.named("VOICE_STATE_UPDATE")] == [lounge(guild), None]
        assert without.named("VOICE_STATE_UPDATE") == []
        await speak(it, guild, hidden)
        await it.heartbeat()
        async with gateway(server.url, other.token) as newcomer, gateway(server.url, owner.token, intents=1) as bare:
            assert newcomer.named("GUILD_CREATE")[0]["voice_states"] == []
            assert bare.ready["guilds"][0]["voice_states"] == []
        async with gateway(server.url, owner.token, intents=1 | VOICE_STATES) as listed:
            [created] = listed.ready["guilds"]
            assert {state["user_id"] for state in created["voice_states"]} == {bot.id}
            assert {member["user"]["id"] for member in created["members"]} == {owner.id, bot.id}


@only_sqlite
async def test_who_is_in_a_channel_is_told_with_the_sight_of_it(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    channel_id = lounge(guild)
    watcher = await world.bot(owner, guild)
    hidden = f"/channels/{channel_id}/permissions/{guild.id}"
    async with gateway(server.url, bot.token) as it, gateway(server.url, watcher.token) as other:
        await speak(it, guild, channel_id)
        assert await place(it, bot) == await place(other, bot) == channel_id
        (await owner.put(hidden, {"type": 0, "deny": str(VIEW_CHANNEL)})).ok(204)
        assert await place(other, bot) is None
        (await owner.delete(hidden)).ok(204)
        state = await told(other, bot)
        assert (state["channel_id"], state["member"]["user"]["id"]) == (channel_id, bot.id)
        names = [name for name, _ in other.events if name.startswith(("VOICE", "CHANNEL"))]
        assert names == ["VOICE_STATE_UPDATE"] * 2 + ["CHANNEL_DELETE", "CHANNEL_CREATE", "VOICE_STATE_UPDATE"]
        await quiet(server, it)
        assert len(it.named("VOICE_STATE_UPDATE")) == 1  # its own


async def test_a_timeout_keeps_out_of_voice(server: Server, owner: User, guild: Guild, bot: User) -> None:
    until = {"communication_disabled_until": "2027-01-15T09:00:00+00:00"}  # an hour from the start of the clock
    (await owner.patch(f"/guilds/{guild.id}/members/{bot.id}", until)).ok(200)
    async with gateway(server.url, bot.token) as it:
        await speak(it, guild, lounge(guild))
        await quiet(server, it)
        assert it.named("VOICE_STATE_UPDATE") == []


async def test_who_may_not_speak_is_suppressed(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    mute = await world.channel(owner, guild, "listen", type=2, **deny(SPEAK, (guild.id, 0)))
    async with gateway(server.url, bot.token) as it:
        await speak(it, guild, mute)
        assert (await told(it, bot))["suppress"] is True
        await speak(it, guild, lounge(guild))
        assert (await told(it, bot))["suppress"] is False


@only_sqlite
async def test_a_person_is_in_one_place_at_a_time_and_a_bot_in_one_of_each_guild(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    second = await world.guild(owner, name="Second")
    (await world.authorize(owner, bot.id, second, BOT_PERMISSIONS)).ok()
    async with gateway(server.url, owner.token, intents=None) as hers, gateway(server.url, bot.token) as its:
        for it in (hers, its):
            await speak(it, guild, lounge(guild))
            await speak(it, second, lounge(second))
            await quiet(server, it)
        places = {
            user.id: {
                d["guild_id"]: d["channel_id"] for d in its.named("VOICE_STATE_UPDATE") if d["user_id"] == user.id
            }
            for user in (owner, bot)
        }
        assert places == {
            owner.id: {guild.id: None, second.id: lounge(second)},
            bot.id: {guild.id: lounge(guild), second.id: lounge(second)},
        }


@only_sqlite
async def test_a_deleted_channel_is_left_before_it_goes(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    channel_id = await world.channel(owner, guild, "short-lived", type=2)
    async with gateway(server.url, bot.token) as it:
        await speak(it, guild, channel_id)
        assert await place(it, bot) == channel_id
        (await owner.delete(f"/channels/{channel_id}")).ok(200)
        await it.next("CHANNEL_DELETE")
        assert [name for name, _ in it.events][-2:] == ["VOICE_STATE_UPDATE", "CHANNEL_DELETE"]
        assert await place(it, bot) is None
    assert (await bot.get(f"/guilds/{guild.id}/voice-states/@me")).error == (404, 10065)


@only_sqlite
async def test_a_state_ends_with_its_session_and_not_with_its_connection(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, owner.token, intents=None) as watcher:
        async with gateway(server.url, bot.token) as lost, gateway(server.url, bot.token) as it:
            await speak(lost, guild, lounge(guild))
            assert await place(watcher, bot) == lounge(guild)
            lost.cut()
            await lost.until_closed()
            await voice.sweep(server.core)
            assert (await bot.get(f"/guilds/{guild.id}/voice-states/@me")).ok(200)
            await speak(it, guild, lounge(guild))  # another session takes over
            assert (await told(watcher, bot))["session_id"] == it.ready["session_id"]
            await it.next("VOICE_SERVER_UPDATE")
        assert await place(watcher, bot) is None


@only_sqlite
async def test_members_are_moved_and_muted_by_others(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    """What Modify Guild Member calls."""
    second = await world.channel(owner, guild, "second", type=2)
    core = server.core
    state = core.live.guilds[int(guild.id)]
    async with gateway(server.url, bot.token) as it:
        await speak(it, guild, lounge(guild))
        assert await place(it, bot) == lounge(guild)
        async with state.lock:
            await voice.move(core, state, int(bot.id), int(second))
        assert await place(it, bot) == second
        await it.next("VOICE_SERVER_UPDATE")
        await it.next("VOICE_SERVER_UPDATE")
        async with state.lock:
            with pytest.raises(ApiError, match="10003"):
                await voice.move(core, state, int(bot.id), int(guild.general))
            await voice.move(core, state, int(bot.id), None)
        assert await place(it, bot) is None
        with pytest.raises(ApiError, match="40032"):
            await voice.move(core, state, int(bot.id), int(second))


@only_sqlite
async def test_what_the_server_mutes_is_told(server: Server, owner: User, guild: Guild, bot: User) -> None:
    """What Modify Guild Member calls."""
    core = server.core
    state = core.live.guilds[int(guild.id)]
    async with gateway(server.url, bot.token) as it:
        await speak(it, guild, lounge(guild))
        assert (await told(it, bot))["mute"] is False
        state.members[int(bot.id)] = replace(state.members[int(bot.id)], mute=True)
        voice.flags_changed(core, state, int(bot.id))
        muted = await told(it, bot)
        assert (muted["mute"], muted["deaf"], muted["member"]["mute"]) == (True, False, True)
        voice.flags_changed(core, state, int(bot.id))
        await speak(it, guild, None)
        assert await place(it, bot) is None


@only_sqlite
@pytest.mark.parametrize(
    ("who", "path", "payload", "error"),
    [
        ("bot", "@me", {"suppress": False}, (403, 50013)),
        ("bot", "@me", {"request_to_speak_timestamp": "2027-01-01T00:00:00Z"}, (403, 50013)),
        ("bot", "@me", {"request_to_speak_timestamp": "soon"}, (403, 50013)),
        ("owner", "@me", {"suppress": True}, (404, 10065)),
        ("owner", "{bot}", {"channel_id": "{general}"}, (400, 40032)),
        ("owner", "{owner}", {"suppress": True}, (404, 10065)),
        ("owner", "1", {"suppress": True}, (404, 10065)),
        ("plain", "{bot}", {"suppress": True}, (403, 50013)),
        ("stranger", "{bot}", {"suppress": True}, (404, 10004)),
    ],
)
async def test_what_a_patch_may_not(
    server: Server, world: World, owner: User, guild: Guild, who: str, path: str, payload: Any, error: Any
) -> None:
    bot = await world.bot(owner, guild)
    plain, stranger = await world.bot(owner, guild), await world.person()
    stage = await world.channel(owner, guild, "stage", type=STAGE, **deny(REQUEST_TO_SPEAK, (guild.id, 0)))
    clients = {"bot": bot, "owner": owner, "plain": plain, "stranger": stranger}
    ids = {"bot": bot.id, "owner": owner.id, "general": guild.general}
    async with gateway(server.url, bot.token) as it:
        await speak(it, guild, stage)
        joined = await told(it, bot)
        body = {key: value.format_map(ids) if isinstance(value, str) else value for key, value in payload.items()}
        answer = await clients[who].patch(f"/guilds/{guild.id}/voice-states/{path.format_map(ids)}", body)
        assert answer.error == error
        assert (await bot.get(f"/guilds/{guild.id}/voice-states/@me")).ok(200) == joined


@only_sqlite
async def test_patches_are_for_stages(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as it:
        await speak(it, guild, lounge(guild))
        await told(it, bot)
        path = f"/guilds/{guild.id}/voice-states/{bot.id}"
        assert (await owner.patch(path, {"suppress": True})).error == (400, 50024)


@only_sqlite
async def test_to_see_a_state_takes_the_permission_to_connect(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    plain = await world.bot(owner, guild)
    closed = await world.channel(owner, guild, "closed", type=2, **deny(CONNECT, (plain.id, 1)))
    async with gateway(server.url, bot.token) as it:
        await speak(it, guild, closed)
        await told(it, bot)
        path = f"/guilds/{guild.id}/voice-states/{bot.id}"
        assert (await plain.get(path)).error == (403, 50013)
        assert (await owner.get(path)).ok(200)["channel_id"] == closed


@only_sqlite
async def test_a_request_to_speak_is_now_or_later(
    server: Server, world: World, owner: User, guild: Guild, bot: User
) -> None:
    stage = await world.channel(owner, guild, "stage", type=STAGE)
    path = f"/guilds/{guild.id}/voice-states/@me"
    now = "2027-01-15T08:00:00.000000+00:00"  # the clock stands still
    assert server.clock() == Clock().ms
    async with gateway(server.url, bot.token) as it:
        await speak(it, guild, stage)
        await told(it, bot)
        for said, kept in (("2027-01-15T07:59:59Z", now), ("2028-01-01T00:00:00Z", "2028-01-01T00:00:00.000000+00:00")):
            (await bot.patch(path, {"request_to_speak_timestamp": said})).ok(204)
            assert (await told(it, bot))["request_to_speak_timestamp"] == kept
        assert (await bot.patch(path, {"request_to_speak_timestamp": "soon"})).errors == {
            "request_to_speak_timestamp": "DATE_TIME_TYPE_PARSE"
        }
        (await bot.patch(path, {"request_to_speak_timestamp": None})).ok(204)
        assert (await told(it, bot))["request_to_speak_timestamp"] is None


@only_sqlite
async def test_people_are_invited_to_speak(server: Server, world: World, owner: User, guild: Guild) -> None:
    speaker = await world.person()
    await world.join(owner, guild, speaker)
    stage = await world.channel(owner, guild, "stage", type=STAGE)
    async with gateway(server.url, speaker.token, intents=None) as it:
        await speak(it, guild, stage)
        await told(it, speaker)
        path = f"/guilds/{guild.id}/voice-states/{speaker.id}"
        (await owner.patch(path, {"suppress": False})).ok(204)
        invited = await told(it, speaker)
        assert (invited["suppress"], invited["request_to_speak_timestamp"]) == (
            False,
            "2027-01-15T08:00:00.000000+00:00",
        )
        (await owner.patch(path, {"suppress": True})).ok(204)
        assert (await told(it, speaker))["request_to_speak_timestamp"] is None
