"""The numbers in the error sentences are the limits."""

import pytest

from chatd.model import errors, limits
from chatd.model.errors import Kind


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        (errors.TOO_MANY_GUILDS, limits.GUILDS_PER_USER),
        (errors.TOO_MANY_PINS, limits.CHANNEL_PINS),
        (errors.TOO_MANY_ROLES, limits.GUILD_ROLES),
        (errors.TOO_MANY_WEBHOOKS, limits.CHANNEL_WEBHOOKS),
        (errors.TOO_MANY_REACTIONS, limits.MESSAGE_REACTIONS),
        (errors.TOO_MANY_CHANNELS, limits.GUILD_CHANNELS),
        (errors.TOO_MANY_ATTACHMENTS, limits.MESSAGE_ATTACHMENTS),
        (errors.TOO_MANY_INVITES, limits.GUILD_INVITES),
        (errors.TOO_MANY_THREAD_MEMBERS, limits.THREAD_MEMBERS),
        (errors.TOO_MANY_SCHEDULED_EVENTS, limits.SCHEDULED_EVENTS),
        (errors.TOO_MANY_GUILD_WEBHOOKS, limits.GUILD_WEBHOOKS),
        (errors.TOO_MANY_OVERWRITES, limits.CHANNEL_OVERWRITES),
    ],
    ids=lambda value: value.message if isinstance(value, Kind) else "",
)
def test_an_error_names_the_limit_that_is_kept(kind: Kind, limit: int) -> None:
    assert kind.message.endswith(f"({limit})")


def test_ranges_are_ranges() -> None:
    ranges = {name: value for name, value in vars(limits).items() if isinstance(value, tuple)}
    for name, value in ranges.items():
        assert list(value) == sorted(set(value)), name
