"""Pinned messages (resources/message, "Message Pin Object")."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.message import Message
from chatd.model.wire import Object, Params, Snowflake


class MessagePin(Object, frozen=True, kw_only=True):
    pinned_at: str  # ISO 8601
    message: Message


class ChannelPins(Object, frozen=True, kw_only=True):
    """Get Channel Pins."""

    items: tuple[MessagePin, ...]
    has_more: bool


class ChannelPinsUpdate(Object, frozen=True, kw_only=True):
    """CHANNEL_PINS_UPDATE: `last_pin_timestamp` is null when nothing is pinned any more."""

    channel_id: Snowflake
    last_pin_timestamp: str | None
    guild_id: Snowflake | UnsetType = UNSET


class PinsQuery(Params, kw_only=True):
    before: str | None = None  # ISO 8601
    limit: Annotated[int, Meta(ge=1, le=limits.PINS_PER_PAGE)] = limits.PINS_PER_PAGE
