"""The composition root: opens everything, draws the nursery tree, and takes it down in order.

run                        the database's threads around everything
└─ infrastructure          a crash here ends the process
   ├─ store watch          a failed commit: exit, nothing more is acknowledged
   ├─ periodic             one task a job of `periodic.jobs`
   ├─ bus                  one task a shard
   ├─ links                what messages link to, a few at a time
   ├─ control socket       the command line's requests, one at a time
   ├─ jobs                 what outlives a gateway command: guild feeds, member chunks
   └─ connections          one task a client; ends last but for the store
      └─ listeners         end first
"""

import os
import resource
import secrets
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import trio

from chatd import control, log, periodic
from chatd.cli import admin
from chatd.config import Config
from chatd.gateway.server import Gateway
from chatd.live import listener
from chatd.live.admission import OPEN, RATE, TOTAL, Admission, Bounds
from chatd.live.bus import Bus
from chatd.live.state import Live
from chatd.live.stream import SLOW_CONSUMER, WRITE_DEADLINE, ClientStream, WritePolicy
from chatd.live.tls import server_context
from chatd.metrics import Registry
from chatd.model.ratelimit import Limiter
from chatd.model.snowflake import SnowflakeGenerator, lowest_at
from chatd.rest.cdn import with_cdn
from chatd.rest.edge import serve_connection
from chatd.rest.http import Drain, Handler, Limits, Upgrade
from chatd.rest.probes import with_probes
from chatd.rest.route import Router
from chatd.rest.runner import Runner
from chatd.rest.table import ROUTES
from chatd.service import read_states, recovery, unfurling, voice
from chatd.service.actors import Actors
from chatd.service.checkpoints import Checkpoints
from chatd.service.core import Core
from chatd.service.links import Links
from chatd.service.nonces import WINDOW_MS, Nonces
from chatd.service.passwords import Passwords
from chatd.service.renditions import Renditions
from chatd.service.search_index import SearchIndex
from chatd.service.unfurls import OUTCOMES, Unfurls
from chatd.store import messages, migrate, open_database
from chatd.store.blobs import open_blobs
from chatd.store.db import StoreFailed
from chatd.store.disk import Disk
from chatd.store.rows import newest_id
from chatd.web.fetch import Web, public_web

logger = log.get(__name__)

# Enough for one guild's flood not to hold up the others; more tasks would only take turns on the same core.
BUS_SHARDS = 8
# Events that may wait in a shard before writers have to: about a second of a flood.
BUS_CAPACITY = 4096
# About 100 MB of open windows when full.
LIMITER_KEYS = 500_000
# Kept from clients: the database's connections and files, the log, a thread's pipe; three times what they come to.
OWN_DESCRIPTORS = 128


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts connections."""

    core: Core
    gateway: Gateway
    metrics: Registry
    url: str  # http://HOST:PORT
    sockets: Sequence[socket.socket]  # that clients connect to
    stop: Callable[[], None]  # drain, then let `run` return


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


def database_url(config: Config) -> str:
    return config.database.url or f"sqlite://{Path(config.data.dir) / 'chatd.sqlite'}"


@asynccontextmanager
async def open_core(
    config: Config, clock_ms: Callable[[], int], web: Callable[[], Web] = public_web
) -> AsyncIterator[Core]:
    """The database at its newest schema, and everything that service functions need. Starts no task."""
    data = Path(config.data.dir)
    url = database_url(config)
    await trio.to_thread.run_sync(_prepare, data, url, clock_ms())
    async with (
        open_database(url, readers=config.database.readers, waiting_limit=config.database.queue) as db,
        open_blobs(config.media, data) as blobs,
    ):
        renditions = Renditions(blobs, Disk(data / "media-cache"), config.media.cache_bytes)
        await renditions.load()
        nonces = Nonces()
        for row in await db.read(messages.recent_nonces, lowest_at(clock_ms() - WINDOW_MS)):
            nonces.remember((row.author_id, row.channel_id, row.nonce), row.id)
        accounts = config.accounts
        yield Core(
            config=config,
            db=db,
            live=Live(Bus(BUS_SHARDS, BUS_CAPACITY)),
            ids=SnowflakeGenerator(0, 0, clock_ms, floor=await db.read(newest_id)),
            limiter=Limiter(LIMITER_KEYS),
            actors=Actors(),
            passwords=Passwords(
                accounts.argon2_memory_kib, accounts.argon2_time, accounts.argon2_parallelism, accounts.password_queue
            ),
            blobs=blobs,
            renditions=renditions,
            links=Links(await trio.to_thread.run_sync(_secret, data / "links.key"), config.server.public_url, clock_ms),
            nonces=nonces,
            search_index=SearchIndex(db, config.search.enabled),
            unfurls=Unfurls(config.unfurl, web()) if config.unfurl.enabled else None,
            jwt_key=await trio.to_thread.run_sync(_secret, data / "jwt.key"),
            clock_ms=clock_ms,
        )


async def run(
    config: Config,
    *,
    inherited: Sequence[socket.socket] = (),
    clock_ms: Callable[[], int] = unix_ms,
    web: Callable[[], Web] = public_web,
    prepare: Callable[[Core], Awaitable[None]] | None = None,
    task_status: trio.TaskStatus[Running] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until stopped, on sockets that are `inherited`, or else on those that the configuration says.

    `web` is where links may lead to. `prepare` runs before the first connection is accepted.
    """
    async with open_core(config, clock_ms, web) as core:
        if prepare is not None:
            await prepare(core)
        sockets = inherited or await listener.listen(config.server.host, config.server.port)
        core.links.base = core.links.base or _url(config, sockets)  # before anything is rendered
        core.live.bus.horizon = core.ids.next()
        await recovery.restore(core)
        checkpoints = Checkpoints(core)
        metrics = Registry()
        async with trio.open_nursery() as infrastructure:
            infrastructure.start_soon(core.live.bus.run, name="bus")
            infrastructure.start_soon(_watch_store, core, name="store watch")
            for name, (interval_s, job) in periodic.jobs(core, checkpoints).items():
                infrastructure.start_soon(periodic.repeat, name, interval_s, job, name=f"periodic/{name}")
            if core.unfurls is not None:
                for number in range(config.unfurl.workers):
                    infrastructure.start_soon(unfurling.work, core.unfurls, name=f"links/{number}")
            await infrastructure.start(control.serve, Path(config.data.dir), partial(admin.answer, core))
            async with trio.open_nursery() as jobs:
                await _serve(config, core, jobs, sockets, metrics, task_status)
                jobs.cancel_scope.cancel()
            await read_states.write_down(core)
            await checkpoints.save(final=True)
            infrastructure.cancel_scope.cancel()
        logger.info("stopped")


async def _serve(
    config: Config,
    core: Core,
    jobs: trio.Nursery,
    sockets: Sequence[socket.socket],
    metrics: Registry,
    task_status: trio.TaskStatus[Running],
) -> None:
    """Accept until told to stop, then drain."""
    gateway = Gateway(core, jobs, metrics)
    admission = Admission(_bounds(config))
    drain = Drain()
    server = config.server
    tls = server_context(server.tls_cert, server.tls_key, _protocols(config)) if server.tls_cert else None
    async with trio.open_nursery() as connections:
        policy = WritePolicy(connections, config.gateway.send_buffer_bytes, config.gateway.write_deadline_s)
        _register(metrics, core, policy, admission)
        runner = Runner(core, Router(ROUTES), metrics)
        handler = with_probes(core, metrics, with_cdn(core, runner))
        limits = Limits(
            max_body=server.max_body_bytes,
            max_upload=server.max_upload_bytes,
            max_images=server.max_image_body_bytes,
            takes_images=runner.takes_images,
            header_deadline_s=server.header_deadline_s,
            body_deadline_s=server.body_deadline_s,
            idle_deadline_s=server.idle_deadline_s,
        )
        front_end = _edge if server.http == "edge" else _hypercorn
        attend = front_end(handler, upgrade=gateway.accept, limits=limits, drain=drain)
        async with trio.open_nursery() as listeners:
            listeners.start_soon(
                partial(listener.serve, sockets, attend, policy, tls=tls, admission=admission),
                name="listeners",
            )
            stop = listeners.cancel_scope.cancel
            task_status.started(Running(core, gateway, metrics, _url(config, sockets), sockets, stop))
        logger.info("draining", connections=len(gateway.connections))
        drain.begin()
        connections.cancel_scope.deadline = trio.current_time() + server.drain_s
        await voice.hang_up(core)
        await core.live.bus.flush()
        await gateway.drain()


def _edge(
    handler: Handler, *, upgrade: Upgrade, limits: Limits, drain: Drain
) -> Callable[[ClientStream], Awaitable[None]]:
    return partial(serve_connection, handler=handler, upgrade=upgrade, limits=limits, drain=drain)


def _hypercorn(
    handler: Handler, *, upgrade: Upgrade, limits: Limits, drain: Drain
) -> Callable[[ClientStream], Awaitable[None]]:
    # Late: importing hypercorn and Quart takes a third of the whole start.
    from chatd.rest.pages import connection_handler

    return connection_handler(handler, upgrade=upgrade, limits=limits, drain=drain)


async def _watch_store(core: Core) -> None:
    await core.db.failed.wait()
    raise StoreFailed("a commit has failed; what is on disk is not known")


def _bounds(config: Config) -> Bounds:
    """Rate limits lifted, one address may be everybody; descriptors are what they are."""
    server = config.server
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = sys.maxsize if descriptors == resource.RLIM_INFINITY else max(1, descriptors - OWN_DESCRIPTORS)
    total = min(server.max_connections or possible, possible)
    if not config.limits.rate_limits:
        return Bounds(total)
    exempt = [ip_network(it) for it in (*server.trusted_proxies, *server.unlimited_addresses)]
    return Bounds(total, server.connections_per_address, server.connects_per_address, exempt)


def _register(metrics: Registry, core: Core, policy: WritePolicy, admission: Admission) -> None:
    def counted(counter: Counter[str], reasons: Sequence[str]) -> dict[tuple[str, ...], float]:
        return {(reason,): counter[reason] for reason in reasons}

    metrics.reading("chatd_bus_backlog", "Events that wait for delivery.", core.live.bus.backlog)
    metrics.reading(
        "chatd_search_indexed",
        "Messages indexed since the start, again after changes.",
        lambda: core.search_index.documents,
    )
    metrics.reading("chatd_connections", "Open connections, HTTP and gateway.", lambda: admission.open)
    metrics.readings(
        "chatd_connections_refused_total",
        "Connections closed unanswered, by the bound: total, of one address, how fast one address comes.",
        ("bound",),
        partial(counted, admission.refused, (TOTAL, OPEN, RATE)),
        "counter",
    )
    metrics.readings(
        "chatd_connections_aborted_total",
        "Connections cut off because the client did not read: too much waited, or it waited for too long.",
        ("reason",),
        partial(counted, policy.aborted, (SLOW_CONSUMER, WRITE_DEADLINE)),
        "counter",
    )
    if core.unfurls is not None:
        metrics.readings(
            "chatd_links_total",
            "Links in messages by what became of them: embedded, nothing to embed, failed, refused, dropped unseen.",
            ("outcome",),
            partial(counted, core.unfurls.outcomes, OUTCOMES),
            "counter",
        )


def _prepare(data: Path, url: str, now_ms: int) -> None:
    """The data directory, and the newest schema."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate.up(url, now_ms=now_ms, claim=True)


def _protocols(config: Config) -> list[str]:
    """What is offered in TLS: the edge speaks HTTP/1.1 only."""
    return ["http/1.1"] if config.server.http == "edge" else ["h2", "http/1.1"]


def _url(config: Config, sockets: Sequence[socket.socket]) -> str:
    """Of the first address that is listened on."""
    host, port = sockets[0].getsockname()[:2]
    return f"http{'s' * bool(config.server.tls_cert)}://{f'[{host}]' if ':' in host else host}:{port}"


def _secret(path: Path) -> bytes:
    """32 random bytes, made when first asked for and readable by the owner alone. There in full or not at all."""
    if not path.exists():
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:  # with mode 0600
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)
    return path.read_bytes()
