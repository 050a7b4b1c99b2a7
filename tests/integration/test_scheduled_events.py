"""Scheduled events over the wire: who may make, see, change and end them, and who is interested."""

from pathlib import Path
from typing import Any

import pytest
import trio

from chatd import app
from chatd.config import load
from chatd.model import limits
from chatd.model.wire import timestamp
from chatd.service import scheduled_events
from chatd.store import scheduled_events as store
from tests.support.app import OPTIONS, Server
from tests.support.client import ALL_INTENTS, Gateway, Json, gateway
from tests.support.core import Clock
from tests.support.world import Guild, User, World

VIEW, CONNECT = 1 << 10, 1 << 20
MANAGE_CHANNELS, MUTE_MEMBERS, MOVE_MEMBERS, MANAGE_EVENTS, CREATE_EVENTS = 1 << 4, 1 << 22, 1 << 24, 1 << 33, 1 << 44

STAGE, VOICE, EXTERNAL = 1, 2, 3
SCHEDULED, ACTIVE, COMPLETED, CANCELED = 1, 2, 3, 4

UNKNOWN_CHANNEL = (404, 10003)
UNKNOWN_EVENT, UNKNOWN_EVENT_USER = (404, 10070), (404, 10071)
TOO_MANY = (400, 30038)
NO_ACCESS, NO_PERMISSION = (403, 50001), (403, 50013)
WRONG_CHANNEL_TYPE = (400, 50024)
FINISHED = (400, 180000)

START, END = "2099-01-02T03:04:05.000000+00:00", "2099-01-02T04:04:05.000000+00:00"
BASE = {"name": "Reading", "privacy_level": 2, "scheduled_start_time": START}
OUTSIDE = {**BASE, "entity_type": EXTERNAL, "entity_metadata": {"location": "park"}, "scheduled_end_time": END}


def voice_of(guild: Guild) -> str:
    channel_id: str = next(channel["id"] for channel in guild.channels if channel["type"] == 2)
    return channel_id


def events_of(guild: Guild) -> str:
    return f"/guilds/{guild.id}/scheduled-events"


async def plan(user: User, guild: Guild, **fields: Any) -> Json:
    return (await user.post(events_of(guild), {**OUTSIDE, **fields})).ok(200)


async def hide(owner: User, guild: Guild, channel_id: str) -> None:
    hidden = {"type": 0, "allow": "0", "deny": str(VIEW)}
    (await owner.put(f"/channels/{channel_id}/permissions/{guild.id}", hidden)).ok(204)


async def grant(owner: User, guild: Guild, permissions: int) -> None:
    """What everyone may do, and nothing else."""
    (await owner.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": str(permissions)})).ok(200)


def told(it: Gateway) -> list[tuple[str, str]]:
    """What a client has heard of events: name and id."""
    return [(name, d["id"]) for name, d in it.events if name.startswith("GUILD_SCHEDULED_EVENT_")]


# --- create, list, show ----------------------------------------------------------------------------------------------


async def test_every_kind_can_be_planned(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    stage = await world.channel(alice, guild, "stage", type=13)
    path = events_of(guild)
    made = []
    async with gateway(server.url, alice.token) as ear:
        for params, expected in (
            (OUTSIDE, {"channel_id": None, "scheduled_end_time": END, "entity_metadata": {"location": "park"}}),
            (
                {**BASE, "entity_type": VOICE, "channel_id": voice_of(guild), "entity_metadata": {"location": "no"}},
                {"channel_id": voice_of(guild), "scheduled_end_time": None, "entity_metadata": None},
            ),
            (
                {**BASE, "entity_type": STAGE, "channel_id": stage, "description": "d", "scheduled_end_time": END},
                {"channel_id": stage, "description": "d", "scheduled_end_time": END},
            ),
            (
                {**OUTSIDE, "recurrence_rule": {"start": START, "frequency": 2, "interval": 2, "by_weekday": [1]}},
                {
                    "recurrence_rule": {
                        "start": START,
                        "frequency": 2,
                        "interval": 2,
                        "by_weekday": [1],
                        **dict.fromkeys(("by_n_weekday", "by_month", "by_month_day", "end", "by_year_day", "count")),
                    }
                },
            ),
        ):
            event = (await alice.post(path, params)).ok(200)
            assert event.items() >= {**BASE, **expected, "status": SCHEDULED, "creator_id": alice.id}.items()
            assert event["creator"]["id"] == alice.id
            assert "user_count" not in event
            assert await ear.next("GUILD_SCHEDULED_EVENT_CREATE") == event
            assert (await alice.get(f"{path}/{event['id']}")).ok(200) == event
            made.append(event)
    assert (await alice.get(path)).ok(200) == made
    async with gateway(server.url, (await world.bot(alice, guild)).token) as bot:
        created = bot.named("GUILD_CREATE")[0]
        assert created["guild_scheduled_events"] == made
    state = server.core.live.guilds[int(guild.id)]
    assert await server.core.db.read(store.of_guild, state.id) == state.scheduled_events


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"name": ""}, {"name": "BASE_TYPE_BAD_LENGTH"}),
        ({"name": "x" * 101}, {"name": "BASE_TYPE_BAD_LENGTH"}),
        ({"description": "x" * 1001}, {"description": "BASE_TYPE_MAX_LENGTH"}),
        ({"privacy_level": 1}, {"privacy_level": "BASE_TYPE_CHOICES"}),
        ({"entity_type": 4}, {"entity_type": "BASE_TYPE_CHOICES"}),
        ({"scheduled_start_time": "soon"}, {"scheduled_start_time": "DATE_TIME_TYPE_PARSE"}),
        (
            {"scheduled_start_time": "2001-01-01T00:00:00Z"},
            {"scheduled_start_time": "GUILD_SCHEDULED_EVENT_SCHEDULE_PAST"},
        ),
        ({"scheduled_end_time": START}, {"scheduled_end_time": "GUILD_SCHEDULED_EVENT_SCHEDULE_INVALID"}),
        ({"scheduled_end_time": "late"}, {"scheduled_end_time": "DATE_TIME_TYPE_PARSE"}),
        (
            {"scheduled_end_time": None, "entity_metadata": None},
            {"scheduled_end_time": "BASE_TYPE_REQUIRED", "entity_metadata.location": "BASE_TYPE_REQUIRED"},
        ),
        ({"entity_metadata": {}}, {"entity_metadata.location": "BASE_TYPE_REQUIRED"}),
        ({"entity_metadata": {"location": "x" * 101}}, {"entity_metadata.location": "BASE_TYPE_BAD_LENGTH"}),
        ({"channel_id": "1"}, {"channel_id": "BASE_TYPE_INVALID"}),
        ({"entity_type": VOICE}, {"channel_id": "BASE_TYPE_REQUIRED"}),
        ({"entity_type": STAGE}, {"channel_id": "BASE_TYPE_REQUIRED"}),
        ({"image": "data:image/png;base64,AAAA"}, {"image": "IMAGE_INVALID"}),
        ({"recurrence_rule": {"start": START, "frequency": 4}}, {"recurrence_rule.frequency": "BASE_TYPE_CHOICES"}),
        (
            {"recurrence_rule": {"start": START, "frequency": 3, "interval": 2}},
            {"recurrence_rule.interval": "RECURRENCE_RULE_INVALID"},
        ),
    ],
)
@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_what_makes_no_event_is_refused(
    server: Server, world: World, fields: dict[str, Any], errors: dict[str, str]
) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    assert (await alice.post(events_of(guild), {**OUTSIDE, **fields})).errors == errors
    assert (await alice.get(events_of(guild))).ok(200) == []


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_the_channel_must_fit(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    stage = await world.channel(alice, guild, "stage", type=13)
    for kind, channel_id, expected in (
        (VOICE, "1", UNKNOWN_CHANNEL),
        (VOICE, guild.general, WRONG_CHANNEL_TYPE),
        (VOICE, stage, WRONG_CHANNEL_TYPE),
        (STAGE, voice_of(guild), WRONG_CHANNEL_TYPE),
    ):
        event = {**BASE, "entity_type": kind, "channel_id": channel_id}
        assert (await alice.post(events_of(guild), event)).error == expected
    await hide(alice, guild, voice_of(guild))
    event = {**BASE, "entity_type": VOICE, "channel_id": voice_of(guild)}
    assert (await bob.post(events_of(guild), event)).error == NO_ACCESS


async def test_a_guild_has_so_many_at_a_time(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    for _ in range(limits.SCHEDULED_EVENTS):
        last = await plan(alice, guild)
    assert (await alice.post(events_of(guild), OUTSIDE)).error == TOO_MANY
    (await alice.patch(f"{events_of(guild)}/{last['id']}", {"status": CANCELED})).ok(200)
    await plan(alice, guild)


# --- permissions and sight -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_what_it_takes_to_plan(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    stage = await world.channel(alice, guild, "stage", type=13)
    in_voice = {**BASE, "entity_type": VOICE, "channel_id": voice_of(guild)}
    on_stage = {**BASE, "entity_type": STAGE, "channel_id": stage}
    for params, needed in (
        (OUTSIDE, (CREATE_EVENTS,)),
        (in_voice, (CREATE_EVENTS, CONNECT)),
        (on_stage, (CREATE_EVENTS, MANAGE_CHANNELS, MUTE_MEMBERS, MOVE_MEMBERS)),
    ):
        enough = VIEW | CONNECT | sum(set(needed) - {CONNECT})
        for missing in needed:
            await grant(alice, guild, MANAGE_EVENTS | enough & ~missing)
            assert (await bob.post(events_of(guild), params)).error == NO_PERMISSION
        await grant(alice, guild, enough)
        event = (await bob.post(events_of(guild), params)).ok(200)
        path = f"{events_of(guild)}/{event['id']}"
        (await bob.patch(path, {"name": "mine"})).ok(200)
        for missing in set(needed) - {CREATE_EVENTS}:
            await grant(alice, guild, MANAGE_EVENTS | enough & ~missing)
            assert (await bob.patch(path, {"name": "no"})).error == NO_PERMISSION
            assert (await bob.delete(path)).error == NO_PERMISSION
        await grant(alice, guild, enough)
        (await bob.delete(path)).ok(204)


async def test_other_peoples_events_take_manage_events(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    event = await plan(alice, guild)
    path = f"{events_of(guild)}/{event['id']}"
    assert (await bob.patch(path, {"name": "no"})).error == NO_PERMISSION
    assert (await bob.delete(path)).error == NO_PERMISSION
    assert (await bob.get(path)).ok(200) == event
    await grant(alice, guild, VIEW | MANAGE_EVENTS)
    assert (await bob.patch(path, {"name": "yes"})).ok(200)["name"] == "yes"
    (await bob.delete(path)).ok(204)
    assert (await alice.get(path)).error == UNKNOWN_EVENT


async def test_an_event_is_seen_with_its_channel(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    secret = await world.channel(alice, guild, "secret", type=2)
    await hide(alice, guild, secret)
    async with gateway(server.url, alice.token) as near, gateway(server.url, bob.token) as far:
        event = await plan(
            alice, guild, entity_type=VOICE, channel_id=secret, entity_metadata=None, scheduled_end_time=None
        )
        path = f"{events_of(guild)}/{event['id']}"
        assert (await bob.get(events_of(guild))).ok(200) == []
        assert (await bob.get(path)).error == NO_ACCESS
        assert (await bob.get(f"{path}/users")).error == NO_ACCESS
        assert (await bob.put(f"{path}/users/@me")).error == NO_ACCESS
        (await alice.patch(path, {"channel_id": voice_of(guild)})).ok(200)
        assert (await bob.get(path)).ok(200)["channel_id"] == voice_of(guild)
        (await alice.patch(path, {"channel_id": secret})).ok(200)
        (await alice.patch(path, {"name": "hidden"})).ok(200)
        await alice.say(guild.general)
        await near.next("MESSAGE_CREATE")
        await far.next("MESSAGE_CREATE")
    created, updated, deleted = (f"GUILD_SCHEDULED_EVENT_{what}" for what in ("CREATE", "UPDATE", "DELETE"))
    assert told(far) == [(created, event["id"]), (deleted, event["id"])]
    assert told(near) == [(created, event["id"]), *[(updated, event["id"])] * 3]
    async with gateway(server.url, bob.token) as later:
        assert later.ready["guilds"][0]["guild_scheduled_events"] == []


async def test_events_come_and_go_with_the_sight_of_their_channel(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    voice = voice_of(guild)
    event = (await alice.post(events_of(guild), {**BASE, "entity_type": VOICE, "channel_id": voice})).ok(200)
    await plan(alice, guild)
    async with (
        gateway(server.url, alice.token) as owner,
        gateway(server.url, bob.token) as ear,
        gateway(server.url, bob.token, intents=1 << 16) as those_alone,
    ):
        await hide(alice, guild, voice)
        assert await those_alone.next("GUILD_SCHEDULED_EVENT_DELETE") == event
        assert await ear.next("GUILD_SCHEDULED_EVENT_DELETE") == event
        await ear.next("CHANNEL_DELETE")
        (await alice.delete(f"/channels/{voice}/permissions/{guild.id}")).ok(204)
        await ear.next("CHANNEL_CREATE")
        assert await ear.next("GUILD_SCHEDULED_EVENT_CREATE") == event
        await alice.say(guild.general)
        await owner.next("MESSAGE_CREATE")
        await ear.next("MESSAGE_CREATE")
        assert (len(told(ear)), told(owner)) == (2, [])
        assert [name for name, _ in those_alone.events] == [
            "READY",
            "GUILD_SCHEDULED_EVENT_DELETE",
            "GUILD_SCHEDULED_EVENT_CREATE",
        ]


async def test_the_intent_lets_events_through(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    async with gateway(server.url, alice.token, intents=ALL_INTENTS & ~(1 << 16)) as deaf:
        event = await plan(alice, guild)
        (await alice.put(f"{events_of(guild)}/{event['id']}/users/@me")).ok(200)
        await alice.say(guild.general)
        await deaf.next("MESSAGE_CREATE")
        assert [name for name, _ in deaf.events if name.startswith("GUILD_SCHEDULED_EVENT_")] == []


# --- edit and end ----------------------------------------------------------------------------------------------------


async def test_edit(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    event = await plan(alice, guild)
    path = f"{events_of(guild)}/{event['id']}"
    rule = {"start": START, "frequency": 3}
    async with gateway(server.url, alice.token) as ear:
        for changes, expected in (
            ({"name": "b", "description": "d", "privacy_level": 2}, {"name": "b", "description": "d"}),
            ({"description": None, "image": None, "entity_type": None, "status": None}, {"description": None}),
            ({"scheduled_start_time": "2098-01-01T00:00:00Z"}, {}),
            ({"entity_metadata": {"location": "hall"}}, {"entity_metadata": {"location": "hall"}}),
            (
                {"entity_type": VOICE, "channel_id": voice_of(guild), "scheduled_end_time": None},
                {"entity_type": VOICE, "channel_id": voice_of(guild), "entity_metadata": None},
            ),
            ({"entity_metadata": {"location": "nowhere"}}, {"entity_metadata": None}),
            (
                {
                    "entity_type": EXTERNAL,
                    "channel_id": None,
                    "entity_metadata": {"location": "x"},
                    "scheduled_end_time": END,
                },
                {"entity_type": EXTERNAL, "channel_id": None, "entity_metadata": {"location": "x"}},
            ),
        ):
            changed = (await alice.patch(path, changes)).ok(200)
            assert changed.items() >= expected.items()
            assert await ear.next("GUILD_SCHEDULED_EVENT_UPDATE") == changed
        assert changed["scheduled_start_time"] == "2098-01-01T00:00:00.000000+00:00"
        recurring = (await alice.patch(path, {"recurrence_rule": rule})).ok(200)
        assert recurring["recurrence_rule"].items() >= {"frequency": 3, "interval": 1, "by_weekday": None}.items()
        assert (await alice.patch(path, {"recurrence_rule": None})).ok(200) == changed
    for changes, errors in (
        ({"name": None}, {"name": "BASE_TYPE_REQUIRED"}),
        ({"entity_metadata": None}, {"entity_metadata.location": "BASE_TYPE_REQUIRED"}),
        ({"scheduled_end_time": None}, {"scheduled_end_time": "BASE_TYPE_REQUIRED"}),
        ({"channel_id": voice_of(guild)}, {"channel_id": "BASE_TYPE_INVALID"}),
        ({"entity_type": STAGE}, {"channel_id": "BASE_TYPE_REQUIRED"}),
        ({"image": "data:image/png;base64,AAAA"}, {"image": "IMAGE_INVALID"}),
    ):
        assert (await alice.patch(path, changes)).errors == errors
    assert (await alice.patch(path, {"entity_type": STAGE, "channel_id": voice_of(guild)})).error == WRONG_CHANNEL_TYPE
    assert (await alice.get(path)).ok(200) == changed


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_status_goes_its_way(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    for way in ((), (ACTIVE,), (ACTIVE, COMPLETED), (CANCELED,)):
        before = way[-1] if way else SCHEDULED
        for after in (SCHEDULED, ACTIVE, COMPLETED, CANCELED):
            event = await plan(alice, guild)
            path = f"{events_of(guild)}/{event['id']}"
            for status in way:
                (await alice.patch(path, {"status": status})).ok(200)
            answer = await alice.patch(path, {"status": after})
            if before in (COMPLETED, CANCELED):
                assert answer.error == FINISHED
            elif after == before or (before, after) in ((1, 2), (2, 3), (1, 4)):
                assert answer.ok(200)["status"] == after
            else:
                assert answer.errors == {"status": "GUILD_SCHEDULED_EVENT_INVALID_STATUS"}
            (await alice.delete(path)).ok(204)


async def test_who_has_started_cannot_start_later(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    path = f"{events_of(guild)}/{(await plan(alice, guild))['id']}"
    (await alice.patch(path, {"status": ACTIVE})).ok(200)
    assert (await alice.patch(path, {"scheduled_start_time": START})).errors == {
        "scheduled_start_time": "GUILD_SCHEDULED_EVENT_SCHEDULE_INVALID_START_BY_STATUS"
    }
    (await alice.patch(path, {"name": "still on"})).ok(200)


async def test_what_is_over_is_found_but_not_listed(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    event = await plan(alice, guild)
    path = f"{events_of(guild)}/{event['id']}"
    (await alice.put(f"{path}/users/@me")).ok(200)
    async with gateway(server.url, alice.token) as ear:
        canceled = (await alice.patch(path, {"status": CANCELED})).ok(200)
        assert await ear.next("GUILD_SCHEDULED_EVENT_UPDATE") == canceled
        assert (await alice.get(events_of(guild))).ok(200) == []
        assert (await alice.get(path, with_user_count="true")).ok(200) == {**canceled, "user_count": 1}
        assert (await alice.patch(path, {"name": "late"})).error == FINISHED
        assert (await alice.put(f"{path}/users/@me")).error == FINISHED
        assert (await alice.delete(f"{path}/users/@me")).error == FINISHED
        (await alice.delete(path)).ok(204)
        assert await ear.next("GUILD_SCHEDULED_EVENT_DELETE") == canceled
    assert (await alice.get(path)).error == UNKNOWN_EVENT


async def test_an_event_belongs_to_its_guild(server: Server, world: World) -> None:
    alice = await world.person()
    guild, other = await world.guild(alice), await world.guild(alice)
    event = await plan(alice, guild)
    assert (await alice.get(f"{events_of(other)}/{event['id']}")).error == UNKNOWN_EVENT


async def test_a_channel_takes_its_events_along(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    voice = voice_of(guild)
    stays = await plan(alice, guild)
    goes = (await alice.post(events_of(guild), {**BASE, "entity_type": VOICE, "channel_id": voice})).ok(200)
    async with gateway(server.url, alice.token) as ear:
        (await alice.delete(f"/channels/{voice}")).ok(200)
        await ear.next("CHANNEL_DELETE")
        assert told(ear) == [("GUILD_SCHEDULED_EVENT_DELETE", goes["id"])]
    assert (await alice.get(events_of(guild))).ok(200) == [stays]
    assert (await alice.get(f"{events_of(guild)}/{goes['id']}")).error == UNKNOWN_EVENT


async def test_the_audit_log_has_it(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    event, gone = await plan(alice, guild), await plan(alice, guild)
    path = events_of(guild)
    why = {"X-Audit-Log-Reason": "because"}
    (await alice.patch(f"{path}/{event['id']}", {"name": "b"}, headers=why)).ok(200)
    (await alice.patch(f"{path}/{event['id']}", {"name": "b"})).ok(200)  # changes nothing
    (await alice.delete(f"{path}/{gone['id']}")).ok(204)
    log = (await alice.get(f"/guilds/{guild.id}/audit-logs")).ok(200)
    entries = [(each["action_type"], each["target_id"]) for each in log["audit_log_entries"]]
    assert entries == [(102, gone["id"]), (101, event["id"]), (100, gone["id"]), (100, event["id"])]
    updated = log["audit_log_entries"][1]
    assert updated["changes"] == [{"key": "name", "new_value": "b", "old_value": "Reading"}]
    assert updated["reason"] == "because"
    assert {"key": "status", "new_value": SCHEDULED} in log["audit_log_entries"][3]["changes"]
    assert [(each["id"], each["name"]) for each in log["guild_scheduled_events"]] == [(event["id"], "b")]


# --- interest --------------------------------------------------------------------------------------------------------


async def test_interest(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    event = await plan(alice, guild)
    path = f"{events_of(guild)}/{event['id']}"
    about = {"guild_scheduled_event_id": event["id"], "user_id": bob.id, "guild_id": guild.id}
    async with gateway(server.url, alice.token) as ear:
        interested = (await bob.put(f"{path}/users/@me")).ok(200)
        assert interested.items() >= {"guild_scheduled_event_id": event["id"], "user_id": bob.id, "response": 1}.items()
        assert interested["user"]["id"] == interested["member"]["user"]["id"] == bob.id
        assert (await bob.put(f"{path}/users/@me")).ok(200) == interested
        (await alice.put(f"{path}/users/@me")).ok(200)
        assert (await alice.get(path, with_user_count="true")).ok(200)["user_count"] == 2
        assert [it["user_count"] for it in (await bob.get(events_of(guild), with_user_count="true")).ok(200)] == [2]
        (await bob.delete(f"{path}/users/@me")).ok(204)
        assert (await bob.delete(f"{path}/users/@me")).error == UNKNOWN_EVENT_USER
        assert await ear.next("GUILD_SCHEDULED_EVENT_USER_REMOVE") == about
        assert ear.named("GUILD_SCHEDULED_EVENT_USER_ADD") == [about, {**about, "user_id": alice.id}]
        assert ear.named("GUILD_SCHEDULED_EVENT_USER_REMOVE") == [about]
    assert [it["user_id"] for it in (await alice.get(f"{path}/users")).ok(200)] == [alice.id]


async def test_users_come_in_pages(server: Server, world: World) -> None:
    people = [await world.person() for _ in range(4)]
    a, b, c, d = (person.id for person in people)
    guild = await world.guild(people[0], *people[1:])
    path = f"{events_of(guild)}/{(await plan(people[0], guild))['id']}/users"
    for person in reversed(people):
        (await person.put(f"{path}/@me")).ok(200)
    for query, expected in (
        ({}, [a, b, c, d]),
        ({"limit": 2}, [a, b]),
        ({"after": b}, [c, d]),
        ({"after": a, "limit": 2}, [b, c]),
        ({"before": d, "limit": 2}, [b, c]),
        ({"before": b, "after": c}, [a]),
        ({"before": a}, []),
    ):
        found = (await people[0].get(path, **query)).ok(200)
        assert [each["user"]["id"] for each in found] == expected, query
        assert all("member" not in each for each in found)
    with_members = (await people[0].get(path, with_member="true")).ok(200)
    assert [each["member"]["user"]["id"] for each in with_members] == [a, b, c, d]
    for query, errors in (({"limit": 0}, "NUMBER_TYPE_MIN"), ({"limit": 101}, "NUMBER_TYPE_MAX")):
        assert (await people[0].get(path, **query)).errors == {"limit": errors}


# --- the end of external events --------------------------------------------------------------------------------------


async def test_external_events_end_by_themselves(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    now = server.clock
    soon, later = {"scheduled_start_time": at(now, 60)}, {"scheduled_start_time": at(now, 600)}
    ends = await plan(alice, guild, **soon, scheduled_end_time=at(now, 120))
    under_way = await plan(alice, guild, **soon, scheduled_end_time=at(now, 120))
    (await alice.patch(f"{events_of(guild)}/{under_way['id']}", {"status": ACTIVE})).ok(200)
    stays = await plan(alice, guild, **later, scheduled_end_time=at(now, 700))
    in_voice = await plan(
        alice, guild, **soon, entity_type=VOICE, channel_id=voice_of(guild), scheduled_end_time=at(now, 120)
    )
    async with gateway(server.url, alice.token) as ear:
        await scheduled_events.complete_ended(server.core)
        assert told(ear) == []
        now.advance(120)
        await scheduled_events.complete_ended(server.core)
        for event in (ends, under_way):
            told_of = await ear.next("GUILD_SCHEDULED_EVENT_UPDATE", lambda d, id_=event["id"]: d["id"] == id_)
            assert told_of == {**event, "status": COMPLETED}
        await scheduled_events.complete_ended(server.core)
        assert len(told(ear)) == 2
    assert (await alice.get(events_of(guild))).ok(200) == [stays, in_voice]
    assert (await alice.get(f"{events_of(guild)}/{ends['id']}")).ok(200)["status"] == COMPLETED


async def test_events_outlive_the_server(tmp_path: Path) -> None:
    clock = Clock()
    settings = load(None, {}, {**OPTIONS, "data.dir": str(tmp_path)})
    async with trio.open_nursery() as nursery:
        running = await nursery.start(lambda task_status: app.run(settings, clock_ms=clock, task_status=task_status))
        async with World(running.url) as world:
            alice = await world.person()
            guild = await world.guild(alice)
            times = {"scheduled_start_time": at(clock, 60), "scheduled_end_time": at(clock, 120)}
            ends, stays = await plan(alice, guild, **times), await plan(alice, guild)
        running.stop()
    clock.advance(150)
    async with trio.open_nursery() as nursery:
        running = await nursery.start(lambda task_status: app.run(settings, clock_ms=clock, task_status=task_status))
        await scheduled_events.complete_ended(running.core)
        async with World(running.url) as world:
            again = world.user(alice.pair)
            assert (await again.get(events_of(guild))).ok(200) == [stays]
            assert (await again.get(f"{events_of(guild)}/{ends['id']}")).ok(200) == {**ends, "status": COMPLETED}
        running.stop()


def at(clock: Clock, seconds: int) -> str:
    return timestamp(clock() + seconds * 1000)
