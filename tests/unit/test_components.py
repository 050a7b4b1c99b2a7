"""What the types of components cannot say, each fault at its path; and what becomes of what is accepted."""

import json
from itertools import count
from typing import Any

import pytest

from chatd.model.errors import ApiError
from chatd.model.objects.component import texts
from chatd.model.objects.message import MessageCreate
from chatd.model.validate import decode
from chatd.model.wire import encode
from chatd.service import component_rules, components

Json = Any

FILES = ("a.png",)


def received(*tree: Json, is_v2: bool = True) -> Json:
    """As it is stored."""
    body = decode(MessageCreate, json.dumps({"components": tree}).encode())
    assert body.components is not None
    component_rules.check_count(body.components)
    completed = components.complete(body.components, {}, count(1000).__next__)
    component_rules.check(completed, is_v2, FILES)
    return json.loads(encode(completed))


def faults(*tree: Json, is_v2: bool = True) -> dict[str, str]:
    """{"0.components.1.custom_id": code}, below `components`."""
    with pytest.raises(ApiError) as caught:
        received(*tree, is_v2=is_v2)
    assert (caught.value.status, caught.value.code) == (400, 50035)
    assert caught.value.errors is not None
    return leaves(caught.value.errors["components"])


def leaves(tree: dict[str, Any], path: str = "") -> dict[str, str]:
    found = {}
    for key, node in tree.items():
        if key == "_errors":
            found[path] = "+".join(error["code"] for error in node)
        else:
            found |= leaves(node, f"{path}.{key}" if path else key)
    return found


def row(*inside: Json, **fields: Any) -> Json:
    return {"type": 1, "components": list(inside), **fields}


def button(custom_id: str | None = "b", **fields: Any) -> Json:
    return {"type": 2, "style": 1, "label": "Press", "custom_id": custom_id, **fields}


def link(url: str = "https://chat.test", **fields: Any) -> Json:
    return {"type": 2, "style": 5, "label": "Open", "url": url, **fields}


def select(*values: str, **fields: Any) -> Json:
    options = [{"label": value, "value": value} for value in values or ("one", "two")]
    return {"type": 3, "custom_id": "s", "options": options, **fields}


def text(content: str = "words", **fields: Any) -> Json:
    return {"type": 10, "content": content, **fields}


def thumbnail(url: str = "https://chat.test/i.png", **fields: Any) -> Json:
    return {"type": 11, "media": {"url": url}, **fields}


def section(*inside: Json, accessory: Json = None, **fields: Any) -> Json:
    return {"type": 9, "components": list(inside) or [text()], "accessory": accessory or thumbnail(), **fields}


def container(*inside: Json, **fields: Any) -> Json:
    return {"type": 17, "components": list(inside) or [text()], **fields}


# --- what is accepted ------------------------------------------------------------------------------------------------


def test_defaults_are_filled_in() -> None:
    assert received(row(button(emoji={"name": "🔥", "id": None, "animated": True}), link())) == [
        {
            "type": 1,
            "id": 1,
            "components": [
                {
                    "type": 2,
                    "id": 2,
                    "style": 1,
                    "label": "Press",
                    "emoji": {"name": "🔥"},
                    "custom_id": "b",
                    "disabled": False,
                },
                {"type": 2, "id": 3, "style": 5, "label": "Open", "url": "https://chat.test", "disabled": False},
            ],
        }
    ]
    assert received({"type": 14, "divider": None, "spacing": None}) == [
        {"type": 14, "id": 1, "divider": True, "spacing": 1}
    ]
    [made] = received(row({"type": 8, "custom_id": "c", "max_values": None, "default_values": None}))
    assert made["components"] == [
        {
            "type": 8,
            "id": 2,
            "custom_id": "c",
            "min_values": 1,
            "max_values": 1,
            "disabled": False,
            "default_values": [],
            "channel_types": [],
        }
    ]


def test_what_only_the_server_says_of_media() -> None:
    item = {"media": {"url": "https://chat.test/i.png", "proxy_url": "https://elsewhere.test", "id": "5"}}
    [made] = received({"type": 12, "items": [item | {"description": "d", "spoiler": True}]})
    assert made["items"] == [
        {
            "media": {"url": "https://chat.test/i.png", "id": "1000", "proxy_url": "https://chat.test/i.png"},
            "description": "d",
            "spoiler": True,
        }
    ]


def test_ids_go_around_those_that_are_given() -> None:
    made = received(
        container(section(text(id=3), text(), accessory=thumbnail()), text(id=0), id=2), text(id=None), text(id=5)
    )
    assert [it["id"] for it in made] == [2, 8, 5]
    [shelf, last] = made[0]["components"]
    assert (shelf["id"], [it["id"] for it in shelf["components"]], shelf["accessory"]["id"]) == (1, [3, 4], 6)
    assert last["id"] == 7


def test_words() -> None:
    tree = decode(
        MessageCreate, json.dumps({"components": [container(section(text("a"))), row(button()), text("b")]}).encode()
    ).components
    assert tree is not None
    assert texts(tree) == ["a", "b"]


# --- layout ----------------------------------------------------------------------------------------------------------


def test_without_v2_there_are_rows_alone_and_five() -> None:
    assert len(received(*(row(button(str(n))) for n in range(5)), is_v2=False)) == 5
    assert len(received(*(row(button(str(n))) for n in range(6)))) == 6
    assert faults(*(row(button(str(n))) for n in range(6)), is_v2=False) == {"": "BASE_TYPE_MAX_LENGTH"}
    assert faults(row(button()), text(), container(), is_v2=False) == {
        "1": "UNION_TYPE_CHOICES",
        "2": "UNION_TYPE_CHOICES",
    }


@pytest.mark.parametrize("kind", [0, 4, 15, 18, 19, 21, 22, 23, -1])
def test_what_no_message_has(kind: int) -> None:
    assert faults({"type": kind, "label": "l", "custom_id": "c", "style": 1}) == {"0": "UNION_TYPE_CHOICES"}
    assert faults(row({"type": kind})) == {"0.components.0": "UNION_TYPE_CHOICES"}
    assert faults(section(accessory={"type": kind})) == {"0.accessory": "UNION_TYPE_CHOICES"}
    assert faults(section({"type": kind})) == {"0.components.0": "UNION_TYPE_CHOICES"}


def test_kinds_have_their_places() -> None:
    assert faults(button(), thumbnail(), select()) == dict.fromkeys(("0", "1", "2"), "UNION_TYPE_CHOICES")
    assert faults(container(container())) == {"0.components.0": "UNION_TYPE_CHOICES"}
    assert faults(container(row(row(button())))) == {"0.components.0.components.0": "UNION_TYPE_CHOICES"}
    assert faults(section(accessory=text())) == {"0.accessory": "UNION_TYPE_CHOICES"}
    assert faults({"components": []}) == {"0.type": "BASE_TYPE_REQUIRED"}
    assert faults("row") == {"0": "MODEL_TYPE_CONVERT"}


def test_a_row_is_five_buttons_wide_or_a_select() -> None:
    received(row(*(button(str(n)) for n in range(5))), row(select()))
    assert faults(row()) == {"0.components": "BASE_TYPE_BAD_LENGTH"}
    assert faults(row(*(button(str(n)) for n in range(6)))) == {"0.components": "BASE_TYPE_BAD_LENGTH"}
    wide = "COMPONENT_LAYOUT_WIDTH_EXCEEDED"
    assert faults(row(button(), select())) == {"0.components.1": wide}
    assert faults(row(select(), button(), button("c"))) == {"0.components.1": wide, "0.components.2": wide}


def test_forty_in_all() -> None:
    # A container with 13 sections of a text and an accessory, which count as well.
    inside = [section() for _ in range(13)]
    assert len(received(container(*inside))[0]["components"]) == 13
    assert faults(container(*inside), text()) == {"": "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED"}
    assert faults(*(text() for _ in range(41))) == {"": "BASE_TYPE_MAX_LENGTH"}


def test_four_thousand_characters_in_all() -> None:
    received(container(text("x" * 2000)), section(text("y" * 1999)), text("z"))
    assert faults(container(text("x" * 2000)), section(text("y" * 1999)), text("zz")) == {
        "": "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"
    }
    assert faults(text("")) == {"0.content": "BASE_TYPE_BAD_LENGTH"}
    assert faults(text("x" * 4001)) == {"0.content": "BASE_TYPE_BAD_LENGTH"}


def test_ids_are_unique() -> None:
    assert faults(text(id=7), container(text(id=7), id=8), text(id=8)) == {
        "1.components.0.id": "COMPONENT_ID_DUPLICATED",
        "2.id": "COMPONENT_ID_DUPLICATED",
    }
    assert faults(row(button("a"), button("a")), section(accessory=button("a"))) == {
        "0.components.1.custom_id": "COMPONENT_CUSTOM_ID_DUPLICATED",
        "1.accessory.custom_id": "COMPONENT_CUSTOM_ID_DUPLICATED",
    }


def test_lengths_of_lists() -> None:
    assert faults(section(*[text()] * 4)) == {"0.components": "BASE_TYPE_BAD_LENGTH"}
    assert faults({**section(), "components": []}) == {"0.components": "BASE_TYPE_BAD_LENGTH"}
    assert faults({**container(), "components": []}) == {"0.components": "BASE_TYPE_BAD_LENGTH"}
    item = {"media": {"url": "https://chat.test"}}
    received({"type": 12, "items": [item] * 10})
    assert faults({"type": 12, "items": []}) == {"0.items": "BASE_TYPE_BAD_LENGTH"}
    assert faults({"type": 12, "items": [item] * 11}) == {"0.items": "BASE_TYPE_BAD_LENGTH"}


# --- buttons ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (button(None), {"custom_id": "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED"}),
        (button(""), {"custom_id": "BASE_TYPE_BAD_LENGTH"}),
        (button("x" * 101), {"custom_id": "BASE_TYPE_BAD_LENGTH"}),
        (button(label="x" * 81), {"label": "BASE_TYPE_MAX_LENGTH"}),
        (button(label=None), {"label": "BASE_TYPE_REQUIRED"}),
        (button(label=""), {"label": "BASE_TYPE_REQUIRED"}),
        (button(style=0), {"style": "BASE_TYPE_CHOICES"}),
        (button(style=7), {"style": "BASE_TYPE_CHOICES"}),
        (button(style=None), {"style": "BASE_TYPE_REQUIRED"}),
        (button(sku_id="5"), {"sku_id": "BUTTON_COMPONENT_FIELD_NOT_ALLOWED"}),
        (button(url="https://chat.test"), {"": "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE"}),
        (button(disabled=1), {"disabled": "BOOLEAN_TYPE_CONVERT"}),
        (button(emoji={"name": "fire"}), {"emoji.name": "COMPONENT_INVALID_EMOJI"}),
        (button(emoji={}), {"emoji.name": "COMPONENT_INVALID_EMOJI"}),
        (button(emoji={"name": "x" * 33}), {"emoji.name": "BASE_TYPE_MAX_LENGTH"}),
        (button(id=-1), {"id": "NUMBER_TYPE_MIN"}),
        (button(id=2**31), {"id": "NUMBER_TYPE_MAX"}),
        (link(url=None), {"url": "BUTTON_COMPONENT_URL_REQUIRED"}),
        (link(custom_id="c"), {"": "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE"}),
        (link("chat.test"), {"url": "URL_TYPE_INVALID_URL"}),
        (link("javascript://alert"), {"url": "URL_TYPE_INVALID_SCHEME"}),
        (link("https://" + "x" * 505), {"url": "BASE_TYPE_MAX_LENGTH"}),
        ({"type": 2, "style": 6}, {"sku_id": "BUTTON_COMPONENT_SKU_ID_REQUIRED+BUTTON_COMPONENT_SKU_ID_INVALID"}),
        (
            {"type": 2, "style": 6, "sku_id": "5", "label": "l"},
            {"label": "BUTTON_COMPONENT_FIELD_NOT_ALLOWED", "sku_id": "BUTTON_COMPONENT_SKU_ID_INVALID"},
        ),
    ],
)
def test_bad_buttons(made: Json, expected: dict[str, str]) -> None:
    for path, place in (("0.components.0", row(made)), ("0.accessory", section(accessory=made))):
        assert faults(place) == {f"{path}.{name}".rstrip("."): code for name, code in expected.items()}


def test_good_buttons() -> None:
    received(
        row(button(label=None, emoji={"name": "👍"}), link("discord://-/channels"), button("x" * 100, label="x" * 80)),
        row(*(button(str(style), style=style) for style in (1, 2, 3, 4))),
        row(link("https://" + "x" * 504)),
    )


# --- selects ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"options": []}, {"options": "BASE_TYPE_BAD_LENGTH"}),
        ({"options": [{"label": str(n), "value": str(n)} for n in range(26)]}, {"options": "BASE_TYPE_BAD_LENGTH"}),
        (
            {"options": [{"label": "", "value": "x" * 101, "description": "x" * 101}]},
            {
                "options.0.label": "BASE_TYPE_BAD_LENGTH",
                "options.0.value": "BASE_TYPE_BAD_LENGTH",
                "options.0.description": "BASE_TYPE_MAX_LENGTH",
            },
        ),
        (
            {"options": [{"label": "a", "value": "v"}, {"label": "b", "value": "v"}]},
            {"options.1": "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED"},
        ),
        (
            {"options": [{"label": "a", "value": "v", "emoji": {"name": "fire"}}]},
            {"options.0.emoji.name": "COMPONENT_INVALID_EMOJI"},
        ),
        (
            {"options": [{"label": v, "value": v, "default": True} for v in "ab"]},
            {"options": "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES"},
        ),
        ({"custom_id": None}, {"custom_id": "BASE_TYPE_REQUIRED"}),
        ({"custom_id": ""}, {"custom_id": "BASE_TYPE_BAD_LENGTH"}),
        ({"placeholder": "x" * 151}, {"placeholder": "BASE_TYPE_MAX_LENGTH"}),
        ({"min_values": -1}, {"min_values": "NUMBER_TYPE_MIN"}),
        ({"min_values": 26}, {"min_values": "NUMBER_TYPE_MAX"}),
        ({"min_values": 2}, {"min_values": "NUMBER_TYPE_MAX"}),
        ({"max_values": 0}, {"max_values": "NUMBER_TYPE_MIN"}),
        ({"max_values": 3}, {"max_values": "NUMBER_TYPE_MAX"}),
        ({"max_values": 26}, {"max_values": "NUMBER_TYPE_MAX"}),
    ],
)
def test_bad_string_selects(fields: dict[str, Any], expected: dict[str, str]) -> None:
    found = faults(row({**select("one", "two"), **fields}))
    assert found == {f"0.components.0.{name}": code for name, code in expected.items()}


def test_good_string_selects() -> None:
    many = [str(n) for n in range(25)]
    received(
        row(select(*many, min_values=0, max_values=25, placeholder="x" * 150)),
        row(
            {
                "type": 3,
                "custom_id": "t",
                "max_values": 2,
                "options": [
                    {"label": v, "value": v, "default": True, "description": "", "emoji": {"name": "🔥"}} for v in "ab"
                ],
            }
        ),
    )


TYPES = {5: ["user"], 6: ["role"], 7: ["user", "role"], 8: ["channel"]}


@pytest.mark.parametrize("kind", TYPES)
def test_default_values(kind: int) -> None:
    def made(*types: str, **fields: Any) -> Json:
        values = [{"id": "5", "type": it} for it in types]
        return row({"type": kind, "custom_id": "c", "default_values": values, **fields})

    good = TYPES[kind]
    received(made(good[-1]), row({"type": kind, "custom_id": "d", "min_values": 2, "max_values": 25}))
    received(made(*good * 3, max_values=25))
    for bad in {"user", "role", "channel"}.difference(good):
        assert faults(made(good[0], bad, max_values=2)) == {"0.components.0.default_values.1.type": "BASE_TYPE_CHOICES"}
    length = {"0.components.0.default_values": "BASE_TYPE_BAD_LENGTH"}
    assert faults(made(good[0], good[0])) == length
    assert faults(made(good[0], min_values=2, max_values=2)) == length
    assert faults(made("thing")) == {"0.components.0.default_values.0.type": "BASE_TYPE_CHOICES"}
    assert faults(made(max_values=26)) == {"0.components.0.max_values": "NUMBER_TYPE_MAX"}


def test_channel_types() -> None:
    received(row({"type": 8, "custom_id": "c", "channel_types": [0, 5, 15]}))
    assert faults(row({"type": 8, "custom_id": "c", "channel_types": [0, 3]})) == {
        "0.components.0.channel_types.1": "BASE_TYPE_CHOICES"
    }


# --- media -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://chat.test/i.png", None),
        ("http://chat.test", None),
        ("attachment://a.png", None),
        ("attachment://b.png", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"),
        ("attachment://", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"),
        ("i.png", "URL_TYPE_INVALID_URL"),
        ("discord://-/x", "URL_TYPE_INVALID_SCHEME"),
        ("https://" + "x" * 2041, "BASE_TYPE_MAX_LENGTH"),
    ],
)
def test_media(url: str, code: str | None) -> None:
    places = {
        "0.accessory.media.url": section(accessory=thumbnail(url)),
        "0.items.1.media.url": {
            "type": 12,
            "items": [{"media": {"url": "https://chat.test"}}, {"media": {"url": url}}],
        },
    }
    for path, place in places.items():
        if code is None:
            received(place)
        else:
            assert faults(place) == {path: code}


def test_files_are_attachments() -> None:
    file = {"type": 13, "file": {"url": "attachment://a.png"}, "spoiler": True}
    [made] = received({**file, "name": "b.png", "size": 5})
    assert (made["spoiler"], made["name"], made["size"]) == (True, None, None)
    assert faults({"type": 13, "file": {"url": "https://chat.test/a.png"}}) == {
        "0.file.url": "UNFURLED_MEDIA_ITEM_ATTACHMENT_REFERENCE_REQUIRED"
    }
    assert faults({"type": 13, "file": {"url": "attachment://b.png"}}) == {
        "0.file.url": "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
    }


@pytest.mark.parametrize("made", [thumbnail, lambda **fields: {"media": {"url": "https://chat.test"}, **fields}])
def test_descriptions(made: Any) -> None:
    def place(**fields: Any) -> Json:
        it = made(**fields)
        return section(accessory=it) if "type" in it else {"type": 12, "items": [it]}

    received(place(description="x" * 1024))
    for bad in ("", "x" * 1025):
        assert list(faults(place(description=bad)).values()) == ["BASE_TYPE_BAD_LENGTH"]


def test_numbers() -> None:
    received(container(accent_color=0xFFFFFF), container(accent_color=None), {"type": 14, "spacing": 2})
    assert faults(container(accent_color=0x1000000)) == {"0.accent_color": "NUMBER_TYPE_MAX"}
    assert faults(container(accent_color=-1)) == {"0.accent_color": "NUMBER_TYPE_MIN"}
    assert faults({"type": 14, "spacing": 3}) == {"0.spacing": "BASE_TYPE_CHOICES"}
