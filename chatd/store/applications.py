"""Applications with their bots. Of a bot's token only the hash is stored."""

from msgspec.structs import asdict

from chatd.model.objects.application import NEW_APPLICATION_FLAGS, Application, ApplicationExtra
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake, decoder
from chatd.store import accounts
from chatd.store.db import Row, Tx, cols
from chatd.store.rows import UserRow, to_text, user_from, users


class ApplicationRow(Row):
    id: int
    owner_id: int
    name: str
    flags: int
    extra: str


class BotRow(UserRow):
    """A bot's user with its application's flags."""

    application_flags: int


_extra = decoder(ApplicationExtra)


def insert(tx: Tx, bot: User, owner_id: int, extra: ApplicationExtra, token_hash: bytes | None = None) -> None:
    """A new bot and its application, which has the same id and name. Raises Missing when there is no such owner."""
    accounts.insert_user(tx, bot)
    tx.run(
        "INSERT INTO applications (id, owner_id, name, flags, token_hash, extra) VALUES (?, ?, ?, ?, ?, ?)",
        bot.id,
        owner_id,
        bot.username,
        NEW_APPLICATION_FLAGS,
        token_hash,
        to_text(extra),
    )


def get(tx: Tx, application_id: int) -> ApplicationRow | None:
    return tx.row(ApplicationRow, f"SELECT {cols(ApplicationRow)} FROM applications WHERE id = ?", application_id)


def of_owner(tx: Tx, owner_id: int) -> list[ApplicationRow]:
    """Oldest first."""
    sql = f"SELECT {cols(ApplicationRow)} FROM applications WHERE owner_id = ? ORDER BY id"
    return tx.rows(ApplicationRow, sql, owner_id)


def update(tx: Tx, row: ApplicationRow) -> None:
    """Store name, flags and extra."""
    tx.run(
        "UPDATE applications SET name = ?, flags = ?, extra = ? WHERE id = ?", row.name, row.flags, row.extra, row.id
    )


def set_token(tx: Tx, application_id: int, token_hash: bytes) -> None:
    tx.run("UPDATE applications SET token_hash = ? WHERE id = ?", token_hash, application_id)


def by_token(tx: Tx, token_hash: bytes) -> tuple[User, int] | None:
    """The bot with this token and its application's flags, while the bot is not disabled."""
    row = tx.row(
        BotRow,
        f"SELECT {cols(UserRow, 'u')}, a.flags FROM applications a JOIN users u ON u.id = a.id"
        " WHERE a.token_hash = ? AND u.disabled = 0",
        token_hash,
    )
    return None if row is None else (user_from(row), row.application_flags)


def extra_of(row: ApplicationRow) -> ApplicationExtra:
    return _extra.decode(row.extra)


def view(tx: Tx, row: ApplicationRow) -> Application:
    """The application as REST shows it."""
    found = users(tx, (row.owner_id, row.id))
    return Application(
        id=Snowflake(row.id),
        name=row.name,
        owner=found[row.owner_id],
        bot=found[row.id],
        flags=row.flags,
        flags_new=str(row.flags),
        approximate_guild_count=tx.scalar("SELECT COUNT(*) FROM members WHERE user_id = ?", row.id),
        **asdict(extra_of(row)),
    )
