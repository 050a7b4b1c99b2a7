"""What the types of an embed cannot say."""

from typing import Any

import pytest

from chatd.model.errors import ApiError
from chatd.model.objects.embed import Embed, EmbedParams
from chatd.model.wire import convert
from chatd.service.embeds import embeds_from


def received(*embeds: dict[str, Any]) -> list[EmbedParams]:
    return convert(list(embeds), list[EmbedParams])


def refusal(*embeds: dict[str, Any]) -> Any:
    with pytest.raises(ApiError) as caught:
        embeds_from(received(*embeds))
    return caught.value.errors


def test_embeds_become_what_is_stored() -> None:
    [made] = embeds_from(received({"title": "t", "url": None, "timestamp": "2026-01-02T03:04:05Z", "fields": []}))
    assert made == Embed(title="t", timestamp="2026-01-02T03:04:05.000000+00:00", fields=())


def test_all_texts_count_together() -> None:
    field = {"name": "n" * 100, "value": "v" * 900}
    embeds = (
        {"title": "t" * 200, "description": "d" * 800, "fields": [field] * 3},
        {"footer": {"text": "f" * 1800}, "author": {"name": "a" * 200}},
    )
    assert len(embeds_from(received(*embeds))) == 2
    assert "embeds" in refusal(*embeds, {"title": "x"})
    # addresses do not count
    url = "https://chat.test/" + "u" * 2000
    embeds_from(received(*embeds, {"url": url, "image": {"url": url}}))


def test_an_embed_must_have_something() -> None:
    errors = refusal({"title": "t"}, {"title": None})
    assert errors["embeds"]["1"]["description"]["_errors"][0]["code"] == "BASE_TYPE_REQUIRED"


@pytest.mark.parametrize("text", ["", "now", "2026-13-01", "12:00", "2026-01-02T25:00:00Z", "9" * 30])
def test_times_are_times(text: str) -> None:
    errors = refusal({"timestamp": text})
    assert errors["embeds"]["0"]["timestamp"]["_errors"][0]["code"] == "DATE_TIME_TYPE_PARSE"


def test_times_at_the_ends_of_time() -> None:
    for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):  # which no calendar of ours has in UTC
        assert "timestamp" in refusal({"timestamp": text})["embeds"]["0"]
    embeds_from(received({"timestamp": "0001-01-01"}, {"timestamp": "9999-12-31T23:59:59.999999Z"}))


PICTURES = ("image.url", "thumbnail.url", "footer.icon_url", "author.icon_url")


@pytest.mark.parametrize("place", ["url", "author.url", *PICTURES])
def test_addresses(place: str) -> None:
    name, _, inner = place.partition(".")
    said = {"footer": {"text": "f"}, "author": {"name": "a"}}.get(name, {})

    def embed(url: str) -> dict[str, Any]:
        return {"title": "t", name: {**said, inner: url} if inner else url}

    def code(url: str) -> str:
        node = refusal(embed(url))["embeds"]["0"]
        for step in place.split("."):
            node = node[step]
        return str(node["_errors"][0]["code"])

    embeds_from(received(embed("https://chat.test/i.png"), embed("http://chat.test"), embed("")))
    assert code("chat.test") == "URL_TYPE_INVALID_URL"
    assert code("javascript://alert") == "URL_TYPE_INVALID_SCHEME"
    if place in PICTURES:
        embeds_from(received(embed("attachment://my picture.png")))
    else:
        assert code("attachment://a.png") == "URL_TYPE_INVALID_SCHEME"
