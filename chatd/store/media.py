"""Which stored files rows still name: attachments by their table, images by a field of what they are images of.

Whoever gives a table an image adds its line to `REFERENCES`: an image of a kind that stands here and that no line finds
is deleted in time. Kinds without a line are left alone.
"""

from typing import NamedTuple

import msgspec

from chatd.model import images
from chatd.model.images import Found, Kind
from chatd.store import attachments
from chatd.store.db import Tx
from chatd.store.rows import IS_ACCOUNT


class Reference(NamedTuple):
    table: str
    keys: tuple[str, ...]  # columns that hold the ids of the image's path, in its order
    field: str | None  # of the JSON in `extra`, which holds the hash; None where every row names all under its ids
    condition: str = "1 = 1"


REFERENCES: dict[Kind, tuple[Reference, ...]] = {
    images.ICONS: (Reference("guilds", ("id",), "icon"),),
    images.SPLASHES: (Reference("guilds", ("id",), "splash"),),
    images.DISCOVERY_SPLASHES: (Reference("guilds", ("id",), "discovery_splash"),),
    images.HOME_HEADERS: (Reference("guilds", ("id",), "home_header"),),
    images.BANNERS: (Reference("guilds", ("id",), "banner"), Reference("users", ("id",), "banner")),
    # Whatever a webhook looked like, messages may still show it.
    images.AVATARS: (Reference("users", ("id",), "avatar"), Reference("users", ("id",), None, f"NOT {IS_ACCOUNT}")),
    images.MEMBER_AVATARS: (Reference("members", ("guild_id", "user_id"), "avatar"),),
    images.MEMBER_BANNERS: (Reference("members", ("guild_id", "user_id"), "banner"),),
    images.APP_ICONS: (Reference("applications", ("id",), "icon"),),
    images.EVENT_COVERS: (Reference("scheduled_events", ("id",), "image"),),
    images.ROLE_ICONS: (Reference("roles", ("id",), "icon"),),
    images.EMOJIS: (Reference("emojis", ("id",), None),),
    images.STICKERS: (Reference("stickers", ("id",), None),),
}


def orphans(tx: Tx, names: list[str]) -> list[str]:
    """Those that no row names."""
    return [name for name in names if _is_orphan(tx, name)]


def _is_orphan(tx: Tx, name: str) -> bool:
    attachment_id = attachments.parse_name(name)
    if attachment_id is not None:
        return attachments.get(tx, attachment_id) is None
    found = images.parse_name(name)
    if found is None or found.kind not in REFERENCES:
        return False
    return not any(_names(tx, reference, found) for reference in REFERENCES[found.kind])


def _names(tx: Tx, reference: Reference, found: Found) -> bool:
    where = " AND ".join([*(f"{key} = ?" for key in reference.keys), reference.condition])
    extra = tx.scalar(f"SELECT extra FROM {reference.table} WHERE {where}", *found.ids)
    if extra is None:
        return False
    return reference.field is None or bool(msgspec.json.decode(extra).get(reference.field) == found.hash)
