"""Voice regions and voice states over REST. Docs: resources/voice. What they do is in `service.voice`."""

from msgspec import UNSET
from msgspec.structs import replace

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import (
    MISSING_PERMISSIONS,
    NOT_CONNECTED_TO_VOICE,
    UNKNOWN_VOICE_STATE,
    WRONG_CHANNEL_TYPE,
)
from chatd.model.objects.channel import ChannelType
from chatd.model.objects.gateway import GuildVoiceState
from chatd.model.objects.voice import MyVoiceStatePatch, VoiceRegion, VoiceState, VoiceStatePatch
from chatd.model.validate import form_error
from chatd.model.wire import Snowflake, parse_timestamp, timestamp
from chatd.service import access, voice
from chatd.service.actors import Actor
from chatd.service.core import Core

# There is one place, which is here; guilds have it as their `region`.
REGIONS = (VoiceRegion(id="local", name="Local", optimal=True),)


async def regions(core: Core, me: Actor) -> list[VoiceRegion]:
    """Docs: resources/voice, "List Voice Regions"."""
    return list(REGIONS)


async def guild_regions(core: Core, me: Actor, guild_id: Snowflake) -> list[VoiceRegion]:
    """Docs: resources/guild, "Get Guild Voice Regions"."""
    await access.guild(core, me, guild_id)
    return list(REGIONS)


async def mine(core: Core, me: Actor, guild_id: Snowflake) -> GuildVoiceState:
    """Docs: resources/voice, "Get Current User Voice State". Raises UNKNOWN_VOICE_STATE."""
    guild = await access.guild(core, me, guild_id)
    return voice.wire_form(guild, _state(guild, me.id))


async def show(core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake) -> GuildVoiceState:
    """Docs: resources/voice, "Get User Voice State". Raises UNKNOWN_VOICE_STATE, MISSING_PERMISSIONS."""
    guild = await access.guild(core, me, guild_id)
    state = _state(guild, user_id)
    _check(core, guild, me, state, p.CONNECT)
    return voice.wire_form(guild, state)


async def edit_mine(core: Core, me: Actor, guild_id: Snowflake, body: MyVoiceStatePatch) -> None:
    """On a stage: speak, or ask to. Docs: resources/voice, "Modify Current User Voice State".

    To speak takes MUTE_MEMBERS, to ask REQUEST_TO_SPEAK; stepping back takes nothing.
    Raises UNKNOWN_VOICE_STATE, NOT_CONNECTED_TO_VOICE, WRONG_CHANNEL_TYPE, MISSING_PERMISSIONS or a form error.
    """
    guild = await access.guild(core, me, guild_id)
    async with guild.lock:
        new = old = _on_stage(guild, me.id, body)
        if body.suppress is not None:
            _check(core, guild, me, old, 0 if body.suppress else p.MUTE_MEMBERS)
            new = replace(new, suppress=body.suppress)
        if body.request_to_speak_timestamp is not UNSET:
            _check(core, guild, me, old, p.REQUEST_TO_SPEAK if body.request_to_speak_timestamp else 0)
            new = replace(new, request_to_speak_timestamp=_request(core, body.request_to_speak_timestamp))
        if new != old:
            await voice.commit(core, guild, me.id, new)


async def edit(core: Core, me: Actor, guild_id: Snowflake, user_id: Snowflake, body: VoiceStatePatch) -> None:
    """On a stage: have another one speak, or step back. Docs: resources/voice, "Modify User Voice State".

    Raises UNKNOWN_VOICE_STATE, NOT_CONNECTED_TO_VOICE, WRONG_CHANNEL_TYPE, MISSING_PERMISSIONS.
    """
    guild = await access.guild(core, me, guild_id)
    async with guild.lock:
        old = _on_stage(guild, user_id, body)
        _check(core, guild, me, old, p.MUTE_MEMBERS)
        if body.suppress is None or body.suppress is old.suppress:
            return
        # An invitation to speak: people have to accept it, bots do not.
        is_invited = not body.suppress and guild.members[user_id].user.bot is not True
        asked = timestamp(core.clock_ms()) if is_invited else None
        new = replace(old, suppress=body.suppress, request_to_speak_timestamp=asked)
        await voice.commit(core, guild, user_id, new)


def _state(guild: GuildState, user_id: int) -> VoiceState:
    found = guild.voice.get(user_id)
    if found is None or user_id not in guild.members:
        raise UNKNOWN_VOICE_STATE()
    return found


def _on_stage(guild: GuildState, user_id: int, body: VoiceStatePatch) -> VoiceState:
    """The user's state in the stage channel that the body names, if it names one."""
    state = _state(guild, user_id)
    if body.channel_id is not None and body.channel_id != state.channel_id:
        raise NOT_CONNECTED_TO_VOICE()
    if guild.channels[state.channel_id or 0].type != ChannelType.GUILD_STAGE_VOICE:
        raise WRONG_CHANNEL_TYPE()
    return state


def _check(core: Core, guild: GuildState, me: Actor, state: VoiceState, needs: int) -> None:
    if access.granted(core, guild, me.id, state.channel_id or 0) & needs != needs:
        raise MISSING_PERMISSIONS()


def _request(core: Core, said: str | None) -> str | None:
    """Any present or future time: one that has just passed is the present."""
    if said is None:
        return None
    try:
        return timestamp(max(parse_timestamp(said), core.clock_ms()))
    except ValueError as error:
        raise form_error("request_to_speak_timestamp", "DATE_TIME_TYPE_PARSE", str(error)) from None
