"""The limiter against its definition, for any sequence of hits."""

from hypothesis import given
from hypothesis import strategies as st

from chatd.model.ratelimit import Limiter, Rule

rules = st.builds(Rule, st.integers(0, 5), st.sampled_from([0.5, 1.0, 5.0]))
steps = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 0.125, 0.5, 1.0, 5.0, 9.0])), max_size=60)


@given(rules, steps)
def test_no_window_lets_more_through_than_its_limit(rule: Rule, hits: list[tuple[str, float]]) -> None:
    limiter = Limiter(max_keys=10)
    opened: dict[str, float] = {}
    let_through: dict[str, int] = {}
    now = 1_000_000.0
    for key, pause in hits:
        now += pause
        if key not in opened or now >= opened[key] + rule.window_s:
            opened[key], let_through[key] = now, 0
        verdict = limiter.hit(key, rule, now)
        assert verdict.allowed == (let_through[key] < rule.limit)
        let_through[key] += verdict.allowed
        assert verdict.remaining == rule.limit - let_through[key]
        assert verdict.reset_at_s == opened[key] + rule.window_s
        assert 0 < verdict.reset_after_s <= rule.window_s


@given(st.integers(1, 8), steps)
def test_memory_is_bounded_and_sweeping_empties_it(max_keys: int, hits: list[tuple[str, float]]) -> None:
    limiter = Limiter(max_keys)
    now = 0.0
    for index, (key, pause) in enumerate(hits):
        now += pause
        limiter.hit((key, index % 7), Rule(1, 1.0), now)
        assert len(limiter) <= max_keys
    limiter.sweep(now + 1)
    assert len(limiter) == 0


@given(rules, steps)
def test_sweeping_changes_no_verdict(rule: Rule, hits: list[tuple[str, float]]) -> None:
    plain, swept = Limiter(10), Limiter(10)
    now = 0.0
    for key, pause in hits:
        now += pause
        swept.sweep(now)
        assert swept.hit(key, rule, now) == plain.hit(key, rule, now)


@given(rules, st.lists(st.floats(0, 2_000_000_000), max_size=30))
def test_no_clock_makes_anyone_wait_longer_than_a_window(rule: Rule, clock: list[float]) -> None:
    limiter = Limiter(10)
    for now in clock:
        assert 0 < limiter.hit("a", rule, now).reset_after_s <= rule.window_s + 1e-6
