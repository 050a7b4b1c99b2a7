"""Roles (topics/permissions, "Role Object")."""

from msgspec import UNSET, UnsetType

from chatd.model.wire import Object, Permissions, Snowflake


class RoleColors(Object, frozen=True, gc=False, kw_only=True):
    primary_color: int = 0
    secondary_color: int | None = None
    tertiary_color: int | None = None


class RoleTags(Object, frozen=True, gc=False, kw_only=True):
    """Why a role is managed."""

    bot_id: Snowflake | UnsetType = UNSET


class RoleExtra(Object, frozen=True, kw_only=True):
    """The part of a role that no query looks at; stored as JSON."""

    colors: RoleColors = RoleColors()
    hoist: bool = False
    icon: str | None = None
    unicode_emoji: str | None = None
    managed: bool = False
    mentionable: bool = False
    flags: int = 0
    tags: RoleTags | UnsetType = UNSET


class Role(Object, frozen=True, kw_only=True):
    id: Snowflake
    name: str
    color: int
    colors: RoleColors
    hoist: bool
    icon: str | None
    unicode_emoji: str | None
    position: int
    permissions: Permissions
    managed: bool
    mentionable: bool
    flags: int
    tags: RoleTags | UnsetType = UNSET
