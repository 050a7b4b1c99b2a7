"""Links in message content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.model.content_links import LIMIT, links


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", []),
        ("see https://a.test", ["https://a.test"]),
        ("HTTP://A.test/x?y=1#z then https://b.test/", ["HTTP://A.test/x?y=1#z", "https://b.test/"]),
        ("ftp://a.test javascript:alert(1) a.test //a.test", []),
        ("<https://a.test> but https://b.test", ["https://b.test"]),
        ("<https://a.test/ and more>", ["https://a.test/"]),
        ("`https://a.test` ``https://b.test`` ```https://c.test\n``` https://d.test", ["https://d.test"]),
        ("`one https://a.test", ["https://a.test"]),
        ("Is it https://a.test/x? Yes: https://b.test/y...", ["https://a.test/x", "https://b.test/y"]),
        ("**https://a.test/x** ||https://b.test/y|| ~~https://c.test~~", ["https://a.test/x", "https://b.test/y", "https://c.test"]),
        ("(https://a.test/x_(y)) [name](https://b.test/z)", ["https://a.test/x_(y)", "https://b.test/z"]),
        ('say "https://a.test/x"', ["https://a.test/x"]),
        ("https://a.test https://a.test", ["https://a.test"]),
        ("https://例え.test/ä", ["https://例え.test/ä"]),
        (" ".join(f"https://{n}.test" for n in range(9)), [f"https://{n}.test" for n in range(LIMIT)]),
        ("https://", []),
        ("https://)", ["https://"]),
    ],
)  # fmt: skip
def test_links(content: str, found: list[str]) -> None:
    assert list(links(content)) == found


@given(st.lists(st.sampled_from(["https://a.test/", "<", ">", "`", "```", "||", "(", ")", ".", " ", "*", "\n", "ä"])))
def test_any_text_has_at_most_so_many_and_each_is_in_it(parts: list[str]) -> None:
    content = "".join(parts)
    found = links(content)
    assert len(found) <= LIMIT
    assert all(url in content and url.startswith("https://a.test/") for url in found)
