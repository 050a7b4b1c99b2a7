"""The README's marked blocks: an HTML comment with a name, and on the next line a fence."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"

BLOCK = re.compile(r"^<!-- (?P<name>[\w.]+) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def block(name: str) -> str:
    [text] = [match["text"] for match in BLOCK.finditer(README.read_text()) if match["name"] == name]
    return text
