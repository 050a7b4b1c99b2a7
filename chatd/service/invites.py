"""Invites: create, list, show, accept, delete. Docs: resources/invite.

A guild's vanity URL is an invite without end: it leads to the first channel that everybody sees.
"""

import secrets
import string
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import (
    BANNED,
    BOTS_CANNOT_USE_THIS,
    FEATURE_DISABLED,
    MISSING_PERMISSIONS,
    TOO_MANY_INVITES,
    UNKNOWN_CHANNEL,
    UNKNOWN_INVITE,
)
from chatd.model.intents import GATES
from chatd.model.limits import GUILD_INVITES
from chatd.model.objects.audit_log import AuditLogChange, AuditLogEvent
from chatd.model.objects.channel import MESSAGE_TYPES, Channel
from chatd.model.objects.guild import INVITES_DISABLED, Member
from chatd.model.objects.invite import (
    Invite,
    InviteCreate,
    InviteCreateEvent,
    InviteDeleteEvent,
    InviteQuery,
    InviteWithMetadata,
)
from chatd.model.objects.user import User
from chatd.model.wire import Object, Snowflake, timestamp
from chatd.service import access, audit_log, automod, invite_views, membership
from chatd.service.access import GuildChannel
from chatd.service.actors import Actor
from chatd.service.commits import change
from chatd.service.core import Core
from chatd.store import bans, members, temporary_members, vanity_urls
from chatd.store import invites as store
from chatd.store.db import Missing, Tx
from chatd.store.invites import InviteRow
from chatd.store.rows import users

_ALPHABET = string.ascii_letters + string.digits
# 62 ** 10 codes: neither guessed nor met twice.
_CODE_LENGTH = 10


async def create(
    core: Core, me: Actor, channel_id: Snowflake, body: InviteCreate, reason: str | None
) -> InviteWithMetadata:
    """Unless `unique`, an unused invite of the asker on the same terms is given again.

    Docs: resources/channel, "Create Channel Invite". Raises MISSING_PERMISSIONS, TOO_MANY_INVITES.
    """
    here = await access.guild_channel(core, me, channel_id, p.CREATE_INSTANT_INVITE)
    invite = replace(
        _endless(core, here.guild, here.channel),
        inviter_id=me.id,
        max_age_s=body.max_age,
        max_uses=body.max_uses,
        temporary=int(body.temporary),
    )
    found = None if body.unique else await core.db.read(store.reusable, invite, core.clock_ms())
    if found is None:
        await _create(core, me, here, invite, reason)
    return invite_views.with_metadata(found or invite, here.guild, here.channel, me.user)


async def of_channel(core: Core, me: Actor, channel_id: Snowflake) -> list[InviteWithMetadata]:
    """Docs: resources/channel, "Get Channel Invites"."""
    here = await access.guild_channel(core, me, channel_id, p.MANAGE_CHANNELS)
    return [each for each in await _list(core, here.guild) if each.channel.id == channel_id]


async def of_guild(core: Core, me: Actor, guild_id: Snowflake) -> list[InviteWithMetadata]:
    """Oldest first. Docs: resources/guild, "Get Guild Invites"."""
    return await _list(core, await access.guild(core, me, guild_id, p.MANAGE_GUILD))


async def delete(core: Core, me: Actor, code: str, reason: str | None) -> Invite:
    """Docs: resources/invite, "Delete Invite". Raises UNKNOWN_INVITE, MISSING_PERMISSIONS."""
    row, guild, channel = await _find(core, code)
    may = access.granted(core, guild, me.id) & p.MANAGE_GUILD
    if not may and not access.granted(core, guild, me.id, channel.id) & p.MANAGE_CHANNELS:
        raise MISSING_PERMISSIONS()
    shown = invite_views.plain(core, row, guild, channel, None, with_counts=False)
    entries = [audit_log.entry(me, AuditLogEvent.INVITE_DELETE, None, reason, changes=_changes(row, is_new=False))]
    event = InviteDeleteEvent(channel_id=channel.id, guild_id=guild.guild.id, code=code)

    def deleted(_: None) -> Invite:
        _tell(core, guild, channel, "INVITE_DELETE", event)
        return shown

    return await audit_log.change(core, guild, entries, _delete, code, then=deleted)


async def show(core: Core, code: str, query: InviteQuery) -> Invite:
    """Anybody who knows the code may look. Docs: resources/invite, "Get Invite"."""
    row, guild, channel = await _find(core, code)
    inviter = None
    if row.inviter_id is not None:
        inviter = (await core.db.read(users, (row.inviter_id,))).get(row.inviter_id)
    return invite_views.plain(core, row, guild, channel, inviter, query.with_counts)


async def accept(core: Core, me: Actor, code: str) -> Invite:
    """Join the guild; for a member it changes nothing. Docs: resources/invite (people's clients only).

    Raises UNKNOWN_INVITE, FEATURE_DISABLED while the guild has paused its invites.
    """
    if me.is_bot:
        raise BOTS_CANNOT_USE_THIS()
    row, guild, channel = await _find(core, code)
    if me.id not in guild.members:
        if INVITES_DISABLED in guild.guild.features:
            raise FEATURE_DISABLED()
        member = members.new(me.user, core.clock_ms())

        def joined(added: bool) -> None:
            if added:  # the profile may have changed since
                membership.joined(core, guild, replace(member, user=me.user))

        await change(core, (guild.id, me.id), _join, code, guild.id, member, core.clock_ms(), then=joined)
        await automod.check_member(core, guild, member, automod.shown_name(member))
    return invite_views.plain(core, row, guild, channel, None, with_counts=True)


async def of_widget(core: Core, guild: GuildState, channel: Channel) -> str:
    """The code of the one invite without end to the channel that nobody has made; it is made when there is none."""
    found = await core.db.read(store.nobodys, channel.id)
    if found is not None:
        return found.code
    wanted = _endless(core, guild, channel)

    def made(invite: InviteRow) -> str:
        if invite is wanted:
            _tell_created(core, guild, channel, invite, None)
        return invite.code

    return await change(core, (guild.id,), _insert_nobodys, wanted, then=made)


async def _list(core: Core, guild: GuildState) -> list[InviteWithMetadata]:
    rows = await core.db.read(store.of_guild, guild.id)
    inviters = await core.db.read(users, tuple({row.inviter_id for row in rows if row.inviter_id is not None}))
    return [
        invite_views.with_metadata(row, guild, guild.channels[row.channel_id], inviters.get(row.inviter_id or 0))
        for row in rows
        if store.is_live(row, core.clock_ms()) and row.channel_id in guild.channels
    ]


async def _find(core: Core, code: str) -> tuple[InviteRow, GuildState, Channel]:
    row = await core.db.read(store.get, code)
    if row is None:
        return await _find_vanity(core, code)
    if not store.is_live(row, core.clock_ms()):
        raise UNKNOWN_INVITE()
    guild = await access.load_guild(core, row.guild_id)
    channel = guild.channels.get(row.channel_id) if guild is not None else None
    if guild is None or channel is None:
        raise UNKNOWN_INVITE()
    return row, guild, channel


async def _find_vanity(core: Core, code: str) -> tuple[InviteRow, GuildState, Channel]:
    row = await core.db.read(vanity_urls.get, code)
    guild = await access.load_guild(core, row.guild_id) if row is not None else None
    if row is None or guild is None:
        raise UNKNOWN_INVITE()
    ordered = sorted(guild.channels.values(), key=lambda channel: (channel.position, channel.id))
    for channel in ordered:
        if channel.type in MESSAGE_TYPES and guild.permissions_of_everyone(channel) & p.VIEW_CHANNEL:
            return replace(_endless(core, guild, channel), code=code, uses=row.uses), guild, channel
    raise UNKNOWN_INVITE()


def _endless(core: Core, guild: GuildState, channel: Channel) -> InviteRow:
    """A new invite without an end, which nobody has made."""
    return InviteRow(
        code="".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH)),
        guild_id=guild.id,
        channel_id=channel.id,
        inviter_id=None,
        created_ms=core.clock_ms(),
        max_age_s=0,
        max_uses=0,
        uses=0,
        temporary=0,
    )


# --- transactions and what follows them ------------------------------------------------------------------------------


async def _create(core: Core, me: Actor, here: GuildChannel, row: InviteRow, reason: str | None) -> None:
    guild, channel = here.guild, here.channel
    entries = [audit_log.entry(me, AuditLogEvent.INVITE_CREATE, None, reason, changes=_changes(row, is_new=True))]
    try:
        await audit_log.change(
            core, guild, entries, _insert, row, then=lambda _: _tell_created(core, guild, channel, row, me.user)
        )
    except Missing:  # deleted since we looked
        raise UNKNOWN_CHANNEL() from None


def _insert(tx: Tx, invite: InviteRow) -> None:
    if len(store.of_guild(tx, invite.guild_id)) >= GUILD_INVITES:
        raise TOO_MANY_INVITES()
    store.insert(tx, invite)


def _insert_nobodys(tx: Tx, invite: InviteRow) -> InviteRow:
    """The invite, or the one that another request has made meanwhile."""
    found = store.nobodys(tx, invite.channel_id)
    if found is None:
        _insert(tx, invite)
    return found or invite


def _delete(tx: Tx, code: str) -> None:
    if not store.delete(tx, code):
        raise UNKNOWN_INVITE()


def _tell_created(core: Core, guild: GuildState, channel: Channel, row: InviteRow, inviter: User | None) -> None:
    event = InviteCreateEvent(
        channel_id=channel.id,
        code=row.code,
        created_at=timestamp(row.created_ms),
        expires_at=invite_views.expires_at(row),
        guild_id=guild.guild.id,
        max_age=row.max_age_s,
        max_uses=row.max_uses,
        temporary=bool(row.temporary),
        uses=row.uses,
        inviter=UNSET if inviter is None else inviter,
    )
    _tell(core, guild, channel, "INVITE_CREATE", event)


def _tell(core: Core, guild: GuildState, channel: Channel, name: str, event: Object) -> None:
    """Besides the intent it takes MANAGE_CHANNELS (events/gateway-events, "Invite Create" and "Invite Delete")."""
    viewers = guild.audience(GATES[name][0], channel.id)
    allowed = (s for s in viewers if access.granted(core, guild, s.user.id, channel.id) & p.MANAGE_CHANNELS)
    core.live.to_sessions(guild.id, name, event, allowed)


def _changes(row: InviteRow, *, is_new: bool) -> list[AuditLogChange]:
    """What the audit log has of an invite; it names no target."""
    terms: dict[str, Any] = {
        "code": row.code,
        "channel_id": Snowflake(row.channel_id),
        "inviter_id": None if row.inviter_id is None else Snowflake(row.inviter_id),
        "max_age": row.max_age_s,
        "max_uses": row.max_uses,
        "temporary": bool(row.temporary),
        "uses": row.uses,
    }
    return audit_log.differences({}, terms) if is_new else audit_log.differences(terms, {})


def _join(tx: Tx, code: str, guild_id: int, member: Member, now_ms: int) -> bool:
    row = store.get(tx, code)
    if (row is None and vanity_urls.get(tx, code) is None) or (row is not None and not store.is_live(row, now_ms)):
        raise UNKNOWN_INVITE()
    if bans.exists(tx, guild_id, member.user.id):
        raise BANNED()
    added = members.insert(tx, guild_id, member)
    if added:
        (vanity_urls if row is None else store).use(tx, code)
        if row is not None and row.temporary:
            temporary_members.insert(tx, guild_id, member.user.id)
    return added
