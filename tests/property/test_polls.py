"""Votes by several users at once, while their poll may end: what everybody sees of the counts, what the journal tells
and what has become final agree with the last choices that were taken.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.model.errors import POLL_EXPIRED, ApiError
from chatd.model.objects.message import MessageCreate, MessagePage
from chatd.model.objects.poll import PollResults, PollVote, PollVoteParams, PollVotersQuery
from chatd.model.wire import Snowflake, convert, decoder
from chatd.service import messages, polls
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import journal
from tests.support.core import open_core, person, shared_channel
from tests.support.databases import empty

PEOPLE, ANSWERS = 4, 3
SINGLE, MULTIPLE = range(2)

Choice = tuple[int, list[int]]  # of a poll, what is voted for from now on

one = st.tuples(st.just(SINGLE), st.lists(st.integers(1, ANSWERS), max_size=1))
some = st.tuples(st.just(MULTIPLE), st.lists(st.integers(1, ANSWERS), max_size=ANSWERS))
# What each user chooses, one after the other.
histories = st.lists(st.lists(one | some, max_size=8), min_size=PEOPLE, max_size=PEOPLE)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@given(histories=histories, ends=st.sets(st.sampled_from((SINGLE, MULTIPLE))))
@settings(max_examples=20)
def test_counts_agree_with_the_last_choices(database: str, histories: list[list[Choice]], ends: set[int]) -> None:
    with empty(database) as (directory, url):
        trio.run(run, url, directory, histories, ends)


async def run(database_url: str, directory: Path, histories: list[list[Choice]], ends: set[int]) -> None:
    async with open_core(directory, database={"url": database_url}) as core:
        people = [await person(core, f"person{number}") for number in range(PEOPLE)]
        channel_id = await shared_channel(core, people)
        for allow_multiselect in (False, True):
            await ask(core, people[0], channel_id, allow_multiselect)
        posted = [message.id for message in await messages.page(core, people[0], channel_id, MessagePage())][::-1]
        chosen: dict[tuple[int, int], set[int]] = {}  # by poll and user: the last that was taken

        async def vote(user: int) -> None:
            for poll, answer_ids in histories[user]:
                params = convert({"answer_ids": answer_ids}, PollVoteParams)
                try:
                    await polls.vote(core, people[user], channel_id, posted[poll], params)
                    chosen[poll, user] = set(answer_ids)
                except ApiError as error:
                    if poll not in ends or error.code != POLL_EXPIRED.code:
                        raise

        async with trio.open_nursery() as nursery:
            for user in range(PEOPLE):
                nursery.start_soon(vote, user)
            for poll in ends:
                nursery.start_soon(polls.end, core, people[0], channel_id, posted[poll])

        told = await votes_told(core, channel_id)
        for poll, message_id in enumerate(posted):
            votes = {user: chosen.get((poll, user), set()) for user in range(PEOPLE)}
            for asker, actor in enumerate(people):
                results = await results_seen(core, actor, channel_id, message_id)
                assert results.is_finalized == (poll in ends)
                assert [(it.id, it.count, it.me_voted) for it in results.answer_counts] == [
                    (answer_id, count, answer_id in votes[asker])
                    for answer_id in range(1, ANSWERS + 1)
                    if (count := sum(answer_id in each for each in votes.values()))
                ]
            for answer_id in range(1, ANSWERS + 1):
                voters = [people[user].id for user in range(PEOPLE) if answer_id in votes[user]]
                place = (channel_id, message_id, Snowflake(answer_id))
                shown = await polls.voters(core, people[1], *place, PollVotersQuery())
                assert [user.id for user in shown.users] == voters
                assert sorted(user_id for key, user_id in told if key == (message_id, answer_id)) == voters


async def ask(core: Core, author: Actor, channel_id: Snowflake, allow_multiselect: bool) -> None:
    poll = {
        "question": {"text": "Which?"},
        "answers": [{"poll_media": {"text": str(number)}} for number in range(1, ANSWERS + 1)],
        "allow_multiselect": allow_multiselect,
    }
    await messages.create(core, author, channel_id, convert({"poll": poll}, MessageCreate))


async def results_seen(core: Core, asker: Actor, channel_id: Snowflake, message_id: Snowflake) -> PollResults:
    poll: Any = (await messages.show(core, asker, channel_id, message_id)).poll
    results: PollResults = poll.results
    return results


async def votes_told(core: Core, channel_id: Snowflake) -> Counter[tuple[tuple[int, int], int]]:
    """What is left of the events: by message, answer and user."""
    guild = core.live.guild_of_channel(channel_id)
    assert guild is not None
    left: Counter[tuple[tuple[int, int], int]] = Counter()
    for entry in await core.db.read(journal.of_guild, guild.id, 0, 1000):
        if entry.name in (polls.ADD, polls.REMOVE):
            event = decoder(PollVote).decode(entry.body)
            left[(event.message_id, event.answer_id), event.user_id] += 1 if entry.name == polls.ADD else -1
    return +left
