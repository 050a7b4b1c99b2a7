"""What files are called, and what they are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.model.files import HEAD_BYTES, NAME_LENGTH, TEXT, media_type, sanitize
from tests.support.pictures import moving, still


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("cat.png", "cat.png"),
        ("SPOILER_my cat.png", "SPOILER_my_cat.png"),
        ("größe.txt", "groe.txt"),
        ("a.tar.gz", "a.tar.gz"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\cat.png", "cat.png"),
        (".htaccess", "htaccess"),
        ("文档.txt", "txt"),
        ("文档", "unknown"),
        ("", "unknown"),
        ("...", "unknown"),
        ('a"b\r\nX: y.txt', "ab__X_y.txt"),
        ("e\N{COMBINING ACUTE ACCENT}.txt", "e.txt"),
        ("x" * 300 + ".png", "x" * 197 + ".png"),
    ],
)
def test_names(sent: str, shown: str) -> None:
    assert sanitize(sent) == shown


@given(st.text())
def test_every_name_is_safe_everywhere(sent: str) -> None:
    shown = sanitize(sent)
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", shown)
    assert len(shown) <= NAME_LENGTH + 1
    assert sanitize(shown) == shown


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (still("png"), "image/png"),
        (still("jpeg"), "image/jpeg"),
        (still("webp"), "image/webp"),
        (moving("gif"), "image/gif"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"<html><script>alert(1)</script>", TEXT),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", TEXT),
        ("größe\r\n".encode(), TEXT),
        ("é".encode()[:1], TEXT),  # cut within a character
        (b"a\0b", None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_media_types(head: bytes, kind: str | None) -> None:
    assert media_type(head[:HEAD_BYTES]) == kind
