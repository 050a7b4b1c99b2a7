"""Applications and their bots, as on Discord's developer portal. Docs: resources/application, topics/oauth2.

Putting a bot into a guild is not here.
"""

import secrets
from functools import partial

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model.errors import (
    BOTS_CANNOT_USE_THIS,
    NOT_YOUR_APPLICATION,
    ONLY_BOTS_CAN_USE_THIS,
    TOO_MANY_APPLICATIONS,
    UNKNOWN_APPLICATION,
)
from chatd.model.images import APP_ICONS
from chatd.model.objects.application import (
    Application,
    ApplicationCreate,
    ApplicationExtra,
    ApplicationFlags,
    ApplicationPatch,
    BotToken,
)
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake
from chatd.service import auth, images
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import applications as store
from chatd.store.applications import ApplicationRow
from chatd.store.db import Tx
from chatd.store.rows import to_text

# All of one person's applications are listed without pages.
APPLICATIONS_PER_OWNER = 100

# What an owner may switch; other bits of a PATCH are ignored.
SWITCHABLE_FLAGS = sum(ApplicationFlags)


async def create(core: Core, me: Actor, body: ApplicationCreate) -> Application:
    """A new application with its bot, which has no token yet. Raises BOTS_CANNOT_USE_THIS, TOO_MANY_APPLICATIONS."""
    if me.is_bot:
        raise BOTS_CANNOT_USE_THIS()
    return await core.db.write(_create, me.id, new_bot(core.ids.next(), body.name), new_extra(body.description))


async def mine(core: Core, me: Actor) -> list[Application]:
    """Those that the asker owns, oldest first."""
    return await core.db.read(_mine, me.id)


async def show(core: Core, me: Actor, application_id: Snowflake) -> Application:
    """Raises UNKNOWN_APPLICATION, NOT_YOUR_APPLICATION."""
    return await core.db.read(_show, me.id, application_id)


async def current(core: Core, me: Actor) -> Application:
    """Docs: resources/application, "Get Current Application"; topics/oauth2, "Get Current Bot Application Information".

    Raises ONLY_BOTS_CAN_USE_THIS.
    """
    return await show(core, me, _own(me))


async def edit(core: Core, me: Actor, application_id: Snowflake, body: ApplicationPatch) -> Application:
    """By the owner or the bot itself. Raises UNKNOWN_APPLICATION, NOT_YOUR_APPLICATION."""
    if isinstance(body.icon, str):
        await core.db.read(accessible, me.id, application_id)
        body.icon = await images.store(core, APP_ICONS, application_id, body.icon, "icon")
    return await core.db.write(_edit, me.id, application_id, body, then=partial(_edited, core))


async def edit_current(core: Core, me: Actor, body: ApplicationPatch) -> Application:
    """Docs: resources/application, "Edit Current Application". Raises ONLY_BOTS_CAN_USE_THIS."""
    return await edit(core, me, _own(me), body)


async def reset_token(core: Core, me: Actor, application_id: Snowflake) -> BotToken:
    """A new token for the bot; the old one ends at once, on the gateway too.

    Raises BOTS_CANNOT_USE_THIS, UNKNOWN_APPLICATION, NOT_YOUR_APPLICATION.
    """
    if me.is_bot:
        raise BOTS_CANNOT_USE_THIS()
    token = auth.new_bot_token(application_id)
    await core.db.write(
        _reset_token,
        me.id,
        application_id,
        auth.token_hash(token),
        then=lambda _: auth.end_user(core, application_id),
    )
    return BotToken(token=token)


def new_bot(bot_id: int, name: str) -> User:
    """The user of a new bot."""
    discriminator = f"{1 + secrets.randbelow(9999):04}"
    return User(id=Snowflake(bot_id), username=name, discriminator=discriminator, bot=True)


def new_extra(description: str = "") -> ApplicationExtra:
    """The rest of a new application.

    Libraries insist on a `verify_key`. Until interactions are sent over HTTP nothing is ever signed, so these are 32
    random bytes whose private half nobody has.
    """
    return ApplicationExtra(description=description, verify_key=secrets.token_hex(32))


def accessible(tx: Tx, asker_id: int, application_id: int) -> ApplicationRow:
    """The application, whose owner or bot the asker is. Raises UNKNOWN_APPLICATION, NOT_YOUR_APPLICATION."""
    row = store.get(tx, application_id)
    if row is None:
        raise UNKNOWN_APPLICATION()
    if asker_id not in (row.owner_id, row.id):
        raise NOT_YOUR_APPLICATION()
    return row


def _own(me: Actor) -> Snowflake:
    if not me.is_bot:
        raise ONLY_BOTS_CAN_USE_THIS()
    return me.user.id


# --- each of these is one transaction, with its callback --------------------------------------------------------------


def _create(tx: Tx, owner_id: int, bot: User, extra: ApplicationExtra) -> Application:
    if len(store.of_owner(tx, owner_id)) >= APPLICATIONS_PER_OWNER:
        raise TOO_MANY_APPLICATIONS()
    store.insert(tx, bot, owner_id, extra)
    return store.view(tx, accessible(tx, owner_id, bot.id))


def _mine(tx: Tx, owner_id: int) -> list[Application]:
    return [store.view(tx, row) for row in store.of_owner(tx, owner_id)]


def _show(tx: Tx, asker_id: int, application_id: int) -> Application:
    return store.view(tx, accessible(tx, asker_id, application_id))


def _edit(tx: Tx, asker_id: int, application_id: int, body: ApplicationPatch) -> Application:
    row = accessible(tx, asker_id, application_id)
    if body.name is not UNSET:
        row = replace(row, name=body.name)
    if body.description is not UNSET:
        row = replace(row, extra=to_text(replace(store.extra_of(row), description=body.description)))
    if body.icon is not UNSET:
        row = replace(row, extra=to_text(replace(store.extra_of(row), icon=body.icon)))
    if body.flags is not UNSET:
        row = replace(row, flags=row.flags & ~SWITCHABLE_FLAGS | body.flags & SWITCHABLE_FLAGS)
    store.update(tx, row)
    return store.view(tx, row)


def _edited(core: Core, application: Application) -> Application:
    for actor in core.actors.of_user(application.id):
        actor.application_flags = application.flags
    return application


def _reset_token(tx: Tx, owner_id: int, application_id: int, token_hash: bytes) -> None:
    store.set_token(tx, accessible(tx, owner_id, application_id).id, token_hash)
