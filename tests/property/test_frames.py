"""A compressed connection is one valid stream, and joining events changes nothing for who gets them."""

import json
from itertools import groupby
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.live.compress import Contexts
from chatd.live.delivery import deliver
from chatd.live.formats import FORMATS
from chatd.live.frames import Event, control
from chatd.model import intents
from chatd.model.objects.gateway import Op
from tests.support.live import Wire, session

formats = st.integers(0, len(FORMATS) - 1)
bodies = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
).map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))

BLIND = intents.ALL & ~intents.MESSAGE_CONTENT
events = st.builds(
    lambda name, body, lean, reveal: Event(name, body, lean if name == "MESSAGE_CREATE" else None, reveal),
    st.sampled_from(["MESSAGE_CREATE", "MESSAGE_CREATE", "TYPING_START", "GUILD_UPDATE"]),
    bodies,
    st.just(b'""'),
    st.frozensets(st.sampled_from([1, 2, 3])),
)


@settings(max_examples=50)
@given(st.lists(st.tuples(bodies, st.sampled_from(["own", "shared", "control", "evicted"]))), formats)
def test_own_and_shared_blocks_may_follow_one_another_in_any_order(
    history: list[tuple[bytes, str]], format_: int
) -> None:
    contexts = Contexts(1)
    wire, rival = Wire(format_, contexts), Wire(format_, contexts)
    expected = []
    for seq, (body, kind) in enumerate(history, 1):
        event = Event("NAME", body)
        if kind == "evicted" and rival.context is not None:
            rival.push(event.frame_in(rival.context, seq, format_, lean=False))
        if kind == "own" and wire.context is not None:
            wire.push(event.frame_in(wire.context, seq, format_, lean=False))
        else:
            if wire.context is not None:
                wire.context.interrupt()
            if kind == "control":
                wire.push(control(Op.HEARTBEAT_ACK, None, format_))
            wire.push(event.frame(seq, format_, lean=False))
        expected.append((seq, "NAME", json.loads(body)))
    assert wire.dispatches() == expected


@settings(max_examples=50)
@given(st.lists(events, max_size=20), st.data(), st.booleans())
def test_how_events_are_joined_changes_nothing(sent: list[Event], data: st.DataObject, few: bool) -> None:
    people = [(user_id, format_) for user_id in (1, 2) for format_ in range(len(FORMATS))]
    joined = [(user_id, Wire(format_)) for user_id, format_ in people]
    sessions = [session(user_id, wire, intents=BLIND, seq=user_id) for user_id, wire in joined]
    # As the bus does: only neighbours that are volatile alike are joined, and of those any number.
    for _, group in groupby(sent, lambda event: event.volatile):
        rest = list(group)
        while rest:
            size = data.draw(st.integers(1, len(rest)))
            deliver(rest[:size], sessions, lean=True, few=few)
            del rest[:size]
    for user_id, wire in joined:
        assert wire.dispatches() == _one_by_one(sent, user_id)


def _one_by_one(sent: list[Event], user_id: int) -> list[tuple[int, str, Any]]:
    seq, expected = user_id, []
    for event in sent:
        seq += not event.volatile
        body = event.body if event.lean is None or user_id in event.reveal else event.lean
        expected.append((seq, event.name, json.loads(body)))
    return expected
