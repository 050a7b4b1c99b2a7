"""Stickers of guilds: list, show, create, edit, delete. Docs: resources/sticker. There are no standard stickers."""

from typing import NoReturn

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import STICKER_TOO_LONG, TOO_MANY_STICKERS, UNKNOWN_STICKER, UNKNOWN_STICKER_PACK
from chatd.model.images import STICKERS
from chatd.model.objects.audit_log import AuditLogEvent
from chatd.model.objects.sticker import (
    GuildStickersUpdate,
    Sticker,
    StickerCreate,
    StickerFormat,
    StickerPacks,
    StickerPatch,
)
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log, expressions, images
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.pixels import Info
from chatd.store import stickers as store

# By a file's format, and whether it moves. What does not is fetched as PNG, whatever it was.
_FORMATS = {
    ("png", False): StickerFormat.PNG,
    ("png", True): StickerFormat.APNG,
    ("gif", False): StickerFormat.PNG,
    ("gif", True): StickerFormat.GIF,
}


async def show(core: Core, me: Actor, sticker_id: Snowflake) -> Sticker:
    """Of any guild: whoever got it in a message may ask. Docs: resources/sticker, "Get Sticker".

    Raises UNKNOWN_STICKER.
    """
    found = await core.db.read(store.get, sticker_id)
    if found is None:
        raise UNKNOWN_STICKER()
    return found


async def packs(core: Core) -> StickerPacks:
    """Docs: resources/sticker, "List Sticker Packs"."""
    return StickerPacks()


async def pack(core: Core, me: Actor, pack_id: Snowflake) -> NoReturn:
    """Docs: resources/sticker, "Get Sticker Pack". Raises UNKNOWN_STICKER_PACK."""
    raise UNKNOWN_STICKER_PACK()


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[Sticker]:
    """Docs: resources/sticker, "List Guild Stickers"."""
    guild = await access.guild(core, me, guild_id)
    return await expressions.with_makers(core, me, guild, "stickers", guild.stickers.values())


async def show_of_guild(core: Core, me: Actor, guild_id: Snowflake, sticker_id: Snowflake) -> Sticker:
    """Docs: resources/sticker, "Get Guild Sticker". Raises UNKNOWN_STICKER."""
    guild = await access.guild(core, me, guild_id)
    [shown] = await expressions.with_makers(core, me, guild, "stickers", [_find(guild, sticker_id)])
    return shown


async def create(core: Core, me: Actor, guild_id: Snowflake, body: StickerCreate, reason: str | None) -> Sticker:
    """Docs: resources/sticker, "Create Guild Sticker".

    Raises MISSING_PERMISSIONS, TOO_MANY_STICKERS, STICKER_TOO_LONG or a form error.
    """
    guild = await access.guild(core, me, guild_id, p.CREATE_GUILD_EXPRESSIONS)
    id_ = Snowflake(core.ids.next())
    # Before the lock: it takes longer than anybody may hold that.
    format_ = await images.store_file(core, STICKERS, id_, body.file, "file", _format)
    async with guild.lock:
        guild = await access.guild(core, me, guild_id, p.CREATE_GUILD_EXPRESSIONS)
        if len(guild.stickers) >= limits.GUILD_STICKERS:
            raise TOO_MANY_STICKERS()
        sticker = Sticker(
            id=id_,
            name=body.name,
            guild_id=guild.guild.id,
            description=body.description,
            tags=body.tags,
            format_type=int(format_),
        )
        entries = [audit_log.created(me, AuditLogEvent.STICKER_CREATE, id_, sticker, reason)]
        await audit_log.change(
            core, guild, entries, store.insert, sticker, me.id, then=lambda _: _put(core, guild, sticker)
        )
    return replace(sticker, user=me.user)


async def edit(
    core: Core, me: Actor, guild_id: Snowflake, sticker_id: Snowflake, body: StickerPatch, reason: str | None
) -> Sticker:
    """Docs: resources/sticker, "Modify Guild Sticker". Raises UNKNOWN_STICKER, MISSING_PERMISSIONS."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        old = _find(guild, sticker_id)
        maker = await expressions.changeable(core, me, guild, "stickers", sticker_id)
        given = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
        new = replace(old, **given)
        entries = audit_log.updated(me, AuditLogEvent.STICKER_UPDATE, sticker_id, old, new, reason)
        await audit_log.change(core, guild, entries, store.update, new, then=lambda _: _put(core, guild, new))
    return replace(new, user=maker)


async def delete(core: Core, me: Actor, guild_id: Snowflake, sticker_id: Snowflake, reason: str | None) -> None:
    """Docs: resources/sticker, "Delete Guild Sticker". Raises UNKNOWN_STICKER, MISSING_PERMISSIONS."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        gone = _find(guild, sticker_id)
        await expressions.changeable(core, me, guild, "stickers", sticker_id)
        entries = [audit_log.deleted(me, AuditLogEvent.STICKER_DELETE, sticker_id, gone, reason)]
        await audit_log.change(
            core, guild, entries, store.delete, sticker_id, then=lambda _: _drop(core, guild, sticker_id)
        )


def _find(guild: GuildState, sticker_id: int) -> Sticker:
    found = guild.stickers.get(sticker_id)
    if found is None:
        raise UNKNOWN_STICKER()
    return found


def _format(file: Info) -> StickerFormat:
    """Raises a form error, STICKER_TOO_LONG. Lottie files, which are JSON, are refused before: they are no image."""
    found = _FORMATS.get((file.format, file.animated))
    if found is None:
        raise form_error("file", "IMAGE_INVALID", "Stickers are PNG, APNG or GIF files.")
    if max(file.width, file.height) > limits.STICKER_PIXELS:
        message = f"Stickers are {limits.STICKER_PIXELS} by {limits.STICKER_PIXELS} pixels at most."
        raise form_error("file", "IMAGE_DIMENSIONS_INVALID", message)
    if file.duration_ms > limits.STICKER_ANIMATION_S * 1000:
        raise STICKER_TOO_LONG()
    return found


# --- what follows a commit -------------------------------------------------------------------------------------------


def _put(core: Core, guild: GuildState, sticker: Sticker) -> None:
    guild.stickers[sticker.id] = sticker
    _tell(core, guild)


def _drop(core: Core, guild: GuildState, sticker_id: int) -> None:
    del guild.stickers[sticker_id]
    _tell(core, guild)


def _tell(core: Core, guild: GuildState) -> None:
    event = GuildStickersUpdate(guild_id=guild.guild.id, stickers=tuple(guild.stickers.values()))
    core.live.to_guild(guild, "GUILD_STICKERS_UPDATE", event)
