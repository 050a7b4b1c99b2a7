"""Applications and their bots (resources/application, topics/oauth2)."""

from enum import IntFlag
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.intents import GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT
from chatd.model.objects.user import User
from chatd.model.wire import ImageParams, Object, Params, Permissions, Snowflake, length


class ApplicationFlags(IntFlag):
    """The gateway bits; LIMITED is what an unverified application is given."""

    GATEWAY_PRESENCE = 1 << 12
    GATEWAY_PRESENCE_LIMITED = 1 << 13
    GATEWAY_GUILD_MEMBERS = 1 << 14
    GATEWAY_GUILD_MEMBERS_LIMITED = 1 << 15
    GATEWAY_MESSAGE_CONTENT = 1 << 18
    GATEWAY_MESSAGE_CONTENT_LIMITED = 1 << 19


# A new application has its privileged intents on; its owner may switch them off.
NEW_APPLICATION_FLAGS = int(
    ApplicationFlags.GATEWAY_PRESENCE_LIMITED
    | ApplicationFlags.GATEWAY_GUILD_MEMBERS_LIMITED
    | ApplicationFlags.GATEWAY_MESSAGE_CONTENT_LIMITED
)

# Privileged intent -> the flags that allow it.
INTENT_FLAGS = {
    GUILD_PRESENCES: int(ApplicationFlags.GATEWAY_PRESENCE | ApplicationFlags.GATEWAY_PRESENCE_LIMITED),
    GUILD_MEMBERS: int(ApplicationFlags.GATEWAY_GUILD_MEMBERS | ApplicationFlags.GATEWAY_GUILD_MEMBERS_LIMITED),
    MESSAGE_CONTENT: int(ApplicationFlags.GATEWAY_MESSAGE_CONTENT | ApplicationFlags.GATEWAY_MESSAGE_CONTENT_LIMITED),
}


class ApplicationExtra(Object, frozen=True, kw_only=True):
    """The part of an application that no query looks at; stored as JSON."""

    icon: str | None = None
    description: str = ""
    bot_public: bool = True
    verify_key: str = ""  # hex of an Ed25519 public key


class Application(Object, frozen=True, kw_only=True):
    id: Snowflake
    name: str
    icon: str | None
    description: str
    bot_public: bool
    verify_key: str
    owner: User
    flags: int
    flags_new: str
    bot: User
    approximate_guild_count: int
    bot_require_code_grant: bool = False
    type: None = None
    team: None = None
    summary: str = ""
    redirect_uris: tuple[()] = ()
    interactions_endpoint_url: None = None
    role_connections_verification_url: None = None
    approximate_user_install_count: int = 0
    approximate_user_authorization_count: int = 0
    explicit_content_filter: int = 0
    eligible_oauth2_scopes: tuple[str, ...] = ("bot",)


class ApplicationCreate(Params, kw_only=True):
    name: Annotated[str, length(limits.USERNAME_LENGTH)]
    description: Annotated[str, Meta(max_length=400)] = ""


class ApplicationPatch(ImageParams, kw_only=True):
    """Edit Current Application; by its owner also PATCH /applications/{id}."""

    name: Annotated[str, length(limits.USERNAME_LENGTH)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=400)] | UnsetType = UNSET
    icon: str | UnsetType | None = UNSET
    flags: int | UnsetType = UNSET


class BotToken(Object, frozen=True, kw_only=True):
    token: str


class AuthorizeQuery(Params, kw_only=True):
    client_id: Snowflake
    scope: str
    permissions: Permissions = Permissions(0)


class Authorize(Params, kw_only=True):
    """What the consent page of OAuth2's authorize endpoint posts."""

    guild_id: Snowflake
    authorize: bool


class Authorized(Object, frozen=True, kw_only=True):
    location: str
