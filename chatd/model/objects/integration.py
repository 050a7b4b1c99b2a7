"""Integrations of guilds (resources/guild, "Integration Object"): here they are bots."""

from chatd.model.objects.user import User
from chatd.model.wire import Object, Snowflake


class IntegrationAccount(Object, frozen=True, kw_only=True):
    id: str
    name: str


class IntegrationApplication(Object, frozen=True, kw_only=True):
    id: Snowflake
    name: str
    icon: str | None
    description: str
    bot: User
    type: None = None


class Integration(Object, frozen=True, kw_only=True):
    """A bot's membership of a guild; its id is the application's."""

    id: Snowflake
    name: str
    account: IntegrationAccount
    application: IntegrationApplication
    type: str = "discord"
    enabled: bool = True
    scopes: tuple[str, ...] = ("bot",)


class GuildIntegration(Integration, frozen=True, kw_only=True):
    """INTEGRATION_CREATE."""

    guild_id: Snowflake


class IntegrationDelete(Object, frozen=True, kw_only=True):
    """INTEGRATION_DELETE."""

    id: Snowflake
    guild_id: Snowflake
    application_id: Snowflake


class GuildIntegrationsUpdate(Object, frozen=True, kw_only=True):
    """GUILD_INTEGRATIONS_UPDATE."""

    guild_id: Snowflake
