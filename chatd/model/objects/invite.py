"""Invites (resources/invite)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Snowflake


class InviteGuild(Object, frozen=True, kw_only=True):
    id: Snowflake
    name: str
    splash: str | None
    banner: str | None
    description: str | None
    icon: str | None
    features: tuple[str, ...]
    verification_level: int
    vanity_url_code: str | None
    nsfw_level: int
    nsfw: bool
    premium_subscription_count: int = 0


class InviteChannel(Object, frozen=True, kw_only=True):
    id: Snowflake
    type: int
    name: str


class Invite(Object, frozen=True, kw_only=True):
    code: str
    guild: InviteGuild
    guild_id: Snowflake
    channel: InviteChannel
    expires_at: str | None
    type: int = 0
    inviter: User | UnsetType = UNSET
    approximate_member_count: int | UnsetType = UNSET
    approximate_presence_count: int | UnsetType = UNSET


class InviteWithMetadata(Invite, frozen=True, kw_only=True):
    uses: int
    max_uses: int
    max_age: int
    temporary: bool
    created_at: str


class InviteCreateEvent(Object, frozen=True, kw_only=True):
    """INVITE_CREATE."""

    channel_id: Snowflake
    code: str
    created_at: str
    expires_at: str | None
    guild_id: Snowflake
    max_age: int
    max_uses: int
    temporary: bool
    uses: int
    inviter: User | UnsetType = UNSET


class InviteDeleteEvent(Object, frozen=True, kw_only=True):
    """INVITE_DELETE."""

    channel_id: Snowflake
    guild_id: Snowflake
    code: str


class InviteCreate(Params, kw_only=True):
    """Create Channel Invite."""

    max_age: Annotated[int, Meta(ge=0, le=limits.INVITE_AGE_S)] = limits.INVITE_AGE_DEFAULT_S
    max_uses: Annotated[int, Meta(ge=0, le=limits.INVITE_USES)] = 0
    temporary: bool = False
    unique: bool = False


class InviteQuery(Params, kw_only=True):
    with_counts: bool = False
