"""restart: the server is stopped, or killed, and started again; all sessions come back at once with RESUME.

Messages are posted right before the end, while nobody is back yet, and when everybody is. Each session is a bot of
its own. What a session missed or got twice without being told to start anew (op 9) is a violation.
"""

import os
import shutil
import signal
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import load, seed, servers, world
from bench.context import Context
from bench.results import Target

# Before a kill everybody has been written down: three times the default of `gateway.checkpoint_s`, and time to do it.
SETTLE_S = 18.0
MESSAGES = 20  # each time
BACK_TARGET, REFUSED_TARGET = Target("<=", 10.0), Target("<=", 0.0)
# How the server ends -> the signal, and how it is called in the table.
ENDS = {"stop": (signal.SIGTERM, "SIGTERM"), "kill": (signal.SIGKILL, "kill -9")}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--sessions", type=int, default=5000, help="sessions (5000)")
    parser.add_argument("--bots", type=int, help="bots that they are of (as many)")
    parser.add_argument("--history", type=int, default=1000, help="messages from before the sessions (1000)")
    parser.add_argument("--end", choices=ENDS, action="append", help="only this one")


def measure(context: Context, data: Path, traffic: dict[str, Any], end: signal.Signals) -> dict[str, Any]:
    """The load client's report, with how long the server took to end and to be ready again."""
    options = context.options
    with ExitStack() as first, ExitStack() as second:
        server = first.enter_context(servers.chatd(data))
        settings = {"sessions": options.sessions, "concurrency": options.sessions, "settle": SETTLE_S}
        posting = {"publishers": 4, "in_flight": 4, "answered": True, "count": MESSAGES, "cut": MESSAGES}
        client = second.enter_context(
            load.LoadClient(server, context.progress, restart=True, warmup=0, **settings, **posting, **traffic)
        )
        client.wait_for("restart")
        started = time.monotonic()
        os.kill(server.pid, end)
        first.close()
        ended_s = time.monotonic() - started
        again = second.enter_context(servers.chatd(data, options=["--port", str(server.port)]))
        client.restarted(again)
        return {**client.finish(), "ended_s": ended_s, "ready_s": again.ready_s}


def run(context: Context) -> None:
    options, add = context.options, context.result.add
    with servers.scratch_folder() as folder:
        context.progress.at(f"restart: making {options.bots or options.sessions} bots:")
        with servers.chatd(folder / "data") as server:
            here = world.open_world(server)
            guild = here.guild()
            traffic = {**here.traffic(guild), "tokens": here.crowd(guild, options.bots or options.sessions)}
            seed.messages(server, context, guild, options.history)
        for end in options.end or ENDS:
            number, name = ENDS[end]
            case = f"{options.sessions} sessions, {name}"
            for _ in context.rounds(case):
                # A copy, for the sessions of the last round would be restored too.
                data = shutil.copytree(folder / "data", folder / "round")
                report = measure(context, data, traffic, number)
                shutil.rmtree(data)
                resume = report["resume"]
                context.result.judge(case, report["check"])
                add(f"{case}: until it had ended", report["ended_s"], "s")
                add(f"{case}: from start to ready", report["ready_s"], "s")
                add(f"{case}: from ready to the last RESUMED", resume["since_back_s"], "s", BACK_TARGET)
                add(f"{case}: resumed", resume["resumed"], "sessions")
                add(f"{case}: told to start anew (op 9)", resume["not_resumable"], "sessions", REFUSED_TARGET)
                add(f"{case}: handshakes and RESUMEs", resume["per_s"], "/s")
                add(f"{case}: connect to RESUMED p99", resume["resume_ms"]["p99"], "ms")
                add(f"{case}: CPU until ready", resume["server_cpu_before_s"], "s")
                add(f"{case}: CPU of the storm", resume["server_cpu_s"], "s")
