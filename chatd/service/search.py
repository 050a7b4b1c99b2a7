"""Searching a guild's messages. Docs: resources/message, "Search Guild Messages".

What the page leaves open is decided so: words are found anywhere in a message, also inside other words, in any order;
"quoted ones", and all of them with slop 0, as they stand. Relevant first is the message of which the words are the
largest part.
"""

import re
from collections.abc import Sequence

from msgspec import UNSET

from chatd.live.guilds import GuildState
from chatd.model import permissions as p
from chatd.model.errors import FEATURE_DISABLED, MISSING_ACCESS, SEARCH_NOT_READY, ApiError
from chatd.model.intents import MESSAGE_CONTENT
from chatd.model.objects.application import INTENT_FLAGS
from chatd.model.objects.message import Message
from chatd.model.objects.search import FoundMessage, MessageSearch, MessageSearchResult
from chatd.model.objects.thread import Thread, ThreadMember
from chatd.model.wire import MAX_STRING_INT, Snowflake
from chatd.service import access, render
from chatd.service.actors import Actor
from chatd.service.core import Core
from chatd.service.search_facets import FACETS, fold, term
from chatd.store import messages, threads
from chatd.store import search as store
from chatd.store.db import Tx
from chatd.store.search import NEWEST, OLDEST, SHORTEST, Found, Search
from chatd.store.search_index import BOT, USER, WEBHOOK

RETRY_AFTER_S = 2

_READS = p.VIEW_CHANNEL | p.READ_MESSAGE_HISTORY
_WORD = re.compile(r'"([^"]+)"|(\S+)')
_AUTHOR_TYPES = {"user": USER, "bot": BOT, "webhook": WEBHOOK}


async def messages_of_guild(core: Core, me: Actor, guild_id: Snowflake, query: MessageSearch) -> MessageSearchResult:
    """Only what the asker may read, and nothing else is counted.

    Raises UNKNOWN_GUILD, MISSING_ACCESS (a bot without the MESSAGE_CONTENT intent), FEATURE_DISABLED, SEARCH_NOT_READY.
    """
    guild = await access.guild(core, me, guild_id)
    if me.application_flags is not None and not me.application_flags & INTENT_FLAGS[MESSAGE_CONTENT]:
        raise MISSING_ACCESS()
    if not core.search_index.enabled:
        raise FEATURE_DISABLED()
    if not core.search_index.is_ready:
        indexed = {"documents_indexed": core.search_index.documents, "retry_after": RETRY_AFTER_S}
        raise ApiError(*SEARCH_NOT_READY, extra=indexed)
    async with core.search_index.turn():
        search = _search(guild, me.id, query)  # not before: what the asker may read can change while it waits
        found = Found(0, []) if search is None else await core.db.read(store.find, search)
    page, around, members = await core.db.read(_with_context, me.id, found.message_ids)
    return MessageSearchResult(
        doing_deep_historical_index=False,
        total_results=found.total,
        messages=tuple((_found(message),) for message in render.messages(core, page)),
        threads=tuple(around),
        members=tuple(members),
    )


def _search(guild: GuildState, user_id: int, query: MessageSearch) -> Search | None:
    """None for what no message can be."""
    channels = [it for it in guild.channels.values() if query.include_nsfw or not it.nsfw]
    readable = tuple(int(it.id) for it in channels if guild.permissions_in(it.id, user_id) & _READS == _READS)
    author_types = _author_types(query.author_type)
    if not readable or not author_types:
        return None
    wanted, unwanted = _terms(guild.id, query)
    return Search(
        guild_id=guild.id,
        asker_id=user_id,
        readable=readable,
        managed=tuple(id_ for id_ in readable if guild.manages_threads(id_, user_id)),
        channels=tuple(map(int, query.channel_id)),
        authors=tuple(map(int, query.author_id)),
        author_types=author_types if len(author_types) < len(_AUTHOR_TYPES) else (),
        wanted=wanted,
        unwanted=unwanted,
        words=_words(query.content, query.slop),
        after=0 if query.min_id is UNSET else query.min_id,
        before=MAX_STRING_INT if query.max_id is UNSET else query.max_id,
        order=SHORTEST if query.sort_by == "relevance" else OLDEST if query.sort_order == "asc" else NEWEST,
        limit=query.limit,
        offset=query.offset,
    )


def _author_types(given: Sequence[str]) -> tuple[int, ...]:
    positive = [_AUTHOR_TYPES[name] for name in given if name in _AUTHOR_TYPES]
    negative = [_AUTHOR_TYPES[name[1:]] for name in given if name not in _AUTHOR_TYPES]
    return tuple(it for it in positive or _AUTHOR_TYPES.values() if it not in negative)


def _terms(guild_id: int, query: MessageSearch) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Groups of terms, of each of which the message has one, and terms that it has not."""
    wanted: list[tuple[int, ...]] = []
    unwanted: list[int] = []
    for kind in FACETS.keys() - {"has"}:
        match getattr(query, kind):
            case True:
                wanted.append((term(guild_id, kind, True),))
            case False:
                unwanted.append(term(guild_id, kind, True))
            case [_, *_] as values:
                wanted.append(tuple(term(guild_id, kind, value) for value in values))
    for what in query.has:  # all of these
        if what.startswith("-"):
            unwanted.append(term(guild_id, "has", what[1:]))
        else:
            wanted.append((term(guild_id, "has", what),))
    return tuple(wanted), tuple(unwanted)


def _words(content: str, slop: int) -> tuple[str, ...]:
    """Each once; with slop 0 the whole content is one."""
    found = [phrase or word for phrase, word in _WORD.findall(content)] if slop else [content.strip()]
    return tuple(dict.fromkeys(fold(word) for word in found if word.strip()))


# --- the answer -----------------------------------------------------------------------------------------------------


def _with_context(
    tx: Tx, asker_id: int, message_ids: Sequence[int]
) -> tuple[messages.Page, list[Thread], list[ThreadMember]]:
    """Those that are still there, the threads that they are in, and the asker's memberships of these."""
    rows = {row.id: row for row in messages.by_ids(tx, message_ids)}
    left = [rows[message_id] for message_id in message_ids if message_id in rows]
    page = messages.with_context(tx, left, render.named_users, render.replied_to)
    around = threads.shown(tx, list({row.channel_id for row in left}))
    return page, list(around.values()), threads.memberships(tx, asker_id, list(around))


def _found(message: Message) -> FoundMessage:
    return FoundMessage(**{name: getattr(message, name) for name in Message.__struct_fields__})
