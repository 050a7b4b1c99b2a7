"""Run the server until SIGTERM or SIGINT, which drain it; a second one ends it at once."""

import os
import resource
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import trio

from chatd import app, demo, log
from chatd.cli import lock
from chatd.cli.options import DATA_FLAGS, Failure, add_config_flags, check_supported, load_config
from chatd.config import Config, ConfigError
from chatd.live.stream import server_context
from chatd.store.db import StoreFailed
from chatd.store.migrate import MigrationError

logger = log.get(__name__)

FLAGS = {
    "--host": "server.host",
    "--port": "server.port",
    **DATA_FLAGS,
    "--redis": "redis.url",
    "--http": "server.http",
    "--tls-cert": "server.tls_cert",
    "--tls-key": "server.tls_key",
    "--log-format": "log.format",
    "--log-level": "log.level",
}

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def configure(parser: ArgumentParser) -> None:
    parser.set_defaults(run=run)
    add_config_flags(parser, FLAGS)
    parser.add_argument(
        "--no-rate-limits",
        action="store_const",
        const=False,
        dest="limits.rate_limits",
        help="lift all rate limits: for load tests",
    )
    parser.add_argument("--demo", action="store_true", help="fill an empty server with a guild, people and a bot")


def run(options: Namespace) -> int:
    config = load_config(options)
    check_supported(config)
    _check_tls(config)
    log.setup(config.log.format, config.log.level, sys.stderr)
    _raise_descriptor_limit()
    with lock.held(Path(config.data.dir)):
        try:
            problem = trio.run(_serve, config, options.demo)
        except Exception:
            # Whatever it is, a failed commit above all: what was acknowledged is on disk, the next start goes on there.
            logger.exception("crashed")
            return 1
    if problem:
        raise Failure(problem)
    return 0


async def _serve(config: Config, with_demo: bool) -> str | None:
    """Serve until told to stop. What is wrong when it cannot start."""
    running: app.Running | None = None
    problem = None

    with trio.open_signal_receiver(*SIGNALS) as signals:
        async with trio.open_nursery() as waiting:

            def stop() -> None:
                if running is None:
                    waiting.cancel_scope.cancel()
                else:
                    running.stop()

            waiting.start_soon(_stop_on_signal, signals, stop)
            async with trio.open_nursery() as server:
                try:
                    prepare = demo.seed if with_demo else None
                    running = await server.start(partial(app.run, config, prepare=prepare))
                except (OSError, StoreFailed, MigrationError, demo.NotEmpty) as error:
                    problem = _explain(error, config)
                else:
                    if with_demo:
                        print(demo.instructions(Path(config.data.dir), running.url), file=sys.stderr, flush=True)
                    print(f"chatd listening on {running.url}", flush=True)
            waiting.cancel_scope.cancel()
    return problem


async def _stop_on_signal(signals: AsyncIterator[int], stop: Callable[[], None]) -> None:
    async for number in signals:
        # The second one must work on a loop that hangs too, so it is not for the loop to receive.
        for each in SIGNALS:
            signal.signal(each, lambda *_: os._exit(1))
        logger.info("stopping", signal=signal.Signals(number).name)
        stop()


def _explain(error: Exception, config: Config) -> str:
    if not isinstance(error, OSError):
        return str(error)
    # Binding a socket and looking up a host name say nothing of the address.
    where = error.filename or f"cannot listen on {config.server.host}:{config.server.port}"
    return f"{where}: {error.strerror}"


def _raise_descriptor_limit() -> None:
    """The soft limit is low for programs that use select(2); each client takes one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _check_tls(config: Config) -> None:
    server = config.server
    if not server.tls_cert:
        return
    try:
        server_context(server.tls_cert, server.tls_key, [])
    except OSError as error:  # what is wrong with the contents is an ssl.SSLError, which is one too
        raise ConfigError("server.tls_cert, server.tls_key", str(error)) from error
