"""Which stickers somebody may send where. Docs: resources/sticker, topics/permissions (USE_EXTERNAL_STICKERS)."""

from collections.abc import Sequence

from chatd.model import permissions as p
from chatd.model.errors import INVALID_STICKER, STICKER_NOT_ALLOWED
from chatd.model.objects.sticker import Sticker, StickerItem
from chatd.service import access
from chatd.service.access import GuildPlace, Here
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import stickers as store


async def chosen(core: Core, me: Actor, here: Here, sticker_ids: Sequence[int]) -> tuple[StickerItem, ...]:
    """As the message shows them, each once. Raises INVALID_STICKER, STICKER_NOT_ALLOWED."""
    found = [await _find(core, me, here, sticker_id) for sticker_id in dict.fromkeys(sticker_ids)]
    return tuple(StickerItem(id=it.id, name=it.name, format_type=it.format_type) for it in found)


async def _find(core: Core, me: Actor, here: Here, sticker_id: int) -> Sticker:
    """Those of the guild itself are in memory; of other guilds a sender has those that it is a member of."""
    sticker = here.guild.stickers.get(sticker_id) if isinstance(here, GuildPlace) else None
    is_external = sticker is None
    if sticker is None:
        sticker = await core.db.read(store.get, sticker_id)
    if sticker is None or not sticker.available:
        raise INVALID_STICKER()
    if is_external:
        is_member = sticker.guild_id in await access.load_memberships(core, me.id)
        if not (is_member and here.permissions & p.USE_EXTERNAL_STICKERS):
            raise STICKER_NOT_ALLOWED()
    return sticker
