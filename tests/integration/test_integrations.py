"""Integrations over the wire: a guild's bots, who hears that one comes or goes."""

from tests.support.app import Server
from tests.support.client import gateway
from tests.support.world import Guild, User, World


async def test_a_bot_is_an_integration(server: Server, world: World, owner: User, guild: Guild) -> None:
    path = f"/guilds/{guild.id}/integrations"
    assert (await owner.get(path)).ok() == []
    async with gateway(server.url, owner.token) as ear:
        bot = await world.bot(owner, guild, name="Guest")
        told = await ear.next("INTEGRATION_CREATE")
        assert await ear.next("GUILD_INTEGRATIONS_UPDATE") == {"guild_id": guild.id}
        [integration] = (await owner.get(path)).ok()
        assert told == {**integration, "guild_id": guild.id}
        assert integration.items() >= {"id": bot.id, "name": "Guest", "type": "discord", "enabled": True}.items()
        assert integration["application"]["bot"]["id"] == bot.id
        assert integration["account"] == {"id": bot.id, "name": "Guest"}
        async with gateway(server.url, bot.token) as its:
            answer = await owner.delete(f"{path}/{bot.id}", headers={"X-Audit-Log-Reason": "enough"})
            answer.ok(204)
            assert await its.next("GUILD_DELETE") == {"id": guild.id}
        assert (await ear.next("GUILD_MEMBER_REMOVE"))["user"]["id"] == bot.id
        gone = {"id": bot.id, "guild_id": guild.id, "application_id": bot.id}
        assert await ear.next("INTEGRATION_DELETE") == gone
        assert (await ear.next("GUILD_ROLE_DELETE"))["guild_id"] == guild.id
    assert (await owner.get(path)).ok() == []
    assert (await bot.get(f"/guilds/{guild.id}")).error == (404, 10004)
    [entry] = (await owner.get(f"/guilds/{guild.id}/audit-logs", action_type=82)).ok()["audit_log_entries"]
    assert (entry["target_id"], entry["reason"]) == (bot.id, "enough")
    assert (await owner.delete(f"{path}/{owner.id}")).error == (404, 10005)  # a person
