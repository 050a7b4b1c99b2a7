"""Whatever a client sends, the protocol answers with a command or a documented close code, and with nothing else."""

import contextlib
import json

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from chatd.gateway.protocol import MESSAGE_BYTES, SENDS, SENDS_WINDOW_S, Heartbeat, Protocol, State
from chatd.live.formats import IN_ETF, IN_JSON
from chatd.model.errors import GatewayClose
from chatd.model.objects.gateway import Identify, RequestGuildMembers, Resume
from chatd.model.objects.presence import PresenceParams
from chatd.model.objects.voice import VoiceStateUpdate
from chatd.model.wire import Params
from tests.support import etf

COMMANDS = (Identify, Resume, PresenceParams, RequestGuildMembers, VoiceStateUpdate)
CODES = {4001, 4002, 4003, 4005, 4008}

states = st.sampled_from(State)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
names = st.sampled_from([name for type_ in COMMANDS for name in type_.__struct_fields__])
ids = st.integers() | st.from_regex(r"[0-9]{1,25}", fullmatch=True)
likely_values = st.one_of(
    json_values, ids, st.lists(ids, max_size=3), st.just([{"name": "x"}]), st.sampled_from(["idle", ""])
)
likely = st.builds(
    lambda op, d: {"op": op, "d": d},
    st.integers(-1, 12) | json_values,
    st.dictionaries(names, likely_values, max_size=8) | json_values,
)
documents = (likely | json_values).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
depths = st.builds(
    lambda start, opening, count: start + opening * count,
    st.sampled_from([b"", b'{"op":1,"d":', b'{"op":2,"d":{"token":', b'{"op":3,"d":{"unknown":']),
    st.sampled_from([b"[", b'{"x":', b'{"d":[']),
    st.integers(0, 4000),
)


terms = (likely | json_values).map(etf.dump)
nested_terms = st.builds(
    lambda start, opening, count: start + opening * count,
    st.sampled_from([b"\x83", b"\x83t\0\0\0\2m\0\0\0\2opa\1m\0\0\0\1d"]),
    st.sampled_from([b"l\0\0\0\1", b"t\0\0\0\1m\0\0\0\1x"]),
    st.integers(0, 800),
)


def outcome(message: bytes, state: State, encoding: int = IN_JSON) -> Params | Heartbeat | int:
    protocol = Protocol(encoding)
    protocol.state = state
    try:
        return protocol.receive(message, 0.0)
    except GatewayClose as close:
        return close.code


@given(st.binary(max_size=200) | documents | depths, states)
@example(b'{"op":1,"d":' + b"[" * 2000 + b"]" * 2000 + b"}", State.NEW)
@example(b'{"op":8,"d":{"guild_id":' + b"9" * 4000 + b"}}", State.IDENTIFIED)
def test_nothing_but_commands_and_close_codes(message: bytes, state: State) -> None:
    found = outcome(message[:MESSAGE_BYTES], state)
    assert isinstance(found, Params | Heartbeat) or found in CODES


@given(st.binary(max_size=200).map(b"\x83".__add__) | terms | nested_terms | documents, states)
def test_terms_are_commands_or_close_codes_as_well(message: bytes, state: State) -> None:
    found = outcome(message[:MESSAGE_BYTES], state, IN_ETF)
    assert isinstance(found, Params | Heartbeat) or found in CODES


@given(likely, states)
def test_a_term_means_what_its_json_does(payload: object, state: State) -> None:
    one = outcome(json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass"), state)
    other = outcome(etf.dump(payload), state, IN_ETF)
    assert one == other
    if isinstance(one, Params):
        assert msgspec.to_builtins(one) == msgspec.to_builtins(other)


@given(likely, states)
def test_json_that_is_spaced_and_escaped_otherwise_means_the_same(payload: object, state: State) -> None:
    compact = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    spaced = json.dumps(payload, indent=1, ensure_ascii=True).encode()
    one, other = outcome(compact, state), outcome(spaced, state)
    # A lone surrogate has no UTF-8, so only the escaped form could be read at all.
    assert one == other or one == 4002
    if isinstance(one, Params):
        assert msgspec.to_builtins(one) == msgspec.to_builtins(other)


@given(st.lists(st.floats(0, 40), max_size=400))
def test_no_window_lets_more_than_its_share_through(pauses: list[float]) -> None:
    protocol, now, taken = Protocol(), 0.0, []
    with contextlib.suppress(GatewayClose):
        for pause in pauses:
            now += pause
            protocol.receive(b'{"op":1}', now)
            taken.append(now)
    # Windows are fixed, so that two of them may meet.
    assert all(sum(start <= time < start + SENDS_WINDOW_S for time in taken) <= 2 * SENDS for start in taken)
