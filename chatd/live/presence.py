"""Presence: what each session says of itself, and what others see of a user with several sessions.

Docs: events/gateway-events, "Presence Update".
"""

from collections.abc import Iterable

from chatd.model.objects.presence import Activity, ClientStatus, PresenceUpdate
from chatd.model.objects.user import User
from chatd.model.wire import Object, Snowflake

# The status that is shown when a user's sessions disagree: the first of these that any of them has.
_PRECEDENCE = ("online", "dnd", "idle")
# Statuses that others do not see.
_HIDDEN = frozenset(("invisible", "offline"))


class Presence(Object, frozen=True, kw_only=True):
    """What one session says; `platform` is a key of ClientStatus."""

    status: str = "online"
    activities: tuple[Activity, ...] = ()
    platform: str = "web"


class Shown(Object, frozen=True, kw_only=True):
    """What others see of a user."""

    status: str
    activities: tuple[Activity, ...] = ()
    client_status: ClientStatus = ClientStatus()


OFFLINE = Shown(status="offline")


def aggregate(presences: Iterable[Presence]) -> Shown:
    """What others see of a user with these sessions: the most present one, and the most present of each platform."""
    visible = [presence for presence in presences if presence.status not in _HIDDEN]
    if not visible:
        return OFFLINE
    visible.sort(key=lambda presence: _PRECEDENCE.index(presence.status))
    platforms = {presence.platform: presence.status for presence in reversed(visible)}
    return Shown(status=visible[0].status, activities=visible[0].activities, client_status=ClientStatus(**platforms))


def update(guild_id: int, user: User, shown: Shown) -> PresenceUpdate:
    """The wire form for one guild."""
    return PresenceUpdate(
        user=user,
        guild_id=Snowflake(guild_id),
        status=shown.status,
        activities=shown.activities,
        client_status=shown.client_status,
    )
