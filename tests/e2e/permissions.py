"""What a library computes of a member's permissions, compared with what the server says and lets the member do."""

from collections.abc import Mapping
from typing import Any

from tests.support.world import Guild, User

# Every documented permission.
BITS = [1 << number for number in range(53) if number != 47]

VIEW_CHANNEL, SEND_MESSAGES = 1 << 10, 1 << 11
TEXT, VOICE, CATEGORY, FORUM = 0, 2, 4, 15

# What discord.py calls so: `Permissions.voice()`, and what is not in `Permissions.all_channel()`.
IN_VOICE = {1 << number for number in (8, 9, 20, 21, 22, 23, 24, 25, 39, 42, 45, 48)}
GUILD_WIDE = {1 << number for number in (1, 2, 3, 5, 7, 19, 26, 27, 30, 33, 40, 41, 43, 44, 47)}


def rules_left_out(library: str, kind: int | None, bit: int) -> set[str]:
    """The server's rules (`Step.rule`) that the library does not apply. `kind` is a channel's, None for the guild."""
    if library.startswith("discord.js"):
        return {"implicit", "timeout"}
    # discord.py applies them to what channels are about, and neither to categories nor fully to voice channels.
    return set() if kind in (None, TEXT, FORUM) and bit not in GUILD_WIDE else {"implicit"}


async def compare(
    library: str, member: User, guild: Guild, channels: Mapping[str, dict[str, Any]], found: Mapping[str, str]
) -> None:
    """`found`: channel id ("": the guild as a whole) -> what the library says."""
    visible = {channel["id"] for channel in (await member.get(f"/guilds/{guild.id}/channels")).ok(200)}
    for channel_id, computed in found.items():
        kind = channels[channel_id]["type"] if channel_id else None
        held = await enforced(library, member, guild, channel_id, kind, int(computed))
        if channel_id:
            assert (channel_id in visible) == bool(held & VIEW_CHANNEL)
        if kind == TEXT:
            sent = await member.post(f"/channels/{channel_id}/messages", {"content": "hello"})
            assert (sent.status == 200) == bool(held & SEND_MESSAGES), (member.name, channels[channel_id], sent)


async def enforced(library: str, member: User, guild: Guild, channel_id: str, kind: int | None, computed: int) -> int:
    held = 0
    place = {"channel_id": channel_id} if channel_id else {}
    for bit in BITS:
        answer = await member.get(f"/guilds/{guild.id}/members/@me/permissions/explain", permission=bit, **place)
        explained = answer.ok(200)
        granted, says = explained["granted"], bool(computed & bit)
        held |= bit * granted
        if bit in IN_VOICE and kind in (TEXT, FORUM) and library.startswith("discord.py"):
            continue  # it takes them away, since they mean nothing there
        may_differ = says and explained["steps"][-1]["rule"] in rules_left_out(library, kind, bit)
        assert says == granted or may_differ, (member.name, kind, says, explained)
    return held
