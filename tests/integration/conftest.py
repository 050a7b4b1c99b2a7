"""Who most tests begin with: an owner, its guild, a bot in it. Made when asked for."""

import pytest

from tests.support.world import Guild, User, World


@pytest.fixture
async def owner(world: World) -> User:
    return await world.person("owner")


@pytest.fixture
async def guild(world: World, owner: User) -> Guild:
    return await world.guild(owner)


@pytest.fixture
async def bot(world: World, owner: User, guild: Guild) -> User:
    return await world.bot(owner, guild)
