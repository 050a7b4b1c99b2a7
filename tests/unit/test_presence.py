"""What others see of a user with several sessions."""

import pytest

from chatd.live.presence import OFFLINE, Presence, Shown, aggregate, update
from chatd.model.objects.gateway import ConnectionProperties
from chatd.model.objects.presence import Activity, ClientStatus
from chatd.model.wire import encode
from chatd.service.presence import platform_of
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


def test_activities_are_those_of_the_most_present_session() -> None:
    playing = Activity(name="chess", type=0, created_at=1)
    online = Presence(status="online", activities=(playing,), platform="desktop")
    shown = aggregate([Presence(status="idle"), online])
    assert (shown.status, shown.activities) == ("online", (playing,))


def test_each_platform_shows_its_most_present_session() -> None:
    said = (("idle", "mobile"), ("dnd", "mobile"), ("invisible", "web"), ("idle", "desktop"))
    shown = aggregate(Presence(status=status, platform=platform) for status, platform in said)
    assert shown == Shown(status="dnd", client_status=ClientStatus(mobile="dnd", desktop="idle"))


def test_the_wire_form_names_the_platforms() -> None:
    playing = Activity(name="chess", type=0, created_at=1)
    sent = update(7, user(1), aggregate([Presence(status="dnd", activities=(playing,), platform="mobile")]))
    assert encode(sent).endswith(
        b'"guild_id":"7","status":"dnd","activities":[{"name":"chess","type":0,"created_at":1}],'
        b'"client_status":{"mobile":"dnd"}}'
    )


def test_who_is_offline_does_nothing_anywhere() -> None:
    sent = update(7, user(1), OFFLINE)
    assert encode(sent).endswith(b'"guild_id":"7","status":"offline","activities":[],"client_status":{}}')


@pytest.mark.parametrize(
    ("properties", "platform"),
    [
        (None, "web"),
        (ConnectionProperties(), "web"),
        (ConnectionProperties(browser="discord.py"), "web"),
        (ConnectionProperties(browser="Discord Client"), "desktop"),
        (ConnectionProperties(browser="Discord iOS"), "mobile"),
        (ConnectionProperties(dollar_browser="Discord Android"), "mobile"),
    ],
)
def test_the_platform_is_told_by_the_browser(properties: ConnectionProperties | None, platform: str) -> None:
    assert platform_of(properties) == platform
