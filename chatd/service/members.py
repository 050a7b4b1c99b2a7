"""Members of guilds: list, search, show. Docs: resources/guild. How they change is `member_edits`' business."""

import itertools
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta
from msgspec.structs import asdict

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model.errors import MISSING_ACCESS, UNKNOWN_MEMBER
from chatd.model.intents import GUILD_MEMBERS
from chatd.model.objects.application import INTENT_FLAGS
from chatd.model.objects.gateway import GuildMemberAdd
from chatd.model.objects.guild import Member
from chatd.model.wire import Params, Snowflake
from chatd.service import access, sight
from chatd.service.actors import Actor
from chatd.service.core import Core


class MembersQuery(Params):
    """List Guild Members."""

    limit: Annotated[int, Meta(ge=1, le=limits.MEMBERS_PER_PAGE)] = 1
    after: Snowflake = Snowflake(0)


class SearchQuery(Params):
    """Search Guild Members."""

    query: Annotated[str, Meta(min_length=1, max_length=100)]
    limit: Annotated[int, Meta(ge=1, le=limits.MEMBERS_PER_PAGE)] = 1


async def page(core: Core, me: Actor, guild_id: Snowflake, query: MembersQuery) -> list[Member]:
    """By user id, those above `after`. Docs: resources/guild, "List Guild Members".

    A bot needs the privileged intent GUILD_MEMBERS, else MISSING_ACCESS.
    """
    guild = await access.guild(core, me, guild_id)
    if me.application_flags is not None and not me.application_flags & INTENT_FLAGS[GUILD_MEMBERS]:
        raise MISSING_ACCESS()
    ids = sorted(user_id for user_id in guild.members if user_id > query.after)
    return [guild.members[user_id] for user_id in ids[: query.limit]]


async def search(core: Core, me: Actor, guild_id: Snowflake, query: SearchQuery) -> list[Member]:
    """Those whose user name, display name or nickname begins with the text. Docs: "Search Guild Members"."""
    guild = await access.guild(core, me, guild_id)
    wanted = query.query.casefold()
    found = (
        member
        for member in guild.members.values()
        if any(name and name.casefold().startswith(wanted) for name in _names(member))
    )
    return list(itertools.islice(found, query.limit))


async def show(core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake) -> Member:
    """Docs: resources/guild, "Get Guild Member"."""
    return find(await access.guild(core, me, guild_id), user_id)


# --- what other services share ---------------------------------------------------------------------------------------


def find(guild: GuildState, user_id: int) -> Member:
    """Raises UNKNOWN_MEMBER."""
    found = guild.members.get(user_id)
    if found is None:
        raise UNKNOWN_MEMBER()
    return found


async def mine(core: Core, me: Actor, guild_id: Snowflake) -> Member:
    """Docs: resources/user, "Get Current User Guild Member"."""
    return (await access.guild(core, me, guild_id)).members[me.id]


def updated(core: Core, guild: GuildState, member: Member) -> None:
    """After the commit of a change to a membership or its user: the member as it is now takes the old one's place.

    Who hears of it: sessions with the intent GUILD_MEMBERS, and the member's own, which also learn what they see now.
    """
    old = guild.members[member.user.id]
    event = GuildMemberAdd(guild_id=guild.guild.id, **asdict(member))
    if member.roles == old.roles:
        guild.put_member(member)
        core.live.to_guild_and_member(guild, "GUILD_MEMBER_UPDATE", event, member.user.id)
        return
    seen = sight.before(guild, member.user.id)
    guild.put_member(member)
    guild.member_changed(member.user.id)
    core.live.to_guild_and_member(guild, "GUILD_MEMBER_UPDATE", event, member.user.id)
    sight.tell(core, seen)


def _names(member: Member) -> Iterable[str | None]:
    return member.nick, member.user.global_name, member.user.username
