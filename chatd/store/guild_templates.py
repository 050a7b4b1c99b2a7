"""Templates of guilds."""

from chatd.model.objects.guild_template import SerializedGuild
from chatd.model.wire import decoder
from chatd.store.db import Row, Tx, cols, marks


class TemplateRow(Row):
    code: str
    guild_id: int
    name: str
    description: str | None
    usage_count: int
    creator_id: int
    created_ms: int
    updated_ms: int
    guild: str


decode = decoder(SerializedGuild).decode  # of the column `guild`


def insert(tx: Tx, row: TemplateRow) -> None:
    """Raises Conflict when the guild has one."""
    values = [getattr(row, name) for name in row.__struct_fields__]
    tx.run(f"INSERT INTO guild_templates ({cols(TemplateRow)}) VALUES ({marks(TemplateRow)})", *values)


def get(tx: Tx, code: str) -> TemplateRow | None:
    return tx.row(TemplateRow, f"SELECT {cols(TemplateRow)} FROM guild_templates WHERE code = ?", code)


def of_guild(tx: Tx, guild_id: int) -> TemplateRow | None:
    return tx.row(TemplateRow, f"SELECT {cols(TemplateRow)} FROM guild_templates WHERE guild_id = ?", guild_id)


def update(tx: Tx, row: TemplateRow) -> None:
    """Store name, description and the copy of the guild."""
    tx.run(
        "UPDATE guild_templates SET name = ?, description = ?, updated_ms = ?, guild = ? WHERE code = ?",
        row.name,
        row.description,
        row.updated_ms,
        row.guild,
        row.code,
    )


def use(tx: Tx, code: str) -> None:
    """Count one use."""
    tx.run("UPDATE guild_templates SET usage_count = usage_count + 1 WHERE code = ?", code)


def delete(tx: Tx, code: str) -> None:
    tx.run("DELETE FROM guild_templates WHERE code = ?", code)
