"""The gateway's protocol without a socket: what a client may send, and when. Docs: topics/opcodes-and-status-codes.

Bytes of one message in, a command out, or `GatewayClose`. Carrying out the command is `connection`'s business.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec
from msgspec import Raw, Struct

from chatd.live.formats import IN_ETF, IN_JSON
from chatd.model import etf, limits
from chatd.model.errors import (
    CLOSE_ALREADY_AUTHENTICATED,
    CLOSE_DECODE_ERROR,
    CLOSE_NOT_AUTHENTICATED,
    CLOSE_RATE_LIMITED,
    CLOSE_UNKNOWN_OPCODE,
    CloseKind,
)
from chatd.model.objects.gateway import Identify, Op, RequestGuildMembers, Resume
from chatd.model.objects.presence import PresenceParams
from chatd.model.objects.voice import VoiceStateUpdate
from chatd.model.wire import Params, convert, decoder

# The most that one message from a client may have (events/gateway, "Sending Events").
MESSAGE_BYTES = limits.GATEWAY_PAYLOAD_BYTES
# Messages that a connection may send in a window (events/gateway, "Rate Limiting").
SENDS, SENDS_WINDOW_S = limits.GATEWAY_SENDS, limits.GATEWAY_SENDS_WINDOW_S


class State(Enum):
    NEW = "before IDENTIFY or RESUME"
    IDENTIFIED = "a session is attached"


class Heartbeat(Struct, frozen=True):
    """`d` is the last sequence number that the client has seen; nothing depends on it."""


Command = Params | Heartbeat


class _Json(Struct):
    op: int
    d: Raw = Raw(b"null")


class _Term(Struct):
    op: int
    d: Any = None


class Reader(Struct, frozen=True):
    """How messages of an encoding are read: first the opcode, then, if it is expected, `d`."""

    payload: Callable[[bytes], _Json | _Term]
    params: Callable[[Any, type[Params]], Params]


# encoding -> how it is read
READERS: dict[int, Reader] = {
    IN_JSON: Reader(msgspec.json.Decoder(_Json).decode, lambda d, type_: decoder(type_).decode(d)),
    IN_ETF: Reader(lambda message: convert(etf.decode(message), _Term), convert),
}

# What a decoder raises for what is no JSON or term, no UTF-8, of other types, or nested deeper than anybody means.
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# state -> opcode -> what `d` is, or how the connection ends
TRANSITIONS: dict[State, dict[int, type[Params] | CloseKind | None]] = {
    State.NEW: {
        Op.HEARTBEAT: None,  # some libraries beat before they identify
        Op.IDENTIFY: Identify,
        Op.RESUME: Resume,
        Op.PRESENCE_UPDATE: CLOSE_NOT_AUTHENTICATED,
        Op.VOICE_STATE_UPDATE: CLOSE_NOT_AUTHENTICATED,
        Op.REQUEST_GUILD_MEMBERS: CLOSE_NOT_AUTHENTICATED,
    },
    State.IDENTIFIED: {
        Op.HEARTBEAT: None,
        Op.IDENTIFY: CLOSE_ALREADY_AUTHENTICATED,
        Op.RESUME: CLOSE_ALREADY_AUTHENTICATED,
        Op.PRESENCE_UPDATE: PresenceParams,
        Op.VOICE_STATE_UPDATE: VoiceStateUpdate,
        Op.REQUEST_GUILD_MEMBERS: RequestGuildMembers,
    },
}


class Protocol:
    """One connection's side of the conversation. `state` is set by whoever carries out IDENTIFY and RESUME."""

    __slots__ = ("_reader", "_sent", "_window_ends_s", "state")

    def __init__(self, encoding: int = IN_JSON) -> None:
        self._reader = READERS[encoding]
        self.state = State.NEW
        self._sent = 0
        self._window_ends_s = 0.0

    def receive(self, message: bytes, now_s: float) -> Command:
        """The command in one message. Raises GatewayClose 4001, 4002, 4003, 4005, 4008."""
        self._count(now_s)
        try:
            payload = self._reader.payload(message)
        except _MALFORMED:
            raise CLOSE_DECODE_ERROR() from None
        expected = TRANSITIONS[self.state].get(payload.op, CLOSE_UNKNOWN_OPCODE)
        if expected is None:
            return Heartbeat()
        if isinstance(expected, CloseKind):
            raise expected()
        try:
            return self._reader.params(payload.d, expected)
        except _MALFORMED:
            raise CLOSE_DECODE_ERROR() from None

    def _count(self, now_s: float) -> None:
        if now_s >= self._window_ends_s:
            self._sent, self._window_ends_s = 0, now_s + SENDS_WINDOW_S
        self._sent += 1
        if self._sent > SENDS:
            raise CLOSE_RATE_LIMITED()
