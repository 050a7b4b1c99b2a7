"""The code of its own that a guild may choose for an invite without end. Docs: resources/guild.

The invite itself is in `invites`, which finds it under the code.
"""

from functools import partial

from msgspec.structs import replace

from chatd.model import permissions as p
from chatd.model.errors import INVITE_CODE_TAKEN
from chatd.model.objects.guild import VanityUrl, VanityUrlPatch
from chatd.model.wire import Snowflake
from chatd.service import access, guild_settings
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import invites
from chatd.store import vanity_urls as store
from chatd.store.db import Conflict, Tx


async def show(core: Core, me: Actor, guild_id: Snowflake) -> VanityUrl:
    """Docs: resources/guild, "Get Guild Vanity URL"."""
    guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
    row = await core.db.read(store.of_guild, guild.id)
    return VanityUrl(code=guild.guild.vanity_url_code, uses=0 if row is None else row.uses)


async def edit(core: Core, me: Actor, guild_id: Snowflake, body: VanityUrlPatch, reason: str | None) -> VanityUrl:
    """Discord's client does this; it is not documented. Uses are counted anew for a new code.

    Raises MISSING_PERMISSIONS, INVITE_CODE_TAKEN.
    """
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id, p.MANAGE_GUILD)
        code = body.code or None
        if code != guild.guild.vanity_url_code:
            new = replace(guild.guild, vanity_url_code=code)
            try:
                await guild_settings.commit(core, me, guild, new, reason, also=partial(_put, guild_id, code))
            except Conflict:
                raise INVITE_CODE_TAKEN() from None
    return await show(core, me, guild_id)


def _put(guild_id: int, code: str | None, tx: Tx) -> None:
    if code is not None and invites.get(tx, code) is not None:
        raise INVITE_CODE_TAKEN()
    store.put(tx, guild_id, code)
