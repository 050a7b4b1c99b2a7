"""Embeds of pages and images."""

from typing import Any

import pytest
from msgspec import to_builtins

from chatd.service.link_embeds import DESCRIPTION_LENGTH, embed
from chatd.web.fetch import Fetched
from tests.support.pictures import still

URL = "https://a.test/link"


def of_page(html: str) -> Any:
    found = embed(URL, Fetched("https://b.test/there/page", "text/html", "utf-8", html.encode()))
    return None if found is None else to_builtins(found)


def tags(**properties: str) -> str:
    """`og_image__width`: og:image:width."""
    names = {name: name.replace("__", ":").replace("og_", "og:") for name in properties}
    return "".join(f'<meta property="{names[name]}" content="{text}">' for name, text in properties.items())


def test_a_page_with_everything() -> None:
    html = tags(og_type="article", og_title="Title", og_description="Said", og_site_name="Site", og_image="/i.png")
    html += tags(og_image__width="640", og_image__height="480") + '<meta name="theme-color" content="#0000fF">'
    assert of_page(html) == {
        "type": "article",
        "url": URL,
        "title": "Title",
        "description": "Said",
        "color": 255,
        "provider": {"name": "Site"},
        "thumbnail": {"url": "https://b.test/i.png", "width": 640, "height": 480},
    }


def test_the_title_alone_makes_an_embed() -> None:
    assert of_page("<title>Title</title>") == {"type": "link", "url": URL, "title": "Title"}


def test_a_page_that_says_nothing_has_none() -> None:
    assert of_page("<p>text") is None
    assert of_page(tags(og_site_name="Site", og_type="article")) is None


def test_open_graph_comes_before_twitter_and_html() -> None:
    html = '<title>3</title><meta name="twitter:title" content="2">'
    assert of_page(html)["title"] == "2"
    assert of_page(html + tags(og_title="1"))["title"] == "1"


def test_long_texts_are_cut() -> None:
    found = of_page(tags(og_title="t" * 1000, og_description="d" * 1000, og_site_name="s" * 1000))
    assert found["title"] == "t" * 255 + "…"
    assert found["description"] == "d" * (DESCRIPTION_LENGTH - 1) + "…"
    assert found["provider"]["name"] == "s" * 255 + "…"


@pytest.mark.parametrize(
    "image",
    ["javascript:alert(1)", "data:image/png;base64,AA", "file:///etc", "https://[", "http:///i", "x" * 3000],
)
def test_images_that_no_client_should_load(image: str) -> None:
    assert of_page(tags(og_title="t", og_image=image)) == {"type": "link", "url": URL, "title": "t"}


@pytest.mark.parametrize("width", ["-1", "0", "1e3", "x", "100000", "٣"])
def test_sizes_that_are_none(width: str) -> None:
    assert of_page(tags(og_image="https://a.test/i", og_image__width=width))["thumbnail"] == {"url": "https://a.test/i"}


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "0x123456"])
def test_colors_that_are_none(color: str) -> None:
    assert "color" not in of_page(f'<title>t</title><meta name="theme-color" content="{color}">')


@pytest.mark.parametrize("format_", ["png", "jpeg", "gif", "webp"])
def test_an_image_by_its_beginning(format_: str) -> None:
    data = still(format_, (64, 48))
    found = embed(URL, Fetched("https://b.test/i", f"image/{format_}", "", data[: max(64, len(data) - 10)]))
    thumbnail = {"url": "https://b.test/i", "width": 64, "height": 48}
    assert to_builtins(found) == {"type": "image", "url": URL, "thumbnail": thumbnail}


def test_what_is_no_image_has_none() -> None:
    assert embed(URL, Fetched(URL, "image/png", "", b"<html>")) is None
    assert embed(URL, Fetched(URL, "image/webp", "", b"RIFF\0\0\0\0WEBPVP8?")) is None
    assert embed(URL, Fetched(URL, "image/png", "", b"\x89PNG\r\n\x1a\n")) is None
