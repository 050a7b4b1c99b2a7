"""Channels of guilds with their overwrites, and direct channels."""

from typing import NamedTuple

from msgspec.structs import asdict

from chatd.model.objects.channel import DEFAULTS, Channel, ChannelExtra, ChannelType, Overwrite
from chatd.model.objects.user import User
from chatd.model.wire import Permissions, Snowflake, decoder
from chatd.store.db import Row, Tx, cols
from chatd.store.rows import narrow, to_text, users


class ChannelRow(Row):
    id: int
    guild_id: int
    type: int
    name: str
    position: int
    parent_id: int | None
    extra: str


class OverwriteRow(Row):
    channel_id: int
    target_id: int
    type: int
    allow: int
    deny: int


class ChannelKey(Row):
    """Where a channel belongs; a direct channel has no guild."""

    id: int
    guild_id: int | None


class LastMessage(Row):
    channel_id: int
    message_id: int | None


class DirectRow(Row):
    channel_id: int
    low_user_id: int
    high_user_id: int
    last_message_id: int | None
    blocks: int
    last_pin_ms: int | None


class LoadedDirect(NamedTuple):
    """What `live` keeps of a direct channel."""

    users: dict[int, User]
    last_message_id: int | None
    is_blocked: bool
    last_pin_ms: int | None


_extra = decoder(ChannelExtra)

# What is no thread: those are in `threads`.
_LISTED = f"IN ({', '.join(str(int(kind)) for kind in ChannelType if kind in DEFAULTS)})"


def insert(tx: Tx, channel: Channel) -> None:
    tx.run(
        "INSERT INTO channels (id, guild_id, type, name, position, parent_id, extra) VALUES (?, ?, ?, ?, ?, ?, ?)",
        channel.id,
        channel.guild_id,
        channel.type,
        channel.name,
        channel.position,
        channel.parent_id,
        to_text(narrow(channel, ChannelExtra)),
    )
    _insert_overwrites(tx, channel)


def update(tx: Tx, channel: Channel) -> None:
    tx.run(
        "UPDATE channels SET type = ?, name = ?, position = ?, parent_id = ?, extra = ? WHERE id = ?",
        channel.type,
        channel.name,
        channel.position,
        channel.parent_id,
        to_text(narrow(channel, ChannelExtra)),
        channel.id,
    )
    tx.run("DELETE FROM overwrites WHERE channel_id = ?", channel.id)
    _insert_overwrites(tx, channel)


def delete(tx: Tx, channel_id: int) -> None:
    """Delete a guild's channel with its invites and threads; a category's channels stay, without it. The messages go
    later (`discarded`).
    """
    tx.run("DELETE FROM channels WHERE id IN (SELECT channel_id FROM threads WHERE parent_id = ?)", channel_id)
    tx.run("UPDATE channels SET parent_id = NULL WHERE parent_id = ?", channel_id)
    tx.run("DELETE FROM channels WHERE id = ?", channel_id)


def key(tx: Tx, channel_id: int) -> ChannelKey | None:
    return tx.row(ChannelKey, "SELECT id, guild_id FROM channels WHERE id = ?", channel_id)


def of_guild(tx: Tx, guild_id: int) -> dict[int, Channel]:
    overwrites: dict[int, list[Overwrite]] = {}
    for row in tx.rows(
        OverwriteRow,
        f"SELECT {cols(OverwriteRow, 'o')} FROM overwrites o JOIN channels c ON c.id = o.channel_id"
        f" WHERE c.guild_id = ? AND c.type {_LISTED} ORDER BY o.channel_id, o.target_id",
        guild_id,
    ):
        overwrites.setdefault(row.channel_id, []).append(
            Overwrite(
                id=Snowflake(row.target_id), type=row.type, allow=Permissions(row.allow), deny=Permissions(row.deny)
            )
        )
    found = tx.rows(
        ChannelRow,
        f"SELECT {cols(ChannelRow)} FROM channels WHERE guild_id = ? AND type {_LISTED} ORDER BY id",
        guild_id,
    )
    return {row.id: _channel_from(row, tuple(overwrites.get(row.id, ()))) for row in found}


def last_message_ids(tx: Tx, guild_id: int) -> dict[int, int]:
    """Channel -> its newest message, for those that have one."""
    found = tx.rows(
        LastMessage,
        "SELECT c.id, (SELECT MAX(m.id) FROM messages m WHERE m.channel_id = c.id)"
        f" FROM channels c WHERE c.guild_id = ? AND c.type {_LISTED}",
        guild_id,
    )
    return {row.channel_id: row.message_id for row in found if row.message_id is not None}


# --- direct channels -------------------------------------------------------------------------------------------

_DIRECTS = (
    "SELECT d.channel_id, d.low_user_id, d.high_user_id,"
    " (SELECT MAX(m.id) FROM messages m WHERE m.channel_id = d.channel_id),"
    " (SELECT COUNT(*) FROM relationships r WHERE r.type = 2 AND (r.user_id, r.other_id) IN"
    " ((d.low_user_id, d.high_user_id), (d.high_user_id, d.low_user_id))),"
    " (SELECT MAX(m.pinned_ms) FROM messages m WHERE m.channel_id = d.channel_id AND m.pinned_ms IS NOT NULL)"
    " FROM direct_channels d "
)


def direct(tx: Tx, channel_id: int) -> LoadedDirect | None:
    row = tx.row(DirectRow, _DIRECTS + "WHERE d.channel_id = ?", channel_id)
    if row is None:
        return None
    people = users(tx, (row.low_user_id, row.high_user_id))
    return LoadedDirect(people, row.last_message_id, row.blocks > 0, row.last_pin_ms)


def directs_of(tx: Tx, user_id: int) -> list[int]:
    """The user's direct channels."""
    found = tx.rows(
        ChannelKey,
        "SELECT channel_id, NULL FROM direct_channels WHERE low_user_id = ?"
        " UNION SELECT channel_id, NULL FROM direct_channels WHERE high_user_id = ?",
        user_id,
        user_id,
    )
    return [row.id for row in found]


def direct_between(tx: Tx, one: int, other: int) -> int | None:
    """The id of the channel between two users."""
    low, high = sorted((one, other))
    found = tx.scalar("SELECT channel_id FROM direct_channels WHERE low_user_id = ? AND high_user_id = ?", low, high)
    return None if found is None else int(found)


def open_direct(tx: Tx, one: int, other: int, new_id: int) -> int:
    """The id of the channel between two users; it is made, with `new_id`, when there is none."""
    found = direct_between(tx, one, other)
    if found is not None:
        return found
    low, high = sorted((one, other))
    tx.run(
        "INSERT INTO channels (id, guild_id, type, name, position, parent_id, extra)"
        " VALUES (?, NULL, ?, NULL, 0, NULL, '{}')",
        new_id,
        int(ChannelType.DM),
    )
    tx.run("INSERT INTO direct_channels (low_user_id, high_user_id, channel_id) VALUES (?, ?, ?)", low, high, new_id)
    return new_id


def _insert_overwrites(tx: Tx, channel: Channel) -> None:
    for overwrite in channel.permission_overwrites:
        tx.run(
            "INSERT INTO overwrites (channel_id, target_id, type, allow, deny) VALUES (?, ?, ?, ?, ?)",
            channel.id,
            overwrite.id,
            overwrite.type,
            overwrite.allow,
            overwrite.deny,
        )


def _channel_from(row: ChannelRow, overwrites: tuple[Overwrite, ...]) -> Channel:
    return Channel(
        id=Snowflake(row.id),
        type=row.type,
        guild_id=Snowflake(row.guild_id),
        position=row.position,
        permission_overwrites=overwrites,
        name=row.name,
        parent_id=None if row.parent_id is None else Snowflake(row.parent_id),
        last_message_id=None,
        **asdict(_extra.decode(row.extra)),
    )
