"""Images as bytes: what a file is, and the same picture in another size or format. Pillow is known here alone.

Plain functions for a worker thread, without files or names. What comes in was made by anybody: only four of Pillow's
decoders are ever tried, and sizes are checked before pixels are made of them.
"""

import functools
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import (
    GifImagePlugin,  # noqa: F401  (imported, a format is known; else Pillow would import all of its forty)
    Image,
    ImageDraw,
    ImageOps,
    ImageSequence,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from chatd.model.images import Format

# How files begin.
_MAGIC: dict[Format, tuple[tuple[int, bytes], ...]] = {
    "png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "jpeg": ((0, b"\xff\xd8\xff"),),
    "gif": ((0, b"GIF8"),),
    "webp": ((0, b"RIFF"), (8, b"WEBP")),
}
MAGIC_BYTES = 12

# Of one frame: 64 MiB in memory. Of an animation: 128 MiB when it is converted at its size, and seconds of work.
MAX_PIXELS = 4096 * 4096
MAX_ANIMATION_PIXELS = 2 * MAX_PIXELS
MAX_FRAMES = 1000
# Of a file that is only measured: Pillow reads all of a WebP even for its size.
MEASURED_BYTES = 32 << 20

# Pillow's own guard, which also knows frames that grow the image later. As its manual advises, the warning that it
# gives from one times to two times its limit is made an error like the rest.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)

_OPTIONS: dict[Format, dict[str, object]] = {"jpeg": {"quality": 90}, "webp": {"quality": 85, "method": 2}}

DEFAULT_AVATAR_SIZE = 256
# Background and figure of each default avatar.
DEFAULT_FIGURES = (
    ("#4f6bd8", "#e9edfb"),
    ("#6b7480", "#eceef0"),
    ("#2f9466", "#e3f5ec"),
    ("#c9862b", "#fbf0df"),
    ("#c94a55", "#fbe6e8"),
    ("#a64fb0", "#f6e6f8"),
)


class Unreadable(Exception):
    """No image, or none that may be decoded here."""


class Unanimated(Exception):
    """A GIF was asked for, and the image is no animation."""


class Info(NamedTuple):
    format: Format
    width: int
    height: int
    animated: bool
    duration_ms: int = 0  # of one round of an animation


def sniff(head: bytes) -> Format | None:
    """The format by a file's first `MAGIC_BYTES`, whatever anybody says that it is."""
    for format_, marks in _MAGIC.items():
        if all(head[offset:].startswith(mark) for offset, mark in marks):
            return format_
    return None


def measure(path: Path) -> Info | None:
    """What the file's beginning says, no pixels decoded. None for no image, and for what is too large to look at."""
    try:
        with path.open("rb") as file:
            format_ = sniff(file.read(MAGIC_BYTES))
        if format_ is None or path.stat().st_size > MEASURED_BYTES:
            return None
        with Image.open(path, formats=(format_,)) as image:
            return _info(image, format_, apng=True)
    except Exception:  # as in `inspect`
        return None


def inspect(data: bytes, apng: bool = False) -> Info:
    """What the file is, after all of it was decoded. A PNG is an animation only with `apng`. Raises Unreadable."""
    try:
        with _open(data) as image:
            info = _info(image, _format(data), apng)
            duration_ms = 0.0
            for frame in _frames(image, info.animated):
                frame.load()
                duration_ms += frame.info.get("duration", 0)  # known once the frame is decoded
            return info._replace(duration_ms=round(duration_ms)) if info.animated else info
    except Exception as error:  # decoders of broken files raise nearly everything
        raise Unreadable(repr(error)) from error


def measure_head(head: bytes) -> tuple[int, int]:
    """Width and height by the beginning of a file, of which nothing is decoded. Raises Unreadable."""
    try:
        if _format(head) == "webp":  # which Pillow opens only whole
            return _measure_webp(head)
        with _open(head) as image:
            return image.size
    except Exception as error:  # as in `inspect`
        raise Unreadable(repr(error)) from error


def convert(data: bytes, format_: Format, size: int | None, animated: bool) -> bytes:
    """The picture in another format, and no larger than `size` in either direction; never larger than it was.

    The file itself when it is that already. What is no animation is one frame also where `animated` asks for more.
    Raises Unreadable, and Unanimated for a GIF of what is none: that is no format for still images here.
    """
    try:
        with _open(data) as image:
            info = _info(image, _format(data))
            if format_ == "gif" and not info.animated:
                raise Unanimated
            animated = animated and info.animated
            fits = size is None or max(info.width, info.height) <= size
            if fits and (info.format, info.animated) == (format_, animated):
                return data
            box = (info.width, info.height) if size is None else (size, size)
            durations: list[int] = []
            frames = []
            for frame in _frames(image, animated):
                frames.append(_still(frame, box))
                durations.append(frame.info.get("duration", 0))  # known once the frame is decoded
            options = _animation(frames, durations, image.info.get("loop"), format_) if animated else {}
            return _encode(frames[0], format_, options)
    except Unanimated:
        raise
    except Exception as error:
        raise Unreadable(repr(error)) from error


@functools.cache
def default_avatar(index: int) -> bytes:
    """A plain figure, as a PNG file."""
    ground, figure = DEFAULT_FIGURES[index]
    scale = 4  # drawn larger and made smaller: Pillow's shapes have hard edges
    side = DEFAULT_AVATAR_SIZE * scale
    image = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(image)
    draw.circle((side // 2, side * 2 // 5), side * 17 // 100, figure)
    draw.circle((side // 2, side), side * 35 // 100, figure)
    image = image.resize((DEFAULT_AVATAR_SIZE, DEFAULT_AVATAR_SIZE), Image.Resampling.LANCZOS)
    return _encode(image, "png", {})


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=(_format(data),))


def _format(data: bytes) -> Format:
    format_ = sniff(data[:MAGIC_BYTES])
    if format_ is None:
        raise ValueError("not of a known format")
    return format_


def _measure_webp(head: bytes) -> tuple[int, int]:
    """By the first chunk (RFC 9649): a lossy frame's header, a lossless one's, or that of the extended format."""
    chunk = head[12:16] if len(head) >= 30 else b""
    if chunk == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    raise ValueError("not of a known format")


def _info(image: Image.Image, format_: Format, apng: bool = False) -> Info:
    # A PNG that moves is a still image, as it is for Discord, but for stickers; so is a JPEG of several pictures.
    moving = ("gif", "webp", "png") if apng else ("gif", "webp")
    animated = format_ in moving and bool(getattr(image, "is_animated", False))
    return Info(format_, image.width, image.height, animated)


def _frames(image: Image.Image, animated: bool) -> Iterator[Image.Image]:
    """The image itself, standing at one frame after the other, as far as the limits allow."""
    pixels = 0
    for count, frame in enumerate(ImageSequence.Iterator(image) if animated else (image,), 1):
        pixels += frame.width * frame.height
        if animated and (count > MAX_FRAMES or pixels > MAX_ANIMATION_PIXELS):
            raise ValueError("an animation of too many pixels")
        yield frame


def _still(frame: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Without metadata (where a photo was taken, for one), but turned as it says."""
    still = ImageOps.exif_transpose(frame).convert("RGBA" if frame.has_transparency_data else "RGB")
    still.thumbnail(box, Image.Resampling.LANCZOS)
    still.info = {}
    return still


def _animation(frames: list[Image.Image], durations: list[int], loop: int | None, format_: Format) -> dict[str, object]:
    """Pillow's options. `loop` is 0 for ever; in a GIF, no word of it means once."""
    options: dict[str, object] = {"save_all": True, "append_images": frames[1:], "duration": durations}
    if loop is not None or format_ == "webp":
        options["loop"] = 1 if loop is None else loop
    if format_ == "gif" and any(frame.mode == "RGBA" for frame in frames):
        options["disposal"] = 2  # or else a frame shows through the holes of the next
    return options


def _encode(image: Image.Image, format_: Format, options: dict[str, object]) -> bytes:
    if format_ == "jpeg":
        image = _on_white(image)
    file = io.BytesIO()
    image.save(file, format_, **_OPTIONS.get(format_, {}), **options)
    return file.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    """JPEG knows no transparency."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
