"""Every operation of the REST API, one line each, in the order of Discord's documentation.

Discord publishes no limits; these are what its headers have shown, (requests, seconds), for each user or bot and, where
the path names one, each channel or guild.
"""

from collections.abc import Sequence
from functools import partial

from chatd.rest.route import Route, route
from chatd.service import (
    accounts,
    application_emojis,
    applications,
    audit_log,
    bots,
    channels,
    directs,
    emojis,
    explain,
    gateway,
    guilds,
    invites,
    members,
    messages,
    read_states,
    relationships,
    roles,
    stickers,
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
    get("/guilds/{guild_id}/members/@me/permissions/explain", explain.mine, limit=(10, 10)),
    get("/guilds/{guild_id}/members/{user_id}", members.show, limit=(10, 10)),
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
    # resources/channel
    get("/channels/{channel_id}", channels.show, limit=(10, 10)),
    patch("/channels/{channel_id}", channels.edit, limit=(5, 15)),
    delete("/channels/{channel_id}", channels.delete, limit=(5, 15)),
    put("/channels/{channel_id}/permissions/{overwrite_id}", channels.put_overwrite, limit=(10, 15)),
    delete("/channels/{channel_id}/permissions/{overwrite_id}", channels.delete_overwrite, limit=(10, 15)),
    get("/channels/{channel_id}/invites", invites.of_channel, limit=(5, 15)),
    post("/channels/{channel_id}/invites", invites.create, limit=(5, 15)),
    post("/channels/{channel_id}/typing", messages.typing, limit=(5, 5)),
    # resources/emoji
    get("/guilds/{guild_id}/emojis", emojis.of_guild, limit=(10, 10)),
    get("/guilds/{guild_id}/emojis/{emoji_id}", emojis.show, limit=(10, 10)),
    post("/guilds/{guild_id}/emojis", emojis.create, limit=(50, 3600), status=201),
    patch("/guilds/{guild_id}/emojis/{emoji_id}", emojis.edit, limit=(5, 10)),
    delete("/guilds/{guild_id}/emojis/{emoji_id}", emojis.delete, limit=(5, 10)),
    get("/applications/{application_id}/emojis", application_emojis.of_application, limit=(10, 10)),
    get("/applications/{application_id}/emojis/{emoji_id}", application_emojis.show, limit=(10, 10)),
    post("/applications/{application_id}/emojis", application_emojis.create, limit=(30, 30), status=201),
    patch("/applications/{application_id}/emojis/{emoji_id}", application_emojis.edit, limit=(5, 10)),
    delete("/applications/{application_id}/emojis/{emoji_id}", application_emojis.delete, limit=(5, 10)),
    # resources/message
    get("/channels/{channel_id}/messages", messages.page, limit=(5, 5)),
    post("/channels/{channel_id}/messages", messages.create, limit=(5, 5)),
    get("/channels/{channel_id}/messages/{message_id}", messages.show, limit=(5, 5)),
    patch("/channels/{channel_id}/messages/{message_id}", messages.edit, limit=(5, 5)),
    delete("/channels/{channel_id}/messages/{message_id}", messages.delete, limit=(5, 5)),
    # resources/sticker
    get("/stickers/{sticker_id}", stickers.show, limit=(10, 10)),
    get("/sticker-packs", stickers.packs),
    get("/sticker-packs/{pack_id}", stickers.pack),
    get("/guilds/{guild_id}/stickers", stickers.of_guild, limit=(10, 10)),
    get("/guilds/{guild_id}/stickers/{sticker_id}", stickers.show_of_guild, limit=(10, 10)),
    post("/guilds/{guild_id}/stickers", stickers.create, limit=(50, 3600), status=201),
    patch("/guilds/{guild_id}/stickers/{sticker_id}", stickers.edit, limit=(5, 10)),
    delete("/guilds/{guild_id}/stickers/{sticker_id}", stickers.delete, limit=(5, 10)),
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
