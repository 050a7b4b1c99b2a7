"""Permissions a second time, from the words and the pseudocode of Discord's page (topics/permissions).

It shares nothing with chatd: guilds, channels and members are as the wire shows them, permissions are sets of names.
"""

from functools import lru_cache
from typing import Any

Json = Any

# "Bitwise Permission Flags": name -> bit.
FLAGS = {
    "CREATE_INSTANT_INVITE": 0,
    "KICK_MEMBERS": 1,
    "BAN_MEMBERS": 2,
    "ADMINISTRATOR": 3,
    "MANAGE_CHANNELS": 4,
    "MANAGE_GUILD": 5,
    "ADD_REACTIONS": 6,
    "VIEW_AUDIT_LOG": 7,
    "PRIORITY_SPEAKER": 8,
    "STREAM": 9,
    "VIEW_CHANNEL": 10,
    "SEND_MESSAGES": 11,
    "SEND_TTS_MESSAGES": 12,
    "MANAGE_MESSAGES": 13,
    "EMBED_LINKS": 14,
    "ATTACH_FILES": 15,
    "READ_MESSAGE_HISTORY": 16,
    "MENTION_EVERYONE": 17,
    "USE_EXTERNAL_EMOJIS": 18,
    "VIEW_GUILD_INSIGHTS": 19,
    "CONNECT": 20,
    "SPEAK": 21,
    "MUTE_MEMBERS": 22,
    "DEAFEN_MEMBERS": 23,
    "MOVE_MEMBERS": 24,
    "USE_VAD": 25,
    "CHANGE_NICKNAME": 26,
    "MANAGE_NICKNAMES": 27,
    "MANAGE_ROLES": 28,
    "MANAGE_WEBHOOKS": 29,
    "MANAGE_GUILD_EXPRESSIONS": 30,
    "USE_APPLICATION_COMMANDS": 31,
    "REQUEST_TO_SPEAK": 32,
    "MANAGE_EVENTS": 33,
    "MANAGE_THREADS": 34,
    "CREATE_PUBLIC_THREADS": 35,
    "CREATE_PRIVATE_THREADS": 36,
    "USE_EXTERNAL_STICKERS": 37,
    "SEND_MESSAGES_IN_THREADS": 38,
    "USE_EMBEDDED_ACTIVITIES": 39,
    "MODERATE_MEMBERS": 40,
    "VIEW_CREATOR_MONETIZATION_ANALYTICS": 41,
    "USE_SOUNDBOARD": 42,
    "CREATE_GUILD_EXPRESSIONS": 43,
    "CREATE_EVENTS": 44,
    "USE_EXTERNAL_SOUNDS": 45,
    "SEND_VOICE_MESSAGES": 46,
    "SET_VOICE_CHANNEL_STATUS": 48,
    "SEND_POLLS": 49,
    "USE_EXTERNAL_APPS": 50,
    "PIN_MESSAGES": 51,
    "BYPASS_SLOWMODE": 52,
}
EVERYTHING = frozenset(FLAGS)

VOICE, STAGE = 2, 13
THREADS = (10, 11, 12)


@lru_cache(10_000)
def named(bits: str | int) -> frozenset[str]:
    """The permissions of a bit set, as the wire writes it; bits that the page does not have are nothing."""
    digits = f"{int(bits):b}"[::-1]
    return frozenset(name for name, bit in FLAGS.items() if digits[bit : bit + 1] == "1")


def bits(names: frozenset[str]) -> int:
    return sum(2 ** FLAGS[name] for name in names)


def of_member(guild: Json, member: Json) -> frozenset[str]:
    """What the member may do in the guild as a whole: steps 1 and 2 of "Permission Overwrites"."""
    if guild["owner_id"] == member["user"]["id"]:
        return EVERYTHING
    roles = {role["id"]: named(role["permissions"]) for role in guild["roles"]}
    held = roles[guild["id"]].union(*(roles[role_id] for role_id in member["roles"]))
    return EVERYTHING if "ADMINISTRATOR" in held else held


def in_channel(guild: Json, channel: Json, member: Json) -> frozenset[str]:
    """Steps 3 to 8, then "Implicit Permissions" and "Inherited Permissions (Threads)".

    A thread is given with its own `type` and the overwrites of its parent.
    """
    held = of_member(guild, member)
    if "ADMINISTRATOR" in held:
        return EVERYTHING
    overwrites = {overwrite["id"]: overwrite for overwrite in channel["permission_overwrites"]}
    for whose in ([guild["id"]], member["roles"], [member["user"]["id"]]):
        concerned = [overwrites[target] for target in whose if target in overwrites]
        for overwrite in concerned:
            held -= named(overwrite["deny"])
        for overwrite in concerned:
            held |= named(overwrite["allow"])
    return _as_far_as_useful(held, channel["type"])


def _as_far_as_useful(held: frozenset[str], kind: int) -> frozenset[str]:
    if "VIEW_CHANNEL" not in held:
        return frozenset()
    if kind in (VOICE, STAGE) and "CONNECT" not in held:
        return frozenset(["VIEW_CHANNEL"])
    if kind in THREADS:
        held = held - {"SEND_MESSAGES"} | ({"SEND_MESSAGES"} if "SEND_MESSAGES_IN_THREADS" in held else set())
    if "SEND_MESSAGES" not in held:
        return held - {"MENTION_EVERYONE", "SEND_TTS_MESSAGES", "ATTACH_FILES", "EMBED_LINKS"}
    return held


def now(guild: Json, member: Json, channel: Json | None, is_timed_out: bool) -> frozenset[str]:
    """In the channel, or in the guild as a whole, with "Permissions For Timed Out Members"."""
    held = of_member(guild, member) if channel is None else in_channel(guild, channel, member)
    if is_timed_out and "ADMINISTRATOR" not in of_member(guild, member):
        return held & {"VIEW_CHANNEL", "READ_MESSAGE_HISTORY"}
    return held


def visible(guild: Json, channels: list[Json], member: Json) -> frozenset[str]:
    """The ids of the channels that the member sees."""
    return frozenset(channel["id"] for channel in channels if "VIEW_CHANNEL" in in_channel(guild, channel, member))
