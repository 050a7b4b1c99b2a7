"""Unmodified, sharded bots under load, through cut connections and restarts: no event is lost, none comes twice.

One server, one bot application, and a process of it for each library and compression, all at the same time. What the
channels hold is compared with what was posted, and what each bot's listeners were told with what the channels hold.

While the server restarts, new connections wait instead of being refused: at the proxies, or, without any, at the
listening socket, which stays open. With refused ones the sharded clients of both libraries give up their sessions by
themselves and identify anew, and what they miss by that they miss from any server: discord.py in `Shard.reidentify`,
discord.js in `WebSocketShard.onError`.
"""

import itertools
import os
import random
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import NamedTuple

import pytest
import trio

from tests.e2e.conftest import Serve
from tests.e2e.delivery import Report, check
from tests.e2e.load import Load, guilds_in_every_shard
from tests.e2e.proxy import Cut, Proxy
from tests.e2e.recorder import SHARDS, Recorder, installed, recording
from tests.support.server import Server
from tests.support.world import World


class Dose(NamedTuple):
    cuts: int  # of each bot
    restarts: int  # every other one is a kill -9
    life: int  # messages that are posted between two restarts, at most


# `make soak`. In the longest of its lives the server notes more than once where sessions stand.
DOSE = Dose(cuts=30, restarts=10, life=1000) if "SOAK" in os.environ else Dose(cuts=4, restarts=2, life=100)
# Restarts at a port that stays open: of each kind at least one.
KEPT_OPEN = max(3, DOSE.restarts)
DATABASES = ["sqlite", "postgres"]

# How many messages are posted between two cuts at most, and how many while a bot is cut off.
BETWEEN_CUTS = 60
MISSED = 10

RESTARTS = {"SIGTERM": Server.stop, "kill -9": Server.kill}

# The share of sessions that may be told op 9 after a restart.
REFUSED_AT_MOST = {"SIGTERM": 0.0, "kill -9": 0.0}

CHANNELS_A_GUILD = 2


class Stage(NamedTuple):
    server: Server
    bots: Sequence[Recorder]
    load: Load
    proxies: Sequence[Proxy]  # the ways to the server, of the load and of each bot; none if they know the server itself


@pytest.mark.trio
@pytest.mark.parametrize("database", DATABASES, indirect=True)
async def test_cut_connections_lose_and_double_nothing(
    database: str, serve: Serve, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    async with staged(serve, tmp_path_factory) as stage:
        async with trio.open_nursery() as nursery:
            for number, (bot, proxy) in enumerate(zip(stage.bots, stage.proxies[1:], strict=True)):
                nursery.start_soon(cut_again_and_again, bot, proxy, stage.load, random.Random(number))
        reports = await told(stage)
    for report in reports:
        assert report.events["resumed"] == DOSE.cuts * SHARDS
        assert report.events["identified"] == SHARDS
        assert report.missed == 0
    with capsys.disabled():
        say(f"{DOSE.cuts} cuts of {SHARDS} connections on {database}", stage, reports)


async def cut_again_and_again(bot: Recorder, proxy: Proxy, load: Load, chance: random.Random) -> None:
    for how in itertools.islice(itertools.cycle(Cut), DOSE.cuts):
        await load.until_posted(chance.randint(0, BETWEEN_CUTS))
        before = bot.ups()
        proxy.cut(how)
        await load.until_posted(MISSED)
        proxy.mend()
        await bot.until_up_again(before)


@pytest.mark.trio
@pytest.mark.parametrize("database", DATABASES, indirect=True)
async def test_restarts_lose_and_double_nothing(
    database: str, serve: Serve, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(0)
    refused: Counter[str] = Counter()
    async with staged(serve, tmp_path_factory) as stage:
        server = stage.server
        for how in itertools.islice(itertools.cycle(RESTARTS), DOSE.restarts):
            await stage.load.until_posted(chance.randint(0, DOSE.life))
            before = [(bot, bot.ups(), bot.count("invalid")) for bot in stage.bots]
            server = await restarted(server, how, serve, stage.proxies)
            for bot, ups, invalid in before:
                await bot.until_up_again(ups)
                refused[how] += bot.count("invalid") - invalid
        reports = await told(stage)
    sessions = len(stage.bots) * SHARDS * DOSE.restarts // len(RESTARTS)
    with capsys.disabled():
        say(f"{DOSE.restarts} restarts on {database}", stage, reports)
        for how in RESTARTS:
            print(f"  {how}: {refused[how]} of {sessions} sessions were told op 9", file=sys.stderr)
    for how, most in REFUSED_AT_MOST.items():
        assert refused[how] <= most * sessions, how


async def restarted(server: Server, how: str, serve: Serve, proxies: Sequence[Proxy]) -> Server:
    """A new server on the data of the old one, with everybody who waits for it let through."""
    for proxy in proxies:
        proxy.hold()
    await trio.to_thread.run_sync(RESTARTS[how], server)
    server = await trio.to_thread.run_sync(serve)
    for proxy in proxies:
        proxy.mend(server.port)
    return server


@pytest.mark.trio
async def test_a_port_that_stays_open_needs_nothing_in_front(
    serve: Serve, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(0)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        start = partial(serve, sockets=[sock])
        async with staged(start, tmp_path_factory, proxied=False) as stage:
            server = stage.server
            for how in itertools.islice(itertools.cycle(SUCCESSIONS.values()), KEPT_OPEN):
                await stage.load.until_posted(chance.randint(0, DOSE.life))
                before = [bot.ups() for bot in stage.bots]
                server = await trio.to_thread.run_sync(how, server, start)
                for bot, ups in zip(stage.bots, before, strict=True):
                    await bot.until_up_again(ups)
            reports = await told(stage)
    for report in reports:
        assert report.events["resumed"] == KEPT_OPEN * SHARDS
        assert report.events["identified"] == SHARDS
        assert (report.events["invalid"], report.missed) == (0, 0)
    with capsys.disabled():
        say(f"{KEPT_OPEN} restarts ({', '.join(SUCCESSIONS)}) at a port that stays open", stage, reports)


def _in_place(server: Server, start: Callable[[], Server]) -> Server:
    server.restart()
    return server


def _after_stop(server: Server, start: Callable[[], Server]) -> Server:
    server.stop()
    return start()


def _after_kill(server: Server, start: Callable[[], Server]) -> Server:
    server.kill()
    return start()


# How one server follows another at the same socket.
SUCCESSIONS = {"SIGUSR2": _in_place, "SIGTERM": _after_stop, "kill -9": _after_kill}


@asynccontextmanager
async def staged(
    serve: Callable[[], Server], directories: pytest.TempPathFactory, *, proxied: bool = True
) -> AsyncIterator[Stage]:
    """A server, all bots ready in all their guilds, and somebody posting in every channel."""
    server = await trio.to_thread.run_sync(serve)
    async with World(server.url) as world:
        owner = await world.person()
        guilds = await guilds_in_every_shard(world, owner)
        channels = {await world.channel(owner, guild): guild for guild in guilds for _ in range(CHANNELS_A_GUILD)}
        token = (await world.bot(owner, *guilds)).token
    recorders = installed()
    proxies = [Proxy() for _ in ("load", *recorders)] if proxied else []
    front, *ports = [proxy.port for proxy in proxies] or [server.port] * (1 + len(recorders))
    load = Load(
        f"http://127.0.0.1:{front}", str(owner.authorization), channels, directories.mktemp("ledger") / "ledger"
    )
    async with trio.open_nursery() as nursery, AsyncExitStack() as stack:
        for proxy in proxies:
            nursery.start_soon(proxy.serve, server.port)
        bots = [
            await stack.enter_async_context(recording(recorder, token, port, directories.mktemp("bot")))
            for recorder, port in zip(recorders, ports, strict=True)
        ]
        for bot in bots:
            await bot.until_ready(len(guilds))
        nursery.start_soon(load.post)
        yield Stage(server, bots, load, proxies)
        nursery.cancel_scope.cancel()


async def told(stage: Stage) -> list[Report]:
    """End the load, and compare what every bot was told with what the channels hold, and that with what was posted."""
    await stage.load.end()
    channels, wrong = await stage.load.histories()
    assert wrong == []
    newest = {next(reversed(channel.history)) for channel in channels}
    reports = []
    for bot in stage.bots:
        await bot.until_told(newest)
        report = check(bot.records, channels)
        assert report.faults == [], bot.name
        assert {it["compression"] for it in bot.records if it["event"] == "connecting"} == {bot.compression}
        reports.append(report)
    return reports


def say(what: str, stage: Stage, reports: Sequence[Report]) -> None:
    print(f"\n{what}: {stage.load.posted} messages acknowledged, none lost or doubled", file=sys.stderr)
    for bot, report in zip(stage.bots, reports, strict=True):
        events = report.events
        print(
            f"  {bot.name:10} {bot.compression:11} {events['message']} told, {events['resumed']} times resumed, "
            f"{events['invalid']} times op 9, {report.missed} messages missed between op 9 and the new session",
            file=sys.stderr,
        )
