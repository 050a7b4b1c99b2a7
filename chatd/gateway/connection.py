"""One client's WebSocket, from the upgrade to the close: a task that reads, and a stream that everyone pushes to.

Frames are wsproto's, heartbeats are a deadline that moves, and what is sent to the client goes straight to the stream:
a connection at rest is one parked task.
"""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import trio
from wsproto.connection import Connection as WebSocket
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.utilities import LocalProtocolError

from chatd import log
from chatd.gateway.identifies import IdentifyQueue
from chatd.gateway.metrics import GatewayMetrics
from chatd.gateway.protocol import MESSAGE_BYTES, Heartbeat, Protocol, State
from chatd.live.compress import Context
from chatd.live.formats import FORMATS, JSON, PAYLOAD
from chatd.live.frames import Event as Dispatch
from chatd.live.frames import control
from chatd.live.sessions import ConnectionFigures, Session
from chatd.live.stream import SLOW_CONSUMER, WRITE_DEADLINE, ClientStream
from chatd.model.errors import (
    CLOSE_DECODE_ERROR,
    CLOSE_UNKNOWN_ERROR,
    SESSION_ENDING_CLOSES,
    CloseKind,
    GatewayClose,
)
from chatd.model.objects.gateway import Hello, Identify, Op, RequestGuildMembers, Resume
from chatd.model.objects.presence import PresenceParams
from chatd.model.objects.voice import VoiceStateUpdate
from chatd.model.wire import Object
from chatd.service import gateway as service
from chatd.service import member_requests, presence, voice
from chatd.service.core import Core

logger = log.get(__name__)

# A client that misses one heartbeat is slow, one that misses half of the next as well is gone.
HEARTBEAT_GRACE = 1.5
# How long a client may take to answer our close frame before the socket is closed under it.
CLOSE_DEADLINE_S = 2.0
# RESUME sends what was missed in pieces of this size at most.
REPLAY_BYTES = 256 * 1024

# 1009 would say the same, but clients know Discord's code.
_TOO_LARGE = CLOSE_DECODE_ERROR


@dataclass(frozen=True, slots=True)
class Shared:
    """What all connections have in common."""

    core: Core
    jobs: trio.Nursery
    identifies: IdentifyQueue
    metrics: GatewayMetrics


@dataclass(frozen=True, slots=True)
class Transport:
    """What a client chose in the URL: how messages are written."""

    encoding: str
    compression: str
    format: int  # index into formats.FORMATS
    context: Context | None


class GatewayConnection:
    """A client's connection; what `live.sessions.Connection` asks for."""

    __slots__ = (
        "_clients_code",
        "_closing",
        "_connected_at",
        "_core",
        "_host",
        "_identifies",
        "_jobs",
        "_message",
        "_metrics",
        "_protocol",
        "_scope",
        "_session",
        "_stream",
        "_transport",
        "_version",
        "_websocket",
        "context",
        "format",
        "lend",
        "push",
    )

    def __init__(self, shared: Shared, stream: ClientStream, transport: Transport, version: int, host: str) -> None:
        self._core = shared.core
        self._jobs = shared.jobs
        self._identifies = shared.identifies
        self._metrics = shared.metrics
        self._stream = stream
        self._transport = transport
        self._version = version
        self._host = host
        self._websocket = WebSocket(ConnectionType.SERVER)
        self._protocol = Protocol(FORMATS[transport.format].encoding.number)
        self._session: Session | None = None
        self._message = b""  # the parts of a fragmented message so far
        self._closing: GatewayClose | None = None
        self._clients_code: int | None = None  # of its close frame
        self._connected_at = trio.current_time()
        self._scope = trio.CancelScope()
        self.format = transport.format
        self.context = transport.context
        # The stream's own methods: fan-out calls `push` for every delivery that is not sent directly.
        self.push: Callable[[bytes], None] = stream.push
        self.lend = stream.lend

    async def run(self, early: bytes, problem: CloseKind | None = None) -> None:
        """Speak with the client until either side ends. `early` is what it sent along with the upgrade.

        With a `problem` (of the URL's parameters) there is nothing to say but goodbye.
        """
        config = self._core.config.gateway
        hello = Hello(heartbeat_interval=config.heartbeat_interval_ms)
        self._say(Op.HELLO, hello, is_first=True)
        ended_by_client = False
        try:
            with self._scope as scope:
                scope.deadline = trio.current_time() + config.identify_deadline_s
                if problem is not None:
                    self.close(problem.code, problem.reason, problem.may_resume)
                ended_by_client = await self._read(early)
            if scope.cancelled_caught and self._closing is None:
                # Silent for too long: it may resume, if it is still there.
                self._metrics.overdue.labels("identify" if self._session is None else "heartbeat").value += 1
                self.close(CLOSE_UNKNOWN_ERROR.code, "Heartbeat or IDENTIFY overdue.")
                with trio.move_on_after(CLOSE_DEADLINE_S):
                    await self._read(b"")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the socket died; the session may go on with another
        finally:
            self._leave(ended_by_client)
            self._record_end()
            if self.context is not None:
                self.context.interrupt()

    async def drained(self) -> None:
        try:
            await self._stream.wait_send_all_might_not_block()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await trio.lowlevel.checkpoint()

    def close(self, code: int, reason: str, may_resume: bool = True) -> None:
        """Send a close frame; the reader gives the client a moment to answer it."""
        if self._closing is not None:
            return
        self._closing = GatewayClose(code, reason, True, may_resume)
        self._detach()
        with contextlib.suppress(LocalProtocolError):  # the client has closed already
            self.push(self._websocket.send(CloseConnection(code=code, reason=reason)))
        self.push = _ignore  # nothing follows a close frame
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + CLOSE_DEADLINE_S)

    def reconnect(self) -> None:
        """Ask the client to come back later (op 7)."""
        if self._closing is None:
            self._say(Op.RECONNECT, None)

    @property
    def waiting_bytes(self) -> int:
        """Written, and not yet taken by the kernel."""
        return self._stream.waiting_bytes

    def figures(self) -> ConnectionFigures:
        return ConnectionFigures(
            address=self._stream.peer,
            encoding=self._transport.encoding,
            compression=self._transport.compression,
            connected_at=self._connected_at,
            beat_at=self._scope.deadline - self._patience_s(),
            waiting_bytes=self.waiting_bytes,
        )

    def _record_end(self) -> None:
        self._metrics.ended(None if self._closing is None else self._closing.code, self._clients_code)
        reason = self._stream.closed_reason
        if self._session is not None and reason in (SLOW_CONSUMER, WRITE_DEADLINE):
            # No close frame can say it: the client reads nothing, so it gets a reset, and may RESUME.
            logger.warning(
                "connection cut off",
                reason=reason,
                session=self._session.id,
                user=self._session.user.id,
                address=self._stream.peer,
            )

    def _say(self, op: Op, payload: Object | bool | None, is_first: bool = False) -> None:
        """Send what is no dispatch."""
        if self.context is not None:
            self.context.interrupt()
        self.push(control(op, payload, self.format, is_first))

    # --- reading -----------------------------------------------------------------------------------------------

    async def _read(self, early: bytes) -> bool:
        """Handle what comes in until the connection is over; whether the client ended its session with it."""
        data = early or await self._stream.receive_some()
        while data:
            self._websocket.receive_data(data)
            for event in self._websocket.events():
                if isinstance(event, CloseConnection):
                    if self._websocket.state is ConnectionState.OPEN:  # wsproto's way to say: a malformed frame
                        self.close(event.code, event.reason or "")
                        return await self._discard()
                    return self._closed_by_client(event)
                if self._closing is not None:
                    continue  # we are waiting for the answer to our close frame, nothing else
                try:
                    await self._handle(event)
                except GatewayClose as close:
                    self.close(close.code, close.reason, close.may_resume)
                except Exception:
                    logger.exception("gateway command failed")
                    self.close(CLOSE_UNKNOWN_ERROR.code, CLOSE_UNKNOWN_ERROR.reason)
            data = await self._stream.receive_some()
        return False

    async def _handle(self, event: Event) -> None:
        if isinstance(event, TextMessage | BytesMessage):
            part = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
            if len(self._message) + len(part) > MESSAGE_BYTES:
                raise _TOO_LARGE()
            self._message += part
            if event.message_finished:
                message, self._message = self._message, b""
                command = self._protocol.receive(message, trio.current_time())
                await COMMANDS[type(command)](self, command)
        elif isinstance(event, Ping):
            self.push(self._websocket.send(event.response()))

    async def _discard(self) -> bool:
        """Read on until the client closes: TCP resets what is closed with bytes unread, and our close frame is lost."""
        while await self._stream.receive_some():
            pass
        return False

    def _closed_by_client(self, event: CloseConnection) -> bool:
        if self._websocket.state is ConnectionState.REMOTE_CLOSING:
            self.push(self._websocket.send(event.response()))
        self._clients_code = event.code
        return self._closing is None and event.code in SESSION_ENDING_CLOSES

    # --- the session -------------------------------------------------------------------------------------------

    def _attach(self, session: Session) -> None:
        self._session = session
        session.connection = self
        self._protocol.state = State.IDENTIFIED
        self._beat()

    def _detach(self) -> None:
        if self._session is not None and self._session.connection is self:
            service.detach(self._core, self._session)

    def _leave(self, ended_by_client: bool) -> None:
        self._detach()
        session = self._session
        if session is None or session.connection is not None:
            return
        if ended_by_client or (self._closing is not None and not self._closing.may_resume):
            service.end(self._core, session)

    def _beat(self) -> None:
        self._scope.deadline = trio.current_time() + self._patience_s()

    def _patience_s(self) -> float:
        return self._core.config.gateway.heartbeat_interval_ms / 1000 * HEARTBEAT_GRACE

    # --- jobs: what takes long, so that it does not hold up heartbeats -----------------------------------------

    def _start(self, job: Callable[..., Awaitable[None]], session: Session, *args: object) -> None:
        self._jobs.start_soon(self._do, job, session, *args, name=f"gateway/{job.__name__}")

    async def _do(self, job: Callable[..., Awaitable[None]], session: Session, *args: object) -> None:
        """A failure ends the session: its client can no longer know what is true."""
        try:
            await job(self._core, session, *args)
        except Exception:
            logger.exception("gateway job failed")
            self.close(CLOSE_UNKNOWN_ERROR.code, CLOSE_UNKNOWN_ERROR.reason)
            if session.connection is None:
                service.end(self._core, session)

    # --- commands ----------------------------------------------------------------------------------------------

    async def heartbeat(self, command: Heartbeat) -> None:
        self._say(Op.HEARTBEAT_ACK, None)
        if self._session is not None:  # before IDENTIFY heartbeats do not buy time
            self._beat()

    async def identify(self, command: Identify) -> None:
        outcomes = self._metrics.identifies
        if not await self._identifies.enter():
            outcomes.labels("overloaded").value += 1
            self._say(Op.INVALID_SESSION, False)
            return
        try:
            session = await service.identify(self._core, command, self._version, self._host)
        finally:
            self._identifies.leave()
        if session is None:
            outcomes.labels("limited").value += 1
            self._say(Op.INVALID_SESSION, False)
            return
        outcomes.labels("ok").value += 1
        if self._closing is not None:  # since we began: nobody will ever hear of this session
            service.end(self._core, session)
            return
        # Payload compression is for JSON without a transport compression. RESUME cannot ask for it, so it ends there.
        if command.compress is True and self.format == JSON:
            self.format = PAYLOAD
        self.push(session.replay(0, self, REPLAY_BYTES)[1])  # READY
        self._attach(session)
        self._start(service.feed, session, self._identifies.feeds)

    async def resume(self, command: Resume) -> None:
        async with self._identifies.resumes:
            session = await service.find_resumable(self._core, command)
        seq = command.seq
        # The last piece is pushed: it and some live events must fit into the send buffer of a slow client.
        piece = min(REPLAY_BYTES, self._core.config.gateway.send_buffer_bytes // 2)
        # Pieces first, while nothing else is sent here; then the rest, and live events behind it, in one step.
        while session is not None and self._closing is None and service.is_resumable(self._core, session, seq):
            seq, data = session.replay(seq, self, piece)
            if seq == session.seq:
                if session.connection is not None:
                    session.connection.close(CLOSE_UNKNOWN_ERROR.code, "Resumed by another connection.")
                self.push(data)
                self._attach(session)
                session.push(Dispatch("RESUMED", b"{}"))
                self._metrics.resumes.labels("ok").value += 1
                return
            self._beat()  # its client cannot beat before it has read all this
            await self._stream.send_all(data)
        self._metrics.resumes.labels("refused").value += 1
        self._say(Op.INVALID_SESSION, False)

    async def presence(self, command: PresenceParams) -> None:
        if self._session is not None:
            presence.update_presence(self._core, self._session, command)

    async def members(self, command: RequestGuildMembers) -> None:
        if self._session is not None and member_requests.ask(self._session, command):
            self._start(member_requests.answer, self._session)

    async def voice_state(self, command: VoiceStateUpdate) -> None:
        if self._session is not None:
            await voice.update(self._core, self._session, command)


def _ignore(data: bytes) -> None:
    pass


COMMANDS: dict[type[Any], Callable[[GatewayConnection, Any], Awaitable[None]]] = {
    Heartbeat: GatewayConnection.heartbeat,
    Identify: GatewayConnection.identify,
    Resume: GatewayConnection.resume,
    PresenceParams: GatewayConnection.presence,
    RequestGuildMembers: GatewayConnection.members,
    VoiceStateUpdate: GatewayConnection.voice_state,
}
