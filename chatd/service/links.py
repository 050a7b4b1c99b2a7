"""Links to attachments: signed, good for a day, and checked without the database.

Docs: reference, "Signed Attachment CDN URLs". `ex` and `is` are Unix seconds in hex; `hm` signs them and the path. What
is stored has no signature, so a link is made each time that somebody is shown it: a few microseconds.
"""

import hmac
from collections.abc import Callable, Mapping

from chatd.model.limits import SIGNED_URL_S

# Links are issued as of the full hour, so that within it the same file has the same one, and clients' caches find it.
ISSUED_S = 3600


class Links:
    """`base` is the URL under which clients reach the server. `clock_ms` gives Unix time."""

    def __init__(self, key: bytes, base: str, clock_ms: Callable[[], int]) -> None:
        self.base = base.rstrip("/")
        self._key = key
        self._clock_ms = clock_ms

    def signed(self, path: str) -> str:
        """The whole URL of a path."""
        now = self._clock_ms() // 1000
        issued = now - now % ISSUED_S
        terms = f"ex={issued + SIGNED_URL_S:x}&is={issued:x}"
        return f"{self.base}{path}?{terms}&hm={self._signature(path, terms)}&"

    def seconds_left(self, path: str, query: Mapping[str, str]) -> int:
        """How long the link is still good for; 0 when it is not, or was never one of ours."""
        terms = f"ex={query.get('ex')}&is={query.get('is')}"
        if not hmac.compare_digest(self._signature(path, terms).encode(), query.get("hm", "").encode()):
            return 0
        return max(0, int(query["ex"], 16) - self._clock_ms() // 1000)

    def _signature(self, path: str, terms: str) -> str:
        return hmac.digest(self._key, f"{path}?{terms}".encode(), "sha256").hex()
