"""Invites."""

from chatd.store.db import Row, Tx, cols, marks


class InviteRow(Row):
    code: str
    guild_id: int
    channel_id: int
    inviter_id: int | None
    created_ms: int
    max_age_s: int
    max_uses: int
    uses: int
    temporary: int


def insert(tx: Tx, invite: InviteRow) -> None:
    """Raises Conflict when the code is taken."""
    tx.run(
        f"INSERT INTO invites ({cols(InviteRow)}) VALUES ({marks(InviteRow)})",
        invite.code,
        invite.guild_id,
        invite.channel_id,
        invite.inviter_id,
        invite.created_ms,
        invite.max_age_s,
        invite.max_uses,
        invite.uses,
        invite.temporary,
    )


def get(tx: Tx, code: str) -> InviteRow | None:
    """Also when it has expired: see `is_live`."""
    return tx.row(InviteRow, f"SELECT {cols(InviteRow)} FROM invites WHERE code = ?", code)


def reusable(tx: Tx, like: InviteRow, now_ms: int) -> InviteRow | None:
    """An invite of the same inviter to the same channel with the same terms that is still as good as new."""
    found = tx.rows(
        InviteRow,
        f"SELECT {cols(InviteRow)} FROM invites WHERE channel_id = ? AND inviter_id = ? AND max_age_s = ?"
        " AND max_uses = ? AND temporary = ? AND uses = 0 ORDER BY created_ms DESC LIMIT 1",
        like.channel_id,
        like.inviter_id,
        like.max_age_s,
        like.max_uses,
        like.temporary,
    )
    return next((invite for invite in found if is_live(invite, now_ms)), None)


def nobodys(tx: Tx, channel_id: int) -> InviteRow | None:
    """The invite to the channel that no user has made: a widget's."""
    sql = f"SELECT {cols(InviteRow)} FROM invites WHERE channel_id = ? AND inviter_id IS NULL AND max_age_s = 0 LIMIT 1"
    return tx.row(InviteRow, sql, channel_id)


def of_guild(tx: Tx, guild_id: int) -> list[InviteRow]:
    """Oldest first, the expired ones among them."""
    sql = f"SELECT {cols(InviteRow)} FROM invites WHERE guild_id = ? ORDER BY created_ms"
    return tx.rows(InviteRow, sql, guild_id)


def delete(tx: Tx, code: str) -> bool:
    """False when there is none."""
    return bool(tx.run("DELETE FROM invites WHERE code = ?", code))


def delete_expired(tx: Tx, now_ms: int) -> int:
    return tx.run("DELETE FROM invites WHERE max_age_s > 0 AND created_ms + max_age_s * 1000 <= ?", now_ms)


def use(tx: Tx, code: str) -> None:
    """Count one use; the last one allowed ends the invite."""
    tx.run("UPDATE invites SET uses = uses + 1 WHERE code = ?", code)
    tx.run("DELETE FROM invites WHERE code = ? AND max_uses > 0 AND uses >= max_uses", code)


def is_live(invite: InviteRow, now_ms: int) -> bool:
    return not invite.max_age_s or invite.created_ms + invite.max_age_s * 1000 > now_ms
