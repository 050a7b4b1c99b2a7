"""Slack's messages become messages."""

import pytest

from chatd.model.objects.webhook import SlackMessage
from chatd.model.validate import decode
from chatd.model.wire import encode
from chatd.service import slack_embeds
from chatd.service.embeds import embeds_from
from tests.support.client import Json


def converted(payload: Json) -> Json:
    return slack_embeds.message(decode(SlackMessage, encode(payload)))


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("hello", "hello"),
        (
            "see <https://chat.test/x|the page> &amp; <https://chat.test>",
            "see [the page](https://chat.test/x) & <https://chat.test>",
        ),
        ("1 &lt; 2 &gt; 0 &amp;lt;", "1 < 2 > 0 &lt;"),
        ("<@U123|someone> <!channel>", "<@U123|someone> <!channel>"),
        ("x" * 2000, "x" * 2000),
    ],
)
def test_text(text: str, content: str) -> None:
    assert converted({"text": text}).content == content


def test_who_says_it() -> None:
    made = converted({"text": "x", "username": "u" * 100, "icon_url": "https://chat.test/i.png", "channel": "#x"})
    assert (made.username, made.avatar_url) == ("u" * 79 + "…", "https://chat.test/i.png")
    assert converted({"text": "x", "username": ""}).username is None


def test_an_attachment_with_everything() -> None:
    attachment = {
        "fallback": "unused",
        "color": "#36a64f",
        "pretext": "before",
        "author_name": "Author",
        "author_link": "https://chat.test/a",
        "author_icon": "https://chat.test/a.png",
        "title": "Title",
        "title_link": "https://chat.test/t",
        "text": "<https://chat.test|text>",
        "fields": [{"title": "Priority", "value": "High", "short": True}, {"title": "", "value": ""}],
        "image_url": "https://chat.test/i.png",
        "thumb_url": "https://chat.test/t.png",
        "footer": "Footer",
        "footer_icon": "https://chat.test/f.png",
        "ts": 1767323045,
    }
    [embed] = embeds_from(converted({"attachments": [attachment]}).embeds)
    assert decode(dict, encode(embed)) == {
        "type": "rich",
        "title": "Title",
        "url": "https://chat.test/t",
        "description": "before\n[text](https://chat.test)",
        "color": 0x36A64F,
        "timestamp": "2026-01-02T03:04:05.000000+00:00",
        "footer": {"text": "Footer", "icon_url": "https://chat.test/f.png"},
        "author": {"name": "Author", "url": "https://chat.test/a", "icon_url": "https://chat.test/a.png"},
        "image": {"url": "https://chat.test/i.png"},
        "thumbnail": {"url": "https://chat.test/t.png"},
        "fields": [
            {"name": "Priority", "value": "High", "inline": True},
            {"name": "\u200b", "value": "\u200b", "inline": False},
        ],
    }


@pytest.mark.parametrize(
    ("color", "number"),
    [("good", 0x2EB67D), ("danger", 0xE01E5A), ("36a64f", 0x36A64F), ("#fff", None), ("teal", None), (None, None)],
)
def test_colors(color: str | None, number: int | None) -> None:
    [embed] = converted({"attachments": [{"text": "x", "color": color}]}).embeds
    assert embed.color == number


def test_what_is_too_long_is_cut_off() -> None:
    fields = [{"title": "t" * 300, "value": "v" * 2000}] * 30
    [embed] = converted({"attachments": [{"title": "t" * 300, "text": "x" * 5000, "fields": fields}]}).embeds
    assert (len(embed.title), len(embed.description), len(embed.fields)) == (256, 4096, 25)
    assert (len(embed.fields[0].name), len(embed.fields[0].value)) == (256, 1024)
