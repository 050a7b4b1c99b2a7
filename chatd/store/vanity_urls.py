"""Codes that guilds have chosen for an invite without end."""

from chatd.store.db import Row, Tx, cols


class VanityRow(Row):
    code: str
    guild_id: int
    uses: int


def get(tx: Tx, code: str) -> VanityRow | None:
    """Codes are found in any case."""
    return tx.row(VanityRow, f"SELECT {cols(VanityRow)} FROM vanity_urls WHERE code = ?", code.lower())


def of_guild(tx: Tx, guild_id: int) -> VanityRow | None:
    return tx.row(VanityRow, f"SELECT {cols(VanityRow)} FROM vanity_urls WHERE guild_id = ?", guild_id)


def put(tx: Tx, guild_id: int, code: str | None) -> None:
    """The guild's code from now on, None for none. Raises Conflict when another guild has it."""
    tx.run("DELETE FROM vanity_urls WHERE guild_id = ?", guild_id)
    if code is not None:
        tx.run("INSERT INTO vanity_urls (code, guild_id, uses) VALUES (?, ?, 0)", code.lower(), guild_id)


def use(tx: Tx, code: str) -> None:
    """Count one use."""
    tx.run("UPDATE vanity_urls SET uses = uses + 1 WHERE code = ?", code.lower())
