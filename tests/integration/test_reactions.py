"""Reactions over the wire: who may react with what, how they are counted, and who hears of it."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.support.app import Server
from tests.support.client import Answer, gateway
from tests.support.pictures import data_uri, moving, still
from tests.support.world import Guild, User, World

sqlite_only = pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)

THUMB, HEART, BARE_HEART, FAMILY = "👍", "❤️", "❤", "👩‍👩‍👧‍👦"
ADD_REACTIONS, MANAGE_MESSAGES, READ_MESSAGE_HISTORY = 1 << 6, 1 << 13, 1 << 16
USE_EXTERNAL_EMOJIS = 1 << 18
UNKNOWN_MESSAGE, UNKNOWN_EMOJI, TOO_MANY = (404, 10008), (404, 10014), (400, 30010)
NO_PERMISSION, BLOCKED = (403, 50013), (403, 90001)
ARCHIVED, LOCKED = (400, 50083), (400, 160005)


class Reactions:
    """Those of one message."""

    def __init__(self, channel_id: str, message_id: str) -> None:
        self.message = f"/channels/{channel_id}/messages/{message_id}"

    async def add(self, user: User, emoji: str, **query: Any) -> Answer:
        return await user.put(f"{self.of(emoji)}/@me", **query)

    def of(self, emoji: str) -> str:
        return f"{self.message}/reactions/{quote(emoji, safe='')}"

    async def seen_by(self, user: User) -> list[tuple[str, int, bool]]:
        """Emoji, count, and whether it is theirs."""
        message = (await user.get(self.message)).ok(200)
        return [(it["emoji"]["name"], it["count"], it["me"]) for it in message.get("reactions", [])]


async def _message(author: User, channel_id: str) -> Reactions:
    return Reactions(channel_id, (await author.say(channel_id))["id"])


async def test_a_reaction_comes_and_goes(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    message = await alice.say(guild.general)
    it = Reactions(guild.general, message["id"])
    place = {"channel_id": guild.general, "message_id": message["id"], "guild_id": guild.id}
    async with gateway(server.url, alice.token) as ear:
        for _ in range(2):  # the second time changes nothing
            (await it.add(bob, THUMB)).ok(204)
        added = await ear.next("MESSAGE_REACTION_ADD")
        assert added.pop("member")["user"]["id"] == bob.id
        emoji = {"id": None, "name": THUMB}
        what = {"user_id": bob.id, "emoji": emoji, "burst": False, "type": 0}
        assert added == {**place, **what, "message_author_id": alice.id}
        expected = {
            "emoji": emoji,
            "count": 1,
            "count_details": {"burst": 0, "normal": 1},
            "burst_colors": [],
            "me_burst": False,
        }
        for user in (alice, bob):
            for path in (it.message, f"/channels/{guild.general}/messages"):
                shown = (await user.get(path)).ok(200)
                shown = shown[0] if isinstance(shown, list) else shown
                assert shown["reactions"] == [{**expected, "me": user is bob}]
        for _ in range(2):
            (await bob.delete(f"{it.of(THUMB)}/@me")).ok(204)
        assert await ear.next("MESSAGE_REACTION_REMOVE") == {**place, **what}
        await alice.say(guild.general)
        await ear.next("MESSAGE_CREATE")
        names = [name for name, _ in ear.events if "REACTION" in name]
        assert names == ["MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE"]
    assert (await alice.get(it.message)).ok() == message


async def test_they_stand_in_the_order_of_their_first_ones(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    it = await _message(alice, guild.general)
    for user, emoji in ((bob, FAMILY), (alice, THUMB), (bob, THUMB), (alice, "🇩🇪"), (bob, "5️⃣")):
        (await it.add(user, emoji)).ok(204)
    assert await it.seen_by(alice) == [(FAMILY, 1, False), (THUMB, 2, True), ("🇩🇪", 1, True), ("5️⃣", 1, False)]
    (await bob.delete(f"{it.of(FAMILY)}/@me")).ok(204)
    (await it.add(alice, FAMILY)).ok(204)
    assert [emoji for emoji, *_ in await it.seen_by(alice)] == [THUMB, "🇩🇪", "5️⃣", FAMILY]


async def test_spellings_of_an_emoji_are_one(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    it = await _message(alice, guild.general)
    async with gateway(server.url, alice.token) as ear:
        (await it.add(alice, BARE_HEART)).ok(204)
        (await it.add(bob, HEART)).ok(204)
        assert await it.seen_by(bob) == [(BARE_HEART, 2, True)]
        assert [user["id"] for user in (await bob.get(it.of(HEART))).ok(200)] == [alice.id, bob.id]
        (await bob.delete(f"{it.of(HEART)}/@me")).ok(204)
        (await alice.delete(it.of(HEART))).ok(204)
        for name in ("ADD", "ADD", "REMOVE", "REMOVE_EMOJI"):
            assert (await ear.next(f"MESSAGE_REACTION_{name}"))["emoji"]["name"] == BARE_HEART
    assert await it.seen_by(bob) == []


@sqlite_only
@pytest.mark.parametrize(
    "emoji", ["x", "★", "👍👍", "thumb", "thumb:x", "b:thumb:1", ":", "1", "a/b", " 👍", "👍" * 500]
)
async def test_what_is_no_emoji(world: World, emoji: str) -> None:
    alice = await world.person()
    it = await _message(alice, (await world.guild(alice)).general)
    assert (await it.add(alice, emoji)).error == UNKNOWN_EMOJI
    assert (await alice.get(it.of(emoji))).error == UNKNOWN_EMOJI
    assert await it.seen_by(alice) == []


async def test_custom_emojis(server: Server, world: World) -> None:
    """They are known by their ids; a name, once shown, stays as it was."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    still_one = await _emoji(alice, guild, "smile", data_uri(still()))
    moving_one = await _emoji(alice, guild, "wave", data_uri(moving(), "image/gif"))
    it = await _message(alice, guild.general)
    async with gateway(server.url, alice.token) as ear:
        (await it.add(bob, f"smile:{still_one}")).ok(204)
        (await it.add(alice, f"renamed:{still_one}")).ok(204)
        (await it.add(bob, f"a:wave:{moving_one}")).ok(204)
        emoji = {"id": still_one, "name": "smile", "animated": False}
        assert [(await ear.next("MESSAGE_REACTION_ADD"))["emoji"] for _ in range(2)] == [emoji, emoji]
        moves = (await ear.next("MESSAGE_REACTION_ADD"))["emoji"]
        assert moves == {"id": moving_one, "name": "wave", "animated": True}
        shown = (await bob.get(it.message)).ok(200)["reactions"]
        assert [(each["emoji"], each["count"]) for each in shown] == [(emoji, 2), (moves, 1)]
        assert [user["id"] for user in (await bob.get(it.of(f"any:{still_one}"))).ok(200)] == [alice.id, bob.id]
        (await alice.delete(f"/guilds/{guild.id}/emojis/{still_one}")).ok(204)
        (await bob.delete(f"{it.of(f'smile:{still_one}')}/@me")).ok(204)  # what is gone can still be taken back
        assert (await ear.next("MESSAGE_REACTION_REMOVE"))["emoji"] == emoji
        (await it.add(bob, f"smile:{still_one}")).ok(204)  # and, as long as somebody's is there, be joined
    (await alice.delete(f"{it.message}/reactions")).ok(204)
    assert (await it.add(bob, f"smile:{still_one}")).error == UNKNOWN_EMOJI


async def test_emojis_from_elsewhere(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild, home = await world.guild(alice, bob), await world.guild(alice)
    emoji = await _emoji(alice, home, "smile", data_uri(still()))
    it = await _message(alice, guild.general)
    assert (await it.add(bob, f"smile:{emoji}")).error == UNKNOWN_EMOJI  # not a member there
    await world.join(alice, home, bob)
    await _deny(alice, guild, USE_EXTERNAL_EMOJIS)
    assert (await it.add(bob, f"smile:{emoji}")).error == NO_PERMISSION
    await _deny(alice, guild, 0)
    (await it.add(bob, f"smile:{emoji}")).ok(204)
    role = (await alice.post(f"/guilds/{home.id}/roles", {})).ok(200)["id"]
    (await alice.patch(f"/guilds/{home.id}/emojis/{emoji}", {"roles": [role]})).ok(200)
    other = await _message(alice, guild.general)
    assert (await other.add(bob, f"smile:{emoji}")).error == UNKNOWN_EMOJI
    (await alice.put(f"/guilds/{home.id}/members/{bob.id}/roles/{role}")).ok(204)
    (await other.add(bob, f"smile:{emoji}")).ok(204)


async def test_emojis_of_an_application_are_its_bots(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    payload = {"name": "mine", "image": data_uri(still())}
    emoji = (await bot.post(f"/applications/{bot.id}/emojis", payload)).ok(201)["id"]
    it = await _message(alice, guild.general)
    assert (await it.add(alice, f"mine:{emoji}")).error == UNKNOWN_EMOJI
    (await it.add(bot, f"mine:{emoji}")).ok(204)


async def test_in_a_thread(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    thread = (await alice.post(f"/channels/{guild.general}/threads", {"name": "talk", "type": 11})).ok(201)["id"]
    it = await _message(alice, thread)
    (await it.add(bob, THUMB)).ok(204)
    (await alice.patch(f"/channels/{thread}", {"archived": True})).ok(200)
    assert (await it.add(bob, HEART)).error == ARCHIVED
    (await alice.patch(f"/channels/{thread}", {"archived": False, "locked": True})).ok(200)
    assert (await it.add(bob, HEART)).error == LOCKED
    assert await it.seen_by(bob) == [(THUMB, 1, True)]


async def test_permissions(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    it = await _message(alice, guild.general)
    await _deny(alice, guild, ADD_REACTIONS)
    assert (await it.add(bob, THUMB)).error == NO_PERMISSION
    (await it.add(alice, THUMB)).ok(204)
    (await it.add(bob, THUMB)).ok(204)  # one that is there
    for path in (f"{it.of(THUMB)}/{alice.id}", it.of(THUMB), f"{it.message}/reactions"):
        assert (await bob.delete(path)).error == NO_PERMISSION
    (await bob.delete(f"{it.of(THUMB)}/{bob.id}")).ok(204)  # one's own
    for until, expected in (("2027-01-15T09:00:00Z", 403), (None, 204)):
        timeout = {"communication_disabled_until": until}
        (await alice.patch(f"/guilds/{guild.id}/members/{bob.id}", timeout)).ok(200)
        assert (await it.add(bob, THUMB)).status == expected
    (await bob.delete(f"{it.of(THUMB)}/@me")).ok(204)
    await _deny(alice, guild, READ_MESSAGE_HISTORY)
    assert (await it.add(bob, THUMB)).error == NO_PERMISSION
    assert (await bob.get(it.of(THUMB))).error == NO_PERMISSION
    assert await it.seen_by(alice) == [(THUMB, 1, True)]


async def test_twenty_different_ones(world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    it = await _message(alice, guild.general)
    emojis = [chr(0x1F600 + number) for number in range(21)]
    for emoji in emojis[:20]:
        (await it.add(alice, emoji)).ok(204)
    assert (await it.add(alice, emojis[20])).error == TOO_MANY
    (await it.add(bob, emojis[3])).ok(204)
    (await alice.delete(it.of(emojis[0]))).ok(204)
    (await it.add(alice, emojis[20])).ok(204)
    assert len(await it.seen_by(alice)) == 20


async def test_pages_of_users(world: World) -> None:
    people = [await world.person() for _ in range(4)]
    guild = await world.guild(*people)
    it = await _message(people[0], guild.general)
    for person in reversed(people):
        (await it.add(person, THUMB, type=int(person is people[3]))).ok(204)
    ids = [person.id for person in people]
    for query, expected in (
        ({}, ids[:3]),
        ({"limit": 2}, ids[:2]),
        ({"after": ids[0]}, ids[1:3]),
        ({"after": ids[0], "limit": 1}, ids[1:2]),
        ({"after": ids[2]}, []),
        ({"type": 1}, ids[3:]),
    ):
        found = (await people[0].get(it.of(THUMB), **query)).ok(200)
        assert [user["id"] for user in found] == expected, query
    assert (await people[0].get(it.of(HEART))).ok(200) == []
    for wrong in ({"limit": 0}, {"limit": 101}, {"type": 2}, {"after": "x"}):
        assert list((await people[0].get(it.of(THUMB), **wrong)).errors) == [*wrong]


async def test_removing_others(server: Server, world: World) -> None:
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    it = await _message(bob, guild.general)
    moderator = await world.bot(alice, guild, permissions=1 << 10 | READ_MESSAGE_HISTORY | MANAGE_MESSAGES)
    async with gateway(server.url, alice.token) as ear:
        for user in (alice, bob):
            for emoji in (THUMB, HEART, FAMILY):
                (await it.add(user, emoji)).ok(204)
        (await moderator.delete(f"{it.of(THUMB)}/{bob.id}")).ok(204)
        assert (await ear.next("MESSAGE_REACTION_REMOVE"))["user_id"] == bob.id
        assert await it.seen_by(bob) == [(THUMB, 1, False), (HEART, 2, True), (FAMILY, 2, True)]
        (await moderator.delete(it.of(HEART))).ok(204)
        event = await ear.next("MESSAGE_REACTION_REMOVE_EMOJI")
        place = {"channel_id": guild.general, "guild_id": guild.id, "message_id": it.message.rpartition("/")[2]}
        assert event == {**place, "emoji": {"id": None, "name": HEART}}
        for _ in range(2):
            (await moderator.delete(f"{it.message}/reactions")).ok(204)
        assert await ear.next("MESSAGE_REACTION_REMOVE_ALL") == place
        await ear.heartbeat()
        assert len(ear.named("MESSAGE_REACTION_REMOVE_ALL")) == 1
    assert await it.seen_by(bob) == []


async def test_in_a_direct_channel(server: Server, world: World) -> None:
    alice, bob, eve = await world.person(), await world.person(), await world.person()
    it = await _message(alice, await alice.dm(bob))
    async with gateway(server.url, alice.token) as ear:
        (await it.add(bob, THUMB)).ok(204)
        event = await ear.next("MESSAGE_REACTION_ADD")
        assert {"guild_id", "member"} & event.keys() == set()
        assert (event["user_id"], event["message_author_id"]) == (bob.id, alice.id)
    assert (await alice.delete(f"{it.of(THUMB)}/{bob.id}")).error == NO_PERMISSION
    assert (await it.add(eve, THUMB)).error == (403, 50001)
    (await alice.put(f"/users/@me/relationships/{bob.id}", {"type": 2})).ok(204)
    assert (await it.add(bob, HEART)).error == BLOCKED
    assert await it.seen_by(alice) == [(THUMB, 1, False)]


async def test_super_reactions_are_peoples(server: Server, world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    bot = await world.bot(alice, guild)
    it = await _message(alice, guild.general)
    async with gateway(server.url, alice.token) as ear:
        (await it.add(alice, THUMB, type=1)).ok(204)
        event = await ear.next("MESSAGE_REACTION_ADD")
        assert (event["burst"], event["type"], event["burst_colors"]) == (True, 1, [])
        (await it.add(bot, THUMB, type=1)).ok(204)
        assert (await ear.next("MESSAGE_REACTION_ADD"))["burst"] is False
    [reaction] = (await alice.get(it.message)).ok()["reactions"]
    assert (reaction["count"], reaction["count_details"]) == (2, {"burst": 1, "normal": 1})
    assert (reaction["me"], reaction["me_burst"]) == (False, True)


async def test_only_answers_say_whose_they_are(server: Server, world: World) -> None:
    """Events go to everybody alike: an edit's has no reactions, and libraries keep those that they know of."""
    alice, bob = await world.person(), await world.person()
    guild = await world.guild(alice, bob)
    message = await alice.say(guild.general)
    it = Reactions(guild.general, message["id"])
    reply = await alice.say(guild.general, "re", message_reference={"message_id": message["id"]})
    (await it.add(alice, THUMB)).ok(204)
    async with gateway(server.url, bob.token) as ear:
        for path in (it.message, f"/channels/{guild.general}/messages/{reply['id']}"):
            answer = (await alice.patch(path, {"content": "edited"})).ok(200)
            shown = answer if path == it.message else answer["referenced_message"]
            assert [(each["count"], each["me"]) for each in shown["reactions"]] == [(1, True)]
            event = await ear.next("MESSAGE_UPDATE")
            assert "reactions" not in event
            assert "reactions" not in (event.get("referenced_message") or {})
    again = (await alice.say(guild.general, "x", message_reference={"message_id": message["id"]}))["referenced_message"]
    assert "reactions" not in again


async def test_they_go_with_their_message(world: World) -> None:
    alice = await world.person()
    guild = await world.guild(alice)
    it = await _message(alice, guild.general)
    (await it.add(alice, THUMB)).ok(204)
    (await alice.delete(it.message)).ok(204)
    assert (await it.add(alice, THUMB)).error == UNKNOWN_MESSAGE
    assert (await alice.get(it.of(THUMB))).error == UNKNOWN_MESSAGE


async def _emoji(owner: User, guild: Guild, name: str, image: str) -> str:
    made = (await owner.post(f"/guilds/{guild.id}/emojis", {"name": name, "image": image})).ok(201)
    return str(made["id"])


async def _deny(owner: User, guild: Guild, permission: int) -> None:
    overwrite = {"id": guild.id, "type": 0, "allow": "0", "deny": str(permission)}
    (await owner.patch(f"/channels/{guild.general}", {"permission_overwrites": [overwrite]})).ok()
