"""A guild's widget (resources/guild, "Guild Widget Object")."""

from msgspec import UNSET, UnsetType

from chatd.model.wire import Object, Params, Snowflake


class WidgetSettings(Object, frozen=True, kw_only=True):
    enabled: bool
    channel_id: Snowflake | None


class WidgetPatch(Params, kw_only=True):
    """Modify Guild Widget."""

    enabled: bool | UnsetType | None = UNSET
    channel_id: Snowflake | UnsetType | None = UNSET


class WidgetChannel(Object, frozen=True, kw_only=True):
    id: Snowflake
    name: str
    position: int


class WidgetMember(Object, frozen=True, kw_only=True):
    """Somebody who is online, without what could be traced to the account. The rest is of those in a listed channel."""

    id: str  # the place in the list
    username: str
    discriminator: str
    avatar: None
    status: str
    avatar_url: str
    deaf: bool | UnsetType = UNSET
    mute: bool | UnsetType = UNSET
    self_deaf: bool | UnsetType = UNSET
    self_mute: bool | UnsetType = UNSET
    suppress: bool | UnsetType = UNSET
    channel_id: Snowflake | UnsetType | None = UNSET


class Widget(Object, frozen=True, kw_only=True):
    id: Snowflake
    name: str
    instant_invite: str | None
    channels: tuple[WidgetChannel, ...]
    members: tuple[WidgetMember, ...]
    presence_count: int
