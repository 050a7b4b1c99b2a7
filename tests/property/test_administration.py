"""Random administration of a guild on a live server, watched by several sessions.

The test keeps a model of the guild of its own, changed by what it asks for. After every step the model is what REST
answers, what each session was sent is what its user could see (by `tests.support.documented`), and the cache that each
session keeps, from READY and events alone, is what REST answers its user.
"""

import copy
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.store import guilds
from tests.support import documented
from tests.support.app import Server, serve
from tests.support.client import ALL_INTENTS, Answer, Gateway, Json, gateway, resumed
from tests.support.world import Guild, User, World

EXAMPLES, STEPS = (120, 80) if "SOAK" in os.environ else (24, 40)

GUILDS, MEMBERS, MESSAGES, CONTENT = 1 << 0, 1 << 1, 1 << 9, 1 << 15
VIEW, SEND, CONNECT, ADMINISTRATOR = 1 << 10, 1 << 11, 1 << 20, 1 << 3
MANAGE_CHANNELS, MANAGE_ROLES, MANAGE_GUILD, VIEW_AUDIT_LOG, SPEAK = 1 << 4, 1 << 28, 1 << 5, 1 << 7, 1 << 21
# Sight hangs on the first; the others are what comes with them.
MASKS = (*[VIEW] * 6, SEND, CONNECT, VIEW | SEND, MANAGE_CHANNELS, MANAGE_ROLES, VIEW_AUDIT_LOG, SPEAK)
TEXT, VOICE, CATEGORY, ANNOUNCEMENT = 0, 2, 4, 5
MOST = 8  # roles, and channels: more are not made

# What comes with the intent GUILDS alone.
OF_GUILDS = ("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE", "GUILD_ROLE_", "CHANNEL_")


class Client:
    """One session and what it knows, as client libraries know it."""

    def __init__(self, user: User, intents: int, ear: Gateway) -> None:
        self.user, self.intents = user, intents
        self.guild: Json = None  # owner_id, roles and channels by id, the own member
        self.begin(ear)

    def begin(self, ear: Gateway) -> None:
        """A new session."""
        self.go_on(ear)
        self.guild = None
        for each in ear.ready["guilds"]:
            if not each["unavailable"]:
                self.take("GUILD_CREATE", each)
        self.news()

    def go_on(self, ear: Gateway) -> None:
        """The same session on another connection."""
        self.ear = ear
        self.read = 0  # events taken in

    @property
    def caches(self) -> bool:
        return bool(self.intents & GUILDS)

    def news(self) -> list[tuple[str, Json]]:
        """The events since the last call; the cache has them."""
        new = self.ear.events[self.read :]
        self.read += len(new)
        for name, d in new:
            self.take(name, d)
        return new

    def take(self, name: str, d: Json) -> None:
        guild = self.guild
        if name == "GUILD_CREATE":
            self.guild = {
                "owner_id": d["owner_id"],
                "roles": {role["id"]: role for role in d["roles"]},
                "channels": {channel["id"]: {**channel, "guild_id": d["id"]} for channel in d["channels"]},
                "member": next(m for m in d["members"] if m["user"]["id"] == self.user.id),
            }
        elif name == "GUILD_DELETE":
            self.guild = None
        elif name == "GUILD_UPDATE":
            guild["owner_id"] = d["owner_id"]
        elif name == "CHANNEL_CREATE":
            assert d["id"] not in guild["channels"], "a channel that it has"
            guild["channels"][d["id"]] = d
        elif name == "CHANNEL_UPDATE":
            assert d["id"] in guild["channels"], "a channel that it has not"
            guild["channels"][d["id"]] = d
        elif name == "CHANNEL_DELETE":
            del guild["channels"][d["id"]]
        elif name in ("GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE"):
            assert (name == "GUILD_ROLE_UPDATE") == (d["role"]["id"] in guild["roles"])
            guild["roles"][d["role"]["id"]] = d["role"]
        elif name == "GUILD_ROLE_DELETE":
            del guild["roles"][d["role_id"]]
            guild["member"]["roles"] = [id_ for id_ in guild["member"]["roles"] if id_ != d["role_id"]]
        elif name == "GUILD_MEMBER_UPDATE" and self.caches and d["user"]["id"] == self.user.id:
            guild["member"] = {key: value for key, value in d.items() if key != "guild_id"}


class Stage:
    """The guild as the test believes it to be, its people and bots, and their sessions."""

    def __init__(self, server: Server, world: World, owner: User, guild: Guild, others: list[User]) -> None:
        self.server, self.world, self.owner, self.guild, self.others = server, world, owner, guild, others
        self.clients: list[Client] = []
        self.connections = AsyncExitStack()
        self.is_strict = True
        self.code = ""  # of an invite that stays
        self.roles: dict[str, Json] = {}
        self.channels: dict[str, Json] = {}
        self.members: dict[str, Json] = {}
        self.banned: set[str] = set()
        self.path = f"/guilds/{guild.id}"

    async def ask(self, who: User, method: str, path: str, payload: Json = ...) -> Answer:
        """What the owner asks for is granted, unless something else happens at the same time."""
        answer = await who.request(method, path, payload)
        assert answer.status < 500
        if who is self.owner and self.is_strict:
            answer.ok()
        return answer

    # --- the model ---------------------------------------------------------------------------------------------

    async def learn(self) -> tuple[Json, Json, Json]:
        """Roles, channels and members as the owner, who sees all, is shown them; as much as the model has."""
        roles = (await self.owner.get(f"{self.path}/roles")).ok()
        channels = (await self.owner.get(f"{self.path}/channels")).ok()
        members = (await self.owner.get(f"{self.path}/members", limit=100)).ok()
        return (
            {role["id"]: {"id": role["id"], "permissions": role["permissions"]} for role in roles},
            {
                channel["id"]: {
                    **{key: channel[key] for key in ("id", "type", "parent_id")},
                    "permission_overwrites": sorted(channel["permission_overwrites"], key=lambda each: int(each["id"])),
                }
                for channel in channels
            },
            {
                member["user"]["id"]: {
                    "user": {"id": member["user"]["id"]},
                    "roles": sorted(member["roles"], key=int),
                    "until": member["communication_disabled_until"],
                }
                for member in members
            },
        )

    @property
    def as_documented(self) -> Json:
        return {"id": self.guild.id, "owner_id": self.owner.id, "roles": list(self.roles.values())}

    def sights(self) -> dict[str, frozenset[str]]:
        """User -> the channels that it sees."""
        channels = list(self.channels.values())
        return {id_: documented.visible(self.as_documented, channels, member) for id_, member in self.members.items()}

    def may(self, user: User, permission: str, channel_id: str) -> bool:
        member = self.members.get(user.id)
        if member is None:
            return False
        channel = self.channels[channel_id]
        return permission in documented.now(self.as_documented, member, channel, member["until"] is not None)

    def set_overwrites(self, channel_id: str, overwrites: list[Json]) -> None:
        """Channels that are in step with their category stay so ("Permission Syncing")."""
        channel = self.channels[channel_id]
        before = channel["permission_overwrites"]
        after = sorted(overwrites, key=lambda each: int(each["id"]))
        for other in self.channels.values():
            if other is channel or (other["parent_id"] == channel_id and other["permission_overwrites"] == before):
                other["permission_overwrites"] = after

    # --- choosing ----------------------------------------------------------------------------------------------

    def actor(self, chance: random.Random) -> User:
        """Mostly who may do it."""
        return self.owner if chance.random() < 0.8 else chance.choice(self.others)

    def a_role(self, chance: random.Random) -> str | None:
        made = [id_ for id_ in self.roles if id_ != self.guild.id]
        return chance.choice(made) if made else None

    def a_channel(self, chance: random.Random, *types: int) -> str | None:
        found = [id_ for id_, channel in self.channels.items() if not types or channel["type"] in types]
        return chance.choice(found) if found else None

    def an_overwrite(self, chance: random.Random) -> Json:
        targets = [(id_, 0) for id_ in (self.guild.id, self.guild.id, *self.roles)]
        targets += [(id_, 1) for id_ in self.members]
        id_, type_ = chance.choice(targets)
        allow, deny = (chance.choice((0, *MASKS)) for _ in range(2))
        return {"id": id_, "type": type_, "allow": str(allow), "deny": str(deny)}

    def some_overwrites(self, chance: random.Random) -> list[Json]:
        drawn = [self.an_overwrite(chance) for _ in range(chance.randrange(4))]
        return list({each["id"]: each for each in drawn}.values())


# --- what may happen -------------------------------------------------------------------------------------------------


async def create_role(stage: Stage, chance: random.Random) -> None:
    if len(stage.roles) > MOST:
        return
    permissions = str(chance.choice((0, *MASKS, ADMINISTRATOR)))
    answer = await stage.ask(
        stage.actor(chance), "POST", f"{stage.path}/roles", {"name": "r", "permissions": permissions}
    )
    if answer.status == 200:
        stage.roles[answer.json["id"]] = {"id": answer.json["id"], "permissions": permissions}


async def edit_role(stage: Stage, chance: random.Random) -> None:
    role_id = chance.choice((stage.guild.id, stage.a_role(chance) or stage.guild.id))
    permissions = str(chance.choice((0, *MASKS, VIEW | SEND, *([] if role_id == stage.guild.id else [ADMINISTRATOR]))))
    answer = await stage.ask(
        stage.actor(chance), "PATCH", f"{stage.path}/roles/{role_id}", {"permissions": permissions}
    )
    if answer.status == 200:
        stage.roles[role_id]["permissions"] = permissions


async def move_role(stage: Stage, chance: random.Random) -> None:
    if role_id := stage.a_role(chance):
        entry = {"id": role_id, "position": chance.randrange(1, 9)}
        await stage.ask(stage.actor(chance), "PATCH", f"{stage.path}/roles", [entry])


async def delete_role(stage: Stage, chance: random.Random) -> None:
    role_id = stage.a_role(chance)
    if role_id is None:
        return
    answer = await stage.ask(stage.actor(chance), "DELETE", f"{stage.path}/roles/{role_id}")
    if answer.status == 204:
        del stage.roles[role_id]
        for member in stage.members.values():
            member["roles"] = [id_ for id_ in member["roles"] if id_ != role_id]
        for channel in stage.channels.values():
            left = [each for each in channel["permission_overwrites"] if each["id"] != role_id]
            channel["permission_overwrites"] = left


async def toggle_role(stage: Stage, chance: random.Random) -> None:
    role_id, user_id = stage.a_role(chance), chance.choice(list(stage.members))
    if role_id is None:
        return
    member = stage.members[user_id]
    has = role_id in member["roles"]
    path = f"{stage.path}/members/{user_id}/roles/{role_id}"
    answer = await stage.ask(stage.actor(chance), "DELETE" if has else "PUT", path)
    if answer.status == 204:
        held = {*member["roles"], role_id} - ({role_id} if has else set())
        member["roles"] = sorted(held, key=int)


async def set_roles(stage: Stage, chance: random.Random) -> None:
    user_id = chance.choice(list(stage.members))
    member = stage.members[user_id]
    free = [id_ for id_ in stage.roles if id_ != stage.guild.id]
    wanted = sorted(chance.sample(free, min(len(free), chance.randrange(3))), key=int)
    answer = await stage.ask(stage.actor(chance), "PATCH", f"{stage.path}/members/{user_id}", {"roles": wanted})
    if answer.status == 200:
        member["roles"] = wanted


async def put_overwrite(stage: Stage, chance: random.Random) -> None:
    channel_id, new = stage.a_channel(chance), stage.an_overwrite(chance)
    assert channel_id is not None
    path = f"/channels/{channel_id}/permissions/{new['id']}"
    answer = await stage.ask(stage.actor(chance), "PUT", path, {key: new[key] for key in ("type", "allow", "deny")})
    if answer.status == 204:
        others = [each for each in stage.channels[channel_id]["permission_overwrites"] if each["id"] != new["id"]]
        stage.set_overwrites(channel_id, [*others, new])


async def delete_overwrite(stage: Stage, chance: random.Random) -> None:
    having = [channel for channel in stage.channels.values() if channel["permission_overwrites"]]
    if not having:
        return
    channel = chance.choice(having)
    gone = chance.choice(channel["permission_overwrites"])["id"]
    answer = await stage.ask(stage.actor(chance), "DELETE", f"/channels/{channel['id']}/permissions/{gone}")
    if answer.status == 204:
        left = [each for each in channel["permission_overwrites"] if each["id"] != gone]
        stage.set_overwrites(channel["id"], left)


async def create_channel(stage: Stage, chance: random.Random) -> None:
    if len(stage.channels) > MOST:
        return
    type_ = chance.choice((TEXT, TEXT, VOICE, CATEGORY, ANNOUNCEMENT))
    body: Json = {"name": "c", "type": type_}
    if type_ != CATEGORY and chance.random() < 0.7:
        body["parent_id"] = stage.a_channel(chance, CATEGORY)
    if chance.random() < 0.4:
        body["permission_overwrites"] = [stage.an_overwrite(chance)]
    answer = await stage.ask(stage.actor(chance), "POST", f"{stage.path}/channels", body)
    if answer.status == 201:
        parent = body.get("parent_id")
        inherited = stage.channels[parent]["permission_overwrites"] if parent else []
        stage.channels[answer.json["id"]] = {
            "id": answer.json["id"],
            "type": type_,
            "parent_id": parent,
            "permission_overwrites": [],
        }
        stage.set_overwrites(answer.json["id"], body.get("permission_overwrites", inherited))


async def edit_channel(stage: Stage, chance: random.Random) -> None:
    channel_id = stage.a_channel(chance)
    assert channel_id is not None
    body: Json = {}
    if chance.random() < 0.3:
        body["name"] = f"n{chance.randrange(9)}"
    if stage.channels[channel_id]["type"] != CATEGORY and chance.random() < 0.5:
        body["parent_id"] = chance.choice((None, stage.a_channel(chance, CATEGORY)))
    if chance.random() < 0.6:
        body["permission_overwrites"] = stage.some_overwrites(chance)
    answer = await stage.ask(stage.actor(chance), "PATCH", f"/channels/{channel_id}", body)
    if answer.status == 200:
        stage.channels[channel_id]["parent_id"] = body.get("parent_id", stage.channels[channel_id]["parent_id"])
        if "permission_overwrites" in body:
            stage.set_overwrites(channel_id, body["permission_overwrites"])


async def move_channel(stage: Stage, chance: random.Random) -> None:
    channel_id, parent = stage.a_channel(chance, TEXT, VOICE, ANNOUNCEMENT), stage.a_channel(chance, CATEGORY)
    if channel_id is None:
        return
    entry = {"id": channel_id, "position": chance.randrange(5), "parent_id": parent, "lock_permissions": True}
    answer = await stage.ask(stage.actor(chance), "PATCH", f"{stage.path}/channels", [entry])
    if answer.status == 204:
        channel = stage.channels[channel_id]
        channel["parent_id"] = parent
        if parent is not None:
            channel["permission_overwrites"] = stage.channels[parent]["permission_overwrites"]


async def delete_channel(stage: Stage, chance: random.Random) -> None:
    channel_id = stage.a_channel(chance)
    if channel_id is None or channel_id == stage.guild.general:
        return
    answer = await stage.ask(stage.actor(chance), "DELETE", f"/channels/{channel_id}")
    if answer.status == 200:
        del stage.channels[channel_id]
        for channel in stage.channels.values():
            if channel["parent_id"] == channel_id:
                channel["parent_id"] = None


async def kick(stage: Stage, chance: random.Random) -> None:
    user = chance.choice(stage.others)
    if user.id in stage.members:
        answer = await stage.ask(stage.actor(chance), "DELETE", f"{stage.path}/members/{user.id}")
        if answer.status == 204:
            del stage.members[user.id]


async def ban(stage: Stage, chance: random.Random) -> None:
    user = chance.choice(stage.others)
    body = {"delete_message_seconds": chance.choice((0, 3600))}
    answer = await stage.ask(stage.actor(chance), "PUT", f"{stage.path}/bans/{user.id}", body)
    if answer.status == 204:
        stage.banned.add(user.id)
        if user.id in stage.members:
            del stage.members[user.id]


async def unban(stage: Stage, chance: random.Random) -> None:
    if stage.banned:
        user_id = chance.choice(sorted(stage.banned))
        await stage.ask(stage.owner, "DELETE", f"{stage.path}/bans/{user_id}")
        stage.banned.discard(user_id)


async def join(stage: Stage, chance: random.Random) -> None:
    away = [user for user in stage.others if user.id not in stage.members]
    if not away:
        return
    user = chance.choice(away)
    if user.user.get("bot"):
        answer = await stage.world.authorize(stage.owner, user.id, stage.guild, 0)
    else:
        answer = await user.post(f"/invites/{stage.code}")
    if stage.is_strict:
        assert answer.status == (403 if user.id in stage.banned else 200)
    if answer.status == 200:
        stage.members[user.id] = {"user": {"id": user.id}, "roles": [], "until": None}


async def time_out(stage: Stage, chance: random.Random) -> None:
    user = chance.choice(stage.others)
    if user.id not in stage.members:
        return
    member = stage.members[user.id]
    now = datetime.fromtimestamp(stage.server.clock() / 1000, UTC)
    until = None if member["until"] else (now + timedelta(hours=1)).isoformat()
    path = f"{stage.path}/members/{user.id}"
    answer = await stage.owner.patch(path, {"communication_disabled_until": until})
    if until and "ADMINISTRATOR" in documented.of_member(stage.as_documented, member):
        assert answer.error == (403, 50013)
    else:
        member["until"] = answer.ok(200)["communication_disabled_until"]


async def hand_over(stage: Stage, chance: random.Random) -> None:
    """To another person; the one who hands over loses what the owner has."""
    people = [user for user in stage.others if user.id in stage.members and not user.user.get("bot")]
    if people:
        new = chance.choice(people)
        await stage.ask(stage.owner, "PATCH", stage.path, {"owner_id": new.id})
        stage.others = [*(user for user in stage.others if user is not new), stage.owner]
        stage.owner = new


async def rename(stage: Stage, chance: random.Random) -> None:
    user_id = chance.choice(list(stage.members))
    await stage.ask(stage.owner, "PATCH", f"{stage.path}/members/{user_id}", {"nick": f"n{chance.randrange(99)}"})


async def say(stage: Stage, chance: random.Random) -> None:
    """Who may send does, and exactly those hear it who see the channel and listen."""
    channel_id = stage.a_channel(chance, TEXT, VOICE, ANNOUNCEMENT)
    assert channel_id is not None
    user = chance.choice([stage.owner, *stage.others])
    answer = await user.post(f"/channels/{channel_id}/messages", {"content": "x"})
    assert (answer.status == 200) == stage.may(user, "SEND_MESSAGES", channel_id), answer.content
    if answer.status == 200:
        sights = stage.sights()
        await stage.server.core.live.bus.flush()
        for client in stage.clients:
            await client.ear.heartbeat()
            told = [d["id"] for d in client.ear.named("MESSAGE_CREATE")].count(answer.json["id"])
            hears = bool(client.intents & MESSAGES) and channel_id in sights.get(client.user.id, ())
            assert told == hears, client.user.name


async def reconnect(stage: Stage, chance: random.Random) -> None:
    """Something happens while a session has no connection."""
    client = chance.choice(stage.clients)
    await stage.server.core.live.bus.flush()
    await client.ear.heartbeat()
    client.news()
    client.ear.cut()
    await ADMINISTRATION[chance.choice(sorted(ADMINISTRATION))](stage, chance)
    client.go_on(await stage.connections.enter_async_context(resumed(client.ear)))


async def identify(stage: Stage, chance: random.Random) -> None:
    client = chance.choice(stage.clients)
    await client.ear.close()
    ear = gateway(stage.server.url, client.user.token, intents=client.intents)
    client.begin(await stage.connections.enter_async_context(ear))


Action = Callable[[Stage, random.Random], Awaitable[None]]

ADMINISTRATION: dict[str, Action] = {
    action.__name__: action
    for action in (
        create_role,
        edit_role,
        move_role,
        delete_role,
        toggle_role,
        set_roles,
        put_overwrite,
        delete_overwrite,
        create_channel,
        edit_channel,
        move_channel,
        delete_channel,
        kick,
        ban,
        unban,
        join,
    )
}
ACTIONS: dict[str, Action] = {
    **ADMINISTRATION,
    **{action.__name__: action for action in (time_out, hand_over, rename, say, reconnect, identify)},
}


async def all_at_once(stage: Stage, names: list[str], seed: int) -> None:
    """Whatever comes of it, everybody agrees."""
    async with trio.open_nursery() as nursery:
        for number, name in enumerate(names):
            imagined = copy.copy(stage)
            imagined.roles, imagined.channels, imagined.members, imagined.banned = copy.deepcopy(
                (stage.roles, stage.channels, stage.members, stage.banned)
            )
            imagined.is_strict = False
            nursery.start_soon(ADMINISTRATION[name], imagined, random.Random(seed + number))
    await stage.server.core.live.bus.flush()
    stage.roles, stage.channels, stage.members = await stage.learn()
    stage.banned = {ban["user"]["id"] for ban in (await stage.owner.get(f"{stage.path}/bans")).ok(200)}
    for client in stage.clients:
        await client.ear.heartbeat()
        client.news()
        await check_cache(stage, client)


# --- what must hold --------------------------------------------------------------------------------------------------


def check_event(client: Client, name: str, d: Json, before: frozenset[str], after: frozenset[str]) -> None:
    """Of what could not be seen at the time, nothing is told."""
    assert client.caches or not name.startswith(OF_GUILDS)
    if name == "GUILD_CREATE":
        assert {channel["id"] for channel in d["channels"]} == after
    elif name == "CHANNEL_DELETE":
        assert d["id"] in before
    elif name in ("CHANNEL_CREATE", "CHANNEL_UPDATE"):
        assert d["id"] in after
    elif d.get("channel_id") is not None:
        assert d["channel_id"] in after, name


async def check_cache(stage: Stage, client: Client) -> None:
    """It is what REST answers."""
    answer = await client.user.get(stage.path)
    if client.user.id not in stage.members:
        assert answer.error == (404, 10004)
        assert client.guild is None
        return
    guild = answer.ok(200)
    roles = {role["id"]: role for role in guild["roles"]}
    listed = (await client.user.get(f"{stage.path}/channels")).ok(200)
    channels = {channel["id"]: _without_last(channel) for channel in listed}
    member = (await client.user.get(f"{stage.path}/members/{client.user.id}")).ok(200)
    assert channels.keys() == stage.sights()[client.user.id]
    if client.caches:
        assert client.guild["owner_id"] == guild["owner_id"]
        assert client.guild["roles"] == roles
        assert {id_: _without_last(channel) for id_, channel in client.guild["channels"].items()} == channels
        assert client.guild["member"] == member


def _without_last(channel: Json) -> Json:
    """Its newest message is told by MESSAGE_CREATE."""
    return {key: value for key, value in channel.items() if key != "last_message_id"}


async def step(stage: Stage, name: str, seed: int) -> None:
    sights = stage.sights()
    await ACTIONS[name](stage, random.Random(seed))
    await stage.server.core.live.bus.flush()
    assert await stage.learn() == (stage.roles, stage.channels, stage.members)
    after = stage.sights()
    async with trio.open_nursery() as nursery:
        for client in stage.clients:
            nursery.start_soon(client.ear.heartbeat)
    nothing = frozenset[str]()
    for client in stage.clients:
        id_, new = client.user.id, client.news()
        for event, d in new:
            check_event(client, event, d, sights.get(id_, nothing), after.get(id_, nothing))
        about = [d["id"] for event, d in new if event.startswith("CHANNEL_")]
        assert len(about) == len(set(about)), "told twice of one change"
    async with trio.open_nursery() as nursery:
        for client in stage.clients:
            nursery.start_soon(check_cache, stage, client)


async def furnish(stage: Stage) -> None:
    """Two roles, and for each a channel hidden from others: so that something happens from the first step on."""
    for name in ("one", "other"):
        role = (await stage.owner.post(f"{stage.path}/roles", {"name": name, "permissions": "0"})).ok(200)
        hidden = [
            {"id": stage.guild.id, "type": 0, "deny": str(VIEW)},
            {"id": role["id"], "type": 0, "allow": str(VIEW)},
        ]
        body = {"name": name, "type": CATEGORY if name == "one" else TEXT, "permission_overwrites": hidden}
        (await stage.owner.post(f"{stage.path}/channels", body)).ok(201)


async def check_disk(stage: Stage) -> None:
    """Memory holds what the database does."""
    live, id_ = stage.server.core.live, int(stage.guild.id)
    loaded = await stage.server.core.db.read(guilds.load, id_)
    assert loaded is not None
    held = live.guilds[id_]
    assert (loaded.guild, loaded.roles, loaded.channels) == (held.guild, held.roles, held.channels)
    assert loaded.members == held.members


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    async with serve() as server, World(server.url) as world:
        owner, ann, ben = [await world.person(name) for name in ("owner", "ann", "ben")]
        guild = await world.guild(owner, ann, ben)
        bots = [await world.bot(owner, guild, permissions=0) for _ in range(3)]
        stage = Stage(server, world, owner, guild, [ann, ben, *bots])
        await furnish(stage)
        invite = await owner.post(f"/channels/{guild.general}/invites", {"max_age": 0})
        stage.code = invite.ok(200)["code"]
        stage.roles, stage.channels, stage.members = await stage.learn()
        for user, intents in (
            (owner, ALL_INTENTS),
            (ann, ALL_INTENTS),
            (ann, GUILDS | MESSAGES),
            (ben, ALL_INTENTS),
            (bots[0], ALL_INTENTS),
            (bots[1], GUILDS | MESSAGES | CONTENT),
            (bots[2], MESSAGES),
        ):
            ear = gateway(server.url, user.token, intents=intents)
            stage.clients.append(Client(user, intents, await stage.connections.enter_async_context(ear)))
        async with stage.connections:
            yield stage


seeds = st.integers(0, 2**32 - 1)
programs = st.lists(st.tuples(st.sampled_from(sorted(ACTIONS)), seeds), min_size=STEPS, max_size=STEPS)
bursts = st.lists(
    st.tuples(st.lists(st.sampled_from(sorted(ADMINISTRATION)), min_size=2, max_size=8), seeds),
    min_size=STEPS // 5,
    max_size=STEPS // 5,
)


@settings(max_examples=EXAMPLES)
@given(programs)
def test_sessions_know_what_they_may_and_nothing_else(program: list[tuple[str, int]]) -> None:
    async def run() -> None:
        async with staged() as stage:
            for name, seed in program:
                await step(stage, name, seed)
            await check_disk(stage)

    trio.run(run)


@settings(max_examples=EXAMPLES)
@given(programs, bursts)
def test_changes_at_the_same_time_leave_everybody_with_the_same(
    program: list[tuple[str, int]], storm: list[tuple[list[str], int]]
) -> None:
    async def run() -> None:
        async with staged() as stage:
            for name, seed in program[: STEPS // 2]:
                await ACTIONS[name](stage, random.Random(seed))
            for names, seed in storm:
                await all_at_once(stage, names, seed)
            await check_disk(stage)

    trio.run(run)
