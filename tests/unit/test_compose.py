"""What the types of a message cannot say."""

from typing import Any

import pytest

from chatd.model.errors import ApiError
from chatd.model.objects.component import TextDisplay
from chatd.model.objects.embed import Embed
from chatd.model.objects.message import MessageExtra, Snapshot
from chatd.model.objects.sticker import StickerItem
from chatd.model.wire import Snowflake
from chatd.service.compose import V2, check_contents

TEXT = TextDisplay(id=1, content="t")
STICKER = StickerItem(id=Snowflake(1), name="wave", format_type=1)
FORWARDED = Snapshot(type=0, content="other", timestamp="2026-01-02T03:04:05.000000+00:00")


def refusal(content: str, flags: int = 0, **extra: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        check_contents(content, MessageExtra(**extra), flags)
    return caught.value


@pytest.mark.parametrize("content", ["", " ", "\n\t\u2003"])
def test_empty(content: str) -> None:
    assert refusal(content).code == 50006
    assert refusal(content, V2).code == 50006
    for kind in ({"embeds": (Embed(title="t"),)}, {"components": (TEXT,)}, {"sticker_items": (STICKER,)}):
        check_contents(content, MessageExtra(**kind), 0)
    check_contents("", MessageExtra(snapshot=FORWARDED), 0)


@pytest.mark.parametrize(
    ("content", "extra"),
    [
        ("x", {}),
        ("", {"embeds": (Embed(title="t"),)}),
        ("", {"components": (TEXT,)}),
        ("", {"sticker_items": (STICKER,)}),
    ],
)
def test_a_forward_is_alone(content: str, extra: dict[str, Any]) -> None:
    assert refusal(content, snapshot=FORWARDED, **extra).code == 160011


def test_components_v2_are_alone() -> None:
    check_contents("", MessageExtra(components=(TEXT,)), V2)
    check_contents("x", MessageExtra(components=(TEXT,), sticker_items=(STICKER,)), 0)
    error = refusal("x", V2, components=(TEXT,), embeds=(Embed(title="t"),), sticker_items=(STICKER,))
    assert error.errors is not None
    assert {name: node["_errors"][0]["code"] for name, node in error.errors.items()} == dict.fromkeys(
        ("content", "embeds", "sticker_ids"), "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    )
