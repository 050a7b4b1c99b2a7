"""Users (resources/user)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.wire import ImageParams, Object, Params, Snowflake, length


class UserProfile(Object, frozen=True, gc=False, kw_only=True):
    """The part of a user that no query looks at; stored as JSON."""

    global_name: str | None = None
    avatar: str | None = None
    banner: str | None = None
    accent_color: int | None = None
    public_flags: int = 0
    flags: int = 0
    locale: str = "en-US"


class User(Object, frozen=True, gc=False, kw_only=True):
    """A user as everyone may see it."""

    id: Snowflake
    username: str
    discriminator: str  # "0" for people, four digits for bots
    global_name: str | None = None
    avatar: str | None = None
    bot: bool | UnsetType = UNSET
    banner: str | None = None
    accent_color: int | None = None
    flags: int = 0
    public_flags: int = 0
    primary_guild: None = None


class CurrentUser(Object, frozen=True, kw_only=True):
    """A user as it sees itself (Get Current User, READY)."""

    id: Snowflake
    username: str
    discriminator: str
    global_name: str | None
    avatar: str | None
    bot: bool
    banner: str | None
    accent_color: int | None
    flags: int
    public_flags: int
    locale: str
    email: str | None
    verified: bool
    mfa_enabled: bool = False
    premium_type: int = 0
    primary_guild: None = None


Username = Annotated[str, length(limits.USERNAME_LENGTH)]


class CurrentUserPatch(ImageParams, kw_only=True):
    """Modify Current User."""

    username: Username | UnsetType = UNSET
    global_name: Annotated[str, length(limits.NICKNAME_LENGTH)] | UnsetType | None = UNSET
    accent_color: Annotated[int, Meta(ge=0, le=0xFFFFFF)] | UnsetType | None = UNSET
    avatar: str | UnsetType | None = UNSET
    banner: str | UnsetType | None = UNSET


class DirectChannelCreate(Params, kw_only=True):
    """Create DM."""

    recipient_id: Snowflake
