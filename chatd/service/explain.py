"""Why can't I? The steps by which a member has or lacks a permission. Ours: Discord answers no such question."""

from collections.abc import Sequence

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.explanation import NAMES, Step, explain
from chatd.model.objects.channel import ChannelType, Overwrite
from chatd.model.objects.thread import Thread
from chatd.model.validate import form_error
from chatd.model.wire import UNSET, Object, Params, Snowflake, UnsetType
from chatd.service import access
from chatd.service.access import GuildPlace, ThreadPlace
from chatd.service.actors import Actor
from chatd.service.core import Core


class ExplainQuery(Params, kw_only=True):
    """`permission` is a name (SEND_MESSAGES) or the number of one bit (2048)."""

    permission: str
    channel_id: Snowflake | UnsetType = UNSET


class Explanation(Object, frozen=True, kw_only=True):
    """`steps` are those rules that had a say, in their order; the last one decides."""

    permission: str
    granted: bool
    steps: tuple[Step, ...]


async def mine(core: Core, me: Actor, guild_id: Snowflake, query: ExplainQuery) -> Explanation:
    """The asker's own permission, in the guild or in one of its channels, even one that it does not see.

    Raises UNKNOWN_GUILD, a form error for an unknown permission or channel.
    """
    guild = await access.guild(core, me, guild_id)
    names = {bit: name for name, bit in NAMES.items()}
    bit = int(query.permission) if query.permission.isdecimal() else NAMES.get(query.permission.upper(), 0)
    if bit not in names:
        raise form_error("permission", "BASE_TYPE_CHOICES", "Not a permission")
    here = None if query.channel_id is UNSET else await _place(core, guild, query.channel_id)
    member = guild.members[me.id]
    steps = explain(
        bit,
        user_id=me.id,
        is_owner=guild.guild.owner_id == me.id,
        everyone=guild.roles[guild.id],
        roles=[guild.roles[role_id] for role_id in member.roles if role_id in guild.roles],
        overwrites=None if here is None else _overwrites(here),
        channel_kind=ChannelType.GUILD_TEXT if here is None else here.channel.type,
        is_in_thread=not isinstance(here, ThreadPlace) or me.id in here.state.members,
        is_timed_out=guild.is_timed_out(me.id, core.clock_ms()),
    )
    granted = bool(access.granted(core, guild, me.id, 0 if here is None else here.id) & bit & p.ALL)
    return Explanation(permission=names[bit], granted=granted, steps=tuple(steps))


async def _place(core: Core, guild: GuildState, channel_id: int) -> GuildPlace:
    found = await access.load_place(core, guild, channel_id)
    if found is None:
        raise form_error("channel_id", "INVALID_CHANNEL", "Not a channel of this guild")
    return found


def _overwrites(here: GuildPlace) -> Sequence[Overwrite]:
    """A thread has its parent's."""
    channel = here.channel
    return (here.guild.channels[channel.parent_id] if isinstance(channel, Thread) else channel).permission_overwrites
