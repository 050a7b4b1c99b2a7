"""Voice states and regions (resources/voice)."""

from msgspec import UNSET, UnsetType

from chatd.model.wire import Object, Params, Snowflake


class VoiceState(Object, frozen=True, gc=False, kw_only=True):
    """A member in a voice channel, as GUILD_CREATE lists it; `channel_id` is null for one that has just left."""

    channel_id: Snowflake | None
    user_id: Snowflake
    session_id: str  # of the gateway session that joined
    deaf: bool
    mute: bool
    self_deaf: bool
    self_mute: bool
    suppress: bool
    request_to_speak_timestamp: str | None = None  # ISO 8601
    self_stream: bool = False
    self_video: bool = False


class VoiceServerUpdate(Object, frozen=True, kw_only=True):
    """VOICE_SERVER_UPDATE: no server is allocated, so libraries wait for another one."""

    guild_id: Snowflake
    token: str = ""
    endpoint: None = None


class VoiceRegion(Object, frozen=True, kw_only=True):
    id: str
    name: str
    optimal: bool
    deprecated: bool = False
    custom: bool = False


class VoiceStateUpdate(Params, kw_only=True):
    """Update Voice State (op 4); without a guild it is about a call between people, which there are none of."""

    guild_id: Snowflake | None
    channel_id: Snowflake | None = None
    self_mute: bool = False
    self_deaf: bool = False


class VoiceStatePatch(Params, kw_only=True):
    """Modify User Voice State. Null is the same as absent."""

    channel_id: Snowflake | None = None
    suppress: bool | None = None


class MyVoiceStatePatch(VoiceStatePatch, kw_only=True):
    """Modify Current User Voice State."""

    request_to_speak_timestamp: str | UnsetType | None = UNSET
