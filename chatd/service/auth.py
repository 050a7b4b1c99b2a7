"""Tokens: making them, and finding the `Actor` behind one.

    kind      looks like                              lives                 kept as
    access    JWT: its login is the claim `sid`       minutes               nothing but its login
    refresh   32 random bytes                         days, for one use     SHA-256
    bot       base64url(user id).random.random        until it is reset     SHA-256

A fast hash is enough for tokens: they are random, and nobody can guess their way through 2**224 of them.
Passwords and the rotation of refresh tokens are `service.accounts`'s business.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal

import jwt
import msgspec

from chatd.live.sessions import Session
from chatd.model.errors import CLOSE_AUTHENTICATION_FAILED, UNAUTHORIZED
from chatd.model.wire import Object, Snowflake, convert
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import accounts, applications
from chatd.store.db import Tx

ALGORITHM = "HS256"

# Schemes of the Authorization header, in lower case; "" is a token by itself.
PEOPLES_SCHEMES = ("", "bearer")
BOTS_SCHEMES = ("bot",)


class Claims(Object, frozen=True, kw_only=True):
    """What an access token says. A token that lacks any of it, or has another `typ`, is none."""

    sub: Snowflake  # user
    sid: Snowflake  # login
    iat: int  # epoch seconds
    exp: int  # epoch seconds
    typ: Literal["access"]


# --- making ----------------------------------------------------------------------------------------------------------


def issue(core: Core, user_id: int, login_id: int) -> str:
    """A new access token."""
    now_s = core.clock_ms() // 1000
    claims = {
        "sub": str(int(user_id)),
        "sid": str(int(login_id)),
        "iat": now_s,
        "exp": now_s + core.config.accounts.access_token_s,
        "typ": "access",
    }
    return jwt.encode(claims, core.jwt_key, ALGORITHM)


def new_refresh_token() -> str:
    return secrets.token_urlsafe(32)


def new_bot_token(user_id: int) -> str:
    """Libraries take the user's id from the first part."""
    first = urlsafe_b64encode(b"%d" % user_id).decode().rstrip("=")
    return f"{first}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


# --- checking --------------------------------------------------------------------------------------------------------


async def authenticate(core: Core, authorization: str | None) -> Actor:
    """Who sends this Authorization header: `Bot TOKEN`, `Bearer ACCESS` or `ACCESS`. Raises UNAUTHORIZED."""
    scheme, _, token = (authorization or "").rpartition(" ")
    if scheme.lower() not in (PEOPLES_SCHEMES if _is_access(token) else BOTS_SCHEMES):
        raise UNAUTHORIZED()
    return await _actor(core, token)


async def authenticate_token(core: Core, token: str) -> Actor:
    """As `authenticate`, for the gateway, where bots may leave out the scheme too. Raises UNAUTHORIZED."""
    return await authenticate(core, token if " " in token or _is_access(token) else f"Bot {token}")


async def _actor(core: Core, token: str) -> Actor:
    found = core.actors.get(token, core.clock_ms())
    if found is not None:
        return found
    if not token.isascii():
        raise UNAUTHORIZED()
    lookup = _person_lookup(core, token) if _is_access(token) else partial(_find_bot, token=token)
    if await core.db.read(lookup) is None:
        raise UNAUTHORIZED()
    # Once more, on the writer: remembered at its place in commit order, the actor is forgotten by whatever revokes the
    # token later, and is none if that came first. The read before it keeps made-up tokens away from the writer.
    actor = await core.db.write(lookup, then=partial(_remember, core))
    if actor is None:
        raise UNAUTHORIZED()
    return actor


def _remember(core: Core, actor: Actor | None) -> Actor | None:
    if actor is not None:
        core.actors.add(actor)
    return actor


def _is_access(token: str) -> bool:
    """By its beginning: base64 of `{"`, where a bot's token has a digit."""
    return token.startswith("eyJ")


def _person_lookup(core: Core, token: str) -> Callable[[Tx], Actor | None]:
    claims = _read_claims(core, token)
    if claims is None or claims.exp * 1000 <= core.clock_ms():
        raise UNAUTHORIZED()
    return partial(_find_person, token=token, claims=claims)


def _find_person(tx: Tx, token: str, claims: Claims) -> Actor | None:
    user = accounts.by_login(tx, claims.sid, claims.sub)
    return None if user is None else Actor(user, token, login_id=claims.sid, expires_ms=claims.exp * 1000)


def _find_bot(tx: Tx, token: str) -> Actor | None:
    found = applications.by_token(tx, token_hash(token))
    return None if found is None else Actor(found[0], token, application_flags=found[1])


def _read_claims(core: Core, token: str) -> Claims | None:
    """None unless we made the token. Whether it is over is not looked at: that goes by our clock, not the library's."""
    try:
        claims = jwt.decode(token, core.jwt_key, [ALGORITHM], options={"verify_exp": False, "verify_iat": False})
        return convert(claims, Claims)
    except (jwt.InvalidTokenError, msgspec.ValidationError):
        return None


# --- ending: in the callback of the transaction that does it ----------------------------------------------------------


def end_login(core: Core, user_id: int, login_id: int) -> None:
    """Forget a revoked login, and close the gateway connections that were opened with it."""
    core.actors.forget_login(user_id, login_id)
    _close(
        session
        for session in core.live.sessions.of_user(user_id)
        if (claims := _read_claims(core, session.token)) is not None and claims.sid == login_id
    )


def end_user(core: Core, user_id: int) -> None:
    """Forget all of the user's tokens, and close all of its gateway connections."""
    core.actors.forget_user(user_id)
    _close(core.live.sessions.of_user(user_id))


def _close(sessions: Iterable[Session]) -> None:
    """A session that waits for RESUME is left alone: RESUME shows its token again."""
    for session in tuple(sessions):
        if session.connection is not None:
            session.connection.close(CLOSE_AUTHENTICATION_FAILED.code, CLOSE_AUTHENTICATION_FAILED.reason)
