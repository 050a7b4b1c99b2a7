"""Webhooks. The name and the avatar of one are in its row among the users, which outlives it."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from chatd.model.objects.guild import GuildExtra
from chatd.model.objects.user import UserProfile
from chatd.model.objects.webhook import SourceChannel, SourceGuild, Webhook
from chatd.model.wire import Snowflake, decoder
from chatd.store.db import Param, Row, Tx, marks
from chatd.store.rows import WEBHOOK_DISCRIMINATOR, to_text, users


class WebhookRow(Row):
    id: int
    type: int
    guild_id: int
    channel_id: int
    creator_id: int | None
    application_id: int | None
    token: str | None
    name: str
    profile: str  # UserProfile
    # Of a follower whose creator is still a member of the guild that it follows a channel of.
    source_channel_id: int | None
    source_channel_name: str | None
    source_guild_id: int | None
    source_guild_name: str | None
    source_guild_extra: str | None  # GuildExtra


_SELECT = (
    "SELECT w.id, w.type, w.guild_id, w.channel_id, w.creator_id, w.application_id, w.token, u.username, u.extra,"
    " s.id, s.name, g.id, g.name, g.extra"
    " FROM webhooks w JOIN users u ON u.id = w.id"
    " LEFT JOIN channels s ON s.id = w.source_id"
    " AND EXISTS (SELECT 1 FROM members m WHERE m.guild_id = s.guild_id AND m.user_id = w.creator_id)"
    " LEFT JOIN guilds g ON g.id = s.guild_id"
)

_profile = decoder(UserProfile)
_guild_extra = decoder(GuildExtra)


def insert(tx: Tx, webhook: Webhook, source_id: int | None) -> None:
    """Raises Missing when one of the two channels is gone."""
    tx.run(
        "INSERT INTO users (id, username, discriminator, bot, extra) VALUES (?, ?, ?, 1, ?)",
        webhook.id,
        webhook.name,
        WEBHOOK_DISCRIMINATOR,
        to_text(UserProfile(avatar=webhook.avatar)),
    )
    tx.run(
        "INSERT INTO webhooks (id, type, guild_id, channel_id, creator_id, application_id, token, source_id)"
        f" VALUES ({marks(8)})",
        webhook.id,
        webhook.type,
        webhook.guild_id,
        webhook.channel_id,
        None if webhook.user is UNSET else webhook.user.id,
        webhook.application_id,
        None if webhook.token is UNSET else webhook.token,
        source_id,
    )


def update(tx: Tx, webhook: Webhook) -> None:
    """Write back what a form may change. Raises Missing when the channel is gone."""
    profile = to_text(UserProfile(avatar=webhook.avatar))
    tx.run("UPDATE users SET username = ?, extra = ? WHERE id = ?", webhook.name, profile, webhook.id)
    tx.run("UPDATE webhooks SET channel_id = ? WHERE id = ?", webhook.channel_id, webhook.id)


def delete(tx: Tx, webhook_id: int) -> None:
    tx.run("DELETE FROM webhooks WHERE id = ?", webhook_id)


def get(tx: Tx, webhook_id: int) -> Webhook | None:
    return next(iter(by_ids(tx, [webhook_id])), None)


def by_ids(tx: Tx, webhook_ids: Sequence[int]) -> list[Webhook]:
    """Those that exist, oldest first."""
    return _find(tx, f"w.id IN ({marks(len(webhook_ids))})", *webhook_ids) if webhook_ids else []


def of_channel(tx: Tx, channel_id: int) -> list[Webhook]:
    """Oldest first."""
    return _find(tx, "w.channel_id = ?", channel_id)


def of_guild(tx: Tx, guild_id: int) -> list[Webhook]:
    """Oldest first."""
    return _find(tx, "w.guild_id = ?", guild_id)


def count_of_channel(tx: Tx, channel_id: int) -> int:
    return int(tx.scalar("SELECT COUNT(*) FROM webhooks WHERE channel_id = ?", channel_id))


def count_of_guild(tx: Tx, guild_id: int) -> int:
    return int(tx.scalar("SELECT COUNT(*) FROM webhooks WHERE guild_id = ?", guild_id))


def _find(tx: Tx, condition: str, *params: Param) -> list[Webhook]:
    rows = tx.rows(WebhookRow, f"{_SELECT} WHERE {condition} ORDER BY w.id", *params)
    creators = users(tx, tuple({row.creator_id for row in rows if row.creator_id is not None}))
    return [
        Webhook(
            id=Snowflake(row.id),
            type=row.type,
            guild_id=Snowflake(row.guild_id),
            channel_id=Snowflake(row.channel_id),
            user=creators.get(row.creator_id or 0, UNSET),
            name=row.name,
            avatar=_profile.decode(row.profile).avatar,
            token=UNSET if row.token is None else row.token,
            application_id=None if row.application_id is None else Snowflake(row.application_id),
            source_guild=_source_guild(row),
            source_channel=_source_channel(row),
        )
        for row in rows
    ]


def _source_guild(row: WebhookRow) -> SourceGuild | UnsetType:
    if row.source_guild_id is None or row.source_guild_name is None or row.source_guild_extra is None:
        return UNSET
    icon = _guild_extra.decode(row.source_guild_extra).icon
    return SourceGuild(id=Snowflake(row.source_guild_id), name=row.source_guild_name, icon=icon)


def _source_channel(row: WebhookRow) -> SourceChannel | UnsetType:
    if row.source_channel_id is None or row.source_channel_name is None:
        return UNSET
    return SourceChannel(id=Snowflake(row.source_channel_id), name=row.source_channel_name)
