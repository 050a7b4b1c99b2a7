"""Roles."""

from msgspec.structs import asdict

from chatd.model.objects.role import Role, RoleExtra
from chatd.model.wire import Permissions, Snowflake, decoder
from chatd.store.db import Row, Tx, cols, marks
from chatd.store.rows import narrow, to_text


class RoleRow(Row):
    id: int
    guild_id: int
    name: str
    position: int
    permissions: int
    extra: str


_extra = decoder(RoleExtra)


def insert(tx: Tx, guild_id: int, role: Role) -> None:
    tx.run(
        f"INSERT INTO roles ({cols(RoleRow)}) VALUES ({marks(RoleRow)})",
        role.id,
        guild_id,
        role.name,
        role.position,
        role.permissions,
        to_text(narrow(role, RoleExtra)),
    )


def update(tx: Tx, role: Role) -> None:
    tx.run(
        "UPDATE roles SET name = ?, position = ?, permissions = ?, extra = ? WHERE id = ?",
        role.name,
        role.position,
        role.permissions,
        to_text(narrow(role, RoleExtra)),
        role.id,
    )


def delete(tx: Tx, role_id: int) -> None:
    """Delete a role, everywhere: members lose it, channels their overwrites for it."""
    tx.run("DELETE FROM overwrites WHERE target_id = ?", role_id)
    tx.run("DELETE FROM roles WHERE id = ?", role_id)


def of_guild(tx: Tx, guild_id: int) -> dict[int, Role]:
    found = tx.rows(RoleRow, f"SELECT {cols(RoleRow)} FROM roles WHERE guild_id = ?", guild_id)
    return {row.id: _role_from(row) for row in found}


def _role_from(row: RoleRow) -> Role:
    extra = _extra.decode(row.extra)
    return Role(
        id=Snowflake(row.id),
        name=row.name,
        position=row.position,
        permissions=Permissions(row.permissions),
        color=extra.colors.primary_color,
        **asdict(extra),
    )
