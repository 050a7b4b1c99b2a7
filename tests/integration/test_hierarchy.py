"""Who may do what to whom: every operation on a member or a role, against those who stand below, beside and above.

The moderator has each permission but ADMINISTRATOR, from a role in the middle; the administrator has the same standing.
"""

from datetime import UTC, datetime, timedelta

import pytest

from chatd.model import permissions as p
from tests.support.client import Json
from tests.support.world import Guild, User, World

NO_PERMISSION, INVALID_ROLE, UNKNOWN_ROLE, UNKNOWN_MEMBER = (403, 50013), (400, 50028), (404, 10011), (404, 10007)
# The clock of the tests starts here.
SOON = (datetime(2027, 1, 15, 8, tzinfo=UTC) + timedelta(hours=1)).isoformat()

# By position. The moderator's role is "middle".
ROLES = ("low", "middle", "high")

ON_MEMBERS: dict[str, tuple[str, str, Json]] = {
    "rename": ("PATCH", "/members/{}", {"nick": "x"}),
    "time out": ("PATCH", "/members/{}", {"communication_disabled_until": SOON}),
    "flag": ("PATCH", "/members/{}", {"flags": 4}),
    "kick": ("DELETE", "/members/{}", ...),
    "ban": ("PUT", "/bans/{}", {}),
}
# Roles are given by their own standing, whoever gets them.
ON_ROLES: dict[str, tuple[str, str, Json]] = {
    "give": ("PUT", "/members/{member}/roles/{role}", ...),
    "take": ("DELETE", "/members/{member}/roles/{role}", ...),
    "set": ("PATCH", "/members/{member}", {"roles": ["{role}"]}),
    "edit": ("PATCH", "/roles/{role}", {"name": "x"}),
    "raise": ("PATCH", "/roles", [{"id": "{role}", "position": 9}]),
    "delete": ("DELETE", "/roles/{role}", ...),
}


class Ranks:
    """One member on each rung, and their roles."""

    def __init__(self, guild: Guild, members: dict[str, User], roles: dict[str, str]) -> None:
        self.guild, self.members, self.roles = guild, members, roles


async def ranks(world: World, permissions: int) -> Ranks:
    names = ("owner", "moderator", "nobody", "junior", "peer", "senior")
    members = {name: await world.person(name) for name in names}
    owner, *others = members.values()
    guild = await world.guild(owner, *others)
    roles = {}
    for name in reversed(ROLES):  # a new one is the lowest
        granted = permissions if name == "middle" else 0
        body = {"name": name, "permissions": str(granted)}
        roles[name] = (await owner.post(f"/guilds/{guild.id}/roles", body)).ok(200)["id"]
    for name, role in (("moderator", "middle"), ("junior", "low"), ("peer", "middle"), ("senior", "high")):
        (await owner.put(f"/guilds/{guild.id}/members/{members[name].id}/roles/{roles[role]}")).ok(204)
    return Ranks(guild, members, roles)


@pytest.mark.parametrize("permissions", [p.ALL & ~p.ADMINISTRATOR, p.ADMINISTRATOR], ids=["all but", "administrator"])
@pytest.mark.parametrize("operation", ON_MEMBERS)
async def test_members(world: World, operation: str, permissions: int) -> None:
    method, path, body = ON_MEMBERS[operation]
    stage = await ranks(world, permissions)
    moderator = stage.members["moderator"]
    for name, member in stage.members.items():
        answer = await moderator.request(method, f"/guilds/{stage.guild.id}{path.format(member.id)}", body)
        below = name in ("nobody", "junior")
        own_nick = operation == "rename" and name == "moderator"
        if below or own_nick:
            answer.ok()
        else:
            assert answer.error == NO_PERMISSION, name


def _filled(body: Json, role: str) -> Json:
    """With the role where the table has a place for it."""
    if isinstance(body, list):
        return [{**entry, "id": role} for entry in body]
    return {"roles": [role]} if body is not ... and "roles" in body else body


@pytest.mark.parametrize("operation", ON_ROLES)
async def test_roles(world: World, operation: str) -> None:
    method, path, body = ON_ROLES[operation]
    stage = await ranks(world, p.ALL & ~p.ADMINISTRATOR)
    moderator, before = stage.members["moderator"], await roles_of(stage)
    for name in ("high", "middle"):
        role = stage.roles[name]
        # To take a role that somebody does not have changes nothing, and is allowed.
        holder = {"high": "senior", "middle": "peer"}[name] if operation == "take" else "nobody"
        target = path.format(member=stage.members[holder].id, role=role)
        answer = await moderator.request(method, f"/guilds/{stage.guild.id}{target}", _filled(body, role))
        assert answer.error == NO_PERMISSION, name
    assert await roles_of(stage) == before
    unknown = path.format(member=stage.members["nobody"].id, role="1")
    assert (await moderator.request(method, f"/guilds/{stage.guild.id}{unknown}", _filled(body, "1"))).error == (
        UNKNOWN_ROLE
    )
    low = stage.roles["low"]
    target = path.format(member=stage.members["junior"].id, role=low)
    answer = await moderator.request(method, f"/guilds/{stage.guild.id}{target}", _filled(body, low))
    if operation == "raise":
        assert answer.error == NO_PERMISSION
    else:
        answer.ok()


async def roles_of(stage: Ranks) -> Json:
    return (await stage.members["owner"].get(f"/guilds/{stage.guild.id}/roles")).ok(200)


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("PUT", "/members/{junior}/roles/{guild}", ..., INVALID_ROLE),
        ("DELETE", "/members/{junior}/roles/{guild}", ..., INVALID_ROLE),
        ("PUT", "/members/1/roles/{low}", ..., UNKNOWN_MEMBER),
        ("PATCH", "/members/1", {"nick": "x"}, UNKNOWN_MEMBER),
        ("DELETE", "/members/1", ..., UNKNOWN_MEMBER),
        ("PUT", "/bans/1", {}, (404, 10013)),
        ("DELETE", "/bans/{junior}", ..., (404, 10026)),
        ("GET", "/bans/{junior}", ..., (404, 10026)),
        ("DELETE", "/roles/{guild}", ..., INVALID_ROLE),
        ("PATCH", "/roles/{guild}", {"name": "x"}, INVALID_ROLE),
        ("PATCH", "/roles", [{"id": "1", "position": 1}], UNKNOWN_ROLE),
        ("POST", "/bulk-ban", {"user_ids": ["{senior}", "{peer}", "{owner}"]}, (400, 500000)),
        ("PATCH", "/channels", [{"id": "1", "position": 1}], (404, 10003)),
    ],
)
async def test_codes(world: World, method: str, path: str, body: Json, error: tuple[int, int]) -> None:
    """Even of who may do everything."""
    stage = await ranks(world, p.ALL & ~p.ADMINISTRATOR)
    ids = {name: user.id for name, user in stage.members.items()} | stage.roles | {"guild": stage.guild.id}
    if isinstance(body, dict) and "user_ids" in body:
        body = {"user_ids": [id_.format(**ids) for id_ in body["user_ids"]]}
    who = stage.members["moderator"]
    assert (await who.request(method, f"/guilds/{stage.guild.id}{path.format(**ids)}", body)).error == error
