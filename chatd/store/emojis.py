"""Custom emojis, of guilds and of applications."""

from typing import NamedTuple

from msgspec.structs import asdict

from chatd.model.objects.emoji import Emoji, EmojiExtra
from chatd.model.wire import Snowflake, decoder
from chatd.store.db import Row, Tx, cols
from chatd.store.rows import narrow, to_text


class EmojiRow(Row):
    id: int
    name: str
    extra: str


class Home(NamedTuple):
    """An emoji and whose it is: a guild's or an application's."""

    emoji: Emoji
    guild_id: int | None
    application_id: int | None


class HomeRow(EmojiRow):
    guild_id: int | None
    application_id: int | None


_extra = decoder(EmojiExtra)


def insert(
    tx: Tx, emoji: Emoji, user_id: int, *, guild_id: int | None = None, application_id: int | None = None
) -> None:
    """Of the guild or the application, made by the user. Raises Missing when there is no such application."""
    tx.run(
        "INSERT INTO emojis (id, guild_id, application_id, user_id, name, extra) VALUES (?, ?, ?, ?, ?, ?)",
        emoji.id,
        guild_id,
        application_id,
        user_id,
        emoji.name,
        to_text(narrow(emoji, EmojiExtra)),
    )


def update(tx: Tx, emoji: Emoji) -> None:
    tx.run(
        "UPDATE emojis SET name = ?, extra = ? WHERE id = ?", emoji.name, to_text(narrow(emoji, EmojiExtra)), emoji.id
    )


def delete(tx: Tx, emoji_id: int) -> None:
    tx.run("DELETE FROM emojis WHERE id = ?", emoji_id)


def of_guild(tx: Tx, guild_id: int) -> dict[int, Emoji]:
    """Oldest first."""
    sql = f"SELECT {cols(EmojiRow)} FROM emojis WHERE guild_id = ? ORDER BY id"
    return {row.id: _emoji_from(row) for row in tx.rows(EmojiRow, sql, guild_id)}


def of_application(tx: Tx, application_id: int) -> dict[int, Emoji]:
    """Oldest first."""
    sql = f"SELECT {cols(EmojiRow)} FROM emojis WHERE application_id = ? ORDER BY id"
    return {row.id: _emoji_from(row) for row in tx.rows(EmojiRow, sql, application_id)}


def home(tx: Tx, emoji_id: int) -> Home | None:
    row = tx.row(HomeRow, f"SELECT {cols(HomeRow)} FROM emojis WHERE id = ?", emoji_id)
    return None if row is None else Home(_emoji_from(row), row.guild_id, row.application_id)


def get_of_application(tx: Tx, application_id: int, emoji_id: int) -> Emoji | None:
    sql = f"SELECT {cols(EmojiRow)} FROM emojis WHERE application_id = ? AND id = ?"
    row = tx.row(EmojiRow, sql, application_id, emoji_id)
    return None if row is None else _emoji_from(row)


def count_of_application(tx: Tx, application_id: int) -> int:
    return int(tx.scalar("SELECT COUNT(*) FROM emojis WHERE application_id = ?", application_id) or 0)


def _emoji_from(row: EmojiRow) -> Emoji:
    return Emoji(id=Snowflake(row.id), name=row.name, **asdict(_extra.decode(row.extra)))
