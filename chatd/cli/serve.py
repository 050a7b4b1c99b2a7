"""Run the server until SIGTERM or SIGINT, which drain it; a second one ends it at once. SIGUSR2: restart in place."""

import os
import resource
import signal
import socket
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import trio

from chatd import app, demo, log
from chatd.cli import activation, lock, restart
from chatd.cli.options import DATA_FLAGS, Failure, add_config_flags, check_supported, load_config
from chatd.config import Config, ConfigError
from chatd.live.tls import server_context
from chatd.store import migrate
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

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# Where connections wait anyway, a command that works on the data may end first.
LOCK_PATIENCE_S = 10.0


class Ended(NamedTuple):
    problem: str | None = None  # why it could not start
    sockets: Sequence[socket.socket] = ()  # for the chatd that this process is to become


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
    parser.add_argument(restart.CHECK_FLAG, action="store_true", help="say what would keep it from starting, and end")


def run(options: Namespace) -> int:
    config = load_config(options)
    check_supported(config)
    _check_tls(config)
    if options.check:
        _check_schema(config)
        return 0
    # By default it kills: so it would a server that has just become another one and does not listen to it yet.
    signal.signal(restart.SIGNAL, signal.SIG_IGN)
    log.setup(config.log.format, config.log.level, sys.stderr)
    _raise_descriptor_limit()
    inherited = activation.inherited(os.environ)
    with lock.held(Path(config.data.dir), LOCK_PATIENCE_S if inherited else 0.0):
        try:
            ended = trio.run(_serve, config, options.demo, inherited)
        except Exception:
            # Whatever it is, a failed commit above all: what was acknowledged is on disk, the next start goes on there.
            logger.exception("crashed")
            return 1
    if ended.problem:
        raise Failure(ended.problem)
    if ended.sockets:
        restart.replace(ended.sockets)
    return 0


async def _serve(config: Config, with_demo: bool, inherited: Sequence[socket.socket]) -> Ended:
    """Serve until told to stop or to restart."""
    running: app.Running | None = None
    problem = None
    kept: list[socket.socket] = []
    stopping = False

    with trio.open_signal_receiver(*STOP_SIGNALS, restart.SIGNAL) as signals:
        async with trio.open_nursery() as waiting:

            def stop() -> None:
                nonlocal stopping
                stopping = True
                activation.notify(activation.STOPPING)
                # Of a restart that is under way only the stop is left.
                while kept:
                    kept.pop().close()
                if running is None:
                    waiting.cancel_scope.cancel()
                else:
                    running.stop()

            async def begin_restart() -> None:
                if running is None or stopping or kept:
                    return
                activation.notify(activation.reloading())
                try:
                    await restart.check()
                    if not stopping and not kept:
                        kept.extend([sock.dup() for sock in running.sockets])
                        logger.info("restarting")
                        running.stop()
                except (Failure, OSError) as error:
                    logger.error("not restarted, going on as before", problem=str(error))
                    activation.notify(activation.READY)

            waiting.start_soon(_heed, signals, stop, partial(waiting.start_soon, begin_restart))
            async with trio.open_nursery() as server:
                try:
                    prepare = demo.seed if with_demo else None
                    running = await server.start(partial(app.run, config, inherited=inherited, prepare=prepare))
                except (OSError, StoreFailed, MigrationError, demo.NotEmpty) as error:
                    problem = _explain(error, config)
                else:
                    if inherited:
                        logger.info("serving inherited sockets, whatever server.host and server.port say")
                    if with_demo:
                        print(demo.instructions(Path(config.data.dir), running.url), file=sys.stderr, flush=True)
                    _announce(running.url)
            waiting.cancel_scope.cancel()
    return Ended(problem, kept)


async def _heed(signals: AsyncIterator[int], stop: Callable[[], None], begin_restart: Callable[[], None]) -> None:
    async for number in signals:
        if number == restart.SIGNAL:
            begin_restart()
            continue
        # The second one must work on a loop that hangs too, so it is not for the loop to receive.
        for each in STOP_SIGNALS:
            signal.signal(each, lambda *_: os._exit(1))
        logger.info("stopping", signal=signal.Signals(number).name)
        stop()


def _announce(url: str) -> None:
    if sys.stdout is not None:
        # After a restart nobody may read it any more. Not print, whose buffer would fail once more at the end.
        with suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), f"chatd listening on {url}\n".encode())
    activation.notify(activation.READY)


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


def _check_schema(config: Config) -> None:
    """A database that a newer chatd has changed is not for this one."""
    if not Path(config.data.dir).is_dir():
        return
    try:
        migrate.status(app.database_url(config))
    except (StoreFailed, MigrationError) as error:
        raise Failure(str(error)) from error
