"""Accounts of people: register, log in, refresh, log out. Our own routes; Discord's are not documented.

A login is a family of refresh tokens. Each is for one use, and using one twice means that somebody has a copy: the
whole login is revoked. But a client whose answer was lost shows its token again at once, and within `GRACE_MS` gets a
second pair; without that, rotation logs honest users out.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from msgspec import UNSET

from chatd.model.errors import BOTS_CANNOT_USE_THIS, FORBIDDEN, UNAUTHORIZED, ApiError, invalid_form, rate_limited
from chatd.model.objects.account import Login, Refresh, Register, TokenPair
from chatd.model.objects.user import User
from chatd.model.ratelimit import Rule
from chatd.model.validate import FormErrors, form_error
from chatd.model.wire import Snowflake
from chatd.service import auth
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import accounts as store
from chatd.store.accounts import AccountRow, CredentialsRow, LoginRow, RefreshRow
from chatd.store.db import Conflict, Tx

GRACE_MS = 10_000

# Attempts under one name since its last login that succeeded.
GUESSES = Rule(10, 300.0)

_USERNAME = re.compile(r"[a-z0-9_.]{2,32}")
# Only a mail that arrives proves an address; this catches slips.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")

# field -> what is said when somebody has it already
_TAKEN = {
    "username": ("USERNAME_ALREADY_TAKEN", "Username is already taken."),
    "email": ("EMAIL_ALREADY_REGISTERED", "Email is already registered."),
}


async def register(core: Core, body: Register) -> TokenPair:
    """Make an account and log it in. Raises FORBIDDEN when registration is closed, INVALID_FORM_BODY."""
    if core.config.accounts.registration == "closed":
        raise FORBIDDEN()
    user_id = core.ids.next()
    new, refresh_token = _new_login(core, user_id)
    token_hash = auth.token_hash(refresh_token)
    account = await _create(core, user_id, body, lambda tx: store.insert_login(tx, new, token_hash))
    return _pair(core, account, new.id, refresh_token)


async def create(core: Core, body: Register) -> AccountRow:
    """Make an account, for whoever runs the server. Raises INVALID_FORM_BODY."""
    return await _create(core, core.ids.next(), body, lambda tx: None)


async def disable(core: Core, user_id: int) -> None:
    """End all logins and connections of the account, for good, and let nobody log in."""
    await core.db.write(store.set_disabled, user_id, True, then=lambda _: auth.end_user(core, user_id))


async def login(core: Core, body: Login) -> TokenPair:
    """Log in with a username or an e-mail address.

    An unknown account, a wrong password and a disabled account get the same INVALID_LOGIN after the same time.
    """
    name = next((text for text in (body.login, body.username, body.email) if text is not UNSET), None)
    if name is None:
        raise form_error("login", "BASE_TYPE_REQUIRED", "This field is required")
    found = await core.db.read(store.find_login, name)
    _count_guess(core, name, found)
    if found is None or found.hash is None:
        await core.passwords.verify_nobody(body.password)
        raise _invalid_login()
    if not await core.passwords.verify(found.hash, body.password) or found.disabled:
        raise _invalid_login()
    if core.passwords.needs_rehash(found.hash):
        new_hash = await core.passwords.hash(body.password)
        await core.db.write(store.replace_password, found.id, found.hash, new_hash)
    new, refresh_token = _new_login(core, found.id)
    await core.db.write(store.insert_login, new, auth.token_hash(refresh_token))
    return _pair(core, found, new.id, refresh_token)


async def refresh(core: Core, body: Refresh) -> TokenPair:
    """A new pair for a refresh token. Raises UNAUTHORIZED; for a token that was used before, revokes its login."""
    following = auth.new_refresh_token()
    now_ms = core.clock_ms()
    rotation = await core.db.write(
        _rotate,
        auth.token_hash(body.refresh_token),
        auth.token_hash(following),
        now_ms,
        now_ms + core.config.accounts.refresh_token_s * 1000,
        then=partial(_rotated, core),
    )
    if rotation.is_reuse:
        raise UNAUTHORIZED()
    return _pair(core, rotation.shown, rotation.shown.login_id, following)


async def logout(core: Core, me: Actor) -> None:
    """Revoke the login of the access token that was shown, and with it its refresh tokens."""
    if me.login_id is None:
        raise BOTS_CANNOT_USE_THIS()
    login_id = me.login_id
    await core.db.write(
        store.revoke_login, login_id, core.clock_ms(), then=lambda _: auth.end_login(core, me.id, login_id)
    )


def check_username(text: str) -> str:
    """A person's name as it is stored. Raises INVALID_FORM_BODY."""
    username = text.lower()
    if not _USERNAME.fullmatch(username):
        message = "Please only use numbers, letters, underscores _ , or periods ."
        raise form_error("username", "STRING_TYPE_REGEX", message)
    return username


async def raise_taken(core: Core, username: str, email: str | None) -> None:
    """After a Conflict: raises INVALID_FORM_BODY that names every field that is taken."""
    errors = FormErrors()
    for field in await core.db.read(store.taken, username, email):
        errors.add(field, *_TAKEN[field])
    errors.raise_if_any()


async def _create(core: Core, user_id: int, body: Register, also: Callable[[Tx], None]) -> AccountRow:
    """`also` is done in the same transaction."""
    username = check_username(body.username)
    email = None if body.email is None else body.email.lower()
    if email is not None and not _EMAIL.fullmatch(email):
        raise form_error("email", "EMAIL_TYPE_INVALID_EMAIL", "Not a well formed email address.")
    password_hash = await core.passwords.hash(body.password)
    user = User(id=Snowflake(user_id), username=username, discriminator="0")
    try:
        return await core.db.write(_insert, user, email, password_hash, also)
    except Conflict:
        await raise_taken(core, username, email)
        raise


def _count_guess(core: Core, name: str, found: CredentialsRow | None) -> None:
    """Limit attempts alike for names that have an account and names that have none.

    The key changes with each login that succeeds. Counted before the password is checked, so that guesses that are made
    side by side do not pass.
    """
    if not core.config.limits.rate_limits:
        return
    key = ("login", name.lower(), found and found.newest_login_id)
    verdict = core.limiter.hit(key, GUESSES, core.clock_ms() / 1000)
    if not verdict.allowed:
        raise rate_limited(verdict.reset_after_s)


def _invalid_login() -> ApiError:
    errors = FormErrors()
    for field in ("login", "password"):
        errors.add(field, "INVALID_LOGIN", "Login or password is invalid.")
    return invalid_form(errors.tree)


def _new_login(core: Core, user_id: int) -> tuple[LoginRow, str]:
    """A login and its first refresh token, neither of them stored yet."""
    now_ms = core.clock_ms()
    expires_ms = now_ms + core.config.accounts.refresh_token_s * 1000
    return LoginRow(core.ids.next(), user_id, now_ms, expires_ms), auth.new_refresh_token()


def _pair(core: Core, account: AccountRow, login_id: int, refresh_token: str) -> TokenPair:
    return TokenPair(
        user=store.current_user_from(account),
        access_token=auth.issue(core, account.id, login_id),
        refresh_token=refresh_token,
        expires_in=core.config.accounts.access_token_s,
    )


# --- each of these is one transaction, with its callback --------------------------------------------------------------


def _insert(tx: Tx, user: User, email: str | None, password_hash: str, also: Callable[[Tx], None]) -> AccountRow:
    account = store.insert_user(tx, user, email, password_hash)
    also(tx)
    return account


class _Rotation(NamedTuple):
    shown: RefreshRow
    is_reuse: bool  # the login is revoked now


def _rotate(tx: Tx, shown: bytes, following: bytes, now_ms: int, expires_ms: int) -> _Rotation:
    found = store.find_refresh(tx, shown)
    if found is None or found.revoked_ms is not None or found.expires_ms <= now_ms or found.disabled:
        raise UNAUTHORIZED()
    is_reuse = found.used_ms is not None and now_ms - found.used_ms > GRACE_MS
    if is_reuse:
        store.revoke_login(tx, found.login_id, now_ms)
    else:
        store.rotate(tx, found.login_id, shown, following, now_ms, expires_ms)
    return _Rotation(found, is_reuse)


def _rotated(core: Core, rotation: _Rotation) -> _Rotation:
    if rotation.is_reuse:
        auth.end_login(core, rotation.shown.id, rotation.shown.login_id)
    return rotation
