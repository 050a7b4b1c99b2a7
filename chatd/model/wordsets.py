"""The words of AutoMod's keyword presets. They are data: `wordsets.toml`."""

import functools
import tomllib
from collections.abc import Iterable
from pathlib import Path

from chatd.model.objects.auto_moderation import KeywordPreset


def keywords(presets: Iterable[KeywordPreset]) -> list[str]:
    lists = _load()
    return [keyword for preset in presets for keyword in lists[preset.name.lower()]]


@functools.cache
def _load() -> dict[str, list[str]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
