"""What files are, and what becomes of them in another size or format."""

import io
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from chatd.service import pixels
from chatd.service.pixels import Info, Unanimated, Unreadable, convert, inspect, measure_head
from tests.support.pictures import look, moving, still

STILLS = ("png", "jpeg", "webp", "gif")


@pytest.mark.parametrize("format_", STILLS)
def test_inspect(format_: str) -> None:
    assert inspect(still(format_)) == Info(format_, 48, 32, False)


@pytest.mark.parametrize("format_", ["gif", "webp"])
def test_inspect_an_animation(format_: str) -> None:
    assert inspect(moving(format_)) == Info(format_, 40, 20, True, 350)


def test_a_png_that_moves_is_a_still_image() -> None:
    assert inspect(moving("png")) == Info("png", 40, 20, False)


def test_but_not_where_it_may_move() -> None:
    assert inspect(moving("png"), apng=True) == Info("png", 40, 20, True, 350)
    assert inspect(still("png"), apng=True) == Info("png", 48, 32, False)


@pytest.mark.parametrize("source", STILLS)
@pytest.mark.parametrize("target", ["png", "jpeg", "webp"])
@pytest.mark.parametrize(("size", "expected"), [(16, (16, 11)), (64, (48, 32)), (None, (48, 32))])
def test_convert(source: str, target: str, size: int | None, expected: tuple[int, int]) -> None:
    data = still(source)
    made = convert(data, target, size, animated=False)
    picture = look(made)
    assert (picture.format, picture.size, picture.durations) == (target, expected, ())
    assert all(abs(a - b) < 8 for a, b in zip(picture.first, (0xC0, 0x40, 0x20, 255), strict=True))
    assert (made == data) == (source == target and size != 16)


@pytest.mark.parametrize("source", ["gif", "webp"])
@pytest.mark.parametrize("target", ["gif", "webp"])
@pytest.mark.parametrize(("size", "expected"), [(16, (16, 8)), (None, (40, 20))])
def test_convert_an_animation(source: str, target: str, size: int | None, expected: tuple[int, int]) -> None:
    data = moving(source)
    made = convert(data, target, size, animated=True)
    picture = look(made)
    assert (picture.format, picture.size, picture.durations) == (target, expected, (100, 50, 200))
    assert (made == data) == (source == target and size is None)


def test_convert_an_animation_to_a_still_image() -> None:
    for format_ in ("png", "jpeg", "webp"):
        picture = look(convert(moving(), format_, None, animated=False))
        assert (picture.format, picture.durations) == (format_, ())
        assert picture.first[1] > 150


def test_what_does_not_move_is_no_gif_but_a_webp() -> None:
    for data in (still("png"), still("gif")):
        with pytest.raises(Unanimated):
            convert(data, "gif", 16, animated=True)
        assert look(convert(data, "webp", None, animated=True)).durations == ()


def test_transparency() -> None:
    data = still(color="#00000000", mode="RGBA")
    for format_ in ("png", "webp"):
        assert look(convert(data, format_, 16, animated=False)).first[3] == 0
    assert look(convert(data, "jpeg", 16, animated=False)).first == (255, 255, 255, 255)


def test_a_photo_is_turned_and_says_no_more_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90°
    exif[0x010F] = "camera of somebody"
    file = io.BytesIO()
    Image.new("RGB", (40, 20)).save(file, "jpeg", exif=exif)
    made = convert(file.getvalue(), "jpeg", 16, animated=False)
    assert look(made).size == (8, 16)
    assert b"camera" not in made


def bomb(width: int, height: int) -> bytes:
    """A PNG of some kilobytes which would take gigabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))
    body = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM" + bytes(100),
        still()[:60],
        moving()[:100],
        bomb(30_000, 30_000),
        bomb(4097, 4096),
    ],
    ids=["nothing", "svg", "bmp", "half", "half gif", "bomb", "just too large"],
)
def test_unreadable(data: bytes) -> None:
    for attempt in (lambda: inspect(data), lambda: convert(data, "png", 16, animated=False)):
        with pytest.raises(Unreadable):
            attempt()


def test_an_animation_of_too_many_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    data = moving(durations=(10, 20, 30, 40))
    monkeypatch.setattr(pixels, "MAX_FRAMES", 3)
    with pytest.raises(Unreadable, match="too many pixels"):
        inspect(data)
    monkeypatch.undo()
    monkeypatch.setattr(pixels, "MAX_ANIMATION_PIXELS", 3 * 40 * 20)
    with pytest.raises(Unreadable, match="too many pixels"):
        inspect(data)


@given(st.sampled_from([still(f) for f in STILLS] + [moving(), moving("webp")]), st.data())
def test_damaged_files_are_read_or_refused(data: bytes, choices: st.DataObject) -> None:
    """Nothing but Unreadable comes out of a file with some bytes changed and its end cut off."""
    damaged = bytearray(data)
    for place in choices.draw(st.lists(st.integers(0, len(data) - 1), max_size=8)):
        damaged[place] = choices.draw(st.integers(0, 255))
    damaged = damaged[: choices.draw(st.integers(0, len(data)))]
    try:
        info = inspect(bytes(damaged))
    except Unreadable:
        return
    assert info.width * info.height <= pixels.MAX_PIXELS


def test_default_avatars() -> None:
    figures = [pixels.default_avatar(index) for index in range(6)]
    assert len(set(figures)) == 6
    assert {look(figure).size for figure in figures} == {(256, 256)}


# --- the size, by the beginning of a file ----------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["png", "jpeg", "gif", "webp"])
@pytest.mark.parametrize("size", [(300, 17), (640, 480)])
def test_a_size_takes_the_beginning_of_a_file_only(format_: str, size: tuple[int, int]) -> None:
    data = still(format_, size)
    assert measure_head(data) == measure_head(data[: max(30, len(data) * 9 // 10)]) == size


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif"}], ids=str)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_size_of_every_kind_of_webp(options: dict[str, Any], mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (321, 123), (1, 2, 3, 128)[: len(mode)]).save(file, "webp", **options)
    assert measure_head(file.getvalue()[:30]) == (321, 123)


def test_the_size_of_an_animation() -> None:
    for format_ in ("gif", "webp"):
        assert measure_head(moving(format_, (40, 20))[:64]) == (40, 20)


@given(st.sampled_from(["png", "jpeg", "gif", "webp"]), st.integers(0, 200))
def test_a_beginning_is_enough_or_unreadable(format_: str, length: int) -> None:
    with suppress(Unreadable):
        assert measure_head(still(format_, (64, 48))[:length]) == (64, 48)
