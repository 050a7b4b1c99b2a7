"""Templates of guilds (resources/guild-template). Placeholders stand for ids: 0 is @everyone."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.channel import DefaultReaction, Overwrite
from chatd.model.objects.guild import GuildName
from chatd.model.objects.role import RoleColors
from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Permissions, Snowflake, length


class SerializedRole(Object, frozen=True, kw_only=True):
    id: int
    name: str
    permissions: Permissions
    color: int
    colors: RoleColors
    hoist: bool
    mentionable: bool
    unicode_emoji: str | None
    icon: str | None = None


class SerializedTag(Object, frozen=True, kw_only=True):
    name: str
    moderated: bool
    emoji_name: str | None
    id: int | None = None
    emoji_id: Snowflake | None = None


class SerializedChannel(Object, frozen=True, kw_only=True):
    id: int
    type: int
    name: str
    position: int
    topic: str | None
    bitrate: int
    user_limit: int
    nsfw: bool
    rate_limit_per_user: int
    parent_id: Snowflake | None
    default_auto_archive_duration: int | None
    permission_overwrites: tuple[Overwrite, ...]
    available_tags: tuple[SerializedTag, ...] | None
    default_reaction_emoji: DefaultReaction | None
    default_thread_rate_limit_per_user: int | None
    default_sort_order: int | None
    default_forum_layout: int | None
    template: str = ""
    default_tag_setting: str | None = None
    theme_color: int | None = None


class SerializedGuild(Object, frozen=True, kw_only=True):
    """What a template keeps of its guild."""

    name: str
    description: str | None
    region: str | None
    verification_level: int
    default_message_notifications: int
    explicit_content_filter: int
    preferred_locale: str
    afk_channel_id: Snowflake | None
    afk_timeout: int
    system_channel_id: Snowflake | None
    system_channel_flags: int
    roles: tuple[SerializedRole, ...]
    channels: tuple[SerializedChannel, ...]
    icon_hash: str | None


class GuildTemplate(Object, frozen=True, kw_only=True):
    code: str
    name: str
    description: str | None
    usage_count: int
    creator_id: Snowflake
    creator: User | None
    created_at: str
    updated_at: str
    source_guild_id: Snowflake
    serialized_source_guild: SerializedGuild
    is_dirty: bool | None


TemplateName = Annotated[str, length(limits.TEMPLATE_NAME_LENGTH)]
TemplateDescription = Annotated[str, Meta(max_length=limits.TEMPLATE_DESCRIPTION_LENGTH)]


class GuildTemplateCreate(Params, kw_only=True):
    """Create Guild Template."""

    name: TemplateName
    description: TemplateDescription | None = None


class GuildTemplatePatch(Params, kw_only=True):
    """Modify Guild Template."""

    name: TemplateName | UnsetType = UNSET
    description: TemplateDescription | UnsetType | None = UNSET


class GuildFromTemplate(Params, kw_only=True):
    """Create Guild from Guild Template (as it was until 2025)."""

    name: GuildName
    icon: None = None
