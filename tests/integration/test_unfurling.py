"""Links in messages become embeds, from a site on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from chatd.service.unfurling import AUTHOR_LINKS
from chatd.service.unfurls import KNOWN_MS
from tests.support.app import VARIANTS, Server, serve
from tests.support.client import Gateway, Json, gateway
from tests.support.pictures import still
from tests.support.site import Site, local_web, response, site
from tests.support.world import PASSWORD, Guild, User, World

EMBED_LINKS, SUPPRESS_EMBEDS = 1 << 14, 1 << 2
# One worker: links are looked at in the order in which they were offered.
ON = {"unfurl.enabled": True, "unfurl.workers": 1, "unfurl.deadline_s": 1.0}


class Place:
    """A server that unfurls, a site to link to, and two people in a guild, one of whom listens."""

    def __init__(self, server: Server, site: Site, world: World, users: list[User], guild: Guild, ear: Gateway) -> None:
        self.server = server
        self.site = site
        self.world = world
        self.alice, self.bob = users
        self.guild = guild
        self.ear = ear

    async def say(self, content: str, **fields: Any) -> Json:
        return await self.alice.say(self.guild.general, content, **fields)

    async def edit(self, message: Json, payload: Json, who: User | None = None) -> Json:
        path = f"/channels/{message['channel_id']}/messages/{message['id']}"
        return (await (who or self.alice).patch(path, payload)).ok(200)

    async def update(self, message: Json) -> Json:
        """The next edit of the message that others hear of."""
        return await self.ear.next("MESSAGE_UPDATE", lambda d: d["id"] == message["id"])

    async def read(self, message: Json) -> Json:
        return (await self.alice.get(f"/channels/{message['channel_id']}/messages/{message['id']}")).ok(200)

    async def embedded(self, content: str) -> Json:
        """A message after its links have become embeds."""
        return await self.update(await self.say(content))

    async def stays_plain(self, message: Json, *asked: str) -> None:
        """With a link that was offered behind it all is done; these alone were looked at before that one."""
        await self.embedded(self.site.url("/other"))
        assert self.site.asked == [*asked, "/other"]
        assert (await self.read(message))["embeds"] == []


def titled(title: str) -> bytes:
    return response(f"<title>{title}</title>".encode())


@pytest.fixture(params=VARIANTS)
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    async with _place(request.param) as made:
        yield made


@pytest.fixture
async def here() -> AsyncIterator[Place]:
    async with _place("sqlite-edge") as made:
        yield made


@asynccontextmanager
async def _place(variant: str, **options: Any) -> AsyncIterator[Place]:
    answers = {"/": titled("Page"), "/other": titled("Other"), "/i.png": response(still(), "image/png"), "/slow": None}
    async with (
        site(answers) as made,
        serve(variant, web=local_web, **{**ON, **options}) as server,
        World(server.url) as world,
    ):
        alice, bob = await world.person(), await world.person()
        guild = await world.guild(alice, bob)
        async with gateway(server.url, bob.token) as ear:
            yield Place(server, made, world, [alice, bob], guild, ear)


async def test_a_page(place: Place) -> None:
    url = place.site.url()
    message = await place.say(f"look: {url}")
    assert message["embeds"] == []
    update = await place.update(message)
    assert update["embeds"] == [{"type": "link", "url": url, "title": "Page"}]
    after = await place.read(message)
    assert after == {**message, "embeds": update["embeds"]}
    # Nothing but the embeds has changed, nor is the message an edited one.
    created = await place.ear.next("MESSAGE_CREATE")
    assert update == {**created, "embeds": update["embeds"]}
    assert update["edited_timestamp"] is None


async def test_several_links(here: Place) -> None:
    first, second, image, missing = (here.site.url(path) for path in ("/", "/other", "/i.png", "/missing"))
    update = await here.embedded(f"{second} {missing} {first} {image} {first}")
    assert [embed["url"] for embed in update["embeds"]] == [second, first, image]
    assert update["embeds"][2] == {
        "type": "image",
        "url": image,
        "thumbnail": {"url": image, "width": 48, "height": 32},
    }
    # The second time they are known.
    again = await here.embedded(f"{first} {image}")
    assert again["embeds"] == [update["embeds"][1], update["embeds"][2]]
    assert sorted(here.site.asked) == sorted(["/", "/other", "/i.png", "/missing"])


async def test_own_embeds_come_first(here: Place) -> None:
    message = await here.say(here.site.url(), embeds=[{"title": "mine"}])
    assert [embed["title"] for embed in (await here.update(message))["embeds"]] == ["mine", "Page"]


async def test_ten_embeds_at_most(here: Place) -> None:
    mine = [{"title": str(number)} for number in range(9)]
    message = await here.say(f"{here.site.url()} {here.site.url('/other')}", embeds=mine)
    assert [embed["title"] for embed in (await here.update(message))["embeds"]] == [*"012345678", "Page"]


async def test_in_direct_messages_and_threads(here: Place) -> None:
    await here.alice.say(await here.alice.dm(here.bob), here.site.url())
    assert (await here.ear.next("MESSAGE_UPDATE"))["embeds"][0]["title"] == "Page"
    thread = {"name": "thread", "type": 11}
    made = (await here.alice.post(f"/channels/{here.guild.general}/threads", thread)).ok(201)
    await here.alice.say(made["id"], here.site.url())
    assert (await here.ear.next("MESSAGE_UPDATE"))["channel_id"] == made["id"]


async def test_the_first_message_of_a_post(here: Place) -> None:
    forum = await here.world.channel(here.alice, here.guild, type=15)
    post = {"name": "post", "message": {"content": here.site.url()}}
    made = (await here.alice.post(f"/channels/{forum}/threads", post)).ok(201)
    update = await here.ear.next("MESSAGE_UPDATE")
    assert (update["channel_id"], update["embeds"][0]["title"]) == (made["id"], "Page")


async def test_what_a_webhook_posts_and_edits(here: Place) -> None:
    made = (await here.alice.post(f"/channels/{here.guild.general}/webhooks", {"name": "hook"})).ok(200)
    path = f"/webhooks/{made['id']}/{made['token']}"
    posted = (await here.world.anybody.post(path, {"content": here.site.url()}, wait="true")).ok(200)
    assert (await here.update(posted))["embeds"][0]["title"] == "Page"
    payload = {"content": here.site.url("/other")}
    edited = (await here.world.anybody.patch(f"{path}/messages/{posted['id']}", payload)).ok(200)
    assert edited["embeds"] == []
    await here.update(posted)
    assert (await here.update(posted))["embeds"][0]["title"] == "Other"


async def test_a_forward_takes_them_along(here: Place) -> None:
    message = await here.embedded(here.site.url())
    reference = {"type": 1, "message_id": message["id"], "channel_id": here.guild.general}
    payload = {"message_reference": reference}
    forward = (await here.alice.post(f"/channels/{here.guild.general}/messages", payload)).ok(200)
    assert forward["message_snapshots"][0]["message"]["embeds"] == message["embeds"]


async def test_who_may_not_read_contents_sees_no_embed(here: Place) -> None:
    bot = await here.world.bot(here.alice, here.guild)
    async with gateway(here.server.url, bot.token, intents=1 << 9 | 1) as ear:
        await here.say(here.site.url())
        update = await ear.next("MESSAGE_UPDATE")
        assert (update["content"], update["embeds"]) == ("", [])


# --- what stays plain ----------------------------------------------------------------------------------------------


async def test_suppressed_links(here: Place) -> None:
    await here.stays_plain(await here.say(f"<{here.site.url()}> `{here.site.url()}`"))


async def test_suppressed_embeds(here: Place) -> None:
    message = await here.say(here.site.url(), flags=SUPPRESS_EMBEDS)
    await here.stays_plain(message)
    # Its author thinks better of it.
    await here.edit(message, {"flags": 0})
    await here.update(message)
    assert (await here.update(message))["embeds"][0]["title"] == "Page"


async def test_without_the_permission(here: Place) -> None:
    path = f"/channels/{here.guild.general}/permissions/{here.bob.id}"
    (await here.alice.put(path, {"type": 1, "deny": str(EMBED_LINKS)})).ok(204)
    await here.stays_plain(await here.bob.say(here.guild.general, here.site.url()))


async def test_refused_addresses(here: Place) -> None:
    message = await here.say("http://10.0.0.1/ http://169.254.169.254/latest/meta-data/ http://[::1]/")
    await here.stays_plain(message)
    assert _outcomes(here) == {"refused": 3, "embedded": 1}


async def test_a_site_that_does_not_answer(here: Place) -> None:
    message = await here.say(f"{here.site.url('/slow')} {here.site.url()}")
    assert [embed["title"] for embed in (await here.update(message))["embeds"]] == ["Page"]
    assert _outcomes(here) == {"failed": 1, "embedded": 1}


async def test_a_page_of_no_use(here: Place) -> None:
    here.site.answers["/empty"] = response(b"<p>nothing")
    await here.stays_plain(await here.say(here.site.url("/empty")), "/empty")
    assert _outcomes(here) == {"empty": 1, "embedded": 1}


async def test_a_message_that_is_gone_or_says_something_else_meanwhile(here: Place) -> None:
    deleted = await here.say(here.site.url("/slow"))
    changed = await here.say(f"{here.site.url('/slow')} {here.site.url()}")
    (await here.alice.delete(f"/channels/{here.guild.general}/messages/{deleted['id']}")).ok(204)
    await here.edit(changed, {"content": "never mind"})
    assert (await here.update(changed))["content"] == "never mind"
    await here.stays_plain(changed, "/slow", "/")
    assert here.ear.named("MESSAGE_UPDATE")[0]["id"] == changed["id"]


async def test_a_full_queue() -> None:
    async with _place("sqlite-edge", **{"unfurl.queue": 1, "unfurl.deadline_s": 60.0}) as here:
        await here.say(here.site.url("/slow"))
        with trio.fail_after(5):
            await here.site.visited.wait()
        for _ in range(3):
            await here.say(f"{here.site.url()} {here.site.url('/other')}")
        assert _outcomes(here) == {"dropped": 4}
        assert 'chatd_links_total{outcome="dropped"} 4' in (await here.alice.get("//metrics")).content.decode()


async def test_an_author_of_many_links(here: Place) -> None:
    paths = [f"/{number}" for number in range(AUTHOR_LINKS.limit + 3)]
    for path in paths:
        await here.say(here.site.url(path))
    assert _outcomes(here)["dropped"] == 3
    # Others are not concerned, nor is the author later.
    await here.bob.say(here.guild.general, here.site.url())
    assert (await here.ear.next("MESSAGE_UPDATE"))["embeds"][0]["title"] == "Page"
    assert here.site.asked == [*paths[: AUTHOR_LINKS.limit], "/"]
    here.server.clock.advance(AUTHOR_LINKS.window_s)
    await here.embedded(here.site.url("/other"))


async def test_off_by_default() -> None:
    async with serve(web=local_web) as server, World(server.url) as world, site({"/": titled("Page")}) as made:
        alice = await world.person()
        guild = await world.guild(alice)
        await alice.say(guild.general, made.url())
        assert server.core.unfurls is None
        assert made.asked == []


# --- edits ---------------------------------------------------------------------------------------------------------


async def test_an_edit_keeps_what_is_still_linked(here: Place) -> None:
    first, second = here.site.url(), here.site.url("/other")
    message = await here.embedded(f"{first} {second}")
    edited = await here.edit(message, {"content": f"only {second}"})
    assert [embed["title"] for embed in edited["embeds"]] == ["Other"]
    assert (await here.edit(message, {"content": "nothing"}))["embeds"] == []


async def test_an_edit_that_adds_a_link(here: Place) -> None:
    message = await here.embedded(here.site.url())
    await here.edit(message, {"content": f"{here.site.url()} {here.site.url('/other')}"})
    assert len((await here.update(message))["embeds"]) == 1
    update = await here.update(message)
    assert [embed["title"] for embed in update["embeds"]] == ["Page", "Other"]
    assert update["edited_timestamp"] is not None


async def test_an_edit_keeps_what_cannot_be_fetched_any_more(here: Place) -> None:
    message = await here.embedded(here.site.url())
    here.site.answers["/"] = response(status="404 Not Found")
    here.server.clock.advance(KNOWN_MS / 1000)
    alice = here.world.user(
        (await here.alice.post("/auth/login", {"login": here.alice.name, "password": PASSWORD})).ok()
    )
    await here.edit(message, {"content": f"{here.site.url()} {here.site.url('/other')}"}, alice)
    await here.update(message)
    assert [embed["title"] for embed in (await here.update(message))["embeds"]] == ["Page", "Other"]


async def test_suppressing_hides_them_and_shows_them_again(here: Place) -> None:
    message = await here.embedded(here.site.url())
    assert (await here.edit(message, {"flags": SUPPRESS_EMBEDS}))["embeds"] == []
    assert (await here.read(message))["embeds"] == []
    assert len((await here.edit(message, {"flags": 0}))["embeds"]) == 1
    assert here.site.asked == ["/"]


async def test_a_moderators_suppression_looks_nothing_up(here: Place) -> None:
    message = await here.bob.say(here.guild.general, f"<{here.site.url()}>")
    await here.edit(message, {"flags": SUPPRESS_EMBEDS})
    await here.edit(message, {"flags": 0})
    await here.stays_plain(message)


def _outcomes(here: Place) -> dict[str, int]:
    unfurls = here.server.core.unfurls
    assert unfurls is not None
    return {name: count for name, count in unfurls.outcomes.items() if count}
