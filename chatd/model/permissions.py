"""Permission flags and what follows from roles and overwrites, by Discord's algorithm.

Docs: topics/permissions. Pure functions on plain ints; where roles and overwrites come from is not known here.
The usual chain for a member in a channel:

    base_permissions → channel_permissions → implicit → timed_out (if so)
"""

from collections.abc import Collection, Iterable
from typing import Protocol

CREATE_INSTANT_INVITE = 1 << 0
KICK_MEMBERS = 1 << 1
BAN_MEMBERS = 1 << 2
ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
ADD_REACTIONS = 1 << 6
VIEW_AUDIT_LOG = 1 << 7
PRIORITY_SPEAKER = 1 << 8
STREAM = 1 << 9
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
SEND_TTS_MESSAGES = 1 << 12
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
USE_EXTERNAL_EMOJIS = 1 << 18
VIEW_GUILD_INSIGHTS = 1 << 19
CONNECT = 1 << 20
SPEAK = 1 << 21
MUTE_MEMBERS = 1 << 22
DEAFEN_MEMBERS = 1 << 23
MOVE_MEMBERS = 1 << 24
USE_VAD = 1 << 25
CHANGE_NICKNAME = 1 << 26
MANAGE_NICKNAMES = 1 << 27
MANAGE_ROLES = 1 << 28
MANAGE_WEBHOOKS = 1 << 29
MANAGE_GUILD_EXPRESSIONS = 1 << 30
USE_APPLICATION_COMMANDS = 1 << 31
REQUEST_TO_SPEAK = 1 << 32
MANAGE_EVENTS = 1 << 33
MANAGE_THREADS = 1 << 34
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
USE_EXTERNAL_STICKERS = 1 << 37
SEND_MESSAGES_IN_THREADS = 1 << 38
USE_EMBEDDED_ACTIVITIES = 1 << 39
MODERATE_MEMBERS = 1 << 40
VIEW_CREATOR_MONETIZATION_ANALYTICS = 1 << 41
USE_SOUNDBOARD = 1 << 42
CREATE_GUILD_EXPRESSIONS = 1 << 43
CREATE_EVENTS = 1 << 44
USE_EXTERNAL_SOUNDS = 1 << 45
SEND_VOICE_MESSAGES = 1 << 46
SET_VOICE_CHANNEL_STATUS = 1 << 48
SEND_POLLS = 1 << 49
USE_EXTERNAL_APPS = 1 << 50
PIN_MESSAGES = 1 << 51
BYPASS_SLOWMODE = 1 << 52

NONE = 0
ALL = (1 << 53) - 1 & ~(1 << 47)  # bit 47 is not documented

# What @everyone may do in a new guild: 2248473465835073, as found in guilds that Discord made in 2025, less bit 47.
DEFAULT_EVERYONE = (
    CREATE_INSTANT_INVITE
    | ADD_REACTIONS
    | STREAM
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | MENTION_EVERYONE
    | USE_EXTERNAL_EMOJIS
    | CONNECT
    | SPEAK
    | USE_VAD
    | CHANGE_NICKNAME
    | USE_APPLICATION_COMMANDS
    | REQUEST_TO_SPEAK
    | CREATE_PUBLIC_THREADS
    | CREATE_PRIVATE_THREADS
    | USE_EXTERNAL_STICKERS
    | SEND_MESSAGES_IN_THREADS
    | USE_EMBEDDED_ACTIVITIES
    | USE_SOUNDBOARD
    | CREATE_GUILD_EXPRESSIONS
    | CREATE_EVENTS
    | USE_EXTERNAL_SOUNDS
    | SEND_VOICE_MESSAGES
    | SET_VOICE_CHANNEL_STATUS
    | SEND_POLLS
    | USE_EXTERNAL_APPS
)

# A timed-out member keeps these (topics/permissions, "Permissions For Timed Out Members").
KEPT_IN_TIMEOUT = VIEW_CHANNEL | READ_MESSAGE_HISTORY

# Who cannot send cannot do these either (topics/permissions, "Implicit Permissions").
_NEED_SENDING = MENTION_EVERYONE | SEND_TTS_MESSAGES | ATTACH_FILES | EMBED_LINKS

# Channel kinds (resources/channel, "Channel Types") where a permission is the key to all others or to sending.
VOICE_KINDS = frozenset((2, 13))
THREAD_KINDS = frozenset((10, 11, 12))


class Overwrite(Protocol):
    """What a channel grants and takes for one role or one member; @everyone is the role with the guild's id."""

    @property
    def id(self) -> int: ...
    @property
    def allow(self) -> int: ...
    @property
    def deny(self) -> int: ...


def base_permissions(owner_id: int, user_id: int, everyone_permissions: int, role_permissions: Iterable[int]) -> int:
    """What a member may do in the guild as a whole: the union of @everyone's and its own roles' permissions."""
    if user_id == owner_id:
        return ALL
    permissions = everyone_permissions
    for granted in role_permissions:
        permissions |= granted
    return ALL if permissions & ADMINISTRATOR else permissions


def channel_permissions(
    base: int, overwrites: Iterable[Overwrite], guild_id: int, role_ids: Collection[int], user_id: int
) -> int:
    """What is left of `base` in a channel: @everyone's overwrite, then all the roles' together, then the member's.

    Within each step deny comes before allow, so an allow wins; the order of roles does not matter.
    """
    if base & ADMINISTRATOR:
        return ALL
    everyone_allow = everyone_deny = roles_allow = roles_deny = member_allow = member_deny = NONE
    for overwrite in overwrites:
        if overwrite.id == guild_id:
            everyone_allow, everyone_deny = overwrite.allow, overwrite.deny
        elif overwrite.id == user_id:
            member_allow, member_deny = overwrite.allow, overwrite.deny
        elif overwrite.id in role_ids:
            roles_allow |= overwrite.allow
            roles_deny |= overwrite.deny
    permissions = base & ~everyone_deny | everyone_allow
    permissions = permissions & ~roles_deny | roles_allow
    return permissions & ~member_deny | member_allow


def implicit(permissions: int, channel_kind: int) -> int:
    """`permissions` without what makes no sense in a channel of this kind when a more basic permission is missing.

    Without VIEW_CHANNEL nothing is left. A voice channel without CONNECT can only be seen: its chat needs CONNECT too
    (resources/message, "Get Channel Messages"). A thread takes SEND_MESSAGES from SEND_MESSAGES_IN_THREADS, so that
    callers ask for the same flag everywhere.
    """
    if not permissions & VIEW_CHANNEL:
        return NONE
    if channel_kind in VOICE_KINDS and not permissions & CONNECT:
        return VIEW_CHANNEL
    if channel_kind in THREAD_KINDS:
        permissions &= ~SEND_MESSAGES
        if permissions & SEND_MESSAGES_IN_THREADS:
            permissions |= SEND_MESSAGES
    if not permissions & SEND_MESSAGES:
        permissions &= ~_NEED_SENDING
    return permissions


def timed_out(base: int, permissions: int) -> int:
    """What a timed-out member keeps of its permissions somewhere. Owners and administrators cannot be silenced, which
    `base` says: ADMINISTRATOR in an overwrite means nothing.
    """
    return permissions if base & ADMINISTRATOR else permissions & KEPT_IN_TIMEOUT
