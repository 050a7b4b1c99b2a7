"""Guilds: list, show, join. Docs: resources/guild."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict, replace

from chatd.live.guilds import GuildState
from chatd.live.presence import update as presence_update
from chatd.live.sessions import Session
from chatd.model import intents, limits
from chatd.model.errors import UNKNOWN_GUILD
from chatd.model.intents import GATES
from chatd.model.objects.gateway import GuildMemberAdd
from chatd.model.objects.guild import (
    DISCOVERABLE,
    Guild,
    GuildCreate,
    GuildPreview,
    GuildView,
    Member,
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
    limit: Annotated[int, Meta(ge=1, le=200)] = limits.GUILDS_PER_PAGE
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


# --- what other services share ---------------------------------------------------------------------------------------


def joined(core: Core, guild: GuildState, member: Member) -> None:
    """After the commit of a new membership: everyone learns of the member, its sessions of the guild."""
    core.live.member_added(guild, member)
    event = GuildMemberAdd(guild_id=guild.guild.id, **asdict(member))
    core.live.to_guild(guild, "GUILD_MEMBER_ADD", event)
    for session in core.live.sessions.of_user(member.user.id):
        subscribe(core, session, guild)


def subscribe(core: Core, session: Session, guild: GuildState, unavailable: bool | UnsetType = UNSET) -> None:
    """Send the session a snapshot and everything after it. Nothing may come between the two: this does not await.

    `unavailable` is false for a guild that READY announced as unavailable, absent for one just joined.
    """
    if session in guild.sessions or not session.serves(guild.id):
        return
    if session.intents & GATES["GUILD_CREATE"][0]:
        core.live.push(session, "GUILD_CREATE", snapshot(core, session, guild, unavailable))
    guild.add_session(session)


def snapshot(core: Core, session: Session, guild: GuildState, unavailable: bool | UnsetType) -> GuildCreate:
    """The guild as the session's user sees it. Docs: events/gateway-events, "Guild Create"."""
    large = len(guild.members) > session.large_threshold
    me = guild.members[session.user.id]
    voice_states = guild.visible_voice(me.user.id) if session.intents & intents.GUILD_VOICE_STATES else ()
    # Without the presence intent, and of very large guilds, only the user and who is in voice, and no presences.
    in_voice = {me.user.id, *(state.user_id for state in voice_states)}
    listed: Sequence[Member] = [guild.members[id_] for id_ in in_voice if id_ in guild.members]
    with_presences = session.intents & intents.GUILD_PRESENCES and len(guild.members) <= limits.LISTED_MEMBERS
    if with_presences:
        everyone = guild.members.values()
        listed = [m for m in everyone if not large or m.user.id in in_voice or core.live.is_online(m.user.id)]
    return GuildCreate(
        **asdict(guild.guild),
        roles=guild.sorted_roles(),
        joined_at=me.joined_at,
        large=large,
        member_count=len(guild.members),
        members=tuple(listed),
        channels=guild.visible_channels(session.user.id),
        presences=tuple(
            presence_update(guild.id, m.user, core.live.presence_of(m.user.id))
            for m in listed
            if with_presences and core.live.is_online(m.user.id)
        ),
        unavailable=unavailable,
        voice_states=voice_states,
    )


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
