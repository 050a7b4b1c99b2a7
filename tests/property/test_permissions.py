"""Permissions against a second implementation, written from the documentation (`tests.support.documented`): 20,000
guilds of a few roles, a channel and a member, on which both must agree in every permission at every step.
"""

import random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.model import permissions as p
from tests.support import documented

GUILD, USER, OTHER = 1, 3, 4
ROLES = (10, 11, 12)
TEXT, VOICE, CATEGORY, ANNOUNCEMENT, PUBLIC_THREAD, PRIVATE_THREAD, STAGE, FORUM = 0, 2, 4, 5, 11, 12, 13, 15

CASES = 20_000

# Those on which others depend, and one on which nothing does: few, so that they meet.
BITS = (
    p.VIEW_CHANNEL,
    p.SEND_MESSAGES,
    p.SEND_MESSAGES_IN_THREADS,
    p.CONNECT,
    p.MENTION_EVERYONE,
    p.ATTACH_FILES,
    p.READ_MESSAGE_HISTORY,
    p.MANAGE_CHANNELS,
)


class Overwrite(NamedTuple):
    id: int
    allow: int
    deny: int


class Case(NamedTuple):
    owner: int
    everyone: int
    granted: dict[int, int]  # the member's roles
    overwrites: list[Overwrite]
    kind: int
    is_timed_out: bool


class _Choices:
    """Choices out of one long number, zeros the plainest: 20,000 cases are cheap because each is one draw."""

    def __init__(self, number: int) -> None:
        self._left = number

    def take(self, bits: int) -> int:
        self._left, taken = self._left >> bits, self._left & (1 << bits) - 1
        return taken

    def mask(self) -> int:
        """Mostly of the few."""
        if self.take(2) == 3:
            return self.take(53) & p.ALL
        which = self.take(len(BITS))
        return sum(bit for at, bit in enumerate(BITS) if which >> at & 1)

    def in_guild(self) -> int:
        return self.mask() | (p.ADMINISTRATOR if self.take(3) == 7 else 0)


def cases(*kinds: int) -> st.SearchStrategy[Case]:
    def case(number: int) -> Case:
        choose = _Choices(number)
        return Case(
            owner=USER if choose.take(3) == 7 else OTHER,
            is_timed_out=bool(choose.take(1)),
            kind=kinds[choose.take(4) % len(kinds)],
            everyone=choose.in_guild(),
            granted={role: choose.in_guild() for role in ROLES if choose.take(1)},
            overwrites=[
                Overwrite(target, choose.mask(), choose.mask())
                for target in (GUILD, *ROLES, USER, OTHER)
                if choose.take(1)
            ],
        )

    return st.integers(0, 2**1000 - 1).map(case)


def on_the_wire(case: Case) -> tuple[documented.Json, documented.Json, documented.Json]:
    """The guild, its channel and its member."""
    roles = {GUILD: case.everyone, **case.granted}
    return (
        {
            "id": str(GUILD),
            "owner_id": str(case.owner),
            "roles": [{"id": str(id_), "permissions": str(mask)} for id_, mask in roles.items()],
        },
        {
            "type": case.kind,
            "permission_overwrites": [
                {"id": str(each.id), "allow": str(each.allow), "deny": str(each.deny)} for each in case.overwrites
            ],
        },
        {"user": {"id": str(USER)}, "roles": [str(id_) for id_ in case.granted]},
    )


@pytest.mark.parametrize(
    "kinds",
    [(TEXT, CATEGORY, ANNOUNCEMENT, FORUM), (VOICE, STAGE), (PUBLIC_THREAD, PRIVATE_THREAD)],
    ids=["text", "voice", "thread"],
)
def test_permissions_agree_with_the_documentation(kinds: tuple[int, ...]) -> None:
    @settings(max_examples=CASES // 3 + 1)
    @given(cases(*kinds))
    def check(case: Case) -> None:
        guild, channel, member = on_the_wire(case)
        base = p.base_permissions(case.owner, USER, case.everyone, case.granted.values())
        assert base == documented.bits(documented.of_member(guild, member))
        granted = p.channel_permissions(base, case.overwrites, GUILD, case.granted.keys(), USER)
        here = p.implicit(granted, case.kind)
        assert here == documented.bits(documented.in_channel(guild, channel, member))
        if case.is_timed_out:
            base, here = p.timed_out(base, base), p.timed_out(base, here)
        assert base == documented.bits(documented.now(guild, member, None, case.is_timed_out))
        assert here == documented.bits(documented.now(guild, member, channel, case.is_timed_out))

    check()


@given(cases(TEXT), st.randoms(use_true_random=False))
def test_the_order_of_overwrites_and_roles_does_not_matter(case: Case, chance: random.Random) -> None:
    base = p.base_permissions(case.owner, USER, case.everyone, case.granted.values())
    here = p.channel_permissions(base, case.overwrites, GUILD, list(case.granted), USER)
    shuffled, roles = list(case.overwrites), list(case.granted)
    chance.shuffle(shuffled)
    chance.shuffle(roles)
    assert p.channel_permissions(base, shuffled, GUILD, roles, USER) == here
