"""Reactions (resources/message, "Reaction Object"), and their events (events/gateway-events)."""

from enum import IntEnum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.guild import Member
from chatd.model.wire import Object, Params, Snowflake


class ReactionType(IntEnum):
    NORMAL = 0
    BURST = 1  # a super reaction


class PartialEmoji(Object, frozen=True, gc=False, kw_only=True):
    """Of Unicode: no id, and the character is the name."""

    id: Snowflake | None
    name: str | None


class ReactionCounts(Object, frozen=True, gc=False, kw_only=True):
    burst: int
    normal: int


class Reaction(Object, frozen=True, kw_only=True):
    """One emoji under a message, as one user sees it: `me` and `me_burst` say whether it is among those who reacted."""

    emoji: PartialEmoji
    count: int
    count_details: ReactionCounts
    me: bool
    me_burst: bool
    burst_colors: tuple[()] = ()


class ReactionPlace(Object, frozen=True, kw_only=True):
    """MESSAGE_REACTION_REMOVE_ALL, and what all four events have."""

    channel_id: Snowflake
    message_id: Snowflake
    guild_id: Snowflake | UnsetType = UNSET


class ReactionRemoveEmoji(ReactionPlace, frozen=True, kw_only=True):
    """MESSAGE_REACTION_REMOVE_EMOJI."""

    emoji: PartialEmoji


class ReactionRemove(ReactionRemoveEmoji, frozen=True, kw_only=True):
    """MESSAGE_REACTION_REMOVE."""

    user_id: Snowflake
    burst: bool
    type: int


class ReactionAdd(ReactionRemove, frozen=True, kw_only=True):
    """MESSAGE_REACTION_ADD."""

    message_author_id: Snowflake
    burst_colors: tuple[()] | UnsetType = UNSET
    member: Member | UnsetType = UNSET


class ReactionCreate(Params, kw_only=True):
    """Create Reaction: super reactions are people's, as Discord's own client makes them."""

    type: Literal[0, 1] = 0


class ReactionsQuery(Params, kw_only=True):
    """Get Reactions."""

    type: Literal[0, 1] = 0
    after: Snowflake = Snowflake(0)
    limit: Annotated[int, Meta(ge=1, le=limits.REACTIONS_PER_PAGE)] = 25
