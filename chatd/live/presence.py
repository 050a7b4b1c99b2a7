"""Presence: what each session says of itself, and what others see of a user with several sessions.

Docs: events/gateway-events, "Presence Update".
"""

from collections.abc import Iterable

from chatd.model.objects.presence import Activity, ClientStatus, PresenceUpdate
from chatd.model.objects.user import User
from chatd.model.wire import Object, Snowflake

# The status that is shown when a user's sessions disagree: the first of these that any of them has.
_PRECEDENCE = ("online", "dnd", "idle", "offline")
# Statuses that others see as another one.
_SHOWN_AS = {"invisible": "offline"}


class Presence(Object, frozen=True, kw_only=True):
    """What one session says, or what others see; `platform` is a key of ClientStatus."""

    status: str = "online"
    activities: tuple[Activity, ...] = ()
    platform: str = "web"


OFFLINE = Presence(status="offline")


def aggregate(presences: Iterable[Presence]) -> Presence:
    """What others see of a user with these sessions."""
    best = OFFLINE
    for presence in presences:
        shown = _SHOWN_AS.get(presence.status, presence.status)
        if _PRECEDENCE.index(shown) < _PRECEDENCE.index(best.status):
            best = presence
    return best


def update(guild_id: int, user: User, presence: Presence) -> PresenceUpdate:
    """The wire form for one guild."""
    shown = presence.status != "offline"
    return PresenceUpdate(
        user=user,
        guild_id=Snowflake(guild_id),
        status=presence.status,
        activities=presence.activities if shown else (),
        client_status=ClientStatus(**{presence.platform: presence.status}) if shown else ClientStatus(),
    )
