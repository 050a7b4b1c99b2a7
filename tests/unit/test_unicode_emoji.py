"""What counts as an emoji of Unicode."""

import pytest

from chatd.model.unicode_emoji import bare, is_emoji


@pytest.mark.parametrize(
    "text",
    [
        "😀",
        "👍🏽",
        "❤",
        "❤️",
        "©️",
        "5️⃣",
        "#⃣",
        "🇩🇪",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "👩‍👩‍👧‍👦",
        "❤️‍🔥",
        "🏳️‍🌈",
        "🤷🏻‍♂️",
        "🧑🏻‍❤️‍💋‍🧑🏿",
        "\U0001faff",  # of a version to come
    ],
)
def test_emojis(text: str) -> None:
    assert is_emoji(text)
    assert is_emoji(bare(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "5",
        "#",
        "★",
        "→",
        "é",
        "😀😀",
        "😀a",
        "😀\n",
        "🇩",
        "🇩🇪🇫",
        "👩‍",
        "‍👩",
        "\ufe0f",
        "🏽\u20e3",
        "name:1",
        "\U00020000",
    ],
)
def test_what_is_none(text: str) -> None:
    assert not is_emoji(text)


def test_spellings_agree() -> None:
    assert bare("❤️‍🔥") == bare("❤‍🔥") != bare("❤️")
