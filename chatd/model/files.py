"""What a file is called, and what it is: its name as the API shows it, and its media type by its first bytes.

What a client says of the type is not asked: browsers would believe it.
"""

import codecs
import re
import unicodedata

# Of a sanitized name; longer ones lose the end of what is before the extension.
NAME_LENGTH = 200
_EXTENSION_LENGTH = 20
UNNAMED = "unknown"

# Of a file's beginning, for `media_type`.
HEAD_BYTES = 512

_FORBIDDEN = re.compile(r"[^A-Za-z0-9._-]")

# Media type -> (offset, bytes) that all have to be there. The first that fits counts.
_SIGNATURES: tuple[tuple[str, tuple[tuple[int, bytes], ...]], ...] = (
    ("image/png", ((0, b"\x89PNG\r\n\x1a\n"),)),
    ("image/jpeg", ((0, b"\xff\xd8\xff"),)),
    ("image/gif", ((0, b"GIF8"),)),
    ("image/webp", ((0, b"RIFF"), (8, b"WEBP"))),
    ("image/avif", ((4, b"ftypavif"),)),
    ("image/heic", ((4, b"ftyphei"),)),
    ("audio/wav", ((0, b"RIFF"), (8, b"WAVE"))),
    ("audio/mp4", ((4, b"ftypM4A"),)),
    ("video/quicktime", ((4, b"ftypqt"),)),
    ("video/mp4", ((4, b"ftyp"),)),
    ("video/webm", ((0, b"\x1a\x45\xdf\xa3"),)),
    ("audio/ogg", ((0, b"OggS"),)),
    ("audio/flac", ((0, b"fLaC"),)),
    ("audio/mpeg", ((0, b"ID3"),)),
    ("audio/mpeg", ((0, b"\xff\xfb"),)),
    ("application/pdf", ((0, b"%PDF-"),)),
    ("application/zip", ((0, b"PK\x03\x04"),)),
    ("application/zip", ((0, b"PK\x05\x06"),)),
    ("application/gzip", ((0, b"\x1f\x8b"),)),
    ("application/x-7z-compressed", ((0, b"7z\xbc\xaf\x27\x1c"),)),
    ("application/zstd", ((0, b"\x28\xb5\x2f\xfd"),)),
    ("application/vnd.rar", ((0, b"Rar!\x1a\x07"),)),
)

# HTML and SVG among it: as text they are looked at, and not run.
TEXT = "text/plain; charset=utf-8"
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def sanitize(name: str) -> str:
    """A name of letters, digits, ".", "_" and "-" alone, which goes into URLs, headers and file systems as it is."""
    name = re.split(r"[/\\]", name)[-1]  # some send the whole path
    name = unicodedata.normalize("NFKD", re.sub(r"\s", "_", name))
    name = _FORBIDDEN.sub("", name).lstrip(".")
    stem, dot, extension = name.rpartition(".") if "." in name else (name, "", "")
    extension = extension[:_EXTENSION_LENGTH]
    return f"{stem[: NAME_LENGTH - len(extension)] or UNNAMED}{dot}{extension}"


def media_type(head: bytes) -> str | None:
    """By a file's first `HEAD_BYTES`, or all that it has; None for what could be anything."""
    for kind, marks in _SIGNATURES:
        if all(head.startswith(mark, offset) for offset, mark in marks):
            return kind
    return TEXT if head and _is_text(head) else None


def _is_text(head: bytes) -> bool:
    if _CONTROL.search(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # which may end within a character
    except UnicodeDecodeError:
        return False
    return True
