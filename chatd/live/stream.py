"""Client sockets as Trio streams to which one can also write without waiting. Over TLS they are `tls.TlsStream`s.

The fan-out loop calls `push` more than a hundred thousand times a second, while the connection's own task uses the same
stream for handshakes, control frames and HTTP responses. Both go through one ordered output buffer:

1. `push` never blocks, never raises for a slow or dead peer, and wakes no task while the socket takes everything.
2. Bytes leave in the order of the calls, whole: nothing comes between the bytes of one call, and cancelling `send_all`
   cancels the waiting, not the sending.
3. The buffer is bounded. A peer that leaves more than `WritePolicy.limit_bytes` unread, or takes nothing for
   `deadline_s` while bytes wait, is cut off with a reset; `closed_reason` and `WritePolicy.aborted` say why.
4. While nothing waits, one borrower may call the socket's `send` itself (`lend`), which saves it a call in Python and
   two objects. What `send` does not take is for `push`.

While nothing waits a stream has no task of its own; when the socket is full, one writer is started and ends with the
buffer empty. Accepting connections is in `listener`; what is sent over them is the business of others.
"""

import abc
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import trio

RECEIVE_BYTES = 16 * 1024

SLOW_CONSUMER = "slow consumer"
WRITE_DEADLINE = "write deadline"
PEER = "peer"  # the peer reset the connection, or broke the TLS protocol
LOCAL = "local"  # closed by us, in the normal course
CANCELLED = "cancelled"  # the server stopped while bytes were waiting
ABANDONED = "abandoned"  # the connection's task ended without closing it

# l_onoff, l_linger: close() answers with RST and forgets what the kernel still holds.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Data = bytes | bytearray | memoryview


class WritePolicy:
    """What the streams of a listener share: where writers run, how much may wait, how often that was not enough."""

    __slots__ = ("aborted", "deadline_s", "limit_bytes", "nursery")

    def __init__(self, nursery: trio.Nursery, limit_bytes: int = 1 << 20, deadline_s: float = 30.0) -> None:
        self.nursery = nursery
        self.limit_bytes = limit_bytes
        self.deadline_s = deadline_s
        self.aborted: Counter[str] = Counter()  # by reason


class Borrower(Protocol):
    """`send` is that of the socket as long as nothing waits there, and else None."""

    send: Callable[[bytes], int] | None


class ClientStream(trio.abc.HalfCloseableStream):
    """What HTTP and the gateway know of a connection, whether it is encrypted or not."""

    __slots__ = ()

    scheme: str  # of HTTP: "http" or "https"
    peer: str  # the client's address, without port
    policy: WritePolicy

    @property
    @abc.abstractmethod
    def socket(self) -> socket.socket: ...

    @property
    @abc.abstractmethod
    def closed_reason(self) -> str | None:
        """None while the stream is open, then one of the reasons above."""

    @property
    @abc.abstractmethod
    def waiting_bytes(self) -> int:
        """Written, and not yet taken by the kernel."""

    @abc.abstractmethod
    async def receive_some(self, max_bytes: int | None = None) -> bytes: ...

    @abc.abstractmethod
    def push(self, data: bytes) -> None:
        """Write or buffer; see the contract at the top."""

    def lend(self, borrower: Borrower | None) -> None:
        """Set the borrower's `send` from now on, and nobody else's. Over TLS it stays None."""

    @abc.abstractmethod
    def abort(self, reason: str) -> None:
        """Reset the connection at once; whoever reads or waits gets ClosedResourceError or BrokenResourceError."""


class PushStream(ClientStream):
    """A stream over a connected, non-blocking TCP socket, which it owns."""

    __slots__ = ("_borrower", "_drained", "_is_writing", "_pending", "_reason", "_send", "_socket", "peer", "policy")

    scheme = "http"

    def __init__(self, sock: socket.socket, peer: str, policy: WritePolicy) -> None:
        self._socket = sock
        self._send = sock.send  # bound once: the lookup would be paid by every delivery
        self.peer = peer
        self.policy = policy
        self._pending = bytearray()
        self._is_writing = False  # whether something is pending; a flag of its own saves `push` a cache miss
        self._drained: trio.Event | None = None  # made by the first to wait for it
        self._reason: str | None = None
        self._borrower: Borrower | None = None

    @property
    def socket(self) -> socket.socket:
        return self._socket

    @property
    def closed_reason(self) -> str | None:
        return self._reason

    @property
    def waiting_bytes(self) -> int:
        return len(self._pending)

    def push(self, data: bytes) -> None:
        if self._is_writing:
            if len(self._pending) + len(data) > self.policy.limit_bytes:
                self.abort(SLOW_CONSUMER)
            else:
                self._pending += data
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:  # the peer is gone, or we have closed: then abort() does nothing
            self.abort(PEER)
            return
        if sent != len(data):
            if len(data) - sent > self.policy.limit_bytes:
                self.abort(SLOW_CONSUMER)
            else:
                self._start_writer(data, sent)

    def lend(self, borrower: Borrower | None) -> None:
        if self._borrower is not None:
            self._borrower.send = None
        self._borrower = borrower
        if borrower is not None and not self._is_writing:
            borrower.send = self._send

    async def send_all(self, data: Data) -> None:
        """Write, and wait until the kernel has taken everything that is buffered.

        The limit in bytes is not for the caller of this method, who waits; the deadline is.
        """
        self._check_open()
        if self._pending:
            self._pending += data
        else:
            try:
                sent = self._send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self.abort(PEER)
                raise trio.BrokenResourceError(PEER) from error
            if sent == len(data):
                await trio.lowlevel.checkpoint()
                return
            self._start_writer(data, sent)
        await self.wait_send_all_might_not_block()

    async def wait_send_all_might_not_block(self) -> None:
        self._check_open()
        if self._pending:
            if self._drained is None:
                self._drained = trio.Event()
            await self._drained.wait()
            if self._reason is not None:
                raise trio.BrokenResourceError(self._reason)
        else:
            await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        self._check_open()
        while True:
            # Waiting first: clients here answer to what they get, so that trying first would mostly cost a call.
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return self._socket.recv(max_bytes or RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                self.abort(PEER)
                raise trio.BrokenResourceError(PEER) from error

    async def send_eof(self) -> None:
        await self.wait_send_all_might_not_block()
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.abort(PEER)
            raise trio.BrokenResourceError(PEER) from error

    async def aclose(self) -> None:
        """Close after what is buffered has left, for which the peer has the write deadline."""
        try:
            if self._pending:
                await self.wait_send_all_might_not_block()
        except trio.BrokenResourceError:
            pass
        finally:
            self._close(LOCAL)
        await trio.lowlevel.checkpoint()

    def abort(self, reason: str) -> None:
        if self._reason is None:
            self.policy.aborted[reason] += 1
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._close(reason)

    def _check_open(self) -> None:
        if self._reason is not None:
            raise trio.ClosedResourceError(self._reason)

    def _close(self, reason: str) -> None:
        if self._reason is None:
            self._reason = reason
            self._pending.clear()
            self._is_writing = False
            trio.lowlevel.notify_closing(self._socket)  # wakes the reader and the writer
            self._socket.close()

    def _start_writer(self, data: Data, sent: int) -> None:
        self._pending += memoryview(data)[sent:]
        self._is_writing = True
        if self._borrower is not None:
            self._borrower.send = None
        try:
            self.policy.nursery.start_soon(self._write_pending, name="stream/writer")
        except RuntimeError:  # the nursery has ended, so the server has stopped
            self.abort(CANCELLED)

    async def _write_pending(self) -> None:
        try:
            with trio.CancelScope() as patience:
                while self._pending:
                    patience.deadline = trio.current_time() + self.policy.deadline_s  # progress moves it
                    await trio.lowlevel.wait_writable(self._socket)
                    with contextlib.suppress(BlockingIOError):
                        del self._pending[: self._send(self._pending)]
            if patience.cancelled_caught:
                self.abort(WRITE_DEADLINE)
        except trio.ClosedResourceError:
            pass  # closed while we waited
        except OSError:
            self.abort(PEER)
        finally:
            if self._pending:
                self.abort(CANCELLED)
            self._is_writing = False
            self.lend(self._borrower)
            if self._drained is not None:
                self._drained.set()
                self._drained = None
