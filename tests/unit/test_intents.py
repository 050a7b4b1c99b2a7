"""Intent bits and the events they gate."""

import pytest

from chatd.model import intents
from chatd.model.intents import ALWAYS, GATES


def test_all_intents_are_the_documented_bits() -> None:
    documented = [*range(17), 20, 21, 24, 25]
    assert sum(1 << bit for bit in documented) == intents.ALL


def test_privileged_are_members_presences_and_content() -> None:
    assert intents.PRIVILEGED == 1 << 1 | 1 << 8 | 1 << 15


@pytest.mark.parametrize(
    ("event", "guild", "dm"),
    [
        ("GUILD_CREATE", intents.GUILDS, 0),
        ("GUILD_MEMBER_ADD", intents.GUILD_MEMBERS, 0),
        ("PRESENCE_UPDATE", intents.GUILD_PRESENCES, 0),
        ("MESSAGE_CREATE", intents.GUILD_MESSAGES, intents.DIRECT_MESSAGES),
        ("MESSAGE_DELETE_BULK", intents.GUILD_MESSAGES, 0),
        ("CHANNEL_PINS_UPDATE", intents.GUILDS, intents.DIRECT_MESSAGES),
        ("TYPING_START", intents.GUILD_MESSAGE_TYPING, intents.DIRECT_MESSAGE_TYPING),
        ("MESSAGE_POLL_VOTE_ADD", intents.GUILD_MESSAGE_POLLS, intents.DIRECT_MESSAGE_POLLS),
    ],
)
def test_events_have_their_documented_gates(event: str, guild: int, dm: int) -> None:
    assert GATES[event] == (guild, dm)


def test_every_gate_is_made_of_intents_that_gate_events() -> None:
    gates = 0
    for guild, dm in GATES.values():
        assert guild | dm
        gates |= guild | dm
    assert gates == intents.ALL & ~intents.MESSAGE_CONTENT


def test_an_event_is_either_gated_or_always_sent() -> None:
    assert not ALWAYS & GATES.keys()
