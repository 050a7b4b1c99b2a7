"""Trees of components against a second implementation, written from the documentation (components/reference): 1,000
of them, most of them nearly right, on which both must agree; and what is accepted is stored and read back as it is.
"""

import json
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.model.errors import ApiError
from chatd.model.objects.message import MessageCreate, MessageExtra
from chatd.model.validate import decode
from chatd.model.wire import decoder, encode
from chatd.service import component_rules, components

Json = Any
Tree = components.Tree

CASES = 1_000
FILES = ("a.png", "b.txt")


# --- the reference: whether a message may have these components ------------------------------------------------------

SELECTS = {5: {"user"}, 6: {"role"}, 7: {"user", "role"}, 8: {"channel"}}
CHANNEL_TYPES = {0, 1, 2, 4, 5, 10, 11, 12, 13, 15, 16}
TOP = {1, 9, 10, 12, 13, 14, 17}


def fits(tree: Json, is_v2: bool) -> bool:
    everything = list(flat(tree))
    ids = [it["id"] for it in everything if it.get("id")]
    custom_ids = [it["custom_id"] for it in everything if it.get("custom_id") is not None]
    return (
        all(allowed(it, TOP if is_v2 else {1}) for it in tree)
        and (is_v2 or len(tree) <= 5)
        and len(everything) <= 40
        and sum(len(it["content"]) for it in everything if it["type"] == 10) <= 4000
        and len(set(ids)) == len(ids)
        and len(set(custom_ids)) == len(custom_ids)
    )


def flat(tree: Json) -> Any:
    for it in tree:
        yield it
        yield from flat(it.get("components", ()))
        if it["type"] == 9:
            yield it["accessory"]


def allowed(it: Json, types: set[int]) -> bool:
    """The component, in a place for these types."""
    kind = it["type"]
    if kind not in types or not 0 <= (it.get("id") or 0) < 2**31:
        return False
    inside = it.get("components", ())
    if kind == 1:
        buttons = [it for it in inside if it["type"] == 2]
        is_full = len(buttons) == len(inside) <= 5 or (not buttons and len(inside) == 1)
        return bool(inside) and is_full and all(allowed(it, {2, 3, 5, 6, 7, 8}) for it in inside)
    if kind == 2:
        return button(it)
    if kind == 3:
        return string_select(it)
    if kind in SELECTS:
        return entity_select(it, kind)
    if kind == 9:
        texts = 1 <= len(inside) <= 3 and all(allowed(it, {10}) for it in inside)
        return texts and allowed(it["accessory"], {2, 11})
    if kind == 10:
        return 1 <= len(it["content"]) <= 4000
    if kind == 11:
        return media(it)
    if kind == 12:
        return 1 <= len(it["items"]) <= 10 and all(map(media, it["items"]))
    if kind == 13:
        return it["file"]["url"] in {f"attachment://{name}" for name in FILES}
    if kind == 14:
        return it.get("spacing") in (None, 1, 2)
    color = it.get("accent_color") or 0
    return 1 <= len(inside) <= 40 and all(allowed(it, TOP - {17}) for it in inside) and 0 <= color <= 0xFFFFFF


def button(it: Json) -> bool:
    has = {name for name in ("custom_id", "url", "label", "emoji", "sku_id") if it.get(name) is not None}
    if not is_text(it, "label", 0, 80) or not is_text(it, "custom_id", 1, 100) or not is_text(it, "url", 0, 512):
        return False
    is_named = bool(it.get("label")) or "emoji" in has
    if it["style"] in (1, 2, 3, 4):
        return is_named and has <= {"custom_id", "label", "emoji"} and "custom_id" in has and emoji(it)
    is_link = it["style"] == 5 and is_named and has <= {"url", "label", "emoji"} and "url" in has and emoji(it)
    return is_link and it["url"].startswith(("https://", "http://", "discord://"))


def string_select(it: Json) -> bool:
    options = it["options"]
    return (
        select(it, len(options))
        and 1 <= len(options) <= 25
        and all(1 <= len(option[name]) <= 100 for option in options for name in ("label", "value"))
        and all(is_text(option, "description", 0, 100) and emoji(option) for option in options)
        and len({option["value"] for option in options}) == len(options)
        and len([option for option in options if option.get("default")]) <= (it.get("max_values") or 1)
    )


def entity_select(it: Json, kind: int) -> bool:
    values = it.get("default_values") or []
    low = 1 if it.get("min_values") is None else it["min_values"]
    return (
        select(it, 25)
        and (not values or low <= len(values) <= (it.get("max_values") or 1))
        and {value["type"] for value in values} <= SELECTS[kind]
        and set(it.get("channel_types") or []) <= CHANNEL_TYPES
    )


def select(it: Json, choices: int) -> bool:
    low, high = it.get("min_values"), it.get("max_values")
    low, high = 1 if low is None else low, 1 if high is None else high
    fits = 0 <= low <= high <= choices and 1 <= high <= 25
    return fits and is_text(it, "placeholder", 0, 150) and 1 <= len(it["custom_id"]) <= 100


def media(it: Json) -> bool:
    url = it["media"]["url"]
    is_known = url.startswith(("https://", "http://")) or url in {f"attachment://{name}" for name in FILES}
    return is_known and len(url) <= 2048 and is_text(it, "description", 1, 1024)


def emoji(it: Json) -> bool:
    return it.get("emoji") is None or it["emoji"]["name"] == "🔥"


def is_text(it: Json, name: str, low: int, high: int) -> bool:
    return it.get(name) is None or low <= len(it[name]) <= high


# --- trees that are nearly right -------------------------------------------------------------------------------------


@st.composite
def mostly(draw: st.DrawFn, good: Any, bad: Any) -> Any:
    return draw(bad if draw(st.integers(0, 59)) == 0 else good)


def text(low: int, high: int) -> Any:
    good = st.sampled_from(sorted({max(low, 1), min(5, high), high})).map("x".__mul__)
    return mostly(good, st.sampled_from(sorted({max(low - 1, 0), high + 1})).map("x".__mul__))


def form(required: dict[str, Any], **optional: Any) -> Any:
    return st.fixed_dictionaries(required, optional={name: st.none() | it for name, it in optional.items()})


def typed(kind: int, required: dict[str, Any], **optional: Any) -> Any:
    ids = mostly(st.integers(0, 2**31 - 1), st.sampled_from([1, 2, -1, 2**31]))
    return form({"type": st.just(kind), **required}, id=ids, **optional)


many = st.integers(0, 10**6).map(str)
custom_id = mostly(many, st.sampled_from(["1", "", "x" * 101]))
flag = st.booleans()
emojis = st.fixed_dictionaries({"name": mostly(st.just("🔥"), st.sampled_from(["", "fire", "🔥🔥"]))})
links = mostly(
    st.sampled_from(["https://a.test/", "http://a.test", "discord://-/x"]),
    st.sampled_from(["", "x", "ftp://a.test", "https://" + "x" * 512]),
)
urls = mostly(
    st.sampled_from(["https://a.test/i.png", "attachment://a.png"]),
    st.sampled_from(["a.png", "attachment://c.png", "attachment://", "data://a/", "https://" + "x" * 2048]),
)
items: dict[str, Any] = {"media": st.fixed_dictionaries({"url": urls})}
described: dict[str, Any] = {"description": text(1, 1024), "spoiler": flag}

clicked = typed(
    2,
    {"style": st.integers(1, 4), "custom_id": custom_id, "label": text(1, 80)},
    emoji=emojis,
    disabled=flag,
    url=mostly(st.none(), links),
)
linking = typed(2, {"style": st.just(5), "url": links, "emoji": emojis}, label=text(0, 80), sku_id=st.none())
odd = typed(2, {"style": st.integers(1, 6)}, custom_id=custom_id, url=links, label=text(0, 80), sku_id=many)
buttons = mostly(clicked | linking, odd)

option = form({"label": text(1, 100), "value": mostly(many, st.just("1"))}, description=text(0, 100), emoji=emojis)
chosen: dict[str, Any] = {
    "min_values": mostly(st.integers(0, 1), st.sampled_from([-1, 3, 26])),
    "max_values": mostly(st.integers(1, 2), st.sampled_from([0, 25, 26])),
    "placeholder": text(0, 150),
    "disabled": flag,
}
default_option = st.builds(lambda it, value: it | {"default": value}, option, mostly(st.just(False), st.just(True)))
string_selects = typed(
    3,
    {"custom_id": custom_id, "options": mostly(st.lists(default_option, min_size=2, max_size=4), st.just([]))},
    **chosen,
)


def entity_selects(kind: int) -> Any:
    good = st.sampled_from(sorted(SELECTS[kind]))
    value = st.fixed_dictionaries({"id": many, "type": mostly(good, st.sampled_from(["user", "role", "channel"]))})
    values = mostly(st.lists(value, min_size=1, max_size=1), st.lists(value, max_size=3))
    types = mostly(st.lists(st.sampled_from([0, 2, 15]), max_size=2), st.just([3]))
    only = {"channel_types": types} if kind == 8 else {}
    return typed(kind, {"custom_id": custom_id}, default_values=values, **chosen, **only)


selects = st.one_of(string_selects, *map(entity_selects, SELECTS))
rows = typed(
    1,
    {
        "components": mostly(
            st.lists(buttons, min_size=1, max_size=5) | st.lists(selects, min_size=1, max_size=1),
            st.lists(buttons | selects, max_size=6),
        )
    },
)
displays = typed(10, {"content": mostly(text(1, 200), text(1, 4000))})
thumbnails = typed(11, items, **described)
sections = typed(
    9,
    {
        "components": mostly(st.lists(displays, min_size=1, max_size=3), st.lists(displays, max_size=4)),
        "accessory": mostly(buttons | thumbnails, displays),
    },
)
galleries = typed(12, {"items": mostly(st.lists(form(items, **described), min_size=1, max_size=3), st.just([]))})
files = typed(
    13,
    {"file": st.fixed_dictionaries({"url": mostly(st.just("attachment://b.txt"), urls)})},
    spoiler=flag,
)
separators = typed(14, {}, divider=flag, spacing=mostly(st.integers(1, 2), st.just(3)))
inner = st.one_of(rows, sections, displays, galleries, files, separators)
containers = typed(
    17,
    {"components": mostly(st.lists(inner, min_size=1, max_size=5), st.lists(inner | rows, max_size=40))},
    accent_color=mostly(st.integers(0, 0xFFFFFF), st.sampled_from([-1, 0x1000000])),
    spoiler=flag,
)
trees = mostly(
    st.lists(inner | containers, min_size=1, max_size=5),
    st.lists(inner | containers | buttons | thumbnails, max_size=40),
)


# --- both of them ----------------------------------------------------------------------------------------------------


def accepted(tree: Json, is_v2: bool) -> Tree | None:
    try:
        body = decode(MessageCreate, json.dumps({"components": tree}).encode())
        component_rules.check_count(body.components or ())
        completed = components.complete(body.components or (), {}, count(1).__next__)
        component_rules.check(completed, is_v2, FILES)
    except ApiError as refusal:
        if refusal.code != 50035:
            raise
        return None
    return completed


@settings(max_examples=CASES)
@given(trees, mostly(st.just(True), st.just(False)))
def test_acceptance_agrees_with_the_documentation(tree: Json, is_v2: bool) -> None:
    completed = accepted(tree, is_v2)
    assert (completed is not None) == fits(tree, is_v2)
    if completed is not None:
        extra = MessageExtra(components=completed)
        assert decoder(MessageExtra).decode(encode(extra)) == extra
        # Received again as it was sent, nothing of it changes but what the server says of media.
        again = accepted(json.loads(encode(completed)), is_v2)
        assert again is not None
        assert without_media(json.loads(encode(again))) == without_media(json.loads(encode(completed)))


def without_media(node: Json) -> Json:
    if isinstance(node, list):
        return list(map(without_media, node))
    if isinstance(node, dict):
        return node["url"] if "proxy_url" in node else {name: without_media(it) for name, it in node.items()}
    return node
