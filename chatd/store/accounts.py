"""Users with their passwords, logins and refresh tokens. Of tokens only hashes are stored."""

from msgspec.structs import asdict

from chatd.model.objects.user import CurrentUser, User, UserProfile
from chatd.model.wire import Snowflake, decoder
from chatd.store.db import Row, Tx, cols
from chatd.store.rows import IS_ACCOUNT, UserRow, to_text, user_from


class AccountRow(UserRow):
    """A user with what only itself may see."""

    email: str | None
    disabled: int


class CredentialsRow(AccountRow):
    """An account as a login needs it."""

    hash: str | None  # None: nobody can log in with a password
    newest_login_id: int | None


class LoginRow(Row):
    id: int
    user_id: int
    created_ms: int
    expires_ms: int  # of the newest refresh token


class RefreshRow(AccountRow):
    """A refresh token with its login and account."""

    login_id: int
    used_ms: int | None
    expires_ms: int
    revoked_ms: int | None


_profile = decoder(UserProfile)


# --- users -----------------------------------------------------------------------------------------------------------


def insert_user(tx: Tx, user: User, email: str | None = None, password_hash: str | None = None) -> AccountRow:
    """A new person (a bot comes with its application: `applications.insert`).

    Name and e-mail address are in lower case. Raises Conflict when one of them is taken; `taken` tells which.
    """
    is_bot = user.bot is True
    account = tx.row(
        AccountRow,
        "INSERT INTO users (id, username, discriminator, login, email, bot, extra) VALUES (?, ?, ?, ?, ?, ?, ?)"
        f" RETURNING {cols(AccountRow)}",
        user.id,
        user.username,
        user.discriminator,
        None if is_bot else user.username,
        email,
        is_bot,
        to_text(UserProfile(global_name=user.global_name)),
    )
    assert account is not None, "INSERT returns its row"
    if password_hash is not None:
        tx.run("INSERT INTO passwords (user_id, hash) VALUES (?, ?)", user.id, password_hash)
    return account


def taken(tx: Tx, username: str, email: str | None) -> list[str]:
    """Which of "username" and "email" belong to an account."""
    columns = {"username": ("login", username), "email": ("email", email)}
    return [
        field
        for field, (column, value) in columns.items()
        if tx.scalar(f"SELECT 1 FROM users WHERE {column} = ?", value) is not None
    ]


def get(tx: Tx, user_id: int) -> AccountRow | None:
    return tx.row(AccountRow, f"SELECT {cols(AccountRow)} FROM users WHERE id = ? AND {IS_ACCOUNT}", user_id)


def update(tx: Tx, account: AccountRow, profile: UserProfile) -> AccountRow:
    """Store name and profile. Raises Conflict when a person's name is taken."""
    login = None if account.bot else account.username
    sql = f"UPDATE users SET username = ?, login = ?, extra = ? WHERE id = ? RETURNING {cols(AccountRow)}"
    updated = tx.row(AccountRow, sql, account.username, login, to_text(profile), account.id)
    assert updated is not None, "users are never deleted"
    return updated


def list_users(tx: Tx, after: int, limit: int) -> list[AccountRow]:
    """Oldest first, bots too, younger than `after`."""
    sql = f"SELECT {cols(AccountRow)} FROM users WHERE id > ? AND {IS_ACCOUNT} ORDER BY id LIMIT ?"
    return tx.rows(AccountRow, sql, after, limit)


def set_disabled(tx: Tx, user_id: int, disabled: bool) -> bool:
    """False when there is no such user. Disabling ends all logins for good."""
    if disabled:
        tx.run("DELETE FROM logins WHERE user_id = ?", user_id)
    return tx.run(f"UPDATE users SET disabled = ? WHERE id = ? AND {IS_ACCOUNT}", disabled, user_id) == 1


def profile_of(account: AccountRow) -> UserProfile:
    return _profile.decode(account.extra)


def current_user_from(account: AccountRow) -> CurrentUser:
    """The user as it sees itself."""
    return CurrentUser(
        id=Snowflake(account.id),
        username=account.username,
        discriminator=account.discriminator,
        bot=bool(account.bot),
        email=account.email,
        verified=bool(account.bot),  # nobody has checked a person's address
        **asdict(profile_of(account)),
    )


def id_of(tx: Tx, username: str) -> int | None:
    """The person of this name, in any case."""
    found = tx.scalar("SELECT id FROM users WHERE login = ?", username.lower())
    return None if found is None else int(found)


# --- logins ----------------------------------------------------------------------------------------------------------


def find_login(tx: Tx, name_or_email: str) -> CredentialsRow | None:
    """The person who logs in with this, in any case; usernames hold no @."""
    column = "email" if "@" in name_or_email else "login"
    return tx.row(
        CredentialsRow,
        f"SELECT {cols(AccountRow, 'u')}, p.hash, (SELECT MAX(l.id) FROM logins l WHERE l.user_id = u.id)"
        f" FROM users u LEFT JOIN passwords p ON p.user_id = u.id WHERE u.{column} = ?",
        name_or_email.lower(),
    )


def replace_password(tx: Tx, user_id: int, old_hash: str, new_hash: str) -> None:
    """Nothing happens when the password has been changed meanwhile."""
    tx.run("UPDATE passwords SET hash = ? WHERE user_id = ? AND hash = ?", new_hash, user_id, old_hash)


def insert_login(tx: Tx, login: LoginRow, refresh_hash: bytes) -> None:
    tx.run(
        "INSERT INTO logins (id, user_id, created_ms, expires_ms) VALUES (?, ?, ?, ?)",
        login.id,
        login.user_id,
        login.created_ms,
        login.expires_ms,
    )
    insert_refresh(tx, login.id, refresh_hash)


def revoke_login(tx: Tx, login_id: int, now_ms: int) -> None:
    tx.run("UPDATE logins SET revoked_ms = ? WHERE id = ? AND revoked_ms IS NULL", now_ms, login_id)


def by_login(tx: Tx, login_id: int, user_id: int) -> User | None:
    """The user, while the login is not revoked and the account not disabled."""
    row = tx.row(
        UserRow,
        f"SELECT {cols(UserRow, 'u')} FROM logins l JOIN users u ON u.id = l.user_id"
        " WHERE l.id = ? AND u.id = ? AND l.revoked_ms IS NULL AND u.disabled = 0",
        login_id,
        user_id,
    )
    return None if row is None else user_from(row)


def delete_expired_logins(tx: Tx, now_ms: int) -> int:
    """How many there were. Their refresh tokens go with them."""
    return tx.run("DELETE FROM logins WHERE expires_ms <= ?", now_ms)


# --- refresh tokens --------------------------------------------------------------------------------------------------


def insert_refresh(tx: Tx, login_id: int, refresh_hash: bytes) -> None:
    tx.run("INSERT INTO refresh_tokens (hash, login_id) VALUES (?, ?)", refresh_hash, login_id)


def find_refresh(tx: Tx, refresh_hash: bytes) -> RefreshRow | None:
    return tx.row(
        RefreshRow,
        f"SELECT {cols(AccountRow, 'u')}, l.id, r.used_ms, l.expires_ms, l.revoked_ms FROM refresh_tokens r"
        " JOIN logins l ON l.id = r.login_id JOIN users u ON u.id = l.user_id WHERE r.hash = ?",
        refresh_hash,
    )


def rotate(tx: Tx, login_id: int, used: bytes, following: bytes, now_ms: int, expires_ms: int) -> None:
    """Replace a refresh token by the following one, and prolong the login.

    Of tokens that were used longer ago than one lives nothing is kept.
    """
    tx.run("UPDATE refresh_tokens SET used_ms = ? WHERE hash = ? AND used_ms IS NULL", now_ms, used)
    oldest_ms = now_ms - (expires_ms - now_ms)
    tx.run("DELETE FROM refresh_tokens WHERE login_id = ? AND used_ms < ?", login_id, oldest_ms)
    insert_refresh(tx, login_id, following)
    tx.run("UPDATE logins SET expires_ms = ? WHERE id = ?", expires_ms, login_id)
