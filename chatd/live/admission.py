"""Who may connect: how many connections may be open, in all and of one address, and how fast one address opens them.

The listener asks before it does anything else for a connection, so that a refused one costs an accept(2) and a
close(2). An IPv6 client owns a /64 or more, so a /64 counts as one address.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

from chatd import log
from chatd.model.ratelimit import Limiter, Rule

logger = log.get(__name__)

# New connections of an address are counted in windows of this length: longer than a second, so that the reconnecting
# clients of one house or one data centre may come at once.
WINDOW_S = 5
# Addresses whose windows are remembered, at some 250 bytes; beyond it the oldest is forgotten and starts afresh.
ADDRESSES = 65_536
# A flood is told of once in this time, not once for each connection.
LOG_S = 10

# Why one is refused.
TOTAL, OPEN, RATE = "total", "address", "rate"


class Bounds(NamedTuple):
    """0: unbounded."""

    total: int = 0  # open connections
    per_address: int = 0  # open connections of one address
    new_per_address: int = 0  # in WINDOW_S
    # Addresses that stand for many clients; of these only the total is bounded.
    exempt: Sequence[IPv4Network | IPv6Network] = ()


class Admission:
    def __init__(self, bounds: Bounds) -> None:
        self.open = 0
        self.refused: Counter[str] = Counter()  # by reason
        self._bounds = bounds
        self._new = Rule(bounds.new_per_address, WINDOW_S)
        self._open_at: Counter[Hashable] = Counter()
        self._windows = Limiter(ADDRESSES)

    def enter(self, address: str, now_s: float) -> bool:
        """Whether one more connection may be opened; then `leave` follows when it has ended. Any clock will do."""
        place = _place(address)
        reason = self._refusal(address, place, now_s)
        if reason is not None:
            self.refused[reason] += 1
            if self._windows.hit(("logged", reason), Rule(1, LOG_S), now_s).allowed:
                logger.warning("connection refused", bound=reason, address=address, open=self.open)
            return False
        self.open += 1
        self._open_at[place] += 1
        return True

    def leave(self, address: str) -> None:
        place = _place(address)
        self.open -= 1
        self._open_at[place] -= 1
        if not self._open_at[place]:
            del self._open_at[place]

    def _refusal(self, address: str, place: Hashable, now_s: float) -> str | None:
        bounds = self._bounds
        if bounds.total and self.open >= bounds.total:
            return TOTAL
        if bounds.exempt and any(ip_address(address) in network for network in bounds.exempt):
            return None
        if bounds.per_address and self._open_at[place] >= bounds.per_address:
            return OPEN
        if bounds.new_per_address and not self._windows.hit(place, self._new, now_s).allowed:
            return RATE
        return None


def _place(address: str) -> Hashable:
    """What counts as one address."""
    return int(ip_address(address)) >> 64 if ":" in address else address
