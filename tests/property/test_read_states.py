"""What is unread, and what of it calls the reader, agrees with a list of messages that is counted by hand."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.model.objects.account import Register
from chatd.model.objects.guild import GuildCreateParams
from chatd.model.objects.message import MessageCreate
from chatd.model.objects.read_state import AckParams
from chatd.model.objects.user import DirectChannelCreate
from chatd.model.snowflake import lowest_at
from chatd.model.wire import Snowflake, convert
from chatd.service import accounts, auth, deletions, directs, guild_creation, membership, messages, read_states
from chatd.service.actors import Actor
from chatd.service.commits import change
from chatd.service.core import Core
from chatd.store import members
from tests.support.core import Clock, open_core
from tests.support.databases import empty

READER, WRITER = range(2)
PLACES = 3  # two channels of a guild, and the direct channel
DIRECT = 2

places = st.integers(0, PLACES - 1)
steps = st.lists(
    st.tuples(st.just("post"), st.integers(0, 1), places, st.sampled_from(["", "user", "role", "everyone", "all"]))
    | st.tuples(st.just("delete"), st.integers(0, 4))
    | st.tuples(st.just("read"), places, st.integers(-1, 4), st.booleans())
    | st.tuples(st.just("write down")),
    min_size=15,  # what goes wrong takes several steps
    max_size=40,
)


@dataclass
class Posted:
    id: int
    author: int
    place: int
    calls: bool  # the reader


@dataclass
class Model:
    posted: list[Posted] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    read: dict[int, int] = field(default_factory=dict)  # place -> message

    def newest(self, place: int) -> int | None:
        """It counts although it may have been deleted."""
        return max((it.id for it in self.posted if it.place == place), default=None)

    def mark(self, place: int, message_id: int, manual: bool) -> None:
        newest = self.newest(place)
        if newest is not None:
            wanted = min(message_id, newest)
            self.read[place] = wanted if manual else max(wanted, self.read.get(place, 0))

    def expected(self, since: int) -> dict[int, tuple[int, int]]:
        """Place -> the last message read, and how many after it call the reader."""
        found = {}
        for place in range(PLACES):
            last = max(self.read.get(place, 0), 0 if place == DIRECT else since)
            count = sum(it.place == place and it.calls and it.id > last for it in self.posted if it.id not in self.gone)
            if place in self.read or count:
                found[place] = (last, count)
        return found


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@given(history=steps)
@settings(max_examples=40)
def test_counts_agree_with_a_naive_model(database: str, history: list[tuple[Any, ...]]) -> None:
    with empty(database) as (directory, url):
        trio.run(run, url, directory, history)


async def run(database_url: str, directory: Path, history: list[tuple[Any, ...]]) -> None:
    clock = Clock()
    async with open_core(directory, clock, database={"url": database_url}) as core:
        people = [await person(core, name) for name in ("reader", "writer")]
        reader, writer = people
        guild_id, role_id, channel_ids = await settle(core, *people)
        since = lowest_at(clock())
        direct = await directs.create(core, reader, DirectChannelCreate(recipient_id=writer.user.id))
        channel_ids.append(direct.id)
        texts = {
            "": "hello",
            "user": f"<@{reader.id}>",
            "role": f"<@&{role_id}>",
            "everyone": "@everyone",
            "all": f"<@{reader.id}> <@{writer.id}> <@&{role_id}> @everyone <@&{guild_id}>",
        }
        model = Model()
        for step, *args in history:
            clock.advance(0.001)
            if step == "post":
                who, place, kind = args
                body = MessageCreate(content=texts[kind])
                made = int(
                    msgspec.json.decode(await messages.create(core, people[who], channel_ids[place], body))["id"]
                )
                calls = who == WRITER and (kind != "" or place == DIRECT)
                model.posted.append(Posted(made, who, place, calls))
                if who == READER:
                    model.mark(place, made, manual=False)
            elif step == "delete":
                alive = [it for it in model.posted if it.id not in model.gone]
                for it in alive[args[0] : args[0] + 1]:
                    await deletions.one(core, people[it.author], channel_ids[it.place], Snowflake(it.id), None)
                    model.gone.add(it.id)
            elif step == "read":
                place, number, manual = args
                here = [it.id for it in model.posted if it.place == place]
                message_id = 0 if number < 0 else here[number] if number < len(here) else core.ids.next()
                ack = AckParams(manual=manual)
                await read_states.acknowledge(core, reader, channel_ids[place], Snowflake(message_id), ack)
                model.mark(place, message_id, manual)
            else:
                await read_states.write_down(core)
            listed = await read_states.load(core, reader)
            found = {channel_ids.index(it.id): (int(it.last_message_id), it.mention_count) for it in listed}
            assert found == model.expected(since)


async def person(core: Core, name: str) -> Actor:
    pair = await accounts.register(core, Register(username=name, password="correct horse"))
    return await auth.authenticate(core, f"Bearer {pair.access_token}")


async def settle(core: Core, reader: Actor, writer: Actor) -> tuple[int, int, list[Snowflake]]:
    """A guild of the writer with two channels, where the reader has a role."""
    template = {
        "name": "guild",
        "roles": [{"id": 1}, {"id": 2, "name": "role", "mentionable": True}],
        "channels": [{"name": "one"}, {"name": "two"}],
    }
    view = await guild_creation.create(core, writer, convert(template, GuildCreateParams))
    guild = core.live.guilds[view.id]
    [role_id] = [role.id for role in view.roles if role.id != view.id]
    member = members.new(reader.user, core.clock_ms(), (role_id,))

    def joined(_: bool) -> None:
        membership.joined(core, guild, member)

    await change(core, (guild.id, reader.id), members.insert, guild.id, member, then=joined)
    return guild.id, role_id, [Snowflake(id_) for id_ in sorted(guild.channels)]
