"""Who has joined by an invite that grants temporary membership leaves with the last session, unless there is a role.

Docs: resources/invite, `temporary`. A server that ends between the two forgets it, and the member leaves after another
session.
"""

from itertools import islice

from chatd.service import access, membership
from chatd.service.core import Core
from chatd.store import temporary_members as store

# Users looked up at a time; the others wait for the next round.
BATCH = 500


async def remove_departed(core: Core) -> None:
    """Those of whom a session has ended since the last round."""
    departed = tuple(islice(core.live.departed, BATCH))
    if not departed:
        return
    core.live.departed.difference_update(departed)
    for row in await core.db.read(store.of_users, departed):
        guild = await access.load_guild(core, row.guild_id)
        if guild is None:
            continue
        async with guild.lock:
            member = guild.members.get(row.user_id)
            if member is not None and not member.roles and not any(core.live.sessions.of_user(row.user_id)):
                await membership.end(core, guild, [row.user_id])
