"""Stickers of guilds."""

from msgspec.structs import asdict

from chatd.model.objects.sticker import Sticker, StickerExtra
from chatd.model.wire import Snowflake, decoder
from chatd.store.db import Row, Tx, cols
from chatd.store.rows import narrow, to_text


class StickerRow(Row):
    id: int
    guild_id: int
    name: str
    extra: str


_extra = decoder(StickerExtra)


def insert(tx: Tx, sticker: Sticker, user_id: int) -> None:
    """`user_id`: who made it."""
    tx.run(
        "INSERT INTO stickers (id, guild_id, user_id, name, extra) VALUES (?, ?, ?, ?, ?)",
        sticker.id,
        sticker.guild_id,
        user_id,
        sticker.name,
        to_text(narrow(sticker, StickerExtra)),
    )


def update(tx: Tx, sticker: Sticker) -> None:
    tx.run(
        "UPDATE stickers SET name = ?, extra = ? WHERE id = ?",
        sticker.name,
        to_text(narrow(sticker, StickerExtra)),
        sticker.id,
    )


def delete(tx: Tx, sticker_id: int) -> None:
    tx.run("DELETE FROM stickers WHERE id = ?", sticker_id)


def get(tx: Tx, sticker_id: int) -> Sticker | None:
    row = tx.row(StickerRow, f"SELECT {cols(StickerRow)} FROM stickers WHERE id = ?", sticker_id)
    return None if row is None else _sticker_from(row)


def of_guild(tx: Tx, guild_id: int) -> dict[int, Sticker]:
    """Oldest first."""
    sql = f"SELECT {cols(StickerRow)} FROM stickers WHERE guild_id = ? ORDER BY id"
    return {row.id: _sticker_from(row) for row in tx.rows(StickerRow, sql, guild_id)}


def _sticker_from(row: StickerRow) -> Sticker:
    return Sticker(
        id=Snowflake(row.id),
        guild_id=Snowflake(row.guild_id),
        name=row.name,
        **asdict(_extra.decode(row.extra)),
    )
