"""The demo: what it makes, and that it makes it once."""

import stat
from pathlib import Path

import pytest

from chatd import demo
from chatd.model import permissions as p
from chatd.model.objects.account import Login, Register
from chatd.model.objects.channel import ChannelType
from chatd.service import accounts, auth
from chatd.service.core import Core
from chatd.store import guilds as guild_store
from tests.support.core import open_core


async def logins(core: Core, directory: Path) -> dict[str, int]:
    """The ids of those who can log in with what the instructions say, and "Echo" for the bot's token."""
    told = demo.instructions(directory, "http://127.0.0.1:8080").split()
    found = {}
    for name in ("alice", "bob", "carol"):
        password = told[told.index(name) + 1]
        found[name] = (await accounts.login(core, Login(login=name, password=password))).user.id
    found["Echo"] = (await auth.authenticate(core, f"Bot {told[-1]}")).id
    return found


async def test_it_makes_a_guild_with_channels_roles_people_a_bot_and_messages(tmp_path: Path) -> None:
    async with open_core(tmp_path, data={"dir": str(tmp_path)}) as core:
        await demo.seed(core)
        ids = await logins(core, tmp_path)
        [guild] = core.live.guilds.values()
        assert guild.guild.name == "chatd demo"
        kinds = {channel.name: channel.type for channel in guild.channels.values()}
        assert kinds["general"] == kinds["random"] == ChannelType.GUILD_TEXT
        assert (kinds["announcements"], kinds["Lounge"]) == (5, ChannelType.GUILD_VOICE)
        assert [role.name for role in guild.sorted_roles()] == ["@everyone", "Echo", "Moderator", "Admin"]
        assert set(guild.members) == set(ids.values())
        assert guild.permissions(ids["bob"]) == p.ALL
        assert guild.permissions(ids["carol"]) & p.MODERATE_MEMBERS
        assert not guild.permissions(ids["carol"]) & p.ADMINISTRATOR
        assert sum(channel_id in guild.last_message_ids for channel_id in guild.channels) == 3
        # What is in memory is what is on disk.
        stored = await core.db.read(guild_store.load, guild.id)
        assert stored is not None
        assert (stored.roles, stored.members) == (guild.roles, guild.members)
        assert stored.last_message_ids == guild.last_message_ids


async def test_a_second_start_keeps_everything_and_tells_it_again(tmp_path: Path) -> None:
    async with open_core(tmp_path, data={"dir": str(tmp_path)}) as core:
        await demo.seed(core)
        ids = await logins(core, tmp_path)
        told = demo.instructions(tmp_path, "")
    async with open_core(tmp_path, data={"dir": str(tmp_path)}) as core:
        await demo.seed(core)
        assert demo.instructions(tmp_path, "") == told
        assert await logins(core, tmp_path) == ids
    assert stat.S_IMODE((tmp_path / demo.FILE).stat().st_mode) == 0o600


async def test_it_leaves_a_server_with_such_people_alone(tmp_path: Path) -> None:
    async with open_core(tmp_path, data={"dir": str(tmp_path)}) as core:
        await accounts.create(core, Register(username="carol", password="her own one"))
        with pytest.raises(demo.NotEmpty):
            await demo.seed(core)
        assert not (tmp_path / demo.FILE).exists()
        assert not core.live.guilds
