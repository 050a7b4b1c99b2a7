"""Presence: what clients say of themselves, and telling their guilds of it. Docs: events/gateway-events."""

from msgspec import UNSET

from chatd.live.presence import Presence
from chatd.live.presence import update as presence_update
from chatd.live.sessions import Session
from chatd.model.objects.presence import Activity, PresenceParams
from chatd.service.core import Core


def update_presence(core: Core, session: Session, body: PresenceParams) -> None:
    """What the session says of itself from now on."""
    before = core.live.presence_of(session.user.id)
    core.live.sessions.set_presence(session, presence_from(core, body))
    announce(core, session, before)


def presence_from(core: Core, body: PresenceParams) -> Presence:
    received = body.activities if body.activities is not None else [body.game] if body.game is not None else []
    activities = tuple(
        Activity(
            name=activity.name,
            type=activity.type,
            created_at=core.clock_ms(),
            url=UNSET if activity.url is None else activity.url,
            state=UNSET if activity.state is None else activity.state,
        )
        for activity in received
    )
    return Presence(status=body.status, activities=activities)


def announce(core: Core, session: Session, before: Presence) -> None:
    """Tell the user's guilds, if others see it differently now."""
    after = core.live.presence_of(session.user.id)
    if after == before:
        return
    for guild_id in core.live.memberships.get(session.user.id, ()):
        guild = core.live.guilds.get(guild_id)
        if guild is not None:
            core.live.to_guild(guild, "PRESENCE_UPDATE", presence_update(guild_id, session.user, after))
