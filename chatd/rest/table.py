"""Every operation of the REST API, one line each, in the order of Discord's documentation.

Discord publishes no limits; these are what its headers have shown, (requests, seconds), for each user or bot and, where
the path names one, each channel or guild.
"""

from collections.abc import Sequence
from functools import partial

from chatd.rest.route import Route, route
from chatd.service import (
    accounts,
    applications,
    audit_log,
    bots,
    channels,
    directs,
    explain,
    gateway,
    guild_creation,
    guild_settings,
    guild_templates,
    guilds,
    integrations,
    invites,
    members,
    membership,
    messages,
    prunes,
    roles,
    users,
    vanity_urls,
    voice_states,
    welcome_screens,
    widgets,
)

get = partial(route, "GET")
post = partial(route, "POST")
patch = partial(route, "PATCH")
put = partial(route, "PUT")
delete = partial(route, "DELETE")

ROUTES: Sequence[Route] = (
    # accounts of people: ours
    post("/auth/register", accounts.register, limit=(5, 60), status=201),
    post("/auth/login", accounts.login, limit=(10, 60)),
    post("/auth/refresh", accounts.refresh, limit=(10, 60)),
    post("/auth/logout", accounts.logout, limit=(10, 60)),
    # events/gateway
    get("/gateway", gateway.discover),
    get("/gateway/bot", gateway.discover_bot, limit=(2, 5)),
    # resources/application, topics/oauth2, and what the developer portal does
    get("/oauth2/applications/@me", applications.current),
    post("/oauth2/authorize", bots.authorize, limit=(10, 10)),
    get("/applications/@me", applications.current),
    patch("/applications/@me", applications.edit_current, limit=(5, 10)),
    get("/applications", applications.mine),
    post("/applications", applications.create, limit=(5, 10), status=201),
    get("/applications/{application_id}", applications.show),
    patch("/applications/{application_id}", applications.edit, limit=(5, 10)),
    post("/applications/{application_id}/bot/reset", applications.reset_token, limit=(5, 60)),
    # resources/user
    get("/users/@me", users.me),
    patch("/users/@me", users.edit_me, limit=(5, 30)),
    get("/users/@me/guilds", guilds.mine, limit=(5, 5)),
    get("/users/@me/guilds/{guild_id}/member", members.mine, limit=(5, 5)),
    delete("/users/@me/guilds/{guild_id}", membership.leave, limit=(5, 5)),
    get("/users/@me/channels", directs.mine),
    post("/users/@me/channels", directs.create, limit=(10, 10)),
    get("/users/{user_id}", users.show, limit=(30, 30)),
    # resources/guild
    post("/guilds", guild_creation.create, limit=(10, 60), status=201),
    get("/guilds/{guild_id}", guilds.show, limit=(10, 10)),
    get("/guilds/{guild_id}/preview", guilds.preview, limit=(5, 5)),
    patch("/guilds/{guild_id}", guild_settings.edit, limit=(5, 10)),
    delete("/guilds/{guild_id}", guild_settings.delete, limit=(5, 10)),
    get("/guilds/{guild_id}/channels", channels.of_guild, limit=(10, 10)),
    post("/guilds/{guild_id}/channels", channels.create, limit=(10, 10), status=201),
    patch("/guilds/{guild_id}/channels", channels.move, limit=(5, 15)),
    get("/guilds/{guild_id}/members", members.page, limit=(10, 10)),
    get("/guilds/{guild_id}/members/@me/permissions/explain", explain.mine, limit=(10, 10)),
    get("/guilds/{guild_id}/members/{user_id}", members.show, limit=(10, 10)),
    get("/guilds/{guild_id}/roles", roles.of_guild, limit=(10, 10)),
    post("/guilds/{guild_id}/roles", roles.create, limit=(10, 10)),
    patch("/guilds/{guild_id}/roles", roles.move, limit=(5, 10)),
    get("/guilds/{guild_id}/roles/member-counts", roles.member_counts, limit=(5, 10)),
    get("/guilds/{guild_id}/roles/{role_id}", roles.show, limit=(10, 10)),
    patch("/guilds/{guild_id}/roles/{role_id}", roles.edit, limit=(10, 10)),
    delete("/guilds/{guild_id}/roles/{role_id}", roles.delete, limit=(10, 10)),
    get("/guilds/{guild_id}/prune", prunes.count, limit=(5, 10)),
    post("/guilds/{guild_id}/prune", prunes.begin, limit=(5, 10)),
    get("/guilds/{guild_id}/regions", voice_states.guild_regions, limit=(10, 10)),
    get("/guilds/{guild_id}/invites", invites.of_guild, limit=(5, 15)),
    get("/guilds/{guild_id}/integrations", integrations.of_guild, limit=(5, 10)),
    delete("/guilds/{guild_id}/integrations/{integration_id}", integrations.delete, limit=(5, 10)),
    get("/guilds/{guild_id}/widget", widgets.settings, limit=(5, 10)),
    patch("/guilds/{guild_id}/widget", widgets.edit, limit=(5, 10)),
    get("/guilds/{guild_id}/widget.json", widgets.show, limit=(5, 5), any_origin=True),
    get("/guilds/{guild_id}/vanity-url", vanity_urls.show, limit=(5, 10)),
    patch("/guilds/{guild_id}/vanity-url", vanity_urls.edit, limit=(5, 10)),
    get("/guilds/{guild_id}/welcome-screen", welcome_screens.show, limit=(5, 10)),
    patch("/guilds/{guild_id}/welcome-screen", welcome_screens.edit, limit=(5, 10)),
    # resources/guild-template
    get("/guilds/templates/{code}", guild_templates.show, limit=(10, 10)),
    post("/guilds/templates/{code}", guild_creation.create_from_template, limit=(10, 60), status=201),
    get("/guilds/{guild_id}/templates", guild_templates.of_guild, limit=(5, 10)),
    post("/guilds/{guild_id}/templates", guild_templates.create, limit=(5, 10)),
    put("/guilds/{guild_id}/templates/{code}", guild_templates.sync, limit=(5, 10)),
    patch("/guilds/{guild_id}/templates/{code}", guild_templates.edit, limit=(5, 10)),
    delete("/guilds/{guild_id}/templates/{code}", guild_templates.delete, limit=(5, 10)),
    # resources/audit-log
    get("/guilds/{guild_id}/audit-logs", audit_log.page, limit=(5, 5)),
    # resources/channel
    get("/channels/{channel_id}", channels.show, limit=(10, 10)),
    patch("/channels/{channel_id}", channels.edit, limit=(5, 15)),
    delete("/channels/{channel_id}", channels.delete, limit=(5, 15)),
    put("/channels/{channel_id}/permissions/{overwrite_id}", channels.put_overwrite, limit=(10, 15)),
    delete("/channels/{channel_id}/permissions/{overwrite_id}", channels.delete_overwrite, limit=(10, 15)),
    get("/channels/{channel_id}/invites", invites.of_channel, limit=(5, 15)),
    post("/channels/{channel_id}/invites", invites.create, limit=(5, 15)),
    post("/channels/{channel_id}/typing", messages.typing, limit=(5, 5)),
    # resources/message
    get("/channels/{channel_id}/messages", messages.page, limit=(5, 5)),
    post("/channels/{channel_id}/messages", messages.create, limit=(5, 5)),
    get("/channels/{channel_id}/messages/{message_id}", messages.show, limit=(5, 5)),
    patch("/channels/{channel_id}/messages/{message_id}", messages.edit, limit=(5, 5)),
    delete("/channels/{channel_id}/messages/{message_id}", messages.delete, limit=(5, 5)),
    # resources/voice
    get("/voice/regions", voice_states.regions),
    get("/guilds/{guild_id}/voice-states/@me", voice_states.mine, limit=(10, 10)),
    patch("/guilds/{guild_id}/voice-states/@me", voice_states.edit_mine, limit=(5, 5)),
    get("/guilds/{guild_id}/voice-states/{user_id}", voice_states.show, limit=(10, 10)),
    patch("/guilds/{guild_id}/voice-states/{user_id}", voice_states.edit, limit=(5, 5)),
    # resources/invite
    get("/invites/{code}", invites.show, limit=(10, 10)),
    delete("/invites/{code}", invites.delete, limit=(5, 10)),
    post("/invites/{code}", invites.accept, limit=(5, 10)),
)
