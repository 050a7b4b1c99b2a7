"""Message components (components/reference): as received, as stored and as sent.

A client may leave out what has a default, and send null for it; what is stored has neither nulls for defaults nor
components without an `id` (`service/components`). What only modals may have (text inputs, labels) is no component here.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.channel import ChannelType
from chatd.model.wire import Object, Snowflake, length

CustomId = Annotated[str, length(limits.CUSTOM_ID_LENGTH)]


class Component(Object, frozen=True, kw_only=True, tag_field="type"):
    id: Annotated[int, Meta(ge=0, le=limits.COMPONENT_ID)] | None = 0  # 0 until it is given one


class ComponentEmoji(Object, frozen=True, kw_only=True):
    """One of Unicode has a name alone."""

    id: Snowflake | UnsetType | None = UNSET
    name: Annotated[str, Meta(max_length=limits.COMPONENT_EMOJI_NAME_LENGTH)] | UnsetType | None = UNSET
    animated: bool | UnsetType | None = UNSET


# --- interactive components ------------------------------------------------------------------------------------------


class ButtonStyle(IntEnum):
    PRIMARY = 1
    SECONDARY = 2
    SUCCESS = 3
    DANGER = 4
    LINK = 5
    PREMIUM = 6


class Button(Component, frozen=True, kw_only=True, tag=2):
    style: ButtonStyle
    label: Annotated[str, Meta(max_length=limits.BUTTON_LABEL_LENGTH)] | UnsetType | None = UNSET
    emoji: ComponentEmoji | UnsetType | None = UNSET
    custom_id: CustomId | UnsetType | None = UNSET
    sku_id: Snowflake | UnsetType | None = UNSET
    url: Annotated[str, Meta(max_length=limits.BUTTON_URL_LENGTH)] | UnsetType | None = UNSET
    disabled: bool | None = False


class _Select(Component, frozen=True, kw_only=True):
    custom_id: CustomId
    placeholder: Annotated[str, Meta(max_length=limits.SELECT_PLACEHOLDER_LENGTH)] | UnsetType | None = UNSET
    min_values: Annotated[int, Meta(ge=0, le=limits.SELECT_VALUES)] | None = 1
    max_values: Annotated[int, Meta(ge=1, le=limits.SELECT_VALUES)] | None = 1
    disabled: bool | None = False


class SelectOption(Object, frozen=True, kw_only=True):
    label: Annotated[str, length(limits.SELECT_TEXT_LENGTH)]
    value: Annotated[str, length(limits.SELECT_TEXT_LENGTH)]
    description: Annotated[str, Meta(max_length=limits.SELECT_DESCRIPTION_LENGTH)] | UnsetType | None = UNSET
    emoji: ComponentEmoji | UnsetType | None = UNSET
    default: bool | None = False


class StringSelect(_Select, frozen=True, kw_only=True, tag=3):
    options: Annotated[tuple[SelectOption, ...], length(limits.SELECT_OPTIONS)]


class DefaultValue(Object, frozen=True, kw_only=True):
    id: Snowflake
    type: Literal["user", "role", "channel"]


class EntitySelect(_Select, frozen=True, kw_only=True):
    """Clients fill it with what there is in the guild."""

    default_values: Annotated[tuple[DefaultValue, ...], Meta(max_length=limits.SELECT_VALUES)] | None = ()


class UserSelect(EntitySelect, frozen=True, kw_only=True, tag=5):
    pass


class RoleSelect(EntitySelect, frozen=True, kw_only=True, tag=6):
    pass


class MentionableSelect(EntitySelect, frozen=True, kw_only=True, tag=7):
    pass


class ChannelSelect(EntitySelect, frozen=True, kw_only=True, tag=8):
    channel_types: tuple[ChannelType, ...] | None = ()  # empty: of every type


# --- content ---------------------------------------------------------------------------------------------------------


class Media(Object, frozen=True, kw_only=True):
    """An unfurled media item: a client says the `url` alone, an address or `attachment://` and the name of a file."""

    url: Annotated[str, Meta(max_length=limits.MEDIA_URL_LENGTH)]
    id: Snowflake | UnsetType = UNSET
    proxy_url: str | UnsetType = UNSET


MediaDescription = Annotated[str, length(limits.MEDIA_DESCRIPTION_LENGTH)]


class TextDisplay(Component, frozen=True, kw_only=True, tag=10):
    content: Annotated[str, length(limits.TEXT_DISPLAY_LENGTH)]


class Thumbnail(Component, frozen=True, kw_only=True, tag=11):
    media: Media
    description: MediaDescription | None = None
    spoiler: bool | None = False


class GalleryItem(Object, frozen=True, kw_only=True):
    media: Media
    description: MediaDescription | None = None
    spoiler: bool | None = False


class MediaGallery(Component, frozen=True, kw_only=True, tag=12):
    items: Annotated[tuple[GalleryItem, ...], length(limits.GALLERY_ITEMS)]


class File(Component, frozen=True, kw_only=True, tag=13):
    file: Media
    spoiler: bool | None = False
    name: str | None = None  # this and the size are the server's to say
    size: int | None = None


# --- layout ----------------------------------------------------------------------------------------------------------


class ActionRow(Component, frozen=True, kw_only=True, tag=1):
    components: Annotated[
        tuple[Button | StringSelect | UserSelect | RoleSelect | MentionableSelect | ChannelSelect, ...],
        length(limits.ACTION_ROW_BUTTONS),
    ]


class Section(Component, frozen=True, kw_only=True, tag=9):
    components: Annotated[tuple[TextDisplay, ...], length(limits.SECTION_TEXTS)]
    accessory: Button | Thumbnail


class Separator(Component, frozen=True, kw_only=True, tag=14):
    divider: bool | None = True
    spacing: Literal[1, 2] | None = 1


class Container(Component, frozen=True, kw_only=True, tag=17):
    components: Annotated[
        tuple[ActionRow | Section | TextDisplay | MediaGallery | File | Separator, ...], length((1, limits.COMPONENTS))
    ]
    accent_color: Annotated[int, Meta(ge=0, le=0xFFFFFF)] | None = None
    spoiler: bool | None = False


# What may stand at the top of a message; without IS_COMPONENTS_V2 only rows.
MessageComponent = ActionRow | Section | TextDisplay | MediaGallery | File | Separator | Container


def walk(tree: tuple[Component, ...], path: str = "components") -> Iterator[tuple[str, Component]]:
    """Every component of a message with its path in the form, each before those inside it."""
    for index, component in enumerate(tree):
        here = f"{path}.{index}"
        yield here, component
        if isinstance(component, ActionRow | Section | Container):
            yield from walk(component.components, f"{here}.components")
        if isinstance(component, Section):
            yield f"{here}.accessory", component.accessory


def texts(tree: tuple[Component, ...]) -> list[str]:
    """What the message says in words."""
    return [component.content for _, component in walk(tree) if isinstance(component, TextDisplay)]
