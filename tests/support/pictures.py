"""Images for tests, and how a client sends them."""

import base64
import io
import random
from typing import NamedTuple

from PIL import Image


class Picture(NamedTuple):
    """What a file turns out to be."""

    format: str
    size: tuple[int, int]
    durations: tuple[int, ...]  # of the frames of an animation, in ms
    first: tuple[int, ...]  # colour of the pixel at the top left


def still(format_: str = "png", size: tuple[int, int] = (48, 32), color: str = "#c04020", mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, color).save(file, format_)
    return file.getvalue()


def noise(width: int, height: int) -> bytes:
    """A PNG file of about three bytes for each pixel."""
    file = io.BytesIO()
    Image.frombytes("RGB", (width, height), random.Random(1).randbytes(3 * width * height)).save(file, "png")
    return file.getvalue()


def moving(
    format_: str = "gif", size: tuple[int, int] = (40, 20), durations: tuple[int, ...] = (100, 50, 200)
) -> bytes:
    frames = [Image.new("RGB", size, (60 * n, 200, 20)) for n in range(len(durations))]
    file = io.BytesIO()
    frames[0].save(file, format_, save_all=True, append_images=frames[1:], duration=list(durations), loop=0)
    return file.getvalue()


def data_uri(data: bytes, type_: str = "image/png") -> str:
    return f"data:{type_};base64,{base64.b64encode(data).decode()}"


def look(data: bytes) -> Picture:
    with Image.open(io.BytesIO(data)) as image:
        first = image.convert("RGBA").getpixel((0, 0))
        durations = []
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            image.load()
            durations.append(image.info.get("duration", 0))
        animated = getattr(image, "is_animated", False)
        return Picture(str(image.format).lower(), image.size, tuple(durations) if animated else (), tuple(first))
