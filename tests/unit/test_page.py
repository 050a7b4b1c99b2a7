"""What a page says of itself, and that no page harms its reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.web.page import VALUE_LENGTH, meta


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("", {}),
        ("<title>A &amp; B\n  C</title>", {"title": "A & B C"}),
        ("<TITLE lang=en>x</TITLE >", {"title": "x"}),
        ("<title>a<b>c</title>", {"title": "a<b>c"}),
        ("<title></title>", {}),
        ("<meta property='og:title' content=\"it's\">", {"og:title": "it's"}),
        ("<META CONTENT=plain NAME=Description />", {"description": "plain"}),
        ("<meta name=a content=1><meta name=a content=2>", {"a": "1"}),
        ("<meta name=a content=''><meta name=a content=2>", {"a": "2"}),
        ("<meta property=og:title name=title content=x>", {"og:title": "x"}),
        ('<meta content="a > b" name="a">', {"a": "a > b"}),
        ("<meta name=a><meta content=x><meta>", {}),
        ("<metal name=a content=x>", {}),
        ("a < b <meta name=a content=x>", {"a": "x"}),
        ("<!doctype html><!-- <meta name=a content=x> --><meta name=b content=y>", {"b": "y"}),
        ("<script>'<meta name=a content=x>'</script><meta name=b content=y>", {"b": "y"}),
        ("<style><meta name=a content=x></style>", {}),
        ("<meta name=a content=x></head><meta name=b content=y>", {"a": "x"}),
        ("<meta name=a content=x><body><meta name=b content=y>", {"a": "x"}),
        ("<meta name=a content=x><meta name=b content='y", {"a": "x"}),
        ("<meta name=a content=x><!-- <meta name=b content=y>", {"a": "x"}),
        ("<meta name=a content=x><script><meta name=b content=y>", {"a": "x"}),
        ("<title>open", {"title": "open"}),
        (f"<meta name=a content='{'x' * 9000}'>", {"a": "x" * VALUE_LENGTH}),
        (f"<meta name=a content='&#{'9' * 9000};'>", {"a": "\ufffd"}),
    ],
)
def test_meta(html: str, found: dict[str, str]) -> None:
    assert meta(html.encode(), "") == found


@pytest.mark.parametrize(
    ("declared", "in_page", "encoding"),
    [
        ("", "", "utf-8"),
        ("windows-1251", "", "cp1251"),
        ("", "shift_jis", "shift_jis"),
        ("utf-8", "shift_jis", "utf-8"),
        ("nonsense", "euc-kr", "euc_kr"),
        ("idna", "", "utf-8"),
        ("zip", "rot13", "utf-8"),
        ("latin1", "", "cp1252"),
    ],
)
def test_character_sets(declared: str, in_page: str, encoding: str) -> None:
    text = {"cp1251": "Привет", "cp1252": "naïve €", "euc_kr": "안녕"}.get(encoding, "こんにちは")
    page = f"<meta charset='{in_page}'><title>{text}</title>".encode(encoding)
    assert meta(page, declared)["title"] == text


def test_what_is_of_another_character_set_is_replaced() -> None:
    assert meta(b"<title>\xff\xfe!</title>", "utf-8") == {"title": "\ufffd\ufffd!"}


_FRAGMENTS = st.sampled_from(
    [
        *("<", ">", "/", "=", "'", '"', "&", "&#", ";", "!", "--", "<!--", "-->", "<meta", "name", "content", "x"),
        *("<title>", "</title>", "<script>", "</script>", "<body>", "\0", "\n", "charset=utf-16", "\ud7ff", "€"),
    ]
)


@given(st.lists(_FRAGMENTS, max_size=80).map("".join), st.sampled_from(["", "utf-8", "utf-16", "gb18030", "idna"]))
def test_garbage_has_values_or_none(html: str, charset: str) -> None:
    _check(meta(html.encode(), charset))


@given(st.binary(max_size=2000), st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789_:-", max_size=20))
def test_bytes_have_values_or_none(data: bytes, charset: str) -> None:
    _check(meta(data, charset))


def _check(found: dict[str, str]) -> None:
    assert all(name and value == " ".join(value.split()) != "" for name, value in found.items())


@pytest.mark.parametrize(
    "fragment",
    [
        *("<", "</", "<a", "<a ", "<a>", "<a '", '<a "', "<!--", "<!-- --", "<title>", "<title></title", "<script>"),
        *("<script></script", "<meta ", "<meta content='", "<meta a=", "a= ", "a ", "= ", "&", "&#9", "&#9;", "'\""),
        "<meta name=a content=b>",
    ],
)
def test_a_large_page_of_one_fragment_comes_to_its_end(fragment: str) -> None:
    """What is quadratic takes minutes here."""
    garbage = fragment * (1_000_000 // len(fragment))
    for opening in ("", "<title>", "<meta ", "<meta content='"):
        meta((opening + garbage).encode(), "utf-8")
