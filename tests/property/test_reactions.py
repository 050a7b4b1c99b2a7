"""What messages show of their reactions, to each who asks, agrees with a list that is counted by hand."""

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from chatd.model import limits
from chatd.model.errors import ApiError
from chatd.model.objects.message import MessageCreate, MessagePage
from chatd.model.objects.reaction import ReactionCreate, ReactionsQuery
from chatd.model.wire import Snowflake
from chatd.service import messages, reactions
from tests.support.core import open_core, person, shared_channel
from tests.support.databases import empty

PEOPLE, MESSAGES = 3, 2
EMOJIS = ["👍", "❤️", "❤", "🇩🇪", *(chr(0x1F600 + number) for number in range(20))]

who = st.integers(0, PEOPLE - 1)
where = st.integers(0, MESSAGES - 1)
# Mostly the same few, so that they meet.
emojis = st.sampled_from(EMOJIS[:4]) | st.sampled_from(EMOJIS)
steps = st.lists(
    st.tuples(st.just("add"), who, where, emojis, st.booleans())
    | st.tuples(st.just("all"), who, where)
    | st.tuples(st.just("remove"), who, where, emojis, who)
    | st.tuples(st.just("clear emoji"), where, emojis)
    | st.tuples(st.just("clear"), where),
    min_size=10,
    max_size=40,
)


class Reacted(NamedTuple):
    message: int
    emoji: str
    user: int
    burst: bool


class Model:
    def __init__(self) -> None:
        self.all: list[Reacted] = []  # oldest first

    def form(self, message: int, emoji: str) -> str:
        """As the first has spelled it."""
        spelled = emoji.strip("\ufe0f")
        return next((it.emoji for it in self.of(message) if it.emoji.strip("\ufe0f") == spelled), emoji)

    def of(self, message: int) -> list[Reacted]:
        return [it for it in self.all if it.message == message]

    def add(self, user: int, message: int, emoji: str, burst: bool) -> None:
        emoji = self.form(message, emoji)
        different = {it.emoji for it in self.of(message)}
        is_full = emoji not in different and len(different) == limits.MESSAGE_REACTIONS
        if not is_full and not any((it.emoji, it.user) == (emoji, user) for it in self.of(message)):
            self.all.append(Reacted(message, emoji, user, burst))

    def drop(self, message: int, emoji: str | None = None, user: int | None = None) -> None:
        form = None if emoji is None else self.form(message, emoji)
        self.all = [
            it
            for it in self.all
            if it.message != message or form not in (None, it.emoji) or user not in (None, it.user)
        ]

    def shown(self, message: int, asker: int) -> list[tuple[Any, ...]]:
        found = []
        for emoji in dict.fromkeys(it.emoji for it in self.of(message)):
            same = [it for it in self.of(message) if it.emoji == emoji]
            burst = sum(it.burst for it in same)
            mine = {it.burst for it in same if it.user == asker}
            found.append((emoji, len(same), burst, False in mine, True in mine))
        return found

    def users(self, message: int, emoji: str) -> set[int]:
        form = self.form(message, emoji)
        return {it.user for it in self.of(message) if it.emoji == form and not it.burst}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@given(history=steps)
@settings(max_examples=30)
def test_counts_agree_with_a_naive_model(database: str, history: list[tuple[Any, ...]]) -> None:
    with empty(database) as (directory, url):
        trio.run(run, url, directory, history)


async def run(database_url: str, directory: Path, history: list[tuple[Any, ...]]) -> None:
    async with open_core(directory, database={"url": database_url}) as core:
        people = [await person(core, f"person{number}") for number in range(PEOPLE)]
        channel_id = await shared_channel(core, people)
        for _ in range(MESSAGES):
            await messages.create(core, people[0], channel_id, MessageCreate(content="hello"))
        posted = [message.id for message in await messages.page(core, people[0], channel_id, MessagePage())][::-1]
        model = Model()

        async def add(user: int, message: int, emoji: str, burst: bool = False) -> None:
            with suppress(ApiError):  # too many: the model says so too
                query = ReactionCreate(type=1 if burst else 0)
                await reactions.add(core, people[user], channel_id, posted[message], emoji, query)
            model.add(user, message, emoji, burst)

        for step, *args in history:
            if step == "add":
                await add(*args)
            elif step == "all":
                for emoji in EMOJIS:
                    await add(*args, emoji)
            elif step == "remove":
                user, message, emoji, whose = args
                place = (channel_id, posted[message], emoji)
                with suppress(ApiError):
                    await reactions.remove(core, people[user], *place, Snowflake(people[whose].id))
                if user in (0, whose):  # the owner may remove others'
                    model.drop(message, emoji, whose)
            elif step == "clear emoji":
                message, emoji = args
                await reactions.clear_emoji(core, people[0], channel_id, posted[message], emoji)
                model.drop(message, emoji)
            else:
                await reactions.clear(core, people[0], channel_id, posted[args[0]])
                model.drop(args[0])
        for asker, actor in enumerate(people):
            page = (await messages.page(core, actor, channel_id, MessagePage()))[::-1]
            for number, message_ in enumerate(page):
                shown = () if message_.reactions is UNSET else message_.reactions
                assert [
                    (it.emoji.name, it.count, it.count_details.burst, it.me, it.me_burst) for it in shown
                ] == model.shown(number, asker)
        for number, message_id in enumerate(posted):
            found = await reactions.users(core, people[1], channel_id, message_id, "❤", ReactionsQuery())
            assert [user.id for user in found] == sorted(people[user].id for user in model.users(number, "❤"))
