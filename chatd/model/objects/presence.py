"""Presence (events/gateway-events, "Presence Update" and "Update Presence")."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Snowflake


class ActivityEmoji(Object, frozen=True, kw_only=True):
    name: str
    id: Snowflake | UnsetType | None = UNSET
    animated: bool | UnsetType = UNSET


class Activity(Object, frozen=True, kw_only=True):
    name: str
    type: int
    created_at: int  # Unix milliseconds
    url: str | UnsetType | None = UNSET
    state: str | UnsetType | None = UNSET
    emoji: ActivityEmoji | UnsetType = UNSET


class ClientStatus(Object, frozen=True, gc=False, kw_only=True):
    desktop: str | UnsetType = UNSET
    mobile: str | UnsetType = UNSET
    web: str | UnsetType = UNSET


class PresenceUpdate(Object, frozen=True, kw_only=True):
    """PRESENCE_UPDATE, and an entry of GUILD_CREATE's `presences`."""

    user: User
    guild_id: Snowflake
    status: str  # online, idle, dnd or offline
    activities: tuple[Activity, ...]
    client_status: ClientStatus


class EmojiParams(Params, kw_only=True):
    name: Annotated[str, Meta(max_length=32)]
    id: Snowflake | None = None
    animated: bool | None = None


class ActivityParams(Params, kw_only=True):
    """What may be set of an activity: bots set all of it but the emoji (events/gateway-events, "Activity Object")."""

    name: Annotated[str, Meta(max_length=128)]
    type: Literal[0, 1, 2, 3, 4, 5] = 0
    url: Annotated[str, Meta(max_length=512)] | None = None
    state: Annotated[str, Meta(max_length=128)] | None = None
    emoji: EmojiParams | None = None


class PresenceParams(Params, kw_only=True):
    """Update Presence (op 3), and `presence` of IDENTIFY."""

    status: Literal["online", "idle", "dnd", "invisible", "offline"] = "online"
    since: float | None = None
    activities: Annotated[list[ActivityParams], Meta(max_length=16)] | None = None
    game: ActivityParams | None = None  # the older form, one activity: discord.py and hikari still send it
    afk: bool | None = None
