"""Custom emojis of guilds: list, show, create, edit, delete. Docs: resources/emoji."""

from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import TOO_MANY_ANIMATED_EMOJIS, TOO_MANY_EMOJIS, UNKNOWN_EMOJI, UNKNOWN_ROLE
from chatd.model.images import EMOJIS
from chatd.model.objects.audit_log import AuditLogEvent
from chatd.model.objects.emoji import Emoji, EmojiCreate, EmojiPatch, GuildEmojisUpdate
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log, expressions, images
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import emojis as store
from chatd.store.db import Tx


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[Emoji]:
    """Docs: resources/emoji, "List Guild Emojis"."""
    guild = await access.guild(core, me, guild_id)
    return await expressions.with_makers(core, me, guild, "emojis", guild.emojis.values())


async def show(core: Core, me: Actor, guild_id: Snowflake, emoji_id: Snowflake) -> Emoji:
    """Docs: resources/emoji, "Get Guild Emoji". Raises UNKNOWN_EMOJI."""
    guild = await access.guild(core, me, guild_id)
    emoji = _find(guild, emoji_id)
    [shown] = await expressions.with_makers(core, me, guild, "emojis", [emoji])
    may_manage = access.granted(core, guild, me.id) & p.MANAGE_GUILD_EXPRESSIONS
    is_own = shown.user is not UNSET and shown.user.id == me.id
    return shown if may_manage or is_own else emoji


async def create(core: Core, me: Actor, guild_id: Snowflake, body: EmojiCreate, reason: str | None) -> Emoji:
    """Docs: resources/emoji, "Create Guild Emoji".

    Raises MISSING_PERMISSIONS, UNKNOWN_ROLE, TOO_MANY_EMOJIS, TOO_MANY_ANIMATED_EMOJIS or a form error.
    """
    guild = await access.guild(core, me, guild_id, p.CREATE_GUILD_EXPRESSIONS)
    id_ = Snowflake(core.ids.next())
    hash_ = await images.store(core, EMOJIS, id_, body.image, "image")  # takes longer than anybody may hold the lock
    async with guild.lock:
        guild = await access.guild(core, me, guild_id, p.CREATE_GUILD_EXPRESSIONS)
        emoji = Emoji(id=id_, name=body.name, roles=_roles(guild, body.roles or ()), animated=hash_.startswith("a_"))
        _check_room(guild, emoji.animated)
        entries = [audit_log.created(me, AuditLogEvent.EMOJI_CREATE, emoji.id, emoji, reason)]
        await audit_log.change(
            core, guild, entries, _insert, guild.id, emoji, me.id, then=lambda _: _put(core, guild, emoji)
        )
    return replace(emoji, user=me.user)


async def edit(
    core: Core, me: Actor, guild_id: Snowflake, emoji_id: Snowflake, body: EmojiPatch, reason: str | None
) -> Emoji:
    """Docs: resources/emoji, "Modify Guild Emoji". Raises UNKNOWN_EMOJI, UNKNOWN_ROLE, MISSING_PERMISSIONS."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        old = _find(guild, emoji_id)
        maker = await expressions.changeable(core, me, guild, "emojis", emoji_id)
        new = old if body.name is UNSET else replace(old, name=body.name)
        if body.roles is not UNSET:
            new = replace(new, roles=_roles(guild, body.roles or ()))
        entries = audit_log.updated(me, AuditLogEvent.EMOJI_UPDATE, emoji_id, old, new, reason)
        await audit_log.change(core, guild, entries, store.update, new, then=lambda _: _put(core, guild, new))
    return replace(new, user=maker)


async def delete(core: Core, me: Actor, guild_id: Snowflake, emoji_id: Snowflake, reason: str | None) -> None:
    """Docs: resources/emoji, "Delete Guild Emoji". Raises UNKNOWN_EMOJI, MISSING_PERMISSIONS."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        gone = _find(guild, emoji_id)
        await expressions.changeable(core, me, guild, "emojis", emoji_id)
        entries = [audit_log.deleted(me, AuditLogEvent.EMOJI_DELETE, emoji_id, gone, reason)]
        await audit_log.change(
            core, guild, entries, store.delete, emoji_id, then=lambda _: _drop(core, guild, emoji_id)
        )


def _find(guild: GuildState, emoji_id: int) -> Emoji:
    found = guild.emojis.get(emoji_id)
    if found is None:
        raise UNKNOWN_EMOJI()
    return found


def _roles(guild: GuildState, wanted: Sequence[Snowflake]) -> tuple[Snowflake, ...]:
    if not guild.roles.keys() >= set(wanted):
        raise UNKNOWN_ROLE()
    return tuple(dict.fromkeys(wanted))


def _check_room(guild: GuildState, animated: bool) -> None:
    if sum(emoji.animated == animated for emoji in guild.emojis.values()) >= limits.GUILD_EMOJIS:
        raise TOO_MANY_ANIMATED_EMOJIS() if animated else TOO_MANY_EMOJIS()


# --- the commit, and what follows it ---------------------------------------------------------------------------------


def _insert(tx: Tx, guild_id: int, emoji: Emoji, user_id: int) -> None:
    store.insert(tx, emoji, user_id, guild_id=guild_id)


def _put(core: Core, guild: GuildState, emoji: Emoji) -> None:
    guild.emojis[emoji.id] = emoji
    _tell(core, guild)


def _drop(core: Core, guild: GuildState, emoji_id: int) -> None:
    del guild.emojis[emoji_id]
    _tell(core, guild)


def _tell(core: Core, guild: GuildState) -> None:
    event = GuildEmojisUpdate(guild_id=guild.guild.id, emojis=tuple(guild.emojis.values()))
    core.live.to_guild(guild, "GUILD_EMOJIS_UPDATE", event)
