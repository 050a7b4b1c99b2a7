"""Permissions against a second implementation, written from the documentation's numbered list.

topics/permissions gives the algorithm twice: as pseudocode, which the product follows with masks, and as a list of
eight steps in words. This test follows the words for one permission at a time: the last step that speaks of it decides.
"""

import random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.model.permissions import ADMINISTRATOR, ALL, base_permissions, channel_permissions

BITS = [1 << bit for bit in range(53) if ALL >> bit & 1]
GUILD, OWNER = 1, 2
USERS = [OWNER, 3, 4]
ROLES = [10, 11, 12, 13]


class Overwrite(NamedTuple):
    id: int
    allow: int
    deny: int


class Case(NamedTuple):
    user: int
    everyone: int
    granted: dict[int, int]  # the member's roles
    overwrites: list[Overwrite]


# Few bits in each mask, drawn from few: so that steps really meet.
masks = st.lists(st.sampled_from(BITS[:6]), max_size=3).map(lambda bits: sum(set(bits))) | st.integers(0, ALL).map(
    lambda mask: mask & ALL
)
cases = st.builds(
    Case,
    user=st.sampled_from(USERS),
    everyone=masks,
    granted=st.dictionaries(st.sampled_from(ROLES), masks, max_size=3),
    overwrites=st.lists(
        st.builds(Overwrite, st.sampled_from([GUILD, *USERS, *ROLES]), masks, masks),
        max_size=6,
        unique_by=lambda overwrite: overwrite.id,
    ),
)


def has_in_guild(case: Case, bit: int) -> bool:
    held = [case.everyone, *case.granted.values()]
    return case.user == OWNER or any(mask & ADMINISTRATOR for mask in held) or any(mask & bit for mask in held)


def has_in_channel(case: Case, bit: int) -> bool:
    if has_in_guild(case, ADMINISTRATOR):
        return True
    of_everyone = [o for o in case.overwrites if o.id == GUILD]
    of_roles = [o for o in case.overwrites if o.id in case.granted]
    of_member = [o for o in case.overwrites if o.id == case.user]
    verdict = has_in_guild(case, bit)  # steps 1 and 2
    for level in (of_everyone, of_roles, of_member):  # steps 3 and 4, 5 and 6, 7 and 8
        if any(o.deny & bit for o in level):
            verdict = False
        if any(o.allow & bit for o in level):
            verdict = True
    return verdict


@settings(max_examples=600)
@given(cases)
def test_permissions_agree_with_the_documentation_word_for_word(case: Case) -> None:
    base = base_permissions(OWNER, case.user, case.everyone, case.granted.values())
    assert base == sum(bit for bit in BITS if has_in_guild(case, bit))
    here = channel_permissions(base, case.overwrites, GUILD, case.granted.keys(), case.user)
    if base & ADMINISTRATOR:
        assert here == ALL
    else:
        assert here == sum(bit for bit in BITS if has_in_channel(case, bit))


@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_overwrites_and_roles_does_not_matter(case: Case, chance: random.Random) -> None:
    base = base_permissions(OWNER, case.user, case.everyone, case.granted.values())
    here = channel_permissions(base, case.overwrites, GUILD, list(case.granted), case.user)
    shuffled, roles = list(case.overwrites), list(case.granted)
    chance.shuffle(shuffled)
    chance.shuffle(roles)
    assert channel_permissions(base, shuffled, GUILD, roles, case.user) == here
