"""Links that wait to be looked at, what is known of others, and how it went. What is done with them: `unfurling`."""

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import trio

from chatd.config import Unfurl
from chatd.model.objects.embed import Embed
from chatd.web.fetch import Web

# What was behind a link is remembered for so long; that there was nothing, less long. Of so many links at most.
KNOWN_MS = 30 * 60_000
UNKNOWN_MS = 60_000
KNOWN_LINKS = 1000

EMBEDDED, EMPTY, FAILED, REFUSED, DROPPED = OUTCOMES = ("embedded", "empty", "failed", "refused", "dropped")


class Known(NamedTuple):
    embed: Embed | None
    until_ms: int


class Unfurls:
    def __init__(self, options: Unfurl, web: Web) -> None:
        self.options = options
        self.web = web
        self.outcomes: Counter[str] = Counter()  # of links
        # A message each. Where there is no room, the links stay plain.
        self.waiting, self.jobs = trio.open_memory_channel[Callable[[], Awaitable[None]]](options.queue)
        self.reading = trio.CapacityLimiter(1)  # threads that read pages
        self._known: OrderedDict[str, Known] = OrderedDict()

    def recall(self, url: str, now_ms: int) -> Known | None:
        found = self._known.get(url)
        return found if found is not None and found.until_ms > now_ms else None

    def remember(self, url: str, embed: Embed | None, now_ms: int) -> None:
        self._known[url] = Known(embed, now_ms + (UNKNOWN_MS if embed is None else KNOWN_MS))
        self._known.move_to_end(url)
        if len(self._known) > KNOWN_LINKS:
            self._known.popitem(last=False)
