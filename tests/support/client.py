"""Clients that speak the wire, on Trio: one for REST, one for the gateway. They share no code with chatd.

Nothing is retried and nothing is hidden; whatever they wait for must come within `DEADLINE_S`.
"""

import json
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode, urlsplit

import h11
import trio
import zstandard
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from tests.support import etf

DEADLINE_S = 5.0

_BOUNDARY = b"----------bcc2d2b1a5"

Json = Any


# --- REST ------------------------------------------------------------------------------------------------------------


class Headers(list[tuple[str, str]]):
    """Fields in the order of arrival; names are compared in any case."""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self if key.lower() == name.lower()]

    def __getitem__(self, name: str) -> str:  # type: ignore[override]
        [value] = self.all(name)
        return value

    def __contains__(self, name: object) -> bool:
        return bool(self.all(str(name)))


class Answer(NamedTuple):
    status: int
    headers: Headers
    content: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.content)

    def ok(self, status: int = 0) -> Json:
        """The body of a success, with exactly this status if one is given; None where there is no body."""
        assert (self.status == status) if status else (200 <= self.status < 300), f"{self.status}: {self.content!r}"
        return self.json if self.content else None

    @property
    def error(self) -> tuple[int, int]:
        """Status and Discord's code of a refusal."""
        assert self.status >= 400, f"{self.status}: {self.content!r}"
        return self.status, self.json["code"]

    @property
    def errors(self) -> dict[str, str]:
        """Discord's error tree as {"embeds.0.title": code}."""
        assert self.error == (400, 50035), f"{self.status}: {self.content!r}"
        return dict(_leaves(self.json.get("errors", {}), ""))


def _leaves(node: Json, path: str) -> list[tuple[str, str]]:
    found = [(path, leaf["code"]) for leaf in node.get("_errors", ())]
    for key, child in node.items():
        if key != "_errors":
            found += _leaves(child, f"{path}.{key}" if path else key)
    return found


def form(fields: Mapping[str, str], files: Mapping[str, bytes | tuple[str, bytes]]) -> tuple[bytes, str]:
    """The body and its content type."""
    parts = [(f'name="{name}"', text.encode()) for name, text in fields.items()]
    for field, file in files.items():
        name, data = file if isinstance(file, tuple) else (field, file)
        parts.append((f'name="{field}"; filename="{name}"', data))
    content = b"".join(
        b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (_BOUNDARY, disposition.encode(), data)
        for disposition, data in parts
    )
    return content + b"--%b--\r\n" % _BOUNDARY, f"multipart/form-data; boundary={_BOUNDARY.decode()}"


class Client:
    """`authorization` is the header's whole value. Connections are kept alive; requests may be made side by side."""

    def __init__(self, url: str, authorization: str | None = None, prefix: str = "/api/v10") -> None:
        self.url = url
        self.authorization = authorization
        self._prefix = prefix
        self._idle: list[tuple[trio.SocketStream, h11.Connection]] = []

    def with_token(self, authorization: str | None) -> "Client":
        """Somebody else on the same server."""
        return Client(self.url, authorization, self._prefix)

    async def request(
        self,
        method: str,
        path: str,
        payload: Json = ...,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> Answer:
        """`payload` is sent as JSON, None as null; `content` as it is. A path that begins with "//" gets no prefix."""
        fields = {"Host": urlsplit(self.url).netloc}
        if self.authorization is not None:
            fields["Authorization"] = self.authorization
        if payload is not ...:
            content = json.dumps(payload).encode()
            fields["Content-Type"] = "application/json"
        if content is not None or method in ("POST", "PUT", "PATCH"):
            fields["Content-Length"] = str(len(content or b""))
        fields.update(headers or {})
        target = path[1:] if path.startswith("//") else self._prefix + path
        target += f"?{urlencode(query, doseq=True)}" if query else ""
        lines = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
        head = h11.Request(method=method, target=target, headers=lines)
        with trio.fail_after(DEADLINE_S):
            return await self._exchange(head, content or b"")

    async def upload(
        self,
        path: str,
        fields: Mapping[str, str],
        files: Mapping[str, bytes | tuple[str, bytes]],
        *,
        method: str = "POST",
        **options: Any,
    ) -> Answer:
        """multipart/form-data. A file has a name of its own, or that of its field."""
        content, kind = form(fields, files)
        headers = {**options.pop("headers", {}), "Content-Type": kind}
        return await self.request(method, path, content=content, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.request("GET", path, **options)

    async def post(self, path: str, payload: Json = ..., **options: Any) -> Answer:
        return await self.request("POST", path, payload, **options)

    async def put(self, path: str, payload: Json = ..., **options: Any) -> Answer:
        return await self.request("PUT", path, payload, **options)

    async def patch(self, path: str, payload: Json = ..., **options: Any) -> Answer:
        return await self.request("PATCH", path, payload, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.request("DELETE", path, **options)

    async def aclose(self) -> None:
        for stream, _ in self._idle:
            await trio.aclose_forcefully(stream)
        self._idle.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _exchange(self, head: h11.Request, content: bytes) -> Answer:
        stream, connection = self._idle.pop() if self._idle else await self._connect()
        try:
            data = connection.send(head) or b""
            data += connection.send(h11.Data(data=content)) or b""
            data += connection.send(h11.EndOfMessage()) or b""
            with suppress(trio.BrokenResourceError):  # refused before the end of the body: the answer says why
                await stream.send_all(data)
            answer = await self._answer(stream, connection)
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        is_done = connection.our_state is h11.DONE and connection.their_state is h11.DONE
        if is_done and answer.status != 413:  # after which hypercorn closes without having said so
            connection.start_next_cycle()
            self._idle.append((stream, connection))
        else:
            await trio.aclose_forcefully(stream)
        return answer

    async def _connect(self) -> tuple[trio.SocketStream, h11.Connection]:
        stream = await _open(self.url)
        return stream, h11.Connection(h11.CLIENT)

    async def _answer(self, stream: trio.SocketStream, connection: h11.Connection) -> Answer:
        status, headers, content = 0, Headers(), b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.receive_some())
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = Headers((name.decode(), value.decode()) for name, value in event.headers)
            elif isinstance(event, h11.Data):
                content += event.data
            elif isinstance(event, h11.EndOfMessage):
                return Answer(status, headers, content)
            else:
                assert isinstance(event, h11.InformationalResponse), event


async def _open(url: str) -> trio.SocketStream:
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    return await trio.open_tcp_stream(address.hostname, address.port)


# --- gateway ---------------------------------------------------------------------------------------------------------

# Carry the sequence number of the event before them.
VOLATILE = frozenset(("TYPING_START", "PRESENCE_UPDATE", "RESUMED"))

ALL_INTENTS = 0b11_0011_0001_1111_1111_1111_1111


class Closed(NamedTuple):
    code: int
    reason: str


# What each transport compression is read with: one for the whole connection.
DECOMPRESSORS: dict[str | None, Callable[[], Callable[[bytes], bytes]]] = {
    None: lambda: bytes,
    "zlib-stream": lambda: zlib.decompressobj().decompress,
    "zstd-stream": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
}


class Gateway:
    """One connection, which reads all that comes and checks that sequence numbers have no holes.

    `events` has every dispatch as (name, d); `next` goes through them in order, and others wait for what they name.
    """

    def __init__(
        self,
        url: str,
        websocket: WebSocketConnection,
        stream: trio.SocketStream,
        *,
        encoding: str = "json",
        compress: str | None = None,
    ) -> None:
        self.url = url
        self.token = ""
        self.seq = 0
        self.hello: Json = None
        self.ready: Json = None
        self.events: list[tuple[str, Json]] = []
        self.controls: list[tuple[int, Json]] = []  # opcode and d of what is no dispatch
        self.compressed = 0  # messages that were a zlib stream each
        self.closed: Closed | None = None
        self._seen: set[int] = set()
        self._websocket = websocket
        self._stream = stream
        self._is_etf = encoding == "etf"
        self._compress = compress
        self._decompress = DECOMPRESSORS[compress]()
        self._news = trio.lowlevel.ParkingLot()

    async def send(self, op: int, d: Json = None) -> None:
        message = {"op": op, "d": d}
        await self.send_text(etf.dump(message) if self._is_etf else json.dumps(message))

    async def send_text(self, message: str | bytes) -> None:
        await self._websocket.send_message(message)

    async def identify(self, token: str, intents: int | None = ALL_INTENTS, **fields: Json) -> Json:
        """READY's body."""
        self.token = token
        d = {"token": token, "properties": {"os": "linux", "browser": "test", "device": "test"}, **fields}
        await self.send(2, d if intents is None else {**d, "intents": intents})
        self.ready = await self.next("READY")
        return self.ready

    async def resume(self, broken: "Gateway", seq: int | None = None) -> None:
        """Go on with another connection's session; returns with RESUMED."""
        self.token, self.ready, self.seq = broken.token, broken.ready, broken.seq if seq is None else seq
        await self.send(6, {"token": self.token, "session_id": self.ready["session_id"], "seq": self.seq})
        await self.next("RESUMED")

    async def next(self, name: str, where: Callable[[Json], bool] = lambda d: True) -> Json:
        """The first event of this name that no call of `next` has returned yet."""

        def find() -> int | None:
            for number, (its_name, d) in enumerate(self.events):
                if its_name == name and number not in self._seen and where(d):
                    return number
            return None

        number = await self._wait(find, name)
        self._seen.add(number)
        return self.events[number][1]

    def named(self, name: str) -> list[Json]:
        """Every event of this name so far."""
        return [d for its_name, d in self.events if its_name == name]

    async def heartbeat(self) -> None:
        """Returns with the acknowledgement; what the server had written before has been read by then."""
        before = sum(op == 11 for op, _ in self.controls)
        await self.send(1, self.seq or None)
        await self._wait(lambda: sum(op == 11 for op, _ in self.controls) > before or None, "heartbeat ACK")

    async def control(self, op: int) -> Json:
        """`d` of the first message with this opcode."""
        found = await self._wait(lambda: next((m for m in self.controls if m[0] == op), None), f"opcode {op}")
        return found[1]

    async def close(self, code: int = 1000) -> None:
        await self._websocket.aclose(code)

    async def until_closed(self) -> Closed:
        return await self._wait(lambda: self.closed, "close")

    def cut(self) -> None:
        """Break the TCP connection: the server reads a reset."""
        self._stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._stream.socket.close()

    async def read(self) -> None:
        """Until the connection ends."""
        try:
            while True:
                self._receive(await self._websocket.get_message())
                self._news.unpark_all()
        except ConnectionClosed as error:
            reason = error.reason
            self.closed = Closed(1006, "") if reason is None else Closed(reason.code, reason.reason or "")
        except trio.ClosedResourceError:
            self.closed = Closed(1006, "")
        self._news.unpark_all()

    def _receive(self, message: str | bytes) -> None:
        is_binary = isinstance(message, bytes)
        data = message if isinstance(message, bytes) else message.encode()
        if self._compress is None and not self._is_etf:
            self.compressed += is_binary
            data = zlib.decompress(data) if is_binary else data  # payload compression
        else:
            assert is_binary
            assert self._compress != "zlib-stream" or data.endswith(b"\0\0\xff\xff"), "not flushed"
            data = self._decompress(data)
        payload = etf.load(data) if self._is_etf else json.loads(data)
        if payload["op"] != 0:
            assert (payload["s"], payload["t"]) == (None, None)
            self.controls.append((payload["op"], payload["d"]))
            if payload["op"] == 10:
                self.hello = payload["d"]
            return
        name = payload["t"]
        expected = self.seq + (name not in VOLATILE)
        assert payload["s"] == expected, f"{name} has s={payload['s']} after {self.seq}"
        self.seq = expected
        self.events.append((name, payload["d"]))

    async def _wait(self, find: Callable[[], Any], what: str) -> Any:
        with trio.move_on_after(DEADLINE_S):
            while (found := find()) is None:
                if self.closed is not None and what != "close":
                    raise AssertionError(f"no {what}: {self.closed} after {self._history()}")
                await self._news.park()
            return found
        raise AssertionError(f"no {what} among {self._history()}")

    def _history(self) -> list[object]:
        return [*(name for name, _ in self.events), *self.controls]


@asynccontextmanager
async def connect(
    url: str, *, version: int | str = 10, encoding: str = "json", compress: str | None = None, **headers: str
) -> AsyncIterator[Gateway]:
    """A connection after HELLO, or after it was refused."""
    query = {"v": version, "encoding": encoding, **({} if compress is None else {"compress": compress})}
    resource = f"/gateway?{urlencode(query)}"
    async with trio.open_nursery() as nursery:
        with trio.fail_after(DEADLINE_S):
            stream = await _open(url)
            websocket = await wrap_client_stream(
                nursery,
                stream,
                urlsplit(url).netloc,
                resource,
                extra_headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            )
        gateway = Gateway(url, websocket, stream, encoding=encoding, compress=compress)
        nursery.start_soon(gateway.read)
        await gateway.control(10)
        try:
            yield gateway
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + DEADLINE_S):
                await websocket.aclose()
            stream.socket.close()  # not a checkpoint: Cancelled would take the place of the test's own exception
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def gateway(
    url: str,
    token: str,
    *,
    intents: int | None = ALL_INTENTS,
    version: int = 10,
    encoding: str = "json",
    compress: str | None = None,
    payload_compress: bool | str | None = None,
    **identify: Json,
) -> AsyncIterator[Gateway]:
    """A connection after READY and the GUILD_CREATE of guilds unavailable in it. IDENTIFY says `payload_compress`."""
    async with connect(url, version=version, encoding=encoding, compress=compress) as connection:
        ready = await connection.identify(token, intents, compress=payload_compress, **identify)
        if intents is None or intents & 1:
            for _ in filter(lambda guild: guild["unavailable"], ready["guilds"]):
                await connection.next("GUILD_CREATE")
        yield connection


@asynccontextmanager
async def resumed(
    broken: Gateway, *, seq: int | None = None, encoding: str = "json", compress: str | None = None
) -> AsyncIterator[Gateway]:
    """A new connection that goes on with the session of a broken one."""
    async with connect(broken.url, encoding=encoding, compress=compress) as connection:
        await connection.resume(broken, seq)
        yield connection
