"""Who may see who made an emoji or a sticker, and who may change it. Docs: resources/emoji, resources/sticker.

Memory holds of each what everybody may see; who made it the database says.
"""

from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import MISSING_PERMISSIONS
from chatd.model.objects.emoji import Emoji
from chatd.model.objects.sticker import Sticker
from chatd.model.objects.user import User
from chatd.service import access
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import expressions as store
from chatd.store.expressions import Table

E = TypeVar("E", Emoji, Sticker)

_EITHER = p.CREATE_GUILD_EXPRESSIONS | p.MANAGE_GUILD_EXPRESSIONS


async def with_makers(core: Core, me: Actor, guild: GuildState, table: Table, found: Iterable[E]) -> list[E]:
    """With `user`, for an asker who may create or manage expressions."""
    shown = list(found)
    if not access.granted(core, guild, me.id) & _EITHER:
        return shown
    makers = await core.db.read(store.makers, table, [each.id for each in shown])
    return [replace(each, user=makers[each.id]) if each.id in makers else each for each in shown]


async def changeable(core: Core, me: Actor, guild: GuildState, table: Table, id_: int) -> User:
    """Who made it, when the asker may change it: its own with either permission, others' with MANAGE alone.

    The caller holds the guild's lock. Raises MISSING_PERMISSIONS.
    """
    maker = (await core.db.read(store.makers, table, [id_]))[id_]
    needed = _EITHER if maker.id == me.id else p.MANAGE_GUILD_EXPRESSIONS
    if not access.granted(core, guild, me.id) & needed:
        raise MISSING_PERMISSIONS()
    return maker
