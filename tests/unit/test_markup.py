"""Mentions: what content names, and what may notify."""

import pytest

from chatd.model.markup import Mentions, allowed, mentions
from chatd.model.objects.message import AllowedMentions
from chatd.model.wire import Snowflake

ONE, TWO = 111111111111111111, 222222222222222222
NOTHING = Mentions((), (), False)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", NOTHING),
        ("plain <b> @ somebody@example", NOTHING),
        (f"<@{ONE}>", Mentions((ONE,), (), False)),
        (f"<@!{ONE}>", Mentions((ONE,), (), False)),
        (f"<@&{ONE}>", Mentions((), (ONE,), False)),
        (f"<@{TWO}><@{ONE}><@!{TWO}>", Mentions((TWO, ONE), (), False)),
        (f"<@{ONE}> <@&{TWO}> @everyone", Mentions((ONE,), (TWO,), True)),
        ("x@here.", Mentions((), (), True)),
        ("@everyones @Everyone @hereafter", NOTHING),
        ("<@12> <@> <@abc> <#111111111111111111> <@ 111111111111111111>", NOTHING),
        (f"<@{2**63 - 1}>", Mentions((2**63 - 1,), (), False)),
        (f"<@{2**63}> <@&{2**64}> <@99999999999999999999>", NOTHING),  # no column takes these
        ("<@１１１１１１１１１１１１１１１１１>", NOTHING),
    ],
)
def test_mentions(content: str, expected: Mentions) -> None:
    assert mentions(content) == expected


ALL = Mentions((ONE, TWO), (ONE, TWO), True)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (None, ALL),
        (AllowedMentions(), NOTHING),
        (AllowedMentions(parse=["users", "roles", "everyone"]), ALL),
        (AllowedMentions(parse=["users"]), Mentions((ONE, TWO), (), False)),
        (AllowedMentions(users=[Snowflake(TWO), Snowflake(3)]), Mentions((TWO,), (), False)),
        (AllowedMentions(parse=["everyone"], roles=[Snowflake(ONE)]), Mentions((), (ONE,), True)),
    ],
)
def test_allowed(rule: AllowedMentions | None, expected: Mentions) -> None:
    assert allowed(ALL, rule) == expected
