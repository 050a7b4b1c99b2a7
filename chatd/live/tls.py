"""Encrypted client sockets: TLS over the streams of `stream`, with their contract."""

import contextlib
import socket
import ssl

import trio

from chatd.live.stream import PEER, RECEIVE_BYTES, ClientStream, Data, PushStream, WritePolicy


class TlsStream(ClientStream):
    """TLS over a PushStream, server side.

    trio.SSLStream can only send by waiting. This one encrypts into memory, which takes no time, and pushes the result:
    order, limits and reasons are those of the stream below. It relies on the context refusing renegotiation
    (`server_context`), without which a write might need to read first.
    """

    __slots__ = ("_incoming", "_outgoing", "_tls", "peer", "transport_stream")

    scheme = "https"

    def __init__(self, transport_stream: PushStream, context: ssl.SSLContext) -> None:
        self.transport_stream = transport_stream
        self.peer = transport_stream.peer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    @property
    def socket(self) -> socket.socket:
        return self.transport_stream.socket

    @property
    def policy(self) -> WritePolicy:
        return self.transport_stream.policy

    @policy.setter
    def policy(self, policy: WritePolicy) -> None:
        self.transport_stream.policy = policy

    @property
    def closed_reason(self) -> str | None:
        return self.transport_stream.closed_reason

    @property
    def waiting_bytes(self) -> int:
        return self.transport_stream.waiting_bytes

    def selected_alpn_protocol(self) -> str | None:
        return self._tls.selected_alpn_protocol()

    async def do_handshake(self) -> None:
        """To be called once, first. Raises BrokenResourceError for a peer that does not speak TLS."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._receive_encrypted()
            except ssl.SSLError as error:
                await self._break(error)
            else:
                await self.transport_stream.send_all(self._outgoing.read())
                return

    def push(self, data: bytes) -> None:
        if self.transport_stream.closed_reason is None:
            try:
                self._tls.write(data)
            except ssl.SSLError:
                self.abort(PEER)
            else:
                self.transport_stream.push(self._outgoing.read())

    async def send_all(self, data: Data) -> None:
        try:
            if data:
                self._tls.write(data)
        except ssl.SSLError as error:
            await self._break(error)
        await self.transport_stream.send_all(self._outgoing.read())

    async def wait_send_all_might_not_block(self) -> None:
        await self.transport_stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            try:
                data = self._tls.read(max_bytes or RECEIVE_BYTES)
            except ssl.SSLWantReadError:
                await self._receive_encrypted()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                # HTTP and WebSocket mark their own ends; many clients leave without TLS's farewell.
                return b""
            except ssl.SSLError as error:
                await self._break(error)
            else:
                await trio.lowlevel.cancel_shielded_checkpoint()
                return data

    async def send_eof(self) -> None:
        self._say_farewell()
        await self.transport_stream.send_eof()

    async def aclose(self) -> None:
        self._say_farewell()
        await self.transport_stream.aclose()

    def abort(self, reason: str) -> None:
        self.transport_stream.abort(reason)

    async def _receive_encrypted(self) -> None:
        if self._outgoing.pending:  # our side of the handshake, or an answer to a key update
            await self.transport_stream.send_all(self._outgoing.read())
        data = await self.transport_stream.receive_some()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _break(self, error: ssl.SSLError) -> None:
        if self._outgoing.pending:  # the alert that tells the peer why
            self.transport_stream.push(self._outgoing.read())
        await self.transport_stream.aclose()
        raise trio.BrokenResourceError(PEER) from error

    def _say_farewell(self) -> None:
        with contextlib.suppress(ssl.SSLError):  # the normal outcome: it would now wait for the peer's farewell
            self._tls.unwrap()
        if self._outgoing.pending:
            self.transport_stream.push(self._outgoing.read())


def server_context(certificate_file: str, key_file: str, protocols: list[str]) -> ssl.SSLContext:
    """TLS settings for clients that speak one of the ALPN `protocols` ("http/1.1", "h2")."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(certificate_file, key_file)
    context.set_alpn_protocols(protocols)
    return context
