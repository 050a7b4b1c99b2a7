"""What `GET /metrics` tells of the gateway: the names, and the gauges. Counting is done where things happen."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Protocol

from chatd.gateway.identifies import IdentifyQueue
from chatd.live.sessions import Sessions
from chatd.metrics import Registry

# A client may close with whatever code it likes; any but these counts as "other".
CLIENTS_CODES = frozenset((*range(1000, 1016), *range(4000, 4015)))


class Connection(Protocol):
    @property
    def waiting_bytes(self) -> int: ...


class GatewayMetrics:
    """What connections count."""

    def __init__(
        self, registry: Registry, sessions: Sessions, connections: Collection[Connection], identifies: IdentifyQueue
    ) -> None:
        self._closes = registry.counters(
            "chatd_gateway_closes_total",
            "Gateway connections that ended, by whose close frame did it and its code; network: none did.",
            ("by", "code"),
        )
        self.overdue = registry.counters(
            "chatd_gateway_deadlines_missed_total", "Connections closed for silence.", ("awaited",)
        )
        self.handshakes_refused = registry.counters(
            "chatd_gateway_handshakes_refused_total", "Upgrades answered with an error.", ("status",)
        )
        self.identifies = registry.counters(
            "chatd_gateway_identifies_total",
            "IDENTIFYs: ok, limited (the user's own limits, op 9), overloaded (op 9). Others end in a close.",
            ("outcome",),
        )
        self.resumes = registry.counters(
            "chatd_gateway_resumes_total", "RESUMEs: ok, refused (op 9). Others end in a close.", ("outcome",)
        )

        def connected() -> dict[tuple[str, ...], float]:
            attached = (it.connection.figures() for it in sessions if it.connection is not None)
            return dict(Counter((figures.encoding, figures.compression) for figures in attached))

        def waiting_bytes() -> Iterator[int]:
            return (connection.waiting_bytes for connection in connections)

        reading = registry.reading
        reading("chatd_gateway_sessions", "Sessions, with and without a socket.", lambda: len(sessions))
        reading(
            "chatd_gateway_sessions_waiting",
            "Sessions that wait for RESUME.",
            lambda: sum(session.connection is None for session in sessions),
        )
        registry.readings(
            "chatd_gateway_sessions_connected", "Sessions with a socket.", ("encoding", "compression"), connected
        )
        reading("chatd_gateway_connections", "Open gateway connections.", lambda: len(connections))
        reading("chatd_gateway_identifies_waiting", "IDENTIFYs in the queue.", lambda: identifies.waiting)
        reading(
            "chatd_gateway_ring_events",
            "Events kept for RESUME; one that several sessions keep counts for each.",
            lambda: sum(len(session.ring) for session in sessions),
        )
        reading("chatd_gateway_send_queue_bytes", "Bytes that wait for slow clients.", lambda: sum(waiting_bytes()))
        reading(
            "chatd_gateway_send_queue_max_bytes",
            "Bytes that wait for the slowest client.",
            lambda: max(waiting_bytes(), default=0),
        )

    def ended(self, our_code: int | None, clients_code: int | None) -> None:
        """Count a connection's end; the code of whichever side closed first, or of neither."""
        if our_code is not None:
            self._closes.labels("server", str(our_code)).value += 1
        elif clients_code is not None:
            code = str(clients_code) if clients_code in CLIENTS_CODES else "other"
            self._closes.labels("client", code).value += 1
        else:
            self._closes.labels("network", "").value += 1
