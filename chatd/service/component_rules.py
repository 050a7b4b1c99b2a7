"""What the types of components cannot say: which go together, and what a message holds of them.

Docs: components/reference. Every fault is told at once, at its path in the form.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from chatd.model import limits, urls
from chatd.model.files import sanitize
from chatd.model.objects.component import (
    ActionRow,
    Button,
    ButtonStyle,
    ChannelSelect,
    Component,
    ComponentEmoji,
    EntitySelect,
    File,
    Media,
    MediaGallery,
    MentionableSelect,
    MessageComponent,
    RoleSelect,
    StringSelect,
    Thumbnail,
    UserSelect,
    texts,
    walk,
)
from chatd.model.unicode_emoji import is_emoji
from chatd.model.validate import FormErrors, form_error

# Clients open these from a button; the last leads into the client itself.
_LINK_SCHEMES = (*urls.WEB, "discord")
_ATTACHMENT = "attachment://"

# What each style must have and must not have (components/reference, "Button Structure").
_CLICKED = ("custom_id", ("url", "sku_id"))
_BUTTON_FIELDS = {
    ButtonStyle.PRIMARY: _CLICKED,
    ButtonStyle.SECONDARY: _CLICKED,
    ButtonStyle.SUCCESS: _CLICKED,
    ButtonStyle.DANGER: _CLICKED,
    ButtonStyle.LINK: ("url", ("custom_id", "sku_id")),
    ButtonStyle.PREMIUM: ("sku_id", ("custom_id", "url", "label", "emoji")),
}
_REQUIRED = {
    "custom_id": ("BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required"),
    "url": ("BUTTON_COMPONENT_URL_REQUIRED", "A url is required"),
    "sku_id": ("BUTTON_COMPONENT_SKU_ID_REQUIRED", "A sku id is required"),
}

INVALID_EMOJI = ("COMPONENT_INVALID_EMOJI", "Invalid emoji")

_DEFAULT_TYPES: dict[type[EntitySelect], tuple[str, ...]] = {
    UserSelect: ("user",),
    RoleSelect: ("role",),
    MentionableSelect: ("user", "role"),
    ChannelSelect: ("channel",),
}


def check_count(tree: tuple[MessageComponent, ...]) -> None:
    """Raises a form error."""
    if sum(1 for _ in walk(tree)) > limits.COMPONENTS:
        message = f"Total number of components cannot exceed {limits.COMPONENTS}"
        raise form_error("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", message)


def check(tree: tuple[MessageComponent, ...], is_v2: bool, files: Collection[str]) -> None:
    """Components without nulls; `files` are the names of the message's attachments. Raises a form error."""
    errors = FormErrors()
    if not is_v2:
        _check_legacy(tree, errors)
    if sum(map(len, texts(tree))) > limits.COMPONENTS_TEXT_LENGTH:
        message = f"Components displayable text size exceeds maximum size of {limits.COMPONENTS_TEXT_LENGTH}"
        errors.add("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)
    ids: set[int | None] = set()
    custom_ids: set[str] = set()
    for path, component in walk(tree):
        if component.id in ids:
            errors.add(f"{path}.id", "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
        ids.add(component.id)
        custom_id = getattr(component, "custom_id", UNSET)
        if custom_id is not UNSET:
            if custom_id in custom_ids:
                message = "Component custom id cannot be duplicated"
                errors.add(f"{path}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", message)
            custom_ids.add(custom_id)
        if (rule := _RULES.get(type(component))) is not None:
            rule(component, path, files, errors)
    errors.raise_if_any()


def _check_legacy(tree: tuple[MessageComponent, ...], errors: FormErrors) -> None:
    """Without IS_COMPONENTS_V2 ("Legacy Message Component Behavior")."""
    if len(tree) > limits.ACTION_ROWS:
        errors.add("components", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.ACTION_ROWS} or fewer in length.")
    for index, component in enumerate(tree):
        if not isinstance(component, ActionRow):
            errors.add(f"components.{index}", "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')


# --- the rules of each kind ------------------------------------------------------------------------------------------


def _row(row: ActionRow, path: str, _: Collection[str], errors: FormErrors) -> None:
    """A row is as wide as five buttons, or one select."""
    width = 0
    for index, component in enumerate(row.components):
        width += 1 if isinstance(component, Button) else limits.ACTION_ROW_BUTTONS[1]
        if width > limits.ACTION_ROW_BUTTONS[1]:
            message = "The specified component exceeds the maximum width"
            errors.add(f"{path}.components.{index}", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message)


def _button(button: Button, path: str, _: Collection[str], errors: FormErrors) -> None:
    required, forbidden = _BUTTON_FIELDS[button.style]
    if getattr(button, required) is UNSET:
        errors.add(f"{path}.{required}", *_REQUIRED[required])
    given = [name for name in forbidden if getattr(button, name) is not UNSET]
    if button.custom_id is not UNSET and button.url is not UNSET:
        message = "A custom id and url cannot both be specified"
        errors.add(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message)
        given = [name for name in given if name not in ("custom_id", "url")]
    for name in given:
        errors.add(f"{path}.{name}", "BUTTON_COMPONENT_FIELD_NOT_ALLOWED", f"A button of this style has no {name}")
    if button.style == ButtonStyle.PREMIUM:
        errors.add(f"{path}.sku_id", "BUTTON_COMPONENT_SKU_ID_INVALID", "There is nothing for sale here")
    elif not button.label and button.emoji is UNSET:
        errors.add(f"{path}.label", "BASE_TYPE_REQUIRED", "This field is required")
    _check_emoji(button.emoji, path, errors)
    if isinstance(button.url, str) and (fault := urls.fault(button.url, _LINK_SCHEMES)):
        errors.add(f"{path}.url", *fault)


def _string_select(select: StringSelect, path: str, _: Collection[str], errors: FormErrors) -> None:
    _check_values(select.min_values or 0, select.max_values or 1, len(select.options), path, errors)
    values: set[str] = set()
    for index, option in enumerate(select.options):
        if option.value in values:
            message = "The specified option value is already used"
            errors.add(f"{path}.options.{index}", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)
        values.add(option.value)
        _check_emoji(option.emoji, f"{path}.options.{index}", errors)
    if sum(option.default is True for option in select.options) > (select.max_values or 1):
        message = "There are more default values than may be chosen"
        errors.add(f"{path}.options", "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", message)


def _check_emoji(emoji: ComponentEmoji | UnsetType | None, path: str, errors: FormErrors) -> None:
    """Custom ones have been looked up."""
    if isinstance(emoji, ComponentEmoji) and emoji.id is UNSET and not is_emoji(emoji.name or ""):
        errors.add(f"{path}.emoji.name", *INVALID_EMOJI)


def _entity_select(select: EntitySelect, path: str, _: Collection[str], errors: FormErrors) -> None:
    low, high = select.min_values or 0, select.max_values or 1
    _check_values(low, high, limits.SELECT_VALUES, path, errors)
    values = select.default_values or ()
    if values and not low <= len(values) <= high:
        errors.add(f"{path}.default_values", "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
    types = _DEFAULT_TYPES[type(select)]
    for index, value in enumerate(values):
        if value.type not in types:
            choices = ", ".join(map(repr, types))
            message = f'Value "{value.type}" must be one of {{{choices}}}.'
            errors.add(f"{path}.default_values.{index}.type", "BASE_TYPE_CHOICES", message)


def _check_values(low: int, high: int, choices: int, path: str, errors: FormErrors) -> None:
    if high > choices:
        message = f"int value should be less than or equal to {choices}."
        errors.add(f"{path}.max_values", "NUMBER_TYPE_MAX", message)
    if low > high:
        errors.add(f"{path}.min_values", "NUMBER_TYPE_MAX", f"int value should be less than or equal to {high}.")


def _thumbnail(thumbnail: Thumbnail, path: str, files: Collection[str], errors: FormErrors) -> None:
    _check_media(thumbnail.media, f"{path}.media.url", files, errors)


def _gallery(gallery: MediaGallery, path: str, files: Collection[str], errors: FormErrors) -> None:
    for index, item in enumerate(gallery.items):
        _check_media(item.media, f"{path}.items.{index}.media.url", files, errors)


def _file(file: File, path: str, files: Collection[str], errors: FormErrors) -> None:
    if file.file.url.startswith(_ATTACHMENT):
        _check_media(file.file, f"{path}.file.url", files, errors)
    else:
        message = f"A file is a reference to an attachment: {_ATTACHMENT} and its name"
        errors.add(f"{path}.file.url", "UNFURLED_MEDIA_ITEM_ATTACHMENT_REFERENCE_REQUIRED", message)


def _check_media(media: Media, path: str, files: Collection[str], errors: FormErrors) -> None:
    if media.url.startswith(_ATTACHMENT):
        if sanitize(media.url.removeprefix(_ATTACHMENT)) not in files:
            message = "The referenced attachment was not found"
            errors.add(path, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", message)
    elif fault := urls.fault(media.url):
        errors.add(path, *fault)


_RULES: Mapping[type[Component], Callable[[Any, str, Collection[str], FormErrors], None]] = {
    ActionRow: _row,
    Button: _button,
    StringSelect: _string_select,
    UserSelect: _entity_select,
    RoleSelect: _entity_select,
    MentionableSelect: _entity_select,
    ChannelSelect: _entity_select,
    Thumbnail: _thumbnail,
    MediaGallery: _gallery,
    File: _file,
}
