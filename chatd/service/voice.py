"""Who is in which voice channel, as data: chatd carries no sound. Docs: resources/voice, events/gateway-events.

A voice state lives in memory, belongs to the gateway session that made it, and ends with it. So that no session goes
on believing in states that a crash has undone, a guild has a bar in the journal while anybody is in voice there: after
a crash its sessions identify anew. A server that stops in order has everyone leave first, and they resume.

Changes hold `guild.lock` from check to commit, as all of a guild's do.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial

from msgspec import UNSET
from msgspec.structs import asdict, replace

from chatd.live.guilds import GuildState
from chatd.live.sessions import Session
from chatd.model import permissions as p
from chatd.model.errors import NOT_CONNECTED_TO_VOICE, UNKNOWN_CHANNEL
from chatd.model.intents import GATES
from chatd.model.objects.audit_log import AuditLogEntry
from chatd.model.objects.channel import VOICE_TYPES, Channel, ChannelType
from chatd.model.objects.gateway import GuildVoiceState
from chatd.model.objects.voice import VoiceServerUpdate, VoiceState, VoiceStateUpdate
from chatd.model.wire import Snowflake
from chatd.service import access, audit_log
from chatd.service.commits import change, mark
from chatd.service.core import Core
from chatd.store import journal
from chatd.store.db import Overloaded, Tx

_GATE = GATES["VOICE_STATE_UPDATE"][0]


async def update(core: Core, session: Session, body: VoiceStateUpdate) -> None:
    """Join, move or leave, mute or deafen oneself. Docs: events/gateway-events, "Update Voice State".

    What is not allowed, or makes no sense, changes nothing and is not answered, as on Discord. A person is in one
    voice channel at a time, a bot in one of each guild.
    """
    guild = None if body.guild_id is None else await access.guild_of_session(core, session, body.guild_id)
    if guild is None:
        return
    async with guild.lock:
        old = guild.voice.get(session.user.id)
        new = None if body.channel_id is None else _joined(core, guild, session, body, old)
        if new == old or (new is None and body.channel_id is not None):
            return
        await commit(core, guild, session.user.id, new)
    if new is not None and session.user.bot is not True:
        await _leave_others(core, guild, session.user.id)


async def move(
    core: Core, guild: GuildState, user_id: int, channel_id: int | None, entries: Sequence[AuditLogEntry] = ()
) -> None:
    """Move a member who is in voice to another channel of the guild, or out of it (None).

    The caller holds `guild.lock` and has checked permissions. Raises NOT_CONNECTED_TO_VOICE, UNKNOWN_CHANNEL.
    """
    old = guild.voice.get(user_id)
    if old is None:
        raise NOT_CONNECTED_TO_VOICE()
    new = None
    if channel_id is not None:
        channel = guild.channels.get(channel_id)
        if channel is None or channel.type not in VOICE_TYPES:
            raise UNKNOWN_CHANNEL()
        new = _moved(guild, channel, old)
    if new != old:
        await commit(core, guild, user_id, new, entries)


async def commit(
    core: Core, guild: GuildState, user_id: int, new: VoiceState | None, entries: Sequence[AuditLogEntry] = ()
) -> None:
    """Put `new` in place of the member's state, None to leave. The caller holds `guild.lock`."""
    # Who leaves lifts nothing: the bar stays until the last one has left.
    await audit_log.change(
        core,
        guild,
        entries,
        _raise_bar,
        guild.id,
        new is not None,
        then=lambda _: _committed(core, guild, user_id, new),
    )


def _raise_bar(tx: Tx, guild_id: int, is_in_voice: bool) -> None:
    if is_in_voice:
        journal.bar(tx, guild_id)


# --- for the callbacks of other commits ------------------------------------------------------------------------------


def disconnect(core: Core, guild: GuildState, user_ids: Iterable[int]) -> None:
    """These leave voice, as far as they are in it: their channel is gone, or they are no members any more."""
    for user_id in user_ids:
        if user_id in guild.voice:
            _put(core, guild, user_id, None)


def flags_changed(core: Core, guild: GuildState, user_id: int) -> None:
    """The member's `mute` or `deaf` is another now."""
    old = guild.voice.get(user_id)
    if old is not None:
        member = guild.members[user_id]
        new = replace(old, mute=member.mute, deaf=member.deaf)
        if new != old:
            _put(core, guild, user_id, new)


# --- ends ------------------------------------------------------------------------------------------------------------


async def sweep(core: Core) -> None:
    """Those leave whose session or membership has ended; a guild that nobody is in any more loses its bar."""
    for guild in _voiced(core):
        if guild.voice and not _gone(core, guild):
            continue
        async with guild.lock:
            if gone := _gone(core, guild):
                await mark(core, (guild.id,), partial(disconnect, core, guild, gone))
            if not guild.voice:
                await core.db.write(journal.lift, guild.id)
                core.live.voiced.discard(guild.id)


async def hang_up(core: Core) -> None:
    """Before the server stops in order: everyone leaves, so that sessions may go on after it."""

    def left(_: None) -> None:
        for guild in _voiced(core):
            disconnect(core, guild, tuple(guild.voice))
        core.live.voiced.clear()

    if core.live.voiced:
        with suppress(Overloaded):  # the bars stay, and who knew of these states identifies anew
            await change(core, tuple(core.live.voiced), journal.lift_all, then=left)


def _voiced(core: Core) -> list[GuildState]:
    return [core.live.guilds[guild_id] for guild_id in core.live.voiced if guild_id in core.live.guilds]


def _gone(core: Core, guild: GuildState) -> list[int]:
    return [
        user_id
        for user_id, state in guild.voice.items()
        if core.live.sessions.get(state.session_id) is None or user_id not in guild.members
    ]


async def _leave_others(core: Core, guild: GuildState, user_id: int) -> None:
    for other in _voiced(core):
        if other is not guild and user_id in other.voice:
            async with other.lock:
                if user_id in other.voice:
                    await commit(core, other, user_id, None)


# --- states ----------------------------------------------------------------------------------------------------------


def _joined(
    core: Core, guild: GuildState, session: Session, body: VoiceStateUpdate, old: VoiceState | None
) -> VoiceState | None:
    """The session's state in the channel that it asks for; None when it may not be there."""
    user_id = session.user.id
    member, channel = guild.members.get(user_id), guild.channels.get(body.channel_id or 0)
    if member is None or channel is None or channel.type not in VOICE_TYPES:
        return None
    if old is None or old.channel_id != channel.id:
        if not _may_join(core, guild, channel, user_id):
            return None
        outside = VoiceState(
            channel_id=None,
            user_id=session.user.id,
            session_id=session.id,
            deaf=member.deaf,
            mute=member.mute,
            self_deaf=False,
            self_mute=False,
            suppress=False,
        )
        old = _moved(guild, channel, outside)
    return replace(old, session_id=session.id, self_mute=body.self_mute, self_deaf=body.self_deaf)


def _may_join(core: Core, guild: GuildState, channel: Channel, user_id: int) -> bool:
    granted = access.granted(core, guild, user_id, channel.id)
    if not granted & p.VIEW_CHANNEL or not granted & p.CONNECT:
        return False
    limit = channel.user_limit or 0
    return not limit or len(guild.voice_in(channel.id)) < limit or bool(granted & p.MOVE_MEMBERS)


def _moved(guild: GuildState, channel: Channel, old: VoiceState) -> VoiceState:
    """On a stage everyone begins in the audience; elsewhere those are suppressed who may not speak."""
    if channel.id == old.channel_id:
        return old
    is_silent = channel.type == ChannelType.GUILD_STAGE_VOICE or channel.id == guild.guild.afk_channel_id
    may_speak = bool(guild.permissions_in(channel.id, old.user_id) & p.SPEAK)
    return replace(old, channel_id=channel.id, suppress=is_silent or not may_speak, request_to_speak_timestamp=None)


# --- after the commit ------------------------------------------------------------------------------------------------


def _committed(core: Core, guild: GuildState, user_id: int, new: VoiceState | None) -> None:
    old = guild.voice.get(user_id)
    _put(core, guild, user_id, new)
    if new is None or (old is not None and (old.channel_id, old.session_id) == (new.channel_id, new.session_id)):
        return
    session = core.live.sessions.get(new.session_id)
    if session is not None and session in guild.sessions:
        core.live.to_sessions(guild.id, "VOICE_SERVER_UPDATE", VoiceServerUpdate(guild_id=guild.guild.id), [session])


def _put(core: Core, guild: GuildState, user_id: int, new: VoiceState | None) -> None:
    """Who sees the new channel learns of it; who saw the old one alone, that the member has left it."""
    old = guild.voice.pop(user_id, None)
    if new is not None:
        guild.voice[user_id] = new
        core.live.voiced.add(guild.id)
    own = [s for s in core.live.sessions.of_user(user_id) if s in guild.sessions and s.intents & _GATE]
    told: dict[Session, None] = {}
    if new is not None:
        told = dict.fromkeys((*guild.audience(_GATE, new.channel_id or 0), *own))
        core.live.to_sessions(guild.id, "VOICE_STATE_UPDATE", wire_form(guild, new), told)
    if old is not None and (new is None or old.channel_id != new.channel_id):
        left = dict.fromkeys((*guild.audience(_GATE, old.channel_id or 0), *own))
        sessions = [session for session in left if session not in told]
        core.live.to_sessions(guild.id, "VOICE_STATE_UPDATE", wire_form(guild, outside(old)), sessions)


def outside(state: VoiceState) -> VoiceState:
    """What those are told who do not see the member in its channel any more."""
    return replace(state, channel_id=None, suppress=False, request_to_speak_timestamp=None)


def wire_form(guild: GuildState, state: VoiceState) -> GuildVoiceState:
    """The state by itself, with its member if that is still one."""
    member = guild.members.get(state.user_id, UNSET)
    return GuildVoiceState(**asdict(state), guild_id=Snowflake(guild.id), member=member)
