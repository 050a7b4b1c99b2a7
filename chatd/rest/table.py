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
    bans,
    bots,
    channels,
    deletions,
    directs,
    explain,
    gateway,
    guilds,
    invites,
    member_edits,
    members,
    messages,
    pins,
    reactions,
    read_states,
    relationships,
    roles,
    scheduled_event_users,
    scheduled_events,
    users,
    voice_states,
)

get = partial(route, "GET")
post = partial(route, "POST")
put = partial(route, "PUT")
patch = partial(route, "PATCH")
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
    get("/users/@me/channels", directs.mine),
    post("/users/@me/channels", directs.create, limit=(10, 10)),
    get("/users/{user_id}", users.show, limit=(30, 30)),
    # what people's clients do: ours, in the words of Discord's own client
    get("/users/@me/mentions", read_states.mentions, limit=(5, 5)),
    post("/channels/{channel_id}/messages/{message_id}/ack", read_states.acknowledge, limit=(20, 10)),
    get("/users/@me/relationships", relationships.mine, limit=(5, 5)),
    post("/users/@me/relationships", relationships.ask_by_name, limit=(5, 60), status=204),
    put("/users/@me/relationships/{user_id}", relationships.put, limit=(10, 60)),
    delete("/users/@me/relationships/{user_id}", relationships.remove, limit=(10, 60)),
    post("/read-states/ack-bulk", read_states.acknowledge_all, limit=(5, 10)),
    # resources/guild
    post("/guilds", guilds.create, limit=(10, 60), status=201),
    get("/guilds/{guild_id}", guilds.show, limit=(10, 10)),
    get("/guilds/{guild_id}/channels", channels.of_guild, limit=(10, 10)),
    post("/guilds/{guild_id}/channels", channels.create, limit=(10, 10), status=201),
    patch("/guilds/{guild_id}/channels", channels.move, limit=(5, 15)),
    get("/guilds/{guild_id}/members", members.page, limit=(10, 10)),
    get("/guilds/{guild_id}/members/search", members.search, limit=(10, 10)),
    patch("/guilds/{guild_id}/members/@me", member_edits.edit_mine, limit=(5, 10)),
    patch("/guilds/{guild_id}/members/@me/nick", member_edits.edit_nick, limit=(5, 10)),
    get("/guilds/{guild_id}/members/@me/permissions/explain", explain.mine, limit=(10, 10)),
    get("/guilds/{guild_id}/members/{user_id}", members.show, limit=(10, 10)),
    patch("/guilds/{guild_id}/members/{user_id}", member_edits.edit, limit=(10, 10)),
    delete("/guilds/{guild_id}/members/{user_id}", member_edits.kick, limit=(5, 5)),
    put("/guilds/{guild_id}/members/{user_id}/roles/{role_id}", member_edits.add_role, limit=(10, 10)),
    delete("/guilds/{guild_id}/members/{user_id}/roles/{role_id}", member_edits.remove_role, limit=(10, 10)),
    get("/guilds/{guild_id}/bans", bans.page, limit=(5, 5)),
    get("/guilds/{guild_id}/bans/{user_id}", bans.show, limit=(5, 5)),
    put("/guilds/{guild_id}/bans/{user_id}", bans.put, limit=(5, 5)),
    delete("/guilds/{guild_id}/bans/{user_id}", bans.delete, limit=(5, 5)),
    post("/guilds/{guild_id}/bulk-ban", bans.put_many, limit=(5, 15)),
    get("/guilds/{guild_id}/roles", roles.of_guild, limit=(10, 10)),
    post("/guilds/{guild_id}/roles", roles.create, limit=(10, 10)),
    patch("/guilds/{guild_id}/roles", roles.move, limit=(5, 10)),
    get("/guilds/{guild_id}/roles/member-counts", roles.member_counts, limit=(5, 10)),
    get("/guilds/{guild_id}/roles/{role_id}", roles.show, limit=(10, 10)),
    patch("/guilds/{guild_id}/roles/{role_id}", roles.edit, limit=(10, 10)),
    delete("/guilds/{guild_id}/roles/{role_id}", roles.delete, limit=(10, 10)),
    get("/guilds/{guild_id}/regions", voice_states.guild_regions, limit=(10, 10)),
    get("/guilds/{guild_id}/invites", invites.of_guild, limit=(5, 15)),
    # resources/audit-log
    get("/guilds/{guild_id}/audit-logs", audit_log.page, limit=(5, 5)),
    # resources/guild-scheduled-event; the interest of people's clients is ours
    get("/guilds/{guild_id}/scheduled-events", scheduled_events.of_guild, limit=(5, 5)),
    post("/guilds/{guild_id}/scheduled-events", scheduled_events.create, limit=(5, 60)),
    get("/guilds/{guild_id}/scheduled-events/{event_id}", scheduled_events.show, limit=(5, 5)),
    patch("/guilds/{guild_id}/scheduled-events/{event_id}", scheduled_events.edit, limit=(5, 10)),
    delete("/guilds/{guild_id}/scheduled-events/{event_id}", scheduled_events.delete, limit=(5, 10)),
    get("/guilds/{guild_id}/scheduled-events/{event_id}/users", scheduled_event_users.page, limit=(5, 5)),
    put("/guilds/{guild_id}/scheduled-events/{event_id}/users/@me", scheduled_event_users.join, limit=(5, 10)),
    delete("/guilds/{guild_id}/scheduled-events/{event_id}/users/@me", scheduled_event_users.leave, limit=(5, 10)),
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
    get("/channels/{channel_id}/messages/{message_id}", messages.show, limit=(5, 5)),
    post("/channels/{channel_id}/messages", messages.create, limit=(5, 5)),
    put("/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me", reactions.add, limit=(1, 0.25)),
    delete(
        "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me", reactions.remove_mine, limit=(1, 0.25)
    ),
    delete(
        "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}", reactions.remove, limit=(1, 0.25)
    ),
    get("/channels/{channel_id}/messages/{message_id}/reactions/{emoji}", reactions.users, limit=(5, 5)),
    delete("/channels/{channel_id}/messages/{message_id}/reactions", reactions.clear, limit=(1, 0.25)),
    delete("/channels/{channel_id}/messages/{message_id}/reactions/{emoji}", reactions.clear_emoji, limit=(1, 0.25)),
    patch("/channels/{channel_id}/messages/{message_id}", messages.edit, limit=(5, 5)),
    delete("/channels/{channel_id}/messages/{message_id}", deletions.one, limit=(5, 5)),
    post("/channels/{channel_id}/messages/bulk-delete", deletions.several, limit=(1, 1)),
    get("/channels/{channel_id}/messages/pins", pins.page, limit=(5, 5)),
    put("/channels/{channel_id}/messages/pins/{message_id}", pins.pin, limit=(5, 4)),
    delete("/channels/{channel_id}/messages/pins/{message_id}", pins.unpin, limit=(5, 4)),
    # the same by their older paths
    get("/channels/{channel_id}/pins", pins.newest, limit=(5, 5)),
    put("/channels/{channel_id}/pins/{message_id}", pins.pin, limit=(5, 4)),
    delete("/channels/{channel_id}/pins/{message_id}", pins.unpin, limit=(5, 4)),
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
