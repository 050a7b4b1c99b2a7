"""Whom a message mentions. Docs: resources/message, "Allowed Mentions Object"."""

from collections.abc import Sequence

from chatd.model import markup
from chatd.model import permissions as p
from chatd.model.markup import Mentions
from chatd.model.objects.message import AllowedMentions, MessageExtra
from chatd.model.objects.user import User
from chatd.model.validate import form_error
from chatd.service.access import DirectAccess, GuildPlace, Here
from chatd.service.core import Core
from chatd.store.rows import users


def named(here: Here, content: str, rule: AllowedMentions | None) -> Mentions:
    """Who is mentioned: what the content names, the rule allows, and the author may mention. Raises a form error."""
    if rule is not None:
        _check(rule)
    found = markup.allowed(markup.mentions(content), rule)
    if isinstance(here, DirectAccess):
        return Mentions(found.users, (), False)
    may_mention_all = bool(here.permissions & p.MENTION_EVERYONE)
    roles = here.guild.roles
    return Mentions(
        found.users,
        tuple([id_ for id_ in found.roles if id_ in roles and (may_mention_all or roles[id_].mentionable)]),
        found.everyone and may_mention_all,
    )


def _check(rule: AllowedMentions) -> None:
    """Either all users that are named, or those of a list; so with roles."""
    for name, listed in (("users", rule.users), ("roles", rule.roles)):
        if listed and name in (rule.parse or ()):
            message = f'parse:["{name}"] and {name}: [ids...] are mutually exclusive.'
            raise form_error("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)


def targets(here: Here, extra: MessageExtra) -> tuple[int, ...]:
    """Whom the message calls: a guild stands for @everyone in it."""
    everyone = (here.guild.id,) if extra.mention_everyone and isinstance(here, GuildPlace) else ()
    return tuple(dict.fromkeys((*extra.mentions, *extra.mention_roles, *everyone)))


def replied_user(rule: AllowedMentions | None) -> bool:
    return rule is None or bool(rule.replied_user)


async def resolve(core: Core, here: Here, user_ids: Sequence[int]) -> dict[int, User]:
    """Those of the users that exist, from memory where they are members."""
    members = here.guild.members if isinstance(here, GuildPlace) else {}
    known = {user_id: members[user_id].user for user_id in user_ids if user_id in members}
    strangers = tuple(user_id for user_id in dict.fromkeys(user_ids) if user_id not in known)
    if strangers:
        known.update(await core.db.read(users, strangers))
    return known
