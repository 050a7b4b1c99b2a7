"""Mentions in message content (reference, "Message Formatting"), and which of them may notify."""

import re
from typing import NamedTuple

from chatd.model.objects.message import AllowedMentions
from chatd.model.wire import MAX_STRING_INT

_MENTION = re.compile(r"<@(?:(?P<role>&)|!?)(?P<id>[0-9]{15,20})>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


class Mentions(NamedTuple):
    """Ids in the order of their first appearance."""

    users: tuple[int, ...]
    roles: tuple[int, ...]
    everyone: bool


def mentions(content: str) -> Mentions:
    """Everything that the content names."""
    users: dict[int, None] = {}
    roles: dict[int, None] = {}
    if "<@" in content:
        for match in _MENTION.finditer(content):
            id_ = int(match["id"])
            if id_ <= MAX_STRING_INT:  # no other can be anybody's, and no database column takes one
                (roles if match["role"] else users)[id_] = None
    return Mentions(tuple(users), tuple(roles), "@" in content and _EVERYONE.search(content) is not None)


def allowed(found: Mentions, rule: AllowedMentions | None) -> Mentions:
    """What is left under `allowed_mentions` (resources/message, "Allowed Mentions Object"); None allows all."""
    if rule is None:
        return found
    parse = rule.parse or ()
    return Mentions(
        tuple(id_ for id_ in found.users if "users" in parse or id_ in (rule.users or ())),
        tuple(id_ for id_ in found.roles if "roles" in parse or id_ in (rule.roles or ())),
        found.everyone and "everyone" in parse,
    )


def clipped(text: str, length: int) -> str:
    """The text, cut off where it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"
