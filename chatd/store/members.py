"""Memberships and the roles of members."""

from msgspec.structs import asdict

from chatd.model.objects.guild import Member, MemberExtra
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake, decoder, parse_timestamp, timestamp
from chatd.store.db import Row, Tx
from chatd.store.rows import UserRow, narrow, to_text, user_from


class MemberRow(Row):
    """A membership with its user."""

    user_id: int
    username: str
    discriminator: str
    bot: int
    user_extra: str
    joined_ms: int
    extra: str


class MemberRole(Row):
    user_id: int
    role_id: int


_extra = decoder(MemberExtra)


def new(user: User, joined_ms: int, roles: tuple[int, ...] = ()) -> Member:
    """A member who has just joined."""
    return Member(
        user=user,
        roles=tuple(Snowflake(role_id) for role_id in roles),
        joined_at=timestamp(joined_ms),
        **asdict(MemberExtra()),
    )


def insert(tx: Tx, guild_id: int, member: Member) -> bool:
    """False, and no change, when the user is a member already."""
    added = tx.run(
        "INSERT INTO members (guild_id, user_id, joined_ms, extra) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (guild_id, user_id) DO NOTHING",
        guild_id,
        member.user.id,
        parse_timestamp(member.joined_at),
        to_text(narrow(member, MemberExtra)),
    )
    if not added:
        return False
    _insert_roles(tx, guild_id, member)
    return True


def update(tx: Tx, guild_id: int, member: Member) -> None:
    """Write what may change of a membership: its fields and its roles."""
    tx.run(
        "UPDATE members SET extra = ? WHERE guild_id = ? AND user_id = ?",
        to_text(narrow(member, MemberExtra)),
        guild_id,
        member.user.id,
    )
    tx.run("DELETE FROM member_roles WHERE guild_id = ? AND user_id = ?", guild_id, member.user.id)
    _insert_roles(tx, guild_id, member)


def delete(tx: Tx, guild_id: int, user_id: int) -> bool:
    """False when the user was no member."""
    return bool(tx.run("DELETE FROM members WHERE guild_id = ? AND user_id = ?", guild_id, user_id))


def of_guild(tx: Tx, guild_id: int) -> dict[int, Member]:
    """All members, by user id, oldest account first."""
    roles: dict[int, list[Snowflake]] = {}
    for held in tx.rows(
        MemberRole, "SELECT user_id, role_id FROM member_roles WHERE guild_id = ? ORDER BY user_id, role_id", guild_id
    ):
        roles.setdefault(held.user_id, []).append(Snowflake(held.role_id))
    found = tx.rows(
        MemberRow,
        "SELECT u.id, u.username, u.discriminator, u.bot, u.extra, m.joined_ms, m.extra"
        " FROM members m JOIN users u ON u.id = m.user_id WHERE m.guild_id = ? ORDER BY m.user_id",
        guild_id,
    )
    return {row.user_id: _member_from(row, tuple(roles.get(row.user_id, ()))) for row in found}


def _insert_roles(tx: Tx, guild_id: int, member: Member) -> None:
    rows = [(guild_id, member.user.id, role_id) for role_id in member.roles]
    tx.insert_many("member_roles", ("guild_id", "user_id", "role_id"), rows)


def _member_from(row: MemberRow, roles: tuple[Snowflake, ...]) -> Member:
    return Member(
        user=user_from(UserRow(row.user_id, row.username, row.discriminator, row.bot, row.user_extra)),
        roles=roles,
        joined_at=timestamp(row.joined_ms),
        **asdict(_extra.decode(row.extra)),
    )
