"""Bad forms get Discord's error tree with everything that is wrong; good ones get through."""

import json
from enum import IntEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType

from chatd.model.errors import ApiError
from chatd.model.validate import MAX_ERRORS, FormErrors, decode, decode_query, form_error
from chatd.model.wire import Params, Permissions, Snowflake


class Colour(IntEnum):
    RED = 1
    BLUE = 2


class Field(Params):
    name: Annotated[str, Meta(max_length=5)]
    value: Annotated[str, Meta(min_length=2)]
    inline: bool = False


class Embed(Params):
    title: Annotated[str, Meta(max_length=10)] | UnsetType | None = UNSET
    color: Annotated[int, Meta(ge=0, le=0xFFFFFF)] | None = None
    fields: Annotated[list[Field], Meta(max_length=2)] = msgspec.field(default_factory=list)


class Circle(Params, tag_field="type", tag=1):
    radius: int


class Square(Params, tag_field="type", tag=2):
    side: int
    corners: list[Circle] | None = None


class Form(Params):
    name: Annotated[str, Meta(min_length=2, max_length=10)]
    owner: Snowflake
    allow: Permissions | None = None
    embeds: Annotated[list[Embed], Meta(max_length=3)] | None = None
    nonce: Annotated[str, Meta(max_length=5)] | int | None = None
    kind: Literal[0, 2, "x"] = 0
    colour: Colour | None = None
    code: Annotated[str, Meta(pattern="^[a-z]+$")] | None = None
    flags: int | None = None
    ratio: Annotated[float, Meta(ge=0)] | None = None
    tts: bool | None = None
    scores: Annotated[dict[str, int], Meta(max_length=2)] | None = None
    roles: tuple[Snowflake, ...] = ()
    reply: "Form | None" = None
    anything: Any = None
    shapes: list[Circle | Square] | None = None


class Query(Params):
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    before: Snowflake | UnsetType = UNSET
    with_counts: bool = False
    author_id: Annotated[list[Snowflake], Meta(max_length=2)] | None = None
    sort: Literal["asc", "desc"] | None = None
    days: Literal[1, 7] = 7
    colour: Colour | None = None
    q: Annotated[str | None, Meta(description="words")] = None


def refusal(raw: bytes, type_: type = Form) -> ApiError:
    with pytest.raises(ApiError) as refused:
        decode(type_, raw)
    return refused.value


def leaves(tree: dict[str, Any], path: str = "") -> dict[str, tuple[str, str]]:
    """{"embeds.0.title": (code, message)}; every path of these tests has one error."""
    found = {}
    for key, node in tree.items():
        if key == "_errors":
            [error] = node
            found[path] = (error["code"], error["message"])
        else:
            found |= leaves(node, f"{path}.{key}" if path else key)
    return found


def faults(**fields: Any) -> dict[str, tuple[str, str]]:
    """What is wrong with a form of these fields beside good ones."""
    error = refusal(json.dumps({"name": "good", "owner": "1", **fields}).encode())
    assert (error.status, error.code, error.message) == (400, 50035, "Invalid Form Body")
    assert error.errors is not None
    return leaves(error.errors)


def test_a_good_form_is_decoded() -> None:
    form = decode(Form, b'{"name":"good","owner":12,"embeds":[{"title":null}],"nonce":"abc","unknown":{}}')
    assert form == Form(name="good", owner=Snowflake(12), embeds=[Embed(title=None)], nonce="abc")


def test_one_of_several_objects_is_told_by_its_type() -> None:
    shapes = [{"type": 1, "radius": 1}, {"side": 2, "type": 2, "corners": [{"radius": 3}]}]
    form = decode(Form, json.dumps({"name": "good", "owner": 1, "shapes": shapes}).encode())
    assert form.shapes == [Circle(radius=1), Square(side=2, corners=[Circle(radius=3)])]
    choices = ("UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1, 2).')
    bad = [{"type": 1}, {"type": 3}, {"radius": 1}, {"type": "1"}, 5, {"type": None}, {"type": [1]}]
    assert faults(shapes=bad) == {
        "shapes.0.radius": ("BASE_TYPE_REQUIRED", "This field is required"),
        "shapes.1": choices,
        "shapes.2.type": ("BASE_TYPE_REQUIRED", "This field is required"),
        "shapes.3": choices,
        "shapes.4": ("MODEL_TYPE_CONVERT", "Expected an object/dictionary."),
        "shapes.5.type": ("BASE_TYPE_REQUIRED", "This field is required"),
        "shapes.6": choices,
    }
    assert faults(shapes=[{"type": 2, "side": 1, "corners": [{"type": 2, "side": 1}]}]) == {
        "shapes.0.corners.0": ("UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
    }


@pytest.mark.parametrize(
    ("field", "value", "code", "message"),
    [
        ("name", 5, "STRING_TYPE_CONVERT", 'Could not interpret "5" as string.'),
        ("name", None, "BASE_TYPE_REQUIRED", "This field is required"),
        ("name", "x", "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 10 in length."),
        ("name", "a\0b", "STRING_TYPE_CONVERT", 'Could not interpret "a\0b" as string.'),
        ("owner", "abc", "NUMBER_TYPE_COERCE", 'Value "abc" is not snowflake.'),
        ("owner", True, "NUMBER_TYPE_COERCE", 'Value "True" is not snowflake.'),
        ("owner", None, "BASE_TYPE_REQUIRED", "This field is required"),
        ("allow", "all", "NUMBER_TYPE_COERCE", 'Value "all" is not int.'),
        ("embeds", {}, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"),
        ("embeds", [{}] * 4, "BASE_TYPE_MAX_LENGTH", "Must be 3 or fewer in length."),
        ("embeds.0", [5], "MODEL_TYPE_CONVERT", "Expected an object/dictionary."),
        ("embeds.0", [None], "BASE_TYPE_REQUIRED", "This field is required"),
        ("embeds.1.title", [{}, {"title": "x" * 11}], "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length."),
        (
            "embeds.0.color",
            [{"color": -1}],
            "NUMBER_TYPE_MIN",
            "int value should be greater than or equal to 0.",
        ),
        (
            "embeds.0.color",
            [{"color": 1 << 24}],
            "NUMBER_TYPE_MAX",
            "int value should be less than or equal to 16777215.",
        ),
        (
            "embeds.0.fields.0.value",
            [{"fields": [{"name": "n", "value": ""}]}],
            "BASE_TYPE_MIN_LENGTH",
            "Must be 2 or more in length.",
        ),
        ("nonce", "123456", "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length."),
        ("nonce", [], "STRING_TYPE_CONVERT", 'Could not interpret "[]" as string.'),
        ("kind", 1, "BASE_TYPE_CHOICES", "Value \"1\" must be one of {0, 2, 'x'}."),
        ("kind", False, "BASE_TYPE_CHOICES", "Value \"False\" must be one of {0, 2, 'x'}."),
        ("colour", 3, "BASE_TYPE_CHOICES", 'Value "3" must be one of {1, 2}.'),
        ("code", "A1", "STRING_TYPE_REGEX", "String value did not match validation regex."),
        ("flags", "5", "NUMBER_TYPE_COERCE", 'Value "5" is not int.'),
        ("flags", 1.5, "NUMBER_TYPE_COERCE", 'Value "1.5" is not int.'),
        ("flags", 2**63, "NUMBER_TYPE_MAX", "int value should be less than or equal to 9223372036854775807."),
        (
            "flags",
            -(2**63) - 1,
            "NUMBER_TYPE_MIN",
            "int value should be greater than or equal to -9223372036854775808.",
        ),
        ("ratio", "x", "NUMBER_TYPE_COERCE", 'Value "x" is not float.'),
        ("ratio", -0.5, "NUMBER_TYPE_MIN", "float value should be greater than or equal to 0."),
        ("tts", 1, "BOOLEAN_TYPE_CONVERT", "Must be either true or false."),
        ("scores", [], "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType"),
        ("scores", {"a": 1, "b": 2, "c": 3}, "BASE_TYPE_MAX_LENGTH", "Must be 2 or fewer in length."),
        ("scores.a", {"a": "x"}, "NUMBER_TYPE_COERCE", 'Value "x" is not int.'),
        ("roles.1", ["1", "x"], "NUMBER_TYPE_COERCE", 'Value "x" is not snowflake.'),
        ("reply.owner", {"name": "good"}, "BASE_TYPE_REQUIRED", "This field is required"),
    ],
)
def test_a_fault_is_told_under_its_path_in_discords_words(field: str, value: Any, code: str, message: str) -> None:
    assert faults(**{field.split(".")[0]: value}) == {field: (code, message)}


def test_every_fault_is_told_at_once() -> None:
    error = refusal(b'{"owner":"x","embeds":[{"title":5},{"fields":[{"name":"too long"}]}],"tts":"yes"}')
    assert {path: code for path, (code, _) in leaves(error.errors or {}).items()} == {
        "name": "BASE_TYPE_REQUIRED",
        "owner": "NUMBER_TYPE_COERCE",
        "embeds.0.title": "STRING_TYPE_CONVERT",
        "embeds.1.fields.0.name": "BASE_TYPE_MAX_LENGTH",
        "embeds.1.fields.0.value": "BASE_TYPE_REQUIRED",
        "tts": "BOOLEAN_TYPE_CONVERT",
    }


def test_an_ordinary_id_sent_as_a_number_is_no_long_number() -> None:
    assert decode(Form, b'{"name":"good","owner":1409999999999999999}').owner == 1409999999999999999


def test_nul_in_what_nobody_reads_does_no_harm() -> None:
    assert decode(Form, b'{"name":"good","owner":"1","unknown":"\\u0000"}').name == "good"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'name': 1}",
        b'{"name":"x"}}',
        b'{"name":NaN}',
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b'{"name":' + b"[" * 100_000,
        b'{"flags":1' + b"0" * 5000 + b"}",
        b'{"name":5,"unknown":"\xff"}',
    ],
)
def test_what_is_no_json_is_said_to_be_none(raw: bytes) -> None:
    error = refusal(raw)
    assert (error.status, error.code, error.errors) == (400, 50109, None)


@pytest.mark.parametrize("raw", [b"[]", b"5", b'"x"'])
def test_what_is_no_object_is_wrong_as_a_whole(raw: bytes) -> None:
    assert refusal(raw).errors == {
        "_errors": [{"code": "MODEL_TYPE_CONVERT", "message": "Expected an object/dictionary."}]
    }


def test_the_answer_to_a_hostile_list_is_short() -> None:
    error = refusal(b'{"name":"good","owner":"1","roles":[' + b",".join([b'"x"'] * 10_000) + b"]}")
    assert len(error.errors["roles"]) == MAX_ERRORS  # type: ignore[index]


def test_a_hostile_value_is_not_repeated_whole() -> None:
    [(_, message)] = faults(name=["x" * 10_000]).values()
    assert len(message) < 200


class Interval(Params):
    first: int
    last: int

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError("first comes after last")


def test_a_rule_of_the_type_itself_is_told_too() -> None:
    assert refusal(b'{"first":2,"last":1}', Interval).errors == {
        "_errors": [{"code": "BASE_TYPE_INVALID", "message": "first comes after last"}]
    }


def test_a_list_can_be_a_body() -> None:
    assert decode(list[Snowflake], b'["1",2]') == [1, 2]
    assert leaves(refusal(b'["1","x"]', list[Snowflake]).errors or {}) == {
        "1": ("NUMBER_TYPE_COERCE", 'Value "x" is not snowflake.')
    }


def test_an_empty_query_has_its_defaults() -> None:
    assert decode_query(Query, []) == Query()


@pytest.mark.parametrize(
    ("pairs", "query"),
    [
        ([("limit", "5")], Query(limit=5)),
        ([("limit", "5"), ("limit", "6")], Query(limit=6)),
        ([("before", "123")], Query(before=Snowflake(123))),
        ([("author_id", "1")], Query(author_id=[Snowflake(1)])),
        ([("author_id", "1"), ("q", "x"), ("author_id", "2")], Query(author_id=[Snowflake(1), Snowflake(2)], q="x")),
        ([("sort", "asc"), ("days", "1"), ("colour", "2")], Query(sort="asc", days=1, colour=Colour.BLUE)),
        ([("q", "5")], Query(q="5")),
        ([("q", "")], Query(q="")),
        ([("unknown", "x")], Query()),
    ],
)
def test_texts_become_what_their_fields_are(pairs: list[tuple[str, str]], query: Query) -> None:
    assert decode_query(Query, pairs) == query


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("True", True), ("1", True), ("false", False), ("False", False), ("0", False)],
)
def test_query_booleans_come_in_three_spellings(text: str, value: bool) -> None:
    assert decode_query(Query, [("with_counts", text)]).with_counts is value


@pytest.mark.parametrize(
    ("name", "text", "path", "code"),
    [
        ("limit", "x", "limit", "NUMBER_TYPE_COERCE"),
        ("limit", "", "limit", "NUMBER_TYPE_COERCE"),
        ("limit", "1.0", "limit", "NUMBER_TYPE_COERCE"),
        ("limit", "١", "limit", "NUMBER_TYPE_COERCE"),
        ("limit", "9" * 30, "limit", "NUMBER_TYPE_COERCE"),
        ("limit", "0", "limit", "NUMBER_TYPE_MIN"),
        ("limit", "101", "limit", "NUMBER_TYPE_MAX"),
        ("before", "x", "before", "NUMBER_TYPE_COERCE"),
        ("with_counts", "yes", "with_counts", "BOOLEAN_TYPE_CONVERT"),
        ("author_id", "x", "author_id.0", "NUMBER_TYPE_COERCE"),
        ("sort", "up", "sort", "BASE_TYPE_CHOICES"),
        ("days", "2", "days", "BASE_TYPE_CHOICES"),
        ("q", "a\0", "q", "STRING_TYPE_CONVERT"),
    ],
)
def test_bad_queries_get_the_same_errors(name: str, text: str, path: str, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        decode_query(Query, [(name, text)])
    assert {path: code for path, (code, _) in leaves(refused.value.errors or {}).items()} == {path: code}


@pytest.mark.parametrize("path", ["embeds.0.title", ("embeds", 0, "title")])
def test_services_raise_the_same_shape(path: Any) -> None:
    error = form_error(path, "BASE_TYPE_BAD_LENGTH", "No.")
    assert error.body() == {
        "message": "Invalid Form Body",
        "code": 50035,
        "errors": {"embeds": {"0": {"title": {"_errors": [{"code": "BASE_TYPE_BAD_LENGTH", "message": "No."}]}}}},
    }


def test_an_error_of_the_whole_form_has_no_path() -> None:
    assert form_error("", "A", "a").errors == {"_errors": [{"code": "A", "message": "a"}]}


def test_collected_errors_are_raised_together() -> None:
    errors = FormErrors()
    errors.raise_if_any()
    errors.add("name", "A", "a")
    errors.add("name", "B", "b")
    errors.add(("roles", 3), "C", "c")
    with pytest.raises(ApiError) as refused:
        errors.raise_if_any()
    assert refused.value.errors == {
        "name": {"_errors": [{"code": "A", "message": "a"}, {"code": "B", "message": "b"}]},
        "roles": {"3": {"_errors": [{"code": "C", "message": "c"}]}},
    }


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "x", "ab", "7"])
fields = st.dictionaries(st.sampled_from(Field.__struct_fields__), scalars)
embeds = st.fixed_dictionaries(
    {}, optional={"title": scalars, "color": scalars, "fields": st.lists(fields | scalars, max_size=3)}
)
values = scalars | embeds | st.lists(embeds | scalars, max_size=4)
forms = st.dictionaries(st.sampled_from(Form.__struct_fields__), values).map(
    lambda form: {"name": "good", "owner": "1"} | form
)


@settings(max_examples=500, deadline=None)
@given(forms)
def test_the_walk_finds_fault_exactly_where_the_decoder_does(form: dict[str, Any]) -> None:
    try:
        msgspec.json.decode(json.dumps(form), type=Form, dec_hook=lambda type_, value: type_.from_json(value))
        refused = False
    except msgspec.ValidationError:
        refused = True
    found = FormErrors()
    try:
        # The long number in a field that nobody reads makes the walk run on good forms too.
        decode(Form, json.dumps(form | {"unknown": 10**30}).encode())
    except ApiError as error:
        found.tree = error.errors or {}
    assert bool(found.tree) == refused
    assert "BASE_TYPE_INVALID" not in json.dumps(found.tree)
