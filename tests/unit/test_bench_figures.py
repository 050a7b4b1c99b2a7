"""What the bench makes of its measurements: spreads, ratios, targets, tables, comparisons, files."""

from pathlib import Path

import pytest

from bench import report
from bench.compare import change, compare
from bench.machine import Machine
from bench.results import Figure, Result, Target, load, newest, save, table
from bench.stats import Spread, ratios, significant, spread

MACHINE = Machine("abc1234", "A processor", 2, 4096, "6.1", "3.11.0", {"trio": "0.31"}, 0.1)


def a_result(scenario: str = "fanout", started: str = "2026-01-02T03:04:05+00:00", **figures: list[float]) -> Result:
    result = Result(scenario, started, {"rounds": 3}, MACHINE)
    for name, rounds in figures.items():
        result.add_all(name, rounds, "/s")
    return result


def test_spread_is_the_median_with_its_extremes() -> None:
    assert spread([5, 1, 9]) == Spread(5, 1, 9)
    assert spread([4, 2]) == Spread(3, 2, 4)


def test_spreads_that_touch_overlap() -> None:
    assert Spread(2, 1, 3).overlaps(Spread(4, 3, 5))
    assert not Spread(2, 1, 3).overlaps(Spread(5, 4, 6))


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([10, 30], [20, 40]) == [0.5, 0.75]


def test_ratios_leave_out_rounds_without_a_reference() -> None:
    assert ratios([10, 30], [0, 40]) == [0.75]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (141_234, "141,000"),
        (1234, "1,230"),
        (123.4, "123"),
        (12.34, "12.3"),
        (1.234, "1.23"),
        (0.1234, "0.123"),
    ],
)
def test_three_digits_are_shown(value: float, text: str) -> None:
    assert significant(value) == text


def test_a_target_bounds_the_median() -> None:
    assert Figure("f", "/s", [1, 5, 9], Target(">=", 5)).verdict == "reached"
    assert Figure("f", "ms", [1, 5, 9], Target("<=", 4)).verdict == "NOT REACHED"
    assert Figure("f", "ms", [1, 5, 9]).verdict == ""


def test_rounds_of_a_figure_are_collected() -> None:
    result = a_result()
    result.add("deliveries", 1, "/s", Target(">=", 2))
    result.add("deliveries", 3, "/s")
    assert result.figures == [Figure("deliveries", "/s", [1, 3], Target(">=", 2))]


def test_every_count_of_a_check_but_the_delivered_is_a_violation() -> None:
    result = a_result()
    result.judge(
        "case", {"delivered": 100, "lost": 0, "doubled": 2, "refused_requests": 1}, frozenset({"refused_requests"})
    )
    assert result.violations == ["case: doubled 2"]


def test_the_table_says_whether_a_target_was_reached() -> None:
    result = a_result()
    result.add("deliveries", 150_000, "/s", Target(">=", 100_000))
    assert table(result).splitlines() == [
        "figure       median          min – max  unit  target",
        "deliveries  150,000  150,000 – 150,000  /s    ≥ 100,000  reached",
    ]


def test_a_saved_result_reads_back_equal(tmp_path: Path) -> None:
    result = a_result(deliveries=[1.5, 2.5])
    path = save(result, tmp_path)
    assert path.name == "fanout-20260102T030405Z.json"
    assert load(path) == result


def test_the_newest_result_of_each_scenario_is_found(tmp_path: Path) -> None:
    old, new = a_result(started="2026-01-02T03:04:05+00:00"), a_result(started="2026-02-02T03:04:05+00:00")
    other = a_result("post")
    for result in (old, new, other):
        save(result, tmp_path)
    assert newest(tmp_path) == [new, other]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ([100, 110, 120], [115, 116, 117], "within the spread"),
        ([100, 110, 120], [220, 220, 220], "+100 %"),
        ([100, 100, 100], [50, 50, 50], "-50 %"),
        ([0, 0, 0], [50, 50, 50], "was 0"),
    ],
)
def test_a_change_counts_only_outside_the_spread(before: list[float], after: list[float], text: str) -> None:
    assert change(Figure("f", "/s", before), Figure("f", "/s", after)) == text


def test_a_comparison_shows_common_figures_and_names_the_others() -> None:
    text = compare(a_result(common=[1], gone=[1]), a_result(common=[2], new=[1]))
    assert "+100 %" in text
    assert text.splitlines()[-2:] == ["only in A: gone", "only in B: new"]


def test_results_without_a_common_figure_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no figure in common"):
        compare(a_result(one=[1]), a_result(two=[1]))


def test_the_report_replaces_what_stands_between_its_markers(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"above\n{report.BEGIN}\nold\n{report.END}\nbelow\n")
    report.write([a_result(deliveries=[1000])], readme)
    text = readme.read_text()
    assert text.startswith("above\n")
    assert text.endswith("\nbelow\n")
    assert "old" not in text
    assert "| deliveries | 1,000 | 1,000 – 1,000 | /s |  |  |" in text


def test_the_report_refuses_a_page_without_markers(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="no markers"):
        report.write([], readme)
