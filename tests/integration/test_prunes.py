"""Pruning over the wire: who counts as inactive, and what becomes of them."""

import pytest
from msgspec.structs import replace

from chatd.model.wire import Snowflake
from chatd.service import prunes
from chatd.store import members
from tests.support.app import Server
from tests.support.client import Json, gateway
from tests.support.world import PASSWORD, Guild, User, World

DAY_S = 86_400
KICK, MANAGE_GUILD = 1 << 1, 1 << 5
INVALID_ROLE = (400, 50028)


async def again(world: World, user: User) -> User:
    """With a new token: the old one has expired."""
    return world.user((await world.anybody.post("/auth/login", {"login": user.name, "password": PASSWORD})).ok(200))


async def old_members(server: Server, world: World, owner: User, guild: Guild, count: int) -> list[User]:
    """People who joined eight days ago."""
    people = [await world.person() for _ in range(count)]
    await world.join(owner, guild, *people)
    server.clock.advance(8 * DAY_S)
    return people


async def give(server: Server, guild: Guild, user: User, *role_ids: str) -> None:
    """Roles for a member."""
    state = server.core.live.guilds[int(guild.id)]
    member = replace(state.members[int(user.id)], roles=tuple(Snowflake(role_id) for role_id in role_ids))
    await server.core.db.write(members.update, state.id, member)
    state.put_member(member)
    state.changed()


async def count(user: User, guild: Guild, **query: Json) -> int:
    found: int = (await user.get(f"/guilds/{guild.id}/prune", **query)).ok(200)["pruned"]
    return found


async def ids_of(user: User, guild: Guild) -> set[str]:
    return {member["user"]["id"] for member in (await user.get(f"/guilds/{guild.id}/members", limit=100)).ok()}


async def test_who_is_inactive(server: Server, world: World, owner: User, guild: Guild) -> None:
    idle, busy = await old_members(server, world, owner, guild, 2)
    owner, busy = await again(world, owner), await again(world, busy)
    bot, fresh = await world.bot(owner, guild), await world.person()
    await world.join(owner, guild, fresh)
    assert await count(owner, guild) == 2
    assert await count(owner, guild, days=8) == 0
    async with gateway(server.url, busy.token):
        assert await count(owner, guild) == 1
    assert await count(owner, guild) == 2
    await busy.say(guild.general)
    assert await count(owner, guild) == 1
    async with gateway(server.url, owner.token) as hers:
        answer = await owner.post(f"/guilds/{guild.id}/prune", {}, headers={"X-Audit-Log-Reason": "spring"})
        assert answer.ok(200) == {"pruned": 1}
        assert (await hers.next("GUILD_MEMBER_REMOVE"))["user"]["id"] == idle.id
    assert await ids_of(owner, guild) == {owner.id, busy.id, bot.id, fresh.id}
    [entry] = (await owner.get(f"/guilds/{guild.id}/audit-logs", action_type=21)).ok()["audit_log_entries"]
    assert entry["options"] == {"delete_member_days": "7", "members_removed": "1"}
    assert (entry["reason"], entry["target_id"]) == ("spring", None)


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_roles_protect_unless_they_are_named(server: Server, world: World, owner: User, guild: Guild) -> None:
    low, high = [(await owner.post(f"/guilds/{guild.id}/roles", {})).ok(200)["id"] for _ in range(2)]
    plain, one, both = await old_members(server, world, owner, guild, 3)
    await give(server, guild, one, low)
    await give(server, guild, both, low, high)
    owner = await again(world, owner)
    assert await count(owner, guild) == 1
    assert await count(owner, guild, include_roles=low) == 2
    assert await count(owner, guild, include_roles=f"{low},{high}") == 3
    assert await count(owner, guild, include_roles=[low, high]) == 3
    for wrong in ("1", guild.id):
        assert (await owner.get(f"/guilds/{guild.id}/prune", include_roles=wrong)).error == INVALID_ROLE
    assert [*(await owner.get(f"/guilds/{guild.id}/prune", include_roles="x")).errors] == ["include_roles"]
    for days in (0, 31):
        assert [*(await owner.get(f"/guilds/{guild.id}/prune", days=days)).errors] == ["days"]
    # The bot's own role stands below the others.
    bot = await world.bot(owner, guild, permissions=KICK | MANAGE_GUILD)
    assert await count(bot, guild, include_roles=f"{low},{high}") == 1
    payload = {"include_roles": [low], "compute_prune_count": "false", "reason": "old way"}
    assert (await owner.post(f"/guilds/{guild.id}/prune", payload)).ok(200) == {"pruned": None}
    assert await ids_of(owner, guild) == {owner.id, both.id, bot.id}
    assert (await owner.post(f"/guilds/{guild.id}/prune", {"include_roles": f"{low},{high}"})).ok(200) == {"pruned": 1}
    assert plain.id not in await ids_of(owner, guild)


@pytest.mark.parametrize("server", ["sqlite-edge"], indirect=True)
async def test_it_goes_on_in_batches(
    server: Server, world: World, owner: User, guild: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prunes, "BATCH", 2)
    await old_members(server, world, owner, guild, 5)
    owner = await again(world, owner)
    assert (await owner.post(f"/guilds/{guild.id}/prune", {})).ok(200) == {"pruned": 5}
    log = (await owner.get(f"/guilds/{guild.id}/audit-logs", action_type=21)).ok()["audit_log_entries"]
    assert [entry["options"]["members_removed"] for entry in log] == ["1", "2", "2"]


async def test_it_takes_both_permissions(world: World, owner: User, guild: Guild) -> None:
    for permissions in (KICK, MANAGE_GUILD):
        bot = await world.bot(owner, guild, permissions=permissions)
        assert (await bot.get(f"/guilds/{guild.id}/prune")).error == (403, 50013)
        assert (await bot.post(f"/guilds/{guild.id}/prune", {})).error == (403, 50013)
