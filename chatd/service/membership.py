"""What follows when a membership begins and ends, whatever does it: invites, bots; leaving, kicks, bans, prunes.

A member's sessions get the guild with GUILD_CREATE, and lose it with GUILD_DELETE.
"""

from collections.abc import Callable, Collection, Sequence

from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from chatd.live.guilds import GuildState
from chatd.live.presence import update as presence_update
from chatd.live.sessions import Session
from chatd.model import intents, limits
from chatd.model.errors import INVALID_GUILD
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import AuditLogEntry
from chatd.model.objects.gateway import GuildDelete, GuildMemberAdd, GuildMemberRemove
from chatd.model.objects.guild import GuildCreate, Member
from chatd.model.objects.integration import GuildIntegrationsUpdate, IntegrationDelete
from chatd.model.objects.user import User
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log, roles, scheduled_events, thread_events, voice
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.store import members
from chatd.store import roles as role_store
from chatd.store.db import Tx


def joined(core: Core, guild: GuildState, member: Member) -> None:
    """After the commit of a new membership: everyone learns of the member, its sessions of the guild."""
    core.live.member_added(guild, member)
    event = GuildMemberAdd(guild_id=guild.guild.id, **asdict(member))
    core.live.to_guild(guild, "GUILD_MEMBER_ADD", event)
    for session in core.live.sessions.of_user(member.user.id):
        subscribe(core, session, guild)


def subscribe(core: Core, session: Session, guild: GuildState, unavailable: bool | UnsetType = UNSET) -> None:
    """Send the session a snapshot and everything after it. Nothing may come between the two: this does not await.

    `unavailable` is false for a guild that READY announced as unavailable, absent for one just joined.
    """
    if session in guild.sessions or not session.serves(guild.id):
        return
    core.live.follow(session, guild.id)
    if session.intents & GATES["GUILD_CREATE"][0]:
        core.live.push(session, "GUILD_CREATE", snapshot(core, session, guild, unavailable))
    guild.add_session(session)


def snapshot(core: Core, session: Session, guild: GuildState, unavailable: bool | UnsetType) -> GuildCreate:
    """The guild as the session's user sees it. Docs: events/gateway-events, "Guild Create"."""
    large = len(guild.members) > session.large_threshold
    me = guild.members[session.user.id]
    voice_states = guild.visible_voice(me.user.id) if session.intents & intents.GUILD_VOICE_STATES else ()
    # Without the presence intent, and of very large guilds, only the user and who is in voice, and no presences.
    in_voice = {me.user.id, *(state.user_id for state in voice_states)}
    listed: Sequence[Member] = [guild.members[id_] for id_ in in_voice if id_ in guild.members]
    with_presences = session.intents & intents.GUILD_PRESENCES and len(guild.members) <= limits.LISTED_MEMBERS
    if with_presences:
        everyone = guild.members.values()
        listed = [m for m in everyone if not large or m.user.id in in_voice or core.live.is_online(m.user.id)]
    return GuildCreate(
        **asdict(guild.guild),
        roles=guild.sorted_roles(),
        joined_at=me.joined_at,
        large=large,
        member_count=len(guild.members),
        members=tuple(listed),
        channels=guild.visible_channels(session.user.id),
        presences=tuple(
            presence_update(guild.id, m.user, core.live.presence_of(m.user.id))
            for m in listed
            if with_presences and core.live.is_online(m.user.id)
        ),
        emojis=tuple(guild.emojis.values()),
        stickers=tuple(guild.stickers.values()),
        unavailable=unavailable,
        voice_states=voice_states,
        guild_scheduled_events=tuple(scheduled_events.view(guild, event) for event in guild.visible_events(me.user.id)),
        threads=tuple(thread.view(me.user.id) for thread in guild.visible_threads(me.user.id)),
    )


async def leave(core: Core, me: Actor, guild_id: Snowflake) -> None:
    """Docs: resources/user, "Leave Guild". Raises INVALID_GUILD for the owner, who hands it over or deletes it."""
    async with (await access.guild(core, me, guild_id)).lock:
        guild = await access.guild(core, me, guild_id)
        if guild.guild.owner_id == me.id:
            raise INVALID_GUILD()
        await end(core, guild, [me.id])


async def end(
    core: Core,
    guild: GuildState,
    user_ids: Collection[int],
    entries: Sequence[AuditLogEntry] = (),
    *,
    within: Callable[[Tx], None] = lambda tx: None,
    first: Callable[[], None] = lambda: None,
) -> None:
    """End those of the users' memberships that there are in one commit, bots' with their managed roles.

    What is done `within` the same transaction is told of `first`. The caller holds the guild's lock.
    """
    leaving = [guild.members[user_id].user for user_id in user_ids if user_id in guild.members]
    managed = [role.id for role in guild.roles.values() if role.tags is not UNSET and role.tags.bot_id in user_ids]

    def delete(tx: Tx) -> None:
        within(tx)
        for user in leaving:
            members.delete(tx, guild.id, user.id)
        for role_id in managed:
            role_store.delete(tx, role_id)

    def ended(_: None) -> None:
        first()
        for user in leaving:
            left(core, guild, user)
        for role_id in managed:
            roles.deleted(core, guild, role_id)

    await audit_log.change(core, guild, entries, delete, then=ended, streams=user_ids)


def left(core: Core, guild: GuildState, user: User) -> None:
    """After the commit: the user's sessions lose the guild, everyone else learns of it.

    Its rows, and those of its threads, are gone by the transaction.
    Docs: events/gateway-events, "Guild Delete" (without `unavailable`: the user was removed), "Guild Member Remove".
    """
    voice.disconnect(core, guild, (user.id,))
    threads = [thread for thread in guild.threads.all() if user.id in thread.members]
    own = [session for session in core.live.sessions.of_user(user.id) if session.serves(guild.id)]
    for session in own:
        core.live.follow(session, guild.id)  # READY may have announced the guild to one that has not got it yet
        core.live.order(session)  # should its user come back at once, GUILD_CREATE is behind all that waits
        guild.remove_session(session)
    for thread in threads:
        del thread.members[user.id]
    core.live.member_removed(guild, user.id)
    told = (session for session in own if session.intents & GATES["GUILD_DELETE"][0])
    core.live.to_sessions(guild.id, "GUILD_DELETE", GuildDelete(id=guild.guild.id), told)
    event = GuildMemberRemove(guild_id=guild.guild.id, user=user)
    core.live.to_guild(guild, "GUILD_MEMBER_REMOVE", event)
    for thread in threads:
        thread_events.left(core, guild, thread, user.id)
    if user.bot is True:
        gone = IntegrationDelete(id=user.id, guild_id=guild.guild.id, application_id=user.id)
        core.live.to_guild(guild, "INTEGRATION_DELETE", gone)
        core.live.to_guild(guild, "GUILD_INTEGRATIONS_UPDATE", GuildIntegrationsUpdate(guild_id=guild.guild.id))
