"""What a page says of itself in its head: `<meta>` properties and the title, by The Open Graph Protocol (ogp.me).

Strangers write these pages, so the reader takes one step forward for each tag and never goes back over what it has
read: whatever a page holds, it costs time in proportion to its length. Where something is not ended, reading ends.
"""

import codecs
import re
from html import unescape

# Of one value, before entities are resolved: more than any field of an embed shows.
VALUE_LENGTH = 4000

# What follows "<" in a tag.
_START = re.compile(r"/?[a-z]", re.IGNORECASE)
# Possessive, so that a quote that is not closed fails at once.
_TAG = re.compile(r"(?P<name>/?[a-z][a-z0-9:-]*)(?P<attributes>(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z:-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>]++))", re.IGNORECASE)
# What is text up to its end, whatever it looks like (HTML, "Parsing elements that contain only text").
_RAW_TEXT = frozenset(("script", "style", "title", "noscript", "template", "textarea"))
# Behind these there is no head any more.
_END = frozenset(("/head", "body"))

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([a-z0-9_:-]{1,40})", re.IGNORECASE)
_CHARSET_BYTES = 1024  # "prescan a byte stream to determine its encoding" looks no further
# The Encoding Standard's, by Python's names. Python knows others that are no character sets, or slow.
_CHARSETS = frozenset(
    (
        *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", *(f"iso8859-{part}" for part in range(1, 17))),
        *(*(f"cp125{part}" for part in range(9)), "cp866", "koi8-r", "koi8-u", "mac-roman"),
        *("shift_jis", "euc_jp", "iso2022_jp", "euc_kr", "cp949", "gb2312", "gbk", "gb18030", "big5"),
    )
)


def meta(data: bytes, charset: str) -> dict[str, str]:
    """The first value of each property or name, in lower case, and the title as `title`. Values are not empty."""
    text = data.decode(_encoding(data, charset), "replace")
    found: dict[str, str] = {}
    position = 0
    while (start := text.find("<", position)) >= 0:
        if text.startswith("<!--", start):
            position = text.find("-->", start) + 3
            if position < 3:
                break
            continue
        position = start + 1
        if _START.match(text, position) is None:
            continue  # "a < b", "<!doctype html>"
        tag = _TAG.match(text, position)
        if tag is None:
            break
        position = tag.end()
        name = tag["name"].lower()
        if name in _END:
            break
        if name == "meta":
            _add(found, *_property(tag["attributes"]))
        elif name in _RAW_TEXT:
            end = _end_of(text, name, position)
            if name == "title":
                _add(found, "title", text[position:end])
            position = end
    return found


def _end_of(text: str, name: str, position: int) -> int:
    end = re.compile(f"</{name}", re.IGNORECASE).search(text, position)
    return len(text) if end is None else end.start()


def _property(attributes: str) -> tuple[str, str]:
    given = {name.lower(): double or single or bare for name, double, single, bare in _ATTRIBUTE.findall(attributes)}
    return (given.get("property") or given.get("name") or "").strip().lower(), given.get("content", "")


def _add(found: dict[str, str], name: str, value: str) -> None:
    value = " ".join(unescape(value[:VALUE_LENGTH]).split())
    if name and value:
        found.setdefault(name, value)


def _encoding(data: bytes, charset: str) -> str:
    """Said by the header, by the page, or UTF-8."""
    declared = _CHARSET.search(data, 0, _CHARSET_BYTES)
    for name in (charset, declared[1].decode("ascii") if declared else ""):
        try:
            known = codecs.lookup(name).name
        except LookupError:
            continue
        if known in _CHARSETS:
            # As browsers do, because pages that say the first mean the second.
            return "cp1252" if known in ("iso8859-1", "ascii") else known
    return "utf-8"
