"""Emojis of applications, for their bots alone: list, show, create, edit, delete. Docs: resources/emoji.

No session hears of them, so they are in no memory and every call asks the database.
"""

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model.errors import TOO_MANY_EMOJIS, UNKNOWN_EMOJI
from chatd.model.images import EMOJIS
from chatd.model.limits import APPLICATION_EMOJIS
from chatd.model.objects.emoji import ApplicationEmojiCreate, ApplicationEmojiPatch, ApplicationEmojis, Emoji
from chatd.model.wire import Snowflake
from chatd.service import images
from chatd.service.actors import Actor
from chatd.service.applications import accessible
from chatd.service.core import Core
from chatd.store import emojis as store
from chatd.store.db import Tx
from chatd.store.expressions import makers


async def of_application(core: Core, me: Actor, application_id: Snowflake) -> ApplicationEmojis:
    """Docs: resources/emoji, "List Application Emojis". Raises UNKNOWN_APPLICATION, NOT_YOUR_APPLICATION."""
    return await core.db.read(_all, me.id, application_id)


async def show(core: Core, me: Actor, application_id: Snowflake, emoji_id: Snowflake) -> Emoji:
    """Docs: resources/emoji, "Get Application Emoji". Raises UNKNOWN_EMOJI, and as the list."""
    return await core.db.read(_show, me.id, application_id, emoji_id)


async def create(core: Core, me: Actor, application_id: Snowflake, body: ApplicationEmojiCreate) -> Emoji:
    """Docs: resources/emoji, "Create Application Emoji". Raises TOO_MANY_EMOJIS or a form error, and as the list."""
    await core.db.read(accessible, me.id, application_id)
    id_ = Snowflake(core.ids.next())
    hash_ = await images.store(core, EMOJIS, id_, body.image, "image")
    emoji = Emoji(id=id_, name=body.name, animated=hash_.startswith("a_"))
    return await core.db.write(_create, me.id, application_id, emoji)


async def edit(
    core: Core, me: Actor, application_id: Snowflake, emoji_id: Snowflake, body: ApplicationEmojiPatch
) -> Emoji:
    """Docs: resources/emoji, "Modify Application Emoji". Raises UNKNOWN_EMOJI, and as the list."""
    return await core.db.write(_edit, me.id, application_id, emoji_id, body)


async def delete(core: Core, me: Actor, application_id: Snowflake, emoji_id: Snowflake) -> None:
    """Docs: resources/emoji, "Delete Application Emoji". Raises UNKNOWN_EMOJI, and as the list."""
    await core.db.write(_delete, me.id, application_id, emoji_id)


# --- each of these is one transaction --------------------------------------------------------------------------------


def _all(tx: Tx, asker_id: int, application_id: int) -> ApplicationEmojis:
    accessible(tx, asker_id, application_id)
    found = store.of_application(tx, application_id)
    made_by = makers(tx, "emojis", found)
    return ApplicationEmojis(items=tuple(replace(emoji, user=made_by[id_]) for id_, emoji in found.items()))


def _show(tx: Tx, asker_id: int, application_id: int, emoji_id: int) -> Emoji:
    accessible(tx, asker_id, application_id)
    found = store.get_of_application(tx, application_id, emoji_id)
    if found is None:
        raise UNKNOWN_EMOJI()
    return replace(found, user=makers(tx, "emojis", [emoji_id])[emoji_id])


def _create(tx: Tx, asker_id: int, application_id: int, emoji: Emoji) -> Emoji:
    accessible(tx, asker_id, application_id)
    if store.count_of_application(tx, application_id) >= APPLICATION_EMOJIS:
        raise TOO_MANY_EMOJIS()
    store.insert(tx, emoji, asker_id, application_id=application_id)
    return _show(tx, asker_id, application_id, emoji.id)


def _edit(tx: Tx, asker_id: int, application_id: int, emoji_id: int, body: ApplicationEmojiPatch) -> Emoji:
    emoji = _show(tx, asker_id, application_id, emoji_id)
    if body.name is not UNSET:
        emoji = replace(emoji, name=body.name)
        store.update(tx, emoji)
    return emoji


def _delete(tx: Tx, asker_id: int, application_id: int, emoji_id: int) -> None:
    _show(tx, asker_id, application_id, emoji_id)
    store.delete(tx, emoji_id)
