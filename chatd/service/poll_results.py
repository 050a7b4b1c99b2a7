"""How a poll has ended: its results, and the message that tells them.

Docs: resources/message, "Poll result messages", "Poll Result Embed Fields".
"""

from collections.abc import Callable

from msgspec import UNSET
from msgspec.structs import replace

from chatd.model.objects.embed import Embed, EmbedField
from chatd.model.objects.message import MessageExtra, MessageReference, MessageType
from chatd.model.objects.poll import Poll, PollAnswerCount, PollMedia, PollResults
from chatd.model.wire import Snowflake
from chatd.service import render
from chatd.service.access import GuildPlace, Here
from chatd.store.messages import Draft, MessageRow
from chatd.store.rows import to_text


def ended(poll: Poll, at: str, counts: tuple[PollAnswerCount, ...]) -> Poll:
    """The poll with its results; it has ended then, if not before. Both times are written by `timestamp`."""
    return replace(poll, expiry=min(poll.expiry, at), results=PollResults(answer_counts=counts, is_finalized=True))


def notice(
    new_id: Callable[[], int],
    here: Here,
    row: MessageRow,
    poll: Poll,
    counts: tuple[PollAnswerCount, ...],
) -> Draft:
    """In the name of the poll's author, who is mentioned."""
    reference = MessageReference(
        type=0,
        channel_id=Snowflake(row.channel_id),
        message_id=Snowflake(row.id),
        guild_id=here.channel.guild_id if isinstance(here, GuildPlace) else UNSET,
    )
    embed = Embed(
        type="poll_result", fields=tuple(EmbedField(name=name, value=value) for name, value in _told(poll, counts))
    )
    extra = MessageExtra(
        mentions=(Snowflake(row.author_id),),
        embeds=(embed,),
        message_reference=reference,
        webhook=render.extra_of(row.extra).webhook,
    )
    return Draft(
        new_id=new_id,
        channel_id=row.channel_id,
        author_id=row.author_id,
        type=int(MessageType.POLL_RESULT),
        flags=0,
        content="",
        nonce=None,
        extra=to_text(extra),
    )


def _told(poll: Poll, counts: tuple[PollAnswerCount, ...]) -> list[tuple[str, str]]:
    """Of several answers with the most votes none has won."""
    most = max((each.count for each in counts), default=0)
    told = [
        ("poll_question_text", poll.question.text),
        ("victor_answer_votes", str(most)),
        ("total_votes", str(sum(each.count for each in counts))),
    ]
    first = [each.id for each in counts if each.count == most]
    if len(first) == 1:
        [answer] = [each for each in poll.answers if each.answer_id == first[0]]
        told += [("victor_answer_id", str(answer.answer_id)), *_media(answer.poll_media)]
    return told


def _media(media: PollMedia) -> list[tuple[str, str]]:
    told = [("victor_answer_text", media.text)]
    if media.emoji is not UNSET:
        told += [("victor_answer_emoji_id", str(int(media.emoji.id)))] if media.emoji.id is not None else []
        told += [("victor_answer_emoji_name", media.emoji.name)] if media.emoji.name is not None else []
        told += [("victor_answer_emoji_animated", "true")] if media.emoji.animated is True else []
    return told
