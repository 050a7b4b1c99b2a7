"""One fan-out case, measured on chatd and on the C limit in the same run, round by round.

chatd goes first in every round, because the limit must write frames of the size that chatd's events have.
"""

from collections.abc import Callable
from functools import reduce
from operator import getitem
from typing import Any

from msgspec import Struct

from bench import load, servers, world
from bench.context import Context

CHATD, ONE_WRITE, JOINED = "chatd", "limit, one write per frame", "limit, joined writes"
CONTENDERS = (CHATD, ONE_WRITE, JOINED)

# An open loop needs more connections than answers it waits for, or the schedule slips.
CONNECTIONS_ON_SCHEDULE = 8
# On a compressed gateway so many sessions are inflated and checked; the others are counted.
INFLATED = 16
FRAME_BYTES_WITHOUT_CHATD = 700


class Case(Struct, frozen=True):
    """N sessions in one guild, and messages on a schedule (rate) or in a closed loop (in_flight).

    With `spread` the sessions are in a second guild as well, whose events go another way through the server.
    """

    sessions: int
    in_flight: int = 0
    rate: float = 0.0
    compress: str | None = None
    spread: bool = False

    @property
    def name(self) -> str:
        load_text = f"{self.in_flight} in flight" if self.in_flight else f"{self.rate:g}/s"
        spread_text = " in two guilds" if self.spread else ""
        return f"{self.sessions} sessions{spread_text}, {self.compress or 'plain'}, {load_text}"

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "sessions": self.sessions,
            "publishers": self.in_flight or CONNECTIONS_ON_SCHEDULE,
            "in_flight": self.in_flight or None,
            "rate": self.rate or None,
        }


class Reports(Struct):
    """The load client's reports of each contender, a report per round."""

    of: dict[str, list[dict[str, Any]]]

    def window(self, contender: str, *keys: str) -> list[float]:
        """A figure of the measuring window, by its path in the report."""
        return [float(reduce(getitem, keys, report["window"])) for report in self.of.get(contender, [])]


def _settings(context: Context, case: Case) -> dict[str, Any]:
    return {**case.settings, "warmup": context.options.warmup, "duration": context.options.duration, "spin": True}


def on_chatd(context: Context, case: Case) -> dict[str, Any]:
    with world.fresh(bots=0) as (here, guild):
        guilds = [guild, here.guild_apart(guild)] if case.spread else [guild]
        guild.bots.append(here.bot("bench", *guilds))
        report = load.run(
            here.server,
            context,
            inflate=INFLATED if case.compress else None,
            guilds=len(guilds),
            **here.traffic(guild, case.compress),
            **_settings(context, case),
        )
    context.result.judge(case.name, report["check"])
    return report


def on_limit(context: Context, case: Case, *, joined: bool, frame_bytes: int) -> dict[str, Any]:
    with servers.limit(joined=joined, frame_bytes=frame_bytes) as server:
        targets = [f"{world.API}/channels/1/messages\tBot none"]
        return load.run(server, context, tokens=["none"], targets=targets, **_settings(context, case))


def run(context: Context, case: Case, contenders: tuple[str, ...]) -> Reports:
    """Every contender, once per round."""
    frame_bytes = FRAME_BYTES_WITHOUT_CHATD
    reports = Reports({name: [] for name in contenders})
    entrants: dict[str, Callable[[], dict[str, Any]]] = {
        CHATD: lambda: on_chatd(context, case),
        ONE_WRITE: lambda: on_limit(context, case, joined=False, frame_bytes=frame_bytes),
        JOINED: lambda: on_limit(context, case, joined=True, frame_bytes=frame_bytes),
    }
    for _ in context.rounds(case.name):
        for name in contenders:
            report = entrants[name]()
            reports.of[name].append(report)
            if name == CHATD:
                frame_bytes = round(report["window"]["frame_bytes"])
    return reports
