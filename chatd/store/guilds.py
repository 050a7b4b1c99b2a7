"""Guilds, and the one load of everything that a guild is made of."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import asdict

from chatd.model.objects.auto_moderation import AutoModerationRule
from chatd.model.objects.channel import FORUM_TYPES, Channel
from chatd.model.objects.emoji import Emoji
from chatd.model.objects.guild import Guild, GuildExtra, Member
from chatd.model.objects.role import Role
from chatd.model.objects.scheduled_event import ScheduledEvent
from chatd.model.objects.sticker import Sticker
from chatd.model.wire import Snowflake, decoder
from chatd.store import auto_moderation, channels, emojis, members, pins, roles, scheduled_events, stickers, threads
from chatd.store.db import Row, Tx, cols
from chatd.store.rows import narrow, to_text
from chatd.store.threads import LoadedThread


class GuildRow(Row):
    id: int
    owner_id: int
    name: str
    extra: str


class GuildId(Row):
    guild_id: int


class LoadedGuild(NamedTuple):
    guild: Guild
    roles: dict[int, Role]
    channels: dict[int, Channel]
    members: dict[int, Member]
    last_message_ids: dict[int, int]
    emojis: dict[int, Emoji]
    stickers: dict[int, Sticker]
    scheduled_events: dict[int, ScheduledEvent]
    last_pins: dict[int, int]
    auto_moderation: dict[int, AutoModerationRule]
    threads: Sequence[LoadedThread] = ()


_extra = decoder(GuildExtra)


def insert(tx: Tx, guild: Guild) -> None:
    tx.run(
        "INSERT INTO guilds (id, owner_id, name, extra) VALUES (?, ?, ?, ?)",
        guild.id,
        guild.owner_id,
        guild.name,
        to_text(narrow(guild, GuildExtra)),
    )


def update(tx: Tx, guild: Guild) -> None:
    tx.run(
        "UPDATE guilds SET owner_id = ?, name = ?, extra = ? WHERE id = ?",
        guild.owner_id,
        guild.name,
        to_text(narrow(guild, GuildExtra)),
        guild.id,
    )


def delete(tx: Tx, guild_id: int) -> None:
    """Delete the guild with everything in it."""
    tx.run("DELETE FROM guilds WHERE id = ?", guild_id)


def get(tx: Tx, guild_id: int) -> Guild | None:
    row = tx.row(GuildRow, f"SELECT {cols(GuildRow)} FROM guilds WHERE id = ?", guild_id)
    return None if row is None else guild_from(row)


def page(tx: Tx, after: int, limit: int) -> list[Guild]:
    """Oldest first, younger than `after`."""
    found = tx.rows(GuildRow, f"SELECT {cols(GuildRow)} FROM guilds WHERE id > ? ORDER BY id LIMIT ?", after, limit)
    return [guild_from(row) for row in found]


def ids_of_user(tx: Tx, user_id: int) -> list[int]:
    """The guilds that the user is a member of, oldest first."""
    found = tx.rows(GuildId, "SELECT guild_id FROM members WHERE user_id = ? ORDER BY guild_id", user_id)
    return [row.guild_id for row in found]


def load(tx: Tx, guild_id: int) -> LoadedGuild | None:
    """Everything that `live` keeps of a guild."""
    guild = get(tx, guild_id)
    if guild is None:
        return None
    found = channels.of_guild(tx, guild_id)
    forums = [channel.id for channel in found.values() if channel.type in FORUM_TYPES]
    return LoadedGuild(
        guild,
        roles.of_guild(tx, guild_id),
        found,
        members.of_guild(tx, guild_id),
        # Of a forum it is the youngest thread (topics/threads, "Forum and Media Channel Fields").
        channels.last_message_ids(tx, guild_id) | threads.newest_of_parents(tx, forums),
        emojis.of_guild(tx, guild_id),
        stickers.of_guild(tx, guild_id),
        scheduled_events.of_guild(tx, guild_id),
        pins.last_of_guild(tx, guild_id),
        auto_moderation.of_guild(tx, guild_id),
        threads.active(tx, guild_id),
    )


def guild_from(row: GuildRow) -> Guild:
    extra = _extra.decode(row.extra)
    return Guild(id=Snowflake(row.id), name=row.name, owner_id=Snowflake(row.owner_id), **asdict(extra))
