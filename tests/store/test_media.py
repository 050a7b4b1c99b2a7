"""The collector knows every column that holds an image."""

import re
from pathlib import Path

import msgspec
import pytest

from chatd.model import images
from chatd.model.images import KINDS, Kind, name_of, parse_name
from chatd.model.objects.application import ApplicationExtra
from chatd.model.objects.emoji import EmojiExtra
from chatd.model.objects.guild import GuildExtra, MemberExtra
from chatd.model.objects.role import RoleExtra
from chatd.model.objects.scheduled_event import ScheduledEventExtra
from chatd.model.objects.sticker import StickerExtra
from chatd.model.objects.user import UserProfile
from chatd.store.media import REFERENCES

# What each table keeps in `extra`.
EXTRAS = {
    "users": UserProfile,
    "guilds": GuildExtra,
    "members": MemberExtra,
    "applications": ApplicationExtra,
    "roles": RoleExtra,
    "emojis": EmojiExtra,
    "stickers": StickerExtra,
    "scheduled_events": ScheduledEventExtra,
}
# Whose rows name every image under their id; of users those that are webhooks.
WHOLE = {("emojis", None), ("stickers", None), ("users", None)}
IMAGE_FIELD = re.compile("icon|avatar|banner|splash|discovery_splash|home_header|cover_image|image")
HASH = "a_0123456789abcdef0123456789abcdef"


def test_every_image_is_looked_for() -> None:
    """A table with a new image needs a line in REFERENCES, or its images are deleted."""
    kept: set[tuple[str, str | None]] = {
        (table, field.name)
        for table, extra in EXTRAS.items()
        for field in msgspec.structs.fields(extra)
        if IMAGE_FIELD.fullmatch(field.name)
    }
    assert {(line.table, line.field) for lines in REFERENCES.values() for line in lines} == kept | WHOLE


def test_every_table_with_an_extra_is_known() -> None:
    """Those that hold no image are named here."""
    text = "".join(path.read_text() for path in Path(__file__).parents[2].glob("migrations/*.up.sql"))
    tables = re.findall(r"CREATE TABLE (\w+) \(([^;]*)\)", re.sub("--.*", "", text))
    with_extra = {name for name, columns in tables if re.search(r"^\s*extra TEXT", columns, re.M)}
    assert with_extra == {
        *EXTRAS,
        "audit_log_entries",
        "auto_moderation_rules",
        "channels",
        "messages",
        "welcome_screens",
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.template)
def test_names(kind: Kind) -> None:
    ids = (1234567890123456789, 42)[: kind.template.count("{id}")]
    hash_ = HASH if "{hash}" in kind.template else ""
    assert parse_name(name_of(kind, ids, HASH)) == (kind, ids, hash_)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "avatars",
        f"avatars/x/{HASH}",
        f"avatars/1/{HASH}0",
        f"avatars/1/{HASH.upper()}",
        f"avatars/1/{HASH}/full-png-still",
        f"avatars/{2**63}/{HASH}",
        f"avatars/-1/{HASH}",
        "attachments/1/2",
    ],
)
def test_no_names(name: str) -> None:
    assert parse_name(name) is None


def test_kinds_are_told_apart_by_their_path() -> None:
    assert len({kind.template for kind in images.KINDS}) == len(images.KINDS)
