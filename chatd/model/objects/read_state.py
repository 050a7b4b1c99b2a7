"""How far people have read. Discord documents none of this: it is its clients' business. See docs/clients.md."""

from typing import Annotated

from msgspec import Meta, UnsetType

from chatd.model.wire import UNSET, Object, Params, Snowflake


class ReadState(Object, frozen=True, gc=False, kw_only=True):
    """One channel of READY's `read_state`; `id` is the channel's."""

    id: Snowflake
    last_message_id: Snowflake
    mention_count: int
    version: int


class MessageAck(Object, frozen=True, kw_only=True):
    """MESSAGE_ACK: `message_id` is the newest message that the user has read."""

    channel_id: Snowflake
    message_id: Snowflake
    mention_count: int
    version: int


class Acknowledged(Object, frozen=True, kw_only=True):
    token: None = None


class AckParams(Params, kw_only=True):
    """`manual`: mark as unread what comes after the message."""

    manual: bool | None = None


class BulkAckEntry(Params, kw_only=True):
    channel_id: Snowflake
    message_id: Snowflake


class BulkAckParams(Params, kw_only=True):
    read_states: Annotated[list[BulkAckEntry], Meta(min_length=1, max_length=100)]


class MentionsQuery(Params, kw_only=True):
    """Newest first: of messages that mention the user, one of its roles, or everyone."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 25
    before: Snowflake | UnsetType = UNSET
    guild_id: Snowflake | UnsetType = UNSET
    roles: bool = True
    everyone: bool = True
