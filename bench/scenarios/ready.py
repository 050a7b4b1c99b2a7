"""ready: how fast sessions come: IDENTIFY to READY and GUILD_CREATE, a storm of them at once, and handshakes alone.

The guild has 100 members and 20 channels. The C limit's handshakes are measured beside chatd's.
"""

from argparse import ArgumentParser
from typing import Any

from bench import load, servers, world
from bench.context import Context
from bench.results import Target

MEMBERS, CHANNELS = 100, 20
# Logins in flight when the rate is measured: enough to keep the server busy, few enough to keep latency readable.
CONCURRENCY = 64
READY_TARGET, HANDSHAKE_TARGET = Target(">=", 1000), Target(">=", 2200)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, default=1000, help="sessions for the rates (1000)")
    parser.add_argument("--storm", type=int, default=2000, help="sessions that come at once (2000)")


def connect(server: servers.Server, context: Context, **settings: Any) -> dict[str, Any]:
    report = load.run(server, context, settle=0, **settings)
    context.result.judge(context.progress.context, report["check"])
    connected: dict[str, Any] = report["connect"]
    return connected


def run(context: Context) -> None:
    options, add = context.options, context.result.add
    steady = {"sessions": options.sessions, "concurrency": CONCURRENCY}
    for _ in context.rounds("connect"):
        with world.fresh(channels=CHANNELS, bots=MEMBERS - 1) as (here, guild):  # and the owner
            place = {**here.sessions(guild), "tokens": guild.bots[:1]}
            alone = connect(here.server, context, handshake_only=True, **steady, **place)
            logins = connect(here.server, context, **steady, **place)
            storm = connect(here.server, context, sessions=options.storm, concurrency=options.storm, **place)
        with servers.limit(joined=False, frame_bytes=0) as server:
            bare = connect(server, context, handshake_only=True, **steady)
        add("handshakes alone", alone["per_s"], "/s", HANDSHAKE_TARGET)
        add("handshakes alone, C limit", bare["per_s"], "/s")
        add("IDENTIFY to READY and GUILD_CREATE", logins["per_s"], "/s", READY_TARGET)
        add("IDENTIFY to ready p50", logins["identify_ms"]["p50"], "ms")
        add("IDENTIFY to ready p99", logins["identify_ms"]["p99"], "ms")
        add("CPU per login", logins["server_cpu_ms_per_session"], "ms")
        add(f"storm of {options.storm}: all ready after", storm["seconds"], "s")
        add(f"storm of {options.storm}: IDENTIFY to ready p99", storm["identify_ms"]["p99"], "ms")
