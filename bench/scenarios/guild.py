"""guild: a large guild is changed and asked about while many of its members are connected, and what others feel of it.

10,000 members, 200 channels, 20 of them private, 100 roles, of which everyone who is connected has a few. A change is
timed from the request to its answer, GUILD_CREATE from IDENTIFY on. Then all kinds of changes come one after the other,
and the latency of a small guild is measured beside them.
"""

import base64
import itertools
import random
import shutil
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from bench import load, servers, world
from bench.context import Context
from bench.results import Target
from bench.scenarios.isolation import ALLOWANCE_MS, FACTOR, POLITE
from bench.stats import quantile
from bench.world import ADMINISTRATOR, TEXT_CHANNEL, Api, Guild

VIEW_CHANNEL = 1 << 10
CHANNELS, PRIVATE, ROLES, ROLES_EACH = 200, 20, 100, 3
MEMBERS_PAGE = 1000
# Everyone's intents: GUILDS and GUILD_MEMBERS. GUILD_PRESENCES makes the server list who is online.
INTENTS, PRESENCES = 1 << 0 | 1 << 1, 1 << 8
LOGINS = 50  # one after the other
SMALL_SESSIONS, SMALL_RATE = 20, 50.0
TRIES = 100  # of a change, at most
MARGIN_S = 15.0  # for the logins; sessions stay connected until everything has been measured
TARGET = Target("<=", 1.0)

Change = Callable[[int], object]  # its number


class Large(Struct):
    guild: Guild
    tokens: list[str]  # of its members but the owner and the bot
    roles: list[str]
    private: list[str]  # channels


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--members", type=int, default=10_000, help="members of the large guild (10000)")
    parser.add_argument("--sessions", type=int, default=1000, help="of them connected (1000)")
    parser.add_argument("--changes", type=float, default=5.0, help="changes per second beside the small guild (5)")


def make(here: world.World, members: int, connected: int) -> Large:
    guild = here.guild("large", channels=CHANNELS)  # with the bot that makes the changes: its role comes to be the top
    api, chance = here.api, random.Random(0)
    roles = [api.call("POST", f"/guilds/{guild.id}/roles", {"name": f"role-{n}"})["id"] for n in range(ROLES - 2)]
    private = guild.channels[-PRIVATE:]
    for channel in private:
        api.call("PUT", f"/channels/{channel}/permissions/{guild.id}", {"type": 0, "deny": str(VIEW_CHANNEL)})
        for role in chance.sample(roles, ROLES_EACH):
            api.call("PUT", f"/channels/{channel}/permissions/{role}", {"type": 0, "allow": str(VIEW_CHANNEL)})
    tokens = here.crowd(guild, members - 2)  # and the owner
    for token in tokens[:connected]:
        its = {"roles": chance.sample(roles, ROLES_EACH)}
        api.call("PATCH", f"/guilds/{guild.id}/members/{user_of(token)}", its)
    return Large(guild=guild, tokens=tokens, roles=roles, private=private)


def user_of(token: str) -> str:
    """A bot's token begins with its user's id."""
    encoded = token.partition(".")[0]
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def changes(api: Api, large: Large) -> Mapping[str, Change]:
    """What is done with the guild, over and over; every other time most of it is undone."""
    guild, role, channel = f"/guilds/{large.guild.id}", large.roles[0], large.private[0]
    members = [user_of(token) for token in large.tokens[:TRIES]]
    pages = itertools.cycle(sorted(map(int, map(user_of, large.tokens)))[::MEMBERS_PAGE])
    return {
        "page of 1,000 members": lambda _: api.call("GET", f"{guild}/members?limit={MEMBERS_PAGE}&after={next(pages)}"),
        "role's colour": lambda n: api.call("PATCH", f"{guild}/roles/{role}", {"color": n + 1}),
        "role's sight of all private channels": lambda n: api.call(
            "PATCH", f"{guild}/roles/{role}", {"permissions": str(0 if n % 2 else ADMINISTRATOR)}
        ),
        "overwrite": lambda n: api.call(
            "PUT", f"/channels/{channel}/permissions/{role}", {"type": 0, "allow": str(0 if n % 2 else VIEW_CHANNEL)}
        ),
        "member's role": lambda n: api.call(
            "DELETE" if n % 2 else "PUT", f"{guild}/members/{members[n // 2 % len(members)]}/roles/{role}"
        ),
        "new channel": lambda n: api.call("POST", f"{guild}/channels", {"name": f"new-{n}", "type": TEXT_CHANNEL}),
    }


def timed(change: Change, numbers: Iterable[int], seconds: float) -> list[float]:
    """How many milliseconds each took, until the time is over."""
    took, end = [], time.monotonic() + seconds
    for number in numbers:
        started = time.monotonic()
        change(number)
        ended = time.monotonic()
        took.append((ended - started) * 1000)
        if ended > end:
            break
    return took


def keep_changing(kinds: Iterable[Change], interval_s: float, stop: threading.Event) -> None:
    for number in itertools.count():
        for change in kinds:
            if stop.wait(interval_s):
                return
            change(number)


def measure_small(context: Context, server: servers.Server, **traffic: Any) -> dict[str, Any]:
    options = context.options
    settings = {"sessions": SMALL_SESSIONS, "rate": SMALL_RATE, "publishers": 4}
    report = load.run(server, context, warmup=options.warmup, duration=options.duration, **settings, **traffic)
    context.result.judge("small guild", report["check"])
    delivery: dict[str, Any] = report["window"]["last_delivery_ms"]
    return delivery


def measure_logins(context: Context, server: servers.Server, name: str, intents: int, **place: Any) -> None:
    report = load.run(server, context, settle=0, sessions=LOGINS, concurrency=1, intents=intents, **place)
    context.result.judge(name, report["check"])
    for which in ("p50", "p99"):
        context.result.add(f"{name} {which}", report["connect"]["identify_ms"][which], "ms")


def measure(context: Context, server: servers.Server, api: Api, large: Large, place: Any, small: Any) -> None:
    options, add = context.options, context.result.add
    kinds = changes(api, large)
    beside = {**place, "tokens": large.tokens[options.sessions :]}
    measured_s = options.duration * (len(kinds) + 2) + 2 * options.warmup
    with load.LoadClient(
        server,
        context.progress,
        sessions=options.sessions,
        intents=INTENTS,
        hold=measured_s + MARGIN_S,
        niceness=POLITE,
        **{**place, "tokens": large.tokens[: options.sessions]},
    ) as connected:
        connected.wait_for("hold")
        calm = measure_small(context, server, **small)
        measure_logins(context, server, "IDENTIFY to GUILD_CREATE", INTENTS, **beside)
        measure_logins(context, server, "IDENTIFY to GUILD_CREATE with presences", INTENTS | PRESENCES, **beside)
        for name, change in kinds.items():
            took = timed(change, range(TRIES), options.duration)
            add(f"{name} p50", quantile(took, 0.5), "ms")
            add(f"{name} p99", quantile(took, 0.99), "ms")
        stop = threading.Event()
        changing = threading.Thread(target=keep_changing, args=(kinds.values(), 1 / options.changes, stop))
        changing.start()
        changed = measure_small(context, server, **small)
        stop.set()
        changing.join()
        context.result.judge("large guild", connected.finish()["check"])
    add("small guild, calm: POST to last delivery p50", calm["p50"], "ms")
    add("small guild, calm: POST to last delivery p99", calm["p99"], "ms")
    add("small guild, beside the changes: POST to last delivery p50", changed["p50"], "ms")
    add("small guild, beside the changes: POST to last delivery p99", changed["p99"], "ms")
    allowed = FACTOR * calm["p99"] + ALLOWANCE_MS
    add("p99 beside the changes / (3 × calm p99 + 5 ms)", changed["p99"] / allowed, "×", TARGET)


def run(context: Context) -> None:
    options = context.options
    with servers.scratch_folder() as folder:
        context.progress.at(f"guild: making {options.members} members:")
        with servers.chatd(folder / "data") as server:
            here = world.open_world(server)
            small = here.guild("small")
            large = make(here, options.members, options.sessions)
            place, traffic = here.sessions(large.guild), here.traffic(small)
        for _ in context.rounds(f"{options.members} members, {options.sessions} connected"):
            data = shutil.copytree(folder / "data", folder / "round")  # the last round's changes are gone
            with servers.chatd(data) as server:
                measure(context, server, Api(server, f"Bot {large.guild.bots[0]}"), large, place, traffic)
            shutil.rmtree(data)
