"""Fixed windows and the headers that show them."""

import pytest

from chatd.model.ratelimit import Limiter, Rule, Verdict, headers

FIVE_IN_TWO = Rule(limit=5, window_s=2.0)
NOW = 1_470_173_023.0


def hits(limiter: Limiter, key: str, times: int, now: float = NOW) -> list[bool]:
    return [limiter.hit(key, FIVE_IN_TWO, now).allowed for _ in range(times)]


def test_the_first_hit_opens_the_window() -> None:
    assert Limiter(10).hit("a", FIVE_IN_TWO, NOW) == Verdict(True, 5, 4, NOW + 2, 2.0)


def test_the_window_stays_where_it_was_opened() -> None:
    limiter = Limiter(10)
    limiter.hit("a", FIVE_IN_TWO, NOW)
    assert limiter.hit("a", FIVE_IN_TWO, NOW + 0.5) == Verdict(True, 5, 3, NOW + 2, 1.5)


def test_more_than_the_limit_is_refused_until_the_window_is_over() -> None:
    limiter = Limiter(10)
    assert hits(limiter, "a", 6) == [True] * 5 + [False]
    assert limiter.hit("a", FIVE_IN_TWO, NOW + 1.75) == Verdict(False, 5, 0, NOW + 2, 0.25)
    assert limiter.hit("a", FIVE_IN_TWO, NOW + 2).allowed


def test_a_refused_hit_does_not_prolong_the_wait() -> None:
    limiter = Limiter(10)
    hits(limiter, "a", 100)
    assert limiter.hit("a", FIVE_IN_TWO, NOW + 2).remaining == 4


def test_keys_do_not_share() -> None:
    limiter = Limiter(10)
    hits(limiter, "a", 6)
    assert limiter.hit("b", FIVE_IN_TWO, NOW).allowed


def test_a_clock_that_steps_back_does_not_lock_anyone_out() -> None:
    limiter = Limiter(10)
    hits(limiter, "a", 6)
    verdict = limiter.hit("a", FIVE_IN_TWO, NOW - 3600)
    assert verdict.allowed
    assert verdict.reset_after_s == 2.0


def test_sweeping_forgets_only_windows_that_are_over() -> None:
    limiter = Limiter(10)
    hits(limiter, "old", 6, NOW)
    hits(limiter, "new", 6, NOW + 1)
    limiter.sweep(NOW + 2)
    assert len(limiter) == 1
    assert not limiter.hit("new", FIVE_IN_TWO, NOW + 2).allowed


def test_a_flood_of_keys_forgets_the_window_opened_first() -> None:
    limiter = Limiter(2)
    hits(limiter, "a", 6)
    hits(limiter, "b", 6)
    limiter.hit("c", FIVE_IN_TWO, NOW)
    assert len(limiter) == 2
    assert not limiter.hit("b", FIVE_IN_TWO, NOW).allowed
    assert limiter.hit("a", FIVE_IN_TWO, NOW).allowed


def test_a_renewed_window_counts_as_opened_last() -> None:
    limiter = Limiter(2)
    limiter.hit("a", FIVE_IN_TWO, NOW)
    limiter.hit("b", FIVE_IN_TWO, NOW + 1)
    hits(limiter, "a", 6, NOW + 2)
    limiter.hit("c", FIVE_IN_TWO, NOW + 2)
    assert not limiter.hit("a", FIVE_IN_TWO, NOW + 2).allowed


def test_a_limit_of_nothing_refuses_everything() -> None:
    assert not Limiter(1).hit("a", Rule(0, 1.0), NOW).allowed


def test_headers_are_seconds_rounded_up_to_milliseconds() -> None:
    verdict = Verdict(True, 5, 1, 1470173023.1231, 64.5701)
    assert headers(verdict, b"abcd1234") == [
        (b"X-RateLimit-Limit", b"5"),
        (b"X-RateLimit-Remaining", b"1"),
        (b"X-RateLimit-Reset", b"1470173023.124"),
        (b"X-RateLimit-Reset-After", b"64.571"),
        (b"X-RateLimit-Bucket", b"abcd1234"),
    ]


@pytest.mark.parametrize("offset_s", [0.0001, 0.3333333, 0.9999])
def test_whoever_waits_as_long_as_told_is_let_in(offset_s: float) -> None:
    limiter = Limiter(1)
    hits(limiter, "a", 6)
    verdict = limiter.hit("a", FIVE_IN_TWO, NOW + offset_s)
    told_s = float(dict(headers(verdict, b"x"))[b"X-RateLimit-Reset-After"])
    assert limiter.hit("a", FIVE_IN_TWO, NOW + offset_s + told_s).allowed
