"""Friends and blocks, which only people have. Discord documents none of this. See docs/clients.md."""

from enum import IntEnum
from typing import Annotated, Literal

from chatd.model import limits
from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Snowflake, length


class RelationshipType(IntEnum):
    FRIEND = 1
    BLOCKED = 2
    INCOMING_REQUEST = 3
    OUTGOING_REQUEST = 4


class Relationship(Object, frozen=True, kw_only=True):
    """RELATIONSHIP_ADD, and an entry of READY; `id` is the other user's."""

    id: Snowflake
    type: int
    user: User
    since: str
    nickname: None = None


class RelationshipRemove(Object, frozen=True, kw_only=True):
    id: Snowflake
    type: int  # what it was


class RelationshipParams(Params, kw_only=True):
    """Without a type, or with 1: ask to be friends, or accept."""

    type: Literal[1, 2] | None = None


class FriendRequest(Params, kw_only=True):
    username: Annotated[str, length(limits.USERNAME_LENGTH)]
