"""Bad requests: status, code and error tree of each, and that nothing has changed, on disk and as REST shows it."""

import json
from typing import Any, NamedTuple

from chatd.service import read_states
from tests.support.app import Server
from tests.support.calls import BOT, MEMBER, NOBODY, OWNER, Setting, setting
from tests.support.client import Answer, Json
from tests.support.dump import dumping
from tests.support.world import PASSWORD, World

MESSAGES = "POST /channels/{channel_id}/messages"
MESSAGE = "PATCH /channels/{channel_id}/messages/{message_id}"
CHANNELS = "POST /guilds/{guild_id}/channels"
CHANNEL = "PATCH /channels/{channel_id}"
INVITES = "POST /channels/{channel_id}/invites"
REGISTER = "POST /auth/register"
AUTHORIZE = "POST /oauth2/authorize"

JSON = "application/json"
FORM = "multipart/form-data; boundary=b"

# Refusals that have no tree.
NO_JSON = (400, 50109)
EMPTY = (400, 50006)
WRONG_KIND = (400, 50024)
NO_TEXT_CHANNEL = (400, 50008)
NO_VERSION = (400, 50041)
UNAUTHORIZED = (401, 0)
NOT_TO_SELF = (403, 50007)
NO_PERMISSION = (403, 50013)
NOT_FOUND = (404, 0)
UNKNOWN_CHANNEL = (404, 10003)
UNKNOWN_INVITE = (404, 10006)
UNKNOWN_USER = (404, 10013)
WRONG_METHOD = (405, 0)
TOO_LARGE = (413, 40005)

# Codes of leaves.
REQUIRED = "BASE_TYPE_REQUIRED"
TOO_LONG = "BASE_TYPE_MAX_LENGTH"
BAD_LENGTH = "BASE_TYPE_BAD_LENGTH"
NO_CHOICE = "BASE_TYPE_CHOICES"
NO_OBJECT = "MODEL_TYPE_CONVERT"
NO_LIST = "LIST_TYPE_CONVERT"
NO_STRING = "STRING_TYPE_CONVERT"
NO_BOOLEAN = "BOOLEAN_TYPE_CONVERT"
NO_NUMBER = "NUMBER_TYPE_COERCE"
TOO_SMALL = "NUMBER_TYPE_MIN"
TOO_BIG = "NUMBER_TYPE_MAX"
BAD_PARENT = "CHANNEL_PARENT_INVALID"
BAD_FORM = "MULTIPART_FORM_INVALID"
BAD_TYPE = "CONTENT_TYPE_INVALID"

WRONG_LOGIN = {"login": "INVALID_LOGIN", "password": "INVALID_LOGIN"}

Expected = tuple[int, int] | dict[str, str]


class Bad(NamedTuple):
    """`{…}` in the target stand for ids of the setting, "<…>" in the body do as well."""

    target: str
    body: Json | bytes
    expected: Expected
    who: str = OWNER
    content_type: str = JSON


def part(name: str, content: str, extra: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n{content}\r\n'.encode()


END = b"--b--\r\n"

# Bodies that are no JSON, or not the JSON of an object.
BODIES: list[tuple[bytes, Expected]] = [
    (b'{"content":', NO_JSON),
    (b"{'content': 'x'}", NO_JSON),
    (b'{"content": "x"} x', NO_JSON),
    (b'{"content": "x",}', NO_JSON),
    (b'{"content": NaN}', NO_JSON),
    (b'{"flags": 1e999, "content": "x"}', NO_JSON),
    (b'{"content": "\\ud800"}', NO_JSON),
    (b'{"content": "\xff"}', NO_JSON),
    (b'{"content": "\xed\xa0\x80"}', NO_JSON),
    (b'{"content": "\n"}', NO_JSON),
    (b'\xef\xbb\xbf{"content": "x"}', NO_JSON),
    ('{"content": "x"}'.encode("utf-16"), NO_JSON),
    (b'{"embeds":' + b"[" * 100_000 + b"]" * 100_000 + b"}", NO_JSON),
    (b'{"x":' * 100_000 + b"1" + b"}" * 100_000, NO_JSON),
    (b"[" * 100_000, NO_JSON),
    (b"\0", NO_JSON),
    (b" ", NO_JSON),
    (b"null", {"": REQUIRED}),
    (b"[]", {"": NO_OBJECT}),
    (b'"content"', {"": NO_OBJECT}),
    (b"5", {"": NO_OBJECT}),
    (b'{"content": "a\\u0000b"}', {"content": NO_STRING}),
    (b'{"content": "a", "content": 5}', {"content": NO_STRING}),
    (b'{"content": "x", "flags": 9223372036854775808}', {"flags": TOO_BIG}),
    (b'{"content": "x", "flags": -9223372036854775809}', {"flags": TOO_SMALL}),
    (b'{"content": "x", "nonce": %d}' % 10**40, {"nonce": TOO_BIG}),
    (b'{"content": "x", "flags": 1.5}', {"flags": NO_NUMBER}),
    (b"{}", EMPTY),
    (b"", EMPTY),
]

# Messages.
CONTENTS: list[tuple[Json, Expected]] = [
    ({"content": ""}, EMPTY),
    ({"content": " \n\t"}, EMPTY),
    ({"content": None, "embeds": []}, EMPTY),
    ({"content": 5}, {"content": NO_STRING}),
    ({"content": {"text": "x"}}, {"content": NO_STRING}),
    ({"content": "x" * 2001}, {"content": TOO_LONG}),
    ({"content": "x", "tts": "yes"}, {"tts": NO_BOOLEAN}),
    ({"content": "x", "flags": True}, {"flags": NO_NUMBER}),
    ({"content": "x", "nonce": "x" * 26}, {"nonce": TOO_LONG}),
    ({"content": "x", "nonce": ["x"]}, {"nonce": NO_STRING}),
    ({"content": "x", "enforce_nonce": 1}, {"enforce_nonce": NO_BOOLEAN}),
    ({"embeds": {}}, {"embeds": NO_LIST}),
    ({"embeds": [5]}, {"embeds.0": NO_OBJECT}),
    ({"embeds": [None]}, {"embeds.0": REQUIRED}),
    ({"embeds": [{}]}, {"embeds.0.description": REQUIRED}),
    ({"embeds": [{"title": "x"}] * 11}, {"embeds": TOO_LONG}),
    ({"embeds": [{"title": "x" * 257}]}, {"embeds.0.title": TOO_LONG}),
    ({"embeds": [{"title": "x"}, {"description": "x" * 4097}]}, {"embeds.1.description": TOO_LONG}),
    ({"embeds": [{"description": "x" * 3001}] * 2}, {"embeds": "MAX_EMBED_SIZE_EXCEEDED"}),
    ({"embeds": [{"title": "x", "url": "x" * 2049}]}, {"embeds.0.url": TOO_LONG}),
    ({"embeds": [{"color": -1}]}, {"embeds.0.color": TOO_SMALL}),
    ({"embeds": [{"color": 0x1000000}]}, {"embeds.0.color": TOO_BIG}),
    ({"embeds": [{"timestamp": "yesterday"}]}, {"embeds.0.timestamp": "DATE_TIME_TYPE_PARSE"}),
    ({"embeds": [{"timestamp": "9999-12-31T23:59:59-01:00"}]}, {"embeds.0.timestamp": "DATE_TIME_TYPE_PARSE"}),
    ({"embeds": [{"footer": {}}]}, {"embeds.0.footer.text": REQUIRED}),
    ({"embeds": [{"footer": {"text": "x" * 2049}}]}, {"embeds.0.footer.text": TOO_LONG}),
    ({"embeds": [{"author": {"name": "x" * 257}}]}, {"embeds.0.author.name": TOO_LONG}),
    ({"embeds": [{"image": {"url": 5}}]}, {"embeds.0.image.url": NO_STRING}),
    ({"embeds": [{"fields": [{"name": "x"}]}]}, {"embeds.0.fields.0.value": REQUIRED}),
    ({"embeds": [{"fields": [{"name": "", "value": "x" * 1025}]}]}, {
        "embeds.0.fields.0.name": BAD_LENGTH, "embeds.0.fields.0.value": BAD_LENGTH
    }),
    ({"embeds": [{"fields": [{"name": "x", "value": "y"}] * 26}]}, {"embeds.0.fields": TOO_LONG}),
    ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, {"allowed_mentions.parse.0": NO_CHOICE}),
    ({"content": "x", "allowed_mentions": {"users": ["1"] * 101}}, {"allowed_mentions.users": TOO_LONG}),
    ({"content": "x", "allowed_mentions": {"roles": ["x", 1.5]}}, {
        "allowed_mentions.roles.0": NO_NUMBER, "allowed_mentions.roles.1": NO_NUMBER
    }),
    ({"content": "x", "message_reference": {}}, {"message_reference.message_id": REQUIRED}),
    ({"content": "x", "message_reference": "1"}, {"message_reference": NO_OBJECT}),
    ({"content": "x", "message_reference": {"message_id": "1", "type": 2}}, {"message_reference.type": NO_CHOICE}),
    ({"message_reference": {"message_id": "1", "type": 1}}, {"message_reference.channel_id": REQUIRED}),
    ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, {
        "allowed_mentions": "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
    }),
    ({"content": "x", "allowed_mentions": {"parse": ["roles"], "roles": ["1"]}}, {
        "allowed_mentions": "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
    }),
    ({"content": "x", "sticker_ids": ["1"] * 4}, {"sticker_ids": TOO_LONG}),
    ({"content": "x", "sticker_ids": ["x"]}, {"sticker_ids.0": NO_NUMBER}),
    ({"content": "x", "components": {}}, {"components": NO_LIST}),
    ({"content": "x", "components": [{"type": 1}]}, {"components.0.components": REQUIRED}),
    ({"content": "x", "components": [{"type": 2}]}, {"components.0": "UNION_TYPE_CHOICES"}),
    ({"content": "x", "components": [{"type": True}]}, {"components.0": "UNION_TYPE_CHOICES"}),
    ({"content": "x", "message_reference": {"message_id": "1"}}, {"message_reference": "REPLIES_UNKNOWN_MESSAGE"}),
    (
        {"content": "x", "message_reference": {"message_id": "<message_id>", "channel_id": "1"}},
        {"message_reference": "MESSAGE_REFERENCE_CHANNEL_MISMATCH"},
    ),
    ({"content": ["x"], "tts": 0, "embeds": [{"title": 5}, {"color": "red"}]}, {
        "content": NO_STRING, "tts": NO_BOOLEAN, "embeds.0.title": NO_STRING, "embeds.1.color": NO_NUMBER
    }),
]  # fmt: skip

# Bodies in other dresses.
FORMS: list[tuple[bytes, str, Expected]] = [
    (b'{"content": "x"}', "", {"": BAD_TYPE}),
    (b'{"content": "x"}', "text/plain", {"": BAD_TYPE}),
    (b'{"content": "x"}', "application/json-patch+json", {"": BAD_TYPE}),
    (b"content=+", "application/x-www-form-urlencoded", EMPTY),
    (b"content=x&tts=x", "application/x-www-form-urlencoded", {"tts": NO_BOOLEAN}),
    (b"payload_json=%7B", "application/x-www-form-urlencoded", NO_JSON),
    (part("payload_json", "{}") + END, "multipart/form-data", {"": BAD_FORM}),
    (part("payload_json", "{}") + END, "multipart/form-data; boundary=", {"": BAD_FORM}),
    (part("payload_json", "{}") + END, "multipart/form-data; boundary=other", {"": BAD_FORM}),
    (part("payload_json", '{"content": "x"}'), FORM, {"": BAD_FORM}),
    (part("payload_json", "{}") + part("payload_json", "{}") + END, FORM, {"": BAD_FORM}),
    (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END, FORM, {"": BAD_FORM}),
    (part("content", "x" * 2001) + END, FORM, {"content": TOO_LONG}),
    (part("tts", "x") + END, FORM, {"tts": NO_BOOLEAN}),
    (part("payload_json", "{") + END, FORM, NO_JSON),
    (part("payload_json", '{"content": 5}') + END, FORM, {"content": NO_STRING}),
    (part("payload_json", "{}") + END, FORM, EMPTY),
    (
        part("payload_json", '{"content": "x", "attachments": [{"id": 1}]}')
        + part("files[0]", "data", '; filename="a"')
        + END,
        FORM,
        {"attachments.0.id": "ATTACHMENT_NOT_FOUND"},
    ),
    (b'{"content": "' + b"x" * (1 << 20) + b'"}', JSON, TOO_LARGE),
]

# What stands where an id should.
NO_IDS = ["abc", "-1", "1_0", "0x10", "%20" + "1", "1.0", "%D9%A1", "%00", "18446744073709551616", "9" * 40, "@me"]

PAGES: list[tuple[str, Expected]] = [
    ("limit=0", {"limit": TOO_SMALL}),
    ("limit=101", {"limit": TOO_BIG}),
    ("limit=-1", {"limit": TOO_SMALL}),
    ("limit=99999999999999999999999", {"limit": NO_NUMBER}),
    ("limit=ten", {"limit": NO_NUMBER}),
    ("limit=1.5", {"limit": NO_NUMBER}),
    ("limit=", {"limit": NO_NUMBER}),
    ("limit=1%00", {"limit": NO_NUMBER}),
    ("limit=5&limit=ten", {"limit": NO_NUMBER}),
    ("before=x", {"before": NO_NUMBER}),
    ("after=-1", {"after": NO_NUMBER}),
    ("around=9223372036854775808", {"around": NO_NUMBER}),
    ("around=%ED%A0%80&limit=x", {"around": NO_NUMBER, "limit": NO_NUMBER}),
]

OTHERS: list[Bad] = [
    # the frame
    Bad("GET /nothing", ..., NOT_FOUND),
    Bad("GET /", ..., NOT_FOUND),
    Bad("GET /channels//messages", ..., NOT_FOUND),
    Bad("GET /channels/{channel_id}/messages/", ..., NOT_FOUND),
    Bad("GET /channels/{channel_id}/nothing", ..., NOT_FOUND),
    Bad("GET //", ..., NOT_FOUND),
    Bad("GET //users/@me", ..., NOT_FOUND),
    Bad("GET //api/v8/users/@me", ..., NO_VERSION),
    Bad("GET //api/v11/users/@me", ..., NO_VERSION),
    Bad("GET //api/v10/../../users/@me", ..., NOT_FOUND),
    Bad("PUT /users/@me", {}, WRONG_METHOD),
    Bad("OPTIONS /users/@me", ..., WRONG_METHOD),
    Bad("DELETE /guilds/{guild_id}/channels", ..., WRONG_METHOD),
    Bad("POST /users/@me", {"username": "x"}, WRONG_METHOD),
    # accounts
    Bad(REGISTER, {}, {"username": REQUIRED, "password": REQUIRED}, NOBODY),
    Bad(REGISTER, {"username": "a", "password": PASSWORD}, {"username": BAD_LENGTH}, NOBODY),
    Bad(REGISTER, {"username": "x" * 33, "password": PASSWORD}, {"username": BAD_LENGTH}, NOBODY),
    Bad(REGISTER, {"username": "a b", "password": PASSWORD}, {"username": "STRING_TYPE_REGEX"}, NOBODY),
    Bad(REGISTER, {"username": "dave", "password": "x" * 7}, {"password": BAD_LENGTH}, NOBODY),
    Bad(REGISTER, {"username": "dave", "password": "x" * 129}, {"password": BAD_LENGTH}, NOBODY),
    Bad(
        REGISTER,
        {"username": "dave", "password": PASSWORD, "email": "dave"},
        {"email": "EMAIL_TYPE_INVALID_EMAIL"},
        NOBODY,
    ),
    Bad(REGISTER, {"username": "OWNER", "password": PASSWORD}, {"username": "USERNAME_ALREADY_TAKEN"}, NOBODY),
    Bad("POST /auth/login", {"password": PASSWORD}, {"login": REQUIRED}, NOBODY),
    Bad("POST /auth/login", {"login": "owner"}, {"password": REQUIRED}, NOBODY),
    Bad("POST /auth/login", {"login": "owner", "password": "guess"}, WRONG_LOGIN, NOBODY),
    Bad("POST /auth/login", {"login": "dave", "password": "guess"}, WRONG_LOGIN, NOBODY),
    Bad("POST /auth/refresh", {}, {"refresh_token": REQUIRED}, NOBODY),
    Bad("POST /auth/refresh", {"refresh_token": "x"}, UNAUTHORIZED, NOBODY),
    # users
    Bad("PATCH /users/@me", {"username": "a"}, {"username": BAD_LENGTH}),
    Bad("PATCH /users/@me", {"username": None}, {"username": REQUIRED}),
    Bad("PATCH /users/@me", {"username": "a/b"}, {"username": "STRING_TYPE_REGEX"}),
    Bad("PATCH /users/@me", {"username": "owner"}, {"username": "USERNAME_ALREADY_TAKEN"}, MEMBER),
    Bad("PATCH /users/@me", {"username": "x" * 33}, {"username": BAD_LENGTH}, BOT),
    Bad("PATCH /users/@me", {"global_name": ""}, {"global_name": BAD_LENGTH}),
    Bad("PATCH /users/@me", {"accent_color": 0x1000000}, {"accent_color": TOO_BIG}),
    Bad("GET /users/@me/guilds?limit=201", ..., {"limit": TOO_BIG}),
    Bad("GET /users/@me/guilds?with_counts=maybe", ..., {"with_counts": NO_BOOLEAN}),
    Bad("GET /users/@you", ..., {"user_id": NO_NUMBER}),
    Bad("POST /users/@me/channels", {}, {"recipient_id": REQUIRED}),
    Bad("POST /users/@me/channels", {"recipient_id": "me"}, {"recipient_id": NO_NUMBER}),
    Bad("POST /users/@me/channels", {"recipient_id": "1"}, UNKNOWN_USER),
    Bad("POST /users/@me/channels", {"recipient_id": "<owner_id>"}, NOT_TO_SELF),
    # applications
    Bad("POST /applications", {"name": "x"}, {"name": BAD_LENGTH}),
    Bad("POST /applications", {"name": "xx", "description": "x" * 401}, {"description": TOO_LONG}),
    Bad("PATCH /applications/{application_id}", {"flags": "1"}, {"flags": NO_NUMBER}),
    Bad("PATCH /applications/@me", {"name": None}, {"name": REQUIRED}, BOT),
    Bad(AUTHORIZE, {"guild_id": "<guild_id>", "authorize": True}, {"client_id": REQUIRED, "scope": REQUIRED}),
    Bad(f"{AUTHORIZE}?client_id=x&scope=bot&permissions=-1", {}, {"guild_id": REQUIRED, "authorize": REQUIRED}),
    Bad(
        f"{AUTHORIZE}?client_id=x&scope=bot&permissions=-1",
        {"guild_id": "<guild_id>", "authorize": True},
        {"client_id": NO_NUMBER, "permissions": NO_NUMBER},
    ),
    Bad(
        f"{AUTHORIZE}?client_id=1&scope=identify",
        {"guild_id": "<guild_id>", "authorize": True},
        {"scope": "OAUTH2_SCOPE_INVALID"},
    ),
    Bad(
        f"{AUTHORIZE}?client_id=1&scope=bot",
        {"guild_id": "<guild_id>", "authorize": False},
        {"authorize": "OAUTH2_ACCESS_DENIED"},
    ),
    # guilds
    Bad("POST /guilds", {}, {"name": REQUIRED}),
    Bad("POST /guilds", {"name": "x"}, {"name": BAD_LENGTH}),
    Bad("POST /guilds", {"name": "x" * 101}, {"name": BAD_LENGTH}),
    Bad("POST /guilds", {"name": "xx", "region": "x" * 101}, {"region": TOO_LONG}),
    Bad("POST /guilds", {"name": "xx", "verification_level": 5}, {"verification_level": NO_CHOICE}),
    Bad("POST /guilds", {"name": "xx", "afk_timeout": 61}, {"afk_timeout": NO_CHOICE}),
    Bad("POST /guilds", {"name": "xx", "channels": [{"name": ""}]}, {"channels.0.name": BAD_LENGTH}),
    Bad("POST /guilds", {"name": "xx", "channels": [{"name": "x", "type": 9}]}, {"channels.0.type": NO_CHOICE}),
    Bad("POST /guilds", {"name": "xx", "channels": [{"name": "x"}] * 501}, {"channels": TOO_LONG}),
    Bad(
        "POST /guilds",
        {"name": "xx", "channels": [{"id": "1", "name": "x", "parent_id": "2"}]},
        {"channels.0.parent_id": "CHANNEL_PLACEHOLDER_UNKNOWN"},
    ),
    Bad(
        "POST /guilds",
        {"name": "xx", "channels": [{"id": "1", "name": "x", "parent_id": "1"}]},
        {"channels.0.parent_id": "CHANNEL_PLACEHOLDER_UNKNOWN"},
    ),
    Bad(
        "POST /guilds",
        {"name": "xx", "channels": [{"id": "1", "name": "x"}, {"id": "1", "name": "y"}]},
        {"channels.1.id": "CHANNEL_PLACEHOLDER_DUPLICATE"},
    ),
    Bad("POST /guilds", {"name": "xx", "roles": [{}]}, {"roles.0.id": REQUIRED}),
    Bad("POST /guilds", {"name": "xx", "system_channel_id": "7"}, {"system_channel_id": "CHANNEL_PLACEHOLDER_UNKNOWN"}),
    # channels
    Bad(CHANNELS, {}, {"name": REQUIRED}),
    Bad(CHANNELS, {"name": ""}, {"name": BAD_LENGTH}),
    Bad(CHANNELS, {"name": "x" * 101}, {"name": BAD_LENGTH}),
    Bad(CHANNELS, {"name": "x", "type": 1}, {"type": NO_CHOICE}),
    Bad(CHANNELS, {"name": "x", "topic": "x" * 1025}, {"topic": TOO_LONG}),
    Bad(CHANNELS, {"name": "x", "rate_limit_per_user": 21601}, {"rate_limit_per_user": TOO_BIG}),
    Bad(CHANNELS, {"name": "x", "type": 2, "bitrate": 7999}, {"bitrate": TOO_SMALL}),
    Bad(CHANNELS, {"name": "x", "type": 2, "user_limit": 100}, {"user_limit": TOO_BIG}),
    Bad(CHANNELS, {"name": "x", "type": 2, "rtc_region": "x" * 101}, {"rtc_region": TOO_LONG}),
    Bad(CHANNELS, {"name": "x", "position": -1}, {"position": TOO_SMALL}),
    Bad(CHANNELS, {"name": "x", "nsfw": "no"}, {"nsfw": NO_BOOLEAN}),
    Bad(CHANNELS, {"name": "x", "parent_id": "1"}, {"parent_id": BAD_PARENT}),
    Bad(CHANNELS, {"name": "x", "parent_id": "<channel_id>"}, {"parent_id": BAD_PARENT}),
    Bad(CHANNELS, {"name": "x", "type": 4, "parent_id": "<category_id>"}, {"parent_id": "CHANNEL_PARENT_INVALID_TYPE"}),
    Bad(
        CHANNELS,
        {"name": "x", "permission_overwrites": [{"id": "1", "type": 0}]},
        {"permission_overwrites.0.id": "INVALID_OVERWRITE_TARGET"},
    ),
    Bad(
        CHANNEL,
        {"permission_overwrites": [{"id": "<user_id>", "type": 1}, {"id": "<user_id>", "type": 0}]},
        {"permission_overwrites.1.id": "INVALID_OVERWRITE_TARGET"},
    ),
    Bad(
        CHANNEL,
        {"permission_overwrites": [{"id": "<user_id>", "type": 2, "allow": "x", "deny": -1}]},
        {
            "permission_overwrites.0.type": NO_CHOICE,
            "permission_overwrites.0.allow": NO_NUMBER,
            "permission_overwrites.0.deny": NO_NUMBER,
        },
    ),
    Bad(
        CHANNEL,
        {"permission_overwrites": [{"id": "1", "type": 0}] * 1001},
        {"permission_overwrites": TOO_LONG},
    ),
    Bad(CHANNEL, {"name": None}, {"name": REQUIRED}),
    Bad(CHANNEL, {"type": 2}, {"type": NO_CHOICE}),
    Bad(CHANNEL, {"bitrate": 64000}, WRONG_KIND),
    Bad(CHANNEL, {"parent_id": "<channel_id>"}, {"parent_id": BAD_PARENT}),
    Bad("PATCH /channels/{category_id}", {"type": 5}, WRONG_KIND),
    Bad("PATCH /channels/{direct_id}", {"name": "x"}, UNKNOWN_CHANNEL),
    Bad("POST /channels/{category_id}/messages", {"content": "x"}, NO_TEXT_CHANNEL),
    Bad("POST /channels/{category_id}/typing", ..., NO_TEXT_CHANNEL),
    Bad(INVITES, {"max_age": -1}, {"max_age": TOO_SMALL}),
    Bad(INVITES, {"max_age": 604801}, {"max_age": TOO_BIG}),
    Bad(INVITES, {"max_uses": 101, "temporary": "yes"}, {"max_uses": TOO_BIG, "temporary": NO_BOOLEAN}),
    Bad("POST /channels/{direct_id}/invites", {}, UNKNOWN_CHANNEL),
    Bad("GET /guilds/{guild_id}/members?limit=1001", ..., {"limit": TOO_BIG}),
    Bad("GET /invites/a%00b", ..., {"code": NO_STRING}),
    Bad("POST /invites/%ED%A0%80%F0", ..., UNKNOWN_INVITE),
    Bad("GET /invites/" + "x" * 5000, ..., UNKNOWN_INVITE),
    Bad("GET /invites/{code}?with_counts=2", ..., {"with_counts": NO_BOOLEAN}),
    # edits
    Bad(MESSAGE, {"content": ""}, EMPTY),
    Bad(MESSAGE, {"content": "x" * 2001}, {"content": TOO_LONG}),
    Bad(MESSAGE, {"embeds": [{"color": "red"}]}, {"embeds.0.color": NO_NUMBER}),
    Bad(MESSAGE, {"flags": 4}, NO_PERMISSION, MEMBER),
]  # fmt: skip


TABLE: list[Bad] = [
    *(Bad(MESSAGES, body, expected) for body, expected in BODIES),
    *(Bad(MESSAGES, body, expected) for body, expected in CONTENTS),
    *(Bad(MESSAGES, body, expected, content_type=kind) for body, kind, expected in FORMS),
    *(Bad(f"GET /channels/{text}", ..., {"channel_id": NO_NUMBER}) for text in NO_IDS),
    *(Bad(f"DELETE /channels/{{channel_id}}/messages/{text}", ..., {"message_id": NO_NUMBER}) for text in NO_IDS),
    *(Bad(f"GET /channels/{{channel_id}}/messages?{query}", ..., expected) for query, expected in PAGES),
    *OTHERS,
]


async def test_bad_requests_change_nothing(server: Server, world: World) -> None:
    where = await _setting(world)
    # What follows behind the messages.
    await server.core.search_index.catch_up()
    await read_states.write_down(server.core)
    wrong: list[Any] = []
    with dumping(server.database_url) as dump:
        shown, stored = await _shown(where), dump()
        for bad in TABLE:
            answer = await _send(where, bad)
            seen = _seen(answer, bad.expected)
            if seen != bad.expected:
                wrong.append((bad.target, str(bad.body)[:100], seen, "instead of", bad.expected))
            assert answer.headers["Content-Type"] == "application/json"
            assert answer.headers["X-Request-Id"]
            before, stored = stored, dump()
            if before != stored:
                wrong.append((bad.target, str(bad.body)[:100], "changed something"))
    assert not wrong, "\n".join(map(str, wrong))
    assert await _shown(where) == shown


async def _setting(world: World) -> Setting:
    where = await setting(world)
    direct_id = await where.clients[OWNER].dm(where.clients[MEMBER])
    return where._replace(ids={**where.ids, "direct_id": direct_id})


async def _send(where: Setting, bad: Bad) -> Answer:
    method, _, path = bad.target.partition(" ")
    headers = {"Content-Type": bad.content_type} if bad.content_type else {}
    body = bad.body
    if not isinstance(body, bytes) and body is not ...:
        text = json.dumps(body)
        for name, value in where.ids.items():
            text = text.replace(f"<{name}>", value)
        body = text.encode()
    content = None if body is ... else body
    path = path.format_map(where.ids)
    return await where.clients[bad.who].request(method, path, content=content, headers=headers)


def _seen(answer: Answer, expected: Expected) -> Expected:
    if isinstance(expected, dict) and answer.status == 400 and answer.json["code"] == 50035:
        return answer.errors
    return answer.status, answer.json.get("code")


async def _shown(where: Setting) -> list[Json]:
    """What REST shows to the owner."""
    paths = (
        "/guilds/{guild_id}",
        "/guilds/{guild_id}/channels",
        "/guilds/{guild_id}/members?limit=100",
        "/channels/{channel_id}/messages",
        "/channels/{direct_id}/messages",
        "/users/@me",
        "/users/@me/guilds",
        "/users/@me/channels",
        "/applications",
    )
    return [(await where.clients[OWNER].get(path.format_map(where.ids))).ok(200) for path in paths]
