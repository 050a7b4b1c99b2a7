"""A checker that cannot fail proves nothing: it must name each kind of fault, and forgive no more than it says."""

import pytest

from tests.e2e.delivery import DISCORD_EPOCH_MS, Channel, Record, check

START_MS = DISCORD_EPOCH_MS + 1000
SHARD = 2


def id_at(ms: int) -> str:
    return str((START_MS + ms - DISCORD_EPOCH_MS) << 22)


A, B, C, D = (id_at(ms) for ms in (10, 20, 30, 40))

CHANNEL = Channel(id="desk", guild="room", shard=SHARD, history={A: "a", B: "b", C: "c", D: "d"})

IDENTIFIED: Record = {"event": "identified", "shard": SHARD}
RESUMED: Record = {"event": "resumed", "shard": SHARD}
INVALID: Record = {"event": "invalid", "shard": SHARD}


def guild(at_ms: int) -> Record:
    return {"event": "guild", "guild": "room", "at": START_MS + at_ms}


def told(id_: str, shard: int = SHARD, channel: str = "desk", content: str | None = None) -> Record:
    content = CHANNEL.history.get(id_, "") if content is None else content
    return {"event": "message", "shard": shard, "channel": channel, "id": id_, "content": content}


BEGIN = [IDENTIFIED, guild(0)]


def anew(at_ms: int) -> list[Record]:
    return [INVALID, IDENTIFIED, guild(at_ms)]


@pytest.mark.parametrize(
    ("records", "missed"),
    [
        pytest.param([*BEGIN, told(A), told(B), told(C), told(D)], 0, id="each once"),
        pytest.param([*BEGIN, told(A), RESUMED, told(B), RESUMED, told(C), told(D)], 0, id="resumed"),
        pytest.param([*BEGIN, told(A), *anew(25), told(B), told(C), told(D)], 0, id="anew, without a gap"),
        pytest.param([*BEGIN, told(A), *anew(35), told(D)], 2, id="anew, with a gap"),
        pytest.param([*BEGIN, told(A), *anew(25), told(C), *anew(45)], 2, id="anew twice, the second time at the end"),
    ],
)
def test_accepts(records: list[Record], missed: int) -> None:
    report = check(records, [CHANNEL])
    assert (report.faults, report.missed) == ([], missed)


@pytest.mark.parametrize(
    ("records", "faults"),
    [
        pytest.param([*BEGIN, told(A), told(C), told(D)], [f"{B}: lost in desk"], id="loss"),
        pytest.param([*BEGIN, told(A), told(B), told(C)], [f"{D}: lost in desk"], id="loss at the end"),
        pytest.param([*BEGIN, told(B), told(C), told(D)], [f"{A}: lost in desk"], id="loss at the beginning"),
        pytest.param([*BEGIN, told(A), RESUMED, told(C), told(D)], [f"{B}: lost in desk"], id="loss in a resume"),
        pytest.param([*BEGIN, told(A), told(B), told(B), told(C), told(D)], [f"{B}: doubled"], id="doubling"),
        pytest.param(
            [*BEGIN, told(A), told(B), RESUMED, told(A), told(B), told(C), told(D)],
            [f"{A}: doubled", f"{B}: doubled"],
            id="doubling by a replay",
        ),
        pytest.param(
            [*BEGIN, told(A), told(C), told(B), told(D)], [f"{B}: misordered, told after {C}"], id="other order"
        ),
        pytest.param(
            [*BEGIN, told(A), told(B), told(C, shard=0), told(D)], [f"{C}: told to shard 0 instead of 2"], id="shard"
        ),
        pytest.param(
            [*BEGIN, told(A), told(B), told(C, content="x"), told(D)], [f"{C}: mutated into 'x'"], id="mutation"
        ),
        pytest.param(
            [*BEGIN, told(A), told("77"), told(B), told(C), told(D)],
            ["77: phantom, not in the history of desk"],
            id="phantom",
        ),
        pytest.param(
            [*BEGIN, told(A), told(B), told(C), told(D), told(D, channel="attic")],
            [f"{D}: phantom, in a channel that nobody posted to"],
            id="unknown channel",
        ),
        pytest.param(
            [*BEGIN, told(A), IDENTIFIED, guild(15), told(B), told(C), told(D)],
            ["shard 2: identified anew, but was not told op 9"],
            id="anew without op 9",
        ),
        pytest.param(
            [*BEGIN, told(A), IDENTIFIED, guild(25), told(C), told(D)],
            ["shard 2: identified anew, but was not told op 9", f"{B}: lost in desk"],
            id="a gap without op 9",
        ),
        pytest.param(
            [*BEGIN, told(A), *anew(25), told(D)], [f"{C}: lost in desk"], id="posted after the new GUILD_CREATE"
        ),
        pytest.param(
            [*BEGIN, told(A), *anew(45), told(B), told(D)], [f"{C}: lost in desk"], id="lost behind what follows a gap"
        ),
        pytest.param(
            [*BEGIN, told(A), {**INVALID, "shard": 0}, {**IDENTIFIED, "shard": 0}, guild(25), told(C), told(D)],
            [f"{B}: lost in desk"],
            id="another shard was refused",
        ),
        pytest.param(
            [*BEGIN, told(A), told(B), *anew(35), told(B), told(C), told(D)], [f"{B}: doubled"], id="doubled after op 9"
        ),
    ],
)
def test_names_the_fault(records: list[Record], faults: list[str]) -> None:
    assert check(records, [CHANNEL]).faults == faults


def test_counts_what_happened() -> None:
    events = check([*BEGIN, told(A), RESUMED, told(B), *anew(25), told(C), told(D)], [CHANNEL]).events
    assert events == {"identified": 2, "guild": 2, "message": 4, "resumed": 1, "invalid": 1}
