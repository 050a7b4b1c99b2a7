"""A checker that cannot fail proves nothing: it must name each kind of fault."""

from pathlib import Path

import pytest

from tests.e2e.ledger import Ledger, faults, read

CONTENT = {nonce: f"{nonce} some words" for nonce in ("a", "b", "refused", "cut", "silent")}


def message(nonce: str, message_id: int, content: str | None = None) -> dict[str, str]:
    return {"id": str(message_id), "content": content or CONTENT[nonce]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """a is acknowledged as 10; then b as 20; one is refused, one cut off, and one has no outcome at all."""
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    ledger.sending("a", CONTENT["a"])
    ledger.sending("silent", CONTENT["silent"])
    ledger.ok("a", "10")
    ledger.sending("refused", CONTENT["refused"])
    ledger.refused("refused")
    ledger.sending("b", CONTENT["b"])
    ledger.sending("cut", CONTENT["cut"])
    ledger.ok("b", "20")
    ledger.unknown("cut")
    ledger.close()
    return path


A, B = message("a", 10), message("b", 20)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([B, A], id="acknowledged only"),
        pytest.param([B, message("cut", 15), A], id="cut off, yet stored"),
        pytest.param([B, A, message("silent", 9)], id="no outcome, yet stored"),
    ],
)
def test_accepts(path: Path, history: list[dict[str, str]]) -> None:
    assert faults(read(path), history) == []


@pytest.mark.parametrize(
    ("history", "fault"),
    [
        pytest.param([A], "b: ok, but there 0 times", id="loss"),
        pytest.param([message("b", 21), B, A], "b: ok, but there 2 times", id="doubling"),
        pytest.param(
            [B, message("cut", 16), message("cut", 15), A], "cut: unknown, but there 2 times", id="unknown twice"
        ),
        pytest.param([B, message("refused", 15), A], "refused: refused, but there 1 times", id="refused but stored"),
        pytest.param([message("b", 20, "b other words"), A], "b: mutated into 'b other words'", id="mutation"),
        pytest.param([B, A, message("x", 5, "x ?")], "x: phantom, nobody sent it", id="phantom"),
        pytest.param([message("b", 21), A], "b: acknowledged as 20, but there as 21", id="another id"),
        pytest.param([A, B], "history: 10 is listed before 20", id="list out of order"),
        pytest.param(
            [B, A, message("cut", 9)],
            "cut: misordered, 9 was sent after 10 had been acknowledged",
            id="older id than one acknowledged before",
        ),
    ],
)
def test_names_the_fault(path: Path, history: list[dict[str, str]], fault: str) -> None:
    assert fault in faults(read(path), history)


def test_a_retry_settles_what_was_unknown(path: Path) -> None:
    ledger = Ledger(path)
    ledger.sending("cut", CONTENT["cut"])
    ledger.ok("cut", "30")
    ledger.close()
    assert faults(read(path), [message("cut", 30), B, A]) == []
    assert faults(read(path), [B, A]) == ["cut: ok, but there 0 times"]
