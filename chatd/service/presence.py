"""Presence: what clients say of themselves, and telling their guilds of it. Docs: events/gateway-events."""

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.presence import OFFLINE, Presence, Shown
from chatd.live.presence import update as presence_update
from chatd.live.sessions import Session
from chatd.model import limits
from chatd.model.objects.gateway import ConnectionProperties
from chatd.model.objects.presence import Activity, ActivityEmoji, ActivityParams, EmojiParams, PresenceParams
from chatd.model.objects.user import User
from chatd.model.ratelimit import Rule
from chatd.service.core import Core

STREAMING = 1
# "Only these urls will work" (events/gateway-events, "Activity Types"); with another a stream is shown without link.
_STREAMS = tuple(f"https://{www}{site}/" for www in ("", "www.") for site in ("twitch.tv", "youtube.com"))

# What Discord's own clients call themselves; everything else, bots included, is shown as the web.
_PLATFORMS = {"discord client": "desktop", "discord android": "mobile", "discord ios": "mobile"}

_CHANGES = Rule(limits.PRESENCE_UPDATES, limits.PRESENCE_UPDATES_WINDOW_S)


def platform_of(properties: ConnectionProperties | None) -> str:
    """The key of `client_status` for a session that identified with these."""
    browser = (properties and (properties.browser or properties.dollar_browser)) or ""
    return _PLATFORMS.get(browser.lower(), "web")


def update_presence(core: Core, session: Session, body: PresenceParams) -> None:
    """What the session says of itself from now on. Docs: events/gateway-events, "Update Presence".

    Beyond 5 in 20 s the newest is kept and told when it may be, by `sweep`: a client that flickers costs its guilds no
    more than that, and what it said last is what they see in the end.
    """
    now_s = core.clock_ms() / 1000
    if core.config.limits.rate_limits and not core.limiter.hit(("presence", session.id), _CHANGES, now_s).allowed:
        core.live.late_presences[session] = body
        return
    core.live.late_presences.pop(session, None)
    before = core.live.presence_of(session.user.id)
    presence = presence_from(core, session.user, body, session.presence.platform, session.presence.activities)
    core.live.sessions.set_presence(session, presence)
    announce(core, session.user, before)


async def sweep(core: Core) -> None:
    """Tell the presences that came too soon."""
    for session, body in tuple(core.live.late_presences.items()):
        if session in core.live.sessions:
            update_presence(core, session, body)
        else:
            del core.live.late_presences[session]


def presence_from(
    core: Core, user: User, body: PresenceParams, platform: str, before: Sequence[Activity] = ()
) -> Presence:
    """`before` are the session's activities so far: those that go on keep the time at which they were set."""
    received = body.activities if body.activities is not None else [body.game] if body.game is not None else []
    known = {replace(activity, created_at=0): activity for activity in before}
    activities = (_activity(user, activity) for activity in received)
    return Presence(
        status=body.status,
        activities=tuple(known.get(new) or replace(new, created_at=core.clock_ms()) for new in activities),
        platform=platform,
    )


def _activity(user: User, said: ActivityParams) -> Activity:
    """Without its time."""
    is_stream = said.type == STREAMING and said.url is not None and said.url.startswith(_STREAMS)
    return Activity(
        name=said.name,
        type=said.type,
        created_at=0,
        url=said.url if is_stream else UNSET,
        state=UNSET if said.state is None else said.state,
        emoji=UNSET if said.emoji is None or user.bot is True else _emoji(said.emoji),
    )


def _emoji(said: EmojiParams) -> ActivityEmoji:
    return ActivityEmoji(
        name=said.name,
        id=UNSET if said.id is None else said.id,
        animated=UNSET if said.animated is None else said.animated,
    )


def announce(core: Core, user: User, before: Shown) -> None:
    """Tell the user's guilds, if others see it differently now."""
    after = core.live.presence_of(user.id)
    if after != before:
        _publish(core, user, after)


def renamed(core: Core, user: User) -> None:
    """After a change of the profile: a presence has the user in it. Docs: events/gateway-events, "Presence Update"."""
    shown = core.live.presence_of(user.id)
    if shown is not OFFLINE:
        _publish(core, user, shown)


def _publish(core: Core, user: User, shown: Shown) -> None:
    for guild_id in core.live.memberships.get(user.id, ()):
        guild = core.live.guilds.get(guild_id)
        if guild is not None:
            core.live.to_guild(guild, "PRESENCE_UPDATE", presence_update(guild_id, user, shown))
