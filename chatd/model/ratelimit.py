"""Rate limits as Discord shows them: so many requests in a fixed window that the first request opens.

Docs: topics/rate-limits. Pure arithmetic: `now` is the wall clock in epoch seconds and comes with every call. Which
key and which rule belong to a request is the caller's business; a key goes with one rule for good.
A refused request costs nothing, so a client that knocks too early does not prolong its wait.
What a 429 says besides is in `model.errors.rate_limited`.
"""

from collections import OrderedDict
from collections.abc import Hashable

import msgspec

from chatd.model.errors import whole_ms


class Rule(msgspec.Struct, frozen=True):
    limit: int  # requests
    window_s: float


class Verdict(msgspec.Struct, frozen=True, gc=False):
    allowed: bool
    limit: int
    remaining: int
    reset_at_s: float  # epoch seconds
    reset_after_s: float


class _Window:
    __slots__ = ("ends_s", "hits")

    def __init__(self, ends_s: float) -> None:
        self.ends_s = ends_s
        self.hits = 0


class Limiter:
    """The open windows of at most `max_keys` keys.

    When one more is opened, the one that was opened first is forgotten, and its owner starts afresh: under a flood of
    keys limits become lenient, while memory and time per request stay as they are.
    """

    def __init__(self, max_keys: int) -> None:
        self._max_keys = max_keys
        self._windows: OrderedDict[Hashable, _Window] = OrderedDict()  # by the time they were opened

    def __len__(self) -> int:
        return len(self._windows)

    def hit(self, key: Hashable, rule: Rule, now: float) -> Verdict:
        """Count one request, if it is allowed."""
        window = self._windows.get(key)
        # A window that ends later than a new one would is left from before the clock stepped back.
        if window is None or not now < window.ends_s <= now + rule.window_s:
            window = self._open(key, now + rule.window_s)
        allowed = window.hits < rule.limit
        if allowed:
            window.hits += 1
        return Verdict(allowed, rule.limit, rule.limit - window.hits, window.ends_s, window.ends_s - now)

    def peek(self, key: Hashable, rule: Rule, now: float) -> Verdict:
        """What `hit` would say, without counting anything."""
        window = self._windows.get(key)
        if window is None or not now < window.ends_s <= now + rule.window_s:
            return Verdict(True, rule.limit, rule.limit, now + rule.window_s, rule.window_s)
        left = rule.limit - window.hits
        return Verdict(left > 0, rule.limit, left, window.ends_s, window.ends_s - now)

    def sweep(self, now: float) -> None:
        """Forget the windows that are over."""
        for key in [key for key, window in self._windows.items() if window.ends_s <= now]:
            del self._windows[key]

    def _open(self, key: Hashable, ends_s: float) -> _Window:
        window = self._windows[key] = _Window(ends_s)
        self._windows.move_to_end(key)
        if len(self._windows) > self._max_keys:
            self._windows.popitem(last=False)
        return window


def headers(verdict: Verdict, bucket: bytes) -> list[tuple[bytes, bytes]]:
    """The five X-RateLimit headers; libraries need all of them or none. `bucket` names the limit, not the resource."""
    return [
        (b"X-RateLimit-Limit", b"%d" % verdict.limit),
        (b"X-RateLimit-Remaining", b"%d" % verdict.remaining),
        (b"X-RateLimit-Reset", b"%.3f" % whole_ms(verdict.reset_at_s)),
        (b"X-RateLimit-Reset-After", b"%.3f" % whole_ms(verdict.reset_after_s)),
        (b"X-RateLimit-Bucket", bucket),
    ]
