"""What somebody has posted in a guild goes with them: a ban may take back the messages of its last days."""

from collections import defaultdict
from collections.abc import Sequence

from chatd.live.guilds import GuildState
from chatd.model.objects.gateway import MessageDeleteBulk
from chatd.model.snowflake import lowest_at
from chatd.model.wire import Snowflake
from chatd.service import access
from chatd.service.commits import change
from chatd.service.core import Core
from chatd.store import purges as store
from chatd.store.purges import Posted

# Messages in one transaction, and in one event: what a bulk deletion may have.
BATCH = 100


async def of_authors(core: Core, guild: GuildState, author_ids: Sequence[int], seconds: int) -> None:
    """Delete what they posted in the last `seconds`, in batches, so that nobody waits long behind it.

    Docs: events/gateway-events, "Message Delete Bulk".
    """
    if not seconds or not author_ids:
        return
    after = lowest_at(core.clock_ms() - seconds * 1000)
    while True:
        gone = await change(
            core,
            (guild.id,),
            store.of_authors,
            guild.id,
            tuple(author_ids),
            after,
            BATCH,
            then=lambda posted: _deleted(core, guild, posted),
        )
        if len(gone) < BATCH:
            return
        after = gone[-1].id


def _deleted(core: Core, guild: GuildState, posted: list[Posted]) -> list[Posted]:
    by_channel: dict[int, list[Snowflake]] = defaultdict(list)
    for message in posted:
        by_channel[message.channel_id].append(Snowflake(message.id))
        here = access.place(guild, message.channel_id)
        if here is not None:
            here.unposted(message.id)
    for channel_id, ids in by_channel.items():
        event = MessageDeleteBulk(ids=tuple(ids), channel_id=Snowflake(channel_id), guild_id=guild.guild.id)
        core.live.to_guild(guild, "MESSAGE_DELETE_BULK", event, channel_id)
    return posted
