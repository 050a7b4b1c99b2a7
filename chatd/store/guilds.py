"""Guilds, and the one load of everything that a guild is made of."""

from typing import NamedTuple

from msgspec.structs import asdict

from chatd.model.objects.channel import Channel
from chatd.model.objects.guild import Guild, GuildExtra, Member
from chatd.model.objects.role import Role
from chatd.model.objects.scheduled_event import ScheduledEvent
from chatd.model.wire import Snowflake, decoder
from chatd.store import channels, members, pins, roles, scheduled_events
from chatd.store.db import Row, Tx, cols
from chatd.store.rows import narrow, to_text


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
    scheduled_events: dict[int, ScheduledEvent]
    last_pins: dict[int, int]


_extra = decoder(GuildExtra)


def insert(tx: Tx, guild: Guild) -> None:
    tx.run(
        "INSERT INTO guilds (id, owner_id, name, extra) VALUES (?, ?, ?, ?)",
        guild.id,
        guild.owner_id,
        guild.name,
        to_text(narrow(guild, GuildExtra)),
    )


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
    return LoadedGuild(
        guild,
        roles.of_guild(tx, guild_id),
        channels.of_guild(tx, guild_id),
        members.of_guild(tx, guild_id),
        channels.last_message_ids(tx, guild_id),
        scheduled_events.of_guild(tx, guild_id),
        pins.last_of_guild(tx, guild_id),
    )


def guild_from(row: GuildRow) -> Guild:
    extra = _extra.decode(row.extra)
    return Guild(id=Snowflake(row.id), name=row.name, owner_id=Snowflake(row.owner_id), **asdict(extra))
