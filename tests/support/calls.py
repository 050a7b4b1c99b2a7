"""One call for each operation of the REST table that succeeds, in an order in which all of them do."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.support.client import Answer, Json, gateway
from tests.support.pictures import data_uri, still
from tests.support.world import PASSWORD, World

# Who calls: the guild's owner, another member, its bot, or nobody.
OWNER, MEMBER, BOT, NOBODY = "owner", "member", "bot", "nobody"


# What calls name otherwise than the table does, because they mean other ids.
_SAME = {
    "{other_": "{",
    "{bot_id}": "{user_id}",
    "{news_id}": "{channel_id}",
    "{news_message_id}": "{message_id}",
    "{webhook_message_id}": "{message_id}",
    "{banned_id}": "{user_id}",
    "{application_emoji_id}": "{emoji_id}",
    "packs/{sticker_id}": "packs/{pack_id}",
}


class Call(NamedTuple):
    method: str
    template: str
    status: int
    who: str = OWNER
    payload: Json = ...
    query: dict[str, str] = {}
    files: dict[str, bytes] = {}  # with them the payload is a form's

    @property
    def operation(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def route(self) -> str:
        """The operation by the names of the table."""
        names = self.operation
        for other, name in _SAME.items():
            names = names.replace(other, name)
        return names


IMAGE = data_uri(still())
STICKER = {"name": "sticker", "tags": "wave", "description": "waves"}

POLL = {
    "question": {"text": "Where to?"},
    "answers": [{"poll_media": {"text": "Hills"}}, {"poll_media": {"text": "Sea", "emoji": {"name": "🌊"}}}],
    "duration": 1,
}

EMBED = {
    "title": "title",
    "description": "text",
    "url": "https://chat.test/",
    "color": 0x123456,
    "timestamp": "2026-01-02T03:04:05Z",
    "footer": {"text": "foot", "icon_url": "https://chat.test/i.png"},
    "image": {"url": "https://chat.test/i.png"},
    "thumbnail": {"url": "https://chat.test/i.png"},
    "author": {"name": "author", "url": "https://chat.test/", "icon_url": "https://chat.test/i.png"},
    "fields": [{"name": "name", "value": "value", "inline": True}],
}

EVENT = {
    "name": "Reading",
    "description": "aloud",
    "privacy_level": 2,
    "entity_type": 3,
    "entity_metadata": {"location": "the park"},
    "scheduled_start_time": "2099-01-02T03:04:05Z",
    "scheduled_end_time": "2099-01-02T04:04:05Z",
}
RULE = {"name": "rule", "event_type": 1, "trigger_type": 1, "actions": [{"type": 1}], "enabled": False}

PICTURE = {"url": "https://chat.test/i.png"}
SELECT = {"min_values": 0, "max_values": 2, "placeholder": "Choose", "disabled": True}
# One of each kind but for files, which takes an upload.
ROWS = [
    {
        "type": 1,
        "components": [
            {"type": 2, "style": 1, "custom_id": "press", "label": "Press", "emoji": {"name": "👍"}},
            {"type": 2, "style": 5, "url": "https://chat.test/", "label": "Open", "disabled": True},
        ],
    },
    {
        "type": 1,
        "components": [
            {
                "type": 3,
                "custom_id": "words",
                "options": [
                    {"label": "one", "value": "1", "description": "the first", "default": True},
                    {"label": "two", "value": "2", "emoji": {"name": "✌️"}},
                ],
                **SELECT,
            }
        ],
    },
    *(
        {
            "type": 1,
            "components": [
                {
                    "type": kind,
                    "custom_id": name,
                    "default_values": [{"id": "{owner_id}", "type": name}],
                    **({"channel_types": [0, 2]} if name == "channel" else {}),
                    **SELECT,
                }
            ],
        }
        for kind, name in ((5, "user"), (6, "role"), (8, "channel"))
    ),
]
LAYOUT = [
    {
        "type": 17,
        "id": 50,
        "accent_color": 0x123456,
        "components": [
            {
                "type": 9,
                "components": [{"type": 10, "content": "# Title"}],
                "accessory": {"type": 11, "media": PICTURE, "description": "a picture"},
            },
            {"type": 14, "spacing": 2},
            {"type": 12, "items": [{"media": PICTURE, "spoiler": True}]},
            {"type": 1, "components": [{"type": 7, "custom_id": "whom"}]},
        ],
    },
    {
        "type": 9,
        "components": [{"type": 10, "content": "words"}],
        "accessory": {"type": 2, "style": 4, "custom_id": "end", "emoji": {"name": "🔥"}},
    },
]

# Texts "{…}" in paths, payloads and queries stand for what `setting` made.
CALLS = (
    Call("POST", "/auth/register", 201, NOBODY, {"username": "carol", "password": PASSWORD, "email": "c@chat.test"}),
    Call("POST", "/auth/login", 200, NOBODY, {"login": "carol", "password": PASSWORD}),
    Call("POST", "/auth/refresh", 200, NOBODY, {"refresh_token": "{refresh_token}"}),
    Call("POST", "/auth/logout", 204, "leaver"),
    Call("GET", "/gateway", 200, NOBODY),
    Call("GET", "/gateway/bot", 200, BOT),
    Call("GET", "/oauth2/applications/@me", 200, BOT),
    Call("GET", "/applications/@me", 200, BOT),
    Call("PATCH", "/applications/@me", 200, BOT, {"description": "about", "icon": IMAGE}),
    Call("POST", "/applications", 201, OWNER, {"name": "Second bot"}),
    Call("GET", "/applications", 200),
    Call("GET", "/applications/{application_id}", 200),
    Call("PATCH", "/applications/{application_id}", 200, OWNER, {"name": "Renamed"}),
    Call(
        "POST",
        "/oauth2/authorize",
        200,
        OWNER,
        {"guild_id": "{guild_id}", "authorize": True},
        {"client_id": "{other_application_id}", "scope": "bot", "permissions": "1024"},
    ),
    Call("POST", "/applications/{other_application_id}/bot/reset", 200),
    Call("GET", "/users/@me", 200),
    Call(
        "PATCH",
        "/users/@me",
        200,
        OWNER,
        {"global_name": "The Owner", "accent_color": 1, "avatar": IMAGE, "banner": IMAGE},
    ),
    Call("GET", "/users/@me/guilds", 200, OWNER, query={"with_counts": "true"}),
    Call("GET", "/users/@me/guilds/{guild_id}/member", 200, MEMBER),
    Call("POST", "/users/@me/channels", 200, OWNER, {"recipient_id": "{user_id}"}),
    Call("GET", "/users/@me/channels", 200),
    Call("GET", "/users/{user_id}", 200),
    Call("POST", "/guilds", 201, OWNER, {"name": "Another guild", "icon": IMAGE}),
    Call("GET", "/guilds/{guild_id}", 200, OWNER, query={"with_counts": "true"}),
    Call("GET", "/guilds/{guild_id}/preview", 200),
    Call("PATCH", "/guilds/{guild_id}", 200, OWNER, {"description": "About", "system_channel_id": "{channel_id}"}),
    Call("DELETE", "/guilds/{other_guild_id}", 204),
    Call("POST", "/guilds/{guild_id}/channels", 201, OWNER, {"name": "voice", "type": 2, "parent_id": "{category_id}"}),
    Call("GET", "/guilds/{guild_id}/channels", 200),
    Call("PATCH", "/guilds/{guild_id}/channels", 204, OWNER, [{"id": "{channel_id}", "position": 3}]),
    Call("GET", "/guilds/{guild_id}/members", 200, BOT, query={"limit": "1000"}),
    Call(
        "GET",
        "/guilds/{guild_id}/members/@me/permissions/explain",
        200,
        MEMBER,
        query={"permission": "SEND_MESSAGES", "channel_id": "{channel_id}"},
    ),
    Call("GET", "/guilds/{guild_id}/members/search", 200, MEMBER, query={"query": "own", "limit": "10"}),
    Call("PATCH", "/guilds/{guild_id}/members/@me", 200, MEMBER, {"nick": "Nick", "avatar": IMAGE, "banner": IMAGE}),
    Call("PATCH", "/guilds/{guild_id}/members/@me/nick", 200, MEMBER, {"nick": "Nicky"}),
    Call("GET", "/guilds/{guild_id}/members/{user_id}", 200),
    Call(
        "PATCH",
        "/guilds/{guild_id}/members/{user_id}",
        200,
        OWNER,
        {"nick": "N", "communication_disabled_until": None, "flags": 4},
    ),
    Call("PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", 204),
    Call("DELETE", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", 204),
    Call("PUT", "/guilds/{guild_id}/bans/{banned_id}", 204, OWNER, {"delete_message_seconds": 60}),
    Call("GET", "/guilds/{guild_id}/bans", 200, OWNER, query={"limit": "10"}),
    Call("GET", "/guilds/{guild_id}/bans/{banned_id}", 200),
    Call("DELETE", "/guilds/{guild_id}/bans/{banned_id}", 204),
    Call("POST", "/guilds/{guild_id}/bulk-ban", 200, OWNER, {"user_ids": ["{banned_id}", "1"]}),
    Call("GET", "/guilds/{guild_id}/roles", 200),
    Call("POST", "/guilds/{guild_id}/roles", 200, OWNER, {"name": "new", "permissions": "0", "color": 255}),
    Call("PATCH", "/guilds/{guild_id}/roles", 200, OWNER, [{"id": "{role_id}", "position": 2}]),
    Call("GET", "/guilds/{guild_id}/roles/member-counts", 200),
    Call("GET", "/guilds/{guild_id}/roles/{role_id}", 200),
    Call(
        "PATCH",
        "/guilds/{guild_id}/roles/{role_id}",
        200,
        OWNER,
        {"hoist": True, "icon": IMAGE, "colors": {"primary_color": 1}},
    ),
    Call("DELETE", "/guilds/{guild_id}/roles/{role_id}", 204),
    Call("GET", "/guilds/{guild_id}/prune", 200, OWNER, query={"days": "7"}),
    Call("POST", "/guilds/{guild_id}/prune", 200, OWNER, {"days": 30}),
    Call("GET", "/guilds/{guild_id}/integrations", 200),
    Call("DELETE", "/guilds/{guild_id}/integrations/{integration_id}", 204),
    Call("PATCH", "/guilds/{guild_id}/widget", 200, OWNER, {"enabled": True, "channel_id": "{channel_id}"}),
    Call("GET", "/guilds/{guild_id}/widget", 200),
    Call("GET", "/guilds/{guild_id}/widget.json", 200, NOBODY),
    Call("PATCH", "/guilds/{guild_id}/vanity-url", 200, OWNER, {"code": "reading-room"}),
    Call("GET", "/guilds/{guild_id}/vanity-url", 200),
    Call(
        "PATCH",
        "/guilds/{guild_id}/welcome-screen",
        200,
        OWNER,
        {"welcome_channels": [{"channel_id": "{channel_id}", "description": "Talk", "emoji_name": "📚"}]},
    ),
    Call("GET", "/guilds/{guild_id}/welcome-screen", 200),
    Call("GET", "/guilds/templates/{other_code}", 200, MEMBER),
    Call("POST", "/guilds/templates/{other_code}", 201, MEMBER, {"name": "Made of it"}),
    Call("GET", "/guilds/{guild_id}/templates", 200),
    Call("PUT", "/guilds/{guild_id}/templates/{other_code}", 200),
    Call("PATCH", "/guilds/{guild_id}/templates/{other_code}", 200, OWNER, {"description": "A copy"}),
    Call("DELETE", "/guilds/{guild_id}/templates/{other_code}", 200),
    Call("POST", "/guilds/{guild_id}/templates", 200, OWNER, {"name": "Reading rooms"}),
    Call("GET", "/guilds/{guild_id}/emojis", 200),
    Call("GET", "/guilds/{guild_id}/emojis/{emoji_id}", 200),
    Call("POST", "/guilds/{guild_id}/emojis", 201, OWNER, {"name": "new", "image": IMAGE, "roles": ["{guild_id}"]}),
    Call("PATCH", "/guilds/{guild_id}/emojis/{emoji_id}", 200, OWNER, {"name": "renamed"}),
    Call("DELETE", "/guilds/{guild_id}/emojis/{emoji_id}", 204),
    Call("GET", "/applications/{application_id}/emojis", 200, BOT),
    Call("GET", "/applications/{application_id}/emojis/{application_emoji_id}", 200, BOT),
    Call("POST", "/applications/{application_id}/emojis", 201, BOT, {"name": "new", "image": IMAGE}),
    Call("PATCH", "/applications/{application_id}/emojis/{application_emoji_id}", 200, BOT, {"name": "renamed"}),
    Call("DELETE", "/applications/{application_id}/emojis/{application_emoji_id}", 204, BOT),
    Call("GET", "/stickers/{sticker_id}", 200, MEMBER),
    Call("GET", "/sticker-packs", 200, NOBODY),
    Call("GET", "/sticker-packs/{sticker_id}", 404),  # there are none
    Call("GET", "/guilds/{guild_id}/stickers", 200),
    Call("GET", "/guilds/{guild_id}/stickers/{sticker_id}", 200),
    Call("POST", "/guilds/{guild_id}/stickers", 201, OWNER, STICKER, files={"file": still()}),
    Call("PATCH", "/guilds/{guild_id}/stickers/{sticker_id}", 200, OWNER, {"name": "renamed", "description": None}),
    Call("POST", "/channels/{channel_id}/messages", 200, MEMBER, {"sticker_ids": ["{sticker_id}"]}),
    Call("DELETE", "/guilds/{guild_id}/stickers/{sticker_id}", 204),
    Call("GET", "/guilds/{guild_id}/audit-logs", 200, OWNER, query={"limit": "100"}),
    Call(
        "POST",
        "/guilds/{guild_id}/scheduled-events",
        200,
        OWNER,
        {
            **EVENT,
            "image": IMAGE,
            "recurrence_rule": {
                "start": "2099-01-02T03:04:05Z",
                "frequency": 1,
                "interval": 1,
                "by_n_weekday": [{"n": 5, "day": 4}],
            },
        },
    ),
    Call("GET", "/guilds/{guild_id}/scheduled-events", 200, OWNER, query={"with_user_count": "true"}),
    Call("PUT", "/guilds/{guild_id}/scheduled-events/{event_id}/users/@me", 200, MEMBER, {"response": 1}),
    Call("GET", "/guilds/{guild_id}/scheduled-events/{event_id}/users", 200, OWNER, query={"with_member": "true"}),
    Call("DELETE", "/guilds/{guild_id}/scheduled-events/{event_id}/users/@me", 204, MEMBER),
    Call("GET", "/guilds/{guild_id}/scheduled-events/{event_id}", 200, BOT),
    Call(
        "PATCH",
        "/guilds/{guild_id}/scheduled-events/{event_id}",
        200,
        OWNER,
        {"entity_type": 1, "channel_id": "{stage_id}", "entity_metadata": None},
    ),
    Call("DELETE", "/guilds/{guild_id}/scheduled-events/{event_id}", 204),
    Call("GET", "/guilds/{guild_id}/auto-moderation/rules", 200),
    *(
        Call("POST", "/guilds/{guild_id}/auto-moderation/rules", 200, OWNER, rule)
        for rule in (
            {
                **RULE,
                "trigger_metadata": {"keyword_filter": ["spoiler*"], "regex_patterns": ["a+b"], "allow_list": ["ab"]},
                "actions": [
                    {"type": 1, "metadata": {"custom_message": "No spoilers."}},
                    {"type": 2, "metadata": {"channel_id": "{channel_id}"}},
                    {"type": 3, "metadata": {"duration_seconds": 60}},
                ],
            },
            {**RULE, "trigger_type": 3},
            {**RULE, "trigger_type": 4, "trigger_metadata": {"presets": [1, 2, 3]}},
            {**RULE, "trigger_type": 5, "trigger_metadata": {"mention_total_limit": 5}},
            {**RULE, "trigger_type": 6, "event_type": 2, "trigger_metadata": {}, "actions": [{"type": 4}]},
        )
    ),
    Call("GET", "/guilds/{guild_id}/auto-moderation/rules", 200),
    Call("GET", "/guilds/{guild_id}/auto-moderation/rules/{rule_id}", 200),
    Call(
        "PATCH",
        "/guilds/{guild_id}/auto-moderation/rules/{rule_id}",
        200,
        OWNER,
        {"name": "renamed", "exempt_roles": ["{guild_id}"], "exempt_channels": ["{channel_id}"]},
    ),
    Call("GET", "/guilds/{guild_id}/audit-logs", 200, OWNER, query={"action_type": "141"}),
    Call("DELETE", "/guilds/{guild_id}/auto-moderation/rules/{rule_id}", 204),
    Call("GET", "/guilds/{guild_id}/regions", 200),
    Call("GET", "/voice/regions", 200),
    Call("GET", "/guilds/{guild_id}/voice-states/@me", 200, BOT),
    Call("GET", "/guilds/{guild_id}/voice-states/{bot_id}", 200),
    Call("PATCH", "/guilds/{guild_id}/voice-states/@me", 204, BOT, {"channel_id": "{stage_id}", "suppress": True}),
    Call("PATCH", "/guilds/{guild_id}/voice-states/{bot_id}", 204, OWNER, {"suppress": False}),
    Call("GET", "/channels/{channel_id}", 200),
    Call(
        "PATCH",
        "/channels/{channel_id}",
        200,
        OWNER,
        {"topic": "talk", "permission_overwrites": [{"id": "{user_id}", "type": 1, "allow": "1024", "deny": "0"}]},
    ),
    Call("PUT", "/channels/{channel_id}/permissions/{overwrite_id}", 204, OWNER, {"type": 1, "deny": "2048"}),
    Call("DELETE", "/channels/{channel_id}/permissions/{overwrite_id}", 204),
    Call("GET", "/channels/{channel_id}/invites", 200),
    Call("GET", "/guilds/{guild_id}/invites", 200),
    Call("POST", "/channels/{channel_id}/invites", 200, OWNER, {"max_age": 60, "max_uses": 5}),
    Call(
        "POST",
        "/channels/{channel_id}/messages/{message_id}/threads",
        201,
        MEMBER,
        {"name": "about it", "auto_archive_duration": 60, "rate_limit_per_user": None},
    ),
    Call("POST", "/channels/{channel_id}/threads", 201, MEMBER, {"name": "quiet", "type": 12, "invitable": False}),
    Call("PUT", "/channels/{other_channel_id}/thread-members/@me", 204, MEMBER),
    Call("PUT", "/channels/{other_channel_id}/thread-members/{user_id}", 204),
    Call("GET", "/channels/{other_channel_id}/thread-members/{user_id}", 200, OWNER, query={"with_member": "true"}),
    Call("GET", "/channels/{other_channel_id}/thread-members", 200, BOT, query={"with_member": "true", "limit": "100"}),
    Call("DELETE", "/channels/{other_channel_id}/thread-members/{user_id}", 204),
    Call("DELETE", "/channels/{other_channel_id}/thread-members/@me", 204),
    Call("GET", "/guilds/{guild_id}/threads/active", 200, MEMBER),
    Call(
        "GET",
        "/channels/{channel_id}/threads/archived/public",
        200,
        MEMBER,
        query={"before": "2100-01-01T00:00:00+00:00"},
    ),
    Call("GET", "/channels/{channel_id}/threads/archived/private", 200),
    Call("GET", "/channels/{channel_id}/users/@me/threads/archived/private", 200),
    Call("POST", "/channels/{channel_id}/typing", 204, MEMBER),
    Call(
        "POST",
        "/channels/{channel_id}/messages",
        200,
        MEMBER,
        {
            "content": "<@{owner_id}> hello",
            "embeds": [EMBED],
            "nonce": "1",
            "message_reference": {"message_id": "{message_id}"},
        },
    ),
    Call("POST", "/channels/{channel_id}/messages", 200, BOT, {"content": "choose", "components": ROWS}),
    Call("POST", "/channels/{channel_id}/messages", 200, BOT, {"components": LAYOUT, "flags": 1 << 15}),
    Call(
        "POST",
        "/channels/{channel_id}/messages",
        200,
        MEMBER,
        {"message_reference": {"type": 1, "message_id": "{message_id}", "channel_id": "{channel_id}"}},
    ),
    Call(
        "POST",
        "/channels/{channel_id}/messages",
        200,
        MEMBER,
        {"content": "a picture and a text"},
        files={"files[0]": still(), "files[1]": b"text"},
    ),
    Call(
        "POST", "/attachments/refresh-urls", 200, MEMBER, {"attachment_urls": ["https://chat.test/attachments/1/2/x"]}
    ),
    Call("GET", "/channels/{channel_id}/messages", 200, MEMBER),
    Call("GET", "/channels/{channel_id}/messages/{message_id}", 200, MEMBER),
    Call("PATCH", "/channels/{channel_id}/messages/{message_id}", 200, OWNER, {"content": "edited"}),
    Call("POST", "/channels/{channel_id}/messages/{message_id}/ack", 200, MEMBER, {"token": None, "manual": True}),
    Call(
        "POST",
        "/read-states/ack-bulk",
        204,
        MEMBER,
        {"read_states": [{"channel_id": "{channel_id}", "message_id": "{message_id}"}]},
    ),
    Call("PUT", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me", 204, MEMBER),
    Call("GET", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}", 200, MEMBER, query={"limit": "100"}),
    Call("PUT", "/channels/{channel_id}/messages/pins/{message_id}", 204),
    Call("GET", "/channels/{channel_id}/messages/pins", 200, MEMBER, query={"limit": "1"}),
    Call("GET", "/channels/{channel_id}/pins", 200, MEMBER),
    Call("GET", "/channels/{channel_id}/messages", 200, MEMBER),  # with a pin and a reaction
    Call("GET", "/guilds/{guild_id}/messages/search", 200, MEMBER, query={"has": "-poll", "limit": "5"}),
    Call("DELETE", "/channels/{channel_id}/messages/pins/{message_id}", 204),
    Call("PUT", "/channels/{channel_id}/pins/{message_id}", 204),
    Call("DELETE", "/channels/{channel_id}/pins/{message_id}", 204),
    Call("DELETE", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me", 204, MEMBER),
    Call("DELETE", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/{user_id}", 204),
    Call("DELETE", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}", 204),
    Call("DELETE", "/channels/{channel_id}/messages/{message_id}/reactions", 204),
    Call("POST", "/channels/{channel_id}/messages", 200, OWNER, {"poll": POLL}),
    Call("PUT", "/channels/{channel_id}/polls/{other_message_id}/answers/@me", 204, MEMBER, {"answer_ids": ["2"]}),
    Call(
        "GET",
        "/channels/{channel_id}/polls/{other_message_id}/answers/{answer_id}",
        200,
        MEMBER,
        query={"after": "0", "limit": "100"},
    ),
    Call("POST", "/channels/{channel_id}/polls/{other_message_id}/expire", 200),
    Call("GET", "/channels/{channel_id}/messages", 200, MEMBER),  # with polls, and the result of one
    Call("POST", "/users/@me/relationships", 204, MEMBER, {"username": "owner"}),
    Call("PUT", "/users/@me/relationships/{user_id}", 204, OWNER, {}),
    Call("GET", "/users/@me/relationships", 200),
    Call("DELETE", "/users/@me/relationships/{user_id}", 204),
    Call("GET", "/users/@me/mentions", 200, OWNER, query={"limit": "5", "roles": "false", "guild_id": "{guild_id}"}),
    Call("POST", "/channels/{news_id}/followers", 200, OWNER, {"webhook_channel_id": "{channel_id}"}),
    Call("POST", "/channels/{news_id}/messages/{news_message_id}/crosspost", 200),
    Call("GET", "/channels/{channel_id}/messages", 200, OWNER, query={"limit": "2"}),  # the copy and the notice
    Call("POST", "/channels/{channel_id}/webhooks", 200, OWNER, {"name": "Ticker", "avatar": IMAGE}),
    Call("GET", "/channels/{channel_id}/webhooks", 200),
    Call("GET", "/guilds/{guild_id}/webhooks", 200),
    Call("GET", "/webhooks/{webhook_id}", 200),
    Call("GET", "/webhooks/{webhook_id}/{webhook_token}", 200, NOBODY),
    Call("PATCH", "/webhooks/{webhook_id}", 200, OWNER, {"avatar": IMAGE, "channel_id": "{news_id}"}),
    Call("PATCH", "/webhooks/{webhook_id}/{webhook_token}", 200, NOBODY, {"name": "Renamed"}),
    Call(
        "POST",
        "/webhooks/{webhook_id}/{webhook_token}",
        200,
        NOBODY,
        {"content": "hello", "embeds": [EMBED], "username": "Masked", "avatar_url": "https://chat.test/face.png"},
        {"wait": "true", "with_components": "true"},
    ),
    Call("POST", "/webhooks/{webhook_id}/{webhook_token}", 204, NOBODY, {"content": "hello"}),
    Call("POST", "/webhooks/{webhook_id}/{webhook_token}/slack", 200, NOBODY, {"text": "hello"}),
    Call("POST", "/webhooks/{webhook_id}/{webhook_token}/github", 204, NOBODY, {"zen": "Keep it logically awesome."}),
    Call("PATCH", "/webhooks/{webhook_id}", 200, OWNER, {"channel_id": "{channel_id}"}),
    Call("GET", "/webhooks/{webhook_id}/{webhook_token}/messages/{webhook_message_id}", 200, NOBODY),
    Call(
        "PATCH",
        "/webhooks/{webhook_id}/{webhook_token}/messages/{webhook_message_id}",
        200,
        NOBODY,
        {"content": "edited"},
    ),
    Call("DELETE", "/webhooks/{webhook_id}/{webhook_token}/messages/{webhook_message_id}", 204, NOBODY),
    Call("DELETE", "/webhooks/{webhook_id}", 204),
    Call("DELETE", "/webhooks/{other_webhook_id}/{other_webhook_token}", 204, NOBODY),
    Call("GET", "/guilds/{guild_id}/audit-logs", 200, OWNER, query={"action_type": "50"}),
    Call("DELETE", "/channels/{channel_id}/messages/{message_id}", 204),
    Call(
        "POST",
        "/channels/{channel_id}/messages/bulk-delete",
        204,
        OWNER,
        {"messages": ["{message_id}", "{other_message_id}"]},
    ),
    Call("GET", "/invites/{code}", 200, NOBODY, query={"with_counts": "true"}),
    Call("POST", "/invites/{code}", 200, "stranger"),
    Call("DELETE", "/users/@me/guilds/{guild_id}", 204, "stranger"),
    Call("DELETE", "/invites/{code}", 200),
    Call("DELETE", "/channels/{channel_id}", 200),
    Call("DELETE", "/guilds/{guild_id}/members/{user_id}", 204),
)


class Setting(NamedTuple):
    """A guild with an owner, a member and a bot; a stranger; and the ids of what is there, by the names of paths."""

    clients: dict[str, Any]
    ids: dict[str, str]

    async def make(self, call: Call) -> Answer:
        path = call.template.format_map(self.ids)
        payload = _fill(call.payload, self.ids)
        if call.files:
            return await self.clients[call.who].upload(path, payload, call.files)
        return await self.clients[call.who].request(call.method, path, payload, **_fill(call.query, self.ids))


async def setting(world: World) -> Setting:
    owner, member, stranger = await world.person("owner"), await world.person(), await world.person()
    leaver, refresher = await world.person(), await world.person()
    guild = await world.guild(owner, member)
    bot, other_bot = await world.bot(owner, guild), await world.bot(owner)
    message, other_message = await owner.say(guild.general), await owner.say(guild.general, poll=POLL)
    role = (await owner.post(f"/guilds/{guild.id}/roles", {})).ok(200)
    rule = (await owner.post(f"/guilds/{guild.id}/auto-moderation/rules", RULE)).ok(200)
    archived: list[str] = []
    for kind in (11, 11, 12):
        made = (await owner.post(f"/channels/{guild.general}/threads", {"name": "thread", "type": kind})).ok(201)
        archived.append(made["id"])
    thread_id, *others = archived
    for other in others:
        (await owner.patch(f"/channels/{other}", {"archived": True})).ok(200)
    invite = (await owner.post(f"/channels/{guild.general}/invites", {"unique": True})).ok()
    event = (await owner.post(f"/guilds/{guild.id}/scheduled-events", EVENT)).ok(200)
    template = (await owner.post(f"/guilds/{guild.id}/templates", {"name": "Rooms"})).ok(200)
    emoji = (await owner.post(f"/guilds/{guild.id}/emojis", {"name": "smile", "image": IMAGE})).ok(201)
    application_emoji = (await bot.post(f"/applications/{bot.id}/emojis", {"name": "frown", "image": IMAGE})).ok(201)
    sticker = (await owner.upload(f"/guilds/{guild.id}/stickers", STICKER, {"file": still()})).ok(201)
    news_id = await world.channel(owner, guild, "news", type=5)
    webhook, other_webhook = [
        (await owner.post(f"/channels/{guild.general}/webhooks", {"name": "Ticker"})).ok(200) for _ in range(2)
    ]
    posted = await world.anybody.post(
        f"/webhooks/{webhook['id']}/{webhook['token']}", {"content": "hello"}, wait="true"
    )
    clients = {OWNER: owner, MEMBER: member, BOT: bot, NOBODY: world.anybody, "stranger": stranger, "leaver": leaver}
    ids = {
        "owner_id": owner.id,
        "user_id": member.id,
        "guild_id": guild.id,
        "other_guild_id": (await world.guild(owner)).id,
        "integration_id": other_bot.id,
        "channel_id": guild.general,
        "overwrite_id": owner.id,
        "role_id": role["id"],
        "rule_id": rule["id"],
        "emoji_id": emoji["id"],
        "application_emoji_id": application_emoji["id"],
        "sticker_id": sticker["id"],
        "category_id": next(channel["id"] for channel in guild.channels if channel["type"] == 4),
        "stage_id": await world.channel(owner, guild, "stage", type=13),
        "bot_id": bot.id,
        "banned_id": leaver.id,
        "message_id": message["id"],
        "other_message_id": other_message["id"],
        "answer_id": "2",
        "emoji": quote("👍"),
        "other_channel_id": thread_id,
        "application_id": bot.id,
        "other_application_id": other_bot.id,
        "event_id": event["id"],
        "news_id": news_id,
        "news_message_id": (await owner.say(news_id))["id"],
        "webhook_id": webhook["id"],
        "webhook_token": webhook["token"],
        "webhook_message_id": posted.ok(200)["id"],
        "other_webhook_id": other_webhook["id"],
        "other_webhook_token": other_webhook["token"],
        "code": invite["code"],
        "other_code": template["code"],
        "refresh_token": refresher.pair["refresh_token"],
    }
    return Setting(clients, ids)


async def answers(world: World) -> AsyncIterator[tuple[Call, Answer]]:
    """Every call with its answer. The bot is in voice."""
    where = await setting(world)
    async with gateway(world.url, where.clients[BOT].token) as it:
        await it.send(4, {"guild_id": where.ids["guild_id"], "channel_id": where.ids["stage_id"]})
        await it.next("VOICE_SERVER_UPDATE")
        for call in CALLS:
            yield call, await where.make(call)


def _fill(value: Json, ids: dict[str, str]) -> Json:
    if isinstance(value, str):
        return value.format_map(ids)
    if isinstance(value, dict):
        return {key: _fill(item, ids) for key, item in value.items()}
    return [_fill(item, ids) for item in value] if isinstance(value, list) else value
