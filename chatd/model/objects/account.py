"""Accounts of people: our own routes under /auth (Discord's are not documented)."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model.objects.user import CurrentUser, Username
from chatd.model.wire import Object, Params

Password = Annotated[str, Meta(min_length=8, max_length=128)]


class Register(Params, kw_only=True):
    username: Username
    password: Password
    email: Annotated[str, Meta(max_length=254)] | None = None


class Login(Params, kw_only=True):
    """`login` is a username or an e-mail address; either may also come under its own name."""

    password: Annotated[str, Meta(max_length=128)]
    login: Annotated[str, Meta(max_length=254)] | UnsetType = UNSET
    username: Annotated[str, Meta(max_length=254)] | UnsetType = UNSET
    email: Annotated[str, Meta(max_length=254)] | UnsetType = UNSET


class Refresh(Params, kw_only=True):
    refresh_token: Annotated[str, Meta(max_length=256)]


class TokenPair(Object, frozen=True, kw_only=True):
    user: CurrentUser
    access_token: str
    refresh_token: str
    expires_in: int  # seconds
