"""Signed links: good for a day, for one path, and for nothing else."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.service.links import Links
from tests.support.core import Clock

PATH = "/attachments/1/2/cat.png"
KEY = bytes(32)


def links(clock: Clock, key: bytes = KEY) -> Links:
    return Links(key, "https://chat.test/", clock)


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def test_a_link_is_good_for_a_day() -> None:
    clock = Clock(1_800_000_123_456)
    url = links(clock).signed(PATH)
    assert url.startswith(f"https://chat.test{PATH}?ex=")
    assert url.endswith("&")
    query = query_of(url)
    assert int(query["is"], 16) == 1_800_000_000
    assert int(query["ex"], 16) == 1_800_086_400
    assert links(clock).seconds_left(PATH, query) == 86_400 - 123
    clock.advance(86_400 - 124)
    assert links(clock).seconds_left(PATH, query) == 1
    clock.advance(1)
    assert links(clock).seconds_left(PATH, query) == 0


def test_links_stay_the_same_for_a_while() -> None:
    clock = Clock(1_800_000_000_000)
    first = links(clock).signed(PATH)
    clock.advance(3599)
    assert links(clock).signed(PATH) == first
    clock.advance(1)
    assert links(clock).signed(PATH) != first


@pytest.mark.parametrize("name", ["ex", "is", "hm"])
def test_no_term_can_be_changed_or_left_out(name: str) -> None:
    made = links(Clock())
    query = query_of(made.signed(PATH))
    assert made.seconds_left(PATH, {**query, name: f"{query[name]}0"}) == 0
    assert made.seconds_left(PATH, {key: value for key, value in query.items() if key != name}) == 0
    assert made.seconds_left(PATH + "x", query) == 0
    assert links(Clock(), bytes(range(32))).seconds_left(PATH, query) == 0


@given(st.text(), st.dictionaries(st.sampled_from(["ex", "is", "hm", "x"]), st.text()))
def test_anything_else_is_none_of_ours(path: str, query: dict[str, str]) -> None:
    assert links(Clock()).seconds_left(path, query) == 0
