"""Which bytes a Range header asks for."""

import pytest

from chatd.rest.download import parse_range

SIZE = 10


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", (0, 10)),
        ("bytes=0-", (0, 10)),
        ("bytes=3-5", (3, 6)),
        ("bytes=3-99", (3, 10)),
        ("bytes=9-9", (9, 10)),
        ("bytes=-4", (6, 10)),
        ("bytes=-99", (0, 10)),
        # ignored
        ("bytes=-", (0, 10)),
        ("bytes=5-3", (0, 10)),
        ("bytes=0-1,3-4", (0, 10)),
        ("bytes=a-b", (0, 10)),
        ("pages=1-2", (0, 10)),
        ("bytes=" + "9" * 30 + "-", (0, 10)),
    ],
)
def test_range(header: str, expected: tuple[int, int]) -> None:
    assert parse_range(header, SIZE) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99-"])
def test_a_range_of_nothing(header: str) -> None:
    start, stop = parse_range(header, SIZE)
    assert start >= stop
