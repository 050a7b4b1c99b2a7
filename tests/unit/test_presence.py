"""What others see of a user with several sessions."""

import pytest

from chatd.live.presence import OFFLINE, Presence, aggregate, update
from chatd.model.objects.presence import Activity
from chatd.model.wire import encode
from tests.support.live import user


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ([], "offline"),
        (["online"], "online"),
        (["invisible"], "offline"),
        (["offline"], "offline"),
        (["idle", "dnd"], "dnd"),
        (["idle", "online", "dnd"], "online"),
        (["invisible", "idle"], "idle"),
        (["invisible", "offline"], "offline"),
    ],
)
def test_the_most_present_session_is_shown(said: list[str], shown: str) -> None:
    for order in (said, said[::-1]):
        assert aggregate(Presence(status=status) for status in order).status == shown


def test_what_the_invisible_do_is_not_shown() -> None:
    playing = Activity(name="chess", type=0, created_at=1)
    assert aggregate([Presence(status="invisible", activities=(playing,))]) == OFFLINE


def test_activities_and_platform_are_those_of_the_shown_session() -> None:
    playing = Activity(name="chess", type=0, created_at=1)
    online = Presence(status="online", activities=(playing,), platform="desktop")
    assert aggregate([Presence(status="idle"), online]) is online


def test_the_wire_form_names_the_platform() -> None:
    playing = Activity(name="chess", type=0, created_at=1)
    sent = update(7, user(1), Presence(status="dnd", activities=(playing,), platform="mobile"))
    assert encode(sent).endswith(
        b'"guild_id":"7","status":"dnd","activities":[{"name":"chess","type":0,"created_at":1}],'
        b'"client_status":{"mobile":"dnd"}}'
    )


def test_who_is_offline_does_nothing_anywhere() -> None:
    sent = update(7, user(1), OFFLINE)
    assert encode(sent).endswith(b'"guild_id":"7","status":"offline","activities":[],"client_status":{}}')
