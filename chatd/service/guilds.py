"""Guilds: list and show. Docs: resources/guild."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model.errors import UNKNOWN_GUILD
from chatd.model.objects.guild import (
    DISCOVERABLE,
    Guild,
    GuildPreview,
    GuildView,
    MyGuild,
)
from chatd.model.wire import Params, Permissions, Snowflake
from chatd.service import access
from chatd.service.actors import Actor
from chatd.service.core import Core


class GuildQuery(Params):
    with_counts: bool = False


class MyGuildsQuery(Params):
    """Get Current User Guilds."""

    before: Snowflake | UnsetType = UNSET
    after: Snowflake | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=limits.GUILDS_PER_PAGE)] = limits.GUILDS_PER_PAGE
    with_counts: bool = False


async def mine(core: Core, me: Actor, query: MyGuildsQuery) -> list[MyGuild]:
    """Oldest first. Docs: resources/user, "Get Current User Guilds"."""
    ids = sorted(await access.load_memberships(core, me.id))
    if query.before is not UNSET:
        ids = [id_ for id_ in ids if id_ < query.before][-query.limit :]
    elif query.after is not UNSET:
        ids = [id_ for id_ in ids if id_ > query.after]
    found = [await access.load_guild(core, id_) for id_ in ids[: query.limit]]
    return [_my_guild(core, me, guild, query.with_counts) for guild in found if guild is not None]


async def show(core: Core, me: Actor, guild_id: Snowflake, query: GuildQuery) -> GuildView:
    """Docs: resources/guild, "Get Guild"."""
    guild = await access.guild(core, me, guild_id)
    return _view(core, guild, query.with_counts)


async def preview(core: Core, me: Actor, guild_id: Snowflake) -> GuildPreview:
    """Docs: resources/guild, "Get Guild Preview". Raises UNKNOWN_GUILD unless it is the asker's or discoverable."""
    guild = await access.load_guild(core, guild_id)
    if guild is None or (me.id not in guild.members and DISCOVERABLE not in guild.guild.features):
        raise UNKNOWN_GUILD()
    shared = set(GuildPreview.__struct_fields__).intersection(Guild.__struct_fields__)
    shown: dict[str, Any] = {name: getattr(guild.guild, name) for name in shared}
    return GuildPreview(**shown | counts(core, guild))


# --- showing ---------------------------------------------------------------------------------------------------------


def _view(core: Core, guild: GuildState, with_counts: bool) -> GuildView:
    view = guild.view()
    return replace(view, **counts(core, guild)) if with_counts else view


def counts(core: Core, guild: GuildState) -> dict[str, int]:
    online = sum(1 for user_id in guild.members if core.live.is_online(user_id))
    return {"approximate_member_count": len(guild.members), "approximate_presence_count": online}


def _my_guild(core: Core, me: Actor, guild: GuildState, with_counts: bool) -> MyGuild:
    return MyGuild(
        id=guild.guild.id,
        name=guild.guild.name,
        icon=guild.guild.icon,
        banner=guild.guild.banner,
        owner=guild.guild.owner_id == me.id,
        permissions=Permissions(guild.permissions(me.id)),
        features=guild.guild.features,
        **(counts(core, guild) if with_counts else {}),
    )
