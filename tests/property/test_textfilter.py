"""Keywords with wildcards against a reading of Discord's page that tries everything everywhere."""

import string
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from chatd.model.textfilter import TextFilter, fold, literal

# Few letters, so that keywords and texts meet; what folds to more than one character, and whitespace of several kinds.
LETTERS = "abAB.İßﬁé²"
SPACES = " \t\n\x1c\x85\u1680\u2028\u3000"

texts = st.text(LETTERS + SPACES, max_size=20)
keywords = st.builds(
    lambda start, text, end: start + text + end,
    st.sampled_from(("", "*")),
    st.text(LETTERS + " ", min_size=1, max_size=4),
    st.sampled_from(("", "*")),
).filter(literal)


def occurrences(keyword: str, text: str) -> list[tuple[int, int]]:
    """Where a keyword matches in a folded text."""
    wanted, keyword = literal(keyword), keyword.strip()
    return [
        (start, start + len(wanted))
        for start in range(len(text))
        if text.startswith(wanted, start)
        and (keyword.startswith("*") or start == 0 or text[start - 1].isspace())
        and (keyword.endswith("*") or start + len(wanted) == len(text) or text[start + len(wanted)].isspace())
    ]


def is_found(text: str, keywords: Sequence[str], allowed: Sequence[str]) -> bool:
    text = fold(text)
    spared = [span for keyword in allowed for span in occurrences(keyword, text)]
    return any(
        not any(first <= start and end <= last for first, last in spared)
        for keyword in keywords
        for start, end in occurrences(keyword, text)
    )


@given(texts, st.lists(keywords, min_size=1, max_size=5), st.lists(keywords, max_size=3))
@example("ab ab", ["ab"], [])
@example("abab", ["*ab*"], ["ab*"])
@example(" ab a", ["ab", "*ab a*"], ["ab"])
@example("ﬁﬁ", ["*i*"], ["*fi*"])
def test_keywords(text: str, keywords: list[str], allowed: list[str]) -> None:
    found = TextFilter(keywords, (), allowed).search(text)
    assert (found is not None) == is_found(text, keywords, allowed)
    if found is not None:
        assert found.keyword in keywords
        assert literal(found.keyword) in fold(found.content)


@given(st.text(string.ascii_letters + " .ßﬁ", max_size=30), st.text("abc", min_size=1, max_size=2))
def test_regexes_see_what_keywords_see(text: str, wanted: str) -> None:
    as_regex = TextFilter((), [wanted]).search(text)
    as_keyword = TextFilter([f"*{wanted}*"]).search(text)
    assert (as_regex is None) == (as_keyword is None)
    assert TextFilter((), [wanted], [f"*{wanted}*"]).search(text) is None
