"""Components of messages: from what a client sent to what is stored. Docs: components/reference.

What the types cannot say of them is in `component_rules`.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import count
from typing import Any

from msgspec import UNSET
from msgspec.structs import FieldInfo, fields, replace

from chatd.model.objects.component import (
    Button,
    Component,
    ComponentEmoji,
    File,
    Media,
    MessageComponent,
    StringSelect,
    walk,
)
from chatd.model.objects.emoji import Emoji
from chatd.model.validate import form_error
from chatd.model.wire import Object, Snowflake
from chatd.service import component_rules, usable_emojis
from chatd.service.access import Here
from chatd.service.actors import Actor
from chatd.service.core import Core

Tree = tuple[MessageComponent, ...]


async def received(core: Core, me: Actor, here: Here, tree: Tree) -> Tree:
    """The same with ids, with defaults for nulls, and with custom emojis as they are.

    Raises MISSING_PERMISSIONS for an emoji of elsewhere, or a form error.
    """
    component_rules.check_count(tree)  # before anything is looked up for them
    custom: dict[int, Emoji] = {}
    for path, emoji in _emojis(tree):
        if isinstance(emoji.id, Snowflake) and emoji.id not in custom:
            found = await usable_emojis.find(core, me, here, emoji.id)
            if found is None:
                raise form_error(f"{path}.id", *component_rules.INVALID_EMOJI)
            custom[emoji.id] = found
    return complete(tree, custom, core.ids.next)


def _emojis(tree: Tree) -> Iterator[tuple[str, ComponentEmoji]]:
    for path, component in walk(tree):
        if isinstance(component, Button) and isinstance(component.emoji, ComponentEmoji):
            yield f"{path}.emoji", component.emoji
        elif isinstance(component, StringSelect):
            for index, option in enumerate(component.options):
                if isinstance(option.emoji, ComponentEmoji):
                    yield f"{path}.options.{index}.emoji", option.emoji


def complete(tree: Tree, custom: Mapping[int, Emoji], new_id: Callable[[], int]) -> Tree:
    """Ids are numbers in the order of the message, without those that the client has given to others."""
    taken = {component.id for _, component in walk(tree)}
    numbers = (number for number in count(1) if number not in taken)

    def completed(node: Any) -> Any:
        if isinstance(node, tuple):
            return tuple(map(completed, node))
        if isinstance(node, Media):
            return Media(url=node.url, id=Snowflake(new_id()), proxy_url=node.url)
        if isinstance(node, ComponentEmoji):
            return _emoji(node, custom)
        if isinstance(node, File):
            node = replace(node, name=None, size=None)
        if isinstance(node, Component) and not node.id:
            node = replace(node, id=next(numbers))
        if isinstance(node, Object):
            given = ((field, getattr(node, field.name)) for field in _fields(type(node)))
            return type(node)(**{f.name: f.default if value is None else completed(value) for f, value in given})
        return node

    found: Tree = completed(tree)
    return found


def _emoji(emoji: ComponentEmoji, custom: Mapping[int, Emoji]) -> ComponentEmoji:
    if not isinstance(emoji.id, Snowflake):
        return ComponentEmoji(name=emoji.name or UNSET)
    found = custom[emoji.id]
    return ComponentEmoji(id=found.id, name=found.name, animated=found.animated)


@cache
def _fields(kind: type[Object]) -> tuple[FieldInfo, ...]:
    return fields(kind)
