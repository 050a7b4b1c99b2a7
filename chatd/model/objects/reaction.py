"""Reactions (resources/message, "Reaction Object"), and their events (events/gateway-events)."""

import re
from enum import IntEnum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.guild import Member
from chatd.model.unicode_emoji import is_emoji
from chatd.model.wire import MAX_STRING_INT, Object, Params, Snowflake


class ReactionType(IntEnum):
    NORMAL = 0
    BURST = 1  # a super reaction


class PartialEmoji(Object, frozen=True, gc=False, kw_only=True):
    """Of Unicode: no id, and the character is the name."""

    id: Snowflake | None
    name: str | None
    animated: bool | UnsetType = UNSET


# As a path names it; some clients mark those that are animated.
_CUSTOM = re.compile(r"(a:)?(\w{1,32}):([0-9]{1,20})", re.ASCII)


def partial_emoji(text: str) -> PartialEmoji | None:
    """What a path or a row names: an emoji of Unicode, or `name:id`, `a:name:id`; None when it is neither."""
    if is_emoji(text):
        return PartialEmoji(id=None, name=text)
    custom = _CUSTOM.fullmatch(text)
    if custom is None or int(custom[3]) > MAX_STRING_INT:
        return None
    return PartialEmoji(id=Snowflake(custom[3]), name=custom[2], animated=custom[1] is not None)


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
