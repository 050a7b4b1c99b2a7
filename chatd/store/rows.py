"""What several query modules share: users as rows, and `extra` columns."""

from typing import TypeVar

from msgspec import UNSET

from chatd.model.objects.user import User, UserProfile
from chatd.model.wire import Object, Snowflake, decoder, encode
from chatd.store.db import Row, Tx, cols, marks

# Of the rows that stand for webhooks, which nobody finds as users.
WEBHOOK_DISCRIMINATOR = "0000"
IS_ACCOUNT = f"discriminator <> '{WEBHOOK_DISCRIMINATOR}'"


class UserRow(Row):
    id: int
    username: str
    discriminator: str
    bot: int
    extra: str


ObjectT = TypeVar("ObjectT", bound=Object)

_profile = decoder(UserProfile)


def user_from(row: UserRow) -> User:
    profile = _profile.decode(row.extra)
    return User(
        id=Snowflake(row.id),
        username=row.username,
        discriminator=row.discriminator,
        global_name=profile.global_name,
        avatar=profile.avatar,
        bot=True if row.bot else UNSET,  # Discord leaves it out for people
        banner=profile.banner,
        accent_color=profile.accent_color,
        flags=profile.flags,
        public_flags=profile.public_flags,
    )


def to_text(extra: Object) -> str:
    """An `extra` column's JSON."""
    return encode(extra).decode()


# Everything whose id the generator makes.
_TABLES = (
    "attachments",
    "audit_log_entries",
    "auto_moderation_rules",
    "channels",
    "emojis",
    "guilds",
    "logins",
    "messages",
    "roles",
    "scheduled_events",
    "stickers",
    "users",
)


# The position of what the journal holds until it is taken away (`journal.bar`): above every snowflake.
BAR = 2**63 - 1


def newest_id(tx: Tx) -> int:
    """The largest id in use, 0 when there is none: new ones must be above it, whatever the clock says."""
    journal = tx.scalar("SELECT MAX(position) FROM journal WHERE position < ?", BAR) or 0
    return max(journal, *(tx.scalar(f"SELECT MAX(id) FROM {table}") or 0 for table in _TABLES))


def narrow(whole: Object, part: type[ObjectT]) -> ObjectT:
    """The fields of `part` out of a Struct that has them all."""
    return part(**{name: getattr(whole, name) for name in part.__struct_fields__})


def users(tx: Tx, user_ids: tuple[int, ...]) -> dict[int, User]:
    """Those that exist, in the order asked for."""
    if not user_ids:
        return {}
    sql = f"SELECT {cols(UserRow)} FROM users WHERE id IN ({marks(len(user_ids))}) AND {IS_ACCOUNT}"
    found = {row.id: user_from(row) for row in tx.rows(UserRow, sql, *user_ids)}
    return {user_id: found[user_id] for user_id in user_ids if user_id in found}
