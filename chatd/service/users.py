"""Users: the own profile and others'. Docs: resources/user."""

from functools import partial

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model.errors import UNKNOWN_USER
from chatd.model.images import AVATARS, BANNERS
from chatd.model.objects.user import CurrentUser, CurrentUserPatch, User
from chatd.model.wire import Snowflake
from chatd.service import access, automod, images, members, presence
from chatd.service.accounts import check_username, raise_taken
from chatd.service.actors import Actor
from chatd.service.commits import change
from chatd.service.core import Core
from chatd.store import accounts
from chatd.store.accounts import AccountRow
from chatd.store.channels import directs_of
from chatd.store.db import Conflict, Tx
from chatd.store.rows import user_from


async def me(core: Core, me: Actor) -> CurrentUser:
    """Docs: resources/user, "Get Current User"."""
    return accounts.current_user_from(await core.db.read(_account, me.id))


async def show(core: Core, me: Actor, user_id: Snowflake) -> User:
    """Docs: resources/user, "Get User". Raises UNKNOWN_USER."""
    found = await core.db.read(accounts.get, user_id)
    if found is None:
        raise UNKNOWN_USER()
    return user_from(found)


async def edit_me(core: Core, me: Actor, body: CurrentUserPatch) -> CurrentUser:
    """Change the own name or profile, and tell everyone. Docs: resources/user, "Modify Current User".

    A bot's name is free text and need not be unique. Raises INVALID_FORM_BODY.
    """
    if body.username is not UNSET and not me.is_bot:
        body.username = check_username(body.username)
    body.avatar = await images.store(core, AVATARS, me.id, body.avatar, "avatar")
    body.banner = await images.store(core, BANNERS, me.id, body.banner, "banner")
    streams = (me.id, *await access.load_memberships(core, me.id), *await core.db.read(directs_of, me.id))
    try:
        current = await change(core, streams, _edit, me.id, body, then=partial(_edited, core))
    except Conflict:
        await raise_taken(core, str(body.username), None)
        raise
    await automod.check_user(core, me.id)
    return current


def _account(tx: Tx, user_id: int) -> AccountRow:
    found = accounts.get(tx, user_id)
    assert found is not None, "users are never deleted"
    return found


def _edit(tx: Tx, user_id: int, body: CurrentUserPatch) -> AccountRow:
    account = _account(tx, user_id)
    profile = accounts.profile_of(account)
    if body.username is not UNSET:
        account = replace(account, username=body.username)
    if body.global_name is not UNSET:
        profile = replace(profile, global_name=body.global_name)
    if body.accent_color is not UNSET:
        profile = replace(profile, accent_color=body.accent_color)
    if body.avatar is not UNSET:
        profile = replace(profile, avatar=body.avatar)
    if body.banner is not UNSET:
        profile = replace(profile, banner=body.banner)
    return accounts.update(tx, account, profile)


def _edited(core: Core, account: AccountRow) -> CurrentUser:
    """Put the new user in place of the old one wherever memory holds it, and publish."""
    user, current = user_from(account), accounts.current_user_from(account)
    for actor in core.actors.of_user(user.id):
        actor.user = user
    for session in core.live.sessions.of_user(user.id):
        session.user = user
    core.live.to_user(user.id, "USER_UPDATE", current, every_shard=True)
    for direct in core.live.directs.values():
        if user.id in direct.users:
            direct.users[user.id] = user
    for guild in core.live.guilds.values():
        if user.id in guild.members:
            members.updated(core, guild, replace(guild.members[user.id], user=user))
    presence.renamed(core, user)
    return current
