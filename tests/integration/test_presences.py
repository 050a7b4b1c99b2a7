"""What a session may say of itself: how often, what of it is shown, and on which platform.

Docs: events/gateway-events, "Update Presence", "Presence Update" and "Activity Object".
"""

from typing import Any

import pytest

from chatd.service import presence
from tests.support.app import Server
from tests.support.client import Gateway, connect, gateway
from tests.support.world import Guild, User


@pytest.fixture
async def server(sqlite_server: Server) -> Server:
    return sqlite_server


async def says(it: Gateway, status: str = "online", *activities: Any, **fields: Any) -> None:
    """Op 3."""
    await it.send(3, {"status": status, "since": None, "activities": activities, "afk": False, **fields})


async def shown(watcher: Gateway, user: User) -> Any:
    return await watcher.next("PRESENCE_UPDATE", lambda d: d["user"]["id"] == user.id)


@pytest.mark.options({"limits.rate_limits": True})
async def test_beyond_five_in_twenty_seconds_the_newest_is_told_when_it_may_be(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, owner.token, intents=None) as watcher:
        async with gateway(server.url, bot.token) as it:
            assert (await shown(watcher, bot))["status"] == "online"
            for status in ("idle", "dnd", "idle", "dnd", "idle"):
                await says(it, status)
                assert (await shown(watcher, bot))["status"] == status
            for status in ("online", "idle", "dnd"):
                await says(it, status)
            await it.heartbeat()
            await presence.sweep(server.core)  # not yet
            assert len(server.core.live.late_presences) == 1
            server.clock.advance(20)
            await presence.sweep(server.core)
            assert (await shown(watcher, bot))["status"] == "dnd"
            assert len(server.core.live.late_presences) == 0
            for _ in range(6):
                await says(it, "idle")
            await it.heartbeat()
            assert len(server.core.live.late_presences) == 1
        assert [d["status"] for d in watcher.named("PRESENCE_UPDATE") if d["user"]["id"] == bot.id][6:8] == [
            "dnd",
            "idle",
        ]
        await until_offline(watcher, bot)
        await presence.sweep(server.core)  # nothing of a session that has ended
        assert len(server.core.live.late_presences) == 0


async def until_offline(watcher: Gateway, user: User) -> None:
    await watcher.next("PRESENCE_UPDATE", lambda d: d["user"]["id"] == user.id and d["status"] == "offline")


@pytest.mark.options({"limits.rate_limits": True})
async def test_who_may_speak_again_is_not_overruled_by_what_waited(
    server: Server, owner: User, guild: Guild, bot: User
) -> None:
    async with gateway(server.url, owner.token, intents=None) as watcher, gateway(server.url, bot.token) as it:
        for _ in range(3):
            await says(it, "idle")
            await says(it, "dnd")
        await it.heartbeat()
        server.clock.advance(20)
        await says(it, "online")
        await it.heartbeat()
        await presence.sweep(server.core)
        await server.core.live.bus.flush()
        await watcher.heartbeat()
        statuses = [d["status"] for d in watcher.named("PRESENCE_UPDATE") if d["user"]["id"] == bot.id]
        assert statuses == ["online", "idle", "dnd", "idle", "dnd", "idle", "online"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"name": "chess", "type": 0, "url": "https://chat.test/"}, {"name": "chess", "type": 0}),
        ({"name": "a stream", "type": 1, "url": "https://chat.test/"}, {"name": "a stream", "type": 1}),
        *(
            ({"name": "a stream", "type": 1, "url": url}, {"name": "a stream", "type": 1, "url": url})
            for url in ("https://twitch.tv/x", "https://www.twitch.tv/x", "https://www.youtube.com/watch?v=x")
        ),
        (
            {"name": "Custom Status", "type": 4, "state": "reading", "emoji": {"name": "x"}},
            {"name": "Custom Status", "type": 4, "state": "reading"},
        ),
        ({"name": "chess", "type": 5, "details": "final", "created_at": 5}, {"name": "chess", "type": 5}),
    ],
)
async def test_what_a_bot_may_show(server: Server, owner: User, guild: Guild, bot: User, said: Any, kept: Any) -> None:
    async with gateway(server.url, owner.token, intents=None) as watcher, gateway(server.url, bot.token) as it:
        await shown(watcher, bot)
        await says(it, "online", said)
        assert (await shown(watcher, bot))["activities"] == [{**kept, "created_at": server.clock()}]


async def test_people_may_have_an_emoji_in_their_status(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as watcher, gateway(server.url, owner.token, intents=None) as it:
        await shown(watcher, owner)
        custom = {"name": "Custom Status", "type": 4, "state": "reading", "emoji": {"name": "book", "id": None}}
        await says(it, "online", custom)
        [activity] = (await shown(watcher, owner))["activities"]
        assert activity["emoji"] == {"name": "book"}


async def test_an_activity_that_goes_on_keeps_its_time(server: Server, owner: User, guild: Guild, bot: User) -> None:
    chess, go = {"name": "chess", "type": 0}, {"name": "go", "type": 0}
    async with gateway(server.url, owner.token, intents=None) as watcher, gateway(server.url, bot.token) as it:
        await shown(watcher, bot)
        await says(it, "online", chess)
        began = (await shown(watcher, bot))["activities"][0]["created_at"]
        server.clock.advance(60)
        await says(it, "online", chess)  # nothing new
        await says(it, "idle", chess, go)
        activities = (await shown(watcher, bot))["activities"]
        assert [(each["name"], each["created_at"]) for each in activities] == [("chess", began), ("go", began + 60_000)]


async def test_each_platform_of_a_user_is_shown(server: Server, owner: User, guild: Guild, bot: User) -> None:
    async with gateway(server.url, bot.token) as watcher:
        async with connect(server.url) as desk, connect(server.url) as phone:
            await desk.identify(owner.token, None, properties={"browser": "Discord Client"})
            assert (await shown(watcher, owner))["client_status"] == {"desktop": "online"}
            idle = {"status": "idle", "activities": [], "since": 1.5, "afk": True}
            await phone.identify(owner.token, None, properties={"$browser": "Discord Android"}, presence=idle)
            update = await shown(watcher, owner)
            assert (update["status"], update["client_status"]) == ("online", {"desktop": "online", "mobile": "idle"})
            await says(desk, "invisible")
            update = await shown(watcher, owner)
            assert (update["status"], update["client_status"]) == ("idle", {"mobile": "idle"})
        await until_offline(watcher, owner)
