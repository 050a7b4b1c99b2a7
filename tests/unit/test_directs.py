"""A direct channel: what each of the two sees, and who gets its events."""

from chatd.live.directs import DirectState
from chatd.live.sessions import Sessions
from chatd.model.intents import DIRECT_MESSAGES, GUILDS
from chatd.model.wire import Snowflake
from tests.support.live import Wire, session, user


def direct(last_message_id: int | None = None) -> DirectState:
    return DirectState(50, {1: user(1), 2: user(2)}, last_message_id)


def test_each_sees_the_other() -> None:
    channel = direct()
    assert [recipient.id for recipient in channel.view(1).recipients] == [2]
    assert [recipient.id for recipient in channel.view(2).recipients] == [1]
    assert (channel.view(1).id, channel.view(1).type, channel.view(1).last_message_id) == (50, 1, None)


def test_the_newest_message_is_shown() -> None:
    assert direct(last_message_id=60).view(1).last_message_id == Snowflake(60)


def test_events_go_to_both_on_shard_zero_with_the_intent() -> None:
    sessions = Sessions()
    listening = [
        session(1, Wire(), intents=DIRECT_MESSAGES),
        session(1, Wire(), intents=DIRECT_MESSAGES | GUILDS, shard=(0, 2)),
        session(2, Wire(), intents=DIRECT_MESSAGES),
    ]
    others = [
        session(1, Wire(), intents=DIRECT_MESSAGES, shard=(1, 2)),
        session(2, Wire(), intents=GUILDS),
        session(3, Wire(), intents=DIRECT_MESSAGES),
    ]
    for each in (*listening, *others):
        sessions.add(each)
    found = direct().sessions(DIRECT_MESSAGES, sessions.of_user)
    assert found == listening
