"""The load client's checker, and the client against the C limit: the bench must notice what it exists to notice."""

import subprocess
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from bench import build, load, servers
from bench.__main__ import SHORT, parser
from bench.context import Context
from bench.progress import Progress
from bench.results import Result
from bench.scenarios import SCENARIOS
from tests.unit.test_bench_figures import a_result


def _problem() -> str:
    """Why the programs cannot be compiled here: no compiler, or no headers of zlib."""
    try:
        build.program("load")
    except build.CannotCompile as error:
        return str(error)
    return ""


PROBLEM = _problem()
pytestmark = pytest.mark.skipif(bool(PROBLEM), reason=PROBLEM)


def check(numbers: Sequence[int]) -> dict[str, int]:
    text = "\n".join(map(str, numbers))
    done = subprocess.run([build.program("load"), "check"], input=text, capture_output=True, text=True, check=True)
    return msgspec.json.decode(done.stdout, type=dict[str, int])


@pytest.mark.parametrize(
    ("numbers", "lost", "doubled", "out_of_order"),
    [
        pytest.param([0, 1, 2, 3], 0, 0, 0, id="in order"),
        pytest.param([0, 1, 3], 1, 0, 0, id="a hole"),
        pytest.param([3], 3, 0, 0, id="late start"),
        pytest.param([0, 1, 1, 2], 0, 1, 0, id="doubled"),
        pytest.param([0, 2, 1, 3], 0, 0, 1, id="swapped"),
        pytest.param([0, 2, 1, 1, 3], 0, 1, 1, id="swapped and doubled"),
        pytest.param([*range(63), 0], 0, 1, 0, id="doubled at the edge of the memory"),
        pytest.param([*range(500), 0], 0, 1, 0, id="doubled long after"),
        pytest.param([0, 100, 37], 98, 0, 1, id="a far hole filled"),
        pytest.param([0, 100, 37, 37], 98, 1, 1, id="a far hole filled twice"),
    ],
)
def test_checker(numbers: list[int], lost: int, doubled: int, out_of_order: int) -> None:
    verdict = check(numbers)
    assert (verdict["lost"], verdict["doubled"], verdict["out_of_order"]) == (lost, doubled, out_of_order)
    assert verdict["delivered"] == len(set(numbers))


def a_context() -> Context:
    result: Result = a_result()
    return Context(Namespace(rounds=1), result, Progress())


def publish(*, joined: bool, **settings: Any) -> dict[str, Any]:
    with servers.limit(joined=joined, frame_bytes=400) as server:
        return load.run(
            server,
            a_context(),
            tokens=["none"],
            targets=["/channels/1/messages\tBot none"],
            settle=0,
            **settings,
        )


@pytest.mark.parametrize("joined", [False, True])
def test_every_message_reaches_every_session_of_the_limit(joined: bool) -> None:
    report = publish(joined=joined, sessions=5, publishers=4, in_flight=4, count=40)
    assert report["window"]["accepted"] == 40
    assert report["check"]["delivered"] == 200
    assert {key: count for key, count in report["check"].items() if count} == {"delivered": 200}
    assert report["window"]["frame_bytes"] == pytest.approx(400, abs=40)


def test_the_client_says_why_it_cannot_run() -> None:
    with pytest.raises(load.LoadFailed, match="tokens"):
        publish_without_tokens()


def publish_without_tokens() -> None:
    with servers.limit(joined=False, frame_bytes=400) as server:
        load.run(server, a_context(), sessions=1)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_has_a_summary_and_parses_without_options(name: str) -> None:
    options = parser().parse_args([name])
    assert options.rounds >= 3
    assert (SCENARIOS[name].__doc__ or "").startswith(f"{name}: ")


@pytest.mark.parametrize("line", SHORT)
def test_the_short_selection_parses(line: str) -> None:
    parser().parse_args(line.split())
