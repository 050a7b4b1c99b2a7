"""Invites as they are shown: to whoever has the code, and with their terms to whoever made or manages them.

Docs: resources/invite.
"""

from msgspec import UNSET

from chatd.live.guilds import GuildState
from chatd.model.objects.channel import Channel
from chatd.model.objects.guild import Guild
from chatd.model.objects.invite import Invite, InviteChannel, InviteGuild, InviteWithMetadata
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake, timestamp
from chatd.service import guilds
from chatd.service.core import Core
from chatd.store.invites import InviteRow


def expires_at(row: InviteRow) -> str | None:
    return timestamp(row.created_ms + row.max_age_s * 1000) if row.max_age_s else None


def _guild(guild: Guild) -> InviteGuild:
    return InviteGuild(**{name: getattr(guild, name) for name in InviteGuild.__struct_fields__})


def _channel(channel: Channel) -> InviteChannel:
    return InviteChannel(id=channel.id, type=channel.type, name=channel.name)


def plain(
    core: Core, row: InviteRow, guild: GuildState, channel: Channel, inviter: User | None, with_counts: bool
) -> Invite:
    return Invite(
        code=row.code,
        guild=_guild(guild.guild),
        guild_id=Snowflake(guild.id),
        channel=_channel(channel),
        expires_at=expires_at(row),
        inviter=UNSET if inviter is None else inviter,
        **(guilds.counts(core, guild) if with_counts else {}),
    )


def with_metadata(row: InviteRow, guild: GuildState, channel: Channel, inviter: User | None) -> InviteWithMetadata:
    return InviteWithMetadata(
        code=row.code,
        guild=_guild(guild.guild),
        guild_id=Snowflake(guild.id),
        channel=_channel(channel),
        expires_at=expires_at(row),
        inviter=UNSET if inviter is None else inviter,
        uses=row.uses,
        max_uses=row.max_uses,
        max_age=row.max_age_s,
        temporary=bool(row.temporary),
        created_at=timestamp(row.created_ms),
    )
