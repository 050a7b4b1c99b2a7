"""Which custom emojis somebody may use where. Docs: resources/emoji, topics/permissions (USE_EXTERNAL_EMOJIS)."""

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import MISSING_PERMISSIONS
from chatd.model.objects.emoji import Emoji
from chatd.service import access
from chatd.service.access import GuildPlace, Here
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import emojis as store


async def find(core: Core, me: Actor, here: Here, emoji_id: int) -> Emoji | None:
    """The emoji, None where the user has no such. Those of the guild itself are in memory.

    Raises MISSING_PERMISSIONS for one of another guild that is not for here.
    """
    if isinstance(here, GuildPlace) and (emoji := here.guild.emojis.get(emoji_id)) is not None:
        return emoji if _is_for(emoji, here.guild, me) else None
    home = await core.db.read(store.home, emoji_id)
    if home is None:
        return None
    if home.guild_id is None:
        return home.emoji if home.application_id == me.id else None
    if home.guild_id not in await access.load_memberships(core, me.id):
        return None
    guild = await access.load_guild(core, home.guild_id)
    if guild is None or not _is_for(home.emoji, guild, me):
        return None
    if not here.permissions & p.USE_EXTERNAL_EMOJIS:
        raise MISSING_PERMISSIONS()
    return home.emoji


def _is_for(emoji: Emoji, guild: GuildState, me: Actor) -> bool:
    """Some are for roles only, which webhooks have none of."""
    member = guild.members.get(me.id)
    return not emoji.roles or (member is not None and not set(emoji.roles).isdisjoint(member.roles))
