"""Who stands above whom."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import ApiError
from chatd.service import hierarchy
from tests.support.live import guild, member, role

OWNER, ADMIN, MODERATOR, SECOND_MODERATOR, MEMBER, STRANGER = 1, 2, 3, 4, 5, 6
HIGH, LOW, LOW_TWIN = 20, 21, 22


@pytest.fixture
def state() -> GuildState:
    return guild(
        0,
        owner_id=OWNER,
        roles=[
            replace(role(HIGH, p.ADMINISTRATOR), position=2),
            replace(role(LOW, 0), position=1),
            replace(role(LOW_TWIN, 0), position=1),
        ],
        members=[
            member(OWNER),
            member(ADMIN, HIGH),
            member(MODERATOR, LOW),
            member(SECOND_MODERATOR, LOW_TWIN),
            member(MEMBER),
        ],
    )


@pytest.mark.parametrize(
    ("actor", "target", "is_above"),
    [
        (OWNER, ADMIN, True),
        (ADMIN, OWNER, False),
        (ADMIN, MODERATOR, True),
        (MODERATOR, ADMIN, False),
        (MODERATOR, SECOND_MODERATOR, True),  # the older of two roles at one position is higher
        (SECOND_MODERATOR, MODERATOR, False),
        (MODERATOR, MODERATOR, False),
        (MODERATOR, MEMBER, True),
        (MEMBER, MEMBER, False),
        (MODERATOR, STRANGER, True),
        (MEMBER, STRANGER, False),
    ],
)
def test_members(state: GuildState, actor: int, target: int, is_above: bool) -> None:
    assert _allows(hierarchy.check_above_member, state, actor, target) is is_above


@pytest.mark.parametrize(
    ("actor", "target", "is_above"),
    [
        (OWNER, HIGH, True),
        (ADMIN, HIGH, False),
        (ADMIN, LOW, True),
        (MODERATOR, LOW, False),
        (MODERATOR, LOW_TWIN, True),
        (MEMBER, LOW, False),
    ],
)
def test_roles(state: GuildState, actor: int, target: int, is_above: bool) -> None:
    assert _allows(hierarchy.check_above_role, state, actor, state.roles[target]) is is_above


def _allows(check: Callable[..., None], *args: object) -> bool:
    try:
        check(*args)
    except ApiError as error:
        return error.code != 50013
    return True
