"""Direct channels between two users: open, list. Docs: resources/user."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from chatd.live.directs import DirectState
from chatd.model.errors import CANNOT_MESSAGE_USER, UNKNOWN_USER
from chatd.model.objects.channel import DirectChannel
from chatd.model.objects.user import DirectChannelCreate, User
from chatd.service import access
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import channels as store
from chatd.store import journal
from chatd.store.channels import LoadedDirect
from chatd.store.db import Missing, Tx


async def create(core: Core, me: Actor, body: DirectChannelCreate) -> DirectChannel:
    """The channel with another user, made when there is none yet. Docs: resources/user, "Create DM"."""
    if body.recipient_id == me.id:
        raise CANNOT_MESSAGE_USER()
    open_ = partial(_open, core.ids.next, me.id, body.recipient_id)
    try:
        direct = await core.db.write(open_, then=partial(_opened, core))
    except Missing:
        raise UNKNOWN_USER() from None
    return direct.view(me.id)


async def mine(core: Core, me: Actor) -> list[DirectChannel]:
    """Docs: resources/user (people's clients only; for bots it is empty, as on Discord)."""
    if me.is_bot:
        return []
    found = [await access.load_direct(core, id_) for id_ in await core.db.read(store.directs_of, me.id)]
    return [direct.view(me.id) for direct in found if direct is not None]


class _Opened(NamedTuple):
    channel_id: int
    loaded: LoadedDirect
    position: int | None  # of the commit that made it; None when it was there


def _open(new_id: Callable[[], int], one: int, other: int, tx: Tx) -> _Opened:
    made_id = new_id()
    channel_id = store.open_direct(tx, one, other, made_id)
    loaded = store.direct(tx, channel_id)
    if loaded is None:
        raise LookupError(f"direct channel {channel_id} has no users")
    if len(loaded.users) < 2:  # the other is no account, but a webhook
        raise UNKNOWN_USER()
    if channel_id != made_id:
        return _Opened(channel_id, loaded, None)
    position = new_id()
    journal.mark(tx, position, frozenset(_told_of(loaded.users)))
    return _Opened(channel_id, loaded, position)


def _told_of(users: dict[int, User]) -> list[int]:
    """Bots hear of a direct channel by its first message (change log of 2019)."""
    return [user.id for user in users.values() if user.bot is not True]


def _opened(core: Core, opened: _Opened) -> DirectState:
    direct = core.live.install_direct(DirectState(opened.channel_id, *opened.loaded))
    if opened.position is not None:
        core.live.bus.horizon = opened.position
        for user_id in _told_of(direct.users):
            core.live.marked.add(user_id)
            core.live.to_user(user_id, "CHANNEL_CREATE", direct.view(user_id))
    return direct
