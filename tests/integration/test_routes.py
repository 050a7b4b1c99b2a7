"""The whole table of routes: each succeeds once, and each refuses whom it must."""

from typing import Any

import pytest

from chatd.rest.table import ROUTES
from tests.support.calls import BOT, CALLS, MEMBER, NOBODY, OWNER, Call, answers, setting
from tests.support.client import Client
from tests.support.world import World

OPERATIONS = {f"{route.method} {route.template}" for route in ROUTES}
OPEN = {f"{route.method} {route.template}" for route in ROUTES if not route.needs_token}

UNKNOWN_APPLICATION = (404, 10002)
UNKNOWN_CHANNEL = (404, 10003)
UNKNOWN_GUILD = (404, 10004)
UNKNOWN_INVITE = (404, 10006)
UNKNOWN_ROLE = (404, 10011)
UNKNOWN_BAN = (404, 10026)
UNKNOWN_MEMBER = (404, 10007)
UNKNOWN_MESSAGE = (404, 10008)
UNKNOWN_USER = (404, 10013)
UNKNOWN_EMOJI = (404, 10014)
UNKNOWN_WEBHOOK = (404, 10015)
UNKNOWN_TEMPLATE = (404, 10057)
UNKNOWN_VOICE_STATE = (404, 10065)
UNKNOWN_SCHEDULED_EVENT = (404, 10070)
UNKNOWN_EMOJI = (404, 10014)
UNKNOWN_STICKER = (404, 10060)
NO_BOTS = (403, 20001)
ONLY_BOTS = (403, 20002)
NOT_YOUR_APPLICATION = (403, 20012)
WRONG_TOKEN = (401, 50027)
NO_ACCESS = (403, 50001)
NOT_YOURS = (403, 50005)
NO_PERMISSION = (403, 50013)

NO_ID = "1"


async def test_every_route_succeeds(world: World) -> None:
    seen = set()
    async for call, answer in answers(world):
        where = f"{call.operation}: {answer.status} {answer.content!r}"
        assert answer.status == call.status, where
        assert answer.headers["X-Request-Id"], where
        if answer.status == 204:
            assert (answer.content, answer.headers.all("Content-Type")) == (b"", []), where
        else:
            assert answer.headers["Content-Type"] == "application/json", where
        seen.add(call.route)
    assert seen == OPERATIONS


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x", "Bot x", "x", "Basic eA==", "Bearer \xe9"])
async def test_closed_routes_need_a_token(anybody: Client, authorization: str | None) -> None:
    guest = anybody.with_token(authorization)
    async with guest:
        for call in CALLS:
            operation = call.route
            if operation not in OPEN:
                path = call.template.replace("{", "").replace("}", "")
                answer = await guest.request(call.method, path, call.payload)
                assert answer.error == (401, 0), operation
                assert answer.json == {"message": "401: Unauthorized", "code": 0}


# Who gets what instead of the success. Ids that are not in the setting are given in `ids`.
REFUSALS: list[tuple[str, str, dict[str, str], tuple[int, int]]] = [
    ("POST /auth/logout", BOT, {}, NO_BOTS),
    ("GET /oauth2/applications/@me", OWNER, {}, ONLY_BOTS),
    ("GET /applications/@me", OWNER, {}, ONLY_BOTS),
    ("PATCH /applications/@me", OWNER, {}, ONLY_BOTS),
    ("POST /applications", BOT, {}, NO_BOTS),
    ("GET /applications/{application_id}", MEMBER, {}, NOT_YOUR_APPLICATION),
    ("GET /applications/{application_id}", OWNER, {"application_id": NO_ID}, UNKNOWN_APPLICATION),
    ("PATCH /applications/{application_id}", MEMBER, {}, NOT_YOUR_APPLICATION),
    ("PATCH /applications/{application_id}", OWNER, {"application_id": NO_ID}, UNKNOWN_APPLICATION),
    ("POST /applications/{other_application_id}/bot/reset", MEMBER, {}, NOT_YOUR_APPLICATION),
    ("POST /applications/{other_application_id}/bot/reset", BOT, {}, NO_BOTS),
    (
        "POST /applications/{other_application_id}/bot/reset",
        OWNER,
        {"other_application_id": NO_ID},
        UNKNOWN_APPLICATION,
    ),
    ("POST /oauth2/authorize", BOT, {}, NO_BOTS),
    ("POST /oauth2/authorize", MEMBER, {}, NO_PERMISSION),
    ("POST /oauth2/authorize", "stranger", {}, UNKNOWN_GUILD),
    ("POST /oauth2/authorize", OWNER, {"guild_id": NO_ID}, UNKNOWN_GUILD),
    ("POST /oauth2/authorize", OWNER, {"other_application_id": NO_ID}, UNKNOWN_APPLICATION),
    ("GET /users/{user_id}", OWNER, {"user_id": NO_ID}, UNKNOWN_USER),
    ("POST /users/@me/channels", OWNER, {"user_id": NO_ID}, UNKNOWN_USER),
    ("GET /guilds/{guild_id}", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}", OWNER, {"guild_id": NO_ID}, UNKNOWN_GUILD),
    ("GET /users/@me/guilds/{guild_id}/member", "stranger", {}, UNKNOWN_GUILD),
    ("DELETE /users/@me/guilds/{guild_id}", OWNER, {}, (400, 50055)),
    ("DELETE /users/@me/guilds/{guild_id}", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/preview", "stranger", {}, UNKNOWN_GUILD),
    ("DELETE /guilds/{other_guild_id}", MEMBER, {}, UNKNOWN_GUILD),
    *(
        (f"{method} /guilds/{{guild_id}}{rest}", who, {}, error)
        for method, rest in (
            ("PATCH", ""),
            ("GET", "/prune"),
            ("POST", "/prune"),
            ("GET", "/integrations"),
            ("DELETE", "/integrations/{integration_id}"),
            ("GET", "/widget"),
            ("PATCH", "/widget"),
            ("GET", "/vanity-url"),
            ("PATCH", "/vanity-url"),
            ("GET", "/welcome-screen"),
            ("PATCH", "/welcome-screen"),
            ("GET", "/templates"),
            ("POST", "/templates"),
            ("PUT", "/templates/{other_code}"),
            ("PATCH", "/templates/{other_code}"),
            ("DELETE", "/templates/{other_code}"),
        )
        for who, error in (("stranger", UNKNOWN_GUILD), (MEMBER, NO_PERMISSION))
    ),
    ("DELETE /guilds/{guild_id}/integrations/{integration_id}", OWNER, {"integration_id": NO_ID}, (404, 10005)),
    ("GET /guilds/{guild_id}/widget.json", NOBODY, {}, (403, 50004)),
    ("GET /guilds/{guild_id}/widget.json", NOBODY, {"guild_id": NO_ID}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/welcome-screen", OWNER, {}, (404, 10069)),
    ("POST /guilds/{guild_id}/templates", OWNER, {}, (400, 30031)),
    *(
        (f"{operation}/{{other_code}}", OWNER, {"other_code": "nothing"}, UNKNOWN_TEMPLATE)
        for operation in (
            "GET /guilds/templates",
            "POST /guilds/templates",
            "PUT /guilds/{guild_id}/templates",
            "PATCH /guilds/{guild_id}/templates",
            "DELETE /guilds/{guild_id}/templates",
        )
    ),
    ("GET /guilds/{guild_id}/channels", "stranger", {}, UNKNOWN_GUILD),
    ("POST /guilds/{guild_id}/channels", "stranger", {}, UNKNOWN_GUILD),
    ("POST /guilds/{guild_id}/channels", MEMBER, {}, NO_PERMISSION),
    ("PATCH /guilds/{guild_id}/channels", "stranger", {}, UNKNOWN_GUILD),
    ("PATCH /guilds/{guild_id}/channels", MEMBER, {}, NO_PERMISSION),
    ("GET /guilds/{guild_id}/members", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/members/@me/permissions/explain", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/members/search", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/messages/search", "stranger", {}, UNKNOWN_GUILD),
    ("PATCH /guilds/{guild_id}/members/@me", "stranger", {}, UNKNOWN_GUILD),
    ("PATCH /guilds/{guild_id}/members/@me/nick", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/members/{user_id}", "stranger", {}, UNKNOWN_GUILD),
    ("PATCH /guilds/{guild_id}/members/{user_id}", BOT, {}, NO_PERMISSION),
    ("PATCH /guilds/{guild_id}/members/{user_id}", OWNER, {"user_id": NO_ID}, UNKNOWN_MEMBER),
    ("DELETE /guilds/{guild_id}/members/{user_id}", BOT, {}, NO_PERMISSION),
    ("DELETE /guilds/{guild_id}/members/{user_id}", OWNER, {"user_id": NO_ID}, UNKNOWN_MEMBER),
    *(
        (f"{method} /guilds/{{guild_id}}/members/{{user_id}}/roles/{{role_id}}", who, ids, error)
        for method in ("PUT", "DELETE")
        for who, ids, error in (
            (MEMBER, {}, NO_PERMISSION),
            (OWNER, {"user_id": NO_ID}, UNKNOWN_MEMBER),
            (OWNER, {"role_id": NO_ID}, UNKNOWN_ROLE),
        )
    ),
    ("GET /guilds/{guild_id}/bans", MEMBER, {}, NO_PERMISSION),
    ("GET /guilds/{guild_id}/bans/{banned_id}", MEMBER, {}, NO_PERMISSION),
    ("GET /guilds/{guild_id}/bans/{banned_id}", OWNER, {}, UNKNOWN_BAN),
    ("PUT /guilds/{guild_id}/bans/{banned_id}", MEMBER, {}, NO_PERMISSION),
    ("PUT /guilds/{guild_id}/bans/{banned_id}", OWNER, {"banned_id": NO_ID}, UNKNOWN_USER),
    ("DELETE /guilds/{guild_id}/bans/{banned_id}", MEMBER, {}, NO_PERMISSION),
    ("DELETE /guilds/{guild_id}/bans/{banned_id}", OWNER, {}, UNKNOWN_BAN),
    ("POST /guilds/{guild_id}/bulk-ban", MEMBER, {}, NO_PERMISSION),
    ("POST /guilds/{guild_id}/bulk-ban", OWNER, {"banned_id": NO_ID}, (400, 500000)),
    ("GET /guilds/{guild_id}/members/{user_id}", OWNER, {"user_id": NO_ID}, UNKNOWN_MEMBER),
    ("GET /guilds/{guild_id}/roles", "stranger", {}, UNKNOWN_GUILD),
    ("POST /guilds/{guild_id}/roles", MEMBER, {}, NO_PERMISSION),
    ("POST /guilds/{guild_id}/roles", "stranger", {}, UNKNOWN_GUILD),
    ("PATCH /guilds/{guild_id}/roles", MEMBER, {}, NO_PERMISSION),
    ("PATCH /guilds/{guild_id}/roles", OWNER, {"role_id": NO_ID}, UNKNOWN_ROLE),
    ("GET /guilds/{guild_id}/roles/member-counts", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/roles/{role_id}", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/roles/{role_id}", OWNER, {"role_id": NO_ID}, UNKNOWN_ROLE),
    ("PATCH /guilds/{guild_id}/roles/{role_id}", MEMBER, {}, NO_PERMISSION),
    ("PATCH /guilds/{guild_id}/roles/{role_id}", OWNER, {"role_id": NO_ID}, UNKNOWN_ROLE),
    ("DELETE /guilds/{guild_id}/roles/{role_id}", MEMBER, {}, NO_PERMISSION),
    ("DELETE /guilds/{guild_id}/roles/{role_id}", OWNER, {"role_id": NO_ID}, UNKNOWN_ROLE),
    ("GET /guilds/{guild_id}/audit-logs", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/audit-logs", MEMBER, {}, NO_PERMISSION),
    *(
        (f"{method} /guilds/{{guild_id}}/auto-moderation/rules{rest}", who, {}, error)
        for method, rest in (
            ("GET", ""),
            ("POST", ""),
            ("GET", "/{rule_id}"),
            ("PATCH", "/{rule_id}"),
            ("DELETE", "/{rule_id}"),
        )
        for who, error in (("stranger", UNKNOWN_GUILD), (MEMBER, NO_PERMISSION))
    ),
    *(
        (f"{method} /guilds/{{guild_id}}/auto-moderation/rules/{{rule_id}}", OWNER, {"rule_id": NO_ID}, (404, 0))
        for method in ("GET", "PATCH", "DELETE")
    ),
    ("GET /guilds/{guild_id}/regions", "stranger", {}, UNKNOWN_GUILD),
    *(
        refusal
        for thing, unknown in (("emoji", UNKNOWN_EMOJI), ("sticker", UNKNOWN_STICKER))
        for refusal in (
            (f"GET /guilds/{{guild_id}}/{thing}s", "stranger", {}, UNKNOWN_GUILD),
            (f"POST /guilds/{{guild_id}}/{thing}s", "stranger", {}, UNKNOWN_GUILD),
            *(
                (f"{method} /guilds/{{guild_id}}/{thing}s/{{{thing}_id}}", who, ids, error)
                for method in ("GET", "PATCH", "DELETE")
                for who, ids, error in (
                    ("stranger", {}, UNKNOWN_GUILD),
                    (OWNER, {f"{thing}_id": NO_ID}, unknown),
                    (MEMBER, {}, NO_PERMISSION),
                )
                if (method, who) != ("GET", MEMBER)
            ),
        )
    ),
    *(
        (f"{operation} /applications/{{application_id}}/emojis{one}", who, ids, error)
        for operation, one in (
            ("GET", ""),
            ("POST", ""),
            *((method, "/{application_emoji_id}") for method in ("GET", "PATCH", "DELETE")),
        )
        for who, ids, error in (
            (MEMBER, {}, NOT_YOUR_APPLICATION),
            (OWNER, {"application_id": NO_ID}, UNKNOWN_APPLICATION),
            (OWNER, {"application_emoji_id": NO_ID}, UNKNOWN_EMOJI),
        )
        if one or error != UNKNOWN_EMOJI
    ),
    ("GET /stickers/{sticker_id}", OWNER, {"sticker_id": NO_ID}, UNKNOWN_STICKER),
    ("GET /sticker-packs/{sticker_id}", OWNER, {}, (404, 10061)),
    *(
        (f"{method} /guilds/{{guild_id}}/voice-states/{whose}", who, {}, error)
        for method in ("GET", "PATCH")
        for whose in ("@me", "{bot_id}")
        for who, error in (("stranger", UNKNOWN_GUILD), (OWNER, UNKNOWN_VOICE_STATE))
    ),
    ("GET /guilds/{guild_id}/scheduled-events", "stranger", {}, UNKNOWN_GUILD),
    ("POST /guilds/{guild_id}/scheduled-events", "stranger", {}, UNKNOWN_GUILD),
    ("PATCH /guilds/{guild_id}/scheduled-events/{event_id}", MEMBER, {}, NO_PERMISSION),
    ("DELETE /guilds/{guild_id}/scheduled-events/{event_id}", MEMBER, {}, NO_PERMISSION),
    *(
        (f"{method} /guilds/{{guild_id}}/scheduled-events/{{event_id}}{rest}", who, ids, error)
        for rest, methods in (
            ("", ("GET", "PATCH", "DELETE")),
            ("/users", ("GET",)),
            ("/users/@me", ("PUT", "DELETE")),
        )
        for method in methods
        for who, ids, error in (
            ("stranger", {}, UNKNOWN_GUILD),
            (OWNER, {"event_id": NO_ID}, UNKNOWN_SCHEDULED_EVENT),
        )
    ),
    ("PUT /guilds/{guild_id}/scheduled-events/{event_id}/users/@me", BOT, {}, NO_BOTS),
    ("DELETE /guilds/{guild_id}/scheduled-events/{event_id}/users/@me", BOT, {}, NO_BOTS),
    ("GET /channels/{channel_id}", "stranger", {}, NO_ACCESS),
    ("GET /channels/{channel_id}", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("PATCH /channels/{channel_id}", "stranger", {}, NO_ACCESS),
    ("PATCH /channels/{channel_id}", MEMBER, {}, NO_PERMISSION),
    ("PATCH /channels/{channel_id}", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("DELETE /channels/{channel_id}", "stranger", {}, NO_ACCESS),
    ("DELETE /channels/{channel_id}", MEMBER, {}, NO_PERMISSION),
    ("DELETE /channels/{channel_id}", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("PUT /channels/{channel_id}/permissions/{overwrite_id}", MEMBER, {}, NO_PERMISSION),
    ("PUT /channels/{channel_id}/permissions/{overwrite_id}", "stranger", {}, NO_ACCESS),
    ("DELETE /channels/{channel_id}/permissions/{overwrite_id}", MEMBER, {}, NO_PERMISSION),
    ("DELETE /channels/{channel_id}/permissions/{overwrite_id}", OWNER, {"overwrite_id": NO_ID}, (404, 10009)),
    ("GET /channels/{channel_id}/invites", MEMBER, {}, NO_PERMISSION),
    ("GET /channels/{channel_id}/invites", "stranger", {}, NO_ACCESS),
    ("GET /guilds/{guild_id}/invites", MEMBER, {}, NO_PERMISSION),
    ("GET /guilds/{guild_id}/invites", "stranger", {}, UNKNOWN_GUILD),
    ("DELETE /invites/{code}", MEMBER, {}, NO_PERMISSION),
    ("DELETE /invites/{code}", OWNER, {"code": "nothing"}, UNKNOWN_INVITE),
    ("POST /channels/{channel_id}/invites", "stranger", {}, NO_ACCESS),
    ("POST /channels/{channel_id}/invites", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("POST /channels/{channel_id}/messages/{message_id}/threads", "stranger", {}, NO_ACCESS),
    ("POST /channels/{channel_id}/messages/{message_id}/threads", OWNER, {"message_id": NO_ID}, UNKNOWN_MESSAGE),
    ("POST /channels/{channel_id}/threads", "stranger", {}, NO_ACCESS),
    ("POST /channels/{channel_id}/threads", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("PUT /channels/{other_channel_id}/thread-members/@me", "stranger", {}, NO_ACCESS),
    ("PUT /channels/{other_channel_id}/thread-members/{user_id}", "stranger", {}, NO_ACCESS),
    ("PUT /channels/{other_channel_id}/thread-members/{user_id}", OWNER, {"user_id": NO_ID}, UNKNOWN_MEMBER),
    ("GET /channels/{other_channel_id}/thread-members/{user_id}", "stranger", {}, NO_ACCESS),
    ("GET /channels/{other_channel_id}/thread-members/{user_id}", OWNER, {"user_id": NO_ID}, UNKNOWN_MEMBER),
    ("GET /channels/{other_channel_id}/thread-members", "stranger", {}, NO_ACCESS),
    ("DELETE /channels/{other_channel_id}/thread-members/{user_id}", MEMBER, {}, NO_PERMISSION),
    ("DELETE /channels/{other_channel_id}/thread-members/{user_id}", OWNER, {"user_id": NO_ID}, UNKNOWN_MEMBER),
    ("DELETE /channels/{other_channel_id}/thread-members/@me", "stranger", {}, NO_ACCESS),
    ("GET /guilds/{guild_id}/threads/active", "stranger", {}, UNKNOWN_GUILD),
    ("GET /channels/{channel_id}/threads/archived/public", "stranger", {}, NO_ACCESS),
    ("GET /channels/{channel_id}/threads/archived/private", MEMBER, {}, NO_PERMISSION),
    ("GET /channels/{channel_id}/users/@me/threads/archived/private", "stranger", {}, NO_ACCESS),
    ("POST /channels/{channel_id}/typing", "stranger", {}, NO_ACCESS),
    ("POST /channels/{channel_id}/typing", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("GET /channels/{channel_id}/messages", "stranger", {}, NO_ACCESS),
    ("GET /channels/{channel_id}/messages", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("POST /channels/{channel_id}/messages", "stranger", {}, NO_ACCESS),
    ("POST /channels/{channel_id}/messages", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("GET /channels/{channel_id}/messages/{message_id}", "stranger", {}, NO_ACCESS),
    ("GET /channels/{channel_id}/messages/{message_id}", OWNER, {"message_id": NO_ID}, UNKNOWN_MESSAGE),
    ("PATCH /channels/{channel_id}/messages/{message_id}", "stranger", {}, NO_ACCESS),
    ("PATCH /channels/{channel_id}/messages/{message_id}", MEMBER, {}, NOT_YOURS),
    ("PATCH /channels/{channel_id}/messages/{message_id}", OWNER, {"message_id": NO_ID}, UNKNOWN_MESSAGE),
    ("DELETE /channels/{channel_id}/messages/{message_id}", "stranger", {}, NO_ACCESS),
    ("DELETE /channels/{channel_id}/messages/{message_id}", MEMBER, {}, NO_PERMISSION),
    ("DELETE /channels/{channel_id}/messages/{message_id}", OWNER, {"message_id": NO_ID}, UNKNOWN_MESSAGE),
    *(
        (f"{method} /channels/{{channel_id}}/messages/{{message_id}}/reactions{rest}", who, ids, error)
        for rest, methods in (
            ("/{emoji}/@me", ("PUT", "DELETE")),
            ("/{emoji}/{user_id}", ("DELETE",)),
            ("/{emoji}", ("GET", "DELETE")),
            ("", ("DELETE",)),
        )
        for method in methods
        for who, ids, error in (
            ("stranger", {}, NO_ACCESS),
            (OWNER, {"message_id": NO_ID}, UNKNOWN_MESSAGE),
            *(((OWNER, {"emoji": "x"}, UNKNOWN_EMOJI),) if rest else ()),
            *(((BOT, {}, NO_PERMISSION),) if method == "DELETE" and not rest.endswith("@me") else ()),
        )
    ),
    *(
        (f"{method} /channels/{{channel_id}}/webhooks", who, ids, error)
        for method in ("GET", "POST")
        for who, ids, error in (
            ("stranger", {}, NO_ACCESS),
            (MEMBER, {}, NO_PERMISSION),
            (OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
        )
    ),
    ("GET /guilds/{guild_id}/webhooks", "stranger", {}, UNKNOWN_GUILD),
    ("GET /guilds/{guild_id}/webhooks", MEMBER, {}, NO_PERMISSION),
    *(
        (f"{method} /webhooks/{{webhook_id}}", who, ids, error)
        for method in ("GET", "PATCH", "DELETE")
        for who, ids, error in (
            ("stranger", {}, NO_ACCESS),
            (MEMBER, {}, NO_PERMISSION),
            (OWNER, {"webhook_id": NO_ID}, UNKNOWN_WEBHOOK),
        )
    ),
    *(
        (f"{operation.replace(' ', ' /webhooks/{webhook_id}/{webhook_token}')}", NOBODY, ids, error)
        for operation in (
            "GET ",
            "PATCH ",
            "POST ",
            "POST /slack",
            "POST /github",
            *(f"{method} /messages/{{webhook_message_id}}" for method in ("GET", "PATCH", "DELETE")),
        )
        for ids, error in (
            ({"webhook_id": NO_ID}, UNKNOWN_WEBHOOK),
            ({"webhook_token": "x"}, WRONG_TOKEN),
            *((({"webhook_message_id": NO_ID}, UNKNOWN_MESSAGE),) if "message" in operation else ()),
        )
    ),
    ("DELETE /webhooks/{other_webhook_id}/{other_webhook_token}", NOBODY, {"other_webhook_token": "x"}, WRONG_TOKEN),
    ("POST /channels/{news_id}/followers", "stranger", {}, NO_ACCESS),
    ("POST /channels/{news_id}/followers", MEMBER, {}, NO_PERMISSION),
    ("POST /channels/{news_id}/followers", OWNER, {"news_id": NO_ID}, UNKNOWN_CHANNEL),
    ("POST /channels/{news_id}/messages/{news_message_id}/crosspost", "stranger", {}, NO_ACCESS),
    ("POST /channels/{news_id}/messages/{news_message_id}/crosspost", MEMBER, {}, NO_PERMISSION),
    (
        "POST /channels/{news_id}/messages/{news_message_id}/crosspost",
        OWNER,
        {"news_message_id": NO_ID},
        UNKNOWN_MESSAGE,
    ),
    ("POST /channels/{channel_id}/messages/bulk-delete", "stranger", {}, NO_ACCESS),
    ("POST /channels/{channel_id}/messages/bulk-delete", MEMBER, {}, NO_PERMISSION),
    ("POST /channels/{channel_id}/messages/bulk-delete", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    *(
        (f"{method} /channels/{{channel_id}}{pins}/{{message_id}}", who, ids, error)
        for pins in ("/pins", "/messages/pins")
        for method in ("PUT", "DELETE")
        for who, ids, error in (
            ("stranger", {}, NO_ACCESS),
            (BOT, {}, NO_PERMISSION),
            (OWNER, {"message_id": NO_ID}, UNKNOWN_MESSAGE),
        )
    ),
    ("GET /channels/{channel_id}/pins", "stranger", {}, NO_ACCESS),
    ("GET /channels/{channel_id}/messages/pins", "stranger", {}, NO_ACCESS),
    *(
        (f"{operation} /channels/{{channel_id}}/polls/{{other_message_id}}/{rest}", who, ids, error)
        for operation, rest in (("GET", "answers/{answer_id}"), ("PUT", "answers/@me"), ("POST", "expire"))
        for who, ids, error in (
            ("stranger", {}, NO_ACCESS),
            (OWNER, {"other_message_id": NO_ID}, UNKNOWN_MESSAGE),
        )
    ),
    ("GET /channels/{channel_id}/polls/{other_message_id}/answers/{answer_id}", OWNER, {"answer_id": "9"}, (404, 0)),
    ("PUT /channels/{channel_id}/polls/{other_message_id}/answers/@me", BOT, {}, NO_BOTS),
    ("POST /channels/{channel_id}/polls/{other_message_id}/expire", MEMBER, {}, NOT_YOURS),
    ("POST /channels/{channel_id}/messages/{message_id}/ack", BOT, {}, NO_BOTS),
    ("POST /channels/{channel_id}/messages/{message_id}/ack", "stranger", {}, NO_ACCESS),
    ("POST /channels/{channel_id}/messages/{message_id}/ack", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("POST /read-states/ack-bulk", BOT, {}, NO_BOTS),
    ("POST /read-states/ack-bulk", "stranger", {}, NO_ACCESS),
    ("POST /read-states/ack-bulk", OWNER, {"channel_id": NO_ID}, UNKNOWN_CHANNEL),
    ("GET /users/@me/mentions", BOT, {}, NO_BOTS),
    ("GET /users/@me/relationships", BOT, {}, NO_BOTS),
    ("POST /users/@me/relationships", BOT, {}, NO_BOTS),
    ("PUT /users/@me/relationships/{user_id}", BOT, {}, NO_BOTS),
    ("PUT /users/@me/relationships/{user_id}", OWNER, {"user_id": NO_ID}, UNKNOWN_USER),
    ("DELETE /users/@me/relationships/{user_id}", BOT, {}, NO_BOTS),
    ("DELETE /users/@me/relationships/{user_id}", OWNER, {"user_id": NO_ID}, UNKNOWN_USER),
    ("GET /users/@me/mentions", "stranger", {}, UNKNOWN_GUILD),
    ("GET /users/@me/mentions", OWNER, {"guild_id": NO_ID}, UNKNOWN_GUILD),
    ("GET /invites/{code}", NOBODY, {"code": "nothing"}, UNKNOWN_INVITE),
    ("POST /invites/{code}", "stranger", {"code": "nothing"}, UNKNOWN_INVITE),
    ("POST /invites/{code}", BOT, {}, NO_BOTS),
]

# Nothing to refuse to anyone with a token.
FREE = {
    "POST /attachments/refresh-urls",
    "GET /applications",
    "GET /gateway/bot",
    "GET /users/@me",
    "PATCH /users/@me",
    "GET /users/@me/guilds",
    "GET /users/@me/channels",
    "POST /guilds",
    "GET /voice/regions",
}


async def test_routes_refuse_whom_they_must(world: World) -> None:
    where = await setting(world)
    calls: dict[str, Call] = {call.operation: call for call in CALLS}
    found: list[Any] = []
    for operation, who, ids, expected in REFUSALS:
        answer = await where._replace(ids={**where.ids, **ids}).make(calls[operation]._replace(who=who))
        if answer.error != expected:
            found.append((operation, who, ids, answer.error, "instead of", expected))
    assert not found
    refused = {calls[operation].route for operation, *_ in REFUSALS}
    assert refused | FREE | OPEN == OPERATIONS
