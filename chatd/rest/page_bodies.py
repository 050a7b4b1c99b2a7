"""Bodies of requests under Quart, which keeps all that hypercorn gives it: of a form only as much as is being read."""

from math import inf
from typing import Self

import trio
from quart import Request
from quart_trio.wrappers.request import TrioBody, TrioRequest

from chatd.rest.http import ArrivingBody, BodyFailed, Limits, Patience

# Of a form, between hypercorn and the handler that reads it.
FORM_BUFFER_BYTES = 256 * 1024


class Body(TrioBody):
    """What hypercorn has handed over and nobody has read: of a form, which is read as it comes, only so much."""

    def __init__(self, expected_content_length: int | None, max_content_length: int | None) -> None:
        super().__init__(expected_content_length, max_content_length)
        self._bound: float = inf
        self._is_wanted = True
        self._taken = trio.Event()

    def bound(self) -> None:
        self._bound = FORM_BUFFER_BYTES

    def discard(self) -> None:
        """Nobody reads on. What comes is thrown away: hypercorn would wait for ever to get rid of it."""
        self._is_wanted = False
        self.clear()
        self._taken.set()

    def append(self, data: bytes) -> None:
        if self._is_wanted:
            super().append(data)

    def is_over(self) -> bool:
        return self._complete.is_set() and not self._data

    async def room(self) -> None:
        while len(self._data) >= self._bound:
            self._taken = trio.Event()
            await self._taken.wait()

    async def __anext__(self) -> bytes:
        data = await super().__anext__()
        self._taken.set()
        return data


class Form(ArrivingBody):
    def __init__(self, body: Body, limits: Limits) -> None:
        body.bound()
        self._body = body
        self._limits = limits
        self._patience = Patience(limits)
        self._received = 0

    def is_over(self) -> bool:
        return self._body.is_over()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        data = await self._patience.wait(self._body.__anext__, self._received)
        self._received += len(data)
        if self._received > self._limits.max_upload:
            raise BodyFailed(413)
        return data


class BodyRequest(TrioRequest):
    body_class = Body


def body_of(request: Request) -> Body:
    body = request.body
    assert isinstance(body, Body), "the application's requests are BodyRequests"
    return body
