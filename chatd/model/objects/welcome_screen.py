"""What a Community guild shows to who has just joined (resources/guild, "Welcome Screen Object")."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.wire import Object, Params, Snowflake


class WelcomeChannel(Object, frozen=True, gc=False, kw_only=True):
    channel_id: Snowflake
    description: str
    emoji_id: Snowflake | None
    emoji_name: str | None


class WelcomeScreen(Object, frozen=True, kw_only=True):
    description: str | None = None
    welcome_channels: tuple[WelcomeChannel, ...] = ()


class WelcomeChannelParams(Params, kw_only=True):
    channel_id: Snowflake
    description: Annotated[str, Meta(min_length=1, max_length=50)]
    emoji_id: Snowflake | None = None
    emoji_name: Annotated[str, Meta(max_length=100)] | None = None


class WelcomeScreenPatch(Params, kw_only=True):
    """Modify Guild Welcome Screen."""

    enabled: bool | UnsetType | None = UNSET
    welcome_channels: (
        Annotated[list[WelcomeChannelParams], Meta(max_length=limits.WELCOME_CHANNELS)] | UnsetType | None
    ) = UNSET
    description: Annotated[str, Meta(max_length=140)] | UnsetType | None = UNSET
