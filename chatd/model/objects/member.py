"""What clients say of members and bans (resources/guild). The member itself is in `guild`."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.user import User
from chatd.model.wire import ImageParams, Object, Params, Snowflake

Nick = Annotated[str, Meta(max_length=limits.NICKNAME_LENGTH[1])]
DeleteSeconds = Annotated[int, Meta(ge=0, le=limits.BAN_DELETE_MESSAGES_S)]


class MemberPatch(Params, kw_only=True):
    """Modify Guild Member."""

    nick: Nick | UnsetType | None = UNSET
    roles: Annotated[list[Snowflake], Meta(max_length=limits.GUILD_ROLES)] | UnsetType | None = UNSET
    mute: bool | UnsetType | None = UNSET
    deaf: bool | UnsetType | None = UNSET
    channel_id: Snowflake | UnsetType | None = UNSET
    communication_disabled_until: str | UnsetType | None = UNSET
    flags: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType | None = UNSET


class CurrentMemberPatch(ImageParams, kw_only=True):
    """Modify Current Member."""

    nick: Nick | UnsetType | None = UNSET
    avatar: str | UnsetType | None = UNSET
    banner: str | UnsetType | None = UNSET


class NickPatch(Params, kw_only=True):
    """Modify Current User Nick, which older libraries use."""

    nick: Nick | UnsetType | None = UNSET


class NickView(Object, frozen=True, kw_only=True):
    nick: str | None


class Ban(Object, frozen=True, kw_only=True):
    user: User
    reason: str | None


class BanCreate(Params, kw_only=True):
    """Create Guild Ban. Days are the older way to say it."""

    delete_message_seconds: DeleteSeconds | None = None
    delete_message_days: Annotated[int, Meta(ge=0, le=7)] | None = None


class BulkBanCreate(Params, kw_only=True):
    """Bulk Guild Ban."""

    user_ids: Annotated[list[Snowflake], Meta(min_length=1, max_length=limits.BULK_BAN_USERS)]
    delete_message_seconds: DeleteSeconds | None = None


class BulkBan(Object, frozen=True, kw_only=True):
    banned_users: tuple[Snowflake, ...]
    failed_users: tuple[Snowflake, ...]


class BansQuery(Params, kw_only=True):
    """Get Guild Bans."""

    limit: Annotated[int, Meta(ge=1, le=limits.BANS_PER_PAGE)] = limits.BANS_PER_PAGE
    before: Snowflake | UnsetType = UNSET
    after: Snowflake | UnsetType = UNSET
