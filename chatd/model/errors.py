"""What goes wrong by the client's doing: REST errors and gateway close codes, one line per kind.

Docs: topics/opcodes-and-status-codes, "JSON Error Codes" and "Gateway Close Event Codes"; the order is the page's and
the sentences are those that Discord sends. The page does not say which HTTP status goes with a code; these are
the ones that libraries have met. What is our fault stays an ordinary exception, for which the edge that catches it
answers INTERNAL_SERVER_ERROR.

    raise UNKNOWN_CHANNEL()
    raise CLOSE_DECODE_ERROR()
"""

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

# A node of Discord's `errors`: field names and list indexes lead down, "_errors" holds the list of leaves.
ErrorTree = dict[str, Any]
Scope = Literal["user", "global", "shared"]


class ApiError(Exception):
    """Ends a request with this status, body and headers."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        errors: ErrorTree | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})  # further keys of the body

    def body(self) -> dict[str, object]:
        errors = {"errors": self.errors} if self.errors is not None else {}
        return {"message": self.message, "code": self.code, **errors, **self.extra}


class Kind(NamedTuple):
    """A line of the table; calling it makes the exception."""

    status: int
    code: int
    message: str

    def __call__(self) -> ApiError:
        return ApiError(self.status, self.code, self.message)


# 0: what has no code of its own
BAD_REQUEST = Kind(400, 0, "400: Bad Request")
UNAUTHORIZED = Kind(401, 0, "401: Unauthorized")
FORBIDDEN = Kind(403, 0, "403: Forbidden")
NOT_FOUND = Kind(404, 0, "404: Not Found")
METHOD_NOT_ALLOWED = Kind(405, 0, "405: Method Not Allowed")
REQUEST_TIMEOUT = Kind(408, 0, "408: Request Timeout")
RATE_LIMITED = Kind(429, 0, "You are being rate limited.")
RESOURCE_RATE_LIMITED = Kind(429, 0, "The resource is being rate limited.")
INTERNAL_SERVER_ERROR = Kind(500, 0, "500: Internal Server Error")
SERVICE_UNAVAILABLE = Kind(503, 0, "503: Service Unavailable")

# 10xxx: it does not exist
UNKNOWN_ACCOUNT = Kind(404, 10001, "Unknown Account")
UNKNOWN_APPLICATION = Kind(404, 10002, "Unknown Application")
UNKNOWN_CHANNEL = Kind(404, 10003, "Unknown Channel")
UNKNOWN_GUILD = Kind(404, 10004, "Unknown Guild")
UNKNOWN_INTEGRATION = Kind(404, 10005, "Unknown Integration")
UNKNOWN_INVITE = Kind(404, 10006, "Unknown Invite")
UNKNOWN_MEMBER = Kind(404, 10007, "Unknown Member")
UNKNOWN_MESSAGE = Kind(404, 10008, "Unknown Message")
UNKNOWN_OVERWRITE = Kind(404, 10009, "Unknown Overwrite")
UNKNOWN_ROLE = Kind(404, 10011, "Unknown Role")
UNKNOWN_TOKEN = Kind(404, 10012, "Unknown Token")
UNKNOWN_USER = Kind(404, 10013, "Unknown User")
UNKNOWN_EMOJI = Kind(404, 10014, "Unknown Emoji")
UNKNOWN_WEBHOOK = Kind(404, 10015, "Unknown Webhook")
UNKNOWN_SESSION = Kind(404, 10020, "Unknown Session")
UNKNOWN_ASSET = Kind(404, 10021, "Unknown Asset")
UNKNOWN_BAN = Kind(404, 10026, "Unknown Ban")
UNKNOWN_GUILD_TEMPLATE = Kind(404, 10057, "Unknown Guild Template")
UNKNOWN_STICKER = Kind(404, 10060, "Unknown Sticker")
UNKNOWN_STICKER_PACK = Kind(404, 10061, "Unknown Sticker Pack")
UNKNOWN_INTERACTION = Kind(404, 10062, "Unknown interaction")
UNKNOWN_APPLICATION_COMMAND = Kind(404, 10063, "Unknown application command")
UNKNOWN_VOICE_STATE = Kind(404, 10065, "Unknown Voice State")
UNKNOWN_COMMAND_PERMISSIONS = Kind(404, 10066, "Unknown application command permissions")
UNKNOWN_WELCOME_SCREEN = Kind(404, 10069, "Unknown Guild Welcome Screen")
UNKNOWN_SCHEDULED_EVENT = Kind(404, 10070, "Unknown Guild Scheduled Event")
UNKNOWN_SCHEDULED_EVENT_USER = Kind(404, 10071, "Unknown Guild Scheduled Event User")
UNKNOWN_TAG = Kind(404, 10087, "Unknown Tag")

# 20xxx: not for this account, or not now
BOTS_CANNOT_USE_THIS = Kind(403, 20001, "Bots cannot use this endpoint")
ONLY_BOTS_CAN_USE_THIS = Kind(403, 20002, "Only bots can use this endpoint")
NOT_YOUR_APPLICATION = Kind(403, 20012, "You are not authorized to perform this action on this application")
SLOWMODE = Kind(429, 20016, "This action cannot be performed due to slowmode rate limit")
ONLY_THE_OWNER = Kind(403, 20018, "Only the owner of this account can perform this action")
CHANNEL_WRITE_RATE_LIMITED = Kind(429, 20028, "The channel you are writing has hit the write rate limit.")
GUILD_WRITE_RATE_LIMITED = Kind(429, 20029, "The server you are writing has hit the write rate limit.")

# 30xxx: too many. The numbers stand in model.limits
TOO_MANY_GUILDS = Kind(400, 30001, "Maximum number of guilds reached (100)")
TOO_MANY_FRIENDS = Kind(400, 30002, "Maximum number of friends reached (1000)")
TOO_MANY_PINS = Kind(400, 30003, "Maximum number of pins reached for the channel (250)")
TOO_MANY_RECIPIENTS = Kind(400, 30004, "Maximum number of recipients reached (10)")
TOO_MANY_ROLES = Kind(400, 30005, "Maximum number of guild roles reached (250)")
TOO_MANY_WEBHOOKS = Kind(400, 30007, "Maximum number of webhooks reached (15)")
TOO_MANY_EMOJIS = Kind(400, 30008, "Maximum number of emojis reached")
TOO_MANY_REACTIONS = Kind(400, 30010, "Maximum number of reactions reached (20)")
TOO_MANY_GROUPS = Kind(400, 30011, "Maximum number of group DMs reached (10)")
TOO_MANY_CHANNELS = Kind(400, 30013, "Maximum number of guild channels reached (500)")
TOO_MANY_ATTACHMENTS = Kind(400, 30015, "Maximum number of attachments in a message reached (10)")
TOO_MANY_INVITES = Kind(400, 30016, "Maximum number of invites reached (1000)")
TOO_MANY_ANIMATED_EMOJIS = Kind(400, 30018, "Maximum number of animated emojis reached")
TOO_MANY_MEMBERS = Kind(400, 30019, "Maximum number of server members reached")
GUILD_HAS_A_TEMPLATE = Kind(400, 30031, "Guild already has a template")
TOO_MANY_COMMANDS = Kind(400, 30032, "Maximum number of application commands reached")
TOO_MANY_THREAD_MEMBERS = Kind(400, 30033, "Maximum number of thread participants has been reached (1000)")
TOO_MANY_COMMAND_CREATES = Kind(
    400, 30034, "Maximum number of daily application command creates has been reached (200)"
)
TOO_MANY_SCHEDULED_EVENTS = Kind(400, 30038, "Maximum number of uncompleted guild scheduled events reached (100)")
TOO_MANY_STICKERS = Kind(400, 30039, "Maximum number of stickers reached")
TOO_MANY_OLD_EDITS = Kind(429, 30046, "Maximum number of edits to messages older than 1 hour reached. Try again later")
TOO_MANY_PINNED_THREADS = Kind(400, 30047, "Maximum number of pinned threads in a forum channel has been reached")
TOO_MANY_FORUM_TAGS = Kind(400, 30048, "Maximum number of tags in a forum channel has been reached")
TOO_MANY_GUILD_WEBHOOKS = Kind(400, 30058, "Maximum number of webhooks per guild reached (1000)")
TOO_MANY_OVERWRITES = Kind(400, 30060, "Maximum number of channel permission overwrites reached (1000)")

# 40xxx: refused for what it is
INVALID_TOKEN = Kind(401, 40001, "Unauthorized")
UNVERIFIED_ACCOUNT = Kind(403, 40002, "You need to verify your account in order to perform this action.")
OPENING_DMS_TOO_FAST = Kind(403, 40003, "You are opening direct messages too fast.")
ENTITY_TOO_LARGE = Kind(413, 40005, "Request entity too large")
FEATURE_DISABLED = Kind(403, 40006, "This feature has been temporarily disabled server-side")
BANNED = Kind(403, 40007, "The user is banned from this guild.")
ONE_PARENT_AT_A_TIME = Kind(400, 40009, "Only one channel can have a parent_id modified at a time")
NOT_CONNECTED_TO_VOICE = Kind(400, 40032, "Target user is not connected to voice.")
ALREADY_CROSSPOSTED = Kind(400, 40033, "This message has already been crossposted.")
COMMAND_NAME_TAKEN = Kind(400, 40041, "An application command with that name already exists")
FORUMS_HOLD_NO_MESSAGES = Kind(400, 40058, "Cannot send messages in a forum channel")
ALREADY_ACKNOWLEDGED = Kind(400, 40060, "Interaction has already been acknowledged.")
TAG_NAMES_NOT_UNIQUE = Kind(400, 40061, "Tag names must be unique")
NO_TAGS_FOR_MEMBERS = Kind(400, 40066, "There are no tags available that can be set by non-moderators")
TAG_REQUIRED = Kind(400, 40067, "A tag is required to create a forum post in this channel")
TOO_MANY_FOLLOW_UPS = Kind(400, 40094, "This interaction has hit the maximum number of follow up messages")

# 50xxx: no access, or the request makes no sense
MISSING_ACCESS = Kind(403, 50001, "Missing Access")
INVALID_ACCOUNT_TYPE = Kind(400, 50002, "Invalid account type")
NOT_IN_DMS = Kind(403, 50003, "Cannot execute action on a DM channel")
WIDGET_DISABLED = Kind(403, 50004, "Widget Disabled")
NOT_YOUR_MESSAGE = Kind(403, 50005, "Cannot edit a message authored by another user")
EMPTY_MESSAGE = Kind(400, 50006, "Cannot send an empty message")
CANNOT_MESSAGE_USER = Kind(403, 50007, "Cannot send messages to this user")
NOT_A_TEXT_CHANNEL = Kind(400, 50008, "Cannot send messages in a non-text channel")
VERIFICATION_LEVEL_TOO_HIGH = Kind(403, 50009, "Channel verification level is too high for you to gain access")
APPLICATION_WITHOUT_BOT = Kind(400, 50010, "OAuth2 application does not have a bot")
TOO_MANY_APPLICATIONS = Kind(400, 50011, "OAuth2 application limit reached")
INVALID_OAUTH2_STATE = Kind(400, 50012, "Invalid OAuth2 state")
MISSING_PERMISSIONS = Kind(403, 50013, "Missing Permissions")
INVALID_AUTHENTICATION_TOKEN = Kind(401, 50014, "Invalid authentication token")
BULK_DELETE_COUNT = Kind(
    400, 50016, "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages."
)
PIN_IN_OTHER_CHANNEL = Kind(400, 50019, "A message can only be pinned in the channel it was sent in")
INVITE_CODE_TAKEN = Kind(400, 50020, "Invite code was either invalid or taken")
SYSTEM_MESSAGE = Kind(403, 50021, "Cannot execute action on a system message")
WRONG_CHANNEL_TYPE = Kind(400, 50024, "Cannot execute action on this channel type")
INVALID_OAUTH2_TOKEN = Kind(401, 50025, "Invalid OAuth2 access token")
MISSING_OAUTH2_SCOPE = Kind(403, 50026, "Missing required OAuth2 scope")
INVALID_WEBHOOK_TOKEN = Kind(401, 50027, "Invalid Webhook Token")
INVALID_ROLE = Kind(400, 50028, "Invalid Role")
INVALID_RECIPIENTS = Kind(400, 50033, "Invalid Recipient(s)")
TOO_OLD_TO_BULK_DELETE = Kind(400, 50034, "You can only bulk delete messages that are under 14 days old.")
INVALID_FORM_BODY = Kind(400, 50035, "Invalid Form Body")
BOT_NOT_IN_GUILD = Kind(403, 50036, "An invite was accepted to a guild the application's bot is not in")
INVALID_API_VERSION = Kind(400, 50041, "Invalid API version")
FILE_TOO_LARGE = Kind(400, 50045, "File uploaded exceeds the maximum size")
INVALID_FILE = Kind(400, 50046, "Invalid Asset")
INVALID_GUILD = Kind(400, 50055, "Invalid Guild")
INVALID_ORIGIN = Kind(403, 50067, "Invalid request origin")
INVALID_MESSAGE_TYPE = Kind(400, 50068, "Invalid message type")
SYSTEM_WEBHOOK = Kind(403, 50073, "Cannot modify a system webhook")
REQUIRED_FOR_COMMUNITY = Kind(400, 50074, "Cannot delete a channel required for Community guilds")
CANNOT_EDIT_STICKERS = Kind(400, 50080, "Cannot edit stickers within a message")
INVALID_STICKER = Kind(400, 50081, "Invalid sticker")
THREAD_IS_ARCHIVED = Kind(400, 50083, "Thread is archived")
INVALID_JSON = Kind(400, 50109, "The request body contains invalid JSON.")
INVALID_FILE_TYPE = Kind(400, 50123, "The provided file type is invalid.")
OWNER_CANNOT_BE_BOT = Kind(400, 50132, "Ownership cannot be transferred to a bot user")
ASSET_TOO_LARGE = Kind(400, 50138, "Failed to resize asset below the maximum size: 262144")
UPLOADED_FILE_NOT_FOUND = Kind(400, 50146, "Uploaded file not found.")
VOICE_MESSAGE_WITH_CONTENT = Kind(400, 50159, "Voice messages do not support additional content.")
VOICE_MESSAGE_WITHOUT_AUDIO = Kind(400, 50160, "Voice messages must have a single audio attachment.")
VOICE_MESSAGE_WITHOUT_METADATA = Kind(400, 50161, "Voice messages must have supporting metadata.")
CANNOT_EDIT_VOICE_MESSAGE = Kind(400, 50162, "Voice messages cannot be edited.")
VOICE_MESSAGES_NOT_ALLOWED = Kind(403, 50173, "You cannot send voice messages in this channel.")
NO_MUTUAL_GUILDS = Kind(403, 50278, "Cannot send messages to this user due to having no mutual guilds")
STICKER_NOT_ALLOWED = Kind(403, 50600, "You do not have permission to send this sticker.")

# the rest, by number
TWO_FACTOR_REQUIRED = Kind(403, 60003, "Two factor is required for this operation")
FRIEND_REQUEST_BLOCKED = Kind(400, 80001, "Friend request blocked")
BOTS_HAVE_NO_FRIENDS = Kind(400, 80002, "Bots cannot have friends")
NO_FRIEND_OF_ONESELF = Kind(400, 80003, "Cannot send friend request to self")
NO_SUCH_TAG = Kind(400, 80004, "No users with DiscordTag exist")
ALREADY_FRIENDS = Kind(400, 80007, "You are already friends with that user")
REACTION_BLOCKED = Kind(403, 90001, "Reaction blocked")
SEARCH_NOT_READY = Kind(202, 110000, "Index not yet available. Try again later")
OVERLOADED = Kind(503, 130000, "API resource is currently overloaded. Try again a little later.")
CANNOT_REPLY = Kind(403, 160002, "Cannot reply without permission to read message history")
THREAD_EXISTS = Kind(400, 160004, "A thread has already been created for this message")
THREAD_LOCKED = Kind(400, 160005, "Thread is locked")
TOO_MANY_THREADS = Kind(400, 160006, "Maximum number of active threads reached")
TOO_MANY_ANNOUNCEMENT_THREADS = Kind(400, 160007, "Maximum number of active announcement threads reached")
FORWARDED_MESSAGE_NOT_FOUND = Kind(400, 160008, "Message could not be found")
CANNOT_REFERENCE = Kind(403, 160009, "Cannot reference a message without permission to read message history")
FORWARD_WITH_CONTENT = Kind(400, 160011, "Forward messages cannot have additional content")
CANNOT_FORWARD = Kind(400, 160014, "You cannot forward a message whose content you cannot read")
STICKER_TOO_LONG = Kind(400, 170007, "Sticker animation duration exceeds maximum of 5 seconds")
FINISHED_EVENT = Kind(400, 180000, "Cannot update a finished event")
BLOCKED_BY_AUTOMOD = Kind(400, 200000, "Message was blocked by automatic moderation")
TITLE_BLOCKED_BY_AUTOMOD = Kind(400, 200001, "Title was blocked by automatic moderation")
FORUM_WEBHOOK_NEEDS_THREAD = Kind(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
FORUM_WEBHOOK_TWO_THREADS = Kind(
    400, 220002, "Webhooks posted to forum channels cannot have both a thread_name and thread_id"
)
WEBHOOK_THREAD_OUTSIDE_FORUM = Kind(400, 220003, "Webhooks can only create threads in forum channels")
WEBHOOK_SERVICE_IN_FORUM = Kind(400, 220004, "Webhook services cannot be used in forum channels")
BULK_BAN_FAILED = Kind(400, 500000, "Failed to ban users")
POLL_VOTING_BLOCKED = Kind(403, 520000, "Poll voting blocked")
POLL_EXPIRED = Kind(400, 520001, "Poll expired")
NO_POLLS_HERE = Kind(400, 520002, "Invalid channel type for poll creation")
CANNOT_EDIT_POLL = Kind(400, 520003, "Cannot edit a poll message")
CANNOT_USE_POLL_EMOJI = Kind(400, 520004, "Cannot use an emoji included with the poll")
NOT_A_POLL = Kind(400, 520006, "Cannot expire a non-poll message")


def invalid_form(errors: ErrorTree) -> ApiError:
    """Code 50035 with the tree of what is wrong where. `model.validate` builds such trees."""
    return ApiError(*INVALID_FORM_BODY, errors=errors)


def rate_limited(retry_after_s: float, scope: Scope = "user", kind: Kind = RATE_LIMITED) -> ApiError:
    """A 429 whose body and headers agree: the one place that knows the units of both.

    `kind` is any line with status 429 (SLOWMODE, RESOURCE_RATE_LIMITED, …). The bucket's own X-RateLimit headers are
    `model.ratelimit.headers`; the caller sends both.
    """
    is_global = scope == "global"
    headers = {
        "Retry-After": str(math.ceil(retry_after_s)),
        "X-RateLimit-Scope": scope,
        # Without Via discord.py and its kin take a 429 for a ban by a proxy, and raise instead of waiting.
        "Via": "1.1 chatd",
    }
    if is_global:  # libraries test its presence, not its value
        headers["X-RateLimit-Global"] = "true"
    return ApiError(*kind, headers=headers, extra={"retry_after": whole_ms(retry_after_s), "global": is_global})


def whole_ms(seconds: float) -> float:
    """Seconds rounded up to the millisecond: whoever waits as long as told must find the window over."""
    return math.ceil(seconds * 1000) / 1000


class GatewayClose(Exception):
    """Ends a gateway connection with this close code and reason."""

    def __init__(self, code: int, reason: str, may_reconnect: bool, may_resume: bool) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason  # at most 123 bytes fit into a close frame
        self.may_reconnect = may_reconnect
        self.may_resume = may_resume  # the session outlives the connection


class CloseKind(NamedTuple):
    """A line of the table; calling it makes the exception."""

    code: int
    reason: str
    may_reconnect: bool
    may_resume: bool

    def __call__(self) -> GatewayClose:
        return GatewayClose(*self)


# hikari gives up for good on 4001, 4003 and 4005 although the page says to reconnect: never use these for our own
# trouble. Codes below 4000 and other details of the protocol are the gateway's.
CLOSE_UNKNOWN_ERROR = CloseKind(4000, "Unknown error.", True, True)
CLOSE_UNKNOWN_OPCODE = CloseKind(4001, "Unknown opcode.", True, True)
CLOSE_DECODE_ERROR = CloseKind(4002, "Error while decoding payload.", True, True)
CLOSE_NOT_AUTHENTICATED = CloseKind(4003, "Not authenticated.", True, False)
CLOSE_AUTHENTICATION_FAILED = CloseKind(4004, "Authentication failed.", False, False)
CLOSE_ALREADY_AUTHENTICATED = CloseKind(4005, "Already authenticated.", True, True)
CLOSE_INVALID_SEQ = CloseKind(4007, "Invalid seq.", True, False)
CLOSE_RATE_LIMITED = CloseKind(4008, "Rate limited.", True, True)
CLOSE_SESSION_TIMED_OUT = CloseKind(4009, "Session timed out.", True, False)
CLOSE_INVALID_SHARD = CloseKind(4010, "Invalid shard.", False, False)
CLOSE_SHARDING_REQUIRED = CloseKind(4011, "Sharding required.", False, False)
CLOSE_INVALID_API_VERSION = CloseKind(4012, "Invalid API version.", False, False)
CLOSE_INVALID_INTENTS = CloseKind(4013, "Invalid intent(s).", False, False)
CLOSE_DISALLOWED_INTENTS = CloseKind(4014, "Disallowed intent(s).", False, False)

# A client that closes with one of these ends its session; after any other close it may resume (events/gateway).
SESSION_ENDING_CLOSES = frozenset((1000, 1001))
