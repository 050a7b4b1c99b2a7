"""Roles (topics/permissions, "Role Object")."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.wire import ImageParams, Object, Params, Permissions, Snowflake, length


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


Color = Annotated[int, Meta(ge=0, le=0xFFFFFF)]
RoleName = Annotated[str, length(limits.ROLE_NAME_LENGTH)]
UnicodeEmoji = Annotated[str, Meta(max_length=100)]


class RoleColorsParams(Params, kw_only=True):
    primary_color: Color | None = None
    secondary_color: Color | None = None
    tertiary_color: Color | None = None


class RoleParams(ImageParams, kw_only=True):
    """Create Guild Role and Modify Guild Role. `color` is the older way to say `colors.primary_color`."""

    name: RoleName | UnsetType | None = UNSET
    permissions: Permissions | UnsetType | None = UNSET
    color: Color | UnsetType | None = UNSET
    colors: RoleColorsParams | UnsetType | None = UNSET
    hoist: bool | UnsetType | None = UNSET
    icon: str | UnsetType | None = UNSET
    unicode_emoji: UnicodeEmoji | UnsetType | None = UNSET
    mentionable: bool | UnsetType | None = UNSET


class RolePosition(Params, kw_only=True):
    """An entry of Modify Guild Role Positions."""

    id: Snowflake
    position: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
