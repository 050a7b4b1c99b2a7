"""What AutoMod looks for in texts: the examples of Discord's page, regular expressions, and what is too much."""

import pytest

from chatd.model import wordsets
from chatd.model.objects.auto_moderation import KeywordPreset
from chatd.model.textfilter import InvalidRegex, Match, TextFilter, literal


@pytest.mark.parametrize(
    ("keyword", "matching", "other"),
    [
        ("cat*", ["catch", "Catapult", "my CAttLE"], ["wildcat", "location"]),
        ("the mat*", ["the matrix"], ["breathe mat", "the  matrix"]),
        ("*cat", ["wildcat", "copyCat sat"], ["catch", "location"]),
        ("*tra", ["extra", "ultra", "orchesTRA"], ["train"]),
        ("*the mat", ["breathe mat"], ["the matrix"]),
        ("*cat*", ["location", "eduCation", "cat"], ["c a t"]),
        ("*the mat*", ["breathe matter"], ["the_mat"]),
        ("cat", ["cat", "a Cat\nsat", "cat\u3000cat"], ["cats", "cat.", "wildcat"]),
        ("the mat", ["on the mat"], ["on the mats"]),
        ("i like c++", ["i like C++"], ["i like c++11"]),
        ("straße", ["STRASSE"], ["strase"]),
        ("ｆｒｅｅ*", ["free money", "𝖋𝖗𝖊𝖊𝖉𝖔𝖒"], ["carefree"]),
        (" * cat ** ", ["location"], ["ca t"]),
    ],
)
def test_the_strategies_of_the_page(keyword: str, matching: list[str], other: list[str]) -> None:
    filter_ = TextFilter([keyword])
    for text in matching:
        found = filter_.search(text)
        assert found is not None, text
        assert found.keyword == keyword
    for text in other:
        assert filter_.search(text) is None, text


def test_what_was_found_is_said_as_it_was_written() -> None:
    assert TextFilter(["*cat*"]).search("eduCATion") == Match("*cat*", "CAT")
    assert TextFilter(["*c*"]).search("ßßC!") == Match("*c*", "C")
    assert TextFilter(["*s*"]).search("aßb") == Match("*s*", "ß")
    assert TextFilter([], ["o(u|w)l"]).search("ßß OWL") == Match("o(u|w)l", "OWL")


def test_allowed_keywords() -> None:
    filter_ = TextFilter(["*cat*"], ["d.g"], ["education", "*hotdog*", "cat"])
    assert filter_.search("an education") is None
    assert filter_.search("a cat, an education") == Match("*cat*", "cat")
    assert filter_.search("the cat has an education") is None
    assert filter_.search("hotdogs") is None
    assert filter_.search("ßßß hotdogs and dogs") == Match("d.g", "dog")


@pytest.mark.parametrize("regex", ["(", "a{2000}", r"(?=x)", r"\1", r"(.{1,900}){900}"])
def test_invalid_regexes(regex: str) -> None:
    with pytest.raises(InvalidRegex) as caught:
        TextFilter([], ["fine", regex])
    assert caught.value.index == 1
    assert caught.value.reason


def test_the_most_that_a_rule_may_hold() -> None:
    keywords = [f"*{number:04}" + chr(0x1F600 + number % 64) * 54 + "*" for number in range(1000)]
    filter_ = TextFilter(keywords, [], [])
    assert filter_.search(keywords[777][1:-1]) == Match(keywords[777], keywords[777][1:-1])
    assert filter_.search("x" * 2000) is None


@pytest.mark.parametrize("preset", KeywordPreset)
def test_presets_have_words(preset: KeywordPreset) -> None:
    words = wordsets.keywords([preset])
    assert words
    assert all(map(literal, words))
    filter_ = TextFilter(words)
    assert all(filter_.search(f"so {literal(word)} it is") for word in words)
    assert filter_.search("A class of assistants in Scunthorpe discusses the mathematics of cockpits.") is None
