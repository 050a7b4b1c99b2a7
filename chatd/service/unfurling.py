"""Links in messages become embeds, if the operator wants it: fetched once a message is posted, added to it by an edit.

`offer` is for after the commit and does not wait; workers do the rest. Whatever goes wrong (no room in the queue, no
answer from a site, a crash), the link stays plain and the message is as its author wrote it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import trio
from msgspec.structs import replace

from chatd import log
from chatd.model import permissions as p
from chatd.model.content_links import links
from chatd.model.objects.embed import Embed
from chatd.model.objects.message import MessageFlags
from chatd.model.ratelimit import Rule
from chatd.service import backpressure, link_embeds, message_events, render
from chatd.service.access import Here
from chatd.service.core import Core
from chatd.service.unfurls import DROPPED, EMBEDDED, EMPTY, FAILED, REFUSED, Unfurls
from chatd.store import journal
from chatd.store import messages as store
from chatd.store.db import Tx
from chatd.store.messages import Draft, MessageRow, Page
from chatd.store.rows import to_text
from chatd.web.fetch import Refused, Unfetched, fetch

logger = log.get(__name__)

# Links of one author that are looked at, so that nobody keeps the workers from everybody else.
AUTHOR_LINKS = Rule(limit=20, window_s=60.0)

_MEDIA_TYPES = link_embeds.PAGE_TYPES | link_embeds.IMAGE_TYPES


class _Job(NamedTuple):
    here: Here
    message_id: int
    content: str
    links: Sequence[str]


def offer(core: Core, here: Here, message_id: int, said: Draft | MessageRow) -> None:
    """What an author has just posted or edited, `here` being the author's."""
    unfurls = core.unfurls
    if unfurls is None or "://" not in said.content:
        return
    if said.flags & MessageFlags.SUPPRESS_EMBEDS or not here.permissions & p.EMBED_LINKS:
        return
    found = links(said.content)
    now_s = core.clock_ms() / 1000
    allowed = [url for url in found if core.limiter.hit(("links", said.author_id), AUTHOR_LINKS, now_s).allowed]
    try:
        if allowed:
            unfurls.waiting.send_nowait(partial(_unfurl, core, unfurls, _Job(here, message_id, said.content, allowed)))
    except trio.WouldBlock:
        allowed = []
    unfurls.outcomes[DROPPED] += len(found) - len(allowed)


def kept(embeds: tuple[Embed, ...], content: str) -> tuple[Embed, ...]:
    """Those whose links the new content of a message still has."""
    there = links(content) if embeds else ()
    return tuple(embed for embed in embeds if embed.url in there)


async def work(unfurls: Unfurls) -> None:
    """One worker: a message at a time."""
    async for job in unfurls.jobs:
        try:
            await job()
        except Exception:
            logger.exception("links stay plain")


async def _unfurl(core: Core, unfurls: Unfurls, job: _Job) -> None:
    found = [await _embed(core, unfurls, url) for url in job.links]
    embeds = tuple(embed for embed in found if embed is not None)
    if embeds:
        await backpressure.room(core, job.here.bus_key)
        await core.db.write(partial(_add, core.ids.next, job, embeds), then=partial(_added, core, job.here))


async def _embed(core: Core, unfurls: Unfurls, url: str) -> Embed | None:
    known = unfurls.recall(url, core.clock_ms())
    if known is not None:
        return known.embed
    embed, options = None, unfurls.options
    try:
        fetched = await fetch(unfurls.web, url, _MEDIA_TYPES, options.max_bytes, options.deadline_s)
        embed = await trio.to_thread.run_sync(link_embeds.embed, url, fetched, limiter=unfurls.reading)
        outcome = EMPTY if embed is None else EMBEDDED
    except Refused as error:
        outcome = REFUSED
        logger.warning("link refused", url=url, problem=str(error))
    except Unfetched as error:
        outcome = FAILED
        logger.debug("link not fetched", url=url, problem=str(error))
    unfurls.outcomes[outcome] += 1
    unfurls.remember(url, embed, core.clock_ms())
    return embed


def _add(new_id: Callable[[], int], job: _Job, embeds: tuple[Embed, ...], tx: Tx) -> tuple[int, Page] | None:
    """None for a message that is not any more what was looked at."""
    before = store.get(tx, job.here.id, job.message_id)
    if before is None or before.content != job.content or before.flags & MessageFlags.SUPPRESS_EMBEDS:
        return None
    extra = render.extra_of(before.extra)
    # A link that could be fetched before an edit keeps what it had.
    known = {embed.url: embed for embed in (*extra.link_embeds, *embeds)}
    shown = tuple(known[url] for url in links(job.content) if url in known)
    if shown == extra.link_embeds:
        return None
    row = replace(before, extra=to_text(replace(extra, link_embeds=shown)))
    store.update(tx, row)
    position = new_id()
    journal.keep_edit(tx, position, job.here.bus_key, before, row)
    return position, store.with_context(tx, [row], render.named_users, render.replied_to)


def _added(core: Core, here: Here, outcome: tuple[int, Page] | None) -> None:
    if outcome is not None:
        core.live.bus.horizon, page = outcome
        message_events.publish(core, here, "MESSAGE_UPDATE", render.messages(core, page)[0])
